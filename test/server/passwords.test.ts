import { expect, test } from "bun:test";

import { HASHES_AT_ONCE, hashPassword, PasswordQueue, type HashOutcome } from "../../src/server/passwords.ts";
import { DEFAULT_LIMITS } from "../../src/server/limits.ts";

const always = () => true;

function verified(queue: PasswordQueue, password: string, hash: string): Promise<HashOutcome<boolean>> {
  return new Promise((resolve) => queue.verify("192.0.2.1", password, hash, always, resolve));
}

test("a password is stored as argon2id with 19 MiB and two passes, and verified, the empty one too", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  for (const password of ["", "contraseña", "x".repeat(10_000)]) {
    const hash = await hashPassword(password);
    expect(hash).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
    expect(await verified(queue, password, hash)).toEqual({ name: "done", value: true });
    expect(await verified(queue, `${password}x`, hash)).toEqual({ name: "done", value: false });
  }
});

test("a stored text that is no hash is a failure, not a wrong password", async () => {
  expect(
    await verified(new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes }), "x", "no hash"),
  ).toMatchObject({ name: "failed" });
});

test("over its bound the queue refuses; whoever has gone is skipped; a close begins nothing more", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  const answers: string[] = [];
  let here = true;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let count = 0; count < HASHES_AT_ONCE; count++) {
    queue.hash("192.0.2.1", "under way", always, (outcome) => {
      answers.push(`first ${outcome.name}`);
      resolve();
    });
  }
  for (let count = 0; count < DEFAULT_LIMITS.waitingHashes - 1; count++) {
    expect(
      queue.hash(
      "192.0.2.1",
        "gone",
        () => here,
        () => answers.push("gone"),
      ),
    ).toBe(true);
  }
  expect(queue.hash("192.0.2.1", "waiting", always, (outcome) => answers.push(`last ${outcome.name}`))).toBe(
    true,
  );
  expect(queue.hash("192.0.2.1", "too many", always, () => answers.push("refused"))).toBe(false);
  here = false;
  const closed = queue.close();
  expect(answers).toEqual(["last closing"]);
  await promise;
  await closed;
  expect(answers).toEqual(["last closing", ...Array<string>(HASHES_AT_ONCE).fill("first done")]);
});
