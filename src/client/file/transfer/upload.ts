/**
 * The sender's side of one transfer.
 *
 * 1. The receiver says on each stream what it wants. Once it has got that, the source is looked at again, and the digest
 *    over all leaves is told.
 * 2. Whatever else the receiver wants after that it has to ask for.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { LinkConnection } from "../../peer/proven-connection.ts";
import type { Transfer } from "../../profile/transfers.ts";
import { Leaves, type Range } from "../leaves.ts";
import { openSource } from "./open-source.ts";
import { areWithin, Sending, type SendingEnd } from "../sending.ts";
import { SourceError, type Source } from "../source.ts";
import { orClosed, BEGUN, pausedBy, sha256Of, type Outcome, type Work } from "./work.ts";

type Opened = { readonly source: Source; readonly leaves: Leaves };

export class Upload implements Work {
  readonly ranges = undefined;
  /** For the hashes of the leaves. */
  readonly #folder: string;
  #opened: Opened | undefined;
  #done = 0;

  /** @param folder of this transfer, in the profile's folder */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get done(): number {
    return this.#done;
  }

  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  async look(transfer: Transfer): Promise<Outcome> {
    if (transfer.end !== undefined) {
      // It is opened again if anything is missing there.
      this.close();
      return { name: "waiting" };
    }
    return orFailed(async () => {
      const { source } = await this.#open(transfer);
      if (this.#isSpent) return { name: "failed", reason: "lost" };
      return source.size === 0 ? this.#sent(transfer) : { name: "stream" };
    });
  }

  async #open(transfer: Transfer): Promise<Opened> {
    if (this.#opened === undefined) {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const leaves = new Leaves(join(this.#folder, "leaves"));
      const source = await orClosed(leaves, () => openSource(transfer));
      this.#opened = { source, leaves };
    }
    return this.#opened;
  }

  async run(
    connection: LinkConnection,
    theirs: readonly Range[] | undefined,
    transfer: Transfer,
    moved: () => void,
  ): Promise<Outcome> {
    return orFailed(async () => {
      const { source, leaves } = await this.#open(transfer);
      if (!connection.isOpen || theirs === undefined || !areWithin(theirs, source.size)) {
        connection.terminate("bad_request");
        return { name: "broken" };
      }
      const ranges = theirs;
      if (source.size === undefined) {
        if (this.#isSpent) return { name: "failed", reason: "lost" };
        writeFileSync(join(this.#folder, BEGUN), "");
      }
      this.#done =
        (source.size ?? 0) - ranges.reduce((sum, [from, to]) => sum + ((to ?? source.size ?? 0) - from), 0);
      if (ranges.length > 0) {
        const { promise, resolve } = Promise.withResolvers<SendingEnd>();
        const progress = (bytes: number) => {
          this.#done += bytes;
          moved();
        };
        new Sending(connection, { source, leaves, ranges, progress, ended: resolve });
        connection.resumeReading();
        const end = await promise;
        if (end.name === "failed") throw end.error;
        // What is read once cannot be sent again.
        const isOnce = source.size === undefined;
        if (end.name === "told") {
          const paused = pausedBy(end.code);
          return isOnce ? { name: "failed", reason: paused.reason } : paused;
        }
        if (end.name === "broken") return isOnce ? { name: "failed", reason: "lost" } : end;
      } else connection.end("nothing_to_send");
      return transfer.end === undefined ? this.#sent(transfer) : { name: "waiting" };
    });
  }

  /** Whether something was read of what can be read once, maybe by an earlier process. */
  get #isSpent(): boolean {
    return existsSync(join(this.#folder, BEGUN));
  }

  /** The receiver has got what it wanted. @throws SourceError */
  async #sent(transfer: Transfer): Promise<Outcome> {
    const { source, leaves } = await this.#open(transfer);
    const { size = this.#done } = source;
    // What was sent by an earlier process that has crashed.
    if (source.size !== undefined) await leaves.complete(source, size);
    const isHashed = transfer.wantsSha256 && transfer.entries === undefined && source.size !== undefined;
    const sha256 = isHashed ? await sha256Of(source, size) : undefined;
    await source.check();
    const digest = leaves.digest(size);
    if (digest === undefined) throw new SourceError("changed");
    return { name: "sent", size, digest, sha256 };
  }

  told(code: string): Outcome {
    return pausedBy(code);
  }

  close(): void {
    this.#opened?.source.close();
    this.#opened?.leaves.close();
    this.#opened = undefined;
  }

  discard(): Promise<void> {
    this.close();
    rmSync(this.#folder, { recursive: true, force: true });
    return Promise.resolve();
  }
}

async function orFailed(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { name: "failed", reason: error.code === "no_such_file" ? "gone" : error.code };
  }
}
