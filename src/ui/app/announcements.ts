/** Notices about other people and the server that the open screen does not show itself. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { AccountMovedError } from "../../client/errors.ts";
import { healthSentence } from "../commands/online-account.ts";
import { typedName } from "../failures.ts";
import {
  START,
  accountOf,
  failure,
  inAccount,
  isChatOpen,
  notice,
  step,
  to,
  type AppContext,
} from "./steps.ts";
import type { AppEffect, AppModel, AppStep, OpenAccount } from "./model.ts";
import { isDiskNoticeDue, storageSentence } from "../chat/notices.ts";
import { clockWarning, serverGone, sessionEnded } from "../format/server-words.ts";
import { excerptOf } from "../format/excerpt.ts";
import { conversationOf, shownName } from "../format/name-book.ts";
import { gathered, withMessage, type Gathered } from "../notifications/bursts.ts";
import { isMuted, mutedUntil, wayTo } from "../chat/other-chats.ts";
import { isMissed } from "../chat/transcript.ts";
import { typedChat } from "../chat/group/group-names.ts";
import { announceOffers, offersIn, onFile } from "./file-news.ts";
import { onGroup, onGroupNotice } from "./groups.ts";
import { withNumber } from "./people.ts";
import { label as labelOf } from "../../identity/names.ts";

/** Requests are announced at most once in this time, in ms: anybody may ask. */
const REQUESTS_INTERVAL = 60_000;

/** A message that nobody was seen to look at: counted, and announced with the others of its burst. */
function onMessage(
  model: AppModel,
  account: OpenAccount,
  event: MessengerEvent & { name: "message" },
  { now }: AppContext,
): AppStep {
  const username = conversationOf(event) ?? event.from;
  const { contact } = event.message;
  const isQuiet = isMuted(account.muted, contact, now);
  const bursts = isQuiet ? account.bursts : withMessage(account.bursts, event, now);
  // A chat shows it; on the next tick somebody may have seen it.
  if (isChatOpen(model, username)) return step(inAccount(model, { bursts }));
  const count = (account.unread.get(contact)?.count ?? 0) + 1;
  const unread = new Map(account.unread).set(contact, { username, count });
  const numbered = withNumber(account.numbered, username);
  return step(inAccount(model, { numbered, unread, bursts }));
}

/** An open list is fetched again: somebody in it has become something else. */
function inAnOpenList(model: AppModel, ...effects: readonly AppEffect[]): AppStep {
  return step(
    model,
    ...effects,
    ...(model.screen.name === "people" ? [{ name: "listPeople" } as const] : []),
  );
}

/** A stranger asks to write: announced once, and with others who ask soon after. */
function onRequest(model: AppModel, account: OpenAccount, from: string, context: AppContext): AppStep {
  const label = labelOf(from);
  const isQuiet = mutedUntil(account.muted, from, context.now) !== undefined;
  if (isQuiet || isChatOpen(model, from) || account.asking.has(label)) return inAnOpenList(model);
  const asking = new Set(account.asking).add(label);
  const unannounced = new Map(account.unannounced).set(label, from);
  const { model: next, effects } = announceRequests(
    inAccount(model, { asking, unannounced }),
    { ...account, unannounced },
    context,
  );
  const listed = inAnOpenList(next);
  return step(listed.model, ...effects, ...listed.effects);
}

/** A line, and one bell, for all who ask since the last one; however many come, once in a time. */
function announceRequests(
  model: AppModel,
  { names, unannounced, requestsAnnouncedAt: last }: OpenAccount,
  { now, texts }: AppContext,
): AppStep {
  const isRecent = last !== undefined && Math.abs(now - last) < REQUESTS_INTERVAL;
  const [first] = unannounced.values();
  if (first === undefined || isRecent) return step(model);
  const next = inAccount(model, { unannounced: new Map(), requestsAnnouncedAt: now });
  const sentence = texts.requestArrived(shownName(names, first));
  if (unannounced.size > 1)
    return step(next, { name: "bell" }, notice(texts.requestsArrived(unannounced.size)));
  const line = model.screen.name === "chat" ? `${sentence} (/chat ${typedName(first, texts)})` : sentence;
  return step(next, { name: "bell" }, notice(line));
}

/** Lines above a list about those who have written last; the others are in its counts. */
const MAX_NEWS = 3;

/** Whose messages were announced and are unread, a line each, with the count as it is now; and who has offered files. */
export function newsIn(account: OpenAccount, context: AppContext): readonly string[] {
  const { now, texts } = context;
  const { announced, unread, muted, names } = account;
  const waiting = [...announced].filter((contact) => !isMuted(muted, contact, now));
  const messages = waiting
    .flatMap((contact) => unread.get(contact) ?? [])
    .map(({ username, count }) => texts.menuMessages(shownName(names, username), count));
  return [...messages, ...offersIn(account, context)].slice(-MAX_NEWS);
}

/**
 * On a tick: those who asked to write, a line for each person whose messages were gathered, and the notifications, unless the
 * messages were seen meanwhile; and offers of files. In the open chat they are the lines; in the menus, `newsIn` gives them.
 */
export function announceGathered(model: AppModel, context: AppContext): AppStep {
  const account = accountOf(model);
  if (account === undefined) return step(model);
  const requests = announceRequests(model, account, context);
  const bursts = announceBursts(requests.model, account, context);
  const offers = announceOffers(bursts.model, account, context);
  return step(offers.model, ...requests.effects, ...bursts.effects, ...offers.effects);
}

function announceBursts(model: AppModel, account: OpenAccount, { now, texts }: AppContext): AppStep {
  if (account.bursts.size === 0) return step(model);
  const { screen, attention } = model;
  const chat = screen.name === "chat" ? screen.chat : undefined;
  const { due, notified, bursts } = gathered(account.bursts, now);
  const shown = ({ from, title }: Gathered) => {
    const author = shownName(account.names, from);
    return title === undefined ? author : texts.groupAuthor(author, texts.groupTitle(title));
  };
  const lines = due.flatMap((burst): AppEffect[] => {
    const unread = account.unread.get(burst.contact);
    if (unread === undefined || chat === undefined) return [];
    const { username, count } = unread;
    const sentence = texts.menuMessages(shownName(account.names, username), count);
    const typed = typedChat(username, { ...account, texts });
    return [notice(`${sentence} (${wayTo(username, typed, account)})`)];
  });
  const announced = new Set(account.announced);
  for (const { contact } of chat === undefined ? due : []) {
    announced.delete(contact);
    announced.add(contact);
  }
  const told = notified
    .filter(({ contact, chat: name }) =>
      chat !== undefined && isChatOpen(model, name)
        ? isMissed(chat, attention, now)
        : account.unread.has(contact),
    )
    .map((burst): AppEffect => ({
      name: "notify",
      shown: shown(burst),
      excerpt: excerptOf(burst.text),
      gathered: burst,
    }));
  const bell: AppEffect[] = told.length === 0 ? [] : [{ name: "bell" }];
  return step(inAccount(model, { bursts, announced }), ...bell, ...lines, ...told);
}

/** The loss of the server and its return are a line each, whatever comes between them. */
function onServer(
  model: AppModel,
  { server }: OpenAccount,
  { state, linksUntil }: MessengerEvent & { name: "server" },
  context: AppContext,
): AppStep {
  const { screen } = model;
  const { texts, language, now } = context;
  switch (state.name) {
    case "waiting":
      if (server !== "online") return step(model);
      return step(inAccount(model, { server: "lost" }), notice(serverGone(state, linksUntil, now, texts)));
    case "online": {
      const effects: AppEffect[] = server === "online" ? [] : [notice(texts.serverBack)];
      return step(inAccount(model, { server: "online" }), ...effects);
    }
    case "stopped":
      // Each process that takes the account tries the session again.
      if (server === "stopped") return step(model);
      // An account that is being exported is left.
      if (screen.name !== "chat" || state.why instanceof AccountMovedError)
        return to(model, START, failure(context.describe(state.why)), { name: "closeAccount" });
      // The chat stays open, so that the text being typed is kept.
      return step(inAccount(model, { server: "stopped" }), failure(sessionEnded(state.why, language, texts)));
    case "offline":
    case "connecting":
      return step(model);
    default:
      return state satisfies never;
  }
}

/** Announces what the open chat does not show itself. To be called before the chat takes the same event. */
export function announce(model: AppModel, event: MessengerEvent, context: AppContext): AppStep {
  const { screen } = model;
  const account = accountOf(model);
  const { texts } = context;
  // This event comes while the account is being opened.
  if (event.name === "profileHealth") return step(model, notice(healthSentence(event.health, texts)));
  // While logging in or out, or deleting the account, the running task reports how that ends.
  const isLeaving =
    screen.name === "working" && (screen.work === "loggingOut" || screen.work === "deletingAccount");
  if (account === undefined || isLeaving) return step(model);
  switch (event.name) {
    case "message":
      if (model.attention === "focused" && isChatOpen(model, conversationOf(event) ?? "")) return step(model);
      return onMessage(model, account, event, context);
    case "request":
      return onRequest(model, account, event.from, context);
    case "contact": {
      const [asking, unannounced] = [new Set(account.asking), new Map(account.unannounced)];
      asking.delete(labelOf(event.username));
      unannounced.delete(labelOf(event.username));
      return inAnOpenList(inAccount(model, { asking, unannounced }));
    }
    case "accepted": {
      if (isChatOpen(model, event.username)) return step(model);
      return step(model, notice(texts.acceptedBy(shownName(account.names, event.username))));
    }
    case "server":
      return onServer(model, account, event, context);
    case "newKey":
      return step(model, notice(texts.newKeyWarning));
    case "clockOffset": {
      const warning = clockWarning(event.offset, texts);
      return warning === undefined ? step(model) : step(model, notice(warning));
    }
    case "storageFailed": {
      if (!isDiskNoticeDue(account.diskNotifiedAt, context.now)) return step(model);
      const next = inAccount(model, { diskNotifiedAt: context.now });
      return step(next, failure(storageSentence(event.error, texts)));
    }
    case "keyPending":
      if (isChatOpen(model, event.username)) return step(model);
      return step(
        model,
        failure(
          (event.isVerified ? texts.menuNotVerified : texts.menuKeyPending)(
            shownName(account.names, event.username),
          ),
        ),
      );
    case "file":
      return onFile(model, account, event.file, context);
    case "verification":
      if (event.state !== "asked" || isChatOpen(model, event.username)) return step(model);
      return step(model, notice(texts.menuVerificationAsked(shownName(account.names, event.username))));
    case "group":
      return onGroup(model, account, event.group, context);
    case "groupNotice":
      return onGroupNotice(model, account, event.notice, context);
    case "held":
    case "muted":
    case "delivery":
    case "presence":
    case "watched":
    case "connected":
    case "disconnected":
    case "unreachable":
    case "typing":
    case "changed":
    case "cancelled":
    case "silent":
    case "read":
    case "peerError":
    case "refusal":
    case "wire":
      return step(model);
    default:
      return event satisfies never;
  }
}
