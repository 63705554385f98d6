/** From messages to bytes on a link: how they are joined, and where they are cut. */
import type { SeededRandom } from "../seeded-random.ts";

/** Bytes that are not a message. */
export function noise(random: SeededRandom): Buffer {
  switch (random.integer(8)) {
    case 0:
      return Buffer.from(random.bytes(1 + random.integer(200)));
    case 1:
      // Invalid UTF-8 inside a string: a lone byte, an overlong form, a surrogate, a truncated character.
      return Buffer.concat([
        Buffer.from('{"action":"'),
        Buffer.from(random.pick(["ff", "c0af", "eda080", "f09f95", "80", "f4908080"]), "hex"),
        Buffer.from('"}'),
      ]);
    case 2:
      return Buffer.from(
        random.pick(["}", "]", "[]", "null", '"', "0", "\ufeff{}", "\v{}", "\0", "GET / HTTP/1.1"]),
      );
    case 3:
      return Buffer.from(
        random.pick(['{"a":"\n"}', '{"a":"\u0001"}', '{"a"}', "{,}", "{]}", '{"a":}', "{{}}"]),
      );
    case 4:
      // Braces in strings do not count.
      return Buffer.from('{"x":"}{\\"}{","action":"ping","y":["}"]}');
    case 5:
      return Buffer.from(random.pick([" ", "\n", "\r\n", "\t"]).repeat(1 + random.integer(3_000)));
    case 6:
      return Buffer.from("{".repeat(1 + random.integer(40)) + "}".repeat(random.integer(40)));
    default:
      return Buffer.from(random.pick(["{}", '{"":""}', '{"__proto__":{"action":"ping"}}', '{"action":{}}']));
  }
}

/** Corrupts some bytes of a message: flips, removes or duplicates them. */
export function damaged(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.integer(bytes.length);
  switch (random.integer(4)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] = random.integer(256);
      return copy;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(8))]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.bytes(3)), bytes.subarray(at)]);
    default:
      return bytes.subarray(0, at);
  }
}

/** One object of about `limit` bytes: just under, at, or just over it. */
export function aroundLimit(limit: number, random: SeededRandom): Buffer {
  const before = random.pick(['{"action":"ping","x":"', '{"x":"}}}}","y":"', '{"message":"']);
  const length = limit + random.integer(5) - 2;
  return Buffer.from(`${before}${"a".repeat(length - before.length - 2)}"}`);
}

/** Joins messages with a line feed, nothing, or white space. */
export function joined(messages: readonly Buffer[], random: SeededRandom): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => [
      message,
      Buffer.from(random.integer(3) > 0 ? "\n" : random.pick(["", "", " ", "\r\n", "\n\n\t "])),
    ]),
  );
}

/** Cuts bytes into the pieces that are written one by one: mostly few, rarely single bytes. */
export function cut(bytes: Buffer, random: SeededRandom): Buffer[] {
  const kind = random.integer(5);
  if (kind <= 1 || bytes.length < 2) return [bytes];
  if (kind === 2 && bytes.length <= 120) return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const places = Array.from({ length: 1 + random.integer(6) }, () => random.integer(bytes.length)).sort(
    (a, b) => a - b,
  );
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}
