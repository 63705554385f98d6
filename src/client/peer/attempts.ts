/** What was tried to reach people: the steps of the last attempt with each of them, for `doctor`. */
import type { Target } from "../../net/dialler.ts";
import type { Family } from "../../protocol/ip-address.ts";

/** Why the server has not said where somebody is. */
export type LookupFailure = "offline" | "no_server" | "server_limits";

/** `ms`: how long it took. `code`: why it has failed; absent: it succeeded. */
type Ended = { readonly ms: number; readonly code?: string | undefined };

/** One step of an attempt, as plain data. */
export type Tried =
  /** The server was asked where they are. */
  | { readonly way: "lookup"; readonly ms: number; readonly code?: LookupFailure | undefined }
  /** An address was dialled. `kind`: of the local network, told by the server, or last known. */
  | ({ readonly way: "direct"; readonly kind: "lan" | "direct" | "mapped" | "known" } & Target & Ended)
  /** They have dialled us. */
  | { readonly way: "reversed"; readonly ip: string }
  | ({ readonly way: "meeting"; readonly step: "seat"; readonly family: Family } & Ended)
  /** Both are there, with `rtt_ms` between them. Without an address: the relay is to be used. */
  | ({
      readonly way: "meeting";
      readonly step: "go";
      readonly family: Family;
      readonly rtt_ms: number;
    } & Partial<Target>)
  | { readonly way: "meeting"; readonly step: "end"; readonly code: string }
  /** Both have dialled each other at once. */
  | ({ readonly way: "punched"; readonly family: Family } & Target & Ended)
  /** The server passes bytes on. */
  | { readonly way: "relayed"; readonly family: Family };

/** Steps that are kept of an attempt. */
const MAX_STEPS = 64;
/** People of whom the last attempt is kept. */
const MAX_PEOPLE = 256;

type Attempt = {
  /** By the monotonic clock; what they have begun themselves, before we tried: -Infinity. */
  readonly begunAt: number;
  readonly steps: Tried[];
};

export class Attempts {
  readonly #monotonic: () => number;
  /** By label; of whom it was tried last is the last. */
  readonly #attempts = new Map<string, Attempt>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** An attempt begins, and the last one is forgotten. */
  begin(label: string): void {
    this.#start(label, this.#monotonic());
  }

  /** A dial cannot be taken back, and may fail during the next attempt, to which it does not belong. */
  note(label: string, tried: Tried): void {
    const { begunAt, steps } = this.#attempts.get(label) ?? this.#start(label, -Infinity);
    const hasFailed = "ms" in tried && tried.code !== undefined;
    // Times of steps are rounded to ms.
    if (hasFailed && tried.ms > this.#monotonic() - begunAt + 1) return;
    if (steps.length < MAX_STEPS) steps.push(tried);
  }

  of(label: string): readonly Tried[] {
    return this.#attempts.get(label)?.steps ?? [];
  }

  #start(label: string, begunAt: number): Attempt {
    this.#attempts.delete(label);
    for (const oldest of this.#attempts.keys()) {
      if (this.#attempts.size < MAX_PEOPLE) break;
      this.#attempts.delete(oldest);
    }
    const attempt = { begunAt, steps: [] };
    this.#attempts.set(label, attempt);
    return attempt;
  }
}
