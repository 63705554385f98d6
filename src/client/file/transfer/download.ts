/**
 * The receiver's side of one transfer.
 *
 * 1. What an earlier process has written is compared with the hashes of its leaves; what does not match is asked for again.
 * 2. When nothing is missing and the sender has told size and digest, and they are those of what is here, it gets its name.
 *    Of a file of a group the SHA-256 was told before.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isRoomFor } from "../../disk/free-space.ts";
import type { LinkConnection } from "../../peer/proven-connection.ts";
import type { Transfer } from "../../profile/transfers.ts";
import { namedPath } from "../file-sink.ts";
import { Leaves, type Range } from "../leaves.ts";
import { openSink, placeOf, removePart } from "./open-sink.ts";
import { Receiving, type ReceivingEnd } from "../receiving.ts";
import { SinkError, type Sink } from "../source.ts";
import { orClosed, BEGUN, pausedBy, sha256Of, type Outcome, type Work } from "./work.ts";

type Opened = { readonly sink: Sink; readonly leaves: Leaves };

export class Download implements Work {
  /** For the hashes of the leaves, and the notes of the sink. */
  readonly #folder: string;
  #opened: Opened | undefined;
  /** Whether what an earlier process has written was compared: for what this one writes that is not done. */
  #isCompared = false;
  #ranges: readonly Range[] = [];
  #done = 0;
  /** Of a transfer whose size is not known: whether its one stream has begun, and has ended well. */
  #only: "none" | "begun" | "whole" = "none";

  /** Of what is to be received, in hexadecimal; undefined: the sender tells a digest at the end. */
  readonly #expected: string | undefined;

  /** @param folder of this transfer, in the profile's folder. @param expected the SHA-256 of a file, in hexadecimal */
  constructor(folder: string, expected?: string) {
    this.#folder = folder;
    this.#expected = expected;
  }

  /** For the sink. */
  get #notes(): string {
    return join(this.#folder, "sink");
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  get done(): number {
    return this.#done;
  }

  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  async look(transfer: Transfer): Promise<Outcome> {
    return orPaused(async () => {
      const path = await namedPath(placeOf(transfer, this.#notes));
      if (path !== undefined) return { name: "done", path, sha256: this.#expected };
      const { sink, leaves } = await this.#open(transfer);
      const { size, end } = transfer;
      if (size === undefined) {
        if (this.#only === "begun") return { name: "failed", reason: "lost" };
        this.#ranges = this.#only === "none" ? [[0, null]] : [];
      } else {
        this.#ranges = leaves.missing(size);
        this.#done = leaves.knownBytes(size);
      }
      if (this.#ranges.length > 0) {
        const rest = size === undefined ? 0 : size - this.#done;
        const hasRoom = await isRoomFor(transfer.folder ?? "", rest);
        return hasRoom ? { name: "stream" } : { name: "paused", reason: "no_space", isOurs: true };
      }
      if (this.#expected !== undefined && size !== undefined)
        return this.#finishExpected(this.#expected, sink, size);
      return end === undefined ? { name: "waiting" } : this.#finish(transfer, end, { sink, leaves });
    });
  }

  async #open(transfer: Transfer): Promise<Opened> {
    const opened = (this.#opened ??= await this.#openFiles(transfer));
    if (this.#isCompared) return opened;
    if (transfer.size !== undefined) await opened.leaves.verify(opened.sink, transfer.size);
    // Without a size nobody knows what follows.
    else if (existsSync(join(this.#folder, BEGUN))) this.#only = "begun";
    this.#isCompared = true;
    return opened;
  }

  async #openFiles(transfer: Transfer): Promise<Opened> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const leaves = new Leaves(join(this.#folder, "leaves"));
    return { leaves, sink: await orClosed(leaves, () => openSink(transfer, this.#notes)) };
  }

  async run(
    connection: LinkConnection,
    _theirs: readonly Range[] | undefined,
    transfer: Transfer,
    moved: () => void,
  ): Promise<Outcome> {
    const opened = await this.#open(transfer);
    const ranges = this.#ranges;
    if (!connection.isOpen) return { name: "broken" };
    if (ranges.length === 0) {
      connection.end("nothing_missing");
      return { name: "waiting" };
    }
    if (transfer.size === undefined) {
      this.#only = "begun";
      writeFileSync(join(this.#folder, BEGUN), "");
    }
    const { promise, resolve } = Promise.withResolvers<ReceivingEnd>();
    const progress = (bytes: number) => {
      this.#done += bytes;
      moved();
    };
    new Receiving(connection, { ...opened, ranges, progress, ended: resolve });
    connection.resumeReading();
    const end = await promise;
    switch (end.name) {
      case "received":
        if (transfer.size === undefined) this.#only = "whole";
        return { name: "stream" };
      case "failed": {
        const outcome = await orPaused(() => Promise.reject(end.error));
        // It cannot be sent again.
        const isLost = transfer.size === undefined && outcome.name === "paused";
        return isLost ? { name: "failed", reason: outcome.reason } : outcome;
      }
      case "broken":
        return transfer.size === undefined ? { name: "failed", reason: "lost" } : end;
      default:
        return end satisfies never;
    }
  }

  /** Nothing is missing. @throws SinkError */
  async #finish(
    transfer: Transfer,
    end: NonNullable<Transfer["end"]>,
    { sink, leaves }: Opened,
  ): Promise<Outcome> {
    const { size = this.#done } = transfer;
    if (end.size !== size) return { name: "failed", reason: "damaged" };
    if (leaves.digest(size) !== end.digest) {
      await leaves.verify(sink, size);
      this.#ranges = leaves.missing(size);
      const isRepaired = this.#ranges.length > 0 && transfer.size !== undefined;
      return isRepaired ? { name: "stream" } : { name: "failed", reason: "damaged" };
    }
    const isHashed = transfer.wantsSha256 && transfer.entries === undefined;
    const sha256 = isHashed ? await sha256Of(sink, size) : undefined;
    return { name: "done", path: await sink.finish(), sha256 };
  }

  /** Nothing is missing. @throws SinkError */
  async #finishExpected(expected: string, sink: Sink, size: number): Promise<Outcome> {
    const sha256 = await sha256Of(sink, size);
    if (sha256 !== expected) return { name: "failed", reason: "damaged" };
    return { name: "done", path: await sink.finish(), sha256 };
  }

  told(code: string): Outcome {
    return pausedBy(code);
  }

  close(): void {
    this.#opened?.sink.close();
    this.#opened?.leaves.close();
    this.#opened = undefined;
  }

  async discard(transfer: Transfer): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#done = 0;
    opened?.leaves.close();
    try {
      // An earlier process may have received a part.
      await (opened === undefined ? removePart(transfer) : opened.sink.discard());
    } catch (error) {
      // What can be reached no more, as on a disk that was taken away, stays as it is.
      if (!(error instanceof SinkError)) throw error;
      opened?.sink.close();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Where the disk is full, it is tried again when there is room. */
async function orPaused(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SinkError)) throw error;
    const { code: reason } = error;
    return reason === "no_space" ? { name: "paused", reason, isOurs: true } : { name: "failed", reason };
  }
}
