/** The requests about groups; rows of `REQUESTS`. A group is named by its id. */
import { isTitle } from "../../identity/group-body.ts";
import { isEntryId } from "../../identity/group-entry.ts";
import { exactText, integer, list, nullable, oneOf, optional, refine } from "../../protocol/fields.ts";
import { MAX_PEOPLE } from "../group/sync/membership.ts";
import { person, row } from "./request-row.ts";

const MAX_KEEP_DAYS = 36_500;

const group = refine(exactText(43, 43), (typed) => (isEntryId(typed) ? typed : undefined));
const title = refine(exactText(1, 64), (typed) =>
  // Where a title is typed that sign stands before it.
  isTitle(typed) && !typed.startsWith("#") ? typed : undefined,
);

/** Each that is about one group answers with what it is afterwards. */
export const GROUP_REQUESTS = {
  /** All groups, invitations and those that one has left among them. */
  groups: row({}, ({ account: { messenger } }) => ({ groups: messenger.groups.shown.all() })),
  create_group: row(
    { title, adds: optional(oneOf("admins", "all")), writes: optional(oneOf("all", "admins")) },
    async ({ account: { messenger } }, { title: called, adds = "admins", writes = "all" }) => ({
      group: await messenger.groups.actions.create(called, adds, writes),
    }),
  ),
  /** Invites people, who are dialled for it. `waiting`: those who are invited once they are reached. */
  add_to_group: row(
    { group, usernames: list(person, MAX_PEOPLE), history: optional(oneOf("all", "none")) },
    ({ account: { messenger } }, { group: id, usernames, history = "all" }) =>
      messenger.groups.actions.add(id, usernames, history),
  ),
  remove_from_group: row({ group, username: person }, async ({ account: { messenger } }, asked) => ({
    group: await messenger.groups.actions.remove(asked.group, asked.username),
  })),
  leave_group: row({ group }, async ({ account: { messenger } }, { group: id }) => ({
    group: await messenger.groups.actions.leave(id),
  })),
  accept_group: row({ group }, async ({ account: { messenger } }, { group: id }) => ({
    group: await messenger.groups.actions.accept(id),
  })),
  decline_group: row({ group }, async ({ account: { messenger } }, { group: id }) => ({
    group: await messenger.groups.actions.decline(id),
  })),
  make_admin: row({ group, username: person }, async ({ account: { messenger } }, asked) => ({
    group: await messenger.groups.actions.makeAdmin(asked.group, asked.username),
  })),
  rename_group: row({ group, title }, async ({ account: { messenger } }, asked) => ({
    group: await messenger.groups.actions.rename(asked.group, asked.title),
  })),
  /** Texts that are older are deleted, on this machine only; null: none are. */
  keep_group: row(
    { group, days: nullable(integer(1, MAX_KEEP_DAYS)) },
    async ({ account: { messenger } }, { group: id, days }) => ({
      group: await messenger.groups.keep(id, days ?? undefined),
    }),
  ),
  /** Founds a group of the same title, and invites the same people to it. */
  copy_group: row({ group }, async ({ account: { messenger } }, { group: id }) => ({
    group: await messenger.groups.actions.copy(id),
  })),
  group_members: row({ group }, ({ account: { messenger } }, { group: id }) => ({
    group: id,
    members: messenger.groups.shown.members(id),
  })),
  /** What happened since the person was told last, oldest first. */
  group_notices: row({ group }, ({ account: { messenger } }, { group: id }) => ({
    notices: messenger.groups.notices(id),
  })),
  /** The person was told of everything up to the notice of this number. */
  notices_shown: row(
    { group, seq: integer(0, Number.MAX_SAFE_INTEGER) },
    ({ account: { messenger } }, { group: id, seq }) => {
      messenger.groups.noticesShown(id, seq);
      return {};
    },
  ),
};
