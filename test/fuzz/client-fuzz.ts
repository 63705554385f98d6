/**
 * The fuzz of the client by a server whose certificate is good and whose answers are not. In each step Ana logs in,
 * asks for people and for a friend, while answers are spoiled, refused, repeated or left out, and news is pushed that
 * nobody asked for, revocations and meetings among it, whose port is no better. She sends a bounded number of requests; then the server says the truth, and
 * she is online with it at once.
 */
import { rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { label } from "../../src/identity/names.ts";
import { MAX_REVOCATIONS } from "../../src/client/profile/revocations.ts";
import { CODES } from "../../src/protocol/codes.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { MAX_REVOKED } from "../../src/protocol/rendezvous-messages.ts";
import { FakeServer } from "../integration/fake-server.ts";
import { HonestServer } from "../integration/honest-answers.ts";
import { openPerson, type Person } from "../integration/messenger-pair.ts";
import type { Message } from "../integration/rendezvous-test-client.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { expectUntouchedPrototypes, mustHold, randomOfStep, within } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";
import { hostileText } from "./hostile-texts.ts";
import { hostileString } from "./hostile-values.ts";
import { expectNoStall, LoopStall } from "./loop-stall.ts";
import { fieldsOf, mutate, rendered } from "./mutation.ts";
import { turn } from "./raw-bytes.ts";
import { aroundLimit, damaged, noise } from "./transmission.ts";

const DEADLINE = 30_000;
/** Most requests of one step, in which the server may name pages without end. */
const MOST_REQUESTS = 1_500;
/** Nothing was asked for so many turns of the event loop: the client waits for an answer, or is done. */
const QUIET_TURNS = 30;

/** @throws FuzzStepFailure */
export async function fuzzClient(options: FuzzOptions): Promise<FuzzFigures> {
  const fuzz = new ClientFuzz(options);
  fuzz.figures.steps = await runSteps("client", options, {
    begin: () => fuzz.begin(),
    step: (step) => fuzz.step(step),
    end: () => fuzz.end(),
    memory: () => process.memoryUsage.rss(),
  });
  return fuzz.figures;
}

class ClientFuzz {
  readonly figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  readonly #seed: number;
  readonly #deadline: number;
  readonly #honest = new HonestServer();
  readonly #folder = mkdtempSync(join(tmpdir(), "paloma-fuzz-client-"));
  readonly #stall = new LoopStall();
  readonly #server: FakeServer;
  /** The meeting port. Its data: how often it still answers. */
  readonly #seats: Bun.TCPSocketListener<{ left: number }>;
  /** Undefined: the server says the truth. */
  #random: SeededRandom | undefined;
  /** Every page of a list leads on to another one, and nothing else is spoiled. */
  #isEndless = false;
  #ana: Person | undefined;

  constructor({ seed, deadline = DEADLINE }: FuzzOptions) {
    this.#seed = seed;
    this.#deadline = deadline;
    const { identity } = this.#honest;
    this.#server = new FakeServer({ identity, answer: (message) => this.#answer(message) });
    this.#seats = Bun.listen<{ left: number }>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => void (socket.data = { left: 4 }),
        data: (socket) => {
          if (this.#random === undefined || socket.data.left-- <= 0) return;
          count(this.figures.seen, "a seat");
          socket.write(spoiled(seatLine(this.#random), this.#random));
        },
        error: () => undefined,
      },
    });
  }

  async begin(): Promise<void> {
    this.#ana = await openPerson("ana", {
      dataFolder: this.#folder,
      port: this.#server.port,
      random: () => 0,
    });
    await this.#ana.account.connect();
    this.#server.end();
    await this.#quiet();
  }

  async step(step: number): Promise<void> {
    const random = randomOfStep(this.#seed, step);
    const ana = this.#ana as Person;
    const { account, messenger } = ana;
    const [bytes, asked] = [this.figures.bytes, this.#server.messages.length];
    this.#stall.take();
    this.#random = random;
    this.#isEndless = random.integer(10) === 0;
    const attempt = this.#outcome(account.connect());
    await this.#quiet();
    if (messenger.rendezvous.state.name === "online") {
      const tasks = [this.#outcome(messenger.users())];
      if (random.integer(2) === 0) messenger.outbox.send("bob", `${step}`);
      for (let news = random.integer(6); news > 0; news--) this.#push(random);
      await this.#quiet();
      this.#server.end();
      await within(this.#deadline, Promise.all(tasks), () => "a request does not end with its connection");
    }
    this.#server.end();
    await within(this.#deadline, attempt, () => "an attempt to log in does not end with its connection");
    await this.#quiet();
    const requests = this.#server.messages.length - asked;
    mustHold(requests <= MOST_REQUESTS, "too many requests", requests, this.#server.messages.slice(-5));
    mustHold(ana.profile.revocations.size <= MAX_REVOCATIONS, "too many revocations are kept");
    await this.#tellTheTruth(ana);
    expectUntouchedPrototypes();
    expectNoStall(this.#stall.take(), this.figures.bytes - bytes, () => "her event loop stalls");
  }

  async end(): Promise<void> {
    this.#stall.stop();
    await this.#ana?.close();
    this.#server.stop();
    this.#seats.stop(true);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #tellTheTruth(ana: Person): Promise<void> {
    this.#random = undefined;
    const asked = this.#server.messages.length;
    await within(this.#deadline, ana.account.connect(), () => "she does not take the truth");
    const users = await within(this.#deadline, ana.messenger.users(), () => "the truth has no answer");
    mustHold(users.length === 0, "people that the server did not name", users);
    await this.#quiet();
    const requests = this.#server.messages.slice(asked);
    mustHold(requests.length <= 20, "too many requests to an honest server", requests.slice(-5));
    this.#server.end();
    await this.#quiet();
    mustHold(
      ana.messenger.rendezvous.state.name === "offline",
      "not offline",
      ana.messenger.rendezvous.state,
    );
  }

  /** How a task has ended; one with an error is right, too. */
  async #outcome(task: Promise<unknown>): Promise<void> {
    const end = await task.then(
      () => "done",
      (error: unknown) => String((error as { code?: unknown }).code ?? (error as Error).constructor.name),
    );
    count(this.figures.seen, /^[a-z_]{1,40}$/i.test(end) ? end : "another code");
  }

  async #quiet(): Promise<void> {
    let seen = -1;
    let quiet = 0;
    const begun = performance.now();
    while (quiet < QUIET_TURNS) {
      await turn();
      const { messages, open } = this.#server;
      const now = messages.length * 100 + open;
      quiet = now === seen ? quiet + 1 : 0;
      seen = now;
      mustHold(performance.now() - begun < this.#deadline, "requests without end", messages.slice(-3));
    }
  }

  #answer(message: Message): string | Uint8Array | undefined {
    const answer = this.#stall.apart(() =>
      this.#random === undefined
        ? `${JSON.stringify(this.#honest.answer(message))}\n`
        : this.#lie(message, this.#random),
    );
    this.figures.bytes += answer === undefined ? 0 : Buffer.byteLength(answer);
    this.figures.writes++;
    return answer;
  }

  #push(random: SeededRandom): void {
    const bytes = this.#stall.apart(() => spoiled(news(random, this.#seats.port), random));
    this.figures.bytes += bytes.length;
    this.#server.push(bytes);
  }

  /** Often the truth, or the login would never get on. */
  #lie(message: Message, random: SeededRandom): string | Uint8Array | undefined {
    const truth = this.#honest.answer(message);
    if (this.#isEndless) return `${JSON.stringify({ ...truth, ...endless(message, random) })}\n`;
    Object.assign(truth, more(message, random));
    const line = `${JSON.stringify(truth)}\n`;
    switch (random.integer(16)) {
      case 0:
        return Buffer.from(`${rendered(mutate(fieldsOf(truth), random), random)}\n`);
      case 1:
        return Buffer.concat([spoiled(news(random, this.#seats.port), random), Buffer.from(line)]);
      case 2:
        return damaged(Buffer.from(line), random);
      case 3:
        return line + line;
      case 4:
        return Buffer.from(`${rendered(fieldsOf(refusal(message, random)), random)}\n`);
      case 5:
        return random.integer(2) === 0 ? noise(random) : aroundLimit(RENDEZVOUS_OBJECT_LIMIT, random);
      case 6:
        return undefined;
      default:
        return line;
    }
  }
}

function spoiled(message: Message, random: SeededRandom): Buffer {
  const fields = fieldsOf(message);
  return Buffer.from(`${rendered(random.integer(3) === 0 ? mutate(fields, random) : fields, random)}\n`);
}

function refusal({ action, id }: Message, random: SeededRandom): Message {
  const type = random.pick(["error", `${String(action)}_response`, "login_response"]);
  const code = random.integer(4) === 0 ? hostileString(random) : random.pick([...CODES]);
  const message = [...hostileText(random)].slice(0, 1_025).join("");
  const retry = random.integer(2) === 0 ? {} : { retry_after: random.pick([0, 1, 86_400, 86_401, -1]) };
  return {
    action: type,
    success: false,
    code,
    message: message.toWellFormed(),
    request: action,
    id,
    ...retry,
  };
}

/** What a lying server adds to an answer: pages of revocations that lead on, or in a circle, and other people's keys. */
function more({ action, after }: Message, random: SeededRandom): Message {
  const next = () =>
    random.pick([undefined, undefined, after ?? `1.${"0".repeat(40)}`, `1.${label("ana")}`, cursor(random)]);
  if (action === "login" || action === "resume") {
    return random.integer(2) === 0 ? {} : { revoked: revocations(random), revoked_next: next() };
  }
  if (action === "revocations") return { revoked: revocations(random), next: next() };
  return {};
}

/** The page of a list without end. */
function endless({ action }: Message, random: SeededRandom): Message {
  const leadsOn = `${random.integer(2 ** 31)}.${label(String(random.next()))}`;
  const revoked = [{ label: label(String(random.next())), before: 1 }];
  if (action === "login" || action === "resume") return { revoked, revoked_next: leadsOn };
  if (action === "revocations") return { revoked, next: leadsOn };
  return action === "get_users" ? { next: `z${random.integer(2 ** 31)}` } : {};
}

function cursor(random: SeededRandom): string {
  return random.integer(3) > 0
    ? `${random.integer(2 ** 31)}.${label(String(random.next()))}`
    : hostileString(random);
}

function revocations(random: SeededRandom): Message[] {
  const now = Math.floor(Date.now() / 1_000);
  return Array.from({ length: random.pick([0, 1, 3, MAX_REVOKED, MAX_REVOKED + 1]) }, () => ({
    label: random.integer(20) === 0 ? label(random.pick(["ana", "bob"])) : label(String(random.next())),
    before: random.pick([0, 1, now - 10, now, now + 1, now + 100_000, 253_402_300_799]),
    ...(random.integer(4) === 0 ? { except: "0".repeat(64) } : {}),
  }));
}

function news(random: SeededRandom, meetingPort: number): Message {
  switch (random.integer(8)) {
    case 0:
      return { action: "presence", username: random.pick(["bob", "ana", hostileText(random)]), online: true };
    case 1:
    case 2:
      return { action: "revoked", revoked: revocations(random) };
    case 3:
      return { action: "error", success: false, code: random.pick([...CODES]), message: hostileText(random) };
    case 4:
    case 5:
    case 6:
      return meetingNews(random, meetingPort);
    default:
      return { action: hostileString(random), id: random.integer(10), message: hostileText(random) };
  }
}

/** Of a meeting at this port, to which she may be invited. */
function meetingNews(random: SeededRandom, meetingPort: number): Message {
  const ticket = random.pick("abcd".split("")).repeat(43);
  const username = random.pick(["bob", "bob", "ana", hostileText(random)]);
  const [ip, port] = ["127.0.0.1", random.pick([meetingPort, 9, 65_535])];
  switch (random.integer(6)) {
    case 0:
      return { action: "gone", ticket };
    case 1:
      return { action: "reachable", results: [{ ip, port, open: random.integer(2) === 0 }] };
    case 2:
    case 3: {
      const target = random.integer(3) === 0 ? {} : { ip, port };
      const times = { in_ms: random.integer(20), rtt_ms: random.integer(20) };
      return { action: "go", ticket, family: random.pick([4, 4, 5, 6]), ...target, ...times };
    }
    default:
      return {
        action: "meet_request",
        username,
        ticket,
        purpose: random.pick(["chat", "chat", "move", "stream"]),
        meeting: [{ port: meetingPort }],
        candidates: [{ kind: "direct", ip, port }],
        fingerprint: "0".repeat(64),
        relay_only: random.integer(2) === 0,
      };
  }
}

/** What a meeting port says to who has a seat. */
function seatLine(random: SeededRandom): Message {
  return random.pick([
    { action: "ping", n: random.integer(2 ** 32) },
    { action: "spliced" },
    { action: "error", code: "relay_full" },
    { action: hostileString(random), n: -1 },
  ]);
}
