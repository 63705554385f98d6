/**
 * Two people, a seed, and everything that can fail between them.
 *
 * 1. Both write, read, edit and withdraw while connections, programs, machines, disks and the server fail.
 *    In two worlds of three they are behind NATs and firewalls, which change, and meet at the server.
 * 2. Then nothing fails any more, and within ten minutes everything has arrived.
 * 3. In some worlds both then open the chat (`together.ts`), in every second one they also compare codes, all the time.
 * 4. Both close the chat: no connection remains, and both disks have the same content.
 */
import { seededRandom, type SeededRandom } from "../../seeded-random.ts";
import { drawPlan, drawWeather } from "./plan.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { SimulatedPerson } from "./simulated-person.ts";
import { Crash, type Surrounding } from "./simulated-program.ts";
import { SimulatedServer } from "./simulated-server.ts";
import { EventQueue, Machine } from "./simulated-time.ts";
import { Sites } from "./site.ts";
import { lookAtTheChat } from "./together.ts";
import { checkDisks, isEverythingOut } from "./verdict.ts";
import type { Fail } from "./observer.ts";

/** How long everything may take to arrive after the last failure, in ms. */
const HEALING = 600_000;
/** A connection that is no longer needed is closed within this time, in ms; the relay waits longest for what is lost. */
const PARTING = 280_000;
/** What is stored is on the disk within this time, in ms. */
const SYNCING = 5_000;
/** Consecutive promise jobs between an event and its last effect. */
const JOBS = 40;
const UUID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;
/** Characters of one line of the history. */
const NOTE_LENGTH = 180;

/** A world in which a rule was broken. */
export class SimulationFault extends Error {}

export class World implements Surrounding {
  readonly random: SeededRandom;
  readonly queue = new EventQueue();
  readonly network: SimulatedNetwork;
  readonly server: SimulatedServer;
  readonly sites: Sites;
  /** Whether the server has a meeting port, and people are behind NATs and firewalls. */
  readonly isMeeting: boolean;
  readonly people: readonly [SimulatedPerson, SimulatedPerson];
  /** What happened, if it is recorded. */
  readonly history: string[] = [];
  isInEvent = false;
  /** Whether the people verify each other. */
  readonly isVerifying: boolean;
  readonly #isRecorded: boolean;
  readonly #names = new Map<string, string>();
  #isSettled = false;
  #fault: SimulationFault | undefined;

  constructor(seed: number, isRecorded: boolean) {
    this.random = seededRandom(seed);
    this.isVerifying = seed % 2 === 1;
    this.isMeeting = (seed >>> 1) % 3 > 0;
    this.#isRecorded = isRecorded;
    const note = (what: () => string) => this.note(what);
    const { queue, random } = this;
    this.network = new SimulatedNetwork(queue, random, drawWeather(random), note);
    this.network.addressOf = (program) => this.people.find((each) => each.program === program)?.address ?? "";
    this.server = new SimulatedServer({
      queue,
      random,
      network: this.network,
      meets: this.isMeeting,
      settled: () => this.settled(),
    });
    this.sites = new Sites(random);
    const person = (name: string, number: number): SimulatedPerson => {
      const site = this.isMeeting ? this.sites.draw() : this.sites.open();
      const relay = this.isMeeting && random.integer(8) === 0 ? "only" : "auto";
      const machine = new Machine(this.queue, this.random.integer(1_000_000));
      return new SimulatedPerson({ name, machine, around: this, fail: this.fail }, number, site, relay);
    };
    this.people = [person("Ana", 1), person("Berta", 2)];
  }

  readonly fail: Fail = (what) => {
    this.#fault ??= new SimulationFault(what);
    this.note(() => `WRONG: ${what}`);
    throw this.#fault;
  };

  settled(): void {
    this.#isSettled = true;
  }

  /** Ids are random; in the history they are numbered by their first mention. */
  note(what: () => string): void {
    if (!this.#isRecorded) return;
    const line = what().replaceAll(UUID, (id) => {
      const name = this.#names.get(id) ?? `#${this.#names.size + 1}`;
      this.#names.set(id, name);
      return name;
    });
    this.history.push(`${(this.queue.now / 1_000).toFixed(3)}  ${line.slice(0, NOTE_LENGTH)}`);
  }

  otherOf(person: SimulatedPerson): SimulatedPerson {
    return person === this.people[0] ? this.people[1] : this.people[0];
  }

  /** A program may crash in each step; then it starts again. */
  #crashed(crash: Crash): void {
    const person = this.people.find((each) => each.program === crash.program);
    if (person === undefined) return;
    person.crash(this.random.next() < 0.7 ? "program" : "machine");
    this.startLater(person);
  }

  startLater(person: SimulatedPerson): void {
    this.queue.after(this.random.integer(this.random.pick([100, 3_000, 20_000])), () => {
      // A program that is closing still runs.
      if (person.program === undefined) person.start(this.otherOf(person));
      else this.startLater(person);
    });
  }

  /** Runs all events until `time`. */
  async runUntil(time: number): Promise<void> {
    while (this.queue.next <= time) {
      const run = this.queue.take();
      if (run === undefined) continue;
      this.isInEvent = true;
      this.#guarded(run);
      this.#guarded(() => this.network.flush());
      this.isInEvent = false;
      if (this.#isSettled) {
        this.#isSettled = false;
        for (let job = 0; job < JOBS; job++) await undefined;
      }
      // It may have been thrown where other code caught it.
      if (this.#fault !== undefined) throw this.#fault;
    }
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#crashed(error);
    }
  }

  /** Lets time pass until `isReached`, which is checked once a second. @returns false if that takes over `most` ms */
  async runTo(most: number, isReached: () => boolean): Promise<boolean> {
    const end = this.queue.now + most;
    for (let time = this.queue.now; time < end; time += 1_000) {
      await this.runUntil(time);
      if (isReached()) return true;
    }
    return false;
  }

  async run(): Promise<void> {
    this.passSecond();
    for (const person of this.people) {
      this.queue.after(this.random.integer(5_000), () => person.start(this.otherOf(person)));
    }
    const duration = drawPlan(this);
    await this.runUntil(duration);
    const isTogether = this.random.next() < 0.4;
    this.#heal(isTogether);
    // Who was not answered, or was refused, is accepted in the end.
    const isOut = () => {
      for (const person of this.people)
        if (person.program?.isRunning && !person.accepts) person.decide("accept");
      return this.people.every((each) => this.isOut(each));
    };
    if (!(await this.runTo(HEALING, isOut))) this.fail("something waits for ever");
    if (isTogether) await lookAtTheChat(this);
    const isDone = ({ program }: SimulatedPerson) =>
      program?.conversation.transport.count === 0 && !program.conversation.wants.link;
    const isParted = () => this.network.openLines === 0 && this.people.every(isDone);
    if (!(await this.runTo(PARTING, isParted))) this.fail("a line that is not needed is left");
    // What is said of a link comes after what was stored before it, and that may be on its way to the disk.
    const isTold = () => this.people.every(({ program }) => program?.observer.isConnected !== true);
    if (!(await this.runTo(SYNCING, isTold))) this.fail("somebody was not notified of the end");
    for (const person of this.people) {
      person.program?.observer.checkScreen();
      checkDisks(person, this.otherOf(person), this.fail);
    }
  }

  /** Every simulated second is an event, so that time passes when nothing happens. */
  passSecond(): void {
    this.server.checkDeadlines();
    this.queue.after(1_000, () => this.passSecond());
  }

  /** Whether all their texts have arrived. */
  isOut(person: SimulatedPerson): boolean {
    const { program, machine } = person;
    if (machine.isAsleep || program?.isRunning !== true) return false;
    return program.conversation.delivery.waiting === 0 && isEverythingOut(person);
  }

  #heal(isTogether: boolean): void {
    this.note(() => "nothing fails any more");
    this.network.heal(drawWeather(this.random));
    for (const person of this.people) {
      person.disk.free();
      const { program } = person;
      if (program === undefined) continue;
      program.stepsToCrash = Infinity;
      program.conversation.verification.close();
      // An open chat keeps its link for ever.
      if (!isTogether && program.isRunning) program.closeChat();
    }
  }

  close(): void {
    for (const person of this.people) {
      person.program?.end(true);
      person.disk.close();
    }
  }
}

/**
 * Runs the world of one seed.
 * @returns the history, if it is recorded, and the fault, if there is one
 */
export async function simulate(
  seed: number,
  isRecorded = false,
): Promise<{ readonly fault: Error | undefined; readonly history: readonly string[] }> {
  const world = new World(seed, isRecorded);
  try {
    await world.run();
    return { fault: undefined, history: world.history };
  } catch (error) {
    return { fault: error as Error, history: world.history };
  } finally {
    world.close();
    // Work that programs have left for the end of a real turn of the event loop would keep their worlds in memory.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
