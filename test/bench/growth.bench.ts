/**
 * What an account costs as it grows: an online client with 10, 1,000 and 10,000 people to each of whom a text waits, and
 * with 1,000 and 1,000,000 stored messages. Each figure stands beside that of the smallest account, in one run: a ratio
 * of 1 is flat. Run as a program it is one such client.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { profileFile } from "../../src/client/disk/folders.ts";
import { STATE } from "../../src/client/disk/schema.ts";
import { localFolders } from "../../src/client/local-accounts.ts";
import { listPeople } from "../../src/client/people.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { PROCESS_LIFETIME } from "./bare-echo.ts";
import { startServer } from "./client.bench.ts";
import { median, type Figure, type Report } from "./figures.ts";
import { chatName, insertMessages } from "./million-messages.ts";
import { goOnline, startReceiver, type PersonOptions } from "./people.ts";

const RECEIVER = "berta";
const PEOPLE = [10, 1_000, 10_000];
const MESSAGES = [1_000, 1_000_000];
const MOST_PEOPLE = Math.max(...PEOPLE);
const TRIPS = 200;
const LISTS = 5;
/** Before the idle time: the first lookups are over. In ms. */
const SETTLING = 5_000;
/** In ms. */
const IDLE = 20_000;
const MEBIBYTE = 1024 * 1024;

type Cost = { readonly [name: string]: { readonly unit: string; readonly value: number } };

/** Fills the account of somebody who was online once: a text waits for each of these people. */
function fill(folder: string, people: number, messages: number): void {
  const profile = Profile.open(folder);
  const receiver = profile.contacts.ensure(RECEIVER);
  for (let index = 0; index < people; index++) profile.contacts.ensure(chatName(index));
  profile.close();
  const database = new Database(profileFile(folder), { strict: true });
  database.transaction(() => {
    insertMessages(database, messages, people);
    database.run(
      `INSERT INTO messages (contact, outgoing, id, text, sent_at, state)
         SELECT id, 1, lower(hex(randomblob(16))), 'hello', 0, ${STATE.queued} FROM contacts WHERE id <> ?`,
      [receiver.id],
    );
  })();
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const filled = Profile.open(folder);
  while (filled.search.indexSome());
  filled.close();
}

async function timed(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function repeated(count: number, work: () => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(await timed(work));
  return times;
}

/** In the client's process. */
async function measure(options: PersonOptions): Promise<Cost> {
  let received: () => void = () => undefined;
  const began = performance.now();
  const account = await goOnline(options, (event) => {
    if (event.name === "delivery" && event.state === "received") received();
  });
  const opening = performance.now() - began;
  const { messenger } = account;
  const trip = () =>
    new Promise<void>((resolve) => {
      received = resolve;
      messenger.outbox.send(RECEIVER, "hello");
    });
  await trip();
  const trips = await repeated(TRIPS, trip);
  const lists = await repeated(LISTS, () => listPeople(messenger));
  await Bun.sleep(SETTLING);
  Bun.gc(true);
  const before = process.cpuUsage();
  await Bun.sleep(IDLE);
  const { user, system } = process.cpuUsage(before);
  const cost = {
    "opened and online": { unit: "ms", value: opening },
    "acknowledged round trip": { unit: "µs", value: 1_000 * median(trips) },
    "the list of people": { unit: "ms", value: median(lists) },
    "idle: CPU a minute": { unit: "ms", value: ((user + system) / 1_000) * (60_000 / IDLE) },
    "idle: memory": { unit: "MiB", value: process.memoryUsage.rss() / MEBIBYTE },
  };
  await account.close();
  return cost;
}

async function costOf(people: number, messages: number, folder: string, port: number): Promise<Cost> {
  const user = `ana${people}x${messages}`;
  const dataFolder = join(folder, user);
  const options = { user, port, dataFolder };
  await (await goOnline(options, () => undefined)).close();
  const [profile = ""] = localFolders(dataFolder, user);
  fill(profile, people, messages);
  const receiver = await startReceiver(
    { user: RECEIVER, port, dataFolder: join(folder, `${RECEIVER} of ${user}`) },
    user,
  );
  try {
    const client = Bun.spawn([process.execPath, "run", import.meta.path], {
      stdin: new Blob([JSON.stringify(options)]),
      stdout: "pipe",
      stderr: "inherit",
      timeout: PROCESS_LIFETIME,
    });
    return JSON.parse(await new Response(client.stdout).text()) as Cost;
  } finally {
    await receiver.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

/** Opening, a message, the list of people, and what an idle client takes, as people and messages grow. */
export async function benchGrowth(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paloma-bench-"));
  const sizes = MESSAGES.flatMap((messages) => PEOPLE.map((people) => ({ people, messages })));
  const users = sizes.map(({ people, messages }) => `ana${people}x${messages}`);
  const offline = Array.from({ length: MOST_PEOPLE }, (_, index) => chatName(index));
  const server = await startServer(folder, [RECEIVER, ...users, ...offline]);
  try {
    await server.started();
    let smallest: Cost | undefined;
    for (const { people, messages } of sizes) {
      const cost = await costOf(people, messages, folder, server.tlsPort);
      smallest ??= cost;
      for (const [name, { unit, value }] of Object.entries(cost)) {
        const size = `${people.toLocaleString("en")} people, ${messages.toLocaleString("en")} messages`;
        const bare = smallest[name]?.value;
        const figure: Figure = { name: `${name}, ${size}`, unit, ours: value };
        report({ ...figure, ...(bare !== undefined && { bare }) });
      }
    }
  } finally {
    server.kill("SIGTERM");
    await server.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const options = JSON.parse(await new Response(Bun.stdin.stream()).text()) as PersonOptions;
  console.log(JSON.stringify(await measure(options)));
  process.exit(0);
}
