/** Changes of the link, and the lines about them. */
import type { ChatContext, ChatLink, ChatModel, ChatStep } from "./model.ts";
import { isKeyNoticeDue, linkLine, printing, withNotified } from "./notices.ts";
import { doubtWithLink } from "./presence-doubt.ts";

/** Lines about the link: this many at once, and one more in each interval, in ms. A peer may come and go for ever. */
export const LINK_LINES = 10;
export const LINK_LINE_INTERVAL = 30_000;

function isSameLink(one: ChatLink, other: ChatLink): boolean {
  if (one.name === "unreachable") return other.name === "unreachable" && one.reason === other.reason;
  return one.name === other.name;
}

/** Whether there is no link because a new key waits to be accepted or verified. */
export function isKeyAwaited(link: ChatLink): boolean {
  return (
    link.name === "unreachable" && (link.reason === "key_pending" || link.reason === "verification_needed")
  );
}

/** Changes the state of the link and prints a line about it, unless the state is the same. */
export function linkTo(chat: ChatModel, link: ChatLink, context: ChatContext): ChatStep {
  return isSameLink(chat.link, link) ? { chat, effects: [] } : showLink({ ...chat, link }, context);
}

/**
 * Prints a line if the link is not as the last one said. After too many lines nothing is printed; this is called on
 * each tick, so that the state at the end of the interval is shown.
 */
export function showLink(chat: ChatModel, context: ChatContext): ChatStep {
  const { now } = context;
  const { link, notified } = chat;
  if (isSameLink(notified.link, link)) return { chat, effects: [] };
  const ahead = notified.linkLinesFreeAt - now;
  // A time further ahead is of a clock that was set back.
  const used = ahead > LINK_LINES * LINK_LINE_INTERVAL ? 0 : Math.max(0, ahead);
  if (used > (LINK_LINES - 1) * LINK_LINE_INTERVAL) return { chat, effects: [] };
  const next = withNotified(chat, { link, linkLinesFreeAt: now + used + LINK_LINE_INTERVAL });
  const before = { ...chat, link: notified.link };
  if (isKeyAwaited(link)) {
    // The server can make the peer come and go as often as it likes.
    if (!isKeyNoticeDue(notified.keyAt, now)) return { chat: withNotified(chat, { link }), effects: [] };
    return printing(withNotified(next, { keyAt: now }), [linkLine(before, link, "", context)]);
  }
  if (link.name !== "unreachable") return printing(next, [linkLine(before, link, "", context)]);
  const { chat: doubted, sentence } = doubtWithLink(next, context);
  return printing(doubted, [linkLine(before, link, sentence, context)]);
}
