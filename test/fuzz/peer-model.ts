/** What one peer's messages leave on the other's disk, and what one link is owed. */
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { readPeerMessage, type PeerMessage } from "../../src/protocol/peer-messages.ts";
import { FrameModel, type ModelObject } from "./frame-model.ts";

export type ModelText = {
  readonly id: string | undefined;
  text: string;
  replyTo: string | undefined;
  isWithdrawn: boolean;
};

/** A conversation's incoming texts: each id counts once, for ever, whatever it was. */
export class StoredModel {
  readonly texts: ModelText[] = [];
  readonly #ids = new Set<string>();

  copy(): StoredModel {
    const copy = new StoredModel();
    for (const text of this.texts) copy.texts.push({ ...text });
    for (const id of this.#ids) copy.#ids.add(id);
    return copy;
  }

  /** All ids, as one text. */
  get knownIds(): string {
    return JSON.stringify([...this.#ids].sort());
  }

  take(message: PeerMessage): void {
    if (message.action !== "chat" && message.action !== "edit" && message.action !== "withdraw") return;
    if (message.id !== undefined && this.#ids.has(message.id)) return;
    if (message.id !== undefined) this.#ids.add(message.id);
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
    // A text that comes behind its own withdrawal is not stored any more.
    this.#ids.add(message.target);
    if (target === undefined) return;
    target.text = "";
    target.replyTo = undefined;
    target.isWithdrawn = true;
  }
}

/** How a link must end: with what code told, if any. */
export type LinkEnding = { readonly told: string | undefined };

export class PeerLinkModel {
  readonly #frames = new FrameModel(PEER_OBJECT_LIMIT);
  readonly #name: string;
  #isGreeted = false;
  /** Messages that came behind the greeting, in order. */
  readonly messages: PeerMessage[] = [];
  /** How many of these are stored for certain: what was written behind them was answered, or they were acknowledged. */
  certain = 0;
  pings = 0;
  /** Ids that are acknowledged, in order. */
  readonly acknowledged: string[] = [];
  /** It was said: the other side ends the link, sooner or later. */
  saidBye = false;
  /** The fault that ends the link, once there is one. */
  ending: LinkEnding | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  get isOpen(): boolean {
    return this.#frames.isOpen;
  }

  /** These bytes are written now. */
  wrote(bytes: Uint8Array): void {
    for (const item of this.#frames.take(bytes)) {
      if (this.ending !== undefined) return;
      if (item.name === "garbage") this.ending = { told: "bad_json" };
      else if (item.name === "tooLarge") this.ending = { told: "message_too_large" };
      else if (this.#isGreeted) this.#take(readPeerMessage(item.object), item.object);
      else this.#greet(readPeerMessage(item.object));
    }
  }

  /** The other side says to have so many of the messages that have an id, and has answered every ping, or not. */
  answered(acknowledged: number, everyPing: boolean): void {
    if (everyPing && this.ending === undefined) this.certain = this.messages.length;
    let seen = 0;
    this.messages.forEach((message, at) => {
      const isKept = ["chat", "edit", "withdraw"].includes(message.action);
      if (!isKept || !("id" in message) || message.id === undefined) return;
      if (++seen <= acknowledged) this.certain = Math.max(this.certain, at + 1);
    });
  }

  #greet(message: PeerMessage): void {
    if (message.action === "error") this.ending = { told: undefined };
    else if (message.action !== "hello") this.ending = { told: "bad_request" };
    else if (message.protocol < 1) this.ending = { told: "unsupported_protocol" };
    else if (message.username !== this.#name) this.ending = { told: "wrong_name" };
    else this.#isGreeted = true;
  }

  #take(message: PeerMessage, written: ModelObject): void {
    switch (message.action) {
      case "invalid":
      case "hello":
      case "stream":
        this.ending = { told: "bad_request" };
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
        this.messages.push(message);
        // As it was written, not as it was read.
        if (message.id !== undefined) this.acknowledged.push(String(written["id"]));
        return;
      default:
        this.messages.push(message);
    }
  }
}
