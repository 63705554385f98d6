/**
 * Holds back what may be said only of commits that are on the disk: acknowledgements, and events that say that something is
 * stored. One sync runs at a time; what is committed meanwhile shares the next one. Everything is released in the order in
 * which it was given, also what need not wait itself.
 */
import { SyncError, type CommitLog } from "./write-ahead-log.ts";

/** What may wait; beyond it a sync keeps the event loop waiting, and with it those who send. */
const MAX_WAITING = 65_536;
/** About how many bytes of peers may wait; beyond it nothing more is to be read of them, and what they send waits there. */
const MAX_TAKEN = 1024 * 1024;

type Waiting = {
  /** The number of the last commit that must be on the disk. */
  readonly commit: number;
  readonly run: () => void;
  readonly failed: (error: SyncError) => void;
};

export class Durability {
  readonly #log: CommitLog;
  readonly #onFailed: (error: SyncError) => void;
  readonly #onBehind: (isBehind: boolean) => void;
  /** In order; those that ran are at the start, before `#released`. */
  #waiting: Waiting[] = [];
  #released = 0;
  /** Numbers of commits that must be durable: the last one, the last one that a sync covers, the last one on the disk. */
  #written = 0;
  #syncing = 0;
  #durable = 0;
  #isReleasing = false;
  /** Bytes of peers that wait. */
  #taken = 0;
  #isBehind = false;
  /** From then on nothing counts as stored: Linux may report the next sync as good. */
  #failure: SyncError | undefined;

  /**
   * @param onFailed is called once, after what had waited was told
   * @param onBehind is called when too much of peers waits, and when it does no longer
   */
  constructor(log: CommitLog, onFailed: (error: SyncError) => void, onBehind: (isBehind: boolean) => void) {
    this.#log = log;
    this.#onFailed = onFailed;
    this.#onBehind = onBehind;
  }

  /** To be called before anything is stored. @throws SyncError after a sync has failed, until the profile is opened again */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A light commit was made. @param run when it and all before it are on the disk. @param failed they may never be */
  written(run: () => void, failed: (error: SyncError) => void = () => undefined): void {
    if (this.#failure !== undefined) {
      failed(this.#failure);
      return;
    }
    this.#written++;
    this.#waiting.push({ commit: this.#written, run, failed });
    if (this.#syncing === this.#durable) this.#sync();
    if (this.#waiting.length - this.#released > MAX_WAITING) this.#syncNow();
  }

  /** As `written`, of about so many bytes that a peer has sent. */
  taken(bytes: number, run: () => void): void {
    this.#taken += bytes;
    const ended = () => void (this.#taken -= bytes);
    this.written(() => {
      ended();
      run();
    }, ended);
    this.#tellBehind();
  }

  #tellBehind(): void {
    const isBehind = this.#taken > MAX_TAKEN;
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    this.#onBehind(isBehind);
  }

  /** Runs what must not overtake what waits: at once if nothing does. @param failed as for `written` */
  inOrder(run: () => void, failed: (error: SyncError) => void = run): void {
    if (this.#waiting.length === 0) run();
    else this.#waiting.push({ commit: this.#written, run, failed });
  }

  /** Resolves when nothing waits and no sync is under way any more. @throws SyncError */
  settled(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isIdle = this.#waiting.length === 0 && this.#syncing === this.#durable;
    if (isIdle && this.#failure === undefined) resolve();
    else this.written(resolve, reject);
    return promise;
  }

  #sync(): void {
    const covered = this.#written;
    this.#syncing = covered;
    this.#log.sync((error) => {
      if (error === null) this.#synced(covered);
      else this.#fail(error);
    });
  }

  #syncNow(): void {
    const covered = this.#written;
    try {
      this.#log.syncNow();
    } catch (error) {
      this.#fail(error);
      return;
    }
    // The sync under way ends later, and has nothing left to release.
    this.#durable = covered;
    this.#release();
  }

  #synced(covered: number): void {
    if (this.#failure !== undefined) return;
    this.#durable = Math.max(this.#durable, covered);
    this.#syncing = this.#durable;
    if (this.#written > this.#durable) this.#sync();
    this.#release();
  }

  #release(): void {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    try {
      for (;;) {
        const next = this.#waiting[this.#released];
        if (next === undefined || next.commit > this.#durable) break;
        this.#released++;
        next.run();
      }
    } finally {
      this.#isReleasing = false;
      this.#waiting = this.#waiting.slice(this.#released);
      this.#released = 0;
    }
    this.#tellBehind();
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const error = new SyncError(cause);
    this.#failure = error;
    const waiting = this.#waiting.slice(this.#released);
    this.#waiting = [];
    this.#released = 0;
    for (const { failed } of waiting) failed(error);
    this.#onFailed(error);
    this.#tellBehind();
  }
}
