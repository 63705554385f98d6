/**
 * DER (ITU-T X.690): a writer for what the certificate template needs, each function of which gives one whole
 * element, and a reader for what others wrote, which checks every length against the enclosing element.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** An element of the given tag (one byte, so tag numbers up to 30) around the parts; the length is the shortest form. */
export function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...parts]);
}

/** SEQUENCE of the given elements. */
export function sequence(...parts: Uint8Array[]): Buffer {
  return element(TAG.sequence, ...parts);
}

/** SET of one element; a set of several would have to be sorted, and the template has none. */
export function setOf(part: Uint8Array): Buffer {
  return element(TAG.set, part);
}

/** BOOLEAN TRUE. FALSE is always a default in certificates, and DER leaves defaults out. */
export function booleanTrue(): Buffer {
  return element(TAG.boolean, Buffer.from([0xff]));
}

/** INTEGER, not negative, from its big-endian bytes, in the shortest form that does not read as negative. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  const firstSet = bytes.findIndex((byte) => byte !== 0);
  const significant = firstSet < 0 ? new Uint8Array([0]) : bytes.subarray(firstSet);
  const pad = (significant[0] ?? 0) >= 0x80 ? new Uint8Array([0]) : new Uint8Array(0);
  return element(TAG.integer, pad, significant);
}

/** BIT STRING; `unusedBits` (0–7) are the low bits of the last byte that do not count. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return element(TAG.bitString, Buffer.from([unusedBits]), bytes);
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Buffer {
  return element(TAG.octetString, bytes);
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return element(TAG.utf8String, Buffer.from(text, "utf8"));
}

/** OBJECT IDENTIFIER from its dotted form, at least two arcs, each a safe integer. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap(base128);
  return element(TAG.objectIdentifier, Buffer.from(octets));
}

/**
 * A time, in milliseconds since 1970, to the second (rounded down): UTCTime from 1950 to 2049, GeneralizedTime
 * otherwise (RFC 5280, 4.1.2.5). Throws a RangeError for years outside 0–9999.
 */
export function time(ms: number): Buffer {
  const iso = new Date(ms).toISOString();
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\./.exec(iso);
  if (match === null) throw new RangeError(`no certificate can hold the time ${iso}`);
  const year = Number(match[1]);
  const digits = match.slice(1).join("");
  return year >= 1950 && year <= 2049
    ? element(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`, "ascii"))
    : element(TAG.generalizedTime, Buffer.from(`${digits}Z`, "ascii"));
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets = bigEndian(length, 0x100);
  return [0x80 | octets.length, ...octets];
}

// Seven bits an octet, the high bit set on all but the last.
function base128(value: number): number[] {
  const digits = bigEndian(value, 0x80);
  return digits.map((digit, index) => (index < digits.length - 1 ? digit | 0x80 : digit));
}

function bigEndian(value: number, base: number): number[] {
  const digits = [value % base];
  for (let rest = Math.floor(value / base); rest > 0; rest = Math.floor(rest / base))
    digits.unshift(rest % base);
  return digits;
}

/** One element: its tag byte, its content, and the whole of it with tag and length. */
export type DerElement = { tag: number; content: Buffer; whole: Buffer };

// A certificate from a TLS handshake is far below 2^24 bytes, so three octets of length are enough.
const MAX_LENGTH_OCTETS = 3;

/**
 * The consecutive elements in `bytes`. Throws an Error when the last is cut short, or for a tag of several bytes,
 * an indefinite length, or a length not in its shortest form.
 */
export function readElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = readElement(bytes.subarray(at));
    elements.push(next);
    at += next.whole.length;
  }
  return elements;
}

/** The only element in `bytes`, of the given tag. Throws an Error as {@link readElements}, or when it is not that. */
export function readOnly(bytes: Buffer, tag: number): DerElement {
  const [only, ...others] = readElements(bytes);
  if (only === undefined || others.length > 0 || only.tag !== tag)
    throw new Error("DER: not the element expected");
  return only;
}

function readElement(bytes: Buffer): DerElement {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined) throw new Error("DER: cut short");
  if ((tag & 0x1f) === 0x1f) throw new Error("DER: a tag of several bytes");
  const octets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || octets > MAX_LENGTH_OCTETS) throw new Error("DER: a length that no certificate has");
  if (bytes.length < 2 + octets) throw new Error("DER: cut short");
  const length = octets === 0 ? first : bytes.readUIntBE(2, octets);
  if (octets > 0 && (length < 0x80 || bytes[2] === 0))
    throw new Error("DER: a length not in its shortest form");
  const start = 2 + octets;
  const end = start + length;
  if (end > bytes.length) throw new Error("DER: cut short");
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(0, end) };
}
