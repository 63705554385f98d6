/** Which invitations to groups are kept (GROUPS 8). Pure. */
import type { StoredGroup } from "./store/group-store.ts";

/** Most invitations that wait for an answer: in all, of people who are no contacts, and of one person. */
const MAX_WAITING = 16;
const MAX_WAITING_OF_STRANGERS = 8;
const MAX_WAITING_OF_ONE = 4;

/**
 * What to do with the invitation to join as `feed`: keep it; take what is new of a known one; say that it was declined;
 * or nothing, because it was answered, somebody else has said it first, or it is one too many. Of two invitations to one
 * group that of a contact counts: anybody can make up one that admits nobody.
 */
export function judgeInvitation(
  groups: readonly StoredGroup[],
  { group, feed }: { readonly group: string; readonly feed: string },
  byLabel: string,
  isContact: (label: string) => boolean,
): "keep" | "renew" | "decline" | "ignore" {
  const known = groups.find((each) => each.group === group);
  if (known?.state === "joined") return "ignore";
  if (known?.ownFeed === feed) {
    if (known.state === "declined") return "decline";
    return known.state === "invited" && known.invitation?.byLabel === byLabel ? "renew" : "ignore";
  }
  const waiting = groups.filter(({ state }) => state === "invited").map(inviter);
  const isTrusted = isContact(byLabel);
  if (known?.state === "invited")
    return byLabel === inviter(known) || (isTrusted && !isContact(inviter(known))) ? "keep" : "ignore";
  const isFull =
    waiting.length >= MAX_WAITING ||
    waiting.filter((label) => label === byLabel).length >= MAX_WAITING_OF_ONE ||
    (!isTrusted && waiting.filter((label) => !isContact(label)).length >= MAX_WAITING_OF_STRANGERS);
  return isFull ? "ignore" : "keep";
}

function inviter({ invitation }: StoredGroup): string {
  return invitation?.byLabel ?? "";
}
