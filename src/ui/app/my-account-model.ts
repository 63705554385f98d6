/** The pages of «My account», what they ask for, how that is carried out, and what comes back. */
import { RefusedError } from "../../client/errors.ts";
import type { Sign, SignChoice } from "../../client/profile/privacy.ts";
import type { SharedAccount } from "../../client/shared-account.ts";
import type { Result } from "../../client/sharing/requests.ts";

/** What others are told, for everybody and for single people. */
type Privacy = Result<"privacy">;

/** What is chosen, and all contacts of the account. */
export type Signs = { readonly privacy: Privacy; readonly contacts: readonly string[] };

export type MyAccountPage =
  | { readonly name: "menu" }
  | { readonly name: "currentPassword" }
  | { readonly name: "newPassword"; readonly current: string }
  | { readonly name: "newPasswordAgain"; readonly current: string; readonly next: string }
  | { readonly name: "deletionName" }
  | { readonly name: "deletionPassword" }
  /** What everybody is told. `marked`: what was changed last. */
  | { readonly name: "signs"; readonly signs: Signs; readonly marked: Sign | undefined }
  /** Whose signs are to be chosen. */
  | { readonly name: "signsOfWhom"; readonly signs: Signs }
  | {
      readonly name: "signsOf";
      readonly signs: Signs;
      readonly username: string;
      readonly marked: Sign | undefined;
    };

/** `username`: undefined: for everybody. */
export type SignChange = {
  readonly username: string | undefined;
  readonly sign: Sign;
  readonly choice: SignChoice;
};

export type MyAccountTask =
  | { readonly name: "changePassword"; readonly current: string; readonly next: string }
  | { readonly name: "deleteAccount"; readonly password: string }
  | { readonly name: "showFingerprint" }
  /** `change`: made first; undefined: none. */
  | { readonly name: "readSigns"; readonly change: SignChange | undefined };

export type MyAccountEvent =
  | { readonly name: "passwordChanged" }
  | { readonly name: "passwordWrong" }
  | { readonly name: "deleted"; readonly username: string; readonly folder: string }
  | { readonly name: "fingerprint"; readonly fingerprint: string }
  /** `change`: what was changed before. */
  | { readonly name: "signs"; readonly signs: Signs; readonly change: SignChange | undefined };

/** What was chosen for one person. */
export function signsOf({ privacy }: Signs, username: string): { readonly [S in Sign]: SignChoice } {
  return privacy.people.find((each) => each.username === username) ?? { read: "default", typing: "default" };
}

/** @throws as the requests of the task */
export async function carryOut(account: SharedAccount, task: MyAccountTask): Promise<MyAccountEvent> {
  try {
    return await carriedOut(account, task);
  } catch (error) {
    const isWrong = error instanceof RefusedError && error.code === "invalid_credentials";
    if (!isWrong) throw error;
    return { name: "passwordWrong" };
  }
}

async function carriedOut(account: SharedAccount, task: MyAccountTask): Promise<MyAccountEvent> {
  switch (task.name) {
    case "changePassword":
      await account.request("change_password", { password: task.current, new_password: task.next });
      return { name: "passwordChanged" };
    case "deleteAccount": {
      const { username, folder } = account;
      await account.request("delete_account", { password: task.password });
      return { name: "deleted", username, folder };
    }
    case "showFingerprint":
      return { name: "fingerprint", fingerprint: account.archive.safetyNumbers.ownFingerprint };
    case "readSigns": {
      const { change } = task;
      if (change !== undefined) {
        const { username, sign, choice } = change;
        await account.request("set_privacy", { username, [sign]: choice });
      }
      const privacy = await account.request("privacy", {});
      const contacts = account.archive.contacts().map(({ username }) => username);
      return { name: "signs", signs: { privacy, contacts }, change };
    }
    default:
      return task satisfies never;
  }
}
