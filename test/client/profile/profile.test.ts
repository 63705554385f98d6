import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import {
  lockFile,
  makePrivateFolder,
  profileFile,
  profileFolder,
  profileFolders,
  serversFile,
} from "../../../src/client/disk/folders.ts";
import { Profile } from "../../../src/client/profile/profile.ts";
import { ProfileLock } from "../../../src/client/disk/lock.ts";
import { ServerStore } from "../../../src/client/rendezvous/trust-store.ts";
import { openReadOnly, openStore, StoreError } from "../../../src/client/disk/sqlite.ts";
import { createAuthority } from "../../../src/identity/certificate.ts";
import { label } from "../../../src/identity/names.ts";
import { ACCOUNT, AUTHORITY, inTemporaryFolder } from "../test-profile.ts";

const FINGERPRINT = "0123456789abcdef".repeat(4);
const modeOf = (path: string) => statSync(path).mode & 0o777;

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

describe("the profile", () => {
  test("keeps its key, its session and its certificate", () =>
    inTemporaryFolder((folder) => {
      const certificate = { pem: "a certificate", receivedAt: 1, expiresAt: 2 };
      const first = Profile.open(folder, ACCOUNT);
      const { spki } = first.keys;
      expect(first).toMatchObject({
        username: "Berta",
        authority: AUTHORITY,
        hasBeenOnline: false,
        sessionToken: undefined,
        certificate: undefined,
      });
      first.saveLogin({ username: "BERTA", token: "a token", certificate });
      first.close();

      const again = Profile.open(folder);
      expect(again.keys.spki.equals(spki)).toBe(true);
      expect(again).toMatchObject({
        username: "BERTA",
        hasBeenOnline: true,
        sessionToken: "a token",
        certificate,
      });
      again.saveCertificate({ ...certificate, pem: "renewed" });
      again.forgetToken();
      expect(again).toMatchObject({ sessionToken: undefined, certificate: { pem: "renewed" } });
      again.close();
    }));

  test("is not made a second time and keeps its first key", () =>
    inTemporaryFolder((folder) => {
      const first = Profile.open(folder, ACCOUNT);
      const second = Profile.open(folder, { ...ACCOUNT, username: "Other" });
      expect(second.keys.spki.equals(first.keys.spki)).toBe(true);
      expect(second.username).toBe("Berta");
      first.close();
      second.close();
    }));

  test("keeps whether the local network is told that its client is there: at first it is", () =>
    inTemporaryFolder((folder) => {
      const profile = Profile.open(folder, ACCOUNT);
      expect(profile.usesLan).toBe(true);
      profile.useLan(false);
      profile.close();
      const again = Profile.open(folder);
      expect(again.usesLan).toBe(false);
      again.close();
    }));

  test("keeps which ways are used: at first all of them", () =>
    inTemporaryFolder((folder) => {
      const profile = Profile.open(folder, ACCOUNT);
      expect(profile.relay).toBe("auto");
      profile.useRelay("only");
      profile.close();
      const again = Profile.open(folder);
      expect(again.relay).toBe("only");
      again.close();
    }));

  test("can be read only by its owner, and so can the files that SQLite makes", () =>
    inTemporaryFolder((data) => {
      const folder = profileFolder(join(data, "deep", "data"), FINGERPRINT, label("Berta"));
      const profile = Profile.open(folder, ACCOUNT);
      profile.contacts.ensure("Ana");
      const files = readdirSync(folder);
      expect(files).toContain("profile.db-wal");
      for (const file of files) expect([file, modeOf(join(folder, file))]).toEqual([file, 0o600]);
      for (const each of [folder, join(folder, ".."), join(folder, "../.."), join(data, "deep")])
        expect(modeOf(each)).toBe(0o700);
      profile.close();
    }));

  test("closes a folder and a file that others could read", () =>
    inTemporaryFolder((data) => {
      const folder = join(data, "open");
      mkdirSync(folder, { mode: 0o755 });
      Profile.open(folder, ACCOUNT).close();
      chmodSync(folder, 0o755);
      chmodSync(profileFile(folder), 0o644);
      Profile.open(folder).close();
      expect(modeOf(folder)).toBe(0o700);
      expect(modeOf(profileFile(folder))).toBe(0o600);
    }));

  test("writes to the disk before a commit returns", () =>
    inTemporaryFolder((folder) => {
      const database = openStore(join(folder, "any.db"), { applicationId: 1, versions: ["SELECT 1"] });
      expect(database.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
      expect(database.query("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
      database.close();
    }));
});

describe("a store", () => {
  const schema = { applicationId: 7, versions: ["CREATE TABLE one (a)", "CREATE TABLE two (a)"] };

  test("of an older version is brought up to date and keeps its rows", () =>
    inTemporaryFolder((folder) => {
      const file = join(folder, "any.db");
      const old = openStore(file, { ...schema, versions: schema.versions.slice(0, 1) });
      old.run("INSERT INTO one VALUES (1)");
      old.close();
      for (let opening = 0; opening < 2; opening++) {
        const database = openStore(file, schema);
        expect(database.query("SELECT a FROM one").all()).toEqual([{ a: 1 }]);
        expect(database.query("SELECT a FROM two").all()).toEqual([]);
        expect(database.query("PRAGMA user_version").get()).toEqual({ user_version: 2 });
        database.close();
      }
    }));

  test("that another process locks even for readers is read once it is free", () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, "any.db");
      openStore(file, schema).close();
      // As the last one to close the file does for a moment.
      const program = `
        const { Database } = require("bun:sqlite");
        const database = new Database(${JSON.stringify(file)});
        database.run("PRAGMA locking_mode=EXCLUSIVE");
        database.run("INSERT INTO one VALUES (1)");
        console.log("locked");
        setTimeout(() => database.close(), 300);`;
      const other = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
      await other.stdout.getReader().read();
      const database = openReadOnly(file, schema);
      expect(database.query("SELECT a FROM one").all()).toEqual([{ a: 1 }]);
      database.close();
      expect(await other.exited).toBe(0);
    }));

  test("whose update fails is left as it was", () =>
    inTemporaryFolder((folder) => {
      const file = join(folder, "any.db");
      openStore(file, { ...schema, versions: schema.versions.slice(0, 1) }).close();
      const broken = { ...schema, versions: [...schema.versions, "CREATE TABLE three (a); NONSENSE"] };
      expect(codeOf(() => openStore(file, broken))).toBe("unreadable");
      const database = new Database(file);
      expect(database.query("PRAGMA user_version").get()).toEqual({ user_version: 1 });
      expect(database.query("SELECT name FROM sqlite_master").all()).toEqual([{ name: "one" }]);
      database.close();
    }));

  test("of a newer program is refused and not touched", () =>
    inTemporaryFolder((folder) => {
      const file = join(folder, "any.db");
      openStore(file, schema).close();
      const before = readFileSync(file);
      expect(codeOf(() => openStore(file, { ...schema, versions: schema.versions.slice(0, 1) }))).toBe(
        "newer",
      );
      expect(readFileSync(file).equals(before)).toBe(true);
    }));

  test("of another program is refused and not touched", () =>
    inTemporaryFolder((folder) => {
      const file = profileFile(folder);
      const other = new Database(file, { create: true });
      other.run("CREATE TABLE account (whose TEXT)");
      other.close();
      const before = readFileSync(file);
      expect(codeOf(() => Profile.open(folder, ACCOUNT))).toBe("not_ours");
      expect(readFileSync(file).equals(before)).toBe(true);
    }));

  test("is not ours when it is another store of ours", () =>
    inTemporaryFolder((folder) => {
      new ServerStore(folder).close();
      writeFileSync(profileFile(folder), readFileSync(serversFile(folder)));
      expect(codeOf(() => Profile.open(folder, ACCOUNT))).toBe("not_ours");
    }));

  test("that is not a database is damaged, one that is a folder is unreadable, and both are left unchanged", () =>
    inTemporaryFolder((folder) => {
      const text = "a letter that somebody saved here ".repeat(100);
      writeFileSync(profileFile(folder), text);
      expect(codeOf(() => Profile.open(folder, ACCOUNT))).toBe("damaged");
      expect(readFileSync(profileFile(folder), "utf8")).toBe(text);
      mkdirSync(serversFile(folder));
      expect(codeOf(() => new ServerStore(folder))).toBe("unreadable");
    }));
});

describe("a profile that existed before", () => {
  for (const [what, spoil] of [
    ["is missing", (file: string) => rmSync(file)],
    ["is empty", (file: string) => truncateSync(file)],
  ] as const)
    test(`and ${what} is not made anew with another key`, () =>
      inTemporaryFolder((folder) => {
        Profile.open(folder, ACCOUNT).close();
        ProfileLock.acquire(folder, { pid: 1, command: "test" }).release();
        rmSync(`${profileFile(folder)}-wal`, { force: true });
        rmSync(`${profileFile(folder)}-shm`, { force: true });
        spoil(profileFile(folder));
        expect(codeOf(() => Profile.open(folder, ACCOUNT))).toBe("lost");
        expect(codeOf(() => Profile.exists(folder))).toBe("lost");
      }));
});

describe("the folders of a data folder", () => {
  test("are named by the authority and the label, and the same for every spelling of a name", () => {
    const folder = profileFolder("/data", FINGERPRINT, label("ÑANDÚ"));
    expect(folder).toBe(`/data/0123456789abcdef/${label("ñandú")}`);
    expect([profileFile(folder), lockFile(folder), serversFile("/data")]).toEqual([
      `${folder}/profile.db`,
      `${folder}/lock.db`,
      "/data/servers.db",
    ]);
  });

  test("that hold a profile are found, for all authorities or one, and nothing else is", () =>
    inTemporaryFolder((data) => {
      expect(profileFolders(join(data, "missing"))).toEqual([]);
      expect(profileFolders(data)).toEqual([]);
      const other = "f".repeat(64);
      const mine = profileFolder(data, FINGERPRINT, label("Berta"));
      const there = profileFolder(data, other, label("Berta"));
      for (const folder of [mine, there]) Profile.open(folder, ACCOUNT).close();
      makePrivateFolder(profileFolder(data, FINGERPRINT, label("without a profile")));
      makePrivateFolder(join(data, FINGERPRINT.slice(0, 16), "not-a-label"));
      makePrivateFolder(join(data, "backup"));
      writeFileSync(join(data, "abcdefabcdefabcd"), "a file with a folder's name");
      expect(profileFolders(data)).toEqual([mine, there]);
      expect(profileFolders(data, other)).toEqual([there]);
    }));
});

describe("the servers that are known", () => {
  test("are kept by host, in any case, and port", () =>
    inTemporaryFolder((data) => {
      const servers = new ServerStore(data);
      const authority = createAuthority(0).certificatePem;
      servers.set("Example.org", 8443, { kind: "pin", authority });
      servers.set("example.org", 1, { kind: "web", authority: undefined });
      expect(servers.get("EXAMPLE.ORG", 8443)).toEqual({ kind: "pin", authority });
      expect(servers.get("example.org", 1)).toEqual({ kind: "web", authority: undefined });
      expect(servers.get("example.org", 2)).toBeUndefined();
      servers.set("example.org", 8443, { kind: "web", authority });
      expect(servers.get("example.org", 8443)).toEqual({ kind: "web", authority });
      servers.close();
      expect(modeOf(serversFile(data))).toBe(0o600);
      expect(modeOf(data)).toBe(0o700);
    }));
});
