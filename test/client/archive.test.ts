import { expect, test } from "bun:test";

import { Archive, type StoredConversation } from "../../src/client/archive.ts";
import { ActionError } from "../../src/client/errors.ts";
import { damageMark } from "../../src/client/disk/folders.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { existsSync } from "node:fs";
import { arriving, MessageScene, text } from "./message-scene.ts";
import { ACCOUNT, inTemporaryFolder } from "./test-profile.ts";

/** Runs `use` with the archive of a new profile, a conversation with Ana, and the stores below them. */
function withConversation(
  use: (conversation: StoredConversation, scene: MessageScene, archive: Archive, folder: string) => void,
): Promise<void> {
  return inTemporaryFolder((folder) => {
    const profile = Profile.open(folder, ACCOUNT);
    const scene = new MessageScene(folder);
    try {
      const archive = new Archive(profile);
      scene.contacts.ensure("Ana");
      const conversation = archive.conversation("ANA");
      if (conversation === undefined) throw new Error("no conversation");
      use(conversation, scene, archive, folder);
    } finally {
      scene.database.close();
      profile.close();
    }
  });
}

const ids = (conversation: StoredConversation) => conversation.after(0, 1_000).map(({ id }) => id);

test("deleting all keeps the outbox, and what is stored after it has begun", () =>
  withConversation((conversation, scene) => {
    const { contact } = conversation;
    scene.receive(contact, ...Array.from({ length: 1_200 }, (_, index) => `theirs ${index}`));
    scene.write(contact, "waits");
    let count = 0;
    let batches = 0;
    for (const { deleted } of conversation.deleteAll()) {
      if (batches++ === 0) scene.receive(contact, "late");
      count += deleted;
    }
    expect(count).toBe(1_200);
    expect(batches).toBeGreaterThan(1);
    expect(ids(conversation)).toEqual(["waits", "late"]);
  }));

test("a draft goes with its conversation, and nothing of it stays in the file", () =>
  withConversation((conversation, scene) => {
    conversation.keepDraft(["lo que dura un ", "ornitorrinco\ncosido", ""]);
    expect(conversation.draft).toEqual(["lo que dura un ", "ornitorrinco\ncosido", ""]);
    expect([...conversation.deleteAll()]).toEqual([{ deleted: 0, isMore: false }]);
    expect(conversation.draft).toEqual([]);
    expect(scene.wipe.isDue).toBe(true);
    while (scene.wipe.step() === "more");
    expect(scene.bytes.includes("ornitorrinco")).toBe(false);
  }));

test("a blank draft is none", () =>
  withConversation((conversation, _scene, archive) => {
    conversation.keepDraft(["hola ", "a\nb", " y adiós"]);
    expect([...archive.drafts().values()]).toEqual(["hola a\nb y adiós"]);
    conversation.keepDraft([" ", "\n", ""]);
    expect([conversation.draft, archive.drafts().size]).toEqual([[], 0]);
  }));

test("the newest conversations are those with messages or drafts, without strangers and blocked people", () =>
  withConversation((_conversation, scene, archive) => {
    const { contacts, consents } = scene;
    const names = ["beto", "carla", "dora", "eva", "fede"];
    const [beto, carla, dora, eva, fede] = names.map((name) => contacts.ensure(name));
    if (!beto || !carla || !dora || !eva || !fede) throw new Error("no contacts");
    for (const each of [carla, beto, eva]) scene.write(each, "hola");
    scene.receive(carla, "theirs");
    // She has written, and was not accepted.
    scene.receive(dora, "theirs");
    consents.block(eva);
    archive.conversationWith(fede).keepDraft(["hola"]);
    expect(archive.recent(9).map(({ username }) => username)).toEqual(["carla", "beto", "fede"]);
    expect(archive.recent(1).map(({ username }) => username)).toEqual(["carla"]);
  }));

test("somebody is quiet until a time, and no longer", () =>
  withConversation((conversation, { contacts }, archive) => {
    const { contact } = conversation;
    const until = Date.now() + 3_600_000;
    contacts.mute(contact, until);
    expect(conversation.mutedUntil).toBe(until);
    expect([...archive.muted()]).toEqual([[contact.id, { username: "Ana", until }]]);
    expect(contacts.muted(until).size).toBe(0);
    contacts.mute(contact, undefined);
    expect([conversation.mutedUntil, archive.muted().size]).toEqual([undefined, 0]);
  }));

test("of two messages with the same id only the chosen one is deleted, and never one in the outbox", () =>
  withConversation((conversation, scene) => {
    const { contact } = conversation;
    const [ours = 0] = scene.queue(text(contact, "same"));
    const [theirs = 0] = scene.receive(contact, "same");
    expect(() => conversation.deleteBySeq(ours)).toThrow(new ActionError("still_waiting"));
    expect(conversation.deleteBySeq(theirs ?? 0)).toMatchObject({ id: "same", outgoing: false });
    expect(conversation.after(0, 10)).toMatchObject([{ seq: ours, outgoing: true }]);
    expect(() => conversation.deleteBySeq(theirs ?? 0)).toThrow(new ActionError("unknown_message"));
  }));

test("a lookup does not create a contact", () =>
  withConversation((_conversation, _scene, archive) => {
    expect(archive.conversation("nobody")).toBeUndefined();
    expect(archive.nameOf("nobody")).toBe("nobody");
    expect(archive.nameOf("ana")).toBe("Ana");
    expect(archive.usernameAt(99)).toBe("");
  }));

test("the file is checked at the next start after damage, but not after other errors", () =>
  withConversation((_conversation, _scene, archive, folder) => {
    const failed = (code: string) => Object.assign(new Error(code), { code });
    archive.noteDamage(failed("SQLITE_FULL"));
    expect(existsSync(damageMark(folder))).toBe(false);
    archive.noteDamage(failed("SQLITE_CORRUPT_VTAB"));
    expect(existsSync(damageMark(folder))).toBe(true);
  }));

test("a search that waits for the index tells its progress after a second and then every five, and can be given up", () =>
  inTemporaryFolder(async (folder) => {
    const profile = Profile.open(folder, ACCOUNT);
    const scene = new MessageScene(folder);
    const archive = new Archive(profile);
    const { search } = profile;
    const incoming = Array.from({ length: 5_000 }, (_, index) => arriving(`${index}`));
    scene.read(scene.contacts.ensure("Ana"), { incoming });
    const told: number[] = [];
    const leaving = new AbortController();
    let now = 0;
    // Every look at it takes a second.
    const clock = () => (now += 1_000);
    await archive.indexedSearch(
      leaving.signal,
      (percent) => {
        told.push(percent);
        if (told.length === 2) leaving.abort();
      },
      clock,
    );
    expect(told.length).toBe(2);
    expect(told[0]).toBe(10);
    expect(search.percentIndexed).toBeLessThan(100);
    expect(await archive.indexedSearch(new AbortController().signal, () => undefined)).toBe(search);
    expect([search.isBehind, search.percentIndexed]).toEqual([false, 100]);
    await archive.indexedSearch(new AbortController().signal, () => expect.unreachable());
    scene.database.close();
    profile.close();
  }));
