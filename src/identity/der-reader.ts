// A reader for DER that others wrote: every length is checked against what encloses it, and nothing is guessed.

/** One element: its tag byte, its content, and the whole of it with tag and length. */
export type DerElement = { tag: number; content: Buffer; whole: Buffer };

// A certificate that arrived over TLS is far below 2^24 bytes, so three octets of length are enough.
const MAX_LENGTH_OCTETS = 3;

/**
 * The elements that stand one after the other in `bytes`. Throws an Error when the last is cut short, or for a
 * tag of several bytes, an indefinite length, or a length not in its shortest form.
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

/** The one element that `bytes` is, of the given tag. Throws an Error as {@link readElements}, or when there is another or none. */
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
