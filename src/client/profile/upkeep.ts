/**
 * Upkeep of the store while nothing else is written: words are indexed for the search, and what was deleted or
 * withdrawn is removed from the write-ahead log.
 */
import type { Profile } from "./profile.ts";
import { isDamage, isStorageFailure } from "../disk/sqlite.ts";

/** Batches in one tick: together they take no longer than a keystroke. */
const BATCHES = 4;

export type UpkeepStores = {
  readonly messages: Pick<Profile["messages"], "lastSeq">;
  readonly search: Pick<Profile["search"], "indexSome" | "isBehind">;
  readonly removal: Pick<Profile["removal"], "wipeLog">;
  /** As `Profile.noteDamage`. */
  noteDamage(): void;
};

export class StoreUpkeep {
  readonly #stores: UpkeepStores;
  #lastSeq = 0;
  #isWipeDue = false;
  #stopped = false;

  constructor(stores: UpkeepStores) {
    this.#stores = stores;
  }

  /** Has the profile checked at the next start when `error` tells of damage, and not of a full disk. */
  noteDamage(error: Error): void {
    if (isDamage(error)) this.#stores.noteDamage();
  }

  /** Wipes the log at the next tick: something that was deleted or withdrawn may still stand there. */
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
      // A search indexes the rest itself, and reports when the disk fails.
      if (!isStorageFailure(error)) throw error;
      this.#stopped = true;
    }
  }
}
