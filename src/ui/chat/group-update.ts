/** The chat with a group: its prompt, and its update after what it takes in its own way. */
import type { GroupNotice, MessengerEvent, SharedGroup } from "../../client/conversation/events.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { notInvited } from "../failures.ts";
import { stateMark } from "../format/message-format.ts";
import type { Line } from "../format/printed-line.ts";
import { conversationOf, shownName, type NameBook } from "../format/name-book.ts";
import { yesOrNo } from "../format/questions.ts";
import type { LinePrompt } from "../line/line-prompt.ts";
import type { Texts } from "../texts/texts.ts";
import { onCancelled, onChanged } from "./changes.ts";
import { advance, beginDeliveries, forget, NO_DELIVERIES, tellOfWait } from "./delivery-tracking.ts";
import {
  NO_FILES,
  progressMark,
  tickFiles,
  withFile,
  type FilesContext,
  type FilesStep,
} from "./files/tracked-files.ts";
import { groupCommand } from "./group/group-commands.ts";
import {
  membersLine,
  nameList,
  noticeSentences,
  stateSentences,
  type GroupWords,
} from "./group/group-lines.ts";
import type { Folded } from "./group/model.ts";
import { effects, print, type CommandResult, type Run } from "./message-commands.ts";
import type {
  ChatContext,
  ChatEffect,
  ChatEvent,
  ChatStep,
  GroupChat,
  KindEvent,
  Known,
  OpenedChat,
} from "./model.ts";
import { notice, printing } from "./notices.ts";
import { mutedText } from "./other-chats.ts";
import { printStored, showArrived, showWritten, withShown } from "./transcript.ts";

/** Who comes and goes is said together once nobody has for so long, in ms. */
const NOTICES_GATHERED_FOR = 500;
/** Texts of one author that a catch-up shows; `/more` shows the others. */
const MAX_OF_ONE = 200;
/** A catch-up has ended when nothing has come for so long, in ms. */
const CATCH_UP_ENDS = 2_000;

export function openGroupChat(group: SharedGroup): GroupChat {
  return {
    kind: "group",
    username: `#${group.group}`,
    group,
    asked: undefined,
    held: { notices: [], at: 0 },
    rush: { from: 0, counts: new Map(), at: 0 },
    folded: { runs: [], isSaid: true },
    deliveries: NO_DELIVERIES,
    transcript: { day: undefined, oldest: undefined, newest: 0, unseen: 0, seenAt: 0, listed: [] },
    files: NO_FILES,
    stayed: undefined,
    draft: { name: "settled", isStored: false },
    restoredAt: undefined,
  };
}

function wordsOf({ names, ownName, texts }: ChatContext): GroupWords {
  return { texts, ownName, shown: (username) => shownName(names, username) };
}

function sentences(chat: GroupChat, said: readonly string[]): ChatStep<GroupChat> {
  return printing(chat, said.map(notice));
}

/** The prompt: the group, who has our last message, and what waits in other chats; or that a yes or no is awaited. */
export function groupPrompt(
  { group, asked, deliveries: { last }, files, username }: GroupChat,
  names: NameBook,
  texts: Texts,
  waiting: number,
): LinePrompt {
  const away = { isAway: group.state !== "joined", waiting, sign: "" };
  if (asked !== undefined) return { ...away, name: texts.groupYesNo, isAway: false, mark: "" };
  const name = shownName(names, username);
  const progress = progressMark(files, texts);
  if (last === undefined) return { ...away, name, mark: progress };
  const { received = 0, of = 0 } = last.counts ?? {};
  const withProgress = (mark: string) => [mark, progress].join(" ").trim();
  const mark = withProgress(stateMark(last.state, texts, last.counts));
  const brief = received === 0 ? {} : { brief: withProgress(`✓ ${received}/${of}`) };
  return { ...away, name, mark, ...brief };
}

/** What is typed while it is asked whether something is meant. */
export function answerInGroup(
  typed: string,
  { asked }: GroupChat,
  { texts }: ChatContext,
): CommandResult | undefined {
  if (asked === undefined) return undefined;
  const isMeant = yesOrNo(typed, texts);
  if (isMeant === undefined) return { name: "fault", sentence: texts.answerYesOrNo };
  return isMeant ? effects(asked) : print(notice(texts.groupNothingDone));
}

/** `/group …`, also in the chat with a person, where a group can be founded. */
export const group: Run = (argument, chat, context) => {
  const { texts } = context;
  const here = chat.kind === "group" ? chat.group : undefined;
  const typed = groupCommand(argument, `/group ${argument}`, here, context);
  if (typed.name === "fault" || typed.name === "asks") return typed;
  return typed.name === "help" ? print(notice(texts.groupHelp)) : effects(typed);
};

/** `/more`: what was folded, and then what is older than what is shown. */
export const more: Run = (_argument, chat, { texts }) => {
  const { oldest } = chat.transcript;
  const run = chat.kind === "group" ? chat.folded.runs[0] : undefined;
  if (run !== undefined) return effects({ name: "unfold", run, limit: MAX_OF_ONE });
  return oldest === undefined
    ? print(notice(texts.chatNothingEarlier))
    : effects({ name: "page", before: oldest });
};

/** The runs with one more text, of an author whose texts since `from` are folded. */
function withFolded(runs: readonly Folded[], author: string, seq: number, from: number): readonly Folded[] {
  const index = runs.findIndex((run) => run.author === author && run.from >= from);
  const run = runs[index];
  if (run === undefined) return [...runs, { author, from: seq, to: seq, count: 1 }];
  return runs.with(index, { ...run, to: seq, count: run.count + 1 });
}

/** Of these texts, oldest first, those that are shown: the newest of each author; and the runs of the others. */
function newestOfEach(messages: readonly StoredMessage[]): {
  readonly shown: readonly StoredMessage[];
  readonly runs: readonly Folded[];
} {
  const counts = new Map<string, number>();
  const isFolded = ({ author = "" }: StoredMessage) => {
    const count = (counts.get(author) ?? 0) + 1;
    counts.set(author, count);
    return count > MAX_OF_ONE;
  };
  const folded = new Set(
    messages
      .filter(({ outgoing }) => !outgoing)
      .toReversed()
      .filter(isFolded),
  );
  const runs = [...folded]
    .toReversed()
    .reduce<readonly Folded[]>((all, { author = "", seq }) => withFolded(all, author, seq, 0), []);
  return { shown: messages.filter((message) => !folded.has(message)), runs };
}

/** «eva: 1.800 más, /more», a line for each author of folded texts. */
function foldedLines(runs: readonly Folded[], { names, texts, language }: ChatContext): Line[] {
  return [...Map.groupBy(runs, ({ author }) => author)].map(([author, all]) => {
    const count = all.reduce((sum, run) => sum + run.count, 0);
    return notice(texts.groupFolded(shownName(names, author), count.toLocaleString(language)));
  });
}

/** The first lines of a chat with a group: which one, how one stands to it, what happened in it, and the newest texts. */
function showOpened(before: GroupChat, page: OpenedChat, context: ChatContext): ChatStep<GroupChat> {
  const { texts } = context;
  const { group } = before;
  const { hasDraft = false, notices = [] } = page;
  const words = wordsOf(context);
  const opened = (page.isMore ? texts.groupOpenedMore : texts.groupOpened)(
    texts.groupTitle(group.title),
    group.people,
  );
  const { shown: messages, runs } = newestOfEach(page.messages);
  // A fork of our own is told by both.
  const said = new Set([...noticeSentences(notices, words), ...stateSentences(group, words)]);
  const around = {
    before: group.state === "joined" ? [notice(opened)] : [],
    // Above the texts nobody would see it.
    after: [...foldedLines(runs, context), ...[...said].map(notice)],
  };
  const shown = printStored(before, { ...page, messages }, around, context);
  const chat: GroupChat = {
    ...shown.chat,
    folded: { runs, isSaid: true },
    deliveries: beginDeliveries(page, page.waiting ?? 0, context.now),
    draft: { name: "settled", isStored: hasDraft },
    restoredAt: hasDraft ? context.now : undefined,
  };
  return { chat, effects: [...shown.effects, ...noticesShown(notices)] };
}

function noticesShown(notices: readonly GroupNotice[]): readonly ChatEffect[] {
  const seq = Math.max(0, ...notices.map((each) => each.seq));
  return seq === 0 ? [] : [{ name: "noticesShown", seq }];
}

/** A text has come. In a catch-up only the first ones of each author are shown. */
function onMessage(
  chat: GroupChat,
  message: StoredMessage,
  known: Known,
  context: ChatContext,
): ChatStep<GroupChat> {
  const { author = "", seq } = message;
  if (known.isShown === true || seq <= chat.transcript.newest) return { chat, effects: [] };
  const { now } = context;
  const isSame = Math.abs(now - chat.rush.at) < CATCH_UP_ENDS;
  const count = (isSame ? (chat.rush.counts.get(author) ?? 0) : 0) + 1;
  const counts = new Map(isSame ? chat.rush.counts : []).set(author, count);
  const from = isSame ? chat.rush.from : seq;
  const next: GroupChat = { ...chat, rush: { from, counts, at: now } };
  if (count <= MAX_OF_ONE) return showArrived(next, message, known.excerpt, context);
  const runs = withFolded(chat.folded.runs, author, seq, from);
  const folding: GroupChat = { ...next, folded: { runs, isSaid: false } };
  return withShown(folding, [seq], context.attention === "focused");
}

/** The first texts of the first run that was folded. */
function showUnfolded(
  before: GroupChat,
  messages: readonly StoredMessage[],
  context: ChatContext,
): ChatStep<GroupChat> {
  const [run, ...rest] = before.folded.runs;
  if (run === undefined) return { chat: before, effects: [] };
  const left = { ...run, from: (messages.at(-1)?.seq ?? run.to) + 1, count: run.count - messages.length };
  const runs = messages.length > 0 && left.count > 0 ? [left, ...rest] : rest;
  const { oldest } = before.transcript;
  const { names, texts } = context;
  const around = {
    before: [notice(texts.groupUnfolded(shownName(names, run.author), messages.length))],
    after: runs.length > 0 ? foldedLines(runs, context) : [notice(texts.groupUnfoldedLast)],
  };
  const { chat, effects: all } = printStored(before, { messages, isMore: true }, around, context);
  const transcript = { ...chat.transcript, oldest };
  return { chat: { ...chat, transcript, folded: { runs, isSaid: true } }, effects: all };
}

/** The group has changed: in its title, in who is in it, or in how one stands to it. */
function onGroup(before: GroupChat, group: SharedGroup, context: ChatContext): ChatStep<GroupChat> {
  const { texts } = context;
  const chat = { ...before, group };
  const { state } = group;
  const title = texts.groupTitle(group.title);
  if (state === before.group.state) {
    // That our own texts have forked is a notice.
    const isOfMembers = group.writes === "admins" && group.role === "member";
    const isSilenced = before.group.may_write && !group.may_write && state === "joined" && isOfMembers;
    return sentences(chat, isSilenced ? stateSentences(group, wordsOf(context)).slice(0, 1) : []);
  }
  // That one was removed, and by whom, is a notice.
  if (state === "removed") return { chat, effects: [] };
  if (state !== "joined") return sentences(chat, stateSentences(group, wordsOf(context)));
  const isAll = before.group.history !== "none";
  const joined = texts.groupJoined(title);
  return sentences(chat, [isAll ? `${joined} ${texts.groupEarlierComes}` : joined]);
}

function filesContext({ now, names, texts }: ChatContext): FilesContext {
  return { now, texts, shown: (username) => shownName(names, username), why: undefined };
}

function withFiles(chat: GroupChat, { files, lines }: FilesStep): ChatStep<GroupChat> {
  return printing({ ...chat, files }, lines);
}

function onNotice(chat: GroupChat, said: GroupNotice, now: number): ChatStep<GroupChat> {
  return { chat: { ...chat, held: { notices: [...chat.held.notices, said], at: now } }, effects: [] };
}

/** What was gathered is said, and that something of ours waits. */
export function tickGroup(before: GroupChat, context: ChatContext): ChatStep<GroupChat> {
  const waiting = tellOfWait(before, context);
  const { held, rush, folded } = before;
  const files = tickFiles(before.files, filesContext(context));
  // The clock may have been set back.
  const isOver = (at: number, lasts: number) => Math.abs(context.now - at) >= lasts;
  const notices = isOver(held.at, NOTICES_GATHERED_FOR) ? held.notices : [];
  const isFolded = !folded.isSaid && isOver(rush.at, CATCH_UP_ENDS);
  const chat: GroupChat = {
    ...waiting.chat,
    files: files.files,
    held: notices.length === 0 ? held : { ...held, notices: [] },
    folded: isFolded ? { ...folded, isSaid: true } : folded,
  };
  const lines = [
    ...noticeSentences(notices, wordsOf(context)).map(notice),
    ...(isFolded ? foldedLines(folded.runs, context) : []),
    ...waiting.lines,
    ...files.lines,
  ];
  const step = printing(chat, lines);
  return { chat: step.chat, effects: [...step.effects, ...noticesShown(notices)] };
}

export function updateGroup(chat: GroupChat, event: KindEvent, context: ChatContext): ChatStep<GroupChat> {
  const { texts } = context;
  const words = wordsOf(context);
  switch (event.name) {
    case "opened":
      return showOpened(chat, event, context);
    case "unfolded":
      return showUnfolded(chat, event.messages, context);
    case "messenger":
      return onMessenger(chat, event, context);
    case "members":
      return printing(chat, [membersLine(chat.group, event.members, words)]);
    case "declinedGroup":
      return { chat, effects: [{ name: "leave", to: undefined }] };
    case "addedToGroup": {
      const { waiting, failed } = event;
      const refused = Map.groupBy(failed, ({ code }) => code);
      return sentences(chat, [
        ...(waiting.length === 0 ? [] : [texts.groupAddWaits(nameList(waiting, words))]),
        ...[...refused].map(([code, those]) =>
          texts.groupNotAdded(
            nameList(
              those.map(({ username }) => username),
              words,
            ),
            notInvited(code, context.language),
          ),
        ),
      ]);
    }
    case "unsent": {
      const said = sentences(chat, [texts.groupUnsentKept]);
      return { chat: said.chat, effects: [...said.effects, { name: "giveBack", text: event.text }] };
    }
    case "keepsTexts":
      return sentences(chat, [event.days === null ? texts.groupKeptForever : texts.groupKept(event.days)]);
    default:
      // The others are answers to what only a chat with a person asks.
      return { chat, effects: [] };
  }
}

function onMessenger(
  chat: GroupChat,
  { event, known = {} }: ChatEvent & { name: "messenger" },
  context: ChatContext,
): ChatStep<GroupChat> {
  if (conversationOf(event) !== chat.username) return { chat, effects: [] };
  switch (event.name) {
    case "message":
      return onMessage(chat, event.message, known, context);
    case "group":
      return onGroup(chat, event.group, context);
    case "file":
      return withFiles(chat, withFile(chat.files, event.file, filesContext(context)));
    case "groupNotice":
      return onNotice(chat, event.notice, context.now);
    case "muted":
      return printing(chat, [notice(mutedText(event.until, chat, context))]);
    case "delivery":
      return onDelivery(chat, event, known, context);
    case "changed": {
      const { outgoing, seq } = event.message;
      // A text that came withdrawn was never shown.
      const isUnknown = !outgoing && seq > chat.transcript.newest;
      return isUnknown ? { chat, effects: [] } : onChanged(chat, event, known.excerpt, context);
    }
    case "cancelled":
      if (event.kept !== true) return onCancelled(chat, event.id, context);
      return {
        chat: { ...chat, deliveries: forget(chat.deliveries, event.id, true) },
        effects: [{ name: "takeUpDraft" }],
      };
    default:
      return { chat, effects: [] };
  }
}

/** A text of ours has a new state, or more people have it. One that was written here is shown with its first event. */
function onDelivery(
  before: GroupChat,
  { id, state, counts }: MessengerEvent & { name: "delivery" },
  { written }: Known,
  context: ChatContext,
): ChatStep<GroupChat> {
  const { chat, effects: shown } =
    written === undefined ? { chat: before, effects: [] } : showWritten(before, id, written, context);
  return { chat: { ...chat, deliveries: advance(chat.deliveries, id, state, counts) }, effects: shown };
}
