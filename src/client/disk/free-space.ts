/**
 * The floor of free disk: below it nothing of other people is stored, so that they cannot fill the disk to the last
 * byte, and what this machine's person writes still finds room.
 */
import { statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";

import { errorCode } from "../../net/error-code.ts";

/** Free bytes below which nothing is taken, and the share of the disk, if that is less. */
export const FREE_FLOOR = 256 * 1024 * 1024;
export const FREE_SHARE = 0.01;
/** How long the disk's answer holds, in ms. */
const CHECK_INTERVAL = 1_000;

/** Too little of the disk is free to store what other people send. */
export class LowDiskError extends Error {
  readonly code = "ELOWDISK";

  constructor() {
    super("less than 256 MiB, and less than 1 % of the disk, is free");
  }
}

/** Whether it is a `LowDiskError`, of this process or of another one. */
export function isLowDisk(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ELOWDISK";
}

/** A folder that was deleted or moved is not a full disk: the check of the open file reports it. */
function spaceOf(folder: string): Space {
  try {
    return statfsSync(folder);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return { bsize: 1, blocks: 0, bavail: 0 };
  }
}

type Space = { readonly bsize: number; readonly blocks: number; readonly bavail: number };

/** Free bytes above the floor; negative: below it. */
function aboveFloor({ bsize, blocks, bavail }: Space): number {
  return bavail * bsize - Math.min(FREE_FLOOR, FREE_SHARE * blocks * bsize);
}

/** Whether a file of `size` bytes would leave the disk of this folder above the floor. @throws system errors */
export async function isRoomFor(folder: string, size: number): Promise<boolean> {
  return size <= aboveFloor(await statfs(folder));
}

export class FreeSpace {
  readonly #look: () => Space;
  readonly #monotonic: () => number;
  #last: { readonly at: number; readonly isLow: boolean } | undefined;

  /**
   * @param folder on the disk
   * @param monotonic ms, never set back
   * @param look what the system says about the disk
   */
  constructor(
    folder: string,
    monotonic = () => performance.now(),
    look: () => Space = () => spaceOf(folder),
  ) {
    this.#monotonic = monotonic;
    this.#look = look;
  }

  /** Asks the system at most once a second. @throws system errors */
  get isLow(): boolean {
    const now = this.#monotonic();
    if (this.#last === undefined || now - this.#last.at >= CHECK_INTERVAL) {
      this.#last = { at: now, isLow: aboveFloor(this.#look()) < 0 };
    }
    return this.#last.isLow;
  }

  /** @throws LowDiskError; system errors */
  check(): void {
    if (this.isLow) throw new LowDiskError();
  }
}
