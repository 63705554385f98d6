/**
 * What the store needs when nothing else is written: words are indexed for the search, and what was
 * deleted or taken back is wiped from the log beside the file.
 */
import type { MessengerEvent } from "../conversation/events.ts";
import type { Profile } from "./profile.ts";
import { isDamage, isStorageFailure } from "../disk/sqlite.ts";

/** Batches of one look: together they hold the program up no longer than a keystroke. */
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

  /** Looks whether an event leaves something behind that nobody shall read, or tells of a damaged file. */
  notice(event: MessengerEvent): void {
    if (event.name === "cancelled" || event.name === "changed") this.#isWipeDue = true;
    const isFailure = event.name === "storageFailed" || event.name === "sendFailed";
    if (isFailure && isDamage(event.error)) this.#stores.noteDamage();
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
      // A search catches up by itself, and tells whoever asked when the disk does not let it.
      if (!isStorageFailure(error)) throw error;
      this.#stopped = true;
    }
  }
}
