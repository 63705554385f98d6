/** What the commands share that only work with what is stored on this machine. */
import { openLocalProfile } from "../../client/accounts.ts";
import type { Profile } from "../../client/profile/profile.ts";
import { isDamage } from "../../client/disk/sqlite.ts";
import type { Config } from "../config.ts";

/** Where an error says that a file of the profile is damaged: the next start checks it. */
export function noteIfDamage(profile: Pick<Profile, "noteDamage">, error: unknown): void {
  if (isDamage(error)) profile.noteDamage();
}

/**
 * Opens the profile that is meant for `work`, and closes it. Damage that is met there is noted, so that the
 * next start checks the file.
 * @throws AccountError, StoreError, and what `work` throws
 */
export async function withLocalProfile<T>(
  config: Config,
  work: (profile: Profile) => T | Promise<T>,
): Promise<T> {
  const profile = openLocalProfile(config);
  try {
    return await work(profile);
  } catch (error) {
    noteIfDamage(profile, error);
    throw error;
  } finally {
    profile.close();
  }
}
