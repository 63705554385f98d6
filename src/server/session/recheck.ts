/**
 * Looks in a store that others change too for what this server has not been told: revocations, and sessions whose
 * account is gone or disabled, or whose token is void. Whoever made such a change may have died before telling it.
 */
import type { Services } from "./services.ts";

/** Sessions asked for at once. */
const BATCH = 1_000;

/** Ends such sessions. If the store cannot be read, that is logged. */
export async function recheck({ log, revocations, seats, store }: Services): Promise<void> {
  try {
    for (const each of await store.revocations()) revocations.add(each);
    const users = seats.own();
    for (let start = 0; start < users.length; start += BATCH) {
      for (const { session } of await store.ended(users.slice(start, start + BATCH))) {
        session.end("no_longer_valid");
      }
    }
  } catch (error) {
    log.error("recheck_failed", error);
  }
}
