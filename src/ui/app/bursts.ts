/** Bursts of messages: those of one person, each soon after the one before. A burst is announced once. */

/** A message this much later than the one before begins a new burst, in ms. */
const QUIET = 30_000;
/** How long the first messages of a burst are gathered before they are announced together, in ms. */
const GATHERED_FOR = 500;

/** Times are ms since 1970. */
type Burst = {
  readonly lastAt: number;
  /** When its first message came; undefined: it was announced. */
  readonly gatheredSince: number | undefined;
};
/** By the contact's row number. */
export type Bursts = ReadonlyMap<number, Burst>;

function isPast(at: number, interval: number, now: number): boolean {
  // The clock may have been set back.
  return Math.abs(now - at) >= interval;
}

/** A message of this contact has come. */
export function withMessage(bursts: Bursts, contact: number, now: number): Bursts {
  const before = bursts.get(contact);
  const isSame = before !== undefined && !isPast(before.lastAt, QUIET, now);
  return new Map(bursts).set(contact, { lastAt: now, gatheredSince: isSame ? before.gatheredSince : now });
}

/** This contact's messages were seen: the next one begins a new burst. */
export function withoutBurst(bursts: Bursts, contact: number): Bursts {
  return new Map([...bursts].filter(([each]) => each !== contact));
}

/** On a tick: the contacts whose bursts are announced now, and the bursts that go on. */
export function gathered(bursts: Bursts, now: number): { due: readonly number[]; bursts: Bursts } {
  const due: number[] = [];
  const next = new Map<number, Burst>();
  for (const [contact, { lastAt, gatheredSince: since }] of bursts) {
    const isDue = since !== undefined && isPast(since, GATHERED_FOR, now);
    if (isDue) due.push(contact);
    if (!isPast(lastAt, QUIET, now)) next.set(contact, { lastAt, gatheredSince: isDue ? undefined : since });
  }
  return { due, bursts: next };
}
