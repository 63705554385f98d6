/**
 * The exchange by which two people verify their keys on one link, from one side. Pure.
 *
 * 1. Each side tells the other that its person has opened the verification (`verify_commit`); that of the smaller label
 *    commits to a nonce with it.
 * 2. The other side reveals its nonce, and then the committed one is revealed, and compared with the commitment.
 * 3. Both compute the code. Their people compare it, and each side tells the other what its person has answered.
 *
 * A side reveals its nonce only once the other one's cannot be changed any more: so somebody in the middle has one guess.
 */
import { commitment, commits, verificationCode, type VerifiedLink } from "./verification-code.ts";

/** What travels. `hash`: the commitment, by which an exchange is known. `hash` and `nonce` are hexadecimal digits. */
export type VerificationMessage =
  /** Without `hash`: this side does not commit, only its person has opened the verification. */
  | { readonly action: "verify_commit"; readonly hash: string | undefined }
  | { readonly action: "verify_reveal"; readonly hash: string; readonly nonce: string }
  /** `ok` and `wrong`: what the person has answered. Any other code: this side has ended it without an answer. */
  | { readonly action: "verify_done"; readonly code: string };

export type Exchange =
  /** Neither person has opened it. */
  | { readonly name: "idle" }
  /** The other person has. `hash`: the commitment, if their side commits. */
  | { readonly name: "asked"; readonly hash: string | undefined }
  /** Our person has, and the other side is awaited. `hash`: our commitment, if we commit. */
  | { readonly name: "waiting"; readonly nonce: Uint8Array; readonly hash: string | undefined }
  /** Our nonce is revealed, and the committed one is awaited. */
  | { readonly name: "revealed"; readonly nonce: Uint8Array; readonly hash: string }
  /** Both see the code. `confirmed`: who has said that it is the same. */
  | {
      readonly name: "comparing";
      readonly hash: string;
      readonly code: string;
      readonly confirmed: "nobody" | "us" | "them";
    };

export type ExchangeEvent =
  /** @param nonce random, new for each exchange */
  | { readonly name: "opened"; readonly nonce: Uint8Array }
  /** Our person compares no longer. */
  | { readonly name: "closed" }
  /** Our person has compared the code. */
  | { readonly name: "answered"; readonly same: boolean }
  | { readonly name: "message"; readonly message: VerificationMessage };

export type ExchangeAction =
  | { readonly name: "send"; readonly message: VerificationMessage }
  /** Our nonce is about to be revealed: from here on, somebody in the middle has used their guess. */
  | { readonly name: "guess" }
  | { readonly name: "code"; readonly code: string }
  /** `wrong`: the codes differ, or a nonce is not the committed one. `ended`: the other side has ended it. */
  | { readonly name: "outcome"; readonly outcome: "verified" | "wrong" | "ended" };

type Step = { readonly exchange: Exchange; readonly actions: readonly ExchangeAction[] };

export const IDLE: Exchange = { name: "idle" };

/** Whether our person has opened it. */
export function isOpen({ name }: Exchange): boolean {
  return name !== "idle" && name !== "asked";
}

/** Whether our nonce is revealed. */
export function isGuessed({ name }: Exchange): boolean {
  return name === "revealed" || name === "comparing";
}

function stay(exchange: Exchange): Step {
  return { exchange, actions: [] };
}

function send(message: VerificationMessage): ExchangeAction {
  return { name: "send", message };
}

function done(code: "ok" | "wrong" | "closed"): ExchangeAction {
  return send({ action: "verify_done", code });
}

const WRONG: ExchangeAction = { name: "outcome", outcome: "wrong" };
const ENDED: ExchangeAction = { name: "outcome", outcome: "ended" };

export function stepExchange(link: VerifiedLink, exchange: Exchange, event: ExchangeEvent): Step {
  switch (event.name) {
    case "opened":
      return open(link, exchange, event.nonce);
    case "closed":
      return isOpen(exchange) ? { exchange: IDLE, actions: [done("closed")] } : stay(exchange);
    case "answered":
      return answer(exchange, event.same);
    case "message":
      return take(link, exchange, event.message);
    default:
      return event satisfies never;
  }
}

function open(link: VerifiedLink, exchange: Exchange, nonce: Uint8Array): Step {
  if (isOpen(exchange)) return stay(exchange);
  if (exchange.name === "asked" && exchange.hash !== undefined) return respond(nonce, exchange.hash);
  const hash = commits(link) ? commitment(link, nonce) : undefined;
  return { exchange: { name: "waiting", nonce, hash }, actions: [send({ action: "verify_commit", hash })] };
}

/** The other side is committed, so our nonce may be known. */
function respond(nonce: Uint8Array, hash: string): Step {
  return { exchange: { name: "revealed", nonce, hash }, actions: reveal(nonce, hash) };
}

function reveal(nonce: Uint8Array, hash: string): ExchangeAction[] {
  const digits = Buffer.from(nonce).toString("hex");
  return [{ name: "guess" }, send({ action: "verify_reveal", hash, nonce: digits })];
}

function answer(exchange: Exchange, same: boolean): Step {
  if (exchange.name !== "comparing" || exchange.confirmed === "us") return stay(exchange);
  if (!same) return { exchange: IDLE, actions: [done("wrong"), WRONG] };
  if (exchange.confirmed === "them") return verified(done("ok"));
  return { exchange: { ...exchange, confirmed: "us" }, actions: [done("ok")] };
}

function verified(...before: readonly ExchangeAction[]): Step {
  return { exchange: IDLE, actions: [...before, { name: "outcome", outcome: "verified" }] };
}

function take(link: VerifiedLink, exchange: Exchange, message: VerificationMessage): Step {
  switch (message.action) {
    case "verify_commit":
      return takeCommit(link, exchange, message.hash);
    case "verify_reveal":
      return takeReveal(link, exchange, message);
    case "verify_done":
      return takeDone(exchange, message.code);
    default:
      return message satisfies never;
  }
}

function takeCommit(link: VerifiedLink, exchange: Exchange, said: string | undefined): Step {
  // A commitment of the side that does not commit would mean nothing.
  const hash = commits(link) ? undefined : said;
  if (hash === undefined && !commits(link)) return stay(exchange);
  switch (exchange.name) {
    case "idle":
    case "asked":
      return stay({ name: "asked", hash });
    case "waiting":
      return hash === undefined ? stay(exchange) : respond(exchange.nonce, hash);
    case "revealed":
    case "comparing":
      // They have begun anew.
      return { exchange: { name: "asked", hash }, actions: [ENDED] };
    default:
      return exchange satisfies never;
  }
}

function takeReveal(
  link: VerifiedLink,
  exchange: Exchange,
  { hash, nonce }: VerificationMessage & { readonly action: "verify_reveal" },
): Step {
  // It may be of an exchange that our person has closed since.
  if ((exchange.name !== "waiting" && exchange.name !== "revealed") || exchange.hash !== hash)
    return stay(exchange);
  const peer = Buffer.from(nonce, "hex");
  if (exchange.name === "revealed" && commitment(link, peer) !== hash)
    return { exchange: IDLE, actions: [done("wrong"), WRONG] };
  const code = verificationCode(link, { own: exchange.nonce, peer });
  const revealed = exchange.name === "waiting" ? reveal(exchange.nonce, hash) : [];
  return {
    exchange: { name: "comparing", hash, code, confirmed: "nobody" },
    actions: [...revealed, { name: "code", code }],
  };
}

function takeDone(exchange: Exchange, code: string): Step {
  if (exchange.name === "asked") return stay(IDLE);
  if (!isGuessed(exchange)) return stay(exchange);
  if (code !== "ok") return { exchange: IDLE, actions: [code === "wrong" ? WRONG : ENDED] };
  // Nobody can confirm a code that the other side has not computed yet.
  if (exchange.name !== "comparing") return stay(exchange);
  return exchange.confirmed === "us" ? verified() : stay({ ...exchange, confirmed: "them" });
}
