/** `listen` whose reader stops reading, and reads on: what is not read waits with those who have sent it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";

import { CLIENT_PROGRAM, PASSWORD, World, type Person as Account } from "../integration/cli-process.ts";
import { Collected } from "../integration/collected.ts";
import { Company, until, untilQuiet, type Person } from "../integration/messenger-pair.ts";

setDefaultTimeout(120_000);

/** What may wait for a reader in all, in bytes; what waits for the disk, a read and a batch more are on their way. */
const LIMIT = 8 * 1024 * 1024;
const ON_THE_WAY = 2 * 1024 * 1024;
const TEXT_BYTES = 30_000;

const world = new World();
let company: Company;
beforeAll(async () => {
  company = await Company.meet();
});
afterAll(async () => {
  await company.close();
  await world.close();
});

/** Somebody whose contacts these are, logged in before. */
async function reader(name: string, friends: readonly Person[]): Promise<Account> {
  const account = world.person(name, company.port);
  await account.register();
  expect((await account.run(["users"], { password: PASSWORD })).code).toBe(0);
  for (const friend of friends) await account.run(["contacts", "add", friend.name]);
  return account;
}

/** As a program that sends much at once. */
function sendTexts(from: Person, to: string, count: number): void {
  for (let number = 0; number < count; number++)
    from.messenger.outbox.send(to, `${number} `.padEnd(TEXT_BYTES, "x"));
}

/** How often somebody was told unasked that we live: so it is while our links are not read. */
function signsOfLife({ events }: Person): number {
  const signs = (direction: "in" | "out", action: string) =>
    events.filter(
      (event) =>
        event.name === "wire" &&
        event.link === "peer" &&
        event.direction === direction &&
        event.message["action"] === action,
    ).length;
  return signs("in", "pong") - signs("out", "ping");
}

/** `listen --json` that writes into a pipe, which is read only by `read`. */
function listenInto(person: Account, pipe: string) {
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

/** The numbers of somebody's texts in these lines. */
function numbersIn(lines: readonly string[], from: string): number[] {
  return lines
    .map((line) => JSON.parse(line) as { from?: string; text?: string })
    .filter((event) => event.from === from && event.text?.length === TEXT_BYTES)
    .map(({ text }) => Number.parseInt(text as string));
}

test("a reader that stalls stops the links at 8 MiB, and gets everything once and in order when it reads on", async () => {
  const senders = [
    await company.person("ana.slow", { trace: true }),
    await company.person("carla.slow", { trace: true }),
  ] as const;
  const beto = await reader("beto.slow", senders);
  const { listening, stderr, read } = listenInto(beto, join(world.folder, "slow"));
  const count = 190;
  for (const sender of senders) sendTexts(sender, beto.name, count);
  const received = () =>
    senders.map((sender) => sender.received(beto.name)).reduce((sum, each) => sum + each);
  // What is being written counts twice.
  const taken = (LIMIT - 1024 * 1024) / TEXT_BYTES;
  await until(() => received() >= taken);
  const told = senders.map(signsOfLife);
  await until(() => senders.every((sender, index) => signsOfLife(sender) > (told[index] ?? 0)));
  expect(received() * TEXT_BYTES).toBeLessThan(LIMIT + ON_THE_WAY);
  // The server is served all the same.
  await untilQuiet(() => company.services.presence.find(beto.name) !== undefined);

  const output = read();
  await until(() => received() === senders.length * count);
  for (const sender of senders) {
    const last = (line: string) => line.includes(`"${count - 1} x`) && line.includes(`"${sender.name}"`);
    await output.line(last);
  }
  listening.kill("SIGTERM");
  expect(await listening.exited).toBe(0);
  await output.end;
  for (const { name } of senders)
    expect(numbersIn(output.lines, name)).toEqual(Array(count).keys().toArray());
  expect(stderr.text).not.toMatch(/error|Error/);
});

test("a signal ends it while its reader stalls, and the next one prints the rest", async () => {
  const ana = await company.person("ana.cut");
  const beto = await reader("beto.cut", [ana]);
  const { listening, read } = listenInto(beto, join(world.folder, "cut"));
  const numbers = Array(100).keys().toArray();
  sendTexts(ana, beto.name, numbers.length);
  await until(() => ana.received(beto.name) > 50);
  listening.kill("SIGTERM");
  // Not 0, because not everything was written.
  expect(await listening.exited).toBe(130);
  const output = read();
  await output.end;
  const first = numbersIn(output.lines, ana.name);
  expect(first).toEqual(numbers.slice(0, first.length));

  const again = await beto.listen();
  await until(() => ana.received(beto.name) === numbers.length);
  await again.stdout.line((line) => line.includes(`"${numbers.length - 1} x`));
  const second = numbersIn(again.stdout.lines, ana.name);
  expect(second).toEqual(numbers.slice(-second.length));
  expect(first.length + second.length).toBeGreaterThanOrEqual(numbers.length);
  await again.stop();
});
