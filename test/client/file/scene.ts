/** Places on the disk for the tests of received files. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Place } from "../../../src/client/file/file-sink.ts";
import type { Sink, Source } from "../../../src/client/file/source.ts";
import { seededRandom } from "../../seeded-random.ts";
import { inTemporaryFolder } from "../test-profile.ts";

export type Scene = {
  /** Where received files go. */
  readonly folder: string;
  /** Beside it: the profile's folder, and files to send. */
  readonly parent: string;
  place(name: string): Place;
};

export function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (parent) => {
    const folder = join(parent, "downloads");
    mkdirSync(folder);
    const place = (name: string): Place => ({
      folder,
      key: "k1",
      name,
      notes: join(parent, "notes"),
      modified: undefined,
    });
    await use({ folder, parent, place });
  });
}

/** Bytes without a pattern, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  return seededRandom(seed).bytes(length);
}

/** All bytes of a source or a sink, read in slices. */
export async function allOf(from: Source | Sink, slice = 100_000): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let offset = 0; ;) {
    const part = Buffer.alloc(slice);
    const count = await from.read(offset, part);
    if (count === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, count));
    offset += count;
  }
}

/** Rejections by their code. */
export async function faultOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

const LEAF = 1024 * 1024;

/** Writes a source to a sink, leaf by leaf, as a transfer does. @returns the path that it got */
export async function received(source: Source, sink: Sink, from = 0): Promise<string> {
  const leaf = Buffer.alloc(LEAF);
  for (let offset = from; ; offset += LEAF) {
    const count = await source.read(offset, leaf);
    if (count > 0) await sink.write(offset, leaf.subarray(0, count));
    if (count < LEAF) break;
  }
  const path = await sink.finish();
  sink.close();
  source.close();
  return path;
}
