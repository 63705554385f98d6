/** The effects of a chat on groups. */
import type { SharedAccount } from "../../../client/shared-account.ts";
import type { StoredConversation } from "../../../client/archive.ts";
import type { StoredMessage } from "../../../client/profile/stored-message.ts";
import type { GroupEffect, GroupEvent } from "./model.ts";

/** Texts that are read at once. */
const AT_ONCE = 500;

/** `takeUpDraft` is of whoever keeps the draft. */
type OwnEffect = Exclude<GroupEffect, { readonly name: "takeUpDraft" }>;

export type GroupNeeds = {
  readonly account: Pick<SharedAccount, "request">;
  readonly stored: Pick<StoredConversation, "username" | "after">;
  readonly dispatch: (event: GroupEvent) => void;
};

export type GroupEffectTable = {
  readonly [E in OwnEffect as E["name"]]: (effect: E) => Promise<void>;
};

/** The functions that carry them out. A failure is thrown. */
export function groupEffects({ account, stored, dispatch }: GroupNeeds): GroupEffectTable {
  // In a chat with a person only founding is asked for.
  const group = stored.username.slice(1);
  return {
    createGroup: async ({ title }) => {
      const founded = await account.request("create_group", { title });
      dispatch({ name: "founded", username: `#${founded.group.group}` });
    },
    copyGroup: async () => {
      const copied = await account.request("copy_group", { group });
      dispatch({ name: "founded", username: `#${copied.group.group}` });
    },
    addToGroup: async ({ usernames, history }) => {
      const asked = { group, usernames: [...usernames], history };
      const { waiting, failed } = await account.request("add_to_group", asked);
      dispatch({ name: "addedToGroup", waiting, failed });
    },
    removeFromGroup: async ({ username }) => {
      await account.request("remove_from_group", { group, username });
    },
    leaveGroup: async () => {
      await account.request("leave_group", { group });
    },
    acceptGroup: async () => {
      await account.request("accept_group", { group });
    },
    declineGroup: async () => {
      await account.request("decline_group", { group });
      dispatch({ name: "declinedGroup" });
    },
    makeAdmin: async ({ username }) => {
      await account.request("make_admin", { group, username });
    },
    renameGroup: async ({ title }) => {
      await account.request("rename_group", { group, title });
    },
    keepGroup: async ({ days }) => {
      await account.request("keep_group", { group, days });
      dispatch({ name: "keepsTexts", days });
    },
    listMembers: async () => {
      const { members } = await account.request("group_members", { group });
      dispatch({ name: "members", members });
    },
    unfold: async ({ run, limit }) => {
      const messages: StoredMessage[] = [];
      for (let { from } = run; from <= run.to && messages.length < limit;) {
        const page = stored.after(from - 1, AT_ONCE);
        messages.push(...page.filter(({ author, seq }) => author === run.author && seq <= run.to));
        from = (page.at(-1)?.seq ?? run.to) + 1;
      }
      dispatch({ name: "unfolded", messages: messages.slice(0, limit) });
    },
    noticesShown: async ({ seq }) => {
      await account.request("notices_shown", { group, seq });
    },
  };
}
