import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";

import { localAccounts } from "../../src/client/local-accounts.ts";
import { makePrivateFolder, profileFile, profileFolder } from "../../src/client/disk/folders.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { authorityFingerprint } from "../../src/client/rendezvous/trust.ts";
import { createAuthority } from "../../src/identity/certificate.ts";
import { label } from "../../src/identity/names.ts";
import { AUTHORITY, inTemporaryFolder } from "./test-profile.ts";

const OTHER = createAuthority(Date.UTC(2027, 0, 15)).certificatePem;
const CERTIFICATE = { pem: "", receivedAt: 0, expiresAt: 0 };
const place = (dataFolder: string) => ({ dataFolder, host: "example.org", port: 8443 });

type Made = { registeredHere?: boolean; online?: boolean; token?: string; authority?: string };

/** Makes a profile as registering, or a login with or without a stored session, leaves it; gives its folder. */
function make(dataFolder: string, username: string, made: Made = {}): string {
  const { registeredHere = false, online = true, token, authority = AUTHORITY } = made;
  const folder = profileFolder(dataFolder, authorityFingerprint(authority), label(username));
  const profile = Profile.open(folder, { username, authority, registeredHere });
  if (online) profile.saveLogin({ username, token, certificate: CERTIFICATE });
  profile.close();
  return folder;
}

/** Writes `content` as this name's profile; gives the file. */
function write(dataFolder: string, username: string, content: string): string {
  const folder = profileFolder(dataFolder, authorityFingerprint(AUTHORITY), label(username));
  makePrivateFolder(folder);
  writeFileSync(profileFile(folder), content);
  return profileFile(folder);
}

function know(dataFolder: string, authority: string): void {
  const servers = new ServerStore(dataFolder);
  servers.set("example.org", 8443, { kind: "pin", authority });
  servers.close();
}

describe("the accounts of this machine", () => {
  test("are none in an empty folder, in which nothing is created", () =>
    inTemporaryFolder((data) => {
      const nowhere = `${data}/missing`;
      expect(localAccounts(place(nowhere))).toEqual({ accounts: [], unreadable: 0 });
      expect(() => readFileSync(nowhere)).toThrow("ENOENT");
    }));

  test("at a known server are those of its authority, sorted, with their details", () =>
    inTemporaryFolder((data) => {
      know(data, AUTHORITY);
      make(data, "Ñandú", { token: "a token" });
      make(data, "beto");
      make(data, "Ana", { registeredHere: true, online: false });
      make(data, "elsewhere", { authority: OTHER, token: "a token" });
      expect(localAccounts(place(data))).toEqual({
        unreadable: 0,
        accounts: [
          { username: "Ana", hasSession: false, hasBeenOnline: false },
          { username: "beto", hasSession: false, hasBeenOnline: true },
          { username: "Ñandú", hasSession: true, hasBeenOnline: true },
        ],
      });
    }));

  test("at an unknown server are those of all authorities, each name once, without a session", () =>
    inTemporaryFolder((data) => {
      make(data, "Ana", { token: "a token" });
      make(data, "ana", { authority: OTHER });
      make(data, "beto", { authority: OTHER, registeredHere: true, online: false });
      const { accounts } = localAccounts(place(data));
      expect(accounts.map(({ username }) => label(username))).toEqual([label("ana"), label("beto")]);
      expect(accounts.map(({ hasSession, hasBeenOnline }) => [hasSession, hasBeenOnline])).toEqual([
        [false, true],
        [false, false],
      ]);
    }));

  test("do not include a first login that failed", () =>
    inTemporaryFolder((data) => {
      make(data, "mistyped", { online: false });
      expect(localAccounts(place(data))).toEqual({ accounts: [], unreadable: 0 });
    }));

  test("that cannot be read are counted, left unchanged, and do not hide others", () =>
    inTemporaryFolder((data) => {
      know(data, AUTHORITY);
      make(data, "Ana");
      const text = "a letter that somebody saved here ".repeat(100);
      const [broken, empty] = [write(data, "broken", text), write(data, "empty", "")];
      const newer = new Database(profileFile(make(data, "newer")));
      newer.run("PRAGMA user_version=1000");
      newer.close();
      const { accounts, unreadable } = localAccounts(place(data));
      expect(accounts.map(({ username }) => username)).toEqual(["Ana"]);
      expect(unreadable).toBe(3);
      expect(readFileSync(broken, "utf8")).toBe(text);
      expect(readFileSync(empty, "utf8")).toBe("");
    }));

  test("are found while another process has one open, and after it was not shut down cleanly", () =>
    inTemporaryFolder((data) => {
      know(data, AUTHORITY);
      const folder = make(data, "Ana");
      const open = Profile.open(folder);
      open.saveLogin({ username: "ANA", token: "a token", certificate: CERTIFICATE });
      expect(localAccounts(place(data)).accounts).toEqual([
        { username: "ANA", hasSession: true, hasBeenOnline: true },
      ]);
      open.close();
    }));
});
