/**
 * Each call of the store fails once, while two people find, greet and answer each other: nothing is thrown where nobody
 * could catch it, the failure is reported, and everything that was queued arrives.
 */
import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { existsSync } from "node:fs";

import { damageMark } from "../../src/client/disk/folders.ts";
import { WriteAheadLog } from "../../src/client/disk/write-ahead-log.ts";
import { lookBeforeStatements, readError, watchStatements } from "../failing-disk.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";

const PATIENCE = 120_000;
const LOST: ReadonlySet<string> = new Set(["disconnected", "unreachable"]);

const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);
let company: Company;

watchStatements();

beforeEach(async () => {
  company = await Company.meet();
  process.on("uncaughtException", note);
  process.on("unhandledRejection", note);
});

afterEach(async () => {
  lookBeforeStatements(undefined);
  await company.close();
  process.off("uncaughtException", note);
  process.off("unhandledRejection", note);
  uncaught.length = 0;
});

/** Every statement of this person's store that contains `part` fails. */
function failAt(person: Person, part: string): void {
  lookBeforeStatements(({ filename }, sql) => {
    if (filename.startsWith(person.profile.folder) && sql.includes(part)) throw readError();
  });
}

/** The call number `place` of this person's store fails, and the next ones do not. @returns what it was, once it has failed */
function failOnce(person: Person, place: number): () => string | undefined {
  let left = place;
  let failed: string | undefined;
  lookBeforeStatements(({ filename }, sql) => {
    if (!filename.startsWith(person.profile.folder) || --left !== 0) return;
    failed = sql;
    throw readError();
  });
  return () => failed;
}

/** Queues a text. @returns false: the store has not taken it */
async function say(from: Person, to: string, text: string): Promise<boolean> {
  try {
    from.messenger.outbox.send(to, text);
    from.messenger.outbox.commit();
  } catch (error) {
    expect((error as { code?: unknown }).code).toBe("SQLITE_IOERR_READ");
    return false;
  }
  return true;
}

/** `from` has the chat with `to` open, and dials whenever there is no link, until `isOver`. */
async function chat(from: Person, to: Person, isOver: () => boolean): Promise<void> {
  from.messenger.openChat(to.name);
  let seen = from.events.length;
  await until(() => {
    const isLost = from.events.slice(seen).some(({ name }) => LOST.has(name));
    seen = from.events.length;
    if (isLost) setImmediate(() => from.messenger.openChat(to.name).connect());
    return isOver();
  });
}

test.each([["dials"], ["is dialled"]])(
  "whatever call of the store fails while somebody %s",
  async (how) => {
    const ana = await company.person("ana");
    let place = 0;
    for (let failed: string | undefined = ""; failed !== undefined;) {
      // Somebody new in each round, whose key is not known.
      const peer = await company.person(`peer${++place}`);
      const said = new Map([ana, peer].map((person) => [person, [] as string[]]));
      const sayBoth = async (text: string) => {
        if (await say(ana, peer.name, text)) said.get(ana)?.push(text);
        if (await say(peer, "ana", text)) said.get(peer)?.push(text);
      };
      const isAllReceived = () =>
        ana.received(peer.name) === said.get(ana)?.length && peer.received("ana") === said.get(peer)?.length;
      const [from, to] = how === "dials" ? [ana, peer] : [peer, ana];
      const failure = failOnce(ana, place);
      await sayBoth("one");
      await chat(from, to, () => isAllReceived() || failure() !== undefined);
      failed = failure();
      lookBeforeStatements(undefined);
      // On a link that stays, the outbox is read again at the next text, or half a minute later.
      await sayBoth("two");
      await chat(from, to, isAllReceived);
      expect([failed, peer.texts("ana")]).toEqual([failed, said.get(ana) ?? []]);
      expect([failed, ana.texts(peer.name)]).toEqual([failed, said.get(peer) ?? []]);
      await peer.close();
    }
    expect(uncaught).toEqual([]);
    // Fewer would mean that the calls are not seen, or not told.
    expect(place).toBeGreaterThan(20);
    expect(ana.of("storageFailed").length).toBeGreaterThan(place / 2);
  },
  PATIENCE,
);

test("a changed key that cannot be stored while dialling is reported, and warned of once it can be", async () => {
  const ana = await company.person("ana");
  await company.person("bob");
  const { contacts } = ana.profile;
  contacts.pin(contacts.ensure("bob"), { fingerprint: "another key", spki: Buffer.alloc(1) }, 1);
  failAt(ana, "INSERT INTO pending_keys");
  ana.messenger.outbox.send("bob", "for his old key");
  await until(() => ana.of("unreachable").length === 1);
  expect(ana.of("unreachable")[0]).toMatchObject({ reason: "storage_failed" });
  expect(ana.of("storageFailed")).not.toBeEmpty();
  lookBeforeStatements(undefined);
  // It is dialled again by itself.
  await until(() => ana.of("keyPending").length === 1);
  expect(uncaught).toEqual([]);
});

test("a login that cannot be stored when the server is back is reported, and made again", async () => {
  const ana = await company.person("ana");
  ana.account.keepOnline();
  failAt(ana, "UPDATE account SET");
  await company.stopServer();
  await company.restartServer();
  await until(() => ana.of("storageFailed").length > 0);
  lookBeforeStatements(undefined);
  // A brief outage is no event.
  await untilQuiet(() => ana.messenger.rendezvous.state.name === "online");
  expect(uncaught).toEqual([]);
});

test("what the disk has failed to write is not acknowledged nor told, nothing is any more, and it comes after the next start", async () => {
  const ana = await company.person("ana");
  const bob = await company.person("bob");
  ana.messenger.outbox.send("bob", "one");
  await until(() => ana.received("bob") === 1);
  const bobsLog = bob.profile.openLog();
  const sync = spyOn(WriteAheadLog.prototype, "sync").mockImplementation(function (
    this: WriteAheadLog,
    done,
  ) {
    setImmediate(() => done(this === bobsLog ? new Error("EIO") : null));
  });
  ana.messenger.outbox.send("bob", "two");
  await until(() => bob.of("storageFailed").length === 1);
  expect(bob.of("storageFailed")[0]?.error).toMatchObject({ code: "SQLITE_IOERR_FSYNC" });
  await until(() => ana.of("disconnected").length > 0);
  sync.mockRestore();
  // Linux would call the next sync good.
  bob.messenger.outbox.send("ana", "never");
  expect(await bob.messenger.outbox.committed().catch(({ code }: { code: string }) => code)).toBe(
    "SQLITE_IOERR_FSYNC",
  );
  ana.messenger.outbox.send("bob", "three");
  ana.messenger.openChat("bob").connect();
  await until(() => ana.of("peerError").some(({ code }) => code === "storage_failed"));
  expect([bob.texts("ana"), bob.of("delivery"), ana.received("bob")]).toEqual([["one"], [], 1]);
  expect(existsSync(damageMark(bob.profile.folder))).toBe(true);
  await bob.close();
  const again = await company.person("bob");
  ana.messenger.openChat("bob").connect();
  await until(() => ana.received("bob") === 3);
  // The second was stored already, so it is no news.
  expect(again.texts("ana")).toEqual(["three"]);
  expect(
    again.messenger.archive
      .conversation("ana")
      ?.before(undefined, 10)
      .messages.map(({ text }) => text),
  ).toEqual(["one", "two", "three"]);
  expect(existsSync(damageMark(again.profile.folder))).toBe(false);
  expect(uncaught).toEqual([]);
});

test("what a group brings while nothing of it can be stored comes when it can", async () => {
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  const { group } = await ana.messenger.groups.actions.create("Familia", "admins", "all");
  await ana.messenger.groups.actions.add(group, ["bob"], "all");
  const state = () => bob.messenger.groups.shown.all()[0];
  await until(() => state()?.state === "invited");
  await bob.messenger.groups.actions.accept(group);
  await untilQuiet(() => state()?.people === 2);
  const name = `#${group}`;
  ana.messenger.outbox.send(name, "antes");
  await until(() => bob.texts("ana").length === 1);
  failAt(bob, "group_entries");
  ana.messenger.outbox.send(name, "en medio");
  await until(() => bob.of("storageFailed").length > 0);
  expect(bob.texts("ana")).toEqual(["antes"]);
  lookBeforeStatements(undefined);
  await until(() => bob.texts("ana").length === 2);
  expect(bob.texts("ana")).toEqual(["antes", "en medio"]);
  expect(uncaught).toEqual([]);
});
