/**
 * What one connection of the rendezvous link must receive: every object and every piece of garbage is answered once,
 * in order, in the form and with a code that PROTOCOL 4 allows in that state; only notifications come unasked; and
 * the connection ends only where the protocol says so.
 */
import { parseChallenge } from "../../src/identity/connection-proof.ts";
import { fold } from "../../src/identity/names.ts";
import { isCode } from "../../src/protocol/codes.ts";
import { INVALID } from "../../src/protocol/fields.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { LEGACY_LIST_BYTES, RESPONSES } from "../../src/protocol/rendezvous-messages.ts";
import { FrameModel, type ModelItem, type ModelObject } from "./frame-model.ts";
import { mustHold } from "./fuzz-failure.ts";
import {
  allowedAnswer,
  isNotLegacy,
  mayHash,
  own,
  type AllowedAnswer,
  type FuzzedConnection,
} from "./rendezvous-answer.ts";
import type { Knowledge } from "./rendezvous-knowledge.ts";

const MAX_GARBAGE = 10;
/** Codes of notifications: an `error` that answers no request. */
const MEETING_NEWS: ReadonlySet<unknown> = new Set(["reachable", "meet_request", "go", "gone"]);
const NOTIFICATIONS: ReadonlySet<unknown> = new Set(["session_replaced", "server_closing", "server_busy"]);
const CHANGING: ReadonlySet<unknown> = new Set(
  "register login resume change_password delete_account logout".split(" "),
);
const LEGACY_FIELDS: ReadonlySet<string> = new Set(
  "action success message code username users target_user target_ip target_port".split(" "),
);

/** `login`: the number of its user's login. */
type Session = { readonly user: string; readonly token: string | undefined; readonly login: number };

export class RendezvousModel {
  readonly #known: Knowledge;
  #connection: FuzzedConnection;
  readonly #frames = new FrameModel(RENDEZVOUS_OBJECT_LIMIT);
  readonly #unanswered: ModelItem[] = [];
  #session: Session | undefined;
  #isLegacy = true;
  #garbage = 0;
  #watched: ReadonlySet<string> = new Set();
  /** Why the server may end the connection now. */
  ending: string | undefined;
  /** The session that another connection has replaced. */
  replaced: Session | undefined;

  constructor(known: Knowledge, connection: FuzzedConnection) {
    this.#known = known;
    this.#connection = connection;
  }

  get connection(): FuzzedConnection {
    return this.#connection;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** How many answers are still to come. */
  get unanswered(): number {
    return this.ending === undefined ? this.#unanswered.length : 0;
  }

  /** Whether an object is incomplete: what follows is a part of it. */
  get isOpen(): boolean {
    return this.#frames.isOpen;
  }

  /** How many passwords these bytes would cause to be hashed. */
  hashesIn(bytes: Uint8Array): number {
    const items = this.#frames.copy().take(bytes);
    return items.filter((item) => item.name === "object" && mayHash(item.object)).length;
  }

  wrote(bytes: Uint8Array): void {
    this.#unanswered.push(...this.#frames.take(bytes));
  }

  /** @throws FuzzFailure for a line that the server must not send in this state */
  answered(line: string, step: number): void {
    const bytes = Buffer.byteLength(line) + 1;
    mustHold(bytes <= RENDEZVOUS_OBJECT_LIMIT, "a response exceeds 64 KiB", bytes, line);
    let answer: ModelObject;
    try {
      answer = JSON.parse(line) as ModelObject;
    } catch {
      mustHold(false, "a line is not JSON", line);
    }
    mustHold(typeof answer === "object" && answer !== null && !Array.isArray(answer), "not an object", line);
    mustHold(answer["code"] !== "internal_error", "internal_error", this.#unanswered[0], line);
    mustHold(!line.includes("\ufffd"), "a character was cut", line);
    if (this.#isNotification(answer)) return;
    const item = this.#unanswered.shift();
    mustHold(item !== undefined, "an answer that nothing asked for", line);
    mustHold(this.ending === undefined, "an answer after the end", this.ending, line);
    switch (item.name) {
      case "garbage":
        this.#expectError(answer, "bad_json");
        if (++this.#garbage === MAX_GARBAGE) this.ending = "the tenth garbage";
        return;
      case "tooLarge":
        this.#expectError(answer, "message_too_large");
        this.ending = "an object over the limit";
        return;
      case "object":
        this.#check(item.object, answer, bytes, step);
        return;
      default:
        item satisfies never;
    }
  }

  /** The connection has closed. @throws FuzzFailure if the server must not have ended it */
  closed(byUs: boolean): void {
    mustHold(
      byUs || this.ending !== undefined,
      "the server closed without a reason",
      this.#unanswered[0] ?? "",
    );
    for (const item of this.#unanswered) {
      const object = item.name === "object" ? item.object : {};
      if (!CHANGING.has(own(object, "action"))) continue;
      // Whatever was sent, only a string is a token.
      const names = [
        own(object, "username"),
        this.#known.tokens.get(own(object, "session_token") as string)?.user,
      ];
      for (const name of [...names, this.#session?.user]) {
        if (typeof name === "string") this.#known.uncertain.add(fold(name));
      }
    }
  }

  #isNotification(answer: ModelObject): boolean {
    if (answer["action"] === "presence") {
      const name = String(answer["username"]);
      mustHold(!this.#isLegacy && this.#watched.has(fold(name)), "presence that was not asked for", answer);
      mustHold(typeof answer["online"] === "boolean", "presence without a state", answer);
      return true;
    }
    if (answer["action"] === "revoked") {
      mustHold(!this.#isLegacy && this.#session !== undefined, "revocations that nobody reads", answer);
      checkRevoked(answer["revoked"], answer);
      return true;
    }
    if (MEETING_NEWS.has(answer["action"])) {
      mustHold(!this.#isLegacy && this.#session !== undefined, "news of a meeting that nobody reads", answer);
      return true;
    }
    if (answer["action"] !== "error" || own(answer, "request") !== undefined) return false;
    const { code } = answer;
    if (NOTIFICATIONS.has(code)) {
      if (code === "session_replaced") {
        mustHold(this.#session !== undefined, "a replaced session where there is none", answer);
        this.replaced = this.#session;
      } else mustHold(code !== "server_closing", "the server says that it closes", answer);
      this.ending = String(code);
      return true;
    }
    if (code !== "bad_request" || this.#unanswered.length > 0 || !this.isOpen) return false;
    this.ending = "an object that was never completed";
    return true;
  }

  #expectError(answer: ModelObject, code: string): void {
    mustHold(answer["action"] === "error" && answer["code"] === code, `expected ${code}`, answer);
    mustHold(answer["success"] === false && own(answer, "id") === undefined, "a wrong error", answer);
  }

  #check(object: ModelObject, answer: ModelObject, bytes: number, step: number): void {
    if (isNotLegacy(object)) this.#isLegacy = false;
    const allowed = allowedAnswer(object, this.#session !== undefined, this.#connection);
    const shown = [object, answer] as const;
    const isSuccess = answer["success"];
    const code = String(answer["code"]);
    mustHold(isCode(code) && allowed.codes.includes(code), `expected ${allowed.codes.join()}`, ...shown);
    mustHold(isSuccess === (code === "ok"), "success and code disagree", ...shown);
    mustHold(own(answer, "id") === allowed.id, "another id", ...shown);
    const type = code === "ok" ? allowed.success : code === "tls_required" ? "error" : allowed.failure;
    mustHold(answer["action"] === type, `expected the type ${type}`, ...shown);
    if (type === "error") mustHold(own(answer, "request") === allowed.request, "another request", ...shown);
    if (code !== "ok") mustHold(typeof answer["message"] === "string", "no sentence", ...shown);
    if (code === "rate_limited" && (type === "error" || !this.#isLegacy)) {
      mustHold(Number(answer["retry_after"]) >= 1, "no time to try again", ...shown);
    }
    if (this.#isLegacy && type !== "error") {
      const added = Object.keys(answer).filter((name) => !LEGACY_FIELDS.has(name));
      mustHold(added.length === 0, "fields that a legacy client does not know", added, ...shown);
      mustHold(
        type !== "users_list" || bytes <= LEGACY_LIST_BYTES,
        "a list that a legacy client cannot read",
        ...shown,
      );
    }
    if (code === "ok") this.#succeeded(allowed, answer, step);
  }

  #succeeded({ action, fields }: AllowedAnswer, answer: ModelObject, step: number): void {
    const session = this.#session;
    const given = (name: string) => String(own(fields, name));
    switch (action) {
      case "register":
        this.#known.registered(given("username"), given("password"));
        return;
      case "login":
      case "resume":
        this.#loggedIn(action, fields, answer, step);
        return;
      case "logout":
        this.#known.loggedOut(session?.token, step);
        this.ending = "logout";
        return;
      case "change_password":
        this.#known.changed(session?.user ?? "", given("new_password"), session?.token, step);
        return;
      case "delete_account":
        this.#known.deleted(session?.user ?? "", step);
        this.#session = undefined;
        this.#watched = new Set();
        return;
      case "watch": {
        const asked = new Set((fields["users"] as string[]).map(fold));
        const online = answer["online"] as string[];
        mustHold(
          online.every((name) => asked.has(fold(name))),
          "a name that was not asked for",
          answer,
        );
        this.#watched = asked;
        return;
      }
      case "get_users": {
        const names = (answer["users"] as ModelObject[]).map(({ username }) => fold(String(username)));
        const isSorted = names.every((name, at) => at === 0 || (names[at - 1] as string) < name);
        mustHold(isSorted, "a list that is not sorted, or names somebody twice", names);
        mustHold(!names.includes(session?.user ?? ""), "a list with its own user", names);
        const limit = own(fields, "limit") ?? 100;
        mustHold(this.#isLegacy || names.length <= Number(limit), "more users than asked for", names);
        return;
      }
      case "request_p2p":
        mustHold(fold(String(answer["target_user"])) === fold(given("target_user")), "somebody else", answer);
        return;
      case "revocations": {
        const after = Number(String(own(fields, "after") ?? Infinity).split(".")[0]);
        const revoked = checkRevoked(answer["revoked"], answer);
        const isLater = revoked.every(({ before }) => before <= after);
        mustHold(isLater, "revocations of an earlier page", answer);
        return;
      }
      case "ping": {
        const challenge = String(answer["challenge"]);
        mustHold(parseChallenge(challenge) !== undefined, "a challenge that is not 32 bytes", answer);
        mustHold(challenge === (this.#connection.challenge ?? challenge), "another challenge", answer);
        this.#connection = { ...this.#connection, challenge };
        return;
      }
      case "connect":
        mustHold(fold(String(answer["target_user"])) === fold(given("target_user")), "somebody else", answer);
        return;
      case "renew":
      case "reach":
      case undefined:
        return;
      default:
        action satisfies never;
    }
  }

  #loggedIn(action: "login" | "resume", fields: ModelObject, answer: ModelObject, step: number): void {
    const name = String(answer["username"]);
    const key = own(fields, "public_key");
    const token = own(answer, "session_token");
    if (!this.#isLegacy) checkRevoked(answer["revoked"], answer);
    mustHold((token !== undefined) === (key !== undefined), "a token and a key go together", answer);
    if (action === "login") {
      const asked = String(own(fields, "username"));
      mustHold(fold(name) === fold(asked), "logged in as somebody else", asked, answer);
      this.#known.loggedIn(name, String(own(fields, "password")), step);
      if (typeof token === "string") this.#known.issued(token, name, String(key));
    } else this.#known.resumed(String(own(fields, "session_token")), String(key), name, step);
    const login = this.#known.logins.get(fold(name)) ?? 0;
    this.#session = { user: fold(name), token: typeof token === "string" ? token : undefined, login };
  }
}

/** The revocations of a message, at most 300, in which every field is as it should be. */
function checkRevoked(value: unknown, answer: ModelObject): { label: string; before: number }[] {
  const revoked = RESPONSES.revoked.revoked(value);
  mustHold(revoked !== INVALID, "wrong revocations", answer);
  return revoked;
}
