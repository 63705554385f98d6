/**
 * The fuzz of the peer link. Each step writes bytes that are not a handshake to Ana's port, or shows an invalid
 * certificate, or is a peer with a valid one who greets and then sends bursts of messages, corrupted messages and
 * noise. A `ping` after each burst shows that all of it was read; after each link her database is compared with the
 * model. All the while her conversation with an honest friend goes on.
 */
import { generateKeyPair, privateKeyToPem } from "../../src/identity/keys.ts";
import { createAuthority, issueUserCertificate, loadAuthority } from "../../src/identity/certificate.ts";
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { until } from "../integration/messenger-pair.ts";
import { oddCertificates } from "../odd-certificates.ts";
import { RawPeer, type RawOptions } from "../integration/raw-peer.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { expectUntouchedPrototypes, mustHold, randomOfStep, within } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";
import { hostileText } from "./hostile-texts.ts";
import { expectNoStall, LoopStall } from "./loop-stall.ts";
import { fieldsOf, mutate, rendered } from "./mutation.ts";
import { flood, revoke } from "./peer-crowds.ts";
import { greeting, peerMessage } from "./peer-grammar.ts";
import { PeerLinkModel } from "./peer-model.ts";
import { Victim, type Attacker } from "./peer-victim.ts";
import { clientHello, rawVisit, turn } from "./raw-bytes.ts";
import { aroundLimit, cut, damaged, joined, noise } from "./transmission.ts";

const NAMES = ["carla", "constructor", "ñandú"] as const;
/** Links of one contact, which is then replaced so that its history stays short. */
const LINKS_OF_ONE = 12;
const DEADLINE = 30_000;
/** Ends an incomplete object, inside or outside a string, as garbage. */
const ENDS_OPEN_OBJECT = Buffer.from('"\u0001"\u0001\n');
const PING = Buffer.from('{"action":"ping"}\n');
/** Actions that the other side sends unasked. */
const UNASKED: ReadonlySet<unknown> = new Set([
  "hello",
  "read",
  "typing",
  "ping",
  "bye",
  "edit",
  "withdraw",
  undefined,
]);

/** @throws FuzzStepFailure */
export async function fuzzPeer(options: FuzzOptions): Promise<FuzzFigures> {
  const victim = await Victim.open(options.deadline ?? DEADLINE);
  const fuzz = new PeerFuzz(victim, options);
  fuzz.figures.steps = await runSteps("peer", options, {
    begin: () => fuzz.begin(),
    step: (step) => fuzz.step(step),
    end: () => fuzz.end(),
    memory: () => process.memoryUsage.rss(),
  });
  return fuzz.figures;
}

class PeerFuzz {
  readonly figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  readonly #victim: Victim;
  readonly #seed: number;
  readonly #deadline: number;
  readonly #attackers: Attacker[];
  readonly #stall = new LoopStall();
  #hello: Buffer = Buffer.alloc(0);

  constructor(victim: Victim, { seed, deadline = DEADLINE }: FuzzOptions) {
    this.#victim = victim;
    this.#seed = seed;
    this.#deadline = deadline;
    this.#attackers = NAMES.map((name) => victim.attacker(name));
  }

  async begin(): Promise<void> {
    this.#hello = await clientHello("ana");
    await this.#victim.talk();
  }

  end(): Promise<void> {
    this.#stall.stop();
    return this.#victim.close();
  }

  async step(step: number): Promise<void> {
    const random = randomOfStep(this.#seed, step);
    const before = this.figures.bytes;
    this.#stall.take();
    const kind = random.integer(24);
    if (kind <= 1)
      this.figures.bytes += await rawVisit(this.#victim.ana.port, this.#hello, random, this.#deadline);
    else if (kind <= 3) await this.#unproven(random);
    else if (kind === 4) await this.#crowd(random, step);
    else await this.#conversation(random, step);
    expectUntouchedPrototypes();
    if (step % 5 === 0) await this.#victim.talk();
    expectNoStall(this.#stall.take(), this.figures.bytes - before, () => "her event loop stalls");
  }

  /** Nothing is sent to a peer without a valid certificate. */
  async #unproven(random: SeededRandom): Promise<void> {
    const { company, ana } = this.#victim;
    const day = 24 * 3_600_000;
    const name = random.pick([...NAMES, "nadie", "x".repeat(64)]);
    const [, odd] = random.pick(oddCertificates(company.authority, name, Date.now()));
    const options = random.pick<() => RawOptions>([
      () => ({ identity: odd() }),
      () => ({ identity: odd() }),
      () => ({ identity: odd() }),
      () => ({}),
      () => ({ identity: company.identity("ana") }),
      () => ({ identity: company.identity("carla", 4 * day) }),
      () => ({ identity: company.identity("carla", -4 * day) }),
      () => ({ identity: strangersIdentity("carla") }),
    ])();
    const peer = await RawPeer.dial(ana.port, options);
    const hello = fieldsOf(greeting("carla", random));
    peer.write(Buffer.concat([Buffer.from(rendered(hello, random)), noise(random)]));
    await within(this.#deadline, peer.closed, () => "somebody unproven is not refused");
    mustHold(peer.received.length === 0, "somebody unproven was sent something", peer.lines);
    count(this.figures.seen, "unproven");
  }

  async #crowd(random: SeededRandom, step: number): Promise<void> {
    if (random.integer(2) === 0) {
      await flood(this.#victim, this.#hello, random, step, this.#deadline);
      count(this.figures.seen, "flood");
    } else count(this.figures.seen, await revoke(this.#victim, random, step, this.#deadline));
  }

  async #conversation(random: SeededRandom, step: number): Promise<void> {
    const attacker = this.#attackerOf(random, step);
    const { ana, toZoe } = this.#victim;
    const foreign = [toZoe];
    if (random.integer(4) === 0)
      foreign.push(ana.messenger.outbox.send(attacker.name, `para ${attacker.name}`));
    const peer = await RawPeer.dial(ana.port, { identity: attacker.identity });
    const model = new PeerLinkModel(attacker.name);
    const hello = await within(
      this.#deadline,
      peer.next().catch(() => undefined),
      () => "a peer is not greeted",
    );
    // She has no lookup left for a new name.
    if (attacker.isNew && hello?.["code"] === "busy") {
      await within(this.#deadline, peer.closed, () => "a peer that is told «busy» is not ended");
      count(this.figures.seen, "busy");
      return;
    }
    attacker.isNew = false;
    mustHold(hello?.["action"] === "hello" && hello["username"] === "ana", "a peer is not let in", hello);
    await this.#write(peer, model, [this.#greeting(attacker.name, random)], random);
    let isRead = false;
    for (let bursts = 1 + random.integer(4); bursts > 0 && !peer.isClosed; bursts--) {
      isRead = false;
      await this.#write(peer, model, this.#burst(random, foreign), random);
      if (random.integer(12) === 0) break;
      const fence = Buffer.concat([model.isOpen ? ENDS_OPEN_OBJECT : Buffer.alloc(0), PING]);
      await this.#write(peer, model, [fence], random);
      await this.#settle(peer, model);
      isRead = !model.saidBye;
    }
    if (!(await this.#leave(peer, model, isRead, random))) await this.#look(attacker);
    this.#stall.apart(() => this.#victim.expectStored(attacker, model));
  }

  #attackerOf(random: SeededRandom, step: number): Attacker {
    const at = random.integer(this.#attackers.length);
    const there = this.#attackers[at] as Attacker;
    if (there.links++ < LINKS_OF_ONE) return there;
    const other = this.#victim.attacker(`otra-${step}`);
    this.#attackers[at] = other;
    return other;
  }

  /** Mostly valid: after an invalid one nothing is read. */
  #greeting(name: string, random: SeededRandom): Buffer {
    const username = random.integer(12) === 0 ? hostileText(random) : name;
    const fields = fieldsOf(greeting(username, random));
    return Buffer.from(`${rendered(random.integer(6) === 0 ? mutate(fields, random) : fields, random)}\n`);
  }

  #burst(random: SeededRandom, foreign: readonly string[]): Buffer[] {
    const messages = Array.from({ length: 1 + random.integer(12) }, () => {
      const kind = random.integer(100);
      if (kind === 0) return noise(random);
      if (kind === 1) return aroundLimit(PEER_OBJECT_LIMIT, random);
      if (kind === 2) return Buffer.from('{"action":"ping"}'.repeat(1 + random.integer(200)));
      const bytes = Buffer.from(rendered(peerMessage(random, foreign), random));
      return kind < 5 ? damaged(bytes, random) : bytes;
    });
    const bytes = joined(messages, random);
    return cut(random.integer(15) === 0 ? bytes.subarray(0, random.integer(bytes.length)) : bytes, random);
  }

  async #write(
    peer: RawPeer,
    model: PeerLinkModel,
    pieces: readonly Buffer[],
    random: SeededRandom,
  ): Promise<void> {
    for (const piece of pieces) {
      this.#stall.apart(() => model.wrote(piece));
      peer.write(piece);
      this.figures.writes++;
      this.figures.bytes += piece.length;
      if (random.integer(3) === 0) await turn();
    }
  }

  /** Waits until everything is read and answered, or the link has ended as it must. */
  async #settle(peer: RawPeer, model: PeerLinkModel): Promise<void> {
    const pongs = () => pongsOf(peer);
    // A ping is answered at once, a text once it is on the disk.
    const isAcknowledged = () => model.saidBye || acknowledgedOn(peer).length >= model.acknowledged.length;
    const isSettled = () =>
      peer.isClosed || (model.ending === undefined && pongs() >= model.pings && isAcknowledged());
    await within(this.#deadline, until(isSettled), () => {
      return model.ending === undefined
        ? `${model.pings - pongs()} pings are not answered, or a text is not acknowledged`
        : `the link does not end after a fault`;
    });
    const { messages } = peer;
    const errors = messages.filter(({ action }) => action === "error").map(({ code }) => code);
    if (model.ending === undefined) {
      mustHold(errors.length === 0, "an error for no fault", errors, model.messages.slice(-5));
      mustHold(!peer.isClosed || model.saidBye, "a link was ended without a fault", model.messages.slice(-5));
    } else if (!model.saidBye) {
      const { code } = model.ending;
      mustHold(
        errors.length === (code === undefined ? 0 : 1) && errors[0] === code,
        `expected ${code}`,
        errors,
      );
    }
    const known = messages.filter(({ action }) => !UNASKED.has(action));
    const strange = known.find(
      ({ action }) => action !== "pong" && action !== "error" && action !== "delivered",
    );
    mustHold(strange === undefined && pongs() <= model.pings, "an answer that nothing asked for", strange);
    const acknowledged = acknowledgedOn(peer);
    const expected = model.acknowledged.slice(0, acknowledged.length);
    mustHold(
      Bun.deepEquals(acknowledged, expected),
      "acknowledged what was not sent",
      acknowledged.slice(-5),
    );
    if (model.ending === undefined && !model.saidBye) {
      const missing = model.acknowledged.slice(acknowledged.length);
      mustHold(missing.length === 0, "not acknowledged", missing.slice(0, 5));
    }
  }

  /** Ends the link, with or without `bye`. @param isRead whether all was answered @returns whether all was certainly read */
  async #leave(peer: RawPeer, model: PeerLinkModel, isRead: boolean, random: SeededRandom): Promise<boolean> {
    if (random.integer(3) === 0)
      await this.#write(peer, model, [Buffer.from('\n{"action":"bye"}\n')], random);
    if (random.integer(2) === 0) peer.end();
    else peer.terminate();
    await within(this.#deadline, peer.closed, () => "a link does not close");
    for (const { action, code } of peer.messages) {
      count(this.figures.seen, `${String(action)} ${action === "error" ? String(code) : ""}`);
    }
    model.answered(acknowledgedOn(peer).length, isRead);
    return isRead && !model.saidBye;
  }

  /** A second link of the same peer; once it is answered, everything from the first one was read. */
  async #look({ identity, name }: Attacker): Promise<void> {
    const peer = await RawPeer.dial(this.#victim.ana.port, { identity });
    peer.send({ action: "hello", protocol: 1, username: name, features: [] }, { action: "ping" });
    const isAnswered = () => peer.isClosed || peer.messages.some(({ action }) => action === "pong");
    await within(this.#deadline, until(isAnswered), () => "a second link is not answered");
    mustHold(!peer.isClosed, "a second link was ended", peer.messages);
    peer.terminate();
    await peer.closed;
  }
}

function pongsOf(peer: RawPeer): number {
  return peer.messages.filter(({ action }) => action === "pong").length;
}

/** The ids that were acknowledged, in order. */
function acknowledgedOn(peer: RawPeer): string[] {
  return peer.messages.flatMap(({ action, ids }) => (action === "delivered" ? (ids as string[]) : []));
}

function strangersIdentity(name: string): { key: string; certificate: string } {
  const { certificatePem, privateKeyPem } = createAuthority(Date.now());
  const keys = generateKeyPair();
  const authority = loadAuthority(certificatePem, privateKeyPem);
  return {
    key: privateKeyToPem(keys.privateKey),
    certificate: issueUserCertificate(authority, keys.spki, name, Date.now()).pem,
  };
}
