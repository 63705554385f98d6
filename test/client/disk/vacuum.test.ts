import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { takeProfile } from "../../../src/client/disk/check.ts";
import { profileFile } from "../../../src/client/disk/folders.ts";
import { arriving, MessageScene, withScene } from "../message-scene.ts";
import { inTemporaryFolder } from "../test-profile.ts";

/** Goes online with the profile, and offline. @returns what was said of its file */
function goOnline(folder: string): string[] {
  const said: string[] = [];
  const profile = { folder, username: "Berta" };
  takeProfile({ profile, command: "test", onEvent: ({ health }) => said.push(health) }).release();
  return said;
}

/** `count` texts of 20,000 letters arrive, `wN` in each. */
function receiveLong(scene: MessageScene, count: number): void {
  const ana = scene.contacts.ensure("Ana");
  const texts = Array.from({ length: count }, (_, index) =>
    arriving(`m${index}`, `w${index} `.repeat(5_000)),
  );
  scene.read(ana, { incoming: texts });
}

const sizeOf = (folder: string) => statSync(profileFile(folder)).size;

test("an earlier program's file is rewritten once, when its account goes online; then deletions make it smaller", () =>
  inTemporaryFolder((folder) => {
    const old = new Database(profileFile(folder), { create: true });
    old.run(readFileSync(join(import.meta.dir, "profiles", "version-4.sql"), "utf8"));
    old.close();
    const scene = new MessageScene(folder);
    receiveLong(scene, 60);
    const pragma = (name: string) => Object.values(scene.database.query(`PRAGMA ${name}`).get() ?? {})[0];
    expect(pragma("auto_vacuum")).toBe(0);
    const ids = scene.all(scene.contacts.ensure("Ana")).map(({ id }) => id);
    goOnline(folder);
    expect(scene.all(scene.contacts.ensure("Ana")).map(({ id }) => id)).toEqual(ids);
    scene.checkIndex();
    scene.database.close();
    const later = new MessageScene(folder);
    const before = statSync(profileFile(folder)).mtimeMs;
    goOnline(folder);
    expect(statSync(profileFile(folder)).mtimeMs).toBe(before);
    later.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const size = sizeOf(folder);
    const ana = later.contacts.ensure("Ana");
    for (let index = 0; index < 50; index++) later.removal.delete(ana, `m${index}`, false);
    while (later.wipe.step() === "more");
    expect(sizeOf(folder)).toBeLessThan(size - 500_000);
    later.database.close();
  }));

test("after a deletion the next process that goes online rewrites the file, however large, beside readers", () =>
  withScene((scene, folder) => {
    receiveLong(scene, 900);
    expect(sizeOf(folder)).toBeGreaterThan(16 * 1024 * 1024);
    expect(goOnline(folder)).toEqual([]);
    const ana = scene.contacts.ensure("Ana");
    scene.removal.delete(ana, "m1", false);
    const reader = new Database(scene.file, { strict: true });
    reader.run("BEGIN");
    expect(reader.query("SELECT count(*) AS count FROM messages").get()).toEqual({ count: 900 });
    expect(goOnline(folder)).toEqual(["rewriting"]);
    expect(scene.wipe.step()).toBe("blocked");
    reader.close();
    expect(goOnline(folder)).toEqual([]);
    while (scene.wipe.step() === "more");
    expect(scene.bytes).not.toContain("w1 w1 ");
    expect(scene.bytes).toContain("w2 w2 ");
    // Nothing lies beside it any more.
    expect(readdirSync(folder).toSorted()).toEqual([
      "lock.db",
      "profile.db",
      "profile.db-shm",
      "profile.db-wal",
    ]);
  }));

test("going online waits for no process that writes, and rewrites the file another time", () =>
  withScene((scene, folder) => {
    scene.receive(scene.contacts.ensure("Ana"), "a", "b");
    scene.removal.delete(scene.contacts.ensure("Ana"), "a", false);
    const due = () => scene.database.query("SELECT deletions > rewritten AS due FROM wipes").get();
    const writer = new Database(scene.file, { strict: true });
    writer.run("BEGIN IMMEDIATE");
    goOnline(folder);
    expect(due()).toEqual({ due: 1 });
    writer.close();
    goOnline(folder);
    expect(due()).toEqual({ due: 0 });
  }));
