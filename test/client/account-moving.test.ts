/** `exportAccount` and `importAccount`: what moves, what is refused, and that nothing is left of what fails. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { exportAccount } from "../../src/client/account-export.ts";
import { importAccount } from "../../src/client/account-import.ts";
import { profileFile, profileFolder } from "../../src/client/disk/folders.ts";
import { EXPORTING, ProfileLock } from "../../src/client/disk/lock.ts";
import { AccountExistsError } from "../../src/client/errors.ts";
import { headOf } from "../../src/client/moving/contents.ts";
import { openSealed, readSealed, writeSealed } from "../../src/client/moving/sealed-file.ts";
import { withKey } from "../../src/client/moving/sealed-format.ts";
import { Profile, type NewAccount } from "../../src/client/profile/profile.ts";
import { lastServer, ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { authorityFingerprint } from "../../src/client/rendezvous/trust.ts";
import { label } from "../../src/identity/names.ts";
import { fillDisk, mountSmallDisk } from "../integration/small-disk.ts";
import { ACCOUNT, AUTHORITY } from "./test-profile.ts";

setDefaultTimeout(60_000);

const PASSPHRASE = "correct horse battery";
const CHEAP = { memory: 8, passes: 1, lanes: 1 };
const TOKEN = "a token that nobody else may see";
const FINGERPRINT = authorityFingerprint(AUTHORITY);

const folder = mkdtempSync(join(tmpdir(), "paloma-moving-"));
const unmounts: (() => unknown)[] = [];
afterAll(() => {
  for (const unmount of unmounts) unmount();
  rmSync(folder, { recursive: true });
});

let count = 0;
/** A new data folder, or the path of one. */
const fresh = () => join(folder, `data-${++count}`);

/** An account that has a session and knows somebody, in a new data folder. */
function makeAccount(data: string, account: NewAccount = ACCOUNT): string {
  const place = profileFolder(data, FINGERPRINT, label(account.username));
  const profile = Profile.open(place, account);
  const certificate = { pem: "a certificate", receivedAt: 1, expiresAt: 2 };
  profile.saveLogin({ username: account.username, token: TOKEN, certificate });
  const contact = profile.contacts.ensure("carla");
  profile.messages.queue([
    { kind: "text", contact, id: "id-1", text: "unsent", sentAt: 1, replyTo: undefined },
  ]);
  profile.close();
  return place;
}

const never = new AbortController().signal;
const place = (dataFolder: string) => ({ dataFolder, host: "localhost", port: 8_443, user: undefined });

function exported(data: string, typed: string, signal = never) {
  const passphrase = () => Promise.resolve(PASSPHRASE);
  return exportAccount({ place: place(data), typed, passphrase, signal, onEvent: () => undefined });
}

function imported(data: string, typed: string, { passphrase = PASSPHRASE, replaceMoved = false } = {}) {
  return importAccount({
    dataFolder: data,
    typed,
    passphrase: () => Promise.resolve(passphrase),
    replaceMoved,
    signal: never,
  });
}

/** The code or message of the error. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error("nothing failed"),
    (thrown: unknown) => thrown as Error & { code?: string },
  );
  return "code" in error ? String(error.code) : error.message;
}

let old: string;
let file: string;
beforeAll(async () => {
  old = fresh();
  makeAccount(old);
  const servers = new ServerStore(old);
  for (const [host, port] of [
    ["chat.example", 8_443],
    ["127.0.0.1", 8_443],
    ["localhost", 99],
  ] as const)
    servers.set(host, port, { kind: "pin", authority: AUTHORITY });
  servers.set("web.example", 443, { kind: "web", authority: AUTHORITY });
  servers.set("unknown.example", 443, { kind: "web", authority: undefined });
  for (const host of ["chat.example", "127.0.0.1"]) servers.used(host, 8_443);
  servers.close();
  file = join(folder, "account.paloma");
  expect(await exported(old, file)).toEqual({ username: "Berta", file, bytes: statSync(file).size });
  await makeCheap(file);
});

/** Encrypts a file again so that each import of it is quick. */
async function makeCheap(path: string): Promise<void> {
  const handle = await open(path, "r+");
  const header = await openSealed(handle);
  const parts = await Array.fromAsync(readSealed(handle, await withKey(header, PASSPHRASE)));
  await writeSealed(handle, PASSPHRASE, header.length, inParts(...parts), CHEAP);
  await handle.close();
}

async function* inParts(...parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts;
}

describe("an exported account", () => {
  test("is one file that only its owner may read, and nothing else is beside it", () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => !name.startsWith("data-"))).toEqual(["account.paloma"]);
    const bytes = readFileSync(file);
    for (const secret of [TOKEN, "Berta", "carla", "unsent", "SQLite", "chat.example"])
      expect(bytes.includes(secret)).toBe(false);
  });

  test("has its key, its people, its messages, its outbox and its certificate on the other machine", async () => {
    const data = fresh();
    const result = await imported(data, file);
    const where = profileFolder(data, FINGERPRINT, label("Berta"));
    expect(result).toEqual({
      username: "Berta",
      folder: where,
      servers: ["chat.example:8443", "web.example:443"],
    });
    expect(lastServer(data)).toEqual({ host: "chat.example", port: 8_443 });
    const here = Profile.open(profileFolder(old, FINGERPRINT, label("Berta")));
    const there = Profile.open(where);
    expect(there.keys.spki).toEqual(here.keys.spki);
    expect([there.username, there.authority, there.certificate]).toEqual([
      here.username,
      here.authority,
      here.certificate,
    ]);
    expect(there.contacts.all()).toEqual(here.contacts.all());
    const contact = there.contacts.ensure("carla");
    expect(there.history.after(contact, 0, 10)).toEqual(here.history.after(contact, 0, 10));
    expect(there.messages.outboxCounts(contact)).toEqual({ ...here.messages.outboxCounts(contact) });
    // It lives there now, and its session ended with the move.
    expect([here.movedAt === undefined, there.movedAt]).toEqual([false, undefined]);
    expect([here.sessionToken, there.sessionToken]).toEqual([undefined, undefined]);
    here.close();
    there.close();
    for (const path of [where, join(data), profileFile(where)]) expect(statSync(path).mode & 0o077).toBe(0);
  });

  test("brings the trust in its servers, but none in the old machine itself, and none instead of another", async () => {
    const data = fresh();
    const own = new ServerStore(data);
    own.set("chat.example", 8_443, { kind: "web", authority: undefined });
    expect((await imported(data, file)).servers).toEqual(["web.example:443"]);
    const all = ["chat.example", "127.0.0.1", "unknown.example"].map((host) => own.get(host, 8_443)?.kind);
    expect(all).toEqual(["web", undefined, undefined]);
    expect(own.get("web.example", 443)).toEqual({ kind: "web", authority: AUTHORITY });
    own.close();
  });
});

describe("an export", () => {
  test("touches nothing that has the name of its file, a symbolic link that leads nowhere either", async () => {
    const data = fresh();
    makeAccount(data);
    const taken = join(folder, "data-taken");
    mkdirSync(taken);
    const [here, link, target] = ["here", "link", "target"].map((name) => join(taken, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(here, "mine");
    symlinkSync(target, link);
    for (const typed of [here, link, taken])
      expect(await failureOf(exported(data, typed))).toBe("file_exists");
    expect(await failureOf(exported(data, `${taken}/`))).toBe("no_name");
    expect(await failureOf(exported(data, join(taken, "missing", "x")))).toBe("no_folder");
    expect(readFileSync(here, "utf8")).toBe("mine");
    expect([lstatSync(link).isSymbolicLink(), existsSync(target)]).toEqual([true, false]);
    expect(readdirSync(taken).sort()).toEqual(["here", "link"]);
    expect(Profile.look(profileFolder(data, FINGERPRINT, label("Berta")))).toMatchObject({
      movedAt: undefined,
      hasSession: true,
    });
  });

  test("that is interrupted, or meets a full disk, leaves no file, and the account as it was", async () => {
    const data = fresh();
    const where = makeAccount(data);
    const unmoved = { movedAt: undefined, hasSession: true };
    const target = fresh();
    mkdirSync(target);
    const abort = new AbortController();
    const interrupted = failureOf(exported(data, join(target, "x"), abort.signal));
    while (readdirSync(target).length === 0) await nextTurn();
    abort.abort(new Error("interrupted"));
    expect(await interrupted).toBe("interrupted");
    expect(readdirSync(target)).toEqual([]);
    expect(Profile.look(where)).toMatchObject(unmoved);

    const small = join(folder, "data-small");
    mkdirSync(small);
    const unmount = mountSmallDisk(small, 64);
    if (unmount === undefined) return;
    unmounts.push(unmount);
    expect(await failureOf(exported(data, join(small, "x")))).toBe("not_written");
    expect(readdirSync(small)).toEqual([]);
    expect(Profile.look(where)).toMatchObject(unmoved);
  });

  test("waits for no other one of the same account", async () => {
    const data = fresh();
    const lock = ProfileLock.acquire(makeAccount(data), { pid: 1, command: EXPORTING });
    expect(await failureOf(exported(data, join(data, "x")))).toBe("account_moving");
    lock.release();
  });
});

describe("an import", () => {
  /** A file that differs from the exported one. */
  function changed(change: (path: string) => void): string {
    const path = join(folder, "data-changed");
    copyFileSync(file, path);
    change(path);
    return path;
  }
  const flip = (path: string) => {
    const bytes = readFileSync(path);
    bytes[bytes.length - 100] = (bytes.at(-100) as number) ^ 1;
    writeFileSync(path, bytes);
  };

  test.each([
    ["wrong_passphrase", () => file, "not this one"],
    ["truncated", () => changed((path) => truncateSync(path, statSync(path).size - 1)), PASSPHRASE],
    ["changed", () => changed(flip), PASSPHRASE],
    ["not_ours", () => changed((path) => writeFileSync(path, "hello")), PASSPHRASE],
    ["not_ours", () => folder, PASSPHRASE],
    ["unreadable", () => join(folder, "missing"), PASSPHRASE],
  ])("refuses with %s, and leaves nothing", async (code, typed, passphrase) => {
    const data = fresh();
    expect(await failureOf(imported(data, typed(), { passphrase }))).toBe(code);
    expect(existsSync(data) ? readdirSync(data) : []).toEqual([]);
  });

  test("of a pipe waits for nobody", async () => {
    const pipe = join(folder, "data-pipe");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    expect(await failureOf(imported(fresh(), pipe))).toBe("not_ours");
  });

  test("that meets a full disk leaves nothing", async () => {
    const data = fresh();
    mkdirSync(data, { mode: 0o700 });
    const unmount = mountSmallDisk(data, 64);
    if (unmount === undefined) return;
    unmounts.push(unmount);
    expect(await failureOf(imported(data, file))).toBe("ENOSPC");
    expect(readdirSync(data)).toEqual([]);
    fillDisk(join(data, "filler"));
  });

  test("does not touch an account that is here, but replaces one that was exported, if it may", async () => {
    const exists = async (data: string, options?: { replaceMoved: boolean }) => {
      const error = await imported(data, file, options).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AccountExistsError);
      return (error as AccountExistsError).movedAt;
    };
    const data = fresh();
    const where = makeAccount(data);
    expect(await exists(data)).toBe(undefined);
    expect(await exists(data, { replaceMoved: true })).toBe(undefined);
    expect(Profile.look(where)).toMatchObject({ hasSession: true });

    const home = profileFolder(old, FINGERPRINT, label("Berta"));
    writeFileSync(join(home, "of the old one"), "");
    expect(await exists(old)).toBeNumber();
    expect((await imported(old, file, { replaceMoved: true })).folder).toBe(home);
    expect(Profile.look(home)).toMatchObject({ movedAt: undefined, username: "Berta" });
    expect(existsSync(join(home, "of the old one"))).toBe(false);
    expect(readdirSync(join(home, ".."))).toEqual([label("Berta")]);
  });

  test("removes what a killed one has left, and nothing of one that runs", async () => {
    const data = fresh();
    const [left, running] = ["importing-left", "importing-run"].map((name) => join(data, name)) as [
      string,
      string,
    ];
    for (const each of [left, running]) {
      mkdirSync(each, { recursive: true, mode: 0o700 });
      writeFileSync(profileFile(each), "half an account");
    }
    const lock = ProfileLock.acquire(running, { pid: 1, command: "profile import" });
    await imported(data, file);
    expect(readdirSync(data).filter((name) => name.startsWith("importing-"))).toEqual(["importing-run"]);
    expect(readFileSync(profileFile(running), "utf8")).toBe("half an account");
    lock.release();
  });
});

describe("a file that somebody hostile has made, with a passphrase that they tell", () => {
  async function sealed(contents: Buffer): Promise<string> {
    const path = join(folder, "data-hostile");
    const handle = await open(path, "w+");
    await writeSealed(handle, PASSPHRASE, contents.length, inParts(contents), CHEAP);
    await handle.close();
    return path;
  }

  /** The database of an account. */
  function databaseOf(account: NewAccount): Buffer {
    const where = join(fresh(), "profile");
    Profile.make(where, account);
    return readFileSync(profileFile(where));
  }

  test.each(["../../../../etc/berta", "/etc/berta", "..", "a\\..\\b", "x".repeat(64)])(
    "writes only to the folder that follows from its name: %s",
    async (username) => {
      const data = fresh();
      const path = await sealed(Buffer.concat([headOf([]), databaseOf({ ...ACCOUNT, username })]));
      await imported(data, path);
      expect(readdirSync(data).filter((name) => !name.startsWith("servers.db"))).toEqual([
        FINGERPRINT.slice(0, 16),
      ]);
      expect(readdirSync(join(data, FINGERPRINT.slice(0, 16)))).toEqual([label(username)]);
    },
  );

  const database = () => databaseOf(ACCOUNT);
  const head = (json: string, length = Buffer.byteLength(json)) => {
    const bytes = Buffer.alloc(4 + Buffer.byteLength(json));
    bytes.writeUInt32BE(length);
    bytes.write(json, 4);
    return bytes;
  };
  const server = (value: object) => head(JSON.stringify({ servers: [value] }));
  const newer = () => {
    const bytes = database();
    // `user_version` in the header of a database.
    bytes.writeUInt32BE(9_999, 60);
    return bytes;
  };

  test.each([
    ["nothing of an account", () => [Buffer.from("hello, this is no account at all")], "changed"],
    ["no database", () => [headOf([])], "changed"],
    ["another database", () => [headOf([]), Buffer.alloc(8_192, "SQLite format 3\0")], "changed"],
    ["a head longer than the file", () => [head("{}", 0xffff_ffff), database()], "changed"],
    ["a head that is no JSON", () => [head("{"), database()], "changed"],
    ["a head without servers", () => [head("{}"), database()], "changed"],
    ["a server without a host", () => [server({ host: "", port: 1, kind: "pin" }), database()], "changed"],
    ["a server with a path", () => [server({ host: "a/../b", port: 1, kind: "pin" }), database()], "changed"],
    ["a server of no port", () => [server({ host: "a", port: 0, kind: "pin" }), database()], "changed"],
    ["a server of no kind", () => [server({ host: "a", port: 1, kind: "any" }), database()], "changed"],
    [
      "a name that cannot be",
      () => [headOf([]), databaseOf({ ...ACCOUNT, username: "a\u0000b" })],
      "changed",
    ],
    ["no authority", () => [headOf([]), databaseOf({ ...ACCOUNT, authority: "" })], "changed"],
    [
      "two authorities",
      () => [headOf([]), databaseOf({ ...ACCOUNT, authority: AUTHORITY + AUTHORITY })],
      "changed",
    ],
    ["a later version's database", () => [headOf([]), newer()], "newer"],
  ])("is refused with %s, and leaves nothing", async (_what, parts, code) => {
    const data = fresh();
    expect(await failureOf(imported(data, await sealed(Buffer.concat(parts()))))).toBe(code);
    expect(readdirSync(data)).toEqual([]);
  });
});
