import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { lockFile } from "../../src/client/disk/folders.ts";
import { ProfileLock, ProfileLockedError } from "../../src/client/disk/lock.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { createAuthority } from "../../src/identity/certificate.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "paloma-lock-"));
  const authority = createAuthority(Date.now()).certificatePem;
  Profile.open(folder, {
    username: "Berta",
    authority,
    registeredHere: true,
  }).close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Answer = { held: boolean; owner?: { pid: number; command: string } };

/** Another process that takes the lock, or says who has it. */
async function otherProcess(command: string, what: "hold" | "read" = "hold") {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "profile-lock-process.ts"), what, folder, command],
    {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const { value } = await child.stdout.getReader().read();
  const answer = JSON.parse(new TextDecoder().decode(value)) as Answer;
  return { child, answer };
}

function holderSeenHere(): unknown {
  try {
    ProfileLock.acquire(folder, { pid: process.pid, command: "test" }).release();
    return undefined;
  } catch (error) {
    if (error instanceof ProfileLockedError) return error.owner;
    throw error;
  }
}

test("a second process is refused, with the process and command that has the account", async () => {
  const lock = ProfileLock.acquire(folder, { pid: process.pid, command: "listen" });
  const { child, answer } = await otherProcess("chat");
  expect(answer).toEqual({ held: false, owner: { pid: process.pid, command: "listen" } });
  expect(await child.exited).toBe(0);
  lock.release();
});

test("the history can be read and written beside the lock, which is not the profile", async () => {
  const { child, answer } = await otherProcess("listen");
  expect(answer.held).toBe(true);
  const profile = Profile.open(folder);
  const ana = profile.contacts.ensure("Ana");
  expect(profile.history.after(ana, 0, 10)).toEqual([]);
  profile.close();
  expect(statSync(lockFile(folder)).mode & 0o777).toBe(0o600);
  child.stdin.end();
  expect(await child.exited).toBe(0);
});

test("the end of a process releases the account", async () => {
  const { child } = await otherProcess("listen");
  expect(holderSeenHere()).toEqual({ pid: child.pid, command: "listen" });
  child.stdin.end();
  await child.exited;
  expect(holderSeenHere()).toBeUndefined();
});

test("kill -9 releases the account, and the next holder is reported, not the killed one", async () => {
  const { child } = await otherProcess("listen");
  child.kill("SIGKILL");
  await child.exited;
  const next = await otherProcess("send");
  expect(next.answer.held).toBe(true);
  expect(holderSeenHere()).toEqual({ pid: next.child.pid, command: "send" });
  next.child.stdin.end();
  await next.child.exited;
});

test("of several processes that start at once exactly one gets the account", async () => {
  const others = await Promise.all(["a", "b", "c", "d"].map((command) => otherProcess(command)));
  const holders = others.filter(({ answer }) => answer.held);
  expect(holders.length).toBe(1);
  for (const { child } of others) {
    child.stdin.end();
    await child.exited;
  }
});

test("the lock holds while nothing refers to it but its owner", () => {
  const lock = ProfileLock.acquire(folder, { pid: process.pid, command: "listen" });
  Bun.gc(true);
  expect(holderSeenHere()).toEqual({ pid: process.pid, command: "listen" });
  lock.release();
  expect(holderSeenHere()).toBeUndefined();
});

test("a refused process that reads the holder's name at the same moment locks nobody out", async () => {
  const { child } = await otherProcess("", "read");
  for (let round = 0; round < 100; round++) expect(holderSeenHere()).toBeUndefined();
  child.stdin.end();
  expect(await child.exited).toBe(0);
});
