/**
 * Revocations (PROTOCOL 3): from when on the certificates of an account count. Of a label those of the person that
 * decide are kept, and the operator's last one. A store keeps each in the transaction of the change that it belongs to;
 * the server has all of them in memory.
 */
import { label as labelOf } from "../../identity/names.ts";
import { decisive, isKept, REVOCATION_LIFETIME, type Revocation } from "../../identity/revocation.ts";
import { MAX_REVOKED } from "../../protocol/rendezvous-messages.ts";

/** Revocations that people made themselves; beyond it the oldest are dropped. */
export const MAX_OWN_REVOCATIONS = 20_000;
/** A changed password revokes at most once in this time, in s. */
const PASSWORD_INTERVAL = 3_600;
/** How long a row is kept, in ms: longer than it counts, so that a clock that is ahead for a while loses none. */
const ROW_LIFETIME = 30 * 24 * 3_600_000;

export type RevocationCause =
  | { readonly name: "operator" }
  | { readonly name: "deletion" }
  /** `key`: the fingerprint of the key with which the password was changed; undefined: without a key. */
  | { readonly name: "password"; readonly key: string | undefined };

export type StoredRevocation = Revocation & { readonly byOperator: boolean };

/** What a change of an account did beside it, in the same transaction. */
export type Change = {
  /** The revocation that was stored, if one was due. */
  readonly revocation: StoredRevocation | undefined;
  /** How many revocations of people were dropped for it. */
  readonly dropped: number;
};

/** What a store knows of an account when it makes a revocation. */
type Known = {
  /** The revocations of the account's label, in any order. */
  readonly stored: readonly StoredRevocation[];
  /** When the newest certificate of the account was made, at least, in ms since 1970; 0: unknown. */
  readonly certified: number;
  /** Ms since 1970. */
  readonly now: number;
  /** How long a certificate may take from the account's being read, on a server whose clock may differ, in s. */
  readonly margin: number;
};

/** The revocation to make; undefined: the person has made the last one for a password an hour ago or less. */
export function nextRevocation(
  username: string,
  cause: RevocationCause,
  { stored, certified, now, margin }: Known,
): StoredRevocation | undefined {
  const seconds = Math.floor(now / 1_000);
  const known = newestFirst(stored).filter((each) => isKept(each, now));
  const own = known.find(({ byOperator }) => !byOperator);
  const isRecent = own !== undefined && Math.abs(seconds - own.before) < PASSWORD_INTERVAL;
  if (cause.name === "password" && isRecent) return undefined;
  // If the clock was set back, certificates and revocations may be from its future: the new one comes after them.
  // Certificates from further ahead than a lifetime are valid for nobody as long as this revocation is kept.
  const reached = Math.floor(Math.min(certified, now + REVOCATION_LIFETIME) / 1_000);
  return {
    label: labelOf(username),
    before: Math.max(seconds + margin, reached, known[0]?.before ?? 0) + 1,
    except: cause.name === "password" ? cause.key : undefined,
    byOperator: cause.name === "operator",
  };
}

/** Which revocations of a label stay once `added` is, and it if it does; the newest first. */
export function afterAdding(
  added: StoredRevocation,
  stored: readonly StoredRevocation[],
  now: number,
): StoredRevocation[] {
  const known = stored.filter((each) => isKept(each, now));
  if (added.byOperator) return newestFirst([added, ...known.filter(({ before }) => before > added.before)]);
  // The operator's last one stays whatever the person does: people's may be dropped.
  const operators = known.filter(({ byOperator }) => byOperator);
  return newestFirst([...operators, ...decisive([added, ...known.filter(({ byOperator }) => !byOperator)])]);
}

/** Rows whose `before`, in s since 1970, is not after this are deleted. */
export function oldestRow(now: number): number {
  return Math.floor((now - ROW_LIFETIME) / 1_000);
}

type RevocationPage = { readonly revoked: readonly Revocation[]; readonly next: string | undefined };

type RevocationsNeeds = {
  /** Ms since 1970. */
  readonly now: () => number;
  /** There is a new one. */
  readonly made?: (revocation: Revocation) => void;
  /** One was made here: others are to be told of it. */
  readonly tell?: (revocation: StoredRevocation) => void;
  /** So many revocations of people were dropped. */
  readonly dropped?: (count: number) => void;
};

/** All revocations that are stored. */
export class Revocations {
  readonly #needs: RevocationsNeeds;
  /** In the order of their pages. */
  #all: StoredRevocation[] = [];
  #ofLabel = new Map<string, StoredRevocation[]>();
  /** The first page, and the second (since 1970) for which it holds: many people may log in meanwhile. */
  #first: { readonly second: number; readonly page: RevocationPage } | undefined;
  #version = 0;
  /** How many people made themselves. */
  #people = 0;

  /** @param stored what the store has now. */
  constructor(stored: readonly StoredRevocation[], needs: RevocationsNeeds) {
    this.#needs = needs;
    for (const each of stored) this.#insert(each);
  }

  /** Grows when one is added: what was read from the store before may no longer hold. */
  get version(): number {
    return this.#version;
  }

  /** What a change in the store has added. */
  changed({ revocation, dropped }: Change): void {
    if (revocation !== undefined) {
      this.#needs.tell?.(revocation);
      this.add(revocation);
    }
    if (dropped > 0) this.#needs.dropped?.(dropped);
  }

  /** Adds one that is stored; does nothing if it is known. */
  add(added: StoredRevocation): void {
    const known = this.#ofLabel.get(added.label) ?? [];
    if (known.some((each) => compare(each, added) === 0)) return;
    this.#version++;
    const left = afterAdding(added, known, this.#needs.now());
    for (const each of known) if (!left.includes(each)) this.#remove(each);
    if (left.includes(added)) this.#insert(added);
    const oldest = oldestRow(this.#needs.now());
    for (let last = this.#all.at(-1); last !== undefined && last.before <= oldest; last = this.#all.at(-1)) {
      this.#remove(last);
    }
    const isOver = this.#people > MAX_OWN_REVOCATIONS;
    const oldestOwn = isOver ? this.#all.findLast(({ byOperator }) => !byOperator) : undefined;
    if (oldestOwn !== undefined) this.#remove(oldestOwn);
    const { label, before, except } = added;
    this.#needs.made?.({ label, before, except });
  }

  /** The time from which certificates of this label count, in ms since 1970; 0: all do. */
  since(label: string): number {
    const now = this.#needs.now();
    const newest = this.#ofLabel.get(label)?.find((each) => isKept(each, now));
    return (newest?.before ?? 0) * 1_000;
  }

  /**
   * The newest revocations that still count, the newest first, at most `MAX_REVOKED`.
   * @param after `next` of the previous page, of the form that the protocol checks
   */
  page(after?: string): RevocationPage {
    const second = Math.floor(this.#needs.now() / 1_000);
    if (after !== undefined) return this.#read(after);
    if (this.#first?.second !== second) {
      this.#first = { second, page: this.#read(`${Number.MAX_SAFE_INTEGER}.`) };
    }
    return this.#first.page;
  }

  #read(after: string): RevocationPage {
    const now = this.#needs.now();
    const [before = "", label = ""] = after.split(".");
    const revoked: Revocation[] = [];
    for (let index = this.#indexOf({ before: Number(before), label }); index < this.#all.length; index++) {
      const each = this.#all[index] as StoredRevocation;
      if (!isKept(each, now)) {
        // Those that follow are older still.
        if (each.before * 1_000 < now) break;
        continue;
      }
      const last = revoked.at(-1);
      if (last !== undefined && revoked.length === MAX_REVOKED) {
        return { revoked, next: `${last.before}.${last.label}` };
      }
      if (compare(each, { before: Number(before), label }) > 0) {
        revoked.push({ label: each.label, before: each.before, except: each.except });
      }
    }
    return { revoked, next: undefined };
  }

  #insert(added: StoredRevocation): void {
    this.#first = undefined;
    if (!added.byOperator) this.#people++;
    this.#all.splice(this.#indexOf(added), 0, added);
    this.#ofLabel.set(added.label, newestFirst([...(this.#ofLabel.get(added.label) ?? []), added]));
  }

  #remove(gone: StoredRevocation): void {
    this.#first = undefined;
    if (!gone.byOperator) this.#people--;
    this.#all.splice(this.#indexOf(gone), 1);
    const left = this.#ofLabel.get(gone.label)?.filter((each) => each !== gone) ?? [];
    if (left.length === 0) this.#ofLabel.delete(gone.label);
    else this.#ofLabel.set(gone.label, left);
  }

  /** The index of the first one that does not come before `place` in the order of the pages. */
  #indexOf(place: Place): number {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#all[middle] as StoredRevocation, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

type Place = Pick<Revocation, "before" | "label">;

/** The order of the pages: the newest first, those of one second by their labels, the last first. */
function compare(one: Place, other: Place): number {
  if (one.before !== other.before) return other.before - one.before;
  if (one.label === other.label) return 0;
  return one.label < other.label ? 1 : -1;
}

function newestFirst(revocations: readonly StoredRevocation[]): StoredRevocation[] {
  return revocations.toSorted(compare);
}
