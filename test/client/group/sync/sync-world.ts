/**
 * One seeded world of the synchronisation: members write, admit, remove, crash, put old copies back and trim, while links
 * come and go; some pairs can never meet, and one member may be hostile. Everything is checked on the way, and at the end
 * all who can meet must have the same.
 */
import { readControl, readText } from "../../../../src/identity/group-body.ts";
import type { SyncMessage } from "../../../../src/client/group/sync/group-link.ts";
import type { GroupChanges } from "../../../../src/client/group/sync/holdings.ts";
import type { StoredEntry } from "../../../../src/client/group/sync/log.ts";
import {
  mayAdd,
  mayEnd,
  mayGrant,
  membership,
  type Membership,
  type Term,
} from "../../../../src/client/group/sync/membership.ts";
import { readEntry, type GroupEntry, type Lane } from "../../../../src/identity/group-entry.ts";
import { seededRandom, type SeededRandom } from "../../../seeded-random.ts";
import { addBody, testKey } from "../../../identity/group-keys.ts";
import { Member, Network, storeDigest } from "./sync-network.ts";
import { tamperer } from "./hostile-member.ts";

const KEYS = ["ana", "berta", "carla", "diego", "eva", "felix", "greta", "hugo"].map((name) => testKey(name));
const LANES: readonly Lane[] = ["c", "t"];
/** ms. */
const LONGEST_STEP = 20_000;
const HEALING = 15_000;

type Ends = ReadonlyMap<string, { c: number; t: number }>;

export class SyncWorld {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly history: string[] = [];
  readonly #hostile: Member | undefined;
  /** Feeds of those who are hostile, or whose copy was put back: they may have written two things at one place. */
  readonly #doubtful = new Set<string>();
  /**
   * Feeds over their budget, or with times that go back: all refuse what follows, but who was given only a part from
   * further behind may have seen nothing wrong.
   */
  readonly #disordered = new Set<string>();
  /** What an honest author had when it wrote a text. */
  readonly #before = new Map<string, Ends>();
  readonly #strangers = new Set<string>();
  readonly #accepted = new Set<string>();
  readonly #copies = new Map<Member, ReturnType<Member["log"]["copy"]>>();

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed);
    const { random } = this;
    const count = 3 + random.integer(5);
    this.network = new Network(random, KEYS[0] as (typeof KEYS)[0], {
      adds: random.next() < 0.3 ? "all" : "admins",
      writes: random.next() < 0.15 ? "admins" : "all",
    });
    for (const key of KEYS.slice(1, count)) this.network.join(key, random.integer(240_000) - 120_000);
    this.#hostile = random.next() < 0.7 ? random.pick(this.network.members.slice(1)) : undefined;
    if (this.#hostile !== undefined) {
      this.#hostile.tamper = tamperer(random, this.network.group);
      this.note(`${this.#hostile.key.name} is hostile`);
    }
    for (const one of this.network.members) {
      for (const other of this.network.members) {
        if (one !== other && random.next() < 0.1) this.#strangers.add(pairName(one, other));
      }
    }
    this.network.watch = {
      committed: (member, changes) => this.#committed(member, changes),
      sent: (from, to, message) => this.#sent(from, to, message),
      refused: (from, to, message) => {
        if (from !== this.#hostile)
          this.fail(`${to.key.name} refuses ${JSON.stringify(message)} of ${from.key.name}`);
      },
    };
  }

  note(line: string): void {
    this.history.push(`${this.network.time.now % 1e8}: ${line}`);
  }

  fail(fault: string): never {
    throw new Error(`seed ${this.seed}: ${fault}\n${this.history.join("\n")}`);
  }

  run(): void {
    const { network, random } = this;
    for (let steps = 30 + random.integer(50); steps > 0; steps--) {
      this.#step(random.pick(network.members));
      network.time.pass(random.integer(LONGEST_STEP));
      if (random.next() < 0.04) {
        network.cutAll();
        network.time.pass(random.integer(72) * 3_600_000);
      }
      this.#compareSums();
    }
    this.note("healing");
    // What is dated ahead is refused before that.
    network.cutAll();
    network.time.pass(3_600_000);
    for (let round = 0; round < 3; round++) {
      network.cutAll();
      for (const one of network.members) for (const other of network.members) this.#link(one, other);
      network.time.pass(HEALING);
      // Whoever joins has all of the last round to get what there is.
      if (round < 2) for (const member of network.members) this.#invited(member);
      network.time.pass(HEALING);
    }
    this.#compareSums();
    this.#compareAll();
  }

  #mayMeet(one: Member, other: Member): boolean {
    return one !== other && !this.#strangers.has(pairName(one, other));
  }

  #link(one: Member, other: Member): void {
    if (!this.#mayMeet(one, other)) return;
    this.network.link(one, other);
  }

  /** Those who are linked to a member who has admitted them accept. */
  #invited(member: Member): void {
    for (const { feed, state, spki } of member.sync?.membership.terms.values() ?? []) {
      if (state !== "invited" || this.#accepted.has(feed)) continue;
      const other = this.network.members.find(({ key }) => key.named.spki === spki);
      const isLinked = [...member.wires].some(
        ({ members }) => other !== undefined && members.includes(other),
      );
      if (other === undefined || !isLinked || other.sync?.own?.state === "member") continue;
      this.#accepted.add(feed);
      this.note(`${other.key.name} accepts ${feed.slice(0, 6)} from ${member.key.name}`);
      if (other === this.#hostile) this.#doubtful.add(feed);
      other.accept(feed);
      this.#copies.set(other, other.log.copy());
    }
  }

  #step(member: Member): void {
    const { random, network } = this;
    const { key, sync } = member;
    const chance = random.next();
    if (chance < 0.3) {
      const other = random.pick(network.members);
      this.#link(member, other);
      this.#invited(member);
      this.#invited(other);
      return;
    }
    if (chance < 0.36) {
      const wire = [...member.wires][0];
      if (wire !== undefined) this.note(`cut ${wire.members.map((each) => each.key.name).join(" ")}`);
      wire?.cut();
      return;
    }
    if (sync === undefined) return;
    if (chance < 0.39) {
      this.note(`${key.name} crashes`);
      member.crash();
      return;
    }
    if (chance < 0.41) {
      const copy = this.#copies.get(member);
      if (copy === undefined) return;
      this.note(`${key.name} puts an old copy back`);
      if (sync.own !== undefined) this.#doubtful.add(sync.own.feed);
      member.crash(copy);
      return;
    }
    if (chance < 0.43) {
      this.note(`${key.name} keeps a copy`);
      this.#copies.set(member, member.log.copy());
      return;
    }
    if (chance < 0.45) {
      this.note(`${key.name} trims`);
      sync.trim(member.clock() - random.integer(48) * 3_600_000);
      return;
    }
    const { own } = sync;
    const isHostile = member === this.#hostile;
    if (own === undefined || own.state !== "member") return;
    if (!isHostile && !sync.maySign(member.clock())) return;
    if (sync.budgetWait(own.feed, "t", member.clock(), 200) > 0 && !isHostile) return;
    if (chance < 0.72) {
      if (sync.mayWrite(member.clock()) || isHostile) this.#say(member, own);
    } else this.#control(member, own, sync.membership);
  }

  #say(member: Member, own: Term): void {
    const { random } = this;
    const texts = member.log.rows.filter(({ kind, body }) => kind === "text" && body !== null);
    const mine = texts.filter(({ feed }) => feed === own.feed);
    const isHostile = member === this.#hostile;
    const has = endsOf(member);
    const [kind, body] = ((): [string, object] => {
      if (mine.length > 0 && random.next() < 0.15) {
        const target = random.pick(mine).number;
        return random.next() < 0.5 ? ["withdraw", { target }] : ["edit", { target, text: "otra cosa" }];
      }
      const answered = texts.length > 0 && random.next() < 0.5 ? random.pick(texts) : undefined;
      const answer = answered === undefined ? {} : { reply_to: [answered.feed, answered.number] };
      return ["text", { text: "hola a todas".repeat(1 + random.integer(40)), ...answer }];
    })();
    const at =
      isHostile && random.next() < 0.2 ? member.clock() + random.integer(3_600_000) - 600_000 : undefined;
    const burst = isHostile && random.next() < 0.1 ? 62 : 1;
    if (burst > 1 || at !== undefined) this.#disordered.add(own.feed);
    for (let count = 0; count < burst; count++) {
      const entry = member.write(own.feed, "t", kind, body, at);
      this.note(`${member.key.name} says ${kind} ${entry.feed.slice(0, 6)} ${entry.number}`);
      if (!isHostile && this.#hostile?.sync?.own?.feed !== own.feed) this.#before.set(entry.id, has);
    }
  }

  #control(member: Member, own: Term, belonging: Membership): void {
    const { random, network } = this;
    const chance = random.next();
    const isHostile = member === this.#hostile;
    if (chance < 0.5) {
      const other = random.pick(network.members);
      const terms = [...belonging.terms.values()].filter(({ spki }) => spki === other.key.named.spki);
      if (terms.some(({ state }) => state !== "ended")) return;
      const role = random.next() < 0.3 ? "admin" : "member";
      const { label } = other.key.named;
      if (!isHostile && !mayAdd(belonging, own, { label, role })) return;
      const entry = member.write(
        own.feed,
        "c",
        "add",
        addBody(other.key, role, random.next() < 0.2 ? "none" : "all"),
      );
      this.note(`${member.key.name} adds ${other.key.name} (${role}) as ${entry.id.slice(0, 6)}`);
      this.#invited(member);
      return;
    }
    const other = random.pick([...belonging.terms.values()]);
    if (chance < 0.7) {
      if (other.state === "ended" || (!isHostile && !mayEnd(own, other))) return;
      const c = member.sync?.next(other.feed, "c", 0) ?? { number: 1, prev: other.feed };
      const t = member.sync?.next(other.feed, "t", 0) ?? { number: 1, prev: other.feed };
      const ends = { c: c.number - 1, t: t.number - 1, cid: c.prev, tid: t.prev };
      member.write(own.feed, "c", "end", { feed: other.feed, ...ends });
      this.note(`${member.key.name} ends ${other.name} ${other.feed.slice(0, 6)} at ${ends.c} ${ends.t}`);
    } else if (chance < 0.8) {
      if (own.level === 0) return;
      const t = (member.sync?.next(own.feed, "t", 0).number ?? 1) - 1;
      this.note(`${member.key.name} leaves`);
      member.write(own.feed, "c", "leave", { t });
    } else if (mayGrant(belonging, own, other) || isHostile) {
      this.note(`${member.key.name} grants ${other.name}`);
      member.write(own.feed, "c", "grant", { feed: other.feed });
    }
  }

  /** A text is never before what it answers, nor before what its author had. */
  #committed(member: Member, { entries }: GroupChanges): void {
    const { sync } = member;
    // Who lies can hold back what others had before they wrote.
    if (sync?.own === undefined || this.#hostile !== undefined) return;
    const shown = new Map(member.log.shown.map((name, index) => [name, index]));
    for (const entry of entries) {
      const ends = this.#before.get(entry.id);
      const base = member.log.load().texts.find(({ feed }) => feed === entry.feed)?.base ?? 0;
      if (ends === undefined || entry.number < base) continue;
      this.#checkClosed(member, entry, ends);
      const said = readText(entry);
      if (said?.kind !== "text" || said.reply_to === undefined) continue;
      const [feed, number] = said.reply_to;
      if (!this.#mustHave(member, entry, feed, "t", number)) continue;
      const answered = shown.get(`${feed} ${number}`);
      const answer = shown.get(`${entry.feed} ${entry.number}`) ?? Infinity;
      if (answered === undefined || answered > answer) {
        this.fail(`${member.key.name} sees an answer before ${feed.slice(0, 6)} ${number}`);
      }
    }
  }

  #checkClosed(member: Member, entry: StoredEntry, ends: Ends): void {
    const has = endsOf(member);
    for (const [feed, end] of ends) {
      for (const lane of LANES) {
        const number = end[lane];
        if (number === 0 || !this.#mustHave(member, entry, feed, lane, number)) continue;
        if ((has.get(feed)?.[lane] ?? 0) < number) {
          const name = `${entry.feed.slice(0, 6)} ${entry.lane} ${entry.number}`;
          this.fail(`${member.key.name} has ${name} without ${feed.slice(0, 6)} ${lane} ${number}`);
        }
      }
    }
  }

  /** Whether this member cannot lack an entry, if it has what came after it. */
  #mustHave({ sync, log }: Member, entry: StoredEntry, feed: string, lane: Lane, number: number): boolean {
    const term = sync?.membership.terms.get(feed);
    const own = sync?.own;
    if (term === undefined || own === undefined || this.#doubtful.has(feed)) return false;
    if (number > (lane === "c" ? term.cutC : term.cutT)) return false;
    if (lane === "c") return true;
    if (sync?.membership.writes === "admins") return false;
    const firstOf = (held: Member["log"]) =>
      held.load().texts.find((each) => each.feed === feed)?.first.number;
    // Who has lost it, or got it later, as it was of before its joining, passes on what came after it.
    const placeIn = (held: Member["log"], of: string, at: number) =>
      held.rows.find((row) => row.feed === of && row.lane === "t" && row.number === at)?.seq ?? Infinity;
    const isWithoutHistory = ({ key, sync: its }: Member) =>
      [...(its?.membership.terms.values() ?? [])].some(
        ({ spki, history }) => spki === key.named.spki && history === "none",
      );
    const isWithout = (member: Member) =>
      (isWithoutHistory(member) || member.log.load().since > 0) &&
      ((firstOf(member.log) ?? Infinity) > (endsOf({ log }).get(feed)?.t ?? number - 1) + 1 ||
        placeIn(member.log, feed, number) > placeIn(member.log, entry.feed, entry.number));
    if (this.network.members.some(isWithout)) return false;
    const first = firstOf(log);
    return own.history === "all" ? number >= (first ?? 0) : first !== undefined && number >= first;
  }

  /** Who has no live term any more gets control entries up to its end, and nothing else. */
  #sent(from: Member, to: Member, message: SyncMessage): void {
    if (message.action !== "group_entries" || from === this.#hostile || from.sync === undefined) return;
    const { terms } = from.sync.membership;
    const theirs = [...terms.values()].filter(({ spki }) => spki === to.key.named.spki);
    if (theirs.length === 0 || theirs.some(({ state }) => state !== "ended")) return;
    // Whom somebody has admitted who was ended before learns of that, too.
    for (const row of to.log.rows) {
      const said = row.kind === "add" ? readControl(row) : undefined;
      const by = terms.get(row.feed);
      const isTheirs = said?.kind === "add" && said.spki.toString("base64") === to.key.named.spki;
      if (isTheirs && by !== undefined) theirs.push(by);
    }
    const ends = from.log.rows.filter(({ id }) => theirs.some(({ endId }) => endId === id));
    const last = Math.max(...ends.map(({ seq }) => seq), lastBelonging(from, to));
    for (const raw of message.entries) {
      const entry = readEntry(this.network.group, raw) as GroupEntry;
      const seq = from.log.rows.find(({ id }) => id === entry.id)?.seq ?? Infinity;
      if (entry.lane === "t" || seq > last) {
        this.fail(`${from.key.name} gives ${to.key.name} ${entry.header} after its end`);
      }
    }
  }

  /** Equal sums mean equal stores, and equal stores equal sums. */
  #compareSums(): void {
    const bySum = new Map<string, string>();
    const byDigest = new Map<string, string>();
    for (const member of this.network.members) {
      if (member.sync === undefined) continue;
      const sum = member.sync.sum;
      const digest = storeDigest(member);
      if ((bySum.get(sum) ?? digest) !== digest)
        this.fail(`one sum of different stores at ${member.key.name}`);
      if ((byDigest.get(digest) ?? sum) !== sum)
        this.fail(`different sums of one store at ${member.key.name}`);
      bySum.set(sum, digest);
      byDigest.set(digest, sum);
    }
  }

  #compareAll(): void {
    const honest = this.network.members.filter(
      (member) => member !== this.#hostile && member.sync !== undefined,
    );
    for (const one of honest) {
      for (const other of honest) {
        if (!this.#mayMeet(one, other)) continue;
        const theirs = [...(one.sync?.membership.terms.values() ?? [])].filter(
          ({ spki }) => spki === other.key.named.spki,
        );
        const isMember = theirs.some(({ state }) => state === "member");
        const own = other.sync?.own;
        if (one.sync?.own?.state !== "member" || theirs.length === 0) continue;
        if (isMember !== (own?.state === "member") && !theirs.some(({ state }) => state === "invited")) {
          this.fail(
            `${one.key.name} counts ${other.key.name} ${isMember ? "in" : "out"}, who does not: ${own?.state}`,
          );
        }
        if (isMember) this.#compareTwo(one, other);
      }
    }
  }

  /** Who holds nothing behind a fork need not have its proof: it cuts nothing there. */
  #isCutAlike(one: Member, other: Member): boolean {
    const theirs = other.sync?.membership.terms;
    return [...(one.sync?.membership.terms.values() ?? [])].every((term) => {
      const same = theirs?.get(term.feed);
      return LANES.every((lane) => {
        const [mine, cut] = [term, same].map((each) => (lane === "c" ? each?.cutC : each?.cutT) ?? 0) as [
          number,
          number,
        ];
        const open = mine > cut ? one : other;
        return mine === cut || (endsOf(open).get(term.feed)?.[lane] ?? 0) <= Math.min(mine, cut);
      });
    });
  }

  #compareTwo(one: Member, other: Member): void {
    const names = `${one.key.name} and ${other.key.name}`;
    const isWhole = (member: Member) => member.sync?.own?.history === "all";
    // Who lies about where their lane begins can lead somebody past what everybody refuses: into their own lane alone.
    const isBegunAnew = (feed: string) =>
      this.#doubtful.has(feed) && [one, other].some((member) => (member.rows(feed, "t")[0]?.number ?? 1) > 1);
    const isExcused = (feed: string) => this.#disordered.has(feed) || isBegunAnew(feed);
    const isAnyExcused = this.#disordered.size > 0 || [...this.#doubtful].some(isBegunAnew);
    const isAlike = storeDigest(one) === storeDigest(other) || isAnyExcused;
    if (isWhole(one) && isWhole(other) && !isAlike) {
      this.fail(`${names} have different stores\n${dump(one)}\n${dump(other)}`);
    }
    if (dumpTerms(one) !== dumpTerms(other) || !this.#isCutAlike(one, other))
      this.fail(`${names} see different members\n${dump(one)}\n${dump(other)}`);
    const isAdminsOnly = one.sync?.membership.writes === "admins";
    for (const { feed, cutT: cut } of one.sync?.membership.terms.values() ?? []) {
      const cutT = Math.min(cut, other.sync?.membership.terms.get(feed)?.cutT ?? 0);
      const [mine, theirs] = [one, other].map((member) =>
        member.rows(feed, "t").filter(({ number }) => number <= cutT),
      ) as [StoredEntry[], StoredEntry[]];
      // Who does not get the history may have nothing of who has not written since.
      const ends = [one, other].map((member) => Math.min(member.rows(feed, "t").at(-1)?.number ?? 0, cutT));
      const hasCome = ({ sync, key }: Member) =>
        [...(sync?.membership.terms.values() ?? [])].filter(({ spki }) => spki === key.named.spki).length > 1;
      // Nor has who was here before and comes back what was said meanwhile.
      const isLacking = (rows: readonly StoredEntry[], member: Member) =>
        !isWhole(member) && (rows.length === 0 || hasCome(member));
      const isEqual = ends[0] === ends[1] || isExcused(feed);
      if (!isEqual && !isLacking(mine, one) && !isLacking(theirs, other) && !isAdminsOnly) {
        this.fail(
          `${names} have ${feed.slice(0, 6)} up to ${ends.join(" and ")}\n${dump(one)}\n${dump(other)}`,
        );
      }
      const wants = ({ sync, log }: Member) => sync?.own?.history === "all" && log.load().since === 0;
      const isBegunAlike = mine[0]?.id === theirs[0]?.id || isExcused(feed) || isAdminsOnly;
      if (wants(one) && wants(other) && !isBegunAlike) {
        this.fail(`${names} begin ${feed.slice(0, 6)} differently\n${dump(one)}\n${dump(other)}`);
      }
      // A withdrawal behind the cut of its lane counts only for who wrote it, or had it before.
      const isWithdrawn = [one, other].some((member) =>
        member.rows(feed, "t").some(({ kind, number }) => kind === "withdraw" && number > cutT),
      );
      for (const row of mine) {
        const same = theirs.find(({ number }) => number === row.number);
        if (same !== undefined && same.id !== row.id) this.fail(`${names} differ in ${row.header}`);
        // Trimmed here, or given without its body by somebody hostile to who does not get it from others.
        const isTrimmed = [one, other].some((member) => row.at < member.log.load().since || !isWhole(member));
        if (
          same !== undefined &&
          same.body !== row.body &&
          !isTrimmed &&
          !isWithdrawn &&
          !this.#doubtful.has(feed)
        ) {
          this.fail(`${names} differ in the body of ${row.header}: ${row.body} ${same.body}`);
        }
      }
    }
  }
}

/** The place of what has ended a key, as far as its holder then knew. */
function lastBelonging({ log }: Member, { key }: Member): number {
  const { control, forks } = log.load();
  for (let count = control.length - 1; count > 0; count--) {
    const { terms } = membership(control.slice(0, count), forks) ?? {};
    const isIn = [...(terms?.values() ?? [])].some(
      ({ spki, state }) => spki === key.named.spki && state !== "ended",
    );
    if (isIn) return control[count]?.seq ?? 0;
  }
  return 0;
}

function endsOf({ log }: Pick<Member, "log">): Ends {
  const ends = new Map<string, { c: number; t: number }>();
  for (const { feed, lane, number } of log.rows) {
    const end = ends.get(feed) ?? { c: 0, t: 0 };
    ends.set(feed, end);
    end[lane] = Math.max(end[lane], number);
  }
  return ends;
}

function dumpTerms({ sync }: Member): string {
  return JSON.stringify(
    [...(sync?.membership.terms.values() ?? [])].map(({ feed, level, state }) => [feed, level, state]),
  );
}

function pairName(...members: readonly [Member, Member]): string {
  return members
    .map(({ key }) => key.name)
    .sort()
    .join(" ");
}

function dump(member: Member): string {
  const lines = [...(member.sync?.membership.terms.values() ?? [])].map(
    ({ feed, name, level, state, cutC, cutT }) => {
      const ends = endsOf(member).get(feed);
      const first = member.log.load().texts.find((each) => each.feed === feed)?.first.number;
      return `  ${feed.slice(0, 6)} ${name} level ${level} ${state} cut ${cutC} ${cutT} has ${ends?.c} ${first}-${ends?.t}`;
    },
  );
  return `${member.key.name}:\n${lines.join("\n")}`;
}

export function checkSyncWorld(seed: number): void {
  new SyncWorld(seed).run();
}
