/** The bodies of groups' entries (GROUPS 2), each with its fields and limits. What is not in order has no effect. */
import { isEntryId, MAX_NUMBER, parseBody, type GroupEntry } from "./group-entry.ts";
import { parsePublicKey } from "./keys.ts";
import { isOldNameAcceptable, label } from "./names.ts";

/** The version of groups that this program speaks. */
const VERSION = 1;
/** Code points of a title, as it is written. */
export const MAX_TITLE_CODE_POINTS = 64;
/** Bytes of UTF-8 in one text. */
const MAX_TEXT_BYTES = 32 * 1024;
const MAX_FILE_NAME_BYTES = 1_024;
/** The last number of a title. */
export const MAX_RENAMES = 1_000_000;

/** Whose key it is. */
export type NamedKey = { readonly label: string; readonly name: string; readonly spki: Buffer };

/** What an entry of lane c says. */
export type Control =
  | ({
      readonly kind: "create";
      readonly title: string;
      readonly adds: "admins" | "all";
      readonly writes: "admins" | "all";
    } & NamedKey)
  | { readonly kind: "join" }
  | ({
      readonly kind: "add";
      readonly role: "admin" | "member";
      readonly history: "all" | "none";
    } & NamedKey)
  | { readonly kind: "grant"; readonly feed: string }
  | {
      readonly kind: "end";
      readonly feed: string;
      /** The last numbers of its lanes that count, and the ids of those entries (of 0: the feed's). */
      readonly c: number;
      readonly t: number;
      readonly cid: string;
      readonly tid: string;
    }
  | { readonly kind: "leave"; readonly t: number }
  | { readonly kind: "set"; readonly n: number; readonly title: string };

/** A file that comes with a text. */
export type GroupFile = {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the whole file. */
  readonly sha256: string;
};

/** What an entry of lane t says. `target` is an earlier number of the same lane. */
export type GroupText =
  | {
      readonly kind: "text";
      readonly text: string;
      readonly reply_to?: readonly [feed: string, number: number] | undefined;
      readonly file?: GroupFile | undefined;
    }
  | { readonly kind: "edit"; readonly target: number; readonly text: string }
  | { readonly kind: "withdraw"; readonly target: number };

type Body = { readonly [name: string]: unknown };

// Who belongs is counted again and again from the same entries, and each `add` costs a hash and the check of a key.
const CONTROL = new WeakMap<GroupEntry, { readonly control: Control | undefined }>();

/** Reads an entry of lane c; undefined for what has no effect: of another lane or kind, or with a body not in order. */
export function readControl(entry: GroupEntry): Control | undefined {
  const read = CONTROL.get(entry) ?? { control: parseControl(entry) };
  CONTROL.set(entry, read);
  return read.control;
}

function parseControl(entry: GroupEntry): Control | undefined {
  const body = entry.lane === "c" && entry.body !== null ? parseBody(entry.body) : undefined;
  if (body === undefined) return undefined;
  switch (entry.kind) {
    case "create":
      return readCreate(body);
    case "join":
      return { kind: "join" };
    case "add":
      return readAdd(body);
    case "grant": {
      const { feed } = body;
      return isEntryId(feed) ? { kind: "grant", feed } : undefined;
    }
    case "end": {
      const { feed, c, t, cid, tid } = body;
      if (!isEntryId(feed) || !isEntryId(cid) || !isEntryId(tid)) return undefined;
      return isInteger(c, 0, MAX_NUMBER) && isInteger(t, 0, MAX_NUMBER)
        ? { kind: "end", feed, c, t, cid, tid }
        : undefined;
    }
    case "leave": {
      const { t } = body;
      return isInteger(t, 0, MAX_NUMBER) ? { kind: "leave", t } : undefined;
    }
    case "set": {
      const { n, title } = body;
      return isInteger(n, 1, MAX_RENAMES) && isTitle(title) ? { kind: "set", n, title } : undefined;
    }
    default:
      return undefined;
  }
}

/** Reads an entry of lane t; undefined for what is not shown: without body, unknown, or with a body not in order. */
export function readText(entry: GroupEntry): GroupText | undefined {
  const body = entry.lane === "t" && entry.body !== null ? parseBody(entry.body) : undefined;
  if (body === undefined) return undefined;
  const { text, target, reply_to, file } = body;
  switch (entry.kind) {
    case "text": {
      const reply = reply_to === undefined ? undefined : readReply(reply_to);
      const given = file === undefined ? undefined : readFile(file);
      if (!isText(text, MAX_TEXT_BYTES) || reply === null || given === null) return undefined;
      return { kind: "text", text, reply_to: reply, file: given };
    }
    case "edit":
      return isInteger(target, 1, entry.number - 1) && isText(text, MAX_TEXT_BYTES)
        ? { kind: "edit", target, text }
        : undefined;
    case "withdraw":
      return isInteger(target, 1, entry.number - 1) ? { kind: "withdraw", target } : undefined;
    default:
      return undefined;
  }
}

/** Whether a group may be called this. */
export function isTitle(title: unknown): title is string {
  // Two units are the most of one code point.
  if (typeof title !== "string" || title.length > 2 * MAX_TITLE_CODE_POINTS || !title.isWellFormed())
    return false;
  return title !== "" && [...title].length <= MAX_TITLE_CODE_POINTS;
}

function readCreate(body: Body): Control | undefined {
  const { version, title, adds, writes } = body;
  const key = readNamedKey(body);
  if (version !== VERSION || key === undefined || !isTitle(title)) return undefined;
  if ((adds !== "admins" && adds !== "all") || (writes !== "admins" && writes !== "all")) return undefined;
  return { kind: "create", title, adds, writes, ...key };
}

function readAdd(body: Body): Control | undefined {
  const { role, history } = body;
  const key = readNamedKey(body);
  if (key === undefined || (role !== "admin" && role !== "member")) return undefined;
  return history === "all" || history === "none" ? { kind: "add", role, history, ...key } : undefined;
}

function readNamedKey(body: Body): NamedKey | undefined {
  const { name, spki } = body;
  if (typeof name !== "string" || typeof spki !== "string" || !isOldNameAcceptable(name)) return undefined;
  const key = parsePublicKey(spki);
  return key !== undefined && body["label"] === label(name)
    ? { label: label(name), name, spki: key }
    : undefined;
}

/** Null for what is no answer to an entry. */
function readReply(value: unknown): readonly [string, number] | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [feed, number]: unknown[] = value;
  return isEntryId(feed) && isInteger(number, 1, MAX_NUMBER) ? [feed, number] : null;
}

/** Null for what is no file. */
function readFile(value: unknown): GroupFile | null {
  if (typeof value !== "object" || value === null) return null;
  const { name, size, sha256 } = value as Partial<Record<keyof GroupFile, unknown>>;
  if (!isText(name, MAX_FILE_NAME_BYTES) || name === "") return null;
  return isInteger(size, 0, Number.MAX_SAFE_INTEGER) && isEntryId(sha256) ? { name, size, sha256 } : null;
}

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.isWellFormed() && Buffer.byteLength(value, "utf8") <= most;
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
}
