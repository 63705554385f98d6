/** Carries out what the pages of «My account» ask for. */
import { RefusedError } from "../../client/errors.ts";
import type { SharedAccount } from "../../client/shared-account.ts";
import type { MyAccountEvent, MyAccountTask } from "./my-account-model.ts";

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
