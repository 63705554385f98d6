/** What is done on this disk for one transfer that is accepted: `upload.ts` and `download.ts`. */
import { createHash } from "node:crypto";

import type { LinkConnection } from "../../peer/proven-connection.ts";
import type { Transfer } from "../../profile/transfers.ts";
import { LEAF_BYTES, type Leaves, type Range, type Readable } from "../leaves.ts";

/** In the folder of a transfer whose size is not known: its one stream has begun. */
export const BEGUN = "begun";

/** What comes next. */
export type Outcome =
  /** A stream is wanted. */
  | { readonly name: "stream" }
  /** As `stream`; the last one has broken. */
  | { readonly name: "broken" }
  /** The other side has to say something, or wants a stream. */
  | { readonly name: "waiting" }
  /** Everything was sent. */
  | {
      readonly name: "sent";
      readonly size: number;
      readonly digest: string;
      readonly sha256: string | undefined;
    }
  /** Everything is here. */
  | { readonly name: "done"; readonly path: string; readonly sha256: string | undefined }
  /** It is tried again later. `isOurs`: what holds it up is found here. */
  | { readonly name: "paused"; readonly reason: string; readonly isOurs: boolean }
  | { readonly name: "failed"; readonly reason: string };

export interface Work {
  /** What our `stream` asks for, as of the last look; undefined: we are the sender. */
  readonly ranges: readonly Range[] | undefined;
  /** Bytes that have arrived, as far as is known here. */
  readonly done: number;
  /** Whether files are open. */
  readonly isOpen: boolean;
  /** Opens what is on the disk, if it is not open, and tells what comes next. */
  look(transfer: Transfer): Promise<Outcome>;
  /**
   * Moves bytes until the stream has ended.
   * @param theirs what the receiver asks for; undefined: we are the receiver
   * @param moved is called with each part
   */
  run(
    connection: LinkConnection,
    theirs: readonly Range[] | undefined,
    transfer: Transfer,
    moved: () => void,
  ): Promise<Outcome>;
  /** The other side has said, in the place of its `stream`, why it does not go on. @param code any text */
  told(code: string): Outcome;
  /** What is there stays for the next opening, which the next look is. */
  close(): void;
  /** Nothing that is unfinished stays. */
  discard(transfer: Transfer): Promise<void>;
}

/** The other side has said why it does not go on. @param code any text */
export function pausedBy(code: string): Extract<Outcome, { name: "paused" }> {
  return { name: "paused", reason: /^[a-z_]+$/.test(code) ? code : "unwritable", isOurs: false };
}

/** The SHA-256 of the first `size` bytes, in hexadecimal. @throws what `read` throws */
export async function sha256Of(from: Readable, size: number): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(Math.min(size, LEAF_BYTES));
  for (let offset = 0; offset < size;) {
    const read = await from.read(offset, buffer.subarray(0, Math.min(LEAF_BYTES, size - offset)));
    if (read === 0) break;
    hash.update(buffer.subarray(0, read));
    offset += read;
  }
  return hash.digest("hex");
}

/** Opens what belongs to these leaves. They are opened before: a file that is not closed again ends the process. */
export async function orClosed<T>(leaves: Leaves, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    leaves.close();
    throw error;
  }
}
