/**
 * The fuzz of the meeting port. Each step, people ask to meet each other, and connections show tickets, right, used and
 * made up, answer pings or do not, and say what fits, what does not, and what is no line. All that the server says must be
 * readable to clients, and lead to nobody but the two; a pair that was relayed before goes on.
 */
import { readFields, type Fields } from "../../src/protocol/fields.ts";
import { MEETING_ANSWERS, MEETING_LINE_LIMIT } from "../../src/protocol/meeting-messages.ts";
import { RESPONSES } from "../../src/protocol/rendezvous-messages.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { relayedPair, type MeetingParty } from "../integration/meeting-party.ts";
import { RawPeer } from "../integration/raw-peer.ts";
import { TestServer } from "../integration/rendezvous-test-server.ts";
import type { Message, TestClient } from "../integration/rendezvous-test-client.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { expectUntouchedPrototypes, mustHold, randomOfStep, within } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";
import { expectCleanLog, UNLIMITED } from "./fuzz-target.ts";
import { expectNoStall, LoopStall } from "./loop-stall.ts";
import { fieldsOf, mutate, rendered } from "./mutation.ts";
import { turn } from "./raw-bytes.ts";
import { aroundLimit, cut, damaged, noise } from "./transmission.ts";

/** So many that nobody has asked too often. */
const PEOPLE = 40;
const CONNECTIONS = 12;
const TICKETS = 24;
const DEADLINE = 30_000;
const PURPOSES = ["chat", "chat", "chat", "stream", "move"] as const;

/** What the server says on a rendezvous link here. */
const TOLD = new Set(["reach_response", "connect_response", "meet_request", "go", "gone", "presence"]);

type Person = { readonly name: string; readonly client: TestClient; taken: number };

/** A connection to the meeting port. */
type Visitor = {
  readonly peer: RawPeer;
  /** The ticket that it shows, unless it shows another one. */
  readonly ticket: string;
  read: number;
  isPassing: boolean;
  isSeated: boolean;
  pings: number[];
};

/** @throws FuzzStepFailure */
export async function fuzzMeeting(options: FuzzOptions): Promise<FuzzFigures> {
  const meeting = { port: 0, isAsked: true, hosts: [], relay: DEFAULT_RELAY_LIMITS };
  const server = await TestServer.start({ limits: UNLIMITED, meeting });
  const fuzz = new MeetingFuzz(server, options);
  fuzz.figures.steps = await runSteps("meeting", options, {
    begin: () => fuzz.begin(),
    step: (step) => fuzz.step(step),
    end: () => fuzz.end(),
    memory: () => process.memoryUsage.rss(),
  });
  return fuzz.figures;
}

class MeetingFuzz {
  readonly figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  readonly #server: TestServer;
  readonly #seed: number;
  readonly #deadline: number;
  readonly #stall = new LoopStall();
  readonly #people: Person[] = [];
  readonly #visitors: Visitor[] = [];
  /** The newest last. */
  readonly #tickets: string[] = [];
  /** Of two who meet, by their names: that of one of them, until the other's has come. */
  readonly #halves = new Map<string, string>();
  /** Of two who meet. */
  readonly #pairs: (readonly [string, string])[] = [];
  /** Tickets for which `go` has come. */
  readonly #gone = new Set<string>();
  #friends: readonly MeetingParty[] = [];

  constructor(server: TestServer, { seed, deadline = DEADLINE }: FuzzOptions) {
    this.#server = server;
    this.#seed = seed;
    this.#deadline = deadline;
  }

  async begin(): Promise<void> {
    this.#friends = await relayedPair(this.#server, ["ana", "benito"]);
    for (let number = 0; number < PEOPLE; number++) {
      const name = `persona${number}`;
      const { client } = await this.#server.online(name);
      const { lines } = client;
      client.send({ action: "reach" });
      this.#people.push({ name, client, taken: lines.length });
    }
  }

  async end(): Promise<void> {
    if (this.#server.isStopped) return;
    for (const { peer } of this.#visitors) peer.terminate();
    for (const friend of this.#friends) friend.close();
    this.#stall.stop();
    await this.#server.stop();
    expectCleanLog(this.#server.log);
  }

  async step(step: number): Promise<void> {
    const random = randomOfStep(this.#seed, step);
    const before = this.figures.bytes;
    this.#stall.take();
    for (let times = 1 + random.integer(3); times > 0; times--) this.#ask(random);
    await this.#friendsChat();
    this.#takeNews();
    for (const ticket of this.#pairs.splice(0).flat().slice(-4)) await this.#visit(ticket, random);
    if (random.integer(3) === 0) await this.#visit(random.pick([...this.#tickets, ""]), random);
    // Answers to what is said come in between, so that a meeting may come to its end.
    for (let round = 0; round < 4; round++) {
      for (const visitor of [...this.#visitors]) if (random.integer(2) === 0) this.#speak(visitor, random);
      await turn();
      await this.#friendsChat();
      this.#takeNews();
    }
    expectUntouchedPrototypes();
    expectCleanLog(this.#server.log.splice(0));
    expectNoStall(this.#stall.take(), this.figures.bytes - before, () => "the server's event loop stalls");
  }

  #ask(random: SeededRandom): void {
    const { client } = random.pick(this.#people);
    const connect = {
      action: "connect",
      target_user: random.pick(this.#people).name,
      purpose: random.pick(PURPOSES),
      ...(random.integer(3) === 0 && { transfer: `file${random.integer(3)}` }),
    };
    const message = random.integer(8) === 0 ? { action: "reach", check: random.integer(2) === 0 } : connect;
    client.send(message);
    this.figures.writes++;
  }

  /** What the server has told people, which gives tickets. */
  #takeNews(): void {
    for (const person of this.#people) {
      const { lines } = person.client;
      for (; person.taken < lines.length; person.taken++)
        this.#heard(person, JSON.parse(lines[person.taken] as string));
    }
  }

  #heard({ name }: Person, message: Message): void {
    const { action, success, code, ticket, ip } = message;
    count(this.figures.seen, String(success === false ? code : action));
    if (success === false) {
      mustHold(["rate_limited", "user_offline"].includes(String(code)), "a wrong refusal", message);
      return;
    }
    if (action === "reachable" || action === "revoked") return;
    mustHold(TOLD.has(String(action)), "the server says something else", message);
    const fields = new Map<unknown, Fields>(Object.entries(RESPONSES)).get(action) as Fields;
    mustHold(readFields(fields, message).ok, "no client can read it", message);
    // All are on this machine.
    if (action === "go")
      mustHold(ip === undefined || ip === "127.0.0.1" || ip === "::1", "elsewhere", message);
    if (typeof ticket !== "string" || action === "gone") return;
    if (action === "go") {
      this.#gone.add(ticket);
      return;
    }
    this.#tickets.push(ticket);
    if (this.#tickets.length > TICKETS) this.#tickets.shift();
    const other = message["target_user"] ?? message["username"];
    if (typeof other !== "string") return;
    const two = [name, other].sort().join(" ");
    const half = this.#halves.get(two);
    if (half === undefined) this.#halves.set(two, ticket);
    else {
      this.#pairs.push([half, ticket]);
      this.#halves.delete(two);
    }
  }

  async #visit(ticket: string, random: SeededRandom): Promise<void> {
    const port = this.#server.server.services.meetingPlaces()[0]?.port ?? 0;
    const peer = await RawPeer.dial(port, { tls: false });
    const visitor: Visitor = { peer, ticket, read: 0, isPassing: false, isSeated: false, pings: [] };
    this.#visitors.push(visitor);
    if (this.#visitors.length > CONNECTIONS) {
      const [gone] = this.#visitors.splice(random.integer(CONNECTIONS), 1);
      if (random.integer(2) === 0) gone?.peer.end();
      gone?.peer.terminate();
    }
  }

  /** Takes what has come, and says something. */
  #speak(visitor: Visitor, random: SeededRandom): void {
    const { peer } = visitor;
    this.#listen(visitor);
    if (peer.isClosed) {
      this.#visitors.splice(this.#visitors.indexOf(visitor), 1);
      return;
    }
    // Who says `relay` before `go` is shut out.
    const isWaiting = visitor.isSeated && visitor.pings.length === 0 && !this.#gone.has(visitor.ticket);
    if (isWaiting && random.integer(12) > 0) return;
    const bytes = this.#stall.apart(() => this.#said(visitor, random));
    this.figures.writes++;
    this.figures.bytes += bytes.length;
    for (const piece of random.integer(4) === 0 ? cut(bytes, random) : [bytes]) peer.write(piece);
  }

  #listen(visitor: Visitor): void {
    const all = Buffer.concat(visitor.peer.received).toString("latin1");
    while (!visitor.isPassing) {
      const end = all.indexOf("\n", visitor.read);
      if (end < 0) return;
      const line = all.slice(visitor.read, end);
      visitor.read = end + 1;
      const message = JSON.parse(line) as Message;
      const action = String(message["action"]);
      count(this.figures.seen, `at the port: ${action}`);
      const fields = new Map<string, Fields>(Object.entries(MEETING_ANSWERS)).get(action);
      mustHold(fields !== undefined && readFields(fields, message).ok, "no client can read it", line);
      if (action === "ping") visitor.pings.push(message["n"] as number);
      visitor.isPassing = action === "spliced";
      visitor.isSeated = true;
    }
  }

  #said(visitor: Visitor, random: SeededRandom): Buffer {
    const fitting = this.#fitting(visitor, random);
    const line = Buffer.from(`${JSON.stringify(fitting)}\n`);
    switch (random.integer(24)) {
      case 0:
        return Buffer.from(`${rendered(mutate(fieldsOf(fitting), random), random)}\n`);
      case 1:
        return damaged(line, random);
      case 2:
        return random.integer(4) === 0 ? noise(random) : aroundLimit(MEETING_LINE_LIMIT, random);
      default:
        return line;
    }
  }

  /** Mostly what a client says next. */
  #fitting(visitor: Visitor, random: SeededRandom): Message {
    const other = random.pick([...this.#tickets, "x".repeat(43)]);
    const ticket = random.integer(10) === 0 ? other : visitor.ticket;
    const any = random.pick(["meet", "observe", "pong", "relay", "ready"]);
    const ping = visitor.pings.shift();
    let action = any;
    if (random.integer(12) > 0) {
      const first = random.integer(20) === 0 ? "observe" : "meet";
      const seated = visitor.isPassing ? "ready" : ping === undefined ? "relay" : "pong";
      action = visitor.isSeated ? seated : first;
    }
    switch (action) {
      case "meet":
        return { action, ticket, ...(random.integer(2) === 0 && { relay: true }) };
      case "observe":
        return { action, ticket };
      case "pong":
        return { action, n: ping ?? random.integer(2 ** 32) };
      default:
        return { action };
    }
  }

  /** A byte to the other, and one back. */
  async #friendsChat(): Promise<void> {
    const [one, two] = this.#friends as [MeetingParty, MeetingParty];
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      to.bytes = "";
      from.write("!");
      await within(this.#deadline, to.until("!"), () => "the pair that was relayed before is disturbed");
      mustHold(to.bytes === "!", "the pair that was relayed before has lost its link");
    }
  }
}
