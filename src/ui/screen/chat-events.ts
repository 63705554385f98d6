/** What the messenger tells, as far as it is about this chat. */
import type { MessengerEvent } from "../../client/messenger-events.ts";
import { RefusedError } from "../../client/rendezvous-link.ts";
import type { RendezvousState } from "../../client/rendezvous.ts";
import { isCode, sentenceFor } from "../../protocol/codes.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { clockWarning } from "../session.ts";
import { showArrived } from "./chat-messages.ts";
import type { ChatEffect, ChatLink, ChatModel, ChatStep } from "./chat-model.ts";
import { failure, linkLine, notice, peerName, type ChatScene } from "./chat-notices.ts";
import { advance } from "./chat-waiting.ts";
import { asTyped } from "./line-grammar.ts";
import type { Line } from "./lines.ts";
import { isSamePerson } from "../../client/names.ts";

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
  return printing(next, [linkLine(chat, link, scene)]);
}

/** The server's word about the peer matters as long as no link knows it better. */
function onPresence(before: ChatModel, online: boolean, scene: ChatScene): ChatStep {
  const chat = { ...before, isOffline: !online };
  const { link } = chat;
  if (link.name === "connected") return step(chat);
  if (!online) return linkTo(chat, { name: "unreachable", reason: "offline" }, scene);
  const wasOffline = link.name === "unreachable" && link.reason === "offline";
  return wasOffline ? linkTo(chat, { name: "connecting" }, scene) : step(chat);
}

/** The link has gone. Whether the server or the link itself tells first that they are gone, both are told. */
function onDisconnected(before: ChatModel, bye: boolean, scene: ChatScene): ChatStep {
  const { chat, effects } = linkTo(before, { name: bye ? "left" : "lost" }, scene);
  if (!chat.isOffline) return { chat, effects };
  const offline = linkTo(chat, { name: "unreachable", reason: "offline" }, scene);
  return { chat: offline.chat, effects: [...effects, ...offline.effects] };
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

function onServer(chat: ChatModel, state: RendezvousState, { texts, language }: ChatScene): ChatStep {
  switch (state.name) {
    case "waiting":
      if (chat.serverLost) return step(chat);
      return printing({ ...chat, serverLost: true }, [notice(texts.chatServerLost)]);
    case "online":
      if (!chat.serverLost) return step(chat);
      return printing({ ...chat, serverLost: false }, [notice(texts.serverBack)]);
    case "stopped": {
      const { why } = state;
      const reason =
        why instanceof RefusedError && isCode(why.code) ? `${sentenceFor(why.code, language)}. ` : "";
      return printing({ ...chat, serverLost: true }, [failure(reason + texts.chatServerStopped)]);
    }
    case "offline":
    case "connecting":
      return step(chat);
    default:
      return state satisfies never;
  }
}

/** One event of the messenger; what other people do is the application's to announce. */
export function onMessenger(chat: ChatModel, event: MessengerEvent, scene: ChatScene): ChatStep {
  const { texts, now } = scene;
  const isPeer = (username: string) => isSamePerson(username, chat.peer);
  switch (event.name) {
    case "message":
      return isPeer(event.from) ? showArrived(chat, event.message, scene) : step(chat);
    case "delivery":
      return step(isPeer(event.to) ? advance(chat, event.id, event.state) : chat);
    case "sendFailed": {
      if (!isPeer(event.to)) return step(chat);
      const line = failure(texts.chatNotSaved(visibleText(event.error.message)));
      const text = asTyped(event.text);
      return step(chat, { name: "print", lines: [line] }, { name: "giveBack", text });
    }
    case "presence":
      return isPeer(event.username) ? onPresence(chat, event.online, scene) : step(chat);
    case "connected": {
      if (!isPeer(event.username)) return step(chat);
      // The peer has said the registered spelling by now.
      const { username: peer, address } = event;
      return linkTo({ ...chat, peer, isOffline: false }, { name: "connected", address }, scene);
    }
    case "disconnected":
      return isPeer(event.username) ? onDisconnected(chat, event.bye, scene) : step(chat);
    case "unreachable": {
      if (!isPeer(event.username)) return step(chat);
      const { reason } = event;
      const keyPending = chat.keyPending || reason === "key_pending";
      return linkTo({ ...chat, keyPending }, { name: "unreachable", reason }, scene);
    }
    case "keyPending":
      return isPeer(event.username) ? onKeyPending(chat, scene) : step(chat);
    case "typing":
      if (!isPeer(event.username)) return step(chat);
      return step({ ...chat, peerTypingSince: event.active ? now : undefined });
    case "peerError": {
      if (!isPeer(event.username)) return step(chat);
      const code = visibleText(event.code);
      return printing(chat, [failure(texts.peerToldError(peerName(chat, scene), code))]);
    }
    case "storageFailed":
      return printing(chat, [failure(texts.storageFailed(visibleText(event.error.message)))]);
    case "clockOffset": {
      const warning = clockWarning(event.offset, texts);
      return printing(chat, warning === undefined ? [] : [notice(warning)]);
    }
    case "newKey":
      return printing(chat, [notice(texts.newKeyWarning)]);
    case "server":
      return onServer(chat, event.state, scene);
    case "read":
    case "refusal":
    case "wire":
      return step(chat);
    default:
      return event satisfies never;
  }
}
