/** Groups in a profile on the disk. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { Archive } from "../../../../src/client/archive.ts";
import { LowDiskError } from "../../../../src/client/disk/free-space.ts";
import { readableLines } from "../../../../src/client/disk/readable-messages.ts";
import { profileFile } from "../../../../src/client/disk/folders.ts";
import type { GroupBatch, GroupLog } from "../../../../src/client/group/sync/log.ts";
import { draftSalt } from "../../../../src/client/group/store/shown-texts.ts";
import { GroupStore, type StoredInvitation } from "../../../../src/client/group/store/group-store.ts";
import type { Contact } from "../../../../src/client/profile/contacts.ts";
import { Profile } from "../../../../src/client/profile/profile.ts";
import { signEntry, type GroupEntry } from "../../../../src/identity/group-entry.ts";
import { label } from "../../../../src/identity/names.ts";
import type { TestKey } from "../../../identity/group-keys.ts";
import { ACCOUNT, inTemporaryFolder } from "../../test-profile.ts";
import { ANA, EVA, GroupScene, type Feed } from "../group-scene.ts";

const DAY = 24 * 60 * 60_000;
const START = Date.UTC(2027, 0, 15, 12);

/** Berta's profile with a group that ana has founded, in which are berta and eva. */
class Scene {
  readonly folder: string;
  readonly scene = new GroupScene(ANA, { title: "Familia" });
  readonly ana: Feed = this.scene.founder;
  readonly berta: Feed;
  readonly eva: Feed;
  profile: Profile;
  groups: GroupStore;
  log: GroupLog;
  readonly contact: Contact;

  constructor(folder: string) {
    this.folder = folder;
    this.profile = Profile.open(folder, ACCOUNT);
    const { privateKey: key, spki } = this.profile.keys;
    const name = ACCOUNT.username;
    const own: TestKey = {
      name,
      key,
      spki,
      named: { label: label(name), name, spki: spki.toString("base64") },
    };
    this.scene.at = START;
    this.berta = this.ana.bring(own);
    this.eva = this.ana.bring(EVA);
    this.groups = new GroupStore(this.profile, () => START);
    const { group } = this.scene;
    const invitation = {} as StoredInvitation;
    const invited = { title: "Familia", state: "invited", ownFeed: this.berta.id, invitation } as const;
    this.groups.save(group, invited);
    const [create, , join] = this.scene.entries;
    // As it is when an invitation was accepted: the rest comes from the others.
    this.groups.save(group, { state: "joined" }, [create as GroupEntry, join as GroupEntry]);
    this.log = this.groups.log(group);
    this.store(...this.scene.entries.slice(1).filter((each) => each !== join));
    this.contact = this.groups.find(group)?.contact as Contact;
  }

  reopen(): void {
    this.profile.close();
    this.profile = Profile.open(this.folder);
    this.groups = new GroupStore(this.profile, () => START);
    this.log = this.groups.log(this.scene.group);
  }

  batch(more: Partial<GroupBatch>): number[] {
    return this.log.write({
      ...{ entries: [], bodies: [], withdrawn: [], forks: [], receipts: [], restarted: [] },
      ...more,
    });
  }

  store(...entries: readonly GroupEntry[]): number[] {
    return this.batch({ entries: entries.map((entry) => ({ entry, draft: undefined })) });
  }

  text(feed: Feed, text: string, more: object = {}): GroupEntry {
    return feed.write("text", { text, ...more }, feed.next("t"));
  }

  edit(feed: Feed, target: number, text: string): GroupEntry {
    return feed.write("edit", { target, text }, feed.next("t"));
  }

  withdraw(feed: Feed, target: number): GroupEntry {
    return feed.write("withdraw", { target }, feed.next("t"));
  }

  /** Withdraws as the synchronisation does. */
  storeWithdrawal(feed: Feed, target: number): void {
    const entry = this.withdraw(feed, target);
    this.batch({ entries: [{ entry, draft: undefined }], withdrawn: [{ feed: feed.id, number: target }] });
  }

  queue(id: string, text: string): void {
    this.profile.messages.queue([
      { kind: "text", contact: this.contact, id, text, sentAt: START, replyTo: undefined },
    ]);
  }

  /** Signs a draft as the messenger does. */
  sign(id: string, text: string): GroupEntry {
    const fields = { ...this.berta.next("t"), kind: "text", at: START };
    const entry = signEntry(this.scene.group, fields, { text }, this.profile.keys.privateKey, () =>
      draftSalt(id),
    );
    this.berta.wrote(entry);
    return entry;
  }

  get shown() {
    return this.profile.history.after(this.contact, 0, 1_000);
  }

  get texts(): string[] {
    return this.shown.map(({ text }) => text);
  }

  get onDisk(): string {
    return ["", "-wal"]
      .map((end) => readFileSync(profileFile(this.folder) + end).toString("latin1"))
      .join("");
  }

  wipe(): void {
    this.profile.wipe.rewriteSmall();
    while (this.profile.wipe.step() === "more");
  }
}

function withGroup(use: (scene: Scene) => void): Promise<void> {
  return inTemporaryFolder((folder) => {
    const scene = new Scene(folder);
    try {
      use(scene);
    } finally {
      scene.profile.close();
    }
  });
}

test("what members write is a conversation with authors, unread until it was shown", () =>
  withGroup((scene) => {
    const { ana, eva, groups, profile } = scene;
    const first = scene.text(ana, "hola");
    const answer = scene.text(eva, "buenas", { reply_to: [ana.id, 1] });
    scene.store(first, answer);
    scene.store(scene.edit(ana, 1, "hola a todos"));
    expect(scene.shown).toMatchObject([
      {
        author: "ana",
        text: "hola a todos",
        id: `${ana.id}/1`,
        entry: { feed: ana.id, number: 1 },
        sentAt: START,
      },
      { author: "eva", text: "buenas", replyTo: `${ana.id}/1`, outgoing: false, state: "received" },
    ]);
    const archive = new Archive(profile);
    expect(archive.groups()).toMatchObject([{ group: scene.scene.group, name: "#Familia", state: "joined" }]);
    expect(archive.unread().get(scene.contact.id)).toEqual({ username: `#${scene.scene.group}`, count: 2 });
    const conversation = archive.conversation(`#${scene.scene.group}`);
    const sequences = scene.shown.map(({ seq }) => seq);
    conversation?.markShown(sequences, sequences.at(-1));
    expect(archive.unread().size).toBe(0);
    expect(scene.log.load().read).toEqual(
      new Map([
        [ana.id, 1],
        [eva.id, 1],
      ]),
    );
    profile.privacy.choose("read", "off");
    expect(scene.log.load().read).toEqual(new Map());
    expect(groups.message(scene.scene.group, eva.id, 1)?.text).toBe("buenas");
  }));

test("what somebody blocked writes is kept and not unread", () =>
  withGroup((scene) => {
    scene.profile.consents.block(scene.profile.contacts.ensure("eva"));
    scene.store(scene.text(scene.eva, "psst"), scene.text(scene.ana, "hola"));
    expect(scene.profile.history.unprinted(9).map(({ author }) => author)).toEqual(["ana"]);
    expect(scene.texts).toEqual(["psst", "hola"]);
  }));

test("a withdrawn text leaves nothing in the files, nor do its edits", () =>
  withGroup((scene) => {
    const { ana } = scene;
    scene.store(scene.text(ana, "secreto uno"), scene.edit(ana, 1, "secreto dos"), scene.text(ana, "sigue"));
    while (scene.profile.search.indexSome());
    scene.storeWithdrawal(ana, 1);
    scene.wipe();
    expect(scene.onDisk).not.toContain("secreto");
    expect(scene.shown).toMatchObject([{ text: "", withdrawnAt: START }, { text: "sigue" }]);
    const bodies = scene.log.texts(ana.id, 1, 4).map(({ kind, body }) => [kind, body !== null]);
    expect(bodies).toEqual([
      ["text", false],
      ["edit", false],
      ["text", true],
      ["withdraw", true],
    ]);
    expect(scene.log.load().bodiless).toEqual([]);
  }));

test("a text that is deleted here is passed on no more, and not wanted again", () =>
  withGroup((scene) => {
    const { ana, profile } = scene;
    scene.store(
      scene.text(ana, "secreto uno"),
      scene.edit(ana, 1, "secreto dos"),
      scene.text(ana, "secreto tres"),
    );
    const conversation = new Archive(profile).conversationWith(scene.contact);
    conversation.delete(`${ana.id}/1`);
    expect(scene.texts).toEqual(["secreto tres"]);
    for (const { isMore } of conversation.deleteAll()) expect(isMore).toBe(false);
    scene.wipe();
    expect(scene.onDisk).not.toContain("secreto");
    const { bodiless, texts } = scene.log.load();
    expect([bodiless, texts[0]?.last.number]).toEqual([[], 3]);
  }));

test("a draft is changed and cancelled here alone until it is signed, and then goes through its states", () =>
  withGroup((scene) => {
    const { berta, eva, ana, groups, profile } = scene;
    for (const id of ["one", "two", "three"]) scene.queue(id, id);
    profile.removal.cancel(scene.contact, "one");
    profile.removal.rewrite(scene.contact, "two", "zwei", START);
    const drafts = profile.messages.unclaimed(scene.contact, 9);
    expect(drafts).toMatchObject([
      { id: "two", text: "zwei" },
      { id: "three", text: "three" },
    ]);
    scene.batch({ entries: [{ entry: scene.sign("two", "zwei"), draft: "two" }] });
    expect(profile.messages.unclaimed(scene.contact, 9).map(({ id }) => id)).toEqual(["three"]);
    expect(profile.removal.cancel(scene.contact, "two")).toBe(false);
    expect(scene.shown[0]).toMatchObject({ id: "two", text: "zwei", entry: { feed: berta.id, number: 1 } });

    const states = () => {
      const [text] = scene.shown;
      return [text?.state, text && groups.counts(text)];
    };
    expect(states()).toEqual(["queued", { received: 0, read: 0, of: 2 }]);
    scene.batch({ receipts: [{ own: berta.id, term: eva.id, received: 1, read: 0, isDirect: false }] });
    expect(states()).toEqual(["received", { received: 1, read: 0, of: 2 }]);
    scene.batch({ receipts: [{ own: berta.id, term: ana.id, received: 1, read: 1, isDirect: true }] });
    expect(states()).toEqual(["read", { received: 2, read: 1, of: 2 }]);
    // Who has left is not counted.
    scene.store(eva.leave());
    expect(states()).toEqual(["read", { received: 1, read: 1, of: 1 }]);
    expect(groups.counts(scene.shown[1] as never)).toBeUndefined();
  }));

test("an own edit and withdrawal are drafts too, shown at once", () =>
  withGroup((scene) => {
    const { profile, contact, berta } = scene;
    scene.queue("one", "uno");
    scene.batch({ entries: [{ entry: scene.sign("one", "uno"), draft: "one" }] });
    profile.messages.queue([{ kind: "edit", contact, id: "e", target: "one", text: "UNO", sentAt: START }]);
    expect(scene.shown).toMatchObject([{ text: "UNO", changeWaits: true }]);
    scene.batch({ entries: [{ entry: scene.edit(berta, 1, "UNO"), draft: "e" }] });
    scene.batch({
      receipts: [{ own: scene.berta.id, term: scene.ana.id, received: 2, read: 0, isDirect: true }],
    });
    expect(scene.shown).toMatchObject([{ text: "UNO", changeWaits: false }]);
    profile.messages.queue([{ kind: "withdraw", contact, id: "w", target: "one", sentAt: START }]);
    const entry = scene.withdraw(berta, 1);
    scene.batch({ entries: [{ entry, draft: "w" }], withdrawn: [{ feed: berta.id, number: 1 }] });
    scene.wipe();
    expect(scene.onDisk).not.toContain("UNO");
    expect(scene.shown).toMatchObject([{ text: "", id: "one" }]);
  }));

test("an entry whose draft was cancelled meanwhile is not stored, nor what comes with it", () =>
  withGroup((scene) => {
    scene.queue("one", "uno");
    const entry = scene.sign("one", "uno");
    scene.profile.removal.cancel(scene.contact, "one");
    const other = scene.text(scene.eva, "hola");
    const before = scene.log.load();
    expect(() =>
      scene.batch({
        entries: [
          { entry: other, draft: undefined },
          { entry, draft: "one" },
        ],
      }),
    ).toThrow("cancelled");
    expect(scene.log.load()).toEqual(before);
    expect(scene.texts).toEqual([]);
    scene.store(other);
    expect(scene.texts).toEqual(["hola"]);
  }));

test("a copy of the profile that was put back knows which of its drafts were signed", () =>
  withGroup((scene) => {
    scene.queue("one", "uno");
    scene.queue("two", "dos");
    // Another run of the program has signed them, and two more that this copy never had.
    const [one, two] = [scene.sign("one", "uno"), scene.sign("two", "dos")];
    scene.store(one, two, scene.text(scene.berta, "tres"));
    expect(scene.shown.map(({ id, text, outgoing }) => [id, text, outgoing])).toEqual([
      ["one", "uno", true],
      ["two", "dos", true],
      [`${scene.berta.id}/3`, "tres", true],
    ]);
    expect(scene.profile.messages.unclaimed(scene.contact, 9)).toEqual([]);
    expect(scene.profile.history.unprinted(9)).toEqual([]);
  }));

test("a text that counts no more after a fork, and was signed again in a new term, stays where it is", () =>
  withGroup((scene) => {
    const { ana, eva } = scene;
    const write = (feed: Feed, text: string, id: string) => {
      const fields = { ...feed.next("t"), kind: "text", at: START };
      const entry = signEntry(scene.scene.group, fields, { text }, EVA.key, () => draftSalt(id));
      feed.wrote(entry);
      return entry;
    };
    scene.store(write(eva, "uno", "one"));
    const place = eva.next("t");
    const [two, other] = [write(eva, "dos", "two"), eva.write("text", { text: "otro" }, place)];
    scene.store(two, scene.text(ana, "tres"));
    scene.batch({ forks: [{ feed: eva.id, lane: "t", number: 2, entries: [two, other] }] });
    const anew = ana.bring(EVA);
    scene.store(...scene.scene.entries.slice(-2));
    // What counts is another text, though it has the same words.
    scene.store(write(anew, "dos", "two"), write(anew, "uno", "three"));
    expect(scene.texts).toEqual(["uno", "dos", "tres", "uno"]);
    expect(scene.shown.map(({ entry }) => entry)).toEqual([
      { feed: eva.id, number: 1 },
      { feed: anew.id, number: 1 },
      { feed: ana.id, number: 1 },
      { feed: anew.id, number: 2 },
    ]);
    scene.store(scene.edit(anew, 1, "dos y medio"));
    expect(scene.texts[1]).toBe("dos y medio");
  }));

test("what comes to the front of a lane is shown as it was left, once", () =>
  withGroup((scene) => {
    const { ana } = scene;
    const early = [
      scene.text(ana, "uno"),
      scene.text(ana, "dos"),
      scene.edit(ana, 2, "DOS"),
      scene.text(ana, "secreto"),
      scene.edit(ana, 4, "secreto dos"),
    ];
    scene.store(scene.edit(ana, 1, "UNO"));
    scene.storeWithdrawal(ana, 4);
    expect(scene.texts).toEqual([]);
    for (const entry of early.toReversed()) scene.store(entry);
    expect(scene.shown.map(({ id, text, withdrawnAt }) => [id, text, withdrawnAt])).toEqual([
      [`${ana.id}/4`, "", START],
      [`${ana.id}/2`, "DOS", undefined],
      [`${ana.id}/1`, "UNO", undefined],
    ]);
    scene.wipe();
    expect(scene.onDisk).not.toContain("secreto");
    const { texts } = scene.log.load();
    expect(texts).toMatchObject([{ feed: ana.id, base: 6, first: { number: 1 }, last: { number: 7 } }]);
  }));

test("a text that came without its words is missing until they come", () =>
  withGroup((scene) => {
    const { ana } = scene;
    const whole = scene.text(ana, "uno");
    scene.store({ ...whole, body: null });
    expect(scene.shown).toMatchObject([{ text: "", isMissing: true }]);
    expect(scene.log.load().bodiless).toEqual([{ feed: ana.id, number: 1 }]);
    scene.batch({ bodies: [whole] });
    expect(scene.shown).toMatchObject([{ text: "uno", isMissing: false }]);
    expect(scene.log.load().bodiless).toEqual([]);
    expect(scene.log.texts(ana.id, 1, 1)[0]?.body).toBe(whole.body);
  }));

test("a group that is kept short loses its old texts, but no control, no budget and nothing that waits", () =>
  withGroup((scene) => {
    const { ana, berta, eva } = scene;
    const at = (days: number) => {
      scene.scene.at = START + days * DAY;
    };
    const write = (feed: Feed, days: number, text: string) => {
      at(days);
      scene.store(scene.text(feed, text));
    };
    write(ana, 0, "viejo uno");
    write(ana, 1.5, "viejo dos");
    write(ana, 2, "viejo tres");
    write(eva, 2, "viejo cuatro");
    write(ana, 5, "nuevo");
    scene.queue("one", "sin salir");
    scene.batch({ entries: [{ entry: scene.sign("one", "sin salir"), draft: "one" }] });
    while (scene.profile.search.indexSome());
    const before = scene.log.load();

    const since = START + 4 * DAY;
    expect(scene.log.trim(since)).toMatchObject({
      ...{ lanes: [{ feed: ana.id, base: 4, first: { number: 4 } }], isMore: true },
    });
    while (scene.log.trim(since).isMore);
    expect(scene.texts).toEqual(["nuevo", "sin salir"]);
    scene.wipe();
    expect(scene.onDisk).not.toContain("viejo");
    const after = scene.log.load();
    expect(after).toMatchObject({ control: before.control, since, seq: before.seq, bodiless: [] });
    // Of the last one of a lane the words are gone and the place is kept.
    const ends = new Map(after.texts.map(({ feed, first, last }) => [feed, [first.number, last.number]]));
    expect(ends.get(ana.id)).toEqual([4, 4]);
    expect(ends.get(berta.id)).toEqual([1, 1]);
    expect(ends.get(eva.id)).toEqual([1, 1]);
    // The next entry has a number of its own.
    const [seq] = scene.store(scene.text(eva, "otro"));
    expect(seq).toBeGreaterThan(before.seq);
  }));

test("everything is there again after a start, and a lane that began anew is without its old front", () =>
  withGroup((scene) => {
    const { ana, eva, scene: all } = scene;
    scene.store(scene.text(ana, "uno"), scene.text(eva, "hola"));
    scene.text(ana, "never seen");
    const behind = scene.text(ana, "tres");
    scene.batch({
      entries: [{ entry: behind, draft: undefined }],
      restarted: [{ feed: ana.id, number: 3 }],
    });
    const place = eva.next("t");
    const [one, other] = [eva.write("text", { text: "a" }, place), eva.write("text", { text: "b" }, place)];
    scene.batch({ forks: [{ feed: eva.id, lane: "t", number: 2, entries: [one, other] }] });
    expect(scene.groups.unshownForks(all.group)).toEqual(new Set([eva.id]));
    scene.groups.forksShown(all.group);
    expect(scene.groups.unshownForks(all.group)).toEqual(new Set());
    const before = scene.log.load();
    expect(before.texts).toMatchObject([
      { feed: ana.id, base: 3, first: { number: 3, prev: behind.prev }, last: { number: 3, id: behind.id } },
      { feed: eva.id, base: 1 },
    ]);
    expect(before.forks).toEqual([
      {
        feed: eva.id,
        lane: "t",
        number: 2,
        entries: [
          { ...one, body: null },
          { ...other, body: null },
        ],
      },
    ]);
    expect(before.control.map(({ header }) => header).toSorted()).toEqual(
      all.entries
        .filter(({ lane }) => lane === "c")
        .map(({ header }) => header)
        .toSorted(),
    );
    // What lanes have spent is read only here.
    const texts = before.texts.map((lane) => ({ ...lane }));
    scene.reopen();
    const after = scene.log.load();
    expect({ ...after, texts: after.texts.map((lane) => ({ ...lane })) }).toEqual({ ...before, texts });
    expect(scene.log.after(0, 100).map(({ seq }) => seq)).toEqual(
      scene.log
        .after(0, 100)
        .map(({ seq }) => seq)
        .toSorted((a, b) => a - b),
    );
    expect(scene.texts).toEqual(["uno", "hola", "tres"]);
  }));

test("a long conversation is trimmed in parts, and each part says that there may be more", () =>
  withGroup((scene) => {
    const texts = Array.from({ length: 60 }, (_, index) => scene.text(scene.ana, `viejo ${index}`));
    scene.scene.at = START + 9 * DAY;
    scene.store(...texts, scene.text(scene.ana, "nuevo"));
    while (scene.profile.search.indexSome());
    let parts = 0;
    while (scene.log.trim(START + DAY).isMore) parts++;
    expect(parts).toBeGreaterThan(1);
    expect(scene.texts).toEqual(["nuevo"]);
    expect(scene.log.load().texts).toMatchObject([{ first: { number: 61 }, last: { number: 61 } }]);
  }));

test("of several lanes one is trimmed at a time, in turn, and control stays", () =>
  withGroup((scene) => {
    const old = [scene.ana, scene.eva].flatMap((feed) => [scene.text(feed, "uno"), scene.text(feed, "dos")]);
    scene.scene.at = START + 9 * DAY;
    scene.store(...old, scene.text(scene.ana, "nuevo"), scene.text(scene.eva, "también"));
    const control = scene.log.load().control.length;
    const trimmed: string[] = [];
    for (let isMore = true; isMore;) {
      const step = scene.log.trim(START + DAY);
      ({ isMore } = step);
      const { lanes } = step;
      expect(lanes.length).toBe(isMore ? 1 : 0);
      trimmed.push(...lanes.map(({ feed }) => feed));
    }
    expect(new Set(trimmed)).toEqual(new Set([scene.ana.id, scene.eva.id]));
    expect(scene.texts).toEqual(["nuevo", "también"]);
    expect(scene.log.load().control.length).toBe(control);
  }));

test("what is rescued of a damaged profile names the group and the authors", () =>
  withGroup((scene) => {
    scene.store(scene.text(scene.ana, "hola"));
    scene.queue("one", "uno");
    const lines = [...readableLines(scene.profile.database, "Berta")].flat().map((line) => JSON.parse(line));
    const { group } = scene.scene;
    expect(lines).toMatchObject([
      { from: "ana", to: `#${group}`, group, text: "hola" },
      { from: "Berta", to: `#${group}`, group, text: "uno" },
    ]);
  }));

test("on a disk with little space nothing of others is taken, and own entries are", () =>
  withGroup((scene) => {
    const low = {
      check: () => {
        throw new LowDiskError();
      },
    };
    Object.assign(scene.profile, { space: low });
    const before = scene.log.load();
    for (const taken of [scene.text(scene.ana, "hola"), scene.ana.write("set", { n: 1, title: "Banco" })])
      expect(() => scene.store(taken)).toThrow(LowDiskError);
    expect(scene.log.load()).toEqual(before);
    scene.queue("one", "uno");
    scene.batch({ entries: [{ entry: scene.sign("one", "uno"), draft: "one" }] });
    expect(scene.texts).toEqual(["uno"]);
  }));

test("who is to be invited is remembered, and what was decided", () =>
  withGroup((scene) => {
    const { group } = scene.scene;
    scene.groups.invite(group, "Luis", "none");
    scene.groups.invite(group, "pepa", "all");
    scene.groups.uninvite(group, label("PEPA"));
    expect(scene.groups.find(group)).toMatchObject({ title: "Familia", noticed: 0 });
    scene.groups.save(group, { keepDays: 30, noticed: 4, title: "Familia Ruiz", state: "left" });
    for (const reopen of [() => undefined, () => scene.reopen()]) {
      reopen();
      expect(scene.groups.invitees(group)).toEqual([{ label: label("luis"), name: "Luis", history: "none" }]);
      expect(scene.groups.find(group)).toMatchObject({
        ...{ keepDays: 30, noticed: 4, title: "Familia Ruiz", state: "left", ownFeed: scene.berta.id },
        ...{ name: "#Familia Ruiz", invitation: {} },
      });
      // The messenger asks for them every second: they are read once.
      expect(scene.groups.invitees(group)).toBe(scene.groups.invitees(group));
      expect(scene.groups.all()).toBe(scene.groups.all());
    }
  }));

const FILE = { name: "foto.jpg", size: 2_100_000, sha256: "A".repeat(43) };

test("a file that a text names is offered with the text, once, and withdrawn with it", () =>
  withGroup((scene) => {
    const { ana, eva, profile } = scene;
    const first = scene.text(ana, "", { file: FILE });
    const stripped = scene.text(eva, "", { file: FILE });
    scene.store(first, { ...stripped, body: null });
    expect(profile.transfers.all()).toMatchObject([
      {
        ...{ id: `${ana.id}/1`, contact: scene.contact.id, outgoing: false, state: "offered" },
        ...{ name: "foto.jpg", size: 2_100_000, sha256: "00".repeat(32), at: first.at },
      },
    ]);
    scene.batch({ bodies: [stripped] });
    scene.storeWithdrawal(ana, 1);
    expect(profile.transfers.all()).toMatchObject([
      { id: `${ana.id}/1`, state: "cancelled", reason: "withdrawn" },
      { id: `${eva.id}/1`, state: "offered" },
    ]);
    // What is here already stays.
    profile.transfers.accept(`${eva.id}/1`, { folder: "/downloads", key: "k", wantsSha256: false });
    profile.transfers.received(`${eva.id}/1`, { path: "/downloads/foto.jpg", sha256: "00".repeat(32) });
    scene.storeWithdrawal(eva, 1);
    expect(profile.transfers.find(`${eva.id}/1`)).toMatchObject({ state: "done", done: 2_100_000 });
  }));
