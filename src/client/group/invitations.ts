/** Which invitations to groups are kept (GROUPS 8). Pure. */
import type { StoredGroup } from "./store/group-store.ts";

/** Most invitations that wait for an answer, in all and of one person. */
const MAX_WAITING = 16;
const MAX_WAITING_OF_ONE = 4;

/**
 * What to do with the invitation to join as `feed`: keep it; take what is new of a known one; say that it was declined;
 * or nothing, because it was answered, somebody else has said it first, or it is one too many.
 */
export function judgeInvitation(
  groups: readonly StoredGroup[],
  { group, feed }: { readonly group: string; readonly feed: string },
  byLabel: string,
): "keep" | "renew" | "decline" | "ignore" {
  const known = groups.find((each) => each.group === group);
  if (known?.state === "joined") return "ignore";
  if (known?.ownFeed === feed) {
    if (known.state === "declined") return "decline";
    return known.state === "invited" && known.invitation?.byLabel === byLabel ? "renew" : "ignore";
  }
  const waiting = groups.filter(({ state }) => state === "invited");
  const ofOne = waiting.filter(({ invitation }) => invitation?.byLabel === byLabel);
  if (known?.state === "invited") return "keep";
  return waiting.length < MAX_WAITING && ofOne.length < MAX_WAITING_OF_ONE ? "keep" : "ignore";
}
