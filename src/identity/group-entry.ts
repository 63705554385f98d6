/**
 * Entries of groups (GROUPS 2): what a key signed, as a list `[header, signature, body]`. Header and body are hashed as
 * they came; nothing is brought into another form first, so there is nothing that two readers could do differently.
 */
import { createPublicKey, hash, randomBytes, sign, verify, type KeyObject } from "node:crypto";

/** Control, kept whole for ever, or texts, which may begin anywhere. */
export type Lane = "c" | "t";

/** What a header says. */
export type EntryFields = {
  /** The term that wrote it: the id of the entry that admitted it. Of a `create`: its own id. */
  readonly feed: string;
  readonly lane: Lane;
  /** 1 to {@link MAX_NUMBER}, without gaps in one lane. */
  readonly number: number;
  /** Id of the entry before it in its lane; of number 1 the feed's id. Of a `create`: its own id. */
  readonly prev: string;
  readonly kind: string;
  /** ms since 1970, by the author's clock. */
  readonly at: number;
  /** Bytes of the body's UTF-8, also where the body is gone. */
  readonly size: number;
  /** SHA-256 of the body's UTF-8. */
  readonly digest: string;
};

/** An entry as it travels; the body is null where it is gone. */
export type RawEntry = readonly [header: string, signature: string, body: string | null];

export type GroupEntry = EntryFields & {
  readonly id: string;
  readonly header: string;
  readonly signature: string;
  readonly body: string | null;
};

/** Where an entry stands. */
export type Position = Pick<EntryFields, "feed" | "lane" | "number" | "prev">;

export const MAX_NUMBER = 1_000_000_000;
/** Bytes of a body in lane t. */
export const MAX_BODY_BYTES = 224 * 1024;
/** Bytes of a body in lane c. These bodies are never dropped, and a title and two names need less than half of it. */
export const MAX_CONTROL_BYTES = 4 * 1024;
/** Characters of `salt`, without which a withdrawn text could be guessed from its digest. */
export const SALT_LENGTH = 16;

const NONE = "-";
// The last of 43 characters has two bits that 32 bytes do not need; they are 0.
const ID = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]";
const NUMBER = "0|[1-9][0-9]{0,15}";
const HEADER = new RegExp(
  `^(-|${ID}) ([ct]) (${NUMBER}) (-|${ID}) ([a-z]{1,16}) (${NUMBER}) (${NUMBER}) (${ID})$`,
);
const WHOLE_ID = new RegExp(`^${ID}$`);
// 64 bytes leave four bits of the last character.
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/;
const SALT_BYTES = (SALT_LENGTH / 4) * 3;

/** Whether this can be the id of an entry, a feed or a group. */
export function isEntryId(text: unknown): text is string {
  return typeof text === "string" && WHOLE_ID.test(text);
}

/**
 * Reads an entry of this group: its grammar, and the digest, size and form of the body if there is one. Undefined for
 * everything else. Whether it is signed is for {@link isSigned}, whether it continues its lane for the caller.
 */
export function readEntry(group: string, [header, signature, body]: RawEntry): GroupEntry | undefined {
  const fields = readHeader(header);
  if (fields === undefined || !SIGNATURE.test(signature)) return undefined;
  if (body !== null && !isBody(body, fields)) return undefined;
  const isFounding = fields.feed === NONE;
  const id = hash("sha256", signedBytes(isFounding ? NONE : group, header), "base64url");
  const entry = { ...fields, id, header, signature, body };
  if (isFounding) return id === group ? { ...entry, feed: id, prev: id } : undefined;
  // The founder's first entry is the one that the group is named after, and there is no second one.
  const isSecondFounding = fields.feed === group && fields.lane === "c" && fields.number === 1;
  return isSecondFounding ? undefined : entry;
}

/** Whether the key of `spki` (see `parsePublicKey`) signed this entry in this group. */
export function isSigned(group: string, entry: GroupEntry, spki: Buffer): boolean {
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  const bytes = signedBytes(isCreate(entry) ? NONE : group, entry.header);
  return verify(null, bytes, key, Buffer.from(entry.signature, "base64url"));
}

/** Whether this is the entry that founded its group. */
export function isCreate(entry: GroupEntry): boolean {
  return entry.id === entry.feed;
}

/** A proof that an author wrote two different things at one place: both entries, signed. Their bodies may be gone. */
export type Fork = {
  readonly feed: string;
  readonly lane: Lane;
  readonly number: number;
  readonly entries: readonly [GroupEntry, GroupEntry];
};

/** Whether two entries prove that their author wrote two different things at one place. */
export function isFork(one: GroupEntry, other: GroupEntry): boolean {
  return (
    one.id !== other.id && one.feed === other.feed && one.lane === other.lane && one.number === other.number
  );
}

/** An entry as it travels. */
export function rawEntry({ header, signature, body }: GroupEntry): RawEntry {
  return [header, signature, body];
}

/** The place after `last` in a lane; the first one if there is none. */
export function nextPosition(feed: string, lane: Lane, last: GroupEntry | undefined): Position {
  return { feed, lane, number: (last?.number ?? 0) + 1, prev: last?.id ?? feed };
}

/** Gives random bytes, for the salt. */
type Random = (bytes: number) => Uint8Array;

/**
 * Founds a group: its id is that of the entry. `body` is the one of `create` (see `group-body.ts`) without `salt`; `at`
 * is in ms since 1970.
 */
export function signCreate(
  at: number,
  body: object,
  key: KeyObject,
  random: Random = randomBytes,
): GroupEntry {
  const create = { feed: NONE, lane: "c", number: 1, prev: NONE, kind: "create", at } as const;
  const entry = signed(NONE, create, body, key, random);
  return { ...entry, feed: entry.id, prev: entry.id };
}

/**
 * Writes an entry of this group. `body` gets its `salt` here. Throws a RangeError for what {@link readEntry} would not
 * take.
 */
export function signEntry(
  group: string,
  fields: Omit<EntryFields, "size" | "digest">,
  body: object,
  key: KeyObject,
  random: Random = randomBytes,
): GroupEntry {
  const entry = signed(group, fields, body, key, random);
  if (readEntry(group, rawEntry(entry)) === undefined) throw new RangeError(`not an entry: ${entry.header}`);
  return entry;
}

function signed(
  group: string,
  fields: Omit<EntryFields, "size" | "digest">,
  content: object,
  key: KeyObject,
  random: Random,
): GroupEntry {
  const salt = Buffer.from(random(SALT_BYTES)).toString("base64url");
  const body = JSON.stringify({ ...content, salt });
  const { feed, lane, number, prev, kind, at } = fields;
  const size = Buffer.byteLength(body, "utf8");
  const digest = hash("sha256", body, "base64url");
  const header = [feed, lane, number, prev, kind, at, size, digest].join(" ");
  const bytes = signedBytes(group, header);
  const signature = sign(null, bytes, key).toString("base64url");
  const id = hash("sha256", bytes, "base64url");
  return { feed, lane, number, prev, kind, at, size, digest, id, header, signature, body };
}

function signedBytes(group: string, header: string): Buffer {
  return Buffer.from(`paloma group 1\n${group}\n${header}`, "utf8");
}

function readHeader(header: string): EntryFields | undefined {
  const match = HEADER.exec(header);
  if (match === null) return undefined;
  const [, feed = "", lane, , prev = "", kind = "", , , digest = ""] = match;
  const [number, at, size] = [Number(match[3]), Number(match[6]), Number(match[7])];
  const isPlaced =
    feed === NONE
      ? lane === "c" && number === 1 && prev === NONE && kind === "create"
      : number >= 1 && number <= MAX_NUMBER && prev !== NONE && (number > 1 || prev === feed);
  const most = lane === "c" ? MAX_CONTROL_BYTES : MAX_BODY_BYTES;
  if (!isPlaced || !Number.isSafeInteger(at) || size > most) return undefined;
  return { feed, lane: lane === "c" ? "c" : "t", number, prev, kind, at, size, digest };
}

// A lone half of a surrogate pair becomes U+FFFD in UTF-8, so that two bodies would have one digest.
function isBody(body: string, { size, digest }: EntryFields): boolean {
  if (body.length > size || !body.isWellFormed()) return false;
  if (Buffer.byteLength(body, "utf8") !== size || hash("sha256", body, "base64url") !== digest) return false;
  const salt = parseBody(body)?.["salt"];
  return typeof salt === "string" && salt.length === SALT_LENGTH;
}

/** The object that a body is, or undefined. Of a name that stands twice the last one counts. */
export function parseBody(body: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    // Without a prototype, a name of its members is absent where the body does not have it.
    return Object.assign(Object.create(null) as { [name: string]: unknown }, value);
  } catch {
    return undefined;
  }
}
