/** A profile that is exported to another machine: its copy, and what becomes of it. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { profileFile } from "../../../src/client/disk/folders.ts";
import { Profile } from "../../../src/client/profile/profile.ts";
import { errorCode } from "../../../src/net/error-code.ts";
import { ACCOUNT, inTemporaryFolder } from "../test-profile.ts";

const NOW = Date.UTC(2027, 0, 15);
const TOKEN = "a token that nobody else may see";
const LOGIN = {
  username: "Berta",
  token: TOKEN,
  certificate: { pem: "a certificate", receivedAt: 1, expiresAt: 2 },
};

function withProfile(use: (profile: Profile, folder: string) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const profile = Profile.open(join(folder, "here"), ACCOUNT);
    profile.saveLogin(LOGIN);
    for (const name of ["ana", "carla"]) profile.contacts.ensure(name);
    profile.drafts.save(profile.contacts.ensure("ana"), ["hola"]);
    try {
      await use(profile, folder);
    } finally {
      profile.close();
    }
  });
}

/** Copies only the file of the database, and opens the copy. */
function copyOf(profile: Profile, folder: string): Promise<void> {
  mkdirSync(join(folder, "there"));
  copyFileSync(profileFile(profile.folder), profileFile(join(folder, "there")));
  return Promise.resolve();
}

describe("an exported profile", () => {
  test("is copied whole, without its session and without the mark, which the profile itself gets", () =>
    withProfile(async (profile, folder) => {
      await profile.moveAway(() => copyOf(profile, folder), NOW);
      expect([profile.movedAt, profile.sessionToken]).toEqual([NOW, undefined]);
      expect(Profile.look(profile.folder)).toMatchObject({ movedAt: NOW, hasSession: false });
      expect(readFileSync(profileFile(join(folder, "there"))).includes(TOKEN)).toBe(false);
      const copy = Profile.open(join(folder, "there"));
      expect([copy.movedAt, copy.sessionToken]).toEqual([undefined, undefined]);
      expect(copy.keys.spki).toEqual(profile.keys.spki);
      expect(copy.certificate).toEqual(LOGIN.certificate);
      expect(copy.contacts.all().map(({ username }) => username)).toEqual(["ana", "carla"]);
      expect(copy.drafts.of(copy.contacts.ensure("ana"))).toEqual(["hola"]);
      copy.close();
    }));

  test("stands still while it is copied: others can read it, and not write", () =>
    withProfile(async (profile) => {
      const file = profileFile(profile.folder);
      const other = new Database(file, { strict: true });
      await profile.moveAway(async () => {
        expect(statSync(`${file}-wal`).size).toBe(0);
        const write = () => other.run("DELETE FROM contacts");
        other.run("PRAGMA busy_timeout=0");
        const refused = await Promise.try(write).catch((error: unknown) => error);
        expect(errorCode(refused)).toBe("SQLITE_BUSY");
        expect(other.query("SELECT count(*) AS count FROM contacts").get()).toEqual({ count: 2 });
      }, NOW);
      other.run("DELETE FROM contacts");
      other.close();
    }));

  test("stays as it was, and keeps its session, when the copy fails", () =>
    withProfile(async (profile) => {
      const failure = new Error("no room");
      const failed = profile.moveAway(() => Promise.reject(failure), NOW).catch((error: unknown) => error);
      expect(await failed).toBe(failure);
      expect([profile.movedAt, profile.sessionToken]).toEqual([undefined, TOKEN]);
      expect(Profile.look(profile.folder)).toMatchObject({ movedAt: undefined, hasSession: true });
      profile.contacts.ensure("dora");
    }));

  test("is at home again after a login", () =>
    withProfile(async (profile, folder) => {
      await profile.moveAway(() => copyOf(profile, folder), NOW);
      profile.saveLogin(LOGIN);
      expect([profile.movedAt, profile.sessionToken]).toEqual([undefined, TOKEN]);
    }));
});
