/**
 * What is taken of somebody's texts and actions (PROTOCOL 5, «Consent»). Pure.
 *
 * - Everything of a contact is taken, and nothing of who was declined or blocked.
 * - A stranger's first texts, and actions on them, are a request as long as they fit into its bounds and there is room
 *   for one more request.
 * - Where anyone may write, strangers are taken unasked, up to so many bytes each and together.
 * - After the first text or action that is not taken, nothing more is.
 */
import type { Consent } from "../profile/consents.ts";

/** Who may write unasked. `requests`: strangers may ask. */
export const WHO = ["anyone", "requests", "contacts"] as const;
export type Who = (typeof WHO)[number];

/** What a person may decide about another: `add` and `accept` make a contact of them, `remove` a stranger. */
export const DECISIONS = ["add", "remove", "accept", "decline", "block", "unblock"] as const;
export type Decision = (typeof DECISIONS)[number];

/** What one request consists of at most; bytes are those of texts, in UTF-8. */
export const MAX_REQUEST = { texts: 3, actions: 16, bytes: 16 * 1024 } as const;
/** Requests in all, new ones within an hour, those of one network, and of all who come by way of the server. */
export const MAX_REQUESTS = 200;
export const MAX_NEW_REQUESTS = 60;
export const MAX_REQUESTS_OF_NETWORK = 30;
export const MAX_RELAYED_REQUESTS = 50;
/** How long a request waits for an answer, and how long the texts of a declined person are held, in ms. */
export const REQUEST_LIFETIME = 30 * 86_400_000;
export const DECLINED_FOR = 30 * 86_400_000;
/** Bytes taken unasked: of one person a day, and of all people together. */
export const MAX_UNASKED_A_DAY = 1024 * 1024;
export const MAX_UNASKED = 64 * 1024 * 1024;
/** What a text or an action takes on the disk besides its text, in bytes, with ids as ours; longer ones are stored thrice. */
const ROW_BYTES = 256;
const ID_COPIES = 3;
const DAY = 86_400_000;

/** A text, an action on one, or a message about a transfer, of which only a contact's are taken. */
export type Item = {
  readonly kind: "text" | "action" | "control";
  /** Of its text, and of the ids that it names. */
  readonly bytes: number;
  readonly idBytes: number;
  /** It is stored already. */
  readonly isDuplicate: boolean;
};

/** What counts besides the person's own consent. */
export type Circumstances = {
  readonly who: Who;
  /** ms since 1970 */
  readonly now: number;
  /** Where the person's link comes from. */
  readonly network: string;
  /** The `seq` of the newest stored message. */
  readonly lastSeq: () => number;
  /** Whether one more request finds room. */
  readonly hasRoom: () => boolean;
  /** Bytes of all others who were taken unasked. */
  readonly unaskedBytes: () => number;
};

export type Judgement = {
  /** How many items are taken, from the first on. */
  readonly taken: number;
  /** What has to be stored with them; undefined: nothing has changed. */
  readonly consent: Extract<Consent, { name: "request" | "unasked" }> | undefined;
  /** What becomes of the other items. `held`: the person is told so; `ignored`: nothing is said. */
  readonly rest: "none" | "held" | "ignored";
};

/** Judges the items of one read of somebody who is no contact, in their order. */
export function judge(
  before: Exclude<Consent, { name: "contact" }>,
  items: Iterable<Item>,
  circumstances: Circumstances,
): Judgement {
  if (before.name === "blocked") return { taken: 0, consent: undefined, rest: "ignored" };
  let consent: Consent = before;
  let taken = 0;
  const judgement = (rest: Judgement["rest"]): Judgement => ({
    taken,
    consent: consent === before || !isStored(consent) ? undefined : consent,
    rest,
  });
  for (const item of items) {
    if (!item.isDuplicate) {
      consent = begun(consent, circumstances);
      const next = withItem(consent, item, circumstances);
      if (next === undefined) return judgement("held");
      consent = next;
    }
    taken++;
  }
  return judgement("none");
}

/** Whether this has to be stored: not of somebody of whom nothing was taken, but for a request without a text. */
function isStored(consent: Consent): consent is Extract<Consent, { name: "request" | "unasked" }> {
  return consent.name === "request" || (consent.name === "unasked" && consent.unasked.bytes > 0);
}

/** What a stranger who writes becomes before their first item. */
function begun(consent: Consent, circumstances: Circumstances): Consent {
  const { who, now, network, lastSeq, hasRoom } = circumstances;
  if (consent.name !== "stranger") return consent;
  if (who === "anyone") return { name: "unasked", unasked: { bytes: 0, day: dayOf(now), dayBytes: 0 } };
  if (who === "contacts" || !hasRoom()) return consent;
  const request = { since: now, network, afterSeq: lastSeq(), texts: 0, actions: 0, bytes: 0 };
  return { name: "request", request };
}

/** The consent after one more item; undefined: it is not taken. */
function withItem(
  consent: Consent,
  item: Item,
  { who, now, unaskedBytes }: Circumstances,
): Consent | undefined {
  if (item.kind === "control") return undefined;
  if (consent.name === "request") {
    const { request } = consent;
    const texts = request.texts + (item.kind === "text" ? 1 : 0);
    const actions = request.actions + (item.kind === "text" ? 0 : 1);
    const bytes = request.bytes + item.bytes;
    const fits =
      who !== "contacts" &&
      texts <= MAX_REQUEST.texts &&
      actions <= MAX_REQUEST.actions &&
      bytes <= MAX_REQUEST.bytes;
    return fits ? { name: "request", request: { ...request, texts, actions, bytes } } : undefined;
  }
  if (consent.name === "unasked") {
    const { unasked } = consent;
    const more = item.bytes + Math.max(ROW_BYTES, ID_COPIES * item.idBytes);
    const day = dayOf(now);
    const dayBytes = (unasked.day === day ? unasked.dayBytes : 0) + more;
    const bytes = unasked.bytes + more;
    if (dayBytes > MAX_UNASKED_A_DAY || unaskedBytes() + bytes > MAX_UNASKED) return undefined;
    return { name: "unasked", unasked: { bytes, day, dayBytes } };
  }
  return undefined;
}

/** Days since 1970, UTC. */
function dayOf(now: number): number {
  return Math.floor(now / DAY);
}
