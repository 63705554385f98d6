import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { profileFile } from "../../../src/client/disk/folders.ts";
import type { Contact } from "../../../src/client/profile/contacts.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";
import { arriving, MessageScene, NOW, text, withScene } from "../message-scene.ts";

/** A word like no other. */
const wordOf = (number: number) => `${Bun.hash(`word ${number}`).toString(36)}x${number.toString(36)}`;
/** The folded form of every other text is stored, too. */
const textOf = (number: number) => `zanahoria ${wordOf(number)}${number % 2 === 0 ? " ß" : ""}`;
const range = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

/** Messages `mN` with the text `textOf(N)` arrive. */
function receive(scene: MessageScene, contact: Contact, numbers: readonly number[]): void {
  scene.read(contact, { incoming: numbers.map((number) => arriving(`m${number}`, textOf(number))) });
}

function receiveAndIndex(scene: MessageScene, contact: Contact, numbers: readonly number[]): void {
  receive(scene, contact, numbers);
  while (scene.search.indexSome());
}

/** Those whose word is readable in the files: the index leaves out how a word begins like the one before it. */
function readable(scene: MessageScene, numbers: readonly number[]): number[] {
  const { bytes } = scene;
  return numbers.filter((number) => bytes.includes(wordOf(number).slice(4)));
}

function deleteChat(scene: MessageScene, contact: Contact): void {
  while (scene.removal.deleteSome(contact, scene.messages.lastSeq()).isMore);
}

let actions = 0;
const edit = (target: string, text: string) =>
  ({ kind: "edit", id: `action ${++actions}`, target, text }) as const;
const withdrawal = (target: string) => ({ kind: "withdraw", id: `action ${++actions}`, target }) as const;

test("a wipe is due after a text was deleted, changed or withdrawn by any process, and not otherwise", () =>
  withScene((scene, folder) => {
    const ana = scene.contacts.ensure("Ana");
    const beside = new MessageScene(folder);
    const dueAfter = (work: () => unknown) => {
      work();
      const { isDue } = scene.wipe;
      expect(scene.wipeAll()).toBe("done");
      expect(scene.wipe.isDue).toBe(false);
      return isDue;
    };
    expect(dueAfter(() => undefined)).toBe(false);
    expect(dueAfter(() => scene.write(ana, "a", "b", "c"))).toBe(false);
    expect(dueAfter(() => scene.receive(ana, "d", "e", "f"))).toBe(false);
    expect(dueAfter(() => scene.acknowledge(ana, "c"))).toBe(false);
    expect(dueAfter(() => scene.found("text"))).toBe(false);
    expect(dueAfter(() => scene.removal.cancel(ana, "a"))).toBe(true);
    expect(dueAfter(() => beside.removal.rewrite(ana, "b", "other", NOW))).toBe(true);
    expect(dueAfter(() => beside.removal.delete(ana, "c", true))).toBe(true);
    expect(dueAfter(() => scene.read(ana, { incoming: [edit("d", "other")] }))).toBe(true);
    expect(dueAfter(() => scene.read(ana, { incoming: [withdrawal("e")] }))).toBe(true);
    expect(dueAfter(() => deleteChat(beside, ana))).toBe(true);
    beside.database.close();
  }));

const changes: [string, (scene: MessageScene, ana: Contact) => unknown][] = [
  ["edited by them", (scene, ana) => scene.read(ana, { incoming: [edit("m1", "new")] })],
  ["withdrawn by them", (scene, ana) => scene.read(ana, { incoming: [withdrawal("m1")] })],
  ["deleted", (scene, ana) => scene.removal.delete(ana, "m1", false)],
];
test.each(changes)("the old text of a single message that was %s is unreadable after a wipe", (_, change) =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    receiveAndIndex(scene, ana, range(0, 300));
    expect(readable(scene, [1, 2])).toEqual([1, 2]);
    change(scene, ana);
    expect(scene.wipeAll()).toBe("done");
    expect(readable(scene, [1, 2])).toEqual([2]);
    scene.checkIndex();
  }),
);

test("so is the old text of one in the outbox that was edited or cancelled", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    scene.queue(text(ana, "a", textOf(1)), text(ana, "b", textOf(2)), text(ana, "c", textOf(3)));
    while (scene.search.indexSome());
    scene.removal.rewrite(ana, "a", textOf(4), NOW);
    scene.removal.cancel(ana, "b");
    expect(scene.wipeAll()).toBe("done");
    expect(readable(scene, range(1, 4))).toEqual([3, 4]);
    scene.checkIndex();
  }));

test("after any deletions, changes, indexing and interrupted wipes nothing deleted is readable", () =>
  withScene((scene, folder) => {
    const seed = testSeed();
    console.log(`PALOMA_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const chats = ["Ana", "Carla", "Dora"].map((name) => scene.contacts.ensure(name));
    /** By the number of each text that is stored: its chat and its message's id. */
    const stored = new Map<number, { readonly chat: Contact; readonly id: string }>();
    let next = 0;
    const kinds = {
      receive: () => {
        const chat = random.pick(chats);
        const numbers = range(next, 1 + random.integer(150));
        next += numbers.length;
        receive(scene, chat, numbers);
        for (const number of numbers) stored.set(number, { chat, id: `m${number}` });
      },
      index: () => void range(0, 1 + random.integer(4)).map(() => scene.search.indexSome()),
      change: () => {
        for (const [number, { chat, id }] of [...stored].filter(() => random.integer(50) === 0)) {
          stored.delete(number);
          const how = random.integer(3);
          if (how === 0) scene.removal.delete(chat, id, false);
          if (how === 1) scene.read(chat, { incoming: [withdrawal(id)] });
          if (how > 1) {
            scene.read(chat, { incoming: [edit(id, textOf(next))] });
            stored.set(next++, { chat, id });
          }
        }
      },
      deleteChat: () => {
        const chat = random.pick(chats);
        deleteChat(scene, chat);
        for (const [number, each] of stored) if (each.chat === chat) stored.delete(number);
      },
      wipe: () => void range(0, 1 + random.integer(6)).map(() => scene.wipe.step()),
      crash: () => {
        scene.database.close();
        scene = new MessageScene(folder);
      },
    };
    const often = Object.values(kinds).concat(kinds.receive, kinds.receive, kinds.change, kinds.index);
    for (let round = 0; round < 8; round++) {
      for (let step = 0; step < 15; step++) random.pick(often)();
      expect(scene.wipeAll()).toBe("done");
      const all = range(0, next);
      expect(readable(scene, all)).toEqual(all.filter((number) => stored.has(number)));
    }
    scene.checkIndex();
    expect(scene.found("zanahoria")).toHaveLength(stored.size);
    expect(scene.database.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  }));

test("a wipe gives unused pages back to the disk", () =>
  withScene((scene) => {
    const [ana, carla] = [scene.contacts.ensure("Ana"), scene.contacts.ensure("Carla")];
    receiveAndIndex(scene, ana, range(0, 3_000));
    receiveAndIndex(scene, carla, range(3_000, 300));
    scene.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const { size } = statSync(scene.file);
    deleteChat(scene, ana);
    expect(scene.wipeAll()).toBe("done");
    expect(statSync(scene.file).size).toBeLessThan(size * 0.6);
    expect(statSync(`${scene.file}-wal`).size).toBeLessThan(50_000);
    scene.checkIndex();
  }));

test("a wipe waits for no process that reads or writes, and is done once that has ended", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    receiveAndIndex(scene, ana, range(0, 500));
    const reader = new Database(scene.file, { strict: true });
    const writer = new Database(scene.file, { strict: true });
    reader.run("BEGIN");
    reader.query("SELECT * FROM messages").all();
    deleteChat(scene, ana);
    const begin = performance.now();
    writer.run("BEGIN IMMEDIATE");
    expect(scene.wipeAll()).toBe("blocked");
    writer.run("COMMIT");
    for (let attempt = 0; attempt < 20; attempt++) expect(scene.wipeAll()).toBe("blocked");
    // A commit would wait for 5 s.
    expect(performance.now() - begin).toBeLessThan(4_000);
    expect(scene.wipe.isDue).toBe(true);
    reader.run("COMMIT");
    expect(scene.wipeAll()).toBe("done");
    expect(readable(scene, range(0, 500))).toEqual([]);
    reader.close();
    writer.close();
  }));

test("a wipe that was killed after any of its steps is made up for by the next process", () =>
  withScene((scene, folder) => {
    const ana = scene.contacts.ensure("Ana");
    receiveAndIndex(scene, ana, range(0, 2_000));
    deleteChat(scene, ana);
    let kills = 0;
    do {
      const killed = join(folder, `killed-${kills++}`);
      mkdirSync(killed);
      // The files at this moment are those that a killed program leaves.
      for (const end of ["", "-wal"]) copyFileSync(scene.file + end, profileFile(killed) + end);
      const later = new MessageScene(killed);
      expect(later.wipe.isDue).toBe(true);
      expect(later.wipeAll()).toBe("done");
      expect(readable(later, range(0, 2_000))).toEqual([]);
      later.checkIndex();
      later.database.close();
      scene.wipe.step();
    } while (scene.wipe.isDue);
    expect(kills).toBeGreaterThan(1);
  }));

test("what is deleted while a wipe is under way is wiped by the next one, whichever process ends first", () =>
  withScene((scene, folder) => {
    const [ana, carla] = [scene.contacts.ensure("Ana"), scene.contacts.ensure("Carla")];
    const beside = new MessageScene(folder);
    receiveAndIndex(scene, ana, range(0, 1_000));
    receiveAndIndex(scene, carla, range(1_000, 1_000));
    deleteChat(scene, ana);
    scene.wipe.step();
    deleteChat(beside, carla);
    beside.wipe.step();
    // Ours ends as if it had not seen the other deletion.
    const steps: string[] = [];
    while (scene.wipe.isDue && steps.length < 1_000) steps.push(scene.wipe.step());
    expect(beside.wipeAll()).toBe("done");
    expect(scene.wipeAll()).toBe("done");
    expect(readable(scene, range(0, 2_000))).toEqual([]);
    beside.checkIndex();
    beside.database.close();
  }));
