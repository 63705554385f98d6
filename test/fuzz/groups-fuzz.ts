/**
 * The fuzz of groups. One of four members is hostile: each step she says something on the wire to one of three honest ones,
 * who are real messengers and write to each other. Whatever it is, what they write reaches them all once and in order, and
 * nobody of them drops out. Her lies and repetitions hang on what came before: a run from the middle is another one.
 */
import { rawEntry, type GroupEntry, type RawEntry } from "../../src/identity/group-entry.ts";
import { HostileMember, type HostileFeed } from "../integration/attacks/hostile-member.ts";
import { groupOf, textOf, together } from "../integration/group-people.ts";
import { Company, until, untilQuiet, type Person } from "../integration/messenger-pair.ts";
import type { Message } from "../integration/rendezvous-test-client.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { expectUntouchedPrototypes, mustHold, randomOfStep, within } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";
import { expectNoStall, LoopStall } from "./loop-stall.ts";
import { fieldsOf, mutate, rendered } from "./mutation.ts";
import { damaged } from "./transmission.ts";

/** Lies about somebody's own texts hold up their writing for a minute. */
const DEADLINE = 150_000;
/** After so many steps an honest one writes: below what one may write in a minute. */
const TALK_EVERY = 20;
const KEPT = 200;

/** @throws FuzzStepFailure */
export async function fuzzGroups(options: FuzzOptions): Promise<FuzzFigures> {
  const fuzz = new GroupsFuzz(options);
  fuzz.figures.steps = await runSteps("groups", options, {
    begin: () => fuzz.begin(),
    step: (step) => fuzz.step(step),
    end: () => fuzz.end(),
    memory: () => process.memoryUsage.rss(),
  });
  return fuzz.figures;
}

type Attack = (random: SeededRandom) => Message;

class GroupsFuzz {
  readonly figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  readonly #seed: number;
  readonly #deadline: number;
  readonly #stall = new LoopStall();
  readonly #written = new Map<Person, string[]>();
  readonly #said: Message[] = [];
  #company: Company | undefined;
  #feed: HostileFeed | undefined;

  constructor({ seed, deadline = DEADLINE }: FuzzOptions) {
    this.#seed = seed;
    this.#deadline = deadline;
  }

  async begin(): Promise<void> {
    const company = await Company.meet();
    this.#company = company;
    const names = ["ana", "bob", "carla"];
    const people: Person[] = [];
    for (const name of names) people.push(await company.person(name));
    for (const person of people) this.#written.set(person, []);
    const [ana, ...others] = people as [Person, Person, Person];
    const group = await together(ana, ...others);
    const eva = new HostileMember("eva", company.identity("eva"));
    await eva.dial(ana);
    await ana.messenger.groups.actions.add(group, ["eva"], "all");
    this.#feed = await eva.join(group);
    await untilQuiet(() => people.every((person) => groupOf(person, group)?.people === 4));
  }

  async step(step: number): Promise<void> {
    const random = randomOfStep(this.#seed, step);
    const feed = this.#feed as HostileFeed;
    const { member: eva } = feed;
    const people = [...this.#written.keys()];
    if (step % TALK_EVERY === 0) this.#talk(random.pick(people), feed.group, `${step}`);
    if (eva.peer?.isClosed !== false || random.next() < 0.01) {
      eva.peer?.terminate();
      await within(this.#deadline, eva.dial(random.pick(people)), () => "a member is not let in");
      eva.speakFor(feed);
      feed.greet();
      count(this.figures.seen, "dial");
    }
    this.#stall.take();
    const { bytes, message } = this.#stall.apart(() => this.#attack(random, feed));
    eva.peer?.write(bytes);
    this.figures.writes++;
    this.figures.bytes += bytes.length;
    count(this.figures.seen, String(message["action"]));
    const isOpen = await within(this.#deadline, eva.settled(), () => "what was said is not read");
    if (!isOpen) count(this.figures.seen, "closed");
    expectNoStall(this.#stall.take(), bytes.length, () => JSON.stringify(message).slice(0, 500));
    expectUntouchedPrototypes();
  }

  async end(): Promise<void> {
    const { group, member: eva } = this.#feed as HostileFeed;
    this.#stall.stop();
    eva.peer?.terminate();
    const missing = () =>
      this.#pairs().find(([from, to, texts]) => textOf(to, from.name, group).length < texts.length);
    await within(
      this.#deadline,
      until(() => missing() === undefined),
      () => {
        const [from, to] = missing() ?? [];
        return `what ${from?.name} wrote does not reach ${to?.name}`;
      },
    );
    for (const [from, to, texts] of this.#pairs()) {
      const came = textOf(to, from.name, group);
      mustHold(
        came.join() === texts.join(),
        `what ${from.name} wrote came otherwise to ${to.name}`,
        came,
        texts,
      );
      mustHold(to.of("storageFailed").length === 0, "a write failed");
      mustHold(groupOf(to, group)?.people === 4, "somebody has dropped out");
    }
    await this.#company?.close();
  }

  #pairs(): (readonly [from: Person, to: Person, texts: readonly string[]])[] {
    const all = [...this.#written];
    return all.flatMap(([from, texts]) =>
      all.flatMap(([to]) => (to === from ? [] : [[from, to, texts] as const])),
    );
  }

  #talk(from: Person, group: string, text: string): void {
    from.messenger.outbox.send(`#${group}`, text);
    this.#written.get(from)?.push(text);
  }

  #attack(random: SeededRandom, feed: HostileFeed): { bytes: Buffer; message: Message } {
    const attacks = [...this.#writing(feed), ...this.#repeating(feed), ...this.#lying(feed)];
    const message = random.pick<Attack>(attacks)(random);
    this.#said.push(message);
    if (this.#said.length > KEPT) this.#said.shift();
    const isOdd = random.next() < 0.1;
    const line = isOdd ? rendered(mutate(fieldsOf(message), random), random) : JSON.stringify(message);
    const bytes = Buffer.from(`${line}\n`);
    return { bytes: random.next() < 0.02 ? damaged(bytes, random) : bytes, message };
  }

  /** What she signs. */
  #writing(feed: HostileFeed): Attack[] {
    const { group } = feed;
    const given = (...entries: readonly GroupEntry[]): Message => this.#entries(group, entries.map(rawEntry));
    const nothing = { feed: group, n: 1, title: "x", c: 0, t: 0, cid: group, tid: group };
    return [
      () => given(feed.text("eva")),
      (random) => given(feed.write("t", "edit", { target: 1 + random.integer(3), text: "e" })),
      (random) => given(feed.write("t", "withdraw", { target: 1 + random.integer(3) })),
      (random) => given(feed.write("c", random.pick(["grant", "set", "end", "dance"]), nothing)),
      () => given(feed.add(feed.member.other((this.#company as Company).identity("eva")).named)),
      (random) => given(feed.text("lejos", {}, { number: 2 + random.integer(1_000_000) })),
    ];
  }

  /** What was said before, stripped, in another order, or in another place. */
  #repeating({ group, member: eva }: HostileFeed): Attack[] {
    const some = (random: SeededRandom): GroupEntry[] => {
      const all = eva.entries(group);
      return all.slice(random.integer(all.length + 1)).slice(0, 50);
    };
    return [
      (random) => this.#entries(group, some(random).map(rawEntry).reverse()),
      (random) => this.#entries(group, some(random).map(stripped)),
      (random) => {
        const entries = some(random);
        const { feed = group, lane = "t" } = entries[0] ?? {};
        const own = entries.filter((entry) => entry.feed === feed && entry.lane === lane);
        return { action: "group_fork", group, feed, lane, entries: own.reverse().map(stripped) };
      },
      (random) => (this.#said.length === 0 ? { action: "ping" } : random.pick(this.#said)),
    ];
  }

  /** What others are said to have. */
  #lying(feed: HostileFeed): Attack[] {
    const { group, member: eva } = feed;
    const ofSome = (random: SeededRandom): string =>
      random.pick([group, ...eva.entries(group).map((entry) => entry.feed)]);
    const heads = (of: readonly unknown[]): Message => ({
      action: "group_heads",
      group,
      sum: group,
      heads: of,
    });
    return [
      () => ({ action: "group_heads", group, sum: group }),
      () => heads([feed.head()]),
      (random) => {
        const of = ofSome(random);
        const short = (id: string) => id.slice(0, 22);
        const [c, first, t, read] = [
          random.integer(4),
          random.integer(3),
          random.integer(8),
          random.integer(5),
        ];
        return heads([[of, c, short(ofSome(random)), first, t, short(ofSome(random)), read]]);
      },
      (random) => ({ action: "group_want", group, bodies: [[ofSome(random), 1 + random.integer(10)]] }),
      (random) => ({
        action: "group_seen",
        group,
        seen: [[ofSome(random), random.integer(9), random.integer(9)]],
      }),
      (random) => ({ action: "group_decline", group, feed: ofSome(random) }),
      (random) => ({
        ...{ action: "group_invite", group, feed: ofSome(random), title: "x", by: "ana", people: 256 },
        entries: eva.entries(group).slice(0, 3).map(rawEntry),
      }),
    ];
  }

  #entries(group: string, entries: readonly RawEntry[]): Message {
    return { action: "group_entries", group, entries };
  }
}

function stripped({ header, signature }: GroupEntry): RawEntry {
  return [header, signature, null];
}
