/** Messages of the peer link, valid and corrupted. */
import { PEER_MESSAGES } from "../../src/protocol/peer-messages.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { hostileString, PROTOTYPE_NAMES } from "./hostile-values.ts";
import { fieldsOf, mutate, type FuzzFields } from "./mutation.ts";

/** Ids that are reused, for duplicates and as targets of changes. */
const IDS = [
  ...Array.from({ length: 30 }, (_, at) => `id-${at}`),
  ...PROTOTYPE_NAMES,
  "a\0b",
  "a\0c",
  "e\u0301",
  "\u00e9",
  "🕊".repeat(64),
] as const;

const ACTIONS = [
  ...Object.keys(PEER_MESSAGES),
  "chat",
  "chat",
  "chat",
  "chat",
  "edit",
  "withdraw",
  "delivered",
];
const FAULTS: ReadonlySet<string> = new Set(["hello", "stream", "bye", "error"]);

/** @param foreign ids of the other side's own messages, to this peer and to others */
export function peerMessage(random: SeededRandom, foreign: readonly string[]): FuzzFields {
  const drawn = random.pick(ACTIONS);
  // Messages that end the link are rare, or little of a burst would be read.
  const action = FAULTS.has(drawn) && random.integer(4) > 0 ? "chat" : drawn;
  const id = () => random.pick([random.pick(IDS), random.pick(IDS), ...foreign]);
  const text = () => (random.integer(2) === 0 ? hostileString(random) : `text ${random.integer(1_000)}`);
  const fields = fieldsOf(fieldsFor(action, random, id, text));
  return random.integer(7) === 0 ? mutate(fields, random) : fields;
}

function fieldsFor(
  action: string,
  random: SeededRandom,
  id: () => string,
  text: () => string,
): { [name: string]: unknown } {
  const maybe = <T>(value: T): T | undefined => (random.integer(3) === 0 ? value : undefined);
  switch (action) {
    case "chat":
      return {
        message: text(),
        id: random.integer(8) === 0 ? undefined : id(),
        sent_at: maybe(
          random.pick([new Date(0).toISOString(), "9999-12-31T23:59:59Z", "ayer", "2026-02-31T25:61"]),
        ),
        reply_to: maybe(id()),
      };
    case "delivered":
      return { action, ids: Array.from({ length: random.pick([0, 1, 3, 1_000]) }, id) };
    case "read":
      return { action, id: id() };
    case "typing":
      return { action, active: random.integer(2) === 0 };
    case "edit":
      return { action, id: id(), target: id(), text: text() };
    case "withdraw":
      return { action, id: id(), target: id() };
    case "error":
      return { action, code: random.pick(["bad_request", "__proto__", "\u001b[2J"]) };
    case "stream":
      return { action, transfer: id(), ranges: maybe([[0, random.pick([null, 1, 0, 2 ** 53])]]) };
    case "file_offer":
      return {
        action,
        id: id(),
        name: text(),
        size: random.pick([null, 0, 1, 2 ** 40]),
        modified: maybe("ayer"),
        entries: maybe(random.pick([1, 100_000, 100_001])),
      };
    case "file_accept":
    case "file_done":
      return { action, id: id(), transfer: id() };
    case "file_decline":
    case "file_cancel":
      return { action, id: id(), transfer: id(), reason: random.pick(["stopped", "__proto__", "\u001b[2J"]) };
    case "file_end":
      return { action, id: id(), transfer: id(), size: random.integer(3), digest: digits(random, 64) };
    case "verify_commit":
      return { action, hash: maybe(digits(random, 128)) };
    case "verify_reveal":
      return { action, hash: digits(random, 128), nonce: digits(random, 64) };
    case "verify_done":
      return { action, code: random.pick(["ok", "wrong", "closed", "\u001b[2J"]) };
    case "hello":
      return greeting("ana", random);
    default:
      return { action };
  }
}

/** Hexadecimal digits, of few values so that some come twice. */
function digits(random: SeededRandom, count: number): string {
  return random.pick(["0", "7", "f"]).repeat(count);
}

/** A valid greeting, with strange `features`. */
export function greeting(username: string, random: SeededRandom): { [name: string]: unknown } {
  const features = random.pick([
    [],
    ["edit", "withdraw", "verify1"],
    [...PROTOTYPE_NAMES],
    Array(64).fill("x".repeat(32)),
  ]);
  return { action: "hello", protocol: random.pick([1, 1, 2, 1_000_000]), username, features };
}
