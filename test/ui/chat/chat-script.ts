/** A chat between ana (here) and benito, driven event by event without a terminal. */
import type { MessengerEvent } from "../../../src/client/conversation/events.ts";
import type { UnreachableReason } from "../../../src/client/peer/dial.ts";
import type { LinkWay } from "../../../src/client/peer/proven-connection.ts";
import type { MessageState } from "../../../src/client/disk/schema.ts";
import type { StoredMessage } from "../../../src/client/profile/stored-message.ts";
import type { Language } from "../../../src/protocol/language.ts";
import type { ChatEffect, ChatEvent, ChatModel, OtherChats, PersonChat } from "../../../src/ui/chat/model.ts";
import { openChat } from "../../../src/ui/chat/person-update.ts";
import { updateChat } from "../../../src/ui/chat/update.ts";
import type { Line } from "../../../src/ui/format/printed-line.ts";
import type { Attention } from "../../../src/ui/terminal/attention.ts";
import { textsIn, type Texts } from "../../../src/ui/texts/texts.ts";

export const PEER = "benito";
/** Noon of a day, so that minutes more or less stay within it. */
export const NOON = new Date(2026, 10, 22, 12, 0).getTime();
export const MINUTE = 60_000;

export const UNREACHABLE_REASONS: readonly UnreachableReason[] = [
  "offline",
  "no_server",
  "no_relay",
  "server_limits",
  "unreachable",
  "no_answer",
  "no_meeting",
  "cannot_meet",
  "meeting_blocked",
  "relay_full",
  "relay_off",
  "relay_never",
  "no_way",
  "not_proven",
  "not_admitted",
  "own_key_pending",
  "greeting_refused",
  "bad_greeting",
  "no_greeting",
  "line_broke",
  "busy",
  "storage_failed",
  "revoked",
  "not_in_date",
  "key_pending",
  "verification_needed",
  "insecure",
  "no_certificate",
];

export const asIs = (text: string) => text;

export function incoming(seq: number, text: string, more: Partial<StoredMessage> = {}): StoredMessage {
  return {
    seq,
    contact: 1,
    outgoing: false,
    id: `in-${seq}`,
    text,
    replyTo: undefined,
    sentAt: undefined,
    leftAt: undefined,
    receivedAt: NOON,
    readAt: undefined,
    editedAt: undefined,
    withdrawnAt: undefined,
    changeWaits: false,
    author: undefined,
    entry: undefined,
    isMissing: false,
    state: "received",
    ...more,
  };
}

export function outgoing(seq: number, text: string, state: MessageState, sentAt = NOON): StoredMessage {
  const receivedAt = state === "received" || state === "read" ? sentAt : undefined;
  return { ...incoming(seq, text), outgoing: true, id: `out-${seq}`, state, sentAt, receivedAt };
}

export class ChatScript {
  now = NOON;
  attention: Attention = "focused";
  chat: ChatModel = openChat(PEER);
  readonly effects: ChatEffect[] = [];
  readonly names = new Map<string, string>();
  others: OtherChats = {
    numbered: [],
    unread: new Map(),
    muted: new Map(),
    offers: new Map(),
    groups: new Map(),
  };
  readonly #language: Language;
  readonly #texts: Texts;

  constructor(language: Language = "es") {
    this.#language = language;
    this.#texts = textsIn(language);
  }

  get context() {
    const language = this.#language;
    return {
      now: this.now,
      names: this.names,
      ownName: "ana",
      attention: this.attention,
      texts: this.#texts,
      language,
      ...this.others,
    };
  }

  /** The chat, which is one with a person. */
  get person(): PersonChat {
    if (this.chat.kind !== "person") throw new Error("the chat is with a group");
    return this.chat;
  }

  /** Takes one event; gives its effects. */
  take(event: ChatEvent): readonly ChatEffect[] {
    const { chat, effects } = updateChat(this.chat, event, this.context);
    this.chat = chat;
    this.effects.push(...effects);
    return effects;
  }

  messenger(event: MessengerEvent): readonly ChatEffect[] {
    return this.take({ name: "messenger", event });
  }

  type(typed: string, expand: (text: string) => string = asIs): readonly ChatEffect[] {
    return this.take({ name: "line", typed, expand });
  }

  /** Lets time pass and the clock tick. @param ms */
  wait(ms: number): readonly ChatEffect[] {
    this.now += ms;
    return this.take({ name: "tick" });
  }

  /** A direct link, as was said already. */
  connect(): readonly ChatEffect[] {
    this.chat = { ...this.person, notified: { ...this.person.notified, way: "direct" } };
    return this.connectBy("direct");
  }

  connectBy(way: LinkWay, seeksDirect = false): readonly ChatEffect[] {
    return this.messenger({ name: "connected", username: PEER, way, seeksDirect, address: "127.0.0.1:9000" });
  }

  /** A text that was written here is committed. @param answers the excerpt of what it answers */
  write(id: string, text = "hola", answers?: string): readonly ChatEffect[] {
    const event = { name: "delivery", to: PEER, id, state: "queued", at: this.now } as const;
    return this.take({ name: "messenger", event, known: { written: { text, answers } } });
  }

  deliver(id: string, state: MessageState): readonly ChatEffect[] {
    return this.messenger({ name: "delivery", to: PEER, id, state, at: this.now });
  }
}

export function linesOf(effects: readonly ChatEffect[]): readonly Line[] {
  return effects.flatMap((effect) => (effect.name === "print" ? effect.lines : []));
}

/** What is printed as sentences and messages, without dividers. */
export function printed(effects: readonly ChatEffect[]): string[] {
  return linesOf(effects).flatMap((line) => ("text" in line ? [line.text] : []));
}
