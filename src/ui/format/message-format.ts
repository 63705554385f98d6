/** Formats messages: lines for people, and stored messages for programs. */
import type { Archive } from "../../client/archive.ts";
import type { GroupCounts } from "../../client/conversation/events.ts";
import type { MessageState } from "../../client/disk/schema.ts";
import { partiesOf, storedMessageJson } from "../../client/event-json.ts";
import type { OfferedFile, StoredMessage } from "../../client/profile/stored-message.ts";
import { jsonLine, visibleText } from "../../protocol/visible-text.ts";
import { excerptOf } from "./excerpt.ts";
import { fileWhat } from "./file-words.ts";
import { localClock, localDay } from "./local-time.ts";
import { shownName, type NameBook } from "./name-book.ts";
import type { Texts } from "../texts/texts.ts";
import { wrappedMessage } from "./wrapped-text.ts";

/** Marks of the delivery states. */
const STATE_MARKS: { readonly [S in MessageState]: string } = {
  queued: "·",
  sent: "✓",
  received: "✓✓",
  read: "✓✓",
};

/** The mark of a delivery state, as shown to the person. @param counts of a text for a group */
export function stateMark(state: MessageState, texts: Texts, counts?: GroupCounts): string {
  if (counts !== undefined && counts.received > 0)
    return texts.groupMark(counts.received, counts.read, counts.of);
  return state === "read" ? texts.chatReadMark : STATE_MARKS[state];
}

export type MessageLineOptions = {
  readonly texts: Texts;
  readonly names: NameBook;
  /** Width of the terminal; undefined: not a terminal. */
  readonly columns?: number | undefined;
  /** The other person of the conversation, or its group, if lines of several conversations are mixed. */
  readonly chat?: string | undefined;
  /** How many have it, of an own text of a group. */
  readonly counts?: GroupCounts | undefined;
  /** The message that is replied to; undefined: it is not stored. */
  readonly repliedTo?: StoredMessage | undefined;
};

/** What is shown of a message besides its author and its text. */
export type Remarked = {
  /** Delivery state, if it is shown. */
  readonly state?: MessageState | undefined;
  /** Of a text for a group. */
  readonly counts?: GroupCounts | undefined;
  /** When it was written, if it arrived much later: «(escrito a las 14:05)». */
  readonly written?: string | undefined;
  readonly change?: "edited" | "withdrawn" | undefined;
  /** The change has not reached the other side yet. */
  readonly changeWaits?: boolean;
  /** Set for a reply. `excerpt`: of the message replied to, visible text; undefined: it is no longer stored. */
  readonly answers?: { readonly excerpt: string | undefined } | undefined;
};

/** The remarks between the author and the colon of a message line. Remote text appears only in quotation marks. */
export function remarks(message: Remarked, texts: Texts): string {
  const { answers, change, changeWaits = false, counts, state, written } = message;
  const found: string[] = [];
  // The delivery state of a withdrawn message does not matter.
  if (state !== undefined && change !== "withdrawn") found.push(stateMark(state, texts, counts));
  if (written !== undefined) found.push(written);
  if (change === "edited") found.push(changeWaits ? texts.chatEditedWaits : texts.chatEdited);
  if (change === "withdrawn") found.push(changeWaits ? texts.chatWithdrawnWaits : texts.chatWithdrawn);
  if (answers !== undefined) {
    const { excerpt } = answers;
    found.push(excerpt === undefined ? texts.chatAnswersGone : texts.chatAnswers(excerpt));
  }
  return found.map((each) => ` ${each}`).join("");
}

/** Whether a message was edited or withdrawn. */
export function changeOf({ editedAt, withdrawnAt }: StoredMessage): "edited" | "withdrawn" | undefined {
  if (withdrawnAt !== undefined) return "withdrawn";
  return editedAt === undefined ? undefined : "edited";
}

/** Which messages are shown: in groups, texts of people whom one has blocked are kept, and not shown. */
export function shownIn(archive: Pick<Archive, "conversation">): (message: StoredMessage) => boolean {
  const blocked = new Map<string, boolean>();
  return ({ author }) => {
    if (author === undefined) return true;
    const isBlocked = blocked.get(author) ?? archive.conversation(author)?.state === "blocked";
    blocked.set(author, isBlocked);
    return !isBlocked;
  };
}

/** The visible text of a message; that of a group may not have come. */
export function textOf({ isMissing, text }: StoredMessage, texts: Texts): string {
  return isMissing ? texts.groupNoText : visibleText(text, { lines: true });
}

/**
 * What stands behind the name of who offers a file to all of a group, in our words, before the remarks; the text is left out
 * where it is the name of the file. Undefined: the message names no file.
 * @param how what is typed to take it, with its number
 */
export function offerOf(
  { file, withdrawnAt }: StoredMessage,
  how: (number: number) => string,
  texts: Texts,
): string | undefined {
  if (file === undefined || withdrawnAt !== undefined) return undefined;
  const offer = texts.fileToAll(fileWhat({ ...file, entries: null }, texts));
  return file.isOpen ? `${offer}, ${how(file.number)}` : offer;
}

/** Whether the text of a message is but the name of the file that it offers. */
export function isNameAlone({
  file,
  text,
}: {
  readonly file?: OfferedFile | undefined;
  readonly text: string;
}): boolean {
  return file !== undefined && file.name === text;
}

/** A message line for people: time, name, remarks, text. */
export function messageLine(message: StoredMessage, from: string, options: MessageLineOptions): string {
  const { columns, counts, names, repliedTo, texts } = options;
  const { changeWaits, outgoing, replyTo, state } = message;
  const time = (outgoing ? message.sentAt : message.receivedAt) ?? 0;
  const chat = options.chat === undefined ? "" : `[${shownName(names, options.chat)}] `;
  const isStored = repliedTo !== undefined && repliedTo.withdrawnAt === undefined;
  const remarked = remarks(
    {
      state: outgoing ? state : undefined,
      counts,
      change: changeOf(message),
      changeWaits,
      answers:
        replyTo === undefined ? undefined : { excerpt: isStored ? excerptOf(repliedTo.text) : undefined },
    },
    texts,
  );
  const offer = offerOf(message, (number) => `files accept ${number}`, texts);
  const author = shownName(names, from) + (offer === undefined ? "" : ` ${offer}`);
  const head = `${localDay(time)} ${localClock(time)} ${chat}${author}${remarked}`;
  const isSaid = message.withdrawnAt !== undefined || isNameAlone(message);
  const text = isSaid ? "" : `: ${textOf(message, texts)}`;
  return `${wrappedMessage(`${head}${text}`, columns)}\n`;
}

/** A line of `history`, `search` and `export`. @param peer the other person of the conversation, or `#` and the id of the group */
export function storedLine(
  archive: Pick<Archive, "username" | "repliedTo" | "conversation">,
  message: StoredMessage,
  peer: string,
  { json, ...options }: Omit<MessageLineOptions, "repliedTo" | "counts"> & { readonly json: boolean },
): string {
  const [from, to] = partiesOf(message, archive.username, peer);
  if (json) return jsonLine(storedMessageJson(message, from, to));
  const isOwnInGroup = message.outgoing && peer.startsWith("#");
  const counts = isOwnInGroup ? archive.conversation(peer)?.counts(message) : undefined;
  return messageLine(message, from, { ...options, counts, repliedTo: archive.repliedTo(message) });
}
