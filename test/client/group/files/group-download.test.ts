/** A file of a group whose parts come from several members, of whom some lie. */
import { createHash } from "node:crypto";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { FileSink } from "../../../../src/client/file/file-sink.ts";
import { LEAF_BYTES, leafHash, Leaves } from "../../../../src/client/file/leaves.ts";
import { placeOf } from "../../../../src/client/file/transfer/open-sink.ts";
import { GroupDownload } from "../../../../src/client/group/files/group-download.ts";
import type { Transfer } from "../../../../src/client/profile/transfers.ts";
import { noise, withScene, type Scene } from "../../file/scene.ts";

const SIZE = 2 * LEAF_BYTES + 7;
const WHOLE = noise(SIZE);
const WRONG = noise(SIZE, 2);
const SHA256 = createHash("sha256").update(WHOLE).digest("hex");

class Fetched {
  readonly own: string;
  readonly transfer: Transfer;
  readonly refused: string[] = [];
  emptied = 0;
  work: GroupDownload;

  constructor({ folder, parent }: Scene) {
    this.own = join(parent, "own");
    this.transfer = { name: "received", size: SIZE, stamp: "k1", folder } as unknown as Transfer;
    this.work = this.begin();
  }

  begin(): GroupDownload {
    return (this.work = new GroupDownload(this.own, SHA256, {
      refused: (code) => this.refused.push(code),
      emptied: () => this.emptied++,
    }));
  }

  look(): ReturnType<GroupDownload["look"]> {
    return this.work.look(this.transfer);
  }

  /** A process gets these leaves from a member, and ends. */
  async give(giver: string, from: Uint8Array, leaves: readonly number[]): Promise<void> {
    await this.work.from(giver, this.transfer);
    this.work.close();
    const sink = await FileSink.open(placeOf(this.transfer, join(this.own, "sink")), SIZE);
    const hashes = new Leaves(join(this.own, "leaves"));
    for (const leaf of leaves) {
      const bytes = from.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES);
      await sink.write(leaf * LEAF_BYTES, bytes);
      hashes.set(leaf, leafHash(bytes));
    }
    sink.close();
    hashes.close();
    this.begin();
  }
}

test("a file that several gave is named once its SHA-256 is the one that was told", () =>
  withScene(async (scene) => {
    const fetched = new Fetched(scene);
    expect(await fetched.look()).toEqual({ name: "stream" });
    await fetched.give("ana", WHOLE, [0]);
    expect(await fetched.look()).toEqual({ name: "stream" });
    expect(fetched.work.ranges).toEqual([[LEAF_BYTES, SIZE]]);
    await fetched.give("eva", WHOLE, [1, 2]);
    const path = join(scene.folder, "received");
    expect(await fetched.look()).toEqual({ name: "done", path, sha256: SHA256 });
    expect(readFileSync(path).equals(WHOLE)).toBe(true);
    fetched.work.close();
    // A process that has not stored that it is done.
    fetched.begin();
    expect(await fetched.look()).toEqual({ name: "done", path, sha256: SHA256 });
  }));

test("one who gives another file is not asked again, also not by a later process", () =>
  withScene(async (scene) => {
    const fetched = new Fetched(scene);
    await fetched.give("eva", WRONG, [0, 1, 2]);
    expect(await fetched.look()).toEqual({ name: "broken" });
    expect(readdirSync(scene.folder)).toEqual([]);
    expect(fetched.emptied).toBe(1);
    fetched.begin();
    expect([fetched.work.isLiar("eva"), fetched.work.isLiar("ana")]).toEqual([true, false]);
    await fetched.give("ana", WHOLE, [0, 1, 2]);
    expect(await fetched.look()).toMatchObject({ name: "done" });
    fetched.work.close();
  }));

test("of several nobody is blamed; from then on all is from one, and the liar is found", () =>
  withScene(async (scene) => {
    const fetched = new Fetched(scene);
    await fetched.give("eva", WRONG, [0]);
    await fetched.give("ana", WHOLE, [1, 2]);
    expect(await fetched.look()).toEqual({ name: "broken" });
    expect([fetched.work.isLiar("eva"), fetched.work.isLiar("ana")]).toEqual([false, false]);
    await fetched.give("ana", WHOLE, [0, 1]);
    // A change of the giver begins anew.
    await fetched.give("eva", WRONG, []);
    expect(await fetched.look()).toEqual({ name: "stream" });
    expect(fetched.work.ranges).toEqual([[0, SIZE]]);
    await fetched.give("eva", WRONG, [0, 1, 2]);
    expect(await fetched.look()).toEqual({ name: "broken" });
    expect([fetched.work.isLiar("eva"), fetched.work.isLiar("ana")]).toEqual([true, false]);
    await fetched.give("ana", WHOLE, [0, 1, 2]);
    expect(await fetched.look()).toMatchObject({ name: "done", sha256: SHA256 });
    fetched.work.close();
  }));

test("what one says who does not give it is told, and another stream is wanted", () =>
  withScene(async (scene) => {
    const fetched = new Fetched(scene);
    expect(fetched.work.told("no_such_file")).toEqual({ name: "broken" });
    expect(fetched.refused).toEqual(["no_such_file"]);
    await fetched.work.discard(fetched.transfer);
    expect(existsSync(fetched.own)).toBe(false);
  }));

test("where a loss of power has left no word of who gave it, nobody is blamed", () =>
  withScene(async (scene) => {
    const fetched = new Fetched(scene);
    await fetched.give("eva", WRONG, [0, 1, 2]);
    writeFileSync(join(fetched.own, "givers"), "");
    fetched.begin();
    expect(await fetched.look()).toEqual({ name: "broken" });
    expect(fetched.work.isLiar("eva")).toBe(false);
    await fetched.give("ana", WHOLE, [0, 1, 2]);
    expect(await fetched.look()).toMatchObject({ name: "done" });
    fetched.work.close();
  }));
