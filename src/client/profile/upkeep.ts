/**
 * Upkeep of the store beside the conversations: revocations are saved, deleted texts are wiped, and words are indexed
 * for the search while nothing else is written.
 */
import type { Profile } from "./profile.ts";
import { isStorageFailure } from "../disk/sqlite.ts";

/** Pieces indexed in one tick. */
const PIECES = 4;
/** The time after which a tick begins no further piece or step, in ms: the person does not notice it. */
const LONGEST_WORK = 20;
/** As `LONGEST_WORK`, when the messenger ends and keeps nobody waiting. */
const LAST_WORK = 200;
/** Between two rewritings of a small file, and after a failure of the disk, which may have room later; ms. */
const REST = 60_000;

type UpkeepStores = {
  readonly messages: Pick<Profile["messages"], "lastSeq">;
  readonly search: Pick<Profile["search"], "indexSome" | "isBehind">;
  readonly wipe: Pick<Profile["wipe"], "rewriteSmall" | "step">;
  readonly revocations: Pick<Profile["revocations"], "save">;
} & Pick<Profile, "noteDamage">;

export class StoreUpkeep {
  readonly #stores: UpkeepStores;
  readonly #monotonic: () => number;
  #lastSeq = 0;
  #restUntil = -Infinity;
  #nextRewriting = -Infinity;

  /** @param monotonic ms, never set back */
  constructor(stores: UpkeepStores, monotonic = () => performance.now()) {
    this.#stores = stores;
    this.#monotonic = monotonic;
  }

  /** To be called about once a second. */
  tick(): void {
    if (this.#monotonic() < this.#restUntil) return;
    this.#unlessFailed(() => this.#work(this.#monotonic() + LONGEST_WORK));
  }

  /** Writes what waits for the next tick. */
  finish(): void {
    this.#unlessFailed(() => {
      this.#stores.revocations.save();
      this.#stores.wipe.rewriteSmall();
      this.#wipe(this.#monotonic() + LAST_WORK);
    });
  }

  #unlessFailed(work: () => void): void {
    try {
      work();
    } catch (error) {
      // A search indexes the rest itself, and reports a failure of the disk; the server tells revocations again.
      if (!isStorageFailure(error)) throw error;
      this.#stores.noteDamage(error);
      this.#restUntil = this.#monotonic() + REST;
    }
  }

  #work(end: number): void {
    const { messages, search, wipe, revocations } = this.#stores;
    revocations.save();
    this.#wipe(end);
    const last = messages.lastSeq();
    const isQuiet = last === this.#lastSeq;
    this.#lastSeq = last;
    if (!isQuiet) return;
    if (this.#monotonic() >= this.#nextRewriting) {
      this.#nextRewriting = this.#monotonic() + REST;
      wipe.rewriteSmall();
    }
    for (let piece = 0; piece < PIECES && search.isBehind && this.#monotonic() < end; piece++) {
      search.indexSome();
    }
  }

  #wipe(end: number): void {
    while (this.#monotonic() < end && this.#stores.wipe.step() === "more");
  }
}
