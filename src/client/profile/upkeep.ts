/**
 * Upkeep of the store while nothing else is written: words are indexed for the search, and deleted texts are
 * removed from the write-ahead log.
 */
import type { Profile } from "./profile.ts";
import { isStorageFailure } from "../disk/sqlite.ts";

/** Batches in one tick: the person does not notice the time they take. */
const BATCHES = 4;

type UpkeepStores = {
  readonly messages: Pick<Profile["messages"], "lastSeq">;
  readonly search: Pick<Profile["search"], "indexSome" | "isBehind">;
  readonly removal: Pick<Profile["removal"], "wipeLog">;
};

export class StoreUpkeep {
  readonly #stores: UpkeepStores;
  #lastSeq = 0;
  #isWipeDue = false;
  #stopped = false;

  constructor(stores: UpkeepStores) {
    this.#stores = stores;
  }

  /** Wipes the log at the next tick: it may contain a text that was deleted or withdrawn. */
  wipeSoon(): void {
    this.#isWipeDue = true;
  }

  /** To be called about once a second. */
  tick(): void {
    if (this.#stopped) return;
    const { messages, search, removal } = this.#stores;
    try {
      if (this.#isWipeDue) removal.wipeLog();
      this.#isWipeDue = false;
      const last = messages.lastSeq();
      const isQuiet = last === this.#lastSeq;
      this.#lastSeq = last;
      if (!isQuiet) return;
      for (let batch = 0; batch < BATCHES && search.isBehind; batch++) search.indexSome();
    } catch (error) {
      // A search indexes the rest itself, and reports a failure of the disk.
      if (!isStorageFailure(error)) throw error;
      this.#stopped = true;
    }
  }
}
