/** What is told of other people and of the server while something else is on the screen. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { healthSentence } from "../commands/online-account.ts";
import { START, failure, notice, step, withoutAccount, type AppContext } from "./steps.ts";
import type { AppEffect, AppModel, AppStep } from "./model.ts";
import { DISK_TOLD_EVERY, storageSentence } from "../chat/on-event.ts";
import { clockWarning, isLimiting, serverAway, withoutServer } from "../format/server-words.ts";
import { shownName } from "../format/name-book.ts";
import { excerptOf } from "../format/excerpt.ts";
import { isSamePerson } from "../../identity/names.ts";

function isOpen({ screen }: AppModel, username: string): boolean {
  return screen.name === "chat" && isSamePerson(screen.chat.peer, username);
}

/**
 * The open list with one more message of somebody in it, who is online: it came by a direct link. Fetched
 * again where they are not in it yet.
 */
function countInList(model: AppModel, username: string): AppStep {
  const { screen } = model;
  if (screen.name !== "people") return step(model);
  const isMeant = (person: { username: string }) => isSamePerson(person.username, username);
  if (!screen.people.some(isMeant)) return step(model, { name: "listPeople" });
  const people = screen.people.map((person) =>
    isMeant(person) ? { ...person, unread: person.unread + 1, online: true } : person,
  );
  return step({ ...model, screen: { ...screen, people } });
}

/** A message of somebody whose chat is not open: counted, and announced once in a tick. */
function onMessage(
  model: AppModel,
  event: MessengerEvent & { name: "message" },
  context: AppContext,
): AppStep {
  const { from: username, message } = event;
  const { contact } = message;
  const { texts } = context;
  const count = (model.unread.get(contact)?.count ?? 0) + 1;
  const unread = new Map(model.unread).set(contact, { username, count });
  const isAnnounced = model.announced.has(contact);
  const announced = new Set(model.announced).add(contact);
  const counted = countInList({ ...model, unread, announced }, username);
  if (isAnnounced) return step(counted.model);
  const sentence = texts.menuMessage(shownName(model.names, username), count);
  const isInChat = model.screen.name === "chat";
  const line = isInChat ? `${sentence} ${texts.menuGoThere(visibleText(username))}` : sentence;
  return step(counted.model, notice(line), { name: "bell" }, ...counted.effects);
}

function onServer(
  model: AppModel,
  { state, linksUntil }: MessengerEvent & { name: "server" },
  context: AppContext,
): AppStep {
  const { screen, server } = model;
  const { texts, now } = context;
  const chat = screen.name === "chat" ? screen.chat : undefined;
  switch (state.name) {
    case "waiting": {
      const isNews = server !== "lost" || isLimiting(state);
      if (!isNews || server === "limited" || server === "stopped") return step(model);
      const told = `${serverAway(state, now, texts)} ${withoutServer(linksUntil, now, texts)}`;
      const effects = chat === undefined ? [notice(told)] : [];
      return step({ ...model, server: isLimiting(state) ? "limited" : "lost" }, ...effects);
    }
    case "online": {
      // An open chat says so itself, where it knew that the server was lost.
      const wasLost = server === "lost" || server === "limited";
      const isTold = !wasLost || (chat !== undefined && chat.serverLost !== "no");
      const effects: AppEffect[] = isTold ? [] : [notice(texts.serverBack)];
      // Now somebody knows who is online.
      if (screen.name === "people") effects.push({ name: "listPeople" });
      return step({ ...model, server: "online" }, ...effects);
    }
    case "stopped": {
      if (server === "stopped") return step(model);
      // The chat stays on the screen with what is being typed, and says what to do.
      if (chat !== undefined) return step({ ...model, server: "stopped" });
      return step(withoutAccount(model, START), failure(context.describe(state.why)), {
        name: "closeAccount",
      });
    }
    case "offline":
    case "connecting":
      return step(model);
    default:
      return state satisfies never;
  }
}

/** What an open chat does not tell by itself. Comes before the chat takes the same event. */
export function announce(model: AppModel, event: MessengerEvent, context: AppContext): AppStep {
  const { screen } = model;
  const { texts } = context;
  // It is found while the account is being opened.
  if (event.name === "profileHealth") return step(model, notice(healthSentence(event.health, texts)));
  // Of an account that is being opened or left, what is under way tells.
  const isLeaving = screen.name === "working" && screen.work === "loggingOut";
  if (model.account === undefined || isLeaving) return step(model);
  // The chat tells of these itself.
  const unlessInChat = (effect: AppEffect) => (screen.name === "chat" ? step(model) : step(model, effect));
  switch (event.name) {
    case "message":
      return isOpen(model, event.from) ? step(model) : onMessage(model, event, context);
    case "server":
      return onServer(model, event, context);
    case "newKey":
      return unlessInChat(notice(texts.newKeyWarning));
    case "clockOffset": {
      const warning = clockWarning(event.offset, texts);
      return warning === undefined ? step(model) : unlessInChat(notice(warning));
    }
    case "storageFailed": {
      const { diskToldAt: last } = model;
      const isNews = last === undefined || Math.abs(context.now - last) >= DISK_TOLD_EVERY;
      if (screen.name === "chat" || !isNews) return step(model);
      return step({ ...model, diskToldAt: context.now }, failure(storageSentence(event.error, texts)));
    }
    case "keyPending":
      if (isOpen(model, event.username)) return step(model);
      return step(model, failure(texts.menuKeyPending(shownName(model.names, event.username))));
    case "sendFailed": {
      if (isOpen(model, event.to)) return step(model);
      const why = visibleText(event.error.message);
      const user = shownName(model.names, event.to);
      return step(model, failure(texts.menuNotSaved(user, excerptOf(event.text ?? ""), why)));
    }
    case "delivery":
    case "presence":
    case "connected":
    case "disconnected":
    case "unreachable":
    case "typing":
    case "changed":
    case "cancelled":
    case "silent":
    case "changedElsewhere":
    case "peerError":
    case "refusal":
    case "wire":
      return step(model);
    default:
      return event satisfies never;
  }
}
