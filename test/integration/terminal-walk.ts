/** Two people who press keys at random at terminals of their own, while their server comes and goes. */
import { expect } from "bun:test";

import { seededRandom, type SeededRandom } from "../seeded-random.ts";
import type { TerminalOptions } from "./at-terminal.ts";
import { PASSWORD, World, type Person } from "./cli-process.ts";
import type { ServerProcess } from "./server-process.ts";
import { Walker } from "./terminal-walker.ts";

/** A server that comes and goes, always with the same accounts at the same port. */
class UnsteadyServer {
  readonly #random: SeededRandom;
  readonly #world: World;
  #server: ServerProcess;
  /** Steps until it goes, or comes back. */
  #left: number;
  isUp = true;

  constructor(random: SeededRandom, world: World, server: ServerProcess) {
    this.#random = random;
    this.#world = world;
    this.#server = server;
    this.#left = 50 + random.integer(100);
  }

  async step(): Promise<void> {
    if (--this.#left > 0) return;
    if (this.isUp) {
      this.#server.kill(this.#random.pick(["SIGKILL", "SIGTERM"]));
      await this.#server.exited;
      this.isUp = false;
      this.#left = 20 + this.#random.integer(80);
    } else await this.comeBack();
  }

  async comeBack(): Promise<void> {
    if (this.isUp) return;
    this.#server = await this.#world.serverApart("walk.db", this.#server.tlsPort);
    this.isUp = true;
    this.#left = 100 + this.#random.integer(300);
  }
}

/** Someone who walks over their screen, leaves, and comes back. */
class Someone {
  readonly person: Person;
  readonly #random: SeededRandom;
  readonly #program: TerminalOptions["program"];
  #walker: Walker | undefined;
  #left = 0;

  constructor(random: SeededRandom, person: Person, program: TerminalOptions["program"]) {
    this.#random = random;
    this.person = person;
    this.#program = program;
  }

  async step(server: UnsteadyServer): Promise<void> {
    const walker = this.#walker;
    if (walker !== undefined && (walker.hasEnded || --this.#left <= 0)) await this.leave();
    if (this.#walker === undefined) await this.#begin(server);
    else await this.#walker.step();
  }

  async #begin(server: UnsteadyServer): Promise<void> {
    // Whoever logged out on the last walk has a session again for this one.
    if (server.isUp) await this.person.run(["users"], { password: PASSWORD });
    const { data, name, server: address } = this.person;
    const flags = ["--server", address, "--user", name, "--data", data];
    const environment = { PALOMA_LANG: this.#random.pick(["es", "en"]) };
    this.#walker = new Walker(this.#random, flags, environment, this.#program);
    await this.#walker.begin();
    this.#left = 60 + this.#random.integer(200);
  }

  async leave(): Promise<void> {
    await this.#walker?.leave();
    this.#walker?.close();
    this.#walker = undefined;
  }
}

/**
 * Presses keys for so many steps at each screen.
 * @param program `apart`: at pseudo-terminals
 * @throws Error with the seed, when one of them ends, sticks, or loses something
 */
export async function walk(seed: number, steps: number, program?: TerminalOptions["program"]): Promise<void> {
  const random = seededRandom(seed);
  const world = new World();
  try {
    const first = await world.serverApart("walk.db");
    const server = new UnsteadyServer(random, world, first);
    const people = ["walk.ana", "walk.beto"].map(
      (name) =>
        new Someone(seededRandom(random.integer(2 ** 32)), world.person(name, first.tlsPort), program),
    );
    for (const { person } of people) await person.register();
    for (let step = 0; step < steps; step++) {
      await Promise.all(people.map((someone) => someone.step(server)));
      await server.step();
    }
    await Promise.all(people.map((someone) => someone.leave()));
    await server.comeBack();
    await expectNothingLost(people.map(({ person }) => person));
  } catch (error) {
    throw new Error(`PALOMA_TEST_SEED=${seed}: ${String(error)}`, { cause: error });
  } finally {
    await world.close();
  }
}

/** What either side sent the other is there, once and in order; what waited leaves now. */
async function expectNothingLost(people: readonly Person[]): Promise<void> {
  const listening = await Promise.all(people.map((person) => person.listen(PASSWORD)));
  const [ana, beto] = people as [Person, Person];
  for (const [sender, other] of [
    [ana, beto],
    [beto, ana],
  ] as const) {
    const sent = (await sender.list(["history", other.name])).filter(({ from }) => from === sender.name);
    const listener = listening[people.indexOf(sender)];
    for (const { id, state } of sent) {
      if (state !== "received" && state !== "read")
        await listener?.event({ event: "delivery", id: String(id), state: "received" });
    }
    const received = (await other.list(["history", sender.name])).filter(({ from }) => from === sender.name);
    expect(received.map(({ id, text }) => [id, text])).toEqual(sent.map(({ id, text }) => [id, text]));
  }
  for (const client of listening) await client.stop();
}
