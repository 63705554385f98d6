/**
 * Failures of storage in what sockets, timers and events begin: nobody has called that code, so nobody could catch an
 * error. Every call of a store in it goes through `attempt`, or gives its error to `failed`.
 */
import { isStorageFailure } from "./sqlite.ts";

export class StorageGuard {
  readonly #report: (error: Error) => void;

  /** @param report called with each failure of storage */
  constructor(report: (error: Error) => void) {
    this.#report = report;
  }

  /** Reports a failure of storage. @throws any other error */
  readonly failed = (error: unknown): void => {
    if (!isStorageFailure(error)) throw error;
    this.#report(error);
  };

  /** Does `work`. @returns undefined: the storage has failed, which is reported. @throws any other error */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }
}
