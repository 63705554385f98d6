import { expect, test } from "bun:test";

import {
  HASH_QUEUE_LIMIT,
  HASHES_AT_ONCE,
  hashPassword,
  PasswordQueue,
  type HashOutcome,
} from "../../src/server/passwords.ts";

const always = () => true;

function verified(queue: PasswordQueue, password: string, hash: string): Promise<HashOutcome<boolean>> {
  return new Promise((resolve) => queue.verify(password, hash, always, resolve));
}

test("a password is stored as argon2id with 19 MiB and two passes, and verified, the empty one too", async () => {
  const queue = new PasswordQueue();
  for (const password of ["", "contraseña", "x".repeat(10_000)]) {
    const hash = await hashPassword(password);
    expect(hash).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
    expect(await verified(queue, password, hash)).toEqual({ name: "done", value: true });
    expect(await verified(queue, `${password}x`, hash)).toEqual({ name: "done", value: false });
  }
});

test("a stored text that is no hash is a failure, not a wrong password", async () => {
  expect(await verified(new PasswordQueue(), "x", "no hash")).toMatchObject({ name: "failed" });
});

test("over its bound the queue refuses; whoever has gone is skipped; a close begins nothing more", async () => {
  const queue = new PasswordQueue();
  const answers: string[] = [];
  let here = true;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let count = 0; count < HASHES_AT_ONCE; count++) {
    queue.hash("under way", always, (outcome) => {
      answers.push(`first ${outcome.name}`);
      resolve();
    });
  }
  for (let count = 0; count < HASH_QUEUE_LIMIT - 1; count++) {
    expect(
      queue.hash(
        "gone",
        () => here,
        () => answers.push("gone"),
      ),
    ).toBe(true);
  }
  expect(queue.hash("waiting", always, (outcome) => answers.push(`last ${outcome.name}`))).toBe(true);
  expect(queue.hash("too many", always, () => answers.push("refused"))).toBe(false);
  here = false;
  const closed = queue.close();
  expect(answers).toEqual(["last closing"]);
  await promise;
  await closed;
  expect(answers).toEqual(["last closing", ...Array<string>(HASHES_AT_ONCE).fill("first done")]);
});
