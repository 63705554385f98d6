import { encodeFrame, FrameDecoder, PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import type { Report } from "./figures.ts";

const READ_BYTES = 64 * 1024;
/** The first ones also compile the code. */
const ROUNDS = 20;

/** The best of some rounds, in ms: the machine's other work only ever adds. */
function best(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    run();
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}

/** Pushes `bytes` in reads of `size` bytes and reads all out; throws unless that gives `expected` objects. */
function decodeAll(bytes: Buffer, size: number, expected: number): void {
  const decoder = new FrameDecoder(PEER_OBJECT_LIMIT);
  let objects = 0;
  for (let at = 0; at < bytes.length; at += size) {
    decoder.push(bytes.subarray(at, at + size), 0);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
      if (typeof event === "string") throw new Error(event);
      objects++;
    }
  }
  if (objects !== expected) throw new Error(`${objects} objects instead of ${expected}`);
}

/** One chat line of exactly 190 bytes, line feed included. */
function chatLine(filling: string): string {
  const message = {
    message: "",
    id: "0199a8c4-5d2e-7c31-9b1f-3f2a6c9d1e40",
    sent_at: "2025-10-03T12:00:00.000Z",
  };
  const room = 190 - encodeFrame(message).length;
  const size = Buffer.byteLength(filling);
  return encodeFrame({
    ...message,
    message: filling.repeat(Math.floor(room / size)) + "x".repeat(room % size),
  });
}

function benchLines(name: string, line: string, report: Report): void {
  const count = 100_000;
  const text = line.slice(0, -1);
  const texts = Array.from({ length: count }, () => text);
  const bytes = Buffer.from(line.repeat(count));
  const bare = best(() => {
    for (const one of texts) JSON.parse(one);
  });
  const decoded = best(() => decodeAll(bytes, READ_BYTES, count));
  const perSecond = (ms: number) => count / (ms / 1_000);
  report({ name, unit: "lines/s", ours: perSecond(decoded), bare: perSecond(bare) });
}

/** The decoder's speed, and its cost per byte as the input grows: level figures mean linear work. */
export function benchFraming(report: Report): void {
  benchLines("190 bytes, ASCII (bare: JSON.parse of strings)", chatLine("hello "), report);
  benchLines("190 bytes, Spanish (bare: JSON.parse of strings)", chatLine("¿mañana? "), report);

  for (const kibibytes of [16, 64, 256]) {
    const size = kibibytes * 1024;
    const bytes = Buffer.from(`{"a":"${"x".repeat(size - 8)}"}`);
    const ms = best(() => decodeAll(bytes, 1, 1));
    report({
      name: `one object of ${kibibytes} KiB, a byte a read`,
      unit: "ns/byte",
      ours: (ms * 1e6) / size,
    });
  }
  for (const count of [10_000, 40_000, 160_000, 640_000]) {
    const bytes = Buffer.from(`${"{}".repeat(count)}\n`);
    const ms = best(() => decodeAll(bytes, bytes.length, count));
    report({ name: `{} ${count} times in one read`, unit: "ns/object", ours: (ms * 1e6) / count });
  }

  const pretty = `${JSON.stringify(JSON.parse(chatLine("hello ")), null, 2)}\n`;
  const bytes = Buffer.from(pretty.repeat(20_000));
  const ms = best(() => decodeAll(bytes, READ_BYTES, 20_000));
  report({ name: `pretty-printed, ${pretty.length} bytes`, unit: "objects/s", ours: 20_000 / (ms / 1_000) });
}
