/**
 * `contacts`: everybody whom the account knows, with what they are to it, the last sign of life and what is unread; or,
 * with a decision and a name, whether that person may write, or whether they are quiet. Needs no network and no password.
 */
import { withReadableArchive, type Archive, type StoredConversation } from "../../../client/archive.ts";
import { DECISIONS, type ContactState, type Decision } from "../../../client/contact-choices.ts";
import { contactJson, isoTime } from "../../../client/event-json.ts";
import { UsageError } from "../../../protocol/options.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { mutedSeconds, mutedSentence, untilText } from "../../chat/other-chats.ts";
import { decisionSentence } from "../../format/people-words.ts";
import { localClock, localDay } from "../../format/local-time.ts";
import { nameOrder, namesKnownTo, shownName, type NameBook } from "../../format/name-book.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { withLocalAccount, type CommandContext } from "../online-account.ts";
import { readConversations, readPeople } from "../user-argument.ts";

/** @throws UsageError, SelfError, and as `withLocalAccount` */
export async function contacts(context: CommandContext): Promise<ExitCode> {
  const { config, args } = context;
  const texts = textsIn(config.language);
  const [word, typed, howLong] = args;
  if (word === undefined) return list(context);
  const decision = DECISIONS.find((each) => each === word);
  if (decision === undefined && word !== "mute") throw new UsageError(texts.unknownDecision(word));
  if (typed === undefined) throw new UsageError(texts.missingArgument(texts.userArgument));
  const read = decision === undefined ? readConversations : readPeople;
  const [username = typed] = await read(typed, false, config);
  if (decision === undefined) return mute(context, username, howLong);
  if (howLong !== undefined) throw new UsageError(texts.tooManyArguments(howLong));
  return decide(context, username, decision);
}

/** Without a duration it says how it is. */
function mute(context: CommandContext, typed: string, howLong: string | undefined): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  const show = (archive: Archive, username: string, until: number | undefined): ExitCode => {
    const user = shownName(namesKnownTo(archive, [username]).book, username);
    const sentence = mutedSentence(user, until, Date.now(), texts);
    output.event({ event: "muted", username, until: isoTime(until) }, sentence);
    return EXIT.done;
  };
  if (howLong === undefined) {
    return withReadableArchive(config, (archive) =>
      show(archive, archive.nameOf(typed), archive.conversation(typed)?.mutedUntil),
    );
  }
  const seconds = mutedSeconds(howLong);
  if (seconds === undefined) throw new UsageError(texts.badMute(howLong));
  return withLocalAccount(context, "contacts", async (account) => {
    const { username, muted_until: until } = await account.request("mute", { username: typed, seconds });
    return show(account.archive, username, until === null ? undefined : Date.parse(until));
  });
}

function decide(context: CommandContext, typed: string, decision: Decision): Promise<ExitCode> {
  return withLocalAccount(context, "contacts", async (account) => {
    const { username, state } = await account.request("decide", { username: typed, decision });
    const { config, output } = context;
    const user = shownName(namesKnownTo(account.archive, [username]).book, username);
    const texts = textsIn(config.language);
    const isStillDeclined = decision === "unblock" && state === "declined";
    const sentence = isStillDeclined ? texts.isStillDeclined(user) : decisionSentence(user, state, texts);
    output.event({ event: "contact", username, state }, sentence);
    return EXIT.done;
  });
}

function list(context: CommandContext): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  return withReadableArchive(config, (archive) => {
    const found = conversations(archive);
    const names = namesKnownTo(archive).book;
    const unread = archive.unread();
    for (const conversation of found) {
      const count = unread.get(conversation.contact.id)?.count ?? 0;
      output.event(
        { event: "contact", ...contactJson(conversation, count) },
        contactLine(conversation, count, names, texts),
      );
    }
    if (found.length === 0) output.notice(texts.noContacts);
    output.end(found.length);
    return EXIT.done;
  });
}

/** By name, `alumno2` before `alumno10`. */
function conversations(archive: Archive): readonly StoredConversation[] {
  const compare = nameOrder("es");
  return archive
    .contacts()
    .map((contact) => archive.conversationWith(contact))
    .sort((a, b) => compare(a.username, b.username));
}

function contactLine(
  conversation: StoredConversation,
  unread: number,
  names: NameBook,
  texts: Texts,
): string {
  const heard = conversation.lastHeard();
  const { mutedUntil, state } = conversation;
  // Of others there may have been news that are not stored: a text that was too long, or a request that was declined.
  const never = state === "contact" ? [texts.neverHeard] : [];
  const facts = [
    ...(state === "contact" ? [] : [stateNote(state, texts)]),
    ...(heard === undefined ? never : [texts.lastHeard(`${localDay(heard)} ${localClock(heard)}`)]),
    ...(unread === 0 ? [] : [texts.unreadCount(unread)]),
    ...(mutedUntil === undefined ? [] : [texts.mutedNote(untilText(mutedUntil, Date.now(), texts))]),
    ...(conversation.keyState === "key_changed" ? [texts.keyChanged] : []),
  ];
  const mark = conversation.isVerified ? " ✔" : "";
  return `${shownName(names, conversation.username)}${mark}  ${facts.join("; ")}`;
}

function stateNote(state: Exclude<ContactState, "contact">, texts: Texts): string {
  return {
    request: texts.requestNote(0),
    declined: texts.declinedNote,
    blocked: texts.blockedNote,
    stranger: texts.strangerNote,
  }[state];
}
