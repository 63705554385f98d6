/**
 * A program that uses the account through two streams of JSON lines, requests in, answers and events out, as on the
 * socket (`src/ui/SCRIPTING.md`). The streams belong to the caller.
 */
import { randomUUIDv7 } from "bun";

import { QUEUE_LIMIT } from "../net/outgoing.ts";
import { FrameDecoder, type JsonObject } from "../protocol/framing.ts";
import { jsonLine } from "../protocol/visible-text.ts";
import type { MessengerEvent } from "./conversation/events.ts";
import { eventJson } from "./event-json.ts";
import type { SharedAccount } from "./shared-account.ts";
import { answerTo, faultAnswer, MAX_UNANSWERED, type Params, type Request } from "./sharing/requests.ts";
import { helloJson, MAX_REQUEST, MAX_UNREAD } from "./sharing/service.ts";

type ProgramFaceOptions = {
  readonly account: SharedAccount;
  /** Resolves when the line has left this process, or cannot. */
  write(line: string): Promise<unknown>;
  /** More than MAX_UNREAD bytes of events wait to be read; they are not waited for. */
  tooSlow(): void;
};

export class ProgramFace {
  readonly #options: ProgramFaceOptions;
  readonly #decoder = new FrameDecoder(MAX_REQUEST);
  #unanswered = 0;
  /** Bytes that wait to be read. */
  readonly #unread = { answers: 0, events: 0 };
  #wake = Promise.withResolvers<void>();

  /** Writes `hello`. */
  constructor(options: ProgramFaceOptions) {
    this.#options = options;
    this.#write("events", helloJson(options.account.username));
  }

  event(event: MessengerEvent): void {
    const json = eventJson(event);
    if (json === undefined) return;
    this.#write("events", json);
    if (this.#unread.events > MAX_UNREAD) this.#options.tooSlow();
  }

  /**
   * Carries out the requests in these bytes, which follow those of the last call. Resolves when more may be read.
   * @returns false: a request was longer than MAX_REQUEST, and nothing after it can be read
   */
  async take(bytes: Uint8Array): Promise<boolean> {
    this.#decoder.push(bytes, 0);
    for (;;) {
      while (this.#unanswered >= MAX_UNANSWERED || this.#unread.answers > QUEUE_LIMIT)
        await this.#wake.promise;
      const next = this.#decoder.next();
      if (next === undefined) return true;
      if (typeof next !== "string") void this.#answer(next);
      else this.#write("answers", faultAnswer(next));
      if (next === "tooLarge") return false;
    }
  }

  async #answer(object: JsonObject): Promise<void> {
    this.#unanswered++;
    this.#write("answers", await answerTo(object, (request) => carriedOut(this.#options.account, request)));
    this.#unanswered--;
    this.#goOn();
  }

  #write(kind: "answers" | "events", json: JsonObject): void {
    const line = jsonLine(json);
    const bytes = Buffer.byteLength(line);
    this.#unread[kind] += bytes;
    void this.#options.write(line).then(() => {
      this.#unread[kind] -= bytes;
      this.#goOn();
    });
  }

  #goOn(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

/** Carries a request out: its open chats stay open, and its texts are stored once, whoever is online. */
function carriedOut(account: SharedAccount, { name, params }: Request): Promise<JsonObject> {
  switch (name) {
    case "open_chat":
      return account.openChat((params as Params<"open_chat">).username);
    case "close_chat":
      account.closeChat((params as Params<"close_chat">).username);
      return Promise.resolve({});
    case "open_verification":
      return account.openVerification((params as Params<"open_verification">).username);
    case "accept_files":
      return account.acceptFiles(params as Params<"accept_files">).then(() => ({}));
    case "leave_verification":
      account.leaveVerification((params as Params<"leave_verification">).username);
      return Promise.resolve({});
    case "close_verification":
      account.closeVerification((params as Params<"close_verification">).username);
      return Promise.resolve({});
    case "send":
      // If the request is repeated, the text is stored once.
      return account.request("send", { message_id: randomUUIDv7(), ...(params as Params<"send">) });
    default:
      return account.request(name, params);
  }
}
