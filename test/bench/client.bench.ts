/**
 * Figures of a conversation between two messengers, the receiving one and the server each a process of its
 * own: from `send` until the message is acknowledged, which is after both sides' commits.
 */
import { Database } from "bun:sqlite";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { fold, label } from "../../src/identity/names.ts";
import type { Account } from "../../src/client/accounts.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { diallerContext } from "../../src/net/tls.ts";
import { encodeFrame } from "../../src/protocol/framing.ts";
import { openDatabase } from "../../src/server/database/database.ts";
import { hashPassword } from "../../src/server/database/password-hash.ts";
import { newAuthority, userIdentity } from "../integration/loopback.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";
import { ServerProcess } from "../integration/server-process.ts";
import { BareConnection, BareListener } from "./bare-echo.ts";
import { DistantPort } from "./distance.ts";
import { interleaved, median, percentile, type Report } from "./figures.ts";
import { goOnline, startReceiver, startReceivers } from "./people.ts";

/** Where files are in memory, on systems that have such a folder. */
const MEMORY_FOLDER = "/dev/shm";
const PIPELINED = 20_000;
/** Messages that may be without acknowledgement at a time. */
const WINDOW = 4_096;
const SINGLE = 200;
/** Messages in one commit where SQLite is alone: about as many as one read of a link brings. */
const TOGETHER = 250;
const PAGE = 4_096;
/** People to whom is sent without a link, in turn, and how often each: in 10 s nobody is dialled more than 8 times. */
const COLD_PEOPLE = 12;
const COLD_ROUNDS = 6;
/** Those who are far from each other and from the server. */
const DISTANT_SENDER = "dora";
const DISTANT_PEOPLE = Array.from({ length: COLD_PEOPLE }, (_, number) => `elsa.${number}`);
/** Before each, so that nothing of the one before is still under way, in ms. */
const COLD_PAUSE = 10;
/** As long as a chat line is: the line on the wire has about 190 bytes. */
const TEXT = "hello ".repeat(12);

/** The sending side, and how to wait for what comes of what it sends. */
class Sender {
  readonly #to: string;
  #account: Account | undefined;
  #received: () => void = () => undefined;
  #disconnected: () => void = () => undefined;
  /** The measurement under way has failed: the other side is gone. */
  #failed: (error: Error) => void = () => undefined;

  private constructor(to: string) {
    this.#to = to;
  }

  static async open(
    options: { user: string; port: number; dataFolder: string },
    to: string,
  ): Promise<Sender> {
    const sender = new Sender(to);
    sender.#account = await goOnline(options, (event) => {
      if (event.name === "delivery" && event.state === "received") sender.#received();
      else if (event.name === "disconnected") sender.#disconnected();
      else if (event.name === "unreachable") sender.#failed(new Error(event.reason));
    });
    return sender;
  }

  get #messenger() {
    return (this.#account as Account).messenger;
  }

  /** One message until it is acknowledged; ms. */
  async one(to = this.#to): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#received = resolve;
    this.#failed = reject;
    const begin = performance.now();
    this.#messenger.outbox.send(to, TEXT);
    await promise;
    return performance.now() - begin;
  }

  /** `count` messages, at most `WINDOW` unacknowledged; how many a second. */
  async many(count: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#failed = reject;
    let sent = 0;
    let received = 0;
    const fill = () => {
      while (sent < count && sent - received < WINDOW) {
        this.#messenger.outbox.send(this.#to, TEXT);
        sent++;
      }
    };
    this.#received = () => {
      if (++received === count) resolve();
      else fill();
    };
    const begin = performance.now();
    fill();
    await promise;
    return count / ((performance.now() - begin) / 1_000);
  }

  /** From then on it is told when the link to them ends. */
  openChat(to: string): void {
    this.#messenger.openChat(to);
  }

  /** Ends the link as a person does who leaves the chat. */
  async hangUp(to: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#disconnected = resolve;
    this.#messenger.closeChat(to);
    await promise;
  }

  close(): Promise<void> {
    return (this.#account as Account).close();
  }
}

function fileSystems(): { name: string; folder: string }[] {
  const disk = { name: "both disks", folder: tmpdir() };
  try {
    if (statSync(MEMORY_FOLDER).isDirectory()) {
      return [disk, { name: `no disk (${MEMORY_FOLDER})`, folder: MEMORY_FOLDER }];
    }
  } catch {
    console.log(`there is no ${MEMORY_FOLDER}: without disks nothing is measured`);
  }
  return [disk];
}

/** A server to which these users are registered. */
export async function startServer(folder: string, users: readonly string[]): Promise<ServerProcess> {
  const path = join(folder, "users.db");
  const database = await openDatabase(path);
  const hash = await hashPassword(PASSWORD);
  const insert = database.query("INSERT INTO users (username, password, fold) VALUES (?, ?, ?)");
  for (const user of users) insert.run(user, hash, fold(user));
  database.close();
  const server = new ServerProcess(["--plain-from", "none", "--tls-port", "0", "--db", path]);
  return server;
}

/** A bare listener for connections that show a certificate, and how to dial it. */
async function startBare(): Promise<{
  listener: BareListener;
  dial: (port?: number) => Promise<BareConnection>;
}> {
  const authority = newAuthority();
  const listener = await BareListener.start({
    identity: userIdentity(authority, "berta"),
    authority: authority.certificatePem,
  });
  const context = diallerContext({
    identity: userIdentity(authority, "ana"),
    authority: authority.certificatePem,
    serverName: label("berta"),
  });
  return { listener, dial: (port = listener.port) => BareConnection.dial(port, context) };
}

const LINE = Buffer.from(
  encodeFrame({ message: TEXT, id: Bun.randomUUIDv7(), sent_at: new Date(0).toISOString() }),
);
const LINES = Array.from({ length: PIPELINED }, () => LINE);
const GATHERED = Buffer.concat(LINES);

async function echoed(connection: BareConnection, buffers: readonly Uint8Array[]): Promise<number> {
  const begin = performance.now();
  await connection.exchange(buffers, PIPELINED);
  return PIPELINED / ((performance.now() - begin) / 1_000);
}

async function repeated(count: number, work: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(await work());
  return times;
}

/** One line there and back; ms. */
async function echoTime(connection: BareConnection): Promise<number> {
  const begin = performance.now();
  await connection.exchange([LINE], 1);
  return performance.now() - begin;
}

/**
 * Echoes with one write to the disk each: the least that «it is on the other disk» takes.
 * @returns ms of one
 */
function storedEchoes(
  connection: BareConnection,
  folder: string,
): { one: () => Promise<number>; close: () => void } {
  const file = openSync(join(folder, "synced"), "w");
  const page = new Uint8Array(PAGE);
  for (let index = 0; index < SINGLE; index++) writeSync(file, page);
  fdatasyncSync(file);
  let place = 0;
  return {
    close: () => closeSync(file),
    one: async () => {
      const begin = performance.now();
      await connection.exchange([LINE], 1);
      writeSync(file, page, 0, PAGE, (place++ % SINGLE) * PAGE);
      fdatasyncSync(file);
      return performance.now() - begin;
    },
  };
}

/** Two profiles without any connection: what one queues the other stores, and the first one marks as received. */
class StoredPair {
  readonly #from: Profile;
  readonly #to: Profile;

  constructor(folder: string, authority: string) {
    const profile = (username: string) =>
      Profile.open(join(folder, `alone-${username}`), { username, authority, registeredHere: true });
    this.#from = profile("from");
    this.#to = profile("to");
  }

  /** As `Sender.many`, with so many messages in each commit. */
  many(count: number, together: number): number {
    const begin = performance.now();
    const [from, to] = [this.#from, this.#to];
    const contact = from.contacts.ensure("to");
    const sender = to.contacts.ensure("from");
    const nothing = { incoming: [], acknowledged: [], readUpTo: undefined };
    for (let done = 0; done < count; done += together) {
      const now = Date.now();
      const ids = Array.from({ length: together }, () => Bun.randomUUIDv7());
      from.messages.queue(
        ids.map((id) => ({ kind: "text", contact, id, text: TEXT, sentAt: now, replyTo: undefined })),
        new Set([contact]),
      );
      const incoming = ids.map(
        (id) => ({ kind: "text", id, text: TEXT, sentAt: now, replyTo: undefined }) as const,
      );
      to.messages.commitRead(sender, { ...nothing, incoming }, now);
      const acknowledged = ids.map((id) => ({ id, leftAt: now }));
      from.messages.commitRead(contact, { ...nothing, acknowledged }, now);
    }
    return count / ((performance.now() - begin) / 1_000);
  }

  close(): void {
    this.#from.close();
    this.#to.close();
  }
}

/** One row to the disk, as both sides' profiles do it, one after the other, for each message; µs. */
function commitTime(folder: string): number {
  const database = new Database(join(folder, "commits.db"), { create: true });
  database.run("PRAGMA journal_mode=WAL");
  database.run("PRAGMA synchronous=FULL");
  database.run("CREATE TABLE texts (text TEXT)");
  const insert = database.prepare("INSERT INTO texts VALUES (?)");
  const times = Array.from({ length: SINGLE }, () => {
    const begin = performance.now();
    insert.run(TEXT);
    return performance.now() - begin;
  });
  database.close();
  return 1_000 * median(times);
}

async function benchCold(
  sender: Sender,
  people: readonly string[],
  dial: () => Promise<BareConnection>,
  name: string,
  report: Report,
): Promise<void> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (const to of people) {
    sender.openChat(to);
    await sender.one(to);
    await sender.hangUp(to);
  }
  for (const to of Array.from({ length: COLD_ROUNDS }, () => people).flat()) {
    await Bun.sleep(COLD_PAUSE);
    ours.push(await sender.one(to));
    await sender.hangUp(to);
    await Bun.sleep(COLD_PAUSE);
    const begin = performance.now();
    const connection = await dial();
    await connection.exchange([LINE], 1);
    bare.push(performance.now() - begin);
    connection.close();
  }
  const warm = people.length;
  for (const [part, share] of [
    ["median", 0.5],
    ["95th percentile", 0.95],
  ] as const) {
    report({
      name: `cold send, ${name}, ${part} (bare: dial, echo)`,
      unit: "ms",
      ours: percentile(ours.slice(warm), share),
      bare: percentile(bare.slice(warm), share),
    });
  }
}

/** Cold sends where the server and everybody else are a round trip of 20 ms away. */
async function benchDistant(
  { server, bare, dial }: { server: number; bare: number; dial: (port: number) => Promise<BareConnection> },
  base: string,
  report: Report,
): Promise<void> {
  const toServer = await DistantPort.open(server);
  const toBare = await DistantPort.open(bare);
  const toPeople = await Promise.all(DISTANT_PEOPLE.map(() => DistantPort.open()));
  const { port } = toServer;
  const people = DISTANT_PEOPLE.map((user, index) => {
    const announcedPort = toPeople[index]?.port ?? 0;
    return { user, port, dataFolder: join(base, user), announcedPort };
  });
  const receivers = await startReceivers(people, DISTANT_SENDER);
  for (const [index, each] of toPeople.entries()) each.target = receivers.p2pPorts[index] ?? 0;
  const folder = join(base, DISTANT_SENDER);
  const sender = await Sender.open({ user: DISTANT_SENDER, port, dataFolder: folder }, "");
  try {
    await benchCold(sender, DISTANT_PEOPLE, () => dial(toBare.port), "20 ms away", report);
  } finally {
    await sender.close();
    await receivers.stop();
    for (const each of [toServer, toBare, ...toPeople]) each.close();
  }
}

/** Messages a second, round trips and cold sends, with files on disk and in memory. */
export async function benchClient(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paloma-bench-"));
  const cleanups: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const places = fileSystems();
    const coldPeople = (index: number) =>
      Array.from({ length: COLD_PEOPLE }, (_, number) => `clara${index}.${number}`);
    const server = await startServer(folder, [
      DISTANT_SENDER,
      ...DISTANT_PEOPLE,
      ...places.flatMap((_, index) => [`ana${index}`, `berta${index}`, ...coldPeople(index)]),
    ]);
    cleanups.push(async () => {
      server.kill("SIGTERM");
      await server.exited;
    });
    await server.started();
    const { listener, dial } = await startBare();
    cleanups.push(() => listener.stop());
    const bare = await dial();
    cleanups.push(() => bare.close());
    const gathering = await interleaved(
      () => echoed(bare, LINES),
      () => echoed(bare, [GATHERED]),
    );
    report({ name: "echoed lines, a write each (bare: one write)", unit: "/s", ...gathering });

    const senders: Sender[] = [];
    for (const [index, place] of places.entries()) {
      const base = mkdtempSync(join(place.folder, "paloma-bench-"));
      cleanups.push(() => rmSync(base, { recursive: true, force: true }));
      const port = server.tlsPort;
      const [from, to] = [`ana${index}`, `berta${index}`] as const;
      const receiver = await startReceiver({ user: to, port, dataFolder: join(base, to) }, from);
      cleanups.push(receiver.stop);
      const sender = await Sender.open({ user: from, port, dataFolder: join(base, from) }, to);
      cleanups.push(() => sender.close());
      senders.push(sender);

      await sender.many(PIPELINED);
      const trips = await interleaved(
        async () => 1_000 * median(await repeated(SINGLE, () => sender.one())),
        async () => 1_000 * median(await repeated(SINGLE, () => echoTime(bare))),
      );
      report({ name: `one commit by SQLite alone, ${place.name}`, unit: "µs", ours: commitTime(base) });
      report({ name: `acknowledged round trip, ${place.name} (bare: echo)`, unit: "µs", ...trips });
      const stored = storedEchoes(bare, base);
      cleanups.push(() => stored.close());
      const floor = await interleaved(
        async () => 1_000 * median(await repeated(SINGLE, () => sender.one())),
        async () => 1_000 * median(await repeated(SINGLE, () => stored.one())),
      );
      report({
        name: `acknowledged round trip, ${place.name} (bare: echo and a sync)`,
        unit: "µs",
        ...floor,
      });
      const cold = coldPeople(index);
      const all = cold.map((user) => ({ user, port, dataFolder: join(base, user) }));
      const coldReceivers = await startReceivers(all, from);
      cleanups.push(coldReceivers.stop);
      await benchCold(sender, cold, dial, place.name, report);
      const pipelined = await interleaved(
        () => sender.many(PIPELINED),
        () => echoed(bare, [GATHERED]),
      );
      report({ name: `acknowledged messages, ${place.name} (bare: echoed)`, unit: "/s", ...pipelined });
      const alone = new StoredPair(base, newAuthority().certificatePem);
      cleanups.push(() => alone.close());
      const rows = await interleaved(
        () => sender.many(PIPELINED),
        () => alone.many(PIPELINED, TOGETHER),
      );
      report({ name: `acknowledged messages, ${place.name} (bare: SQLite alone)`, unit: "/s", ...rows });
    }
    const ports = { server: server.tlsPort, bare: listener.port, dial };
    await benchDistant(ports, folder, report);
    const [disks, memory] = senders;
    if (disks === undefined || memory === undefined) return;
    const both = await interleaved(
      () => disks.many(PIPELINED),
      () => memory.many(PIPELINED),
    );
    report({ name: "acknowledged messages, both disks (bare: no disk)", unit: "/s", ...both });
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}
