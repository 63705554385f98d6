/**
 * Framing of both links (PROTOCOL 1), without I/O: bytes in, JSON objects and faults out.
 *
 * 1. Between objects white space is skipped, `{` begins one, any other byte is garbage.
 * 2. The whole lines of a chunk are decoded together, up to a window, and each is tried as one object: a native search
 *    and `JSON.parse`.
 * 3. If one fails, and where no line ends, the scanner counts braces byte by byte and keeps its place between chunks.
 * 4. After garbage everything up to the next line feed is dropped; after an object over the limit, everything.
 *
 * The work is linear however the bytes are cut: every byte is decoded with its lines at most once, as a line that fails
 * leaves the rest of its window to the scanner; a line is tried whole only at the start of an object and within one
 * chunk; every byte is scanned at most once.
 */
import { isUtf8 } from "node:buffer";

/** What `JSON.parse` gave for one object: nothing in it is checked yet. */
export type JsonObject = { [key: string]: unknown };

/** Why bytes were refused: not an object (decoding continues after the next line feed), or over the limit (it ends). */
export type FrameFault = "garbage" | "tooLarge";

/** The longest object of the rendezvous link, in bytes from `{` to `}` (PROTOCOL 1). */
export const RENDEZVOUS_OBJECT_LIMIT = 64 * 1024;

/** The longest object of the peer link, in bytes from `{` to `}` (PROTOCOL 1). */
export const PEER_OBJECT_LIMIT = 256 * 1024;

/** The first buffer for an object that continues in the next chunk, in bytes; it doubles up to the object limit. */
const FIRST_HELD_CAPACITY = 512;

/** Lines are decoded together up to so many bytes. */
const LINES_WINDOW = 64 * 1024;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const NOTHING = Buffer.alloc(0);

/** An object that began in an earlier chunk, and where the scanner stands in it. */
type OpenObject = {
  readonly name: "open";
  readonly since: number;
  held: Buffer;
  length: number;
  depth: number;
  inString: boolean;
  escaped: boolean;
  /** All bytes so far, or-ed: 0x80 is set when one of them is not ASCII. */
  bits: number;
};

type State =
  { readonly name: "between" } | OpenObject | { readonly name: "dropping" } | { readonly name: "finished" };

const BETWEEN: State = { name: "between" };
const DROPPING: State = { name: "dropping" };
const FINISHED: State = { name: "finished" };

/** Bytes that were read at once, at `now` (ms). */
type Chunk = { readonly bytes: Buffer; readonly now: number };

/** Chunks that wait to be decoded, first in, first out; taking one costs the same however many wait. */
class ChunkQueue {
  #chunks: Chunk[] = [];
  #head = 0;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#length += chunk.bytes.length;
  }

  /** Removes and gives the oldest chunk; undefined when there is none. */
  take(): Chunk | undefined {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return undefined;
    this.#length -= chunk.bytes.length;
    this.#head++;
    // Half of the list is taken: drop that half.
    if (2 * this.#head >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    return chunk;
  }
}

/**
 * Finds the objects in a stream of bytes. After each `push` call `next` until it gives undefined.
 * Holds at most one object of the limit, what was pushed but not yet read by `next`, and one window of it as text.
 */
export class FrameDecoder {
  readonly #limit: number;
  #state: State = BETWEEN;

  #chunk: Buffer = NOTHING;
  #at = 0;
  #now = 0;
  /** Chunks pushed before the current one was used up; undefined until there is one: most connections need none. */
  #waiting: ChunkQueue | undefined;

  /** Lines of the chunk, decoded together; empty while there are none to try. */
  #lines = "";
  /** Where they end in the chunk, or where the next ones may begin. */
  #linesEnd = 0;
  /** By how much a place in the chunk, in bytes, is ahead of the same place in `#lines`, in UTF-16 units. */
  #ahead = 0;

  /** `limit`: the longest object, in bytes from `{` to `}`, at least 2. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a chunk that was read at `now` (ms). It is kept, not copied, and must not be changed afterwards. */
  push(chunk: Uint8Array, now: number): void {
    if (chunk.length === 0 || this.#state.name === "finished") return;
    const bytes = asBuffer(chunk);
    if (this.#at < this.#chunk.length || (this.#waiting?.length ?? 0) > 0) {
      (this.#waiting ??= new ChunkQueue()).add({ bytes, now });
      return;
    }
    this.#begin(bytes, now);
    if (this.#state.name === "dropping") this.#drop(0);
  }

  /**
   * Gives the next object or fault, or undefined when more bytes are needed. After "garbage" decoding goes on after
   * the next line feed; after "tooLarge" it always gives undefined.
   */
  next(): JsonObject | FrameFault | undefined {
    do {
      const found = this.#read();
      if (found !== undefined) return found;
    } while (this.#advance());
    return undefined;
  }

  /** The `now` of the push that brought the `{` of the object in which `next` ran out of bytes; undefined between objects. */
  get openSince(): number | undefined {
    return this.#state.name === "open" ? this.#state.since : undefined;
  }

  /** Bytes held: those of the open object, and those that `next` has not read yet. */
  get heldBytes(): number {
    const open = this.#state.name === "open" ? this.#state.length : 0;
    return open + this.#chunk.length - this.#at + (this.#waiting?.length ?? 0);
  }

  /**
   * Removes and gives the bytes after the `}` of the last object (PROTOCOL 6: a stream's data follows its line).
   * Call it before the next `next`, which skips white space.
   */
  takeRest(): Uint8Array {
    const parts: Uint8Array[] = [];
    if (this.#state.name === "open") {
      parts.push(this.#state.held.subarray(0, this.#state.length));
      this.#state = BETWEEN;
    }
    do {
      if (this.#at < this.#chunk.length) parts.push(this.#chunk.subarray(this.#at));
    } while (this.#advance());
    const [only = NOTHING] = parts;
    return parts.length > 1 ? Buffer.concat(parts) : only;
  }

  #begin(bytes: Buffer, now: number): void {
    this.#chunk = bytes;
    this.#at = 0;
    this.#now = now;
    this.#lines = "";
    this.#linesEnd = 0;
  }

  /** Goes on to the next waiting chunk and releases the current one; false when there is none. */
  #advance(): boolean {
    const following = this.#waiting?.take();
    if (following === undefined) {
      this.#begin(NOTHING, 0);
      return false;
    }
    this.#begin(following.bytes, following.now);
    return true;
  }

  /** Reads on in the current chunk; undefined when it is used up. */
  #read(): JsonObject | FrameFault | undefined {
    const state = this.#state;
    switch (state.name) {
      case "between": {
        const chunk = this.#chunk;
        let at = this.#at;
        while (at < chunk.length && isWhiteSpace(chunk[at])) at++;
        this.#at = at;
        if (at === chunk.length) return undefined;
        if (chunk[at] !== OPEN_BRACE) return this.#drop(at);
        if (at >= this.#linesEnd) this.#decodeLines(at);
        return (this.#lines === "" ? undefined : this.#tryLine(at)) ?? this.#scan(undefined);
      }
      case "open":
        return this.#scan(state);
      case "dropping":
      case "finished":
        return undefined;
      default:
        return state satisfies never;
    }
  }

  /** Decodes the line at `start` and the whole ones behind it that fit in the window, if all is valid UTF-8. */
  #decodeLines(start: number): void {
    const chunk = this.#chunk;
    const lineFeed = chunk.indexOf(LINE_FEED, start);
    this.#lines = "";
    this.#linesEnd = lineFeed < 0 ? chunk.length : lineFeed;
    if (lineFeed < 0 || lineFeed - start > this.#limit) return;
    const window = Math.min(LINES_WINDOW, this.#limit);
    const end = Math.max(lineFeed, chunk.lastIndexOf(LINE_FEED, start + window));
    this.#linesEnd = end;
    this.#ahead = start;
    if (isUtf8(chunk.subarray(start, end))) this.#lines = chunk.toString("utf8", start, end);
  }

  /** Tries the line at `start` as one object, followed by white space only; if it is not, all lines are scanned. */
  #tryLine(start: number): JsonObject | undefined {
    const lines = this.#lines;
    const from = start - this.#ahead;
    let to = lines.indexOf("\n", from);
    if (to < 0) to = lines.length;
    while (isWhiteSpace(lines.charCodeAt(to - 1))) to--;
    const line = lines.slice(from, to);
    // Usually the first line of a pretty-printed object: not worth an exception.
    const object = lines.charCodeAt(to - 1) === CLOSE_BRACE ? parse(line) : undefined;
    if (object === undefined) {
      this.#lines = "";
      return undefined;
    }
    const isAscii = this.#linesEnd - start === lines.length - from;
    const length = isAscii ? line.length : Buffer.byteLength(line);
    this.#at = start + length;
    this.#ahead += length - line.length;
    return object;
  }

  /** Counts braces from the current place to the end of the object, of the limit or of the chunk. */
  #scan(open: OpenObject | undefined): JsonObject | FrameFault | undefined {
    const chunk = this.#chunk;
    const start = this.#at;
    const end = Math.min(chunk.length, start + this.#limit - (open?.length ?? 0));
    let depth = open?.depth ?? 0;
    let inString = open?.inString ?? false;
    let escaped = open?.escaped ?? false;
    let bits = open?.bits ?? 0;
    for (let at = start; at < end; at++) {
      const byte = chunk[at] as number;
      bits |= byte;
      if (inString) {
        if (byte < SPACE) return this.#drop(at);
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_BRACE) depth++;
      else if (byte === CLOSE_BRACE && --depth === 0) return this.#close(open, at, bits < 0x80);
    }
    if (end < chunk.length) return this.#finish();
    if (start === end) return undefined;
    let kept = open;
    if (kept === undefined) {
      kept = { name: "open", since: this.#now, held: NOTHING, length: 0, depth, inString, escaped, bits };
      this.#state = kept;
    } else {
      kept.depth = depth;
      kept.inString = inString;
      kept.escaped = escaped;
      kept.bits = bits;
    }
    hold(kept, chunk, start, end, this.#limit);
    this.#at = end;
    return undefined;
  }

  #close(open: OpenObject | undefined, brace: number, isAscii: boolean): JsonObject | FrameFault {
    let object: JsonObject | undefined;
    if (open === undefined) {
      object = parseBytes(this.#chunk, this.#at, brace + 1, isAscii);
    } else {
      hold(open, this.#chunk, this.#at, brace + 1, this.#limit);
      object = parseBytes(open.held, 0, open.length, isAscii);
    }
    if (object === undefined) return this.#drop(brace);
    this.#state = BETWEEN;
    this.#at = brace + 1;
    return object;
  }

  /** Drops up to the first line feed at or after `from`, in later chunks too. */
  #drop(from: number): "garbage" {
    this.#state = BETWEEN;
    this.#lines = "";
    let lineFeed = this.#chunk.indexOf(LINE_FEED, from);
    while (lineFeed < 0) {
      if (!this.#advance()) {
        this.#state = DROPPING;
        return "garbage";
      }
      lineFeed = this.#chunk.indexOf(LINE_FEED);
    }
    this.#at = lineFeed + 1;
    return "garbage";
  }

  #finish(): "tooLarge" {
    this.#state = FINISHED;
    this.#waiting = undefined;
    this.#begin(NOTHING, 0);
    return "tooLarge";
  }
}

/** Gives `message` as one compact line of JSON with its line feed (PROTOCOL 1). Throws what `JSON.stringify` throws. */
export function encodeFrame(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

function isWhiteSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Appends a part of `chunk` to what is held of an open object; together they are within `limit`. */
function hold(open: OpenObject, chunk: Uint8Array, start: number, end: number, limit: number): void {
  const length = open.length + end - start;
  if (length > open.held.length) {
    const grown = Buffer.alloc(Math.min(limit, Math.max(FIRST_HELD_CAPACITY, 2 * length)));
    grown.set(open.held.subarray(0, open.length));
    open.held = grown;
  }
  if (end - start === 1) open.held[open.length] = chunk[start] as number;
  else open.held.set(chunk.subarray(start, end), open.length);
  open.length = length;
}

/** The bytes from `start` to `end`, which begin with `{`, as an object; undefined if they are not UTF-8 or not JSON. */
function parseBytes(bytes: Buffer, start: number, end: number, isAscii: boolean): JsonObject | undefined {
  if (!isAscii && !isUtf8(bytes.subarray(start, end))) return undefined;
  return parse(bytes.toString("utf8", start, end));
}

/** A text that begins with `{` as an object; undefined if it is not JSON. */
function parse(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    // A SyntaxError, or a RangeError when it is nested too deeply: both are garbage.
    return undefined;
  }
}
