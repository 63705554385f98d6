/** Waits for the process that has the account while it does not serve others yet, or no longer. */
import { EXPORTING, ProfileLockedError } from "../disk/lock.ts";
import { AccountMovedError } from "../profile/profile.ts";

/** How long the process that has the account may take until it listens, in ms: it may be checking the profile. */
const PATIENCE = 25_000;
/** Pause between two attempts to find out who has the account, in ms: the first one, and the longest. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [10, 200];

/**
 * Repeats `look` while the account is locked.
 * @throws as `look`; AccountMovedError if the account is being exported; ProfileLockedError if one process has held the account for PATIENCE
 */
export async function whileLocked<T>(look: () => Promise<T>): Promise<T> {
  let end = performance.now() + PATIENCE;
  let owner: number | undefined;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await look();
    } catch (error) {
      // It is starting, ending or checking the profile.
      if (!(error instanceof ProfileLockedError)) throw error;
      // Where the account goes from hand to hand, each one has its time.
      const { pid, command } = error.owner ?? {};
      if (command === EXPORTING) throw new AccountMovedError(undefined);
      if (owner !== undefined && pid !== owner) end = performance.now() + PATIENCE;
      else if (performance.now() >= end) throw error;
      owner = pid;
    }
    // Many processes may look at once.
    await Bun.sleep(pause * (0.5 + Math.random()));
  }
}
