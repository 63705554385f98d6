/**
 * Upkeep of the store while nothing else is written: words are indexed for the search, deleted texts are removed from
 * the write-ahead log, and revocations are saved.
 */
import type { Profile } from "./profile.ts";
import { isStorageFailure } from "../disk/sqlite.ts";

/** Pieces indexed in one tick, and the time after which no further one begins, in ms: the person does not notice it. */
const PIECES = 4;
const LONGEST_WORK = 20;

type UpkeepStores = {
  readonly messages: Pick<Profile["messages"], "lastSeq">;
  readonly search: Pick<Profile["search"], "indexSome" | "isBehind">;
  readonly removal: Pick<Profile["removal"], "wipeLog">;
  readonly revocations: Pick<Profile["revocations"], "save">;
};

export class StoreUpkeep {
  readonly #stores: UpkeepStores;
  readonly #monotonic: () => number;
  #lastSeq = 0;
  #isWipeDue = false;
  #stopped = false;

  /** @param monotonic ms, never set back */
  constructor(stores: UpkeepStores, monotonic = () => performance.now()) {
    this.#stores = stores;
    this.#monotonic = monotonic;
  }

  /** Wipes the log at the next tick: it may contain a text that was deleted or withdrawn. */
  wipeSoon(): void {
    this.#isWipeDue = true;
  }

  /** To be called about once a second. */
  tick(): void {
    this.#unlessFailed(() => this.#work());
  }

  /** Writes what waits for the next tick. */
  finish(): void {
    this.#unlessFailed(() => this.#stores.revocations.save());
  }

  #unlessFailed(work: () => void): void {
    if (this.#stopped) return;
    try {
      work();
    } catch (error) {
      // A search indexes the rest itself, and reports a failure of the disk; the server tells revocations again.
      if (!isStorageFailure(error)) throw error;
      this.#stopped = true;
    }
  }

  #work(): void {
    const { messages, search, removal, revocations } = this.#stores;
    revocations.save();
    if (this.#isWipeDue) removal.wipeLog();
    this.#isWipeDue = false;
    const last = messages.lastSeq();
    const isQuiet = last === this.#lastSeq;
    this.#lastSeq = last;
    if (!isQuiet) return;
    const end = this.#monotonic() + LONGEST_WORK;
    for (let piece = 0; piece < PIECES && search.isBehind && this.#monotonic() < end; piece++) {
      search.indexSome();
    }
  }
}
