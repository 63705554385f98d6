/**
 * The fuzz of the rendezvous link. Each step writes a burst of requests, corrupted requests and noise to one to three
 * of six connections, followed by a request that must be answered; every answer is compared with the model. In
 * between, connections are cut off, and bytes that are not a handshake are written to both ports. Two clients that
 * logged in before must not notice.
 */
import { label as labelOf } from "../../src/identity/names.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import type { Message, TestClient } from "../integration/rendezvous-test-client.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { expectUntouchedPrototypes, mustHold, randomOfStep, within } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";
import { expectCleanLog, sentinel, type FuzzTarget } from "./fuzz-target.ts";
import { expectNoStall } from "./loop-stall.ts";
import { rendered } from "./mutation.ts";
import { clientHello, rawVisit, turn } from "./raw-bytes.ts";
import { request, SENTINELS } from "./rendezvous-grammar.ts";
import { Knowledge } from "./rendezvous-knowledge.ts";
import { RendezvousModel } from "./rendezvous-model.ts";
import { aroundLimit, cut, damaged, joined, noise } from "./transmission.ts";

/** Accounts that exist at the start of every run. */
const NAMES = ["ana", "beto", "ñandú", "constructor", "toString", "hasOwnProperty", "Élodie", "z-9"] as const;
const CONNECTIONS = 6;
/** Passwords hashed in a step, on average, and saved up at most. */
const HASHES_A_STEP = 0.5;
const MOST_HASHES = 8;
const DEADLINE = 30_000;
/** Ends an incomplete object, inside or outside a string, as one piece of garbage. */
const ENDS_OPEN_OBJECT = Buffer.from('"\u0001"\u0001\n');

type Link = {
  readonly client: TestClient;
  readonly model: RendezvousModel;
  /** Whether it behaves mostly like a legacy client. */
  readonly isLegacy: boolean;
  taken: number;
  isClosed: boolean;
};

/** @throws FuzzStepFailure */
export async function fuzzRendezvous(
  options: FuzzOptions,
  start: (names: readonly string[]) => Promise<FuzzTarget>,
): Promise<FuzzFigures> {
  const target = await start([...NAMES, ...SENTINELS]);
  const fuzz = new RendezvousFuzz(target, options);
  let isStopped = false;
  fuzz.figures.steps = await runSteps("rendezvous", options, {
    begin: () => fuzz.begin(),
    step: (step) => fuzz.step(step),
    end: async () => {
      if (isStopped) return;
      isStopped = true;
      fuzz.end();
      await target.stop();
    },
    memory: () => target.memory(),
  });
  return fuzz.figures;
}

class RendezvousFuzz {
  readonly figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  readonly #target: FuzzTarget;
  readonly #seed: number;
  readonly #deadline: number;
  readonly #known = new Knowledge(NAMES);
  readonly #links = new Map<number, Link>();
  #sentinels: { client: TestClient; taken: number }[] = [];
  #hello: Buffer = Buffer.alloc(0);
  #hashes = MOST_HASHES;

  constructor(target: FuzzTarget, { seed, deadline = DEADLINE }: FuzzOptions) {
    this.#target = target;
    this.#seed = seed;
    this.#deadline = deadline;
  }

  async begin(): Promise<void> {
    this.#hello = await clientHello("rendezvous.paloma");
    for (const name of SENTINELS) {
      const client = await sentinel(this.#target, name);
      await client.ask({ action: "watch", users: ["ana", "constructor", "__proto__"] });
      this.#sentinels.push({ client, taken: client.lines.length });
    }
  }

  end(): void {
    for (const { client } of [...this.#links.values(), ...this.#sentinels]) client.close();
  }

  async step(step: number): Promise<void> {
    const random = randomOfStep(this.#seed, step);
    const { stall } = this.#target;
    const before = this.figures.bytes;
    stall.take();
    this.#hashes = Math.min(MOST_HASHES, this.#hashes + HASHES_A_STEP);
    switch (random.integer(20)) {
      case 0:
      case 1: {
        const port = random.pick([this.#target.tlsPort, this.#target.tlsPort, this.#target.plainPort]);
        this.figures.bytes += await rawVisit(port, this.#hello, random, this.#deadline);
        break;
      }
      case 2:
        await this.#cutOff(random, step);
        break;
      default: {
        const slots = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => random.integer(CONNECTIONS));
        const bursts: Promise<void>[] = [];
        for (const slot of new Set(slots)) {
          const link = await this.#linkAt(slot, random, step);
          const pieces = stall.apart(() => this.#burst(link, random, step));
          const burst = this.#write(link, pieces, random).then(() => this.#settle(link, step));
          // One may fail before all have begun; `all` reports it.
          burst.catch(() => undefined);
          bursts.push(burst);
        }
        await Promise.all(bursts);
      }
    }
    await this.#lookAround(step);
    expectNoStall(stall.take(), this.figures.bytes - before, () => "the server's event loop stalls");
  }

  /** A new link over TLS mostly asks for its challenge first. */
  async #linkAt(slot: number, random: SeededRandom, step: number): Promise<Link> {
    const isPlain = random.integer(3) === 0;
    const isLegacy = random.integer(3) === 0;
    const there = this.#links.get(slot);
    if (there !== undefined) return there;
    const client = isPlain ? await this.#target.plain() : await this.#target.tls();
    const model = new RendezvousModel(this.#known, { isPlain, leaf: client.leaf, challenge: undefined });
    const link: Link = { client, model, isLegacy, taken: 0, isClosed: false };
    void client.closed.then(() => (link.isClosed = true));
    this.#links.set(slot, link);
    if (!isPlain && !isLegacy && random.integer(8) > 0) {
      const ping = Buffer.from('{"action":"ping"}\n');
      model.wrote(ping);
      await this.#write(link, [ping], random);
      await this.#settle(link, step);
    }
    return link;
  }

  /** The pieces of one burst, which the model already expects. */
  #burst(link: Link, random: SeededRandom, step: number): Buffer[] {
    const { model } = link;
    const messages = Array.from({ length: 1 + random.integer(8) }, () => this.#message(link, random));
    let bytes = joined(messages, random);
    if (random.integer(6) === 0) bytes = bytes.subarray(0, random.integer(bytes.length));
    // A burst that would hash too many passwords is shortened.
    while (model.hashesIn(bytes) > this.#hashes) {
      messages.length = Math.floor(messages.length / 2);
      bytes = joined(messages, random);
    }
    this.#hashes -= model.hashesIn(bytes);
    const pieces = cut(bytes, random);
    model.wrote(bytes);
    const fence = Buffer.concat([
      model.isOpen ? ENDS_OPEN_OBJECT : Buffer.from("\n"),
      Buffer.from(`{"action":"fence-${step}"}\n`),
    ]);
    model.wrote(fence);
    return [...pieces, fence];
  }

  #message(link: Link, random: SeededRandom): Buffer {
    const kind = random.integer(60);
    if (kind < 3) return noise(random);
    if (kind === 3)
      return random.integer(3) === 0 ? aroundLimit(RENDEZVOUS_OBJECT_LIMIT, random) : noise(random);
    if (kind === 4 && !link.isLegacy) return Buffer.from('{"action":"ping"}'.repeat(1 + random.integer(60)));
    const bytes = Buffer.from(
      rendered(
        request(random, this.#known, {
          connection: link.model.connection,
          session: link.model.session,
          isLegacy: link.isLegacy,
        }),
        random,
      ),
    );
    return kind < 8 ? damaged(bytes, random) : bytes;
  }

  async #write(link: Link, pieces: readonly Buffer[], random: SeededRandom): Promise<void> {
    for (const piece of pieces) {
      if (link.isClosed) return;
      link.client.write(piece);
      this.figures.writes++;
      this.figures.bytes += piece.length;
      if (random.integer(3) === 0) await turn();
    }
  }

  /** Waits for all missing answers, or the end of the connection. */
  async #settle(link: Link, step: number): Promise<void> {
    const { model, client } = link;
    while (model.unanswered > 0 && (!link.isClosed || client.lines.length > link.taken)) {
      const line = client.nextLine().catch(() => undefined);
      const read = await within(this.#deadline, line, () => `${model.unanswered} answers are missing`);
      if (read === undefined) break;
      this.#take(link, read, step);
    }
    if (model.ending !== undefined) {
      await within(this.#deadline, client.closed, () => `not closed after ${model.ending}`);
    }
  }

  #take(link: Link, line: string, step: number): void {
    link.taken++;
    this.#target.stall.apart(() => link.model.answered(line, step));
    const { action, code } = JSON.parse(line) as Message;
    count(this.figures.seen, `${String(action)} ${String(code ?? "")}`);
  }

  /** Writes and disconnects, perhaps during a hash. */
  async #cutOff(random: SeededRandom, step: number): Promise<void> {
    const slot = random.integer(CONNECTIONS);
    const link = await this.#linkAt(slot, random, step);
    if (random.integer(2) === 0) await this.#write(link, this.#burst(link, random, step), random);
    link.client.close();
    await within(this.#deadline, link.client.closed, () => "a connection that was cut off is open");
    await this.#drain(link, step);
    link.model.closed(true);
    this.#links.delete(slot);
  }

  /** Reads what came unasked, and checks what holds after every step. */
  async #lookAround(step: number): Promise<void> {
    for (const [slot, link] of this.#links) {
      const { isClosed, model } = link;
      await this.#drain(link, step);
      const { replaced } = model;
      if (replaced !== undefined && !this.#known.uncertain.has(replaced.user)) {
        const logins = this.#known.logins.get(replaced.user) ?? 0;
        mustHold(logins > replaced.login, "a session was replaced by nobody", replaced.user);
      }
      if (!isClosed) continue;
      model.closed(false);
      this.#links.delete(slot);
    }
    expectUntouchedPrototypes();
    expectCleanLog(this.#target.newLogLines());
    if (step % 5 === 0) await this.#askSentinels(step);
  }

  async #drain(link: Link, step: number): Promise<void> {
    while (link.client.lines.length > link.taken) this.#take(link, await link.client.nextLine(), step);
  }

  async #askSentinels(step: number): Promise<void> {
    for (const [index, each] of this.#sentinels.entries()) {
      const ask = async (message: Message, isAnswer: (answer: Message) => boolean) => {
        each.client.send(message);
        for (;;) {
          const next = each.client.nextLine().catch(() => "a closed connection");
          const line = await within(this.#deadline, next, () => "a sentinel is not answered");
          mustHold(line.startsWith("{"), "a sentinel was thrown out", line);
          const answer = JSON.parse(line) as Message;
          if (answer["action"] === "presence") continue;
          if (answer["action"] === "revoked") {
            const labels = (answer["revoked"] as { label: string }[]).map(({ label }) => label);
            const isSentinel = SENTINELS.some((name) => labels.includes(labelOf(name)));
            mustHold(!isSentinel, "a sentinel is revoked", answer);
            continue;
          }
          mustHold(isAnswer(answer), "a sentinel notices the fuzz", message, answer);
          return;
        }
      };
      const other = SENTINELS[1 - index] as string;
      await ask({ action: "ping", id: step }, (pong) => pong["action"] === "pong" && pong["id"] === step);
      await ask(
        { action: "request_p2p", target_user: other, id: step },
        (info) => info["target_user"] === other && info["target_port"] === 9001 && info["id"] === step,
      );
    }
  }
}
