/** What the messenger tells, as far as it is about this chat. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { RefusedError } from "../../client/rendezvous/link.ts";
import { isCode, sentenceFor } from "../../protocol/codes.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { isDamage } from "../../client/errors.ts";
import { clockWarning, isLimiting, nextAttempt, withoutServer } from "../format/server-words.ts";
import type { Texts } from "../texts/texts.ts";
import { onCancelled, onChanged } from "./changes.ts";
import { showArrived, showWritten } from "./transcript.ts";
import type {
  ChatEffect,
  ChatEvent,
  ChatLink,
  ChatModel,
  ChatStep,
  ServerWord,
  WrittenText,
} from "./model.ts";
import { failure, linkLine, notice, peerName, type ChatScene } from "./notices.ts";
import { advance } from "./delivery-tracking.ts";
import { tellWithLink } from "./presence-doubt.ts";
import { asTyped } from "./typed-line.ts";
import type { Line } from "../format/printed-line.ts";
import { isSamePerson } from "../../identity/names.ts";

/** A full disk, ours or theirs, is told of at most so often, in ms. */
export const DISK_TOLD_EVERY = 60_000;

function step(chat: ChatModel, ...effects: readonly ChatEffect[]): ChatStep {
  return { chat, effects };
}

/** A step that prints lines, if there are any. */
export function printing(chat: ChatModel, lines: readonly Line[]): ChatStep {
  return lines.length === 0 ? step(chat) : step(chat, { name: "print", lines });
}

function isSameLink(one: ChatLink, other: ChatLink): boolean {
  if (one.name === "unreachable") return other.name === "unreachable" && one.reason === other.reason;
  return one.name === other.name;
}

/** The link is another one now: one line says so; what is told again changes nothing. */
function linkTo(chat: ChatModel, link: ChatLink, scene: ChatScene): ChatStep {
  if (isSameLink(chat.link, link)) return step(chat);
  // Who types was known by the link that has gone.
  const next = { ...chat, link, peerTypingSince: undefined, ownTypingSince: undefined };
  if (link.name !== "unreachable") return printing(next, [linkLine(chat, link, "", scene)]);
  const { chat: told, sentence } = tellWithLink(next, scene);
  return printing(told, [linkLine(chat, link, sentence, scene)]);
}

/** The server's word about the peer matters as long as no link knows it better. */
function onPresence(before: ChatModel, online: boolean, scene: ChatScene): ChatStep {
  const known = before.serverWord;
  const since = known.name === "offline" ? known.since : scene.now;
  const chat: ChatModel = { ...before, serverWord: online ? { name: "online" } : { name: "offline", since } };
  const { link } = chat;
  if (link.name === "connected") return step(chat);
  if (!online) return linkTo(chat, { name: "unreachable", reason: "offline" }, scene);
  const wasOffline = link.name === "unreachable" && link.reason === "offline";
  return wasOffline ? linkTo(chat, { name: "connecting" }, scene) : step(chat);
}

/** The link has gone. Whether the server or the link itself tells first that they are gone, both are told. */
function onDisconnected(
  before: ChatModel,
  { bye, heardAt }: MessengerEvent & { name: "disconnected" },
  scene: ChatScene,
): ChatStep {
  const silent = { ...before, heardAt, isSilent: false };
  const { chat, effects } = linkTo(silent, { name: bye ? "left" : "lost" }, scene);
  if (chat.serverWord.name !== "offline") return { chat, effects };
  const offline = linkTo(chat, { name: "unreachable", reason: "offline" }, scene);
  return { chat: offline.chat, effects: [...effects, ...offline.effects] };
}

/** Something of ours has come further; with the first of it that is heard here it is shown. */
function onDelivery(
  chat: ChatModel,
  { id, state }: MessengerEvent & { name: "delivery" },
  written: WrittenText | undefined,
  scene: ChatScene,
): ChatStep {
  if (written === undefined) return step(advance(chat, id, state));
  const shown = showWritten(chat, id, written, scene);
  return step(advance(shown.chat, id, state), ...shown.effects);
}

function onKeyPending(chat: ChatModel, scene: ChatScene): ChatStep {
  const next = { ...chat, keyPending: true };
  if (chat.link.name !== "connected") {
    return linkTo(next, { name: "unreachable", reason: "key_pending" }, scene);
  }
  // Another machine of theirs, or someone in between, while the known one is linked.
  const lines = chat.keyPending ? [] : [failure(scene.texts.chatKeyPending(peerName(chat, scene)))];
  return printing(next, lines);
}

function onServer(
  before: ChatModel,
  { state, linksUntil }: MessengerEvent & { name: "server" },
  { texts, language, now }: ChatScene,
): ChatStep {
  const chat: ChatModel = { ...before, serverWord: { name: "unknown" } };
  switch (state.name) {
    case "waiting": {
      const limits = isLimiting(state);
      if (chat.serverLost === "limited" || (chat.serverLost === "lost" && !limits)) return step(chat);
      const what = limits
        ? `${texts.serverLimits} ${nextAttempt(state, now, texts)}`.trimEnd()
        : texts.chatServerLost;
      const line = notice(`${what} ${withoutServer(linksUntil, now, texts)}`);
      return printing({ ...chat, serverLost: limits ? "limited" : "lost" }, [line]);
    }
    case "online":
      if (chat.serverLost === "no") return step(before);
      return printing({ ...chat, serverLost: "no" }, [notice(texts.serverBack)]);
    case "stopped": {
      const { why } = state;
      const reason =
        why instanceof RefusedError && isCode(why.code) ? `${sentenceFor(why.code, language)}. ` : "";
      return printing({ ...chat, serverLost: "lost" }, [failure(reason + texts.chatServerStopped)]);
    }
    case "offline":
    case "connecting":
      return step(before);
    default:
      return state satisfies never;
  }
}

/** Whether a full disk may be told of again. @param toldAt ms since 1970 */
function isDiskNews(toldAt: number | undefined, now: number): boolean {
  return toldAt === undefined || Math.abs(now - toldAt) >= DISK_TOLD_EVERY;
}

/** A fault that the other side told of; that their disk is full comes with every attempt. */
function onPeerError(chat: ChatModel, code: string, scene: ChatScene): ChatStep {
  const { texts, now } = scene;
  const user = peerName(chat, scene);
  if (code !== "storage_failed")
    return printing(chat, [failure(texts.peerToldError(user, visibleText(code)))]);
  if (!isDiskNews(chat.peerDiskToldAt, now)) return step(chat);
  return printing({ ...chat, peerDiskToldAt: now }, [failure(texts.chatPeerDiskFull(user))]);
}

/** What is said of a disk, or a file on it, that takes nothing. */
export function storageSentence(error: Error, texts: Texts): string {
  return isDamage(error) ? texts.chatFileDamaged : texts.storageFailed(visibleText(error.message));
}

/** One event of the messenger; what other people do is the application's to announce. */
export function onMessenger(
  chat: ChatModel,
  { event, known = {} }: ChatEvent & { name: "messenger" },
  scene: ChatScene,
): ChatStep {
  const { texts, now } = scene;
  const isPeer = (username: string) => isSamePerson(username, chat.peer);
  switch (event.name) {
    case "message":
      return isPeer(event.from) ? showArrived(chat, event.message, known.excerpt, scene) : step(chat);
    case "delivery":
      return isPeer(event.to) ? onDelivery(chat, event, known.written, scene) : step(chat);
    case "sendFailed": {
      if (!isPeer(event.to)) return step(chat);
      const line = failure(texts.chatNotSaved(visibleText(event.error.message)));
      const lines = isDamage(event.error) ? [line, failure(texts.chatFileDamaged)] : [line];
      const text = asTyped(event.text ?? "");
      return step(chat, { name: "print", lines }, { name: "giveBack", text });
    }
    case "presence":
      return isPeer(event.username) ? onPresence(chat, event.online, scene) : step(chat);
    case "connected": {
      if (!isPeer(event.username)) return step(chat);
      // The peer has said the registered spelling by now.
      const { username: peer, address } = event;
      // The link is newer than a word of the server that they are gone.
      const serverWord: ServerWord =
        chat.serverWord.name === "offline" ? { name: "unknown" } : chat.serverWord;
      const next: ChatModel = {
        ...chat,
        peer,
        isStranger: false,
        serverWord,
        isSilent: false,
        heardAt: now,
        presenceNotified: { name: "nothing" },
      };
      return linkTo(next, { name: "connected", address }, scene);
    }
    case "disconnected":
      return isPeer(event.username) ? onDisconnected(chat, event, scene) : step(chat);
    case "unreachable": {
      if (!isPeer(event.username)) return step(chat);
      const { reason, heardAt, retryIn } = event;
      const keyPending = chat.keyPending || reason === "key_pending";
      const link: ChatLink = { name: "unreachable", reason, ...(retryIn === undefined ? {} : { retryIn }) };
      return linkTo({ ...chat, keyPending, heardAt }, link, scene);
    }
    case "keyPending":
      return isPeer(event.username) ? onKeyPending(chat, scene) : step(chat);
    case "typing":
      if (!isPeer(event.username)) return step(chat);
      return step({ ...chat, peerTypingSince: event.active ? now : undefined });
    case "peerError":
      return isPeer(event.username) ? onPeerError(chat, event.code, scene) : step(chat);
    case "storageFailed": {
      if (!isDiskNews(chat.diskToldAt, now)) return step(chat);
      return printing({ ...chat, diskToldAt: now }, [failure(storageSentence(event.error, texts))]);
    }
    case "clockOffset": {
      const warning = clockWarning(event.offset, texts);
      return printing(chat, warning === undefined ? [] : [notice(warning)]);
    }
    case "newKey":
      return printing(chat, [notice(texts.newKeyWarning)]);
    case "server":
      return onServer(chat, event, scene);
    case "changed":
      return isPeer(event.username) ? onChanged(chat, event, known.excerpt, scene) : step(chat);
    case "cancelled":
      return isPeer(event.to) ? onCancelled(chat, event.id, scene) : step(chat);
    case "silent": {
      // Told on the next tick: that it is silent no more may also mean that it is gone.
      const { username, since } = event;
      if (!isPeer(username)) return step(chat);
      return step({ ...chat, isSilent: since !== undefined, heardAt: since ?? chat.heardAt });
    }
    case "changedElsewhere":
      return step(chat, {
        name: "lookElsewhere",
        waiting: chat.waiting.map(({ id, target }) => (target === undefined ? { id } : { id, target })),
      });
    case "profileHealth":
    case "refusal":
    case "wire":
      return step(chat);
    default:
      return event satisfies never;
  }
}
