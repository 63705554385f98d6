/** What one peer's messages leave in the other's database, and what a link must answer. */
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import type { PeerContent } from "../../src/client/conversation/receiving.ts";
import { readPeerMessage, type FileMessage, type PeerMessage } from "../../src/protocol/peer-messages.ts";
import { FrameModel, type ModelObject } from "./frame-model.ts";

export type ModelText = {
  readonly id: string | undefined;
  text: string;
  replyTo: string | undefined;
  isWithdrawn: boolean;
};

function isAboutFiles(message: PeerMessage): message is FileMessage {
  return message.action.startsWith("file_");
}

/** Whether it is stored, and acknowledged if it has an id. */
function isKept(message: PeerMessage): message is PeerContent {
  return ["chat", "edit", "withdraw"].includes(message.action) || isAboutFiles(message);
}

/** A conversation's incoming texts. Each id counts once, whatever its message was. */
export class StoredModel {
  readonly texts: ModelText[] = [];
  readonly #ids = new Set<string>();

  copy(): StoredModel {
    const copy = new StoredModel();
    for (const text of this.texts) copy.texts.push({ ...text });
    for (const id of this.#ids) copy.#ids.add(id);
    return copy;
  }

  /** All ids, as one string. */
  get knownIds(): string {
    return JSON.stringify([...this.#ids].sort());
  }

  take(message: PeerMessage): void {
    if (!isKept(message) || (message.id !== undefined && this.#ids.has(message.id))) return;
    if (message.id !== undefined) this.#ids.add(message.id);
    if (isAboutFiles(message)) return;
    if (message.action === "chat") {
      const { id, message: text, reply_to: replyTo } = message;
      this.texts.push({ id, text, replyTo, isWithdrawn: false });
      return;
    }
    const target = this.texts.find(({ id, isWithdrawn }) => id === message.target && !isWithdrawn);
    if (message.action === "edit") {
      if (target !== undefined) target.text = message.text;
      return;
    }
    // A text that comes after its withdrawal is not stored.
    this.#ids.add(message.target);
    if (target === undefined) return;
    target.text = "";
    target.replyTo = undefined;
    target.isWithdrawn = true;
  }
}

/** How a link must end: with an error of this code, or without one. */
export type LinkEnding = { readonly code: string | undefined };

export class PeerLinkModel {
  readonly #frames = new FrameModel(PEER_OBJECT_LIMIT);
  readonly #name: string;
  #isGreeted = false;
  /** Messages after the greeting, in order. */
  readonly messages: PeerMessage[] = [];
  /** How many of these are certainly stored: they were acknowledged, or something written later was answered. */
  certain = 0;
  pings = 0;
  /** Ids that are acknowledged, in order. */
  readonly acknowledged: string[] = [];
  /** The other side will end the link. */
  saidBye = false;
  /** Set once a fault ends the link. */
  ending: LinkEnding | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  get isOpen(): boolean {
    return this.#frames.isOpen;
  }

  wrote(bytes: Uint8Array): void {
    for (const item of this.#frames.take(bytes)) {
      if (this.ending !== undefined) return;
      if (item.name === "garbage") this.ending = { code: "bad_json" };
      else if (item.name === "tooLarge") this.ending = { code: "message_too_large" };
      else if (this.#isGreeted) this.#take(readPeerMessage(item.object), item.object);
      else this.#greet(readPeerMessage(item.object));
    }
  }

  /** @param acknowledged how many messages with an id. @param everyPing whether every ping was answered. */
  answered(acknowledged: number, everyPing: boolean): void {
    if (everyPing && this.ending === undefined) this.certain = this.messages.length;
    let seen = 0;
    this.messages.forEach((message, at) => {
      if (!isKept(message) || message.id === undefined) return;
      if (++seen <= acknowledged) this.certain = Math.max(this.certain, at + 1);
    });
  }

  #greet(message: PeerMessage): void {
    // Nothing of anybody's is accepted, so nobody gets a stream.
    if (message.action === "error" || message.action === "stream") this.ending = { code: undefined };
    else if (message.action !== "hello") this.ending = { code: "bad_request" };
    else if (message.protocol < 1) this.ending = { code: "unsupported_protocol" };
    else if (message.username !== this.#name) this.ending = { code: "wrong_name" };
    else this.#isGreeted = true;
  }

  #take(message: PeerMessage, written: ModelObject): void {
    switch (message.action) {
      case "invalid":
      case "hello":
      case "stream":
        this.ending = { code: "bad_request" };
        return;
      case "bye":
        this.saidBye = true;
        return;
      case "ping":
        this.pings++;
        return;
      case "chat":
      case "edit":
      case "withdraw":
      case "file_offer":
      case "file_accept":
      case "file_decline":
      case "file_end":
      case "file_done":
      case "file_cancel":
        this.messages.push(message);
        // As it was written, not as it is parsed.
        if (message.id !== undefined) this.acknowledged.push(String(written["id"]));
        return;
      default:
        this.messages.push(message);
    }
  }
}
