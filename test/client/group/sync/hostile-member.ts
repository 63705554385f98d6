/** What a hostile member makes of the messages that its client would send. */
import type { SyncMessage } from "../../../../src/client/group/sync/group-link.ts";
import type { HeadFields } from "../../../../src/client/group/sync/heads.ts";
import type { RawEntry } from "../../../../src/identity/group-entry.ts";
import type { SeededRandom } from "../../../seeded-random.ts";

export function tamperer(random: SeededRandom, group: string): (message: SyncMessage) => SyncMessage[] {
  let last: SyncMessage | undefined;
  const lie = ([feed, c, cid, first, t, tid, read]: HeadFields): HeadFields => {
    const shift = () => Math.floor(random.next() * random.next() * 6);
    switch (random.integer(8)) {
      case 0:
        return [feed, c + shift(), cid, first, t + shift(), tid, read];
      case 1:
        return [feed, Math.max(0, c - shift()), cid, first, Math.max(0, t - shift()), tid, read];
      case 2:
        return [feed, c, "A".repeat(22), first, t, tid, read];
      case 3:
        return [feed, c, cid, first + shift(), t, "A".repeat(22), read + shift()];
      default:
        return [feed, c, cid, first, t, tid, read];
    }
  };
  const change = (entries: readonly RawEntry[]): readonly RawEntry[] => {
    switch (random.integer(12)) {
      case 0:
      case 1:
        // Without the bodies of texts, which are as good as withdrawn.
        return entries.map(([header, signature, body]) => [
          header,
          signature,
          / t /.test(header) ? null : body,
        ]);
      case 2:
        return entries.toReversed();
      case 3:
        return entries.filter(() => random.next() < 0.6);
      case 4:
        return entries.map(([header, signature, body]) =>
          random.next() < 0.1 ? [header.replace(/ \d+ /, " 7 "), signature, body] : [header, signature, body],
        );
      default:
        return entries;
    }
  };
  return (message) => {
    const before = last;
    last = message;
    if (before !== undefined && random.next() < 0.05) return [before, message];
    if (random.next() < 0.03) return [];
    if (message.action === "group_entries") return [{ ...message, entries: change(message.entries) }];
    if (message.action === "group_fork" && random.next() < 0.3) {
      return [{ ...message, entries: message.entries.slice(1) }];
    }
    if (message.action !== "group_heads" || message.heads === undefined) return [message];
    const lied = { ...message, heads: message.heads.map(lie) };
    return random.next() < 0.1 ? [lied, lied, { action: "group_heads", group, sum: message.sum }] : [lied];
  };
}
