/** What meetings and the relay cost: bytes passed on, memory of pairs, meetings a second, and a chat beside a flood. */
import { listenForLines, type LineSocket } from "../../src/net/line-socket.ts";
import { Splice } from "../../src/net/splice.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { MeetingParty, relayedPair } from "../integration/meeting-party.ts";
import { besiegeMeetings } from "../integration/meeting-siege.ts";
import { TestServer } from "../integration/rendezvous-test-server.ts";
import { interleaved, median, percentile, type Report } from "./figures.ts";

const MIB = 1024 * 1024;
const BULK = 256 * MIB;
const IDLE_PAIRS = 200;
const MEETINGS = 40;
const FLOODS = 12;
const STRANGERS = 16;
const ROUND_TRIPS = 1_000;

/** Counts bytes until they are all there. */
class Count {
  #missing = BULK;
  readonly #all = Promise.withResolvers<void>();
  readonly all = this.#all.promise;
  readonly data = (_socket: unknown, chunk: Buffer): void => {
    this.#missing -= chunk.length;
    if (this.#missing <= 0) this.#all.resolve();
  };
}

/** Writes a line and then all bytes. @returns MiB a second until `all` */
async function pump(port: number, line: string, all: Promise<void>): Promise<number> {
  let drained: () => void = () => undefined;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: { data: () => undefined, drain: () => drained() },
  });
  socket.write(line);
  const chunk = Buffer.alloc(MIB);
  const begin = performance.now();
  for (let left = BULK; left > 0;) {
    const taken = socket.write(chunk.subarray(0, Math.min(MIB, left)));
    left -= taken;
    if (taken < MIB && left > 0) await new Promise<void>((resolve) => (drained = resolve));
  }
  await all;
  const seconds = (performance.now() - begin) / 1_000;
  socket.terminate();
  return BULK / MIB / seconds;
}

async function direct(): Promise<number> {
  const { data, all } = new Count();
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data } });
  const speed = await pump(listener.port, "", all);
  listener.stop(true);
  return speed;
}

async function throughSplice(): Promise<number> {
  const { data, all } = new Count();
  const seats: LineSocket[] = [];
  const listener = listenForLines({ host: "127.0.0.1", port: 0 }, (socket) => ({
    line() {
      if (seats.push(socket) < 2) return;
      const [reader, writer] = seats as [LineSocket, LineSocket];
      new Splice(reader, writer, { passed: () => undefined, ended: () => undefined }).begin();
    },
    closed: () => undefined,
  }));
  const reader = await Bun.connect({ hostname: "127.0.0.1", port: listener.port, socket: { data } });
  reader.write("{}\n");
  while (seats.length === 0) await Bun.sleep(1);
  const speed = await pump(listener.port, "{}\n", all);
  listener.stop();
  return speed;
}

function memory(): number {
  Bun.gc(true);
  return process.memoryUsage().rss;
}

export async function benchReach(report: Report): Promise<void> {
  await benchIdle(report);
  const speed = await interleaved(throughSplice, direct, 3);
  report({ name: "bytes relayed (bare: one plain connection)", unit: "MiB/s", ...speed });

  const relay = { ...DEFAULT_RELAY_LIMITS, pairs: 1_000 };
  const server = await TestServer.start({ meeting: { port: 0, isAsked: true, hosts: [], relay } });
  try {
    const parties: MeetingParty[] = [];
    const times: number[] = [];
    for (let meeting = 0; meeting < MEETINGS / 2; meeting++) {
      const begin = performance.now();
      parties.push(...(await relayedPair(server, [`ana${meeting}`, `benito${meeting}`])));
      times.push(performance.now() - begin);
    }
    report({
      name: "two logins, their meeting and the hand-over to the relay",
      unit: "ms",
      ours: median(times),
    });
    for (const { reader, writer } of pairsOf(parties).slice(0, FLOODS)) {
      reader.pause();
      writer.write(Buffer.alloc(4 * MIB));
    }
    const names = Array.from({ length: STRANGERS }, (_, index) => `stranger${index}`);
    await server.addAccounts(...names);
    const { tlsPort, authority } = server;
    const meetingPort = server.server.services.meetingPlaces()[0]?.port ?? 0;
    const strangers = await besiegeMeetings({ tlsPort, meetingPort, authority, names });
    const friends = pairsOf(parties).at(-1);
    const round: number[] = [];
    for (let trip = 0; friends !== undefined && trip < ROUND_TRIPS; trip++) {
      friends.reader.bytes = friends.writer.bytes = "";
      const begin = performance.now();
      friends.writer.write("?");
      await friends.reader.until("?");
      friends.reader.write("!");
      await friends.writer.until("!");
      round.push(performance.now() - begin);
      // So that it is in the midst of all the others do.
      await Bun.sleep(5);
    }
    strangers.kill();
    const others = `${STRANGERS} strangers ask, guess and keep seats, beside ${FLOODS} stalled readers`;
    const name = `two friends on a relay while ${others}, 99th percentile`;
    report({ name, unit: "ms", ours: percentile(round, 0.99) });
    for (const party of parties) party.close();
  } finally {
    await server.stop();
  }
}

function pairsOf(parties: readonly MeetingParty[]): { writer: MeetingParty; reader: MeetingParty }[] {
  return parties.flatMap((writer, index) => {
    const reader = parties[index + 1];
    return index % 2 === 0 && reader !== undefined ? [{ writer, reader }] : [];
  });
}

/** Pairs of which nobody says anything. The clients' sockets are in this process too. */
async function benchIdle(report: Report): Promise<void> {
  const seats: LineSocket[] = [];
  const listener = listenForLines({ host: "127.0.0.1", port: 0 }, (socket) => {
    seats.push(socket);
    return { line: () => undefined, closed: () => undefined };
  });
  const before = memory();
  const ends: Bun.Socket<undefined>[] = [];
  while (ends.length < 2 * IDLE_PAIRS) {
    ends.push(
      await Bun.connect<undefined>({
        hostname: "127.0.0.1",
        port: listener.port,
        socket: { data: () => undefined },
      }),
    );
  }
  while (seats.length < ends.length) await Bun.sleep(1);
  for (let index = 0; index < seats.length; index += 2) {
    const [one, two] = seats.slice(index, index + 2) as [LineSocket, LineSocket];
    new Splice(one, two, { passed: () => undefined, ended: () => undefined }).begin();
  }
  const ours = (memory() - before) / 1_024 / IDLE_PAIRS;
  report({ name: "memory of an idle pair, with its clients' two sockets", unit: "KiB", ours });
  for (const end of ends) end.terminate();
  listener.stop();
}
