/** Profiles of earlier versions: `profiles/version-N.sql`, which never change. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { profileFile } from "../../../src/client/disk/folders.ts";
import { PROFILE_SCHEMA } from "../../../src/client/disk/schema.ts";
import { Profile } from "../../../src/client/profile/profile.ts";
import { openStore, StoreError } from "../../../src/client/disk/sqlite.ts";
import { MessageScene, NOW } from "../message-scene.ts";
import { inTemporaryFolder } from "../test-profile.ts";

const T = 1_768_478_400_000;

const fixture = (version: number) => join(import.meta.dir, "profiles", `version-${version}.sql`);
const versions = PROFILE_SCHEMA.versions.map((_, index) => index + 1);
const earlier = versions.slice(0, -1);

/** Makes a profile of `version` in `folder`, closed as that program would. */
function makeOld(folder: string, version: number): string {
  const file = profileFile(folder);
  const database = new Database(file, { create: true, strict: true });
  database.run("PRAGMA journal_mode=WAL");
  database.run(readFileSync(fixture(version), "utf8"));
  database.close();
  return file;
}

function withOld(version: number, use: (folder: string) => void): Promise<void> {
  return inTemporaryFolder((folder) => {
    makeOld(folder, version);
    use(folder);
  });
}

function inspect<T>(file: string, look: (database: Database) => T): T {
  const database = new Database(file, { strict: true });
  try {
    return look(database);
  } finally {
    database.close();
  }
}

/** Every table, index, view and trigger, word for word; where its lines break does not matter. */
const schemaOf = (database: Database) =>
  database
    .query<{ name: string; sql: string | null }, []>(
      "SELECT name, sql FROM sqlite_schema ORDER BY type, name",
    )
    .all()
    .map(({ name, sql }) => `${name}: ${sql?.replaceAll(/\s+/g, " ")}`);
const versionOf = (database: Database) => Object.values(database.query("PRAGMA user_version").get() ?? {})[0];
/** The columns that version 1 had, of every row that it had. */
const contentOf = (database: Database) =>
  [
    `SELECT username, private_key, authority, certificate, certificate_received_at, certificate_expires_at,
       session_token, has_been_online, registered_here FROM account`,
    "SELECT id, label, username, targets FROM contacts",
    "SELECT contact, spki, fingerprint, pinned_at FROM pins ORDER BY contact, fingerprint",
    "SELECT * FROM pending_keys ORDER BY contact",
    `SELECT seq, contact, outgoing, id, hex(text), reply_to, sent_at, received_at, state, printed
     FROM messages ORDER BY seq`,
  ].map((sql) => database.query(sql).all());

test("every earlier version has its profile here", () => {
  expect(earlier.filter((version) => !existsSync(fixture(version)))).toEqual([]);
});

describe.each(earlier)("a profile of version %i", (version) => {
  test("is exactly what that version made", () =>
    withOld(version, (folder) => {
      const file = join(folder, "made-now.db");
      openStore(file, { ...PROFILE_SCHEMA, versions: PROFILE_SCHEMA.versions.slice(0, version) }).close();
      const old = inspect(profileFile(folder), (database) => [schemaOf(database), versionOf(database)]);
      expect(old).toEqual(inspect(file, (database) => [schemaOf(database), versionOf(database)]));
    }));

  test("becomes the same as a new profile, and loses nothing", () =>
    withOld(version, (folder) => {
      const file = profileFile(folder);
      const before = inspect(file, contentOf);
      Profile.open(folder).close();
      const fresh = join(folder, "fresh.db");
      openStore(fresh, PROFILE_SCHEMA).close();
      inspect(file, (database) => {
        expect(schemaOf(database)).toEqual(inspect(fresh, schemaOf));
        expect(versionOf(database)).toBe(PROFILE_SCHEMA.versions.length);
        expect(contentOf(database)).toEqual(before);
        expect(database.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
        expect(database.query("PRAGMA foreign_key_check").all()).toEqual([]);
      });
      Profile.open(folder).close();
      expect(inspect(file, contentOf)).toEqual(before);
    }));

  test("stays as it was when a statement fails, and opens later", () =>
    withOld(version, (folder) => {
      const file = profileFile(folder);
      const look = (database: Database) => [versionOf(database), schemaOf(database), contentOf(database)];
      const before = inspect(file, look);
      const broken = [
        ...PROFILE_SCHEMA.versions.slice(0, -1),
        `${PROFILE_SCHEMA.versions.at(-1)}; INSERT INTO nowhere VALUES (1);`,
      ];
      expect(() => openStore(file, { ...PROFILE_SCHEMA, versions: broken })).toThrow(StoreError);
      expect(inspect(file, look)).toEqual(before);
      Profile.open(folder).close();
      expect(inspect(file, versionOf)).toBe(PROFILE_SCHEMA.versions.length);
    }));

  test("stays as it was when the program is killed between any two statements, and opens later", () =>
    withOld(version, (folder) => {
      const file = profileFile(folder);
      const before = inspect(file, contentOf);
      const [next = "", ...later] = PROFILE_SCHEMA.versions.slice(version);
      // Between those of later versions the profiles of these are killed.
      const statements = [
        ...next.split(/;\n(?!\s|END)/),
        ...later,
        `PRAGMA user_version=${PROFILE_SCHEMA.versions.length}`,
      ];
      expect(statements.length).toBeGreaterThan(version === 1 ? 10 : 1);
      const database = new Database(file, { strict: true });
      // A cache so small that uncommitted pages are written to the files already.
      database.run("PRAGMA cache_size=1");
      database.run("BEGIN IMMEDIATE");
      statements.forEach((statement, index) => {
        database.run(statement);
        const killed = join(folder, `killed-${index}`);
        mkdirSync(killed);
        // The files at this moment are those that a killed program leaves.
        for (const end of ["", "-wal"]) copyFileSync(file + end, profileFile(killed) + end);
      });
      database.run("ROLLBACK");
      database.close();
      for (const index of statements.keys()) {
        const killed = join(folder, `killed-${index}`);
        expect(inspect(profileFile(killed), versionOf)).toBe(version);
        expect(inspect(profileFile(killed), contentOf)).toEqual(before);
        Profile.open(killed).close();
        expect(inspect(profileFile(killed), contentOf)).toEqual(before);
        expect(inspect(profileFile(killed), versionOf)).toBe(PROFILE_SCHEMA.versions.length);
      }
    }));
});

describe("with a profile of version 1", () => {
  test("the account, the contacts and their keys stay the same", () =>
    withOld(1, (folder) => {
      expect(Profile.look(folder)).toEqual({
        username: "Berta",
        hasSession: true,
        hasBeenOnline: true,
        isEstablished: true,
        movedAt: undefined,
      });
      const profile = Profile.open(folder);
      const { contacts } = profile;
      expect(profile.sessionToken).toBe("token of version 1");
      expect(profile.authority).toBe("authority of version 1");
      expect(profile.certificate).toEqual({
        pem: "certificate of version 1",
        receivedAt: T,
        expiresAt: T + 7 * 86_400_000,
      });
      expect(readFileSync(fixture(1), "utf8")).toContain(
        profile.keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim(),
      );
      const ana = contacts.find("ANA");
      const carla = contacts.find("carla");
      const dora = contacts.find("Dora");
      if (ana === undefined || carla === undefined || dora === undefined)
        throw new Error("a contact is lost");
      expect(contacts.targets(ana).length).toBe(2);
      expect(contacts.pins(ana).map(({ fingerprint }) => fingerprint)).toEqual([
        "fingerprint a2",
        "fingerprint a1",
      ]);
      expect(contacts.pins(dora).map(({ spki }) => spki.toString("hex"))).toEqual(["3059d1"]);
      expect(contacts.pendingKey(ana)).toMatchObject({
        fingerprint: "fingerprint a3",
        shown: "fingerprint a3",
      });
      expect(contacts.pendingKey(carla)).toMatchObject({ fingerprint: "fingerprint c1", shown: undefined });
      expect(contacts.features(ana)).toBeUndefined();
      expect(contacts.readHere(ana)).toBeUndefined();
      expect(contacts.listed().map(({ username }) => username)).toEqual(["Ana", "ñandú", "Carla"]);
      profile.close();
    }));

  test("the outbox is sent in order and counts as tried, and unread messages stay unread", () =>
    withOld(1, (folder) => {
      const scene = new MessageScene(folder);
      const [ana, nandu] = ["Ana", "Ñandú"].map((name) => scene.contacts.ensure(name));
      if (ana === undefined || nandu === undefined) throw new Error("a contact is lost");
      expect(scene.messages.contactsWithOutbox().toSorted()).toEqual([ana.id, nandu.id]);
      const waiting = ["out-sent", "out-sent-2", "out-queued-1", "out-queued-3"];
      for (const id of waiting) expect(scene.removal.cancel(ana, id)).toBe(false);
      expect(scene.removal.rewrite(ana, "out-queued-1", "other", NOW)).toBe(false);
      expect(scene.messages.claim(ana, 0, 10)).toMatchObject([
        { id: "out-sent", wasSent: true, text: "On its way when the program ended" },
        { id: "out-sent-2", wasSent: true, text: "" },
        { id: "out-queued-1", wasSent: false, text: "Waits: ñandú 🕊️🥰" },
        { id: "out-queued-3", wasSent: false, replyTo: "in-unprinted-1" },
      ]);
      expect(scene.messages.claim(nandu, 0, 10)).toMatchObject([{ text: "a\0b\nsecond line\ttab" }]);
      const unread = ["in-unprinted-1", "in-unprinted-2", "same"];
      expect(scene.history.unprinted(10).map(({ id }) => id)).toEqual(unread);
      scene.database.close();
    }));

  test("its messages go through all the states, are found, edited, withdrawn and deleted", () =>
    withOld(1, (folder) => {
      const scene = new MessageScene(folder);
      const ana = scene.contacts.ensure("Ana");
      expect(scene.found("camion")).toEqual(["out-received", "in-unprinted-1"]);
      expect(scene.found("nandu")).toEqual(["out-queued-1"]);
      scene.checkIndex();
      expect(scene.receive(ana, "in-1", "same")).toEqual([undefined, undefined]);
      scene.messages.saveSent(ana, new Map([["out-queued-1", NOW]]));
      expect(scene.acknowledge(ana, "out-received", "out-sent", "out-queued-1")).toEqual([
        "out-sent",
        "out-queued-1",
      ]);
      const read = ["out-received", "out-sent", "out-queued-1"];
      expect(scene.read(ana, { readUpTo: "out-queued-1" }).read).toEqual(read);
      scene.queue({ kind: "edit", contact: ana, id: "e", target: "out-sent", text: "edited", sentAt: NOW });
      scene.queue({ kind: "withdraw", contact: ana, id: "w", target: "out-received", sentAt: NOW });
      scene.read(ana, { incoming: [{ kind: "withdraw", id: "w1", target: "in-unprinted-1" }] });
      expect(scene.removal.delete(ana, "in-1", false)).toBe(true);
      expect(scene.found("camion")).toEqual([]);
      expect(scene.found("edited")).toEqual(["out-sent"]);
      expect(scene.waiting(ana)).toEqual(["out-sent-2", "out-queued-3", "e", "w"]);
      scene.checkIndex();
      scene.wipeAll();
      expect(scene.bytes).not.toMatch(/camión|CAMIÓN|cómo está/);
      scene.database.close();
    }));
});

test("the search index of version 3 is made anew, in pieces, and finds folded words", () =>
  withOld(3, (folder) => {
    inspect(profileFile(folder), (database) => {
      database.run(
        "INSERT INTO message_words (rowid, text) SELECT seq, text FROM messages WHERE kind = 0 AND text <> ''",
      );
      database.run("UPDATE search_progress SET seq = (SELECT max(seq) FROM messages)");
    });
    const scene = new MessageScene(folder);
    expect([scene.search.isBehind, scene.search.percentIndexed]).toEqual([true, 0]);
    const ana = scene.contacts.ensure("Ana");
    scene.receive(ana, "new");
    scene.read(ana, { incoming: [{ kind: "edit", id: "e9", target: "new", text: "straße 上海" }] });
    expect(scene.found("STRASSE 海")).toEqual(["new"]);
    expect(scene.found("ＮＡＮＤＵ")).toEqual(["out-queued-1"]);
    expect([scene.search.isBehind, scene.search.percentIndexed]).toEqual([false, 100]);
    scene.checkIndex();
    scene.database.close();
  }));

test.each(earlier.slice(0, 8))(
  "in a profile of version %i who was written to is a contact, and who else has written asks",
  (version) =>
    withOld(version, (folder) => {
      const profile = Profile.open(folder);
      const states = ["ana", "ñandú", "carla", "dora"].map((name) => {
        const contact = profile.contacts.find(name);
        return contact && profile.consents.of(contact, Date.now()).name;
      });
      profile.close();
      expect(states).toEqual(["contact", "contact", "request", "stranger"]);
    }),
);
