/** `listen` whose reader stops reading, and reads on: what is not read waits with those who have sent it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";

import { Profile } from "../../src/client/profile/profile.ts";
import { CLIENT_PROGRAM, PASSWORD, World, type Person } from "./cli-process.ts";
import { Collected } from "./collected.ts";

setDefaultTimeout(120_000);

/** What may wait for a reader in all, in bytes; a read and a batch more are on their way. */
const LIMIT = 8 * 1024 * 1024;
const ON_THE_WAY = 2 * 1024 * 1024;
const TEXT_BYTES = 30_000;
const COUNT = 370;
const numbers = Array(COUNT).keys().toArray();

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

async function loggedIn(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  return person;
}

/** Queues the texts as a program would that sends much at once. */
function queueTexts(from: Person, to: string): void {
  const profile = Profile.open(from.profileFolder);
  const contact = profile.contacts.ensure(to);
  profile.messages.queue(
    numbers.map((number) => ({
      contact,
      kind: "text",
      id: `id-${number}`,
      text: `${number} `.padEnd(TEXT_BYTES, "x"),
      sentAt: Date.now(),
      replyTo: undefined,
    })),
  );
  profile.close();
}

/** `listen --json` that writes into a pipe, which is read only by `read`. */
function listenInto(person: Person, pipe: string) {
  expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
  // Without a reader and without blocking a pipe opens only in both directions.
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const flags = ["--server", person.server, "--user", person.name, "--data", person.data];
  const listening = Bun.spawn([process.execPath, "run", CLIENT_PROGRAM, "listen", "--json", ...flags], {
    stdout: end,
    stderr: "pipe",
  });
  const stderr = Collected.of(listening.stderr);
  const read = () => {
    const stdin = openSync(pipe, constants.O_RDONLY);
    const reader = Bun.spawn(["cat"], { stdin, stdout: "pipe", stderr: "ignore" });
    closeSync(stdin);
    closeSync(end);
    return Collected.of(reader.stdout);
  };
  return { listening, stderr, read };
}

/** The numbers of ana's texts in these lines. */
function numbersIn(lines: readonly string[]): number[] {
  return lines
    .map((line) => (JSON.parse(line) as { text?: string }).text)
    .filter((text) => text?.length === TEXT_BYTES)
    .map((text) => Number.parseInt(text as string));
}

test("a reader that stalls stops the links at 8 MiB, and gets everything once and in order when it reads on", async () => {
  const [ana, beto, carla] = [
    await loggedIn("ana.slow"),
    await loggedIn("beto.slow"),
    await loggedIn("carla.slow"),
  ];
  for (const friend of [ana, carla]) await beto.run(["contacts", "add", friend.name]);
  queueTexts(ana, beto.name);
  const { listening, stderr, read } = listenInto(beto, join(world.folder, "slow"));
  const [sending, other] = [await ana.listen(), await carla.listen()];
  const received = () => sending.events.filter(({ state }) => state === "received").length;

  // The last text before the links are no longer read.
  await sending.event({
    state: "received",
    id: `id-${Math.floor((LIMIT - TEXT_BYTES) / (TEXT_BYTES + 500))}`,
  });
  // Nobody else is acknowledged either: it ends with 5 once the links are not read, and with 0 before.
  let code = 0;
  while (code === 0) ({ code } = await carla.run(["--timeout", "4", "send", beto.name, "hello"]));
  expect(code).toBe(5);
  expect(received() * TEXT_BYTES).toBeLessThan(LIMIT + ON_THE_WAY);
  // It is online all the same.
  expect((await carla.run(["users"])).stdout).toContain(beto.name);

  const output = read();
  await sending.event({ state: "received", id: `id-${COUNT - 1}` });
  await output.line((line) => line.includes(`"${COUNT - 1} x`));
  expect((await carla.run(["send", beto.name, "bye"])).code).toBe(0);
  await output.line((line) => line.includes('"bye"'));
  listening.kill("SIGTERM");
  expect(await listening.exited).toBe(0);
  await output.end;
  expect(numbersIn(output.lines)).toEqual(numbers);
  expect(stderr.text).not.toMatch(/error|Error/);
  await Promise.all([sending.stop(), other.stop()]);
});

test("a signal ends it while its reader stalls, and the next one prints the rest", async () => {
  const [ana, beto] = [await loggedIn("ana.cut"), await loggedIn("beto.cut")];
  await beto.run(["contacts", "add", ana.name]);
  queueTexts(ana, beto.name);
  const { listening, read } = listenInto(beto, join(world.folder, "cut"));
  const sending = await ana.listen();
  await sending.event({ state: "received", id: "id-200" });
  listening.kill("SIGTERM");
  // Not 0, because not everything was written.
  expect(await listening.exited).toBe(130);
  const output = read();
  await output.end;
  const first = numbersIn(output.lines);
  expect(first).toEqual(numbers.slice(0, first.length));

  const again = await beto.listen();
  await sending.event({ state: "received", id: `id-${COUNT - 1}` });
  await again.stdout.line((line) => line.includes(`"${COUNT - 1} x`));
  const second = numbersIn(again.stdout.lines);
  expect(second).toEqual(numbers.slice(-second.length));
  expect(first.length + second.length).toBeGreaterThanOrEqual(COUNT);
  await again.stop();
  await sending.stop();
});
