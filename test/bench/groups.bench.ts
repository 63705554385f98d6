/**
 * What groups cost: a text to 8, 20 and 64 people, each with a messenger in this process, against the same text through the
 * outbox to each of them; 1,000 texts that were missed; the membership of 256; opening a group of 1,000,000 entries.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { profileFile } from "../../src/client/disk/folders.ts";
import { GroupStore } from "../../src/client/group/store/group-store.ts";
import { membership } from "../../src/client/group/sync/membership.ts";
import { GroupSync } from "../../src/client/group/sync/sync.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import {
  nextPosition,
  signCreate,
  signEntry,
  type Fork,
  type GroupEntry,
} from "../../src/identity/group-entry.ts";
import { addBody, createBody, testKey, type TestKey } from "../identity/group-keys.ts";
import { Company, until, type Person } from "../integration/messenger-pair.ts";
import { median, type Report } from "./figures.ts";

const SIZES = [8, 20, 64];
const TEXTS = 5;
/** As in the figures of the design. */
const TEXT = "x".repeat(80);
const MISSED = 1_000;
/** Between two of the missed texts, in ms: a lane takes 60 in 60 s. */
const APART = 1_100;
const MOST_PEOPLE = 256;
const ENTRIES = 1_000_000;
/** Between two of one person's, in ms: as often as budgets allow for days. */
const ENTRIES_APART = 60_000;
const PAGE = 50;
const LOOK_INTERVAL = 50;
const SETTLING = 5_000;
const ROUNDS = 5;

/** What goes over the links of some people, from now on. */
class Wire {
  readonly #people: readonly Person[];
  readonly #from: readonly number[];

  constructor(people: readonly Person[]) {
    this.#people = people;
    this.#from = people.map(({ events }) => events.length);
  }

  /** Messages that left, in bytes of JSON. */
  get bytes(): number {
    return this.#people
      .flatMap(({ events }, at) => events.slice(this.#from[at]))
      .filter((event) => event.name === "wire" && event.link === "peer" && event.direction === "out")
      .map((event) => Buffer.byteLength(JSON.stringify(event.name === "wire" ? event.message : "")) + 1)
      .reduce((sum, each) => sum + each, 0);
  }
}

/** Links that are up, each of which two people have. */
function links(people: readonly Person[]): number {
  const ends = people.flatMap(({ messenger }) =>
    people.filter(({ name }) => messenger.linkPresence(name)?.isConnected === true),
  );
  return ends.length / 2;
}

/** To be asked less often than after every event, of which there are many. */
async function soon(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(LOOK_INTERVAL);
}

async function found(people: readonly Person[]): Promise<string> {
  const [founder, ...others] = people as [Person, ...Person[]];
  const { group } = await founder.messenger.groups.actions.create("Clase", "admins", "all");
  await founder.messenger.groups.actions.add(
    group,
    others.map(({ name }) => name),
    "all",
  );
  const state = (person: Person) => person.messenger.groups.shown.all().find((each) => each.group === group);
  for (const other of others) {
    await soon(() => state(other)?.state === "invited");
    await other.messenger.groups.actions.accept(group);
  }
  await soon(() => people.every((person) => state(person)?.people === people.length));
  return group;
}

/** One text after the other, each once all have the one before. @returns how long each takes, in ms */
async function timeTexts(people: readonly Person[], send: (author: Person) => void): Promise<number> {
  const [author, ...others] = people as [Person, ...Person[]];
  const times: number[] = [];
  for (let count = 0; count <= TEXTS; count++) {
    const before = others.map((other) => other.texts(author.name).length);
    const begin = performance.now();
    send(author);
    let reached = 0;
    const has = (at: number) => (others[at]?.texts(author.name).length ?? 0) > (before[at] ?? 0);
    await until(() => {
      while (reached < others.length && has(reached)) reached++;
      return reached === others.length;
    });
    times.push(performance.now() - begin);
  }
  return median(times.slice(1));
}

async function benchText(size: number, report: Report): Promise<void> {
  const company = await Company.meet();
  try {
    const come = async () => {
      const came: Person[] = [];
      for (let index = 0; index < size; index++) {
        came.push(await company.person(`persona${index}`, { trace: true }));
      }
      return came;
    };
    const founders = await come();
    const group = await found(founders);
    // Whoever is invited is linked to for that: the links of every day are those of who comes online.
    for (const person of founders) await person.close();
    const people = await come();
    // What all have of each other is told, too.
    await Bun.sleep(SETTLING);
    const grouped = new Wire(people);
    const ours = await timeTexts(people, ({ messenger }) => messenger.outbox.send(`#${group}`, TEXT));
    const bytes = grouped.bytes / (TEXTS + 1) / size;
    const linked = links(people);
    const [, ...others] = people;
    const outbox = new Wire(people);
    const bare = await timeTexts(people, ({ messenger }) => {
      for (const { name } of others) messenger.outbox.send(name, TEXT);
    });
    const name = `a text to ${size} people`;
    report({ name: `${name}: until all have it on disk`, unit: "ms", ours, bare });
    const alone = outbox.bytes / (TEXTS + 1);
    report({ name: `${name}: bytes a person (bare: its author's)`, unit: "bytes", ours: bytes, bare: alone });
    report({ name: `${name}: links in all`, unit: "links", ours: linked, bare: size - 1 });
  } finally {
    await company.close();
  }
}

/** The key of somebody's profile, as bodies of entries name it. */
function keyOf({ name, profile: { keys } }: Person): TestKey {
  return {
    ...testKey(name),
    key: keys.privateKey,
    spki: keys.spki,
    named: { ...testKey(name).named, spki: keys.spki.toString("base64") },
  };
}

/** Puts a group of two on their disks while they are away, and on the founder's the texts of the last minutes. */
function writeOffline(founder: Person, other: Person): void {
  const begin = Date.now() - (MISSED + 1) * APART;
  const [ours, theirs] = [keyOf(founder), keyOf(other)];
  const create = signCreate(begin, createBody(ours), ours.key);
  const group = create.id;
  const adding = { ...nextPosition(group, "c", create), kind: "add", at: begin };
  const add = signEntry(group, adding, addBody(theirs), ours.key);
  const joining = { ...nextPosition(add.id, "c", undefined), kind: "join", at: begin };
  const join = signEntry(group, joining, {}, theirs.key);
  const store = (person: Person, ownFeed: string): Profile => {
    const profile = Profile.open(person.profile.folder);
    new GroupStore(profile).save(group, { title: "Clase", state: "joined", ownFeed }, [create, add, join]);
    return profile;
  };
  store(other, add.id).close();
  const profile = store(founder, group);
  let last: GroupEntry | undefined;
  const entries = Array.from({ length: MISSED }, (_, index) => {
    const fields = { ...nextPosition(group, "t", last), kind: "text", at: begin + (index + 1) * APART };
    last = signEntry(group, fields, { text: TEXT }, ours.key);
    return { entry: last, draft: undefined };
  });
  const batch = { entries, bodies: [], withdrawn: [], forks: [], receipts: [], restarted: [] };
  new GroupStore(profile).log(group).write(batch);
  profile.close();
}

async function benchMissed(report: Report): Promise<void> {
  const company = await Company.meet();
  try {
    const [ana, eva] = [await company.person("ana"), await company.person("eva")];
    await eva.close();
    await ana.close();
    writeOffline(ana, eva);
    await company.person("ana");
    const begin = performance.now();
    const back = await company.person("eva", { trace: true });
    await until(() => back.texts("ana").length === MISSED);
    report({ name: "1,000 missed texts, from the login on", unit: "ms", ours: performance.now() - begin });
  } finally {
    await company.close();
  }
}

/** The control entries of a group in which so many have joined. */
function controlOf(keys: readonly TestKey[]): GroupEntry[] {
  const [founder, ...others] = keys as [TestKey, ...TestKey[]];
  const create = signCreate(1, createBody(founder), founder.key);
  let last = create;
  const control = others.flatMap((key) => {
    const fields = { ...nextPosition(create.id, "c", last), kind: "add", at: 1 };
    last = signEntry(create.id, fields, addBody(key), founder.key);
    const join = { ...nextPosition(last.id, "c", undefined), kind: "join", at: 1 };
    return [last, signEntry(create.id, join, {}, key.key)];
  });
  return [create, ...control];
}

async function timed(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const begin = performance.now();
    await work();
    times.push(performance.now() - begin);
  }
  return median(times.slice(1));
}

async function benchMembership(control: readonly GroupEntry[], report: Report): Promise<void> {
  const none: readonly Fork[] = [];
  const ours = await timed(() => membership(control, none));
  report({ name: `membership of ${MOST_PEOPLE}`, unit: "ms", ours });
}

/** Puts texts of a lane into the tables: opening checks no signature. Only their last entries stand in a chain. */
function fillTexts(folder: string): void {
  const database = new Database(profileFile(folder), { strict: true });
  database.transaction(() => {
    database.run(
      `WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
       INSERT INTO group_entries (contact, feed, lane, number, at, size, header, signature, body)
       SELECT contact, id, 't', number, number * ${ENTRIES_APART}, 120,
         feed || ' t ' || number || ' ' || feed || ' text ' || (number * ${ENTRIES_APART}) || ' 120 ' || feed, ?2, '{"text":"hola"}'
       FROM numbers, group_feeds`,
      [Math.ceil(ENTRIES / MOST_PEOPLE), "A".repeat(86)],
    );
    database.run("UPDATE group_feeds SET base = 1");
    database.run(
      `INSERT INTO messages (contact, outgoing, id, text, sent_at, received_at, state, tried, printed, kind, feed, number)
       SELECT contact, 0, feed || '/' || number, ?, at, at, 2, 1, 1, 0, feed, number FROM group_entries
       WHERE lane = 't' ORDER BY number, feed`,
      [TEXT],
    );
  })();
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

async function benchOpening(control: readonly GroupEntry[], report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paloma-bench-groups-"));
  const [create] = control as [GroupEntry];
  try {
    const made = Profile.open(folder, { username: "persona0", authority: "", registeredHere: true });
    const decisions = { title: "Clase", state: "joined", ownFeed: create.id } as const;
    new GroupStore(made).save(create.id, decisions, control);
    made.close();
    fillTexts(folder);
    const key = testKey("persona0").spki.toString("base64");
    const profile = Profile.open(folder);
    const store = new GroupStore(profile);
    const ours = await timed(() => new GroupSync(create.id, key, store.log(create.id)));
    report({ name: `opening a group of ${MOST_PEOPLE} people and 1,000,000 entries`, unit: "ms", ours });
    const contact = profile.contacts.ensure(`#${create.id}`);
    const page = await timed(() => profile.history.before(contact, undefined, PAGE));
    report({ name: "its last 50 texts", unit: "ms", ours: page });
    profile.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function benchGroups(report: Report): Promise<void> {
  const control = controlOf(Array.from({ length: MOST_PEOPLE }, (_, index) => testKey(`persona${index}`)));
  await benchMembership(control, report);
  await benchOpening(control, report);
  await benchMissed(report);
  for (const size of SIZES) await benchText(size, report);
}
