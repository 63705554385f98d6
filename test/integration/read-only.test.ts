/**
 * The commands that only read, where nothing can be written: on a file system that is mounted read-only, without
 * permission to write, and on a full disk; whatever files a profile has left, and of whatever version it is.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  type Dirent,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { PROFILE_SCHEMA } from "../../src/client/disk/schema.ts";
import { makePrivateFolder, profileFile, profileFolder } from "../../src/client/disk/folders.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { authorityFingerprint } from "../../src/client/rendezvous/trust.ts";
import { createAuthority } from "../../src/identity/certificate.ts";
import { fingerprint } from "../../src/identity/fingerprint.ts";
import { generateKeyPair } from "../../src/identity/keys.ts";
import { label } from "../../src/identity/names.ts";
import { MessageScene, NOW } from "../client/message-scene.ts";
import { ACCOUNT, AUTHORITY } from "../client/test-profile.ts";
import { ClientHere, eventsOf, type Ended } from "./cli-process.ts";
import { CommandsProcess } from "./asked-process.ts";
import { fillDisk, mountReadOnly, mountSmallDisk } from "./small-disk.ts";

setDefaultTimeout(60_000);

/** A user without any rights, as whom root runs the commands. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const OLD = PROFILE_SCHEMA.versions.slice(0, -1).map((_, index) => index + 1);

const world = mkdtempSync(join(tmpdir(), "paloma-read-only-"));
// Another user must get to the folders in it.
chmodSync(world, 0o755);
const mounted: (() => void)[] = [];
afterAll(() => {
  for (const unmount of mounted) unmount();
  rmSync(world, { recursive: true, force: true });
});

let data: string;
let exported: string;
beforeEach(() => {
  data = mkdtempSync(join(world, "data-"));
  exported = join(mkdtempSync(join(world, "export-")), "chat.jsonl");
});
const folderHere = () => profileFolder(data, authorityFingerprint(AUTHORITY), label(ACCOUNT.username));

/** The ends of the files that lie beside `profile.db`. */
type Beside = readonly ("-wal" | "-shm")[];

/** A profile with two messages of Ana, of which the second is only in the log if there is one, and two keys of hers. */
function makeProfile(beside: Beside): void {
  const [making, folder] = [mkdtempSync(join(world, "making-")), folderHere()];
  const profile = Profile.open(making, { ...ACCOUNT, registeredHere: true });
  const ana = profile.contacts.ensure("Ana");
  for (const accept of [true, false]) {
    const { spki } = generateKeyPair();
    const key = { spki, fingerprint: fingerprint(spki) };
    if (accept) profile.contacts.pin(ana, key, NOW);
    else profile.contacts.savePendingKey(ana, key, NOW);
  }
  profile.close();
  const scene = new MessageScene(making);
  scene.receive(ana, "first");
  scene.found("text");
  scene.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  scene.receive(ana, "second");
  if (!beside.includes("-wal")) scene.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  makePrivateFolder(folder);
  // The files at this moment are those that a killed process leaves.
  for (const end of ["", ...beside]) copyFileSync(profileFile(making) + end, profileFile(folder) + end);
  scene.database.close();
}

/** A profile of an earlier version, closed as that program would. */
function makeOld(version: number): void {
  mkdirSync(folderHere(), { recursive: true });
  const database = new Database(profileFile(folderHere()), { create: true });
  database.run("PRAGMA journal_mode=WAL");
  const sql = join(import.meta.dir, `../client/disk/profiles/version-${version}.sql`);
  database.run(readFileSync(sql, "utf8"));
  database.close();
}

type Run = (typed: readonly string[]) => Promise<Ended>;

/** The command behind the flags of all. */
function typed(args: readonly string[]): readonly string[] {
  return ["--data", data, "--lang", "en", "--json", ...args];
}

/** Runs a command in this process. */
const runHere: Run = (args) => new ClientHere({ args: typed(args) }).ended;

const pathOf = ({ parentPath, name }: Dirent) => join(parentPath, name);

/** All files below the data folder with their content. */
const snapshot = () =>
  readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(pathOf)
    .sort()
    .map((file) => [file, Bun.hash(readFileSync(file))]);

const idsIn = (stdout: string) =>
  eventsOf(stdout)
    .filter(({ event }) => event === "message")
    .map(({ id }) => id);

const IDS = ["first", "second"];

async function expectAllRead(run: Run, prepare: () => void = () => undefined): Promise<void> {
  prepare();
  const history = await run(["history", "Ana"]);
  expect([history.code, history.stderr, idsIn(history.stdout)]).toEqual([0, "", IDS]);
  prepare();
  const search = await run(["search", "TÉXT"]);
  expect([search.code, search.stderr, idsIn(search.stdout)]).toEqual([0, "", IDS]);
  prepare();
  const own = await run(["fingerprint"]);
  expect([own.code, own.stderr, eventsOf(own.stdout)]).toMatchObject([0, "", [{ event: "fingerprint" }]]);
  prepare();
  const numbers = await run(["fingerprint", "Ana"]);
  expect(eventsOf(numbers.stdout).map(({ pending }) => pending)).toEqual([false, true]);
  expect(numbers.stderr).toContain("It could not be noted that the pending number was shown");
  expect(numbers.code).toBe(0);
  prepare();
  const copy = await run(["export", "Ana", exported]);
  expect([copy.code, copy.stderr, idsIn(readFileSync(exported, "utf8"))]).toEqual([0, "", IDS]);
}

/** What changes something says that it could not, and does not pretend to have done it in some copy. */
async function expectNothingWritten(run: Run): Promise<void> {
  const before = snapshot();
  for (const command of [
    ["fingerprint", "Ana", "--accept"],
    ["cancel", "Ana"],
    ["delete", "--yes", "Ana"],
  ]) {
    const { code, stdout } = await run(command);
    expect(eventsOf(stdout)).toMatchObject([
      { event: "error", code: expect.stringMatching(/^(?:disk|store_unreadable)$/) },
    ]);
    expect(code).toBe(1);
  }
  expect(snapshot()).toEqual(before);
}

describe.each([
  ["nothing", []],
  ["the log", ["-wal"]],
  ["the log and its index", ["-wal", "-shm"]],
  ["an index without a log", ["-shm"]],
] as const)("a profile beside which lies %s", (_what, beside) => {
  test("is read on a file system that is mounted read-only", async () => {
    makeProfile(beside);
    const unmount = mountReadOnly(data);
    if (unmount === undefined) return;
    mounted.push(unmount);
    await expectAllRead(runHere);
    await expectNothingWritten(runHere);
  });

  test("is read without permission to write", async () => {
    makeProfile(beside);
    const inside = readdirSync(data, { recursive: true, withFileTypes: true });
    const folders = inside
      .filter((entry) => entry.isDirectory())
      .map(pathOf)
      .concat(data);
    const files = inside.filter((entry) => entry.isFile()).map(pathOf);
    for (const path of files) chmodSync(path, 0o400);
    for (const path of folders) chmodSync(path, 0o500);
    if (isRoot) for (const path of [...files, ...folders, dirname(exported)]) chownSync(path, NOBODY, NOBODY);
    const user = isRoot ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
    await using commands = new CommandsProcess(user, { HOME: world });
    const run: Run = (args) => commands.run({ args: typed(args) });
    await expectAllRead(run);
    await expectNothingWritten(run);
    for (const path of folders) chmodSync(path, 0o700);
  });

  test("is read on a full disk", async () => {
    const unmount = mountSmallDisk(data, 2_048);
    if (unmount === undefined) return;
    mounted.push(unmount);
    makeProfile(beside);
    let fillers = 0;
    await expectAllRead(runHere, () => fillDisk(join(data, `filler-${fillers++}`)));
  });
});

describe.each(OLD)("a profile of version %i on a read-only file system", (version) => {
  test("is read as a newer one is, and stays as it is", async () => {
    makeOld(version);
    const unmount = mountReadOnly(data);
    if (unmount === undefined) return;
    mounted.push(unmount);
    const history = await runHere(["history", "Ana"]);
    expect([history.code, history.stderr]).toEqual([0, ""]);
    expect(idsIn(history.stdout)).toContain("out-received");
    const search = await runHere(["search", "CAMION"]);
    expect([search.code, search.stderr]).toEqual([0, ""]);
    expect(idsIn(search.stdout)).toEqual(["out-received", "in-unprinted-1"]);
    const own = await runHere(["fingerprint"]);
    expect([own.code, own.stderr]).toEqual([0, ""]);
    expect((await runHere(["export", "Ana", exported])).code).toBe(0);
    expect(idsIn(readFileSync(exported, "utf8"))).toEqual(idsIn(history.stdout));
    await expectNothingWritten(runHere);
  });
});

test("of two accounts on a read-only file system the one at the named server is read", async () => {
  makeProfile([]);
  const other = createAuthority(0).certificatePem;
  const folder = profileFolder(data, authorityFingerprint(other), label(ACCOUNT.username));
  Profile.open(folder, { ...ACCOUNT, authority: other }).close();
  const servers = new ServerStore(data);
  servers.set("example.org", 8443, { kind: "pin", authority: AUTHORITY });
  servers.close();
  const unmount = mountReadOnly(data);
  if (unmount === undefined) return;
  mounted.push(unmount);
  const several = await runHere(["history", "Ana", "--server", "example.com"]);
  expect([several.code, several.stdout]).toEqual([2, expect.stringContaining("several_accounts")]);
  const { code, stdout } = await runHere(["history", "Ana", "--server", "example.org", "--user", "berta"]);
  expect([code, idsIn(stdout)]).toEqual([0, IDS]);
});
