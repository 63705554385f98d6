/**
 * Which failures of the store are told: each as it comes, but that its file is not in its place any more once, and that
 * too little of the disk is free once until there is more.
 */
import { isLowDisk, type FreeSpace } from "./free-space.ts";
import { StorageGuard } from "./storage-guard.ts";

type Store = {
  readonly space: Pick<FreeSpace, "isLow">;
  /** @throws if the file is not in its place */
  readonly messages: { checkInPlace(): void };
  /** Keeps that a file is damaged, if the error says so. */
  noteDamage(error: Error): void;
};

export class StoreFaults {
  readonly guard: StorageGuard;
  readonly #store: Store;
  #hasMoved = false;
  /** Whether it was told, and since then there is no more room. */
  #isDiskLow = false;

  constructor(store: Store, tell: (error: Error) => void) {
    this.#store = store;
    this.guard = new StorageGuard((error) => {
      store.noteDamage(error);
      // It comes with everything that arrives.
      if (isLowDisk(error)) {
        if (this.#isDiskLow) return;
        this.#isDiskLow = true;
      }
      tell(error);
    });
  }

  /** To be called about once a second: a file that was moved or deleted is told of also while nothing is stored. */
  tick(): void {
    const { messages, space } = this.#store;
    if (!this.#hasMoved)
      try {
        messages.checkInPlace();
      } catch (error) {
        this.#hasMoved = true;
        this.guard.failed(error);
      }
    if (this.#isDiskLow) this.#isDiskLow = this.guard.attempt(() => space.isLow) !== false;
  }
}
