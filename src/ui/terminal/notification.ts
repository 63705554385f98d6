/** Asks a terminal to show a notification on the desktop, which may be on another machine than this program. */
import { visibleText } from "../../protocol/visible-text.ts";

/** OSC 9 (iTerm2) takes one text, OSC 777 (urxvt) a title and a text. */
export type NotificationKind = "osc9" | "osc777";

export function notificationSequence(kind: NotificationKind, title: string, text: string): string {
  const [shownTitle, shownText] = [harmless(title), harmless(text)];
  if (kind === "osc9") return `\x1b]9;${shownTitle}: ${shownText}\x1b\\`;
  return `\x1b]777;notify;${shownTitle};${shownText}\x1b\\`;
}

/** One line without `;`, which ends a field, and behind a number makes an OSC 9 another command (ConEmu's). */
function harmless(text: string): string {
  return visibleText(text).replaceAll(";", ",");
}
