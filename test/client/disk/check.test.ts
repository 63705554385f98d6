import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { checkProfile, ProfileDamagedError, takeProfile } from "../../../src/client/disk/check.ts";
import { profileFile } from "../../../src/client/disk/folders.ts";
import { Profile } from "../../../src/client/profile/profile.ts";
import { isDamage, isUnreadable, StoreError } from "../../../src/client/disk/sqlite.ts";
import { searchQuery } from "../../../src/client/profile/message-search.ts";
import { storedMessageJson } from "../../../src/client/event-json.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";
import { ACCOUNT } from "../test-profile.ts";

setDefaultTimeout(120_000);

const NOW = Date.UTC(2027, 0, 15, 10);
const CONTACTS = ["Ana", "Benito", "Ñandú"];
const MESSAGES = 1_000;
const ROUNDS = 5;

type Line = { readonly id: string; readonly [field: string]: unknown };
type PageInfo = {
  readonly page: number;
  readonly name: string;
  readonly kind: string;
  readonly cells: number;
};

let root: string;
let pristine: Buffer;
let pages: PageInfo[];
/** The events of `history --json`, by id. */
let expected: Map<string, Line>;
let pageSize: number;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "paloma-check-"));
  const random = seededRandom(4);
  const folder = join(root, "template");
  const profile = Profile.open(folder, ACCOUNT);
  const contacts = CONTACTS.map((name) => profile.contacts.ensure(name));
  for (let number = 0; number < MESSAGES; number++) {
    const contact = random.pick(contacts);
    const words = `mensaje número ${number} ${"paloma mensajera ".repeat(random.integer(10))}`;
    const text = number % 50 === 0 ? words.repeat(30 + random.integer(60)).slice(0, 16_000) : words;
    const id = `${number}-${Buffer.from(random.bytes(9)).toString("base64url")}`;
    const sentAt = NOW + number * 1_000;
    const replyTo = number % 9 === 0 ? `${number - 1}` : undefined;
    if (number % 2 === 0) {
      profile.messages.queue([{ kind: "text", contact, id, text, replyTo, sentAt }], new Set([contact]));
      if (number % 4 === 0) profile.messages.saveSent(contact, new Map([[id, sentAt + 5]]));
    } else {
      const incoming = [{ kind: "text", id, text, replyTo, sentAt } as const];
      profile.messages.commitRead(contact, { incoming, acknowledged: [], readUpTo: undefined }, sentAt + 7);
    }
    if (number % 100 === 2) {
      const action = { contact, id: `${id}-change`, sentAt: sentAt + 9, target: id };
      const isEdit = number % 200 === 2;
      profile.messages.queue(
        [isEdit ? { kind: "edit", text: `otra ${words}`, ...action } : { kind: "withdraw", ...action }],
        new Set([contact]),
      );
    }
  }
  while (profile.search.indexSome());
  expected = readHistory(profile);
  profile.close();
  const database = new Database(profileFile(folder));
  expect(database.query("PRAGMA wal_checkpoint(TRUNCATE)").get()).toMatchObject({ busy: 0 });
  pages = database
    .query<PageInfo, []>("SELECT pageno AS page, name, pagetype AS kind, ncell AS cells FROM dbstat")
    .all();
  pageSize = database.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0;
  database.close();
  // Only the file is copied: no connection of this process may know the copies that are damaged.
  pristine = readFileSync(profileFile(folder));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function readHistory(profile: Profile): Map<string, Line> {
  const own = profile.username;
  return new Map(
    CONTACTS.map((name) => profile.contacts.ensure(name))
      .flatMap((contact) =>
        profile.history.after(contact, 0, MESSAGES * 2).map((each) => ({ each, contact })),
      )
      .map(({ each, contact }) => {
        const [from, to] = each.outgoing ? [own, contact.username] : [contact.username, own];
        const { change_pending: _, ...line } = storedMessageJson(each, from, to) as Line;
        return [line.id, line];
      }),
  );
}

let copies = 0;
/** A new profile whose file is a damaged copy of the template's. */
function damaged(damage: (file: Buffer) => void): string {
  const folder = join(root, `copy-${++copies}`);
  mkdirSync(folder, { mode: 0o700 });
  const file = Buffer.from(pristine);
  damage(file);
  writeFileSync(profileFile(folder), file, { mode: 0o600 });
  return folder;
}

function pageOf(file: Buffer, page: number): Buffer {
  return file.subarray((page - 1) * pageSize, page * pageSize);
}

function check(folder: string): "sound" | "repaired" | ProfileDamagedError | StoreError {
  try {
    return checkProfile(folder, ACCOUNT.username, NOW);
  } catch (error) {
    if (error instanceof ProfileDamagedError || error instanceof StoreError) return error;
    throw error;
  }
}

function rescuedLines(error: ProfileDamagedError): Line[] {
  if (error.rescued === undefined) return [];
  return readFileSync(error.rescued, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

const words = (line: Line | undefined) => [line?.["from"], line?.["to"], line?.["text"], line?.["reply_to"]];

/**
 * The readable messages are as they were written, and none is there twice.
 * @param isTorn the damage may end in the middle of a row, whose last times cannot be verified.
 */
function expectTrue(lines: readonly Line[], isTorn = false): void {
  for (const line of lines) {
    if (isTorn) expect(words(line)).toEqual(words(expected.get(line.id)));
    else expect(line).toEqual(expected.get(line.id) as Line);
  }
  expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
}

function expectWhole(folder: string): void {
  const profile = Profile.open(folder);
  expect(readHistory(profile)).toEqual(expected);
  while (profile.search.indexSome());
  const hits = profile.search.newest(searchQuery("numero 777") ?? "", Number.MAX_SAFE_INTEGER, 10);
  expect(hits.map(({ text }) => text)).toEqual([expect.stringContaining("número 777")]);
  profile.close();
}

const isIndex = ({ name }: PageInfo) =>
  /^(?:sqlite_autoindex_messages_1|messages_by_contact|outbox|unprinted|actions_by_target)$/.test(name);
const isWords = ({ name }: PageInfo) => name.startsWith("message_words_");
const isMessages = ({ name }: PageInfo) => name === "messages";

const DAMAGES = {
  "random bytes": (page: Buffer, random: ReturnType<typeof seededRandom>) => page.set(random.bytes(pageSize)),
  zeros: (page: Buffer) => page.fill(0),
  "a sector of random bytes": (page: Buffer, random: ReturnType<typeof seededRandom>) =>
    page.set(random.bytes(512), random.integer(pageSize / 512) * 512),
  "a sector of zeros": (page: Buffer, random: ReturnType<typeof seededRandom>) => {
    const at = random.integer(pageSize / 512) * 512;
    page.fill(0, at, at + 512);
  },
} as const;

test("a sound profile is left as it is", () => {
  const folder = damaged(() => undefined);
  expect(check(folder)).toBe("sound");
  expect(readdirSync(folder).filter((name) => name.startsWith("rescued"))).toEqual([]);
  expect(readFileSync(profileFile(folder)).equals(pristine)).toBe(true);
});

describe.each(Object.entries(DAMAGES))("a page with %s", (what, damage) => {
  const isTorn = what.startsWith("a sector");
  const seed = testSeed();
  const random = seededRandom(seed);
  const named = (text: string) => `${text} (PALOMA_TEST_SEED=${seed})`;

  test(named("of an index, or of the words, is repaired, and no message is lost"), () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { page, name, kind } = random.pick(pages.filter(round % 2 === 0 ? isIndex : isWords));
      const folder = damaged((file) => damage(pageOf(file, page), random));
      const outcome = check(folder);
      const where = `${name} ${kind} ${page}`;
      // An unused sector can be anything.
      expect(`${where}: ${outcome}`).toMatch(/: (?:repaired|sound)$/);
      expectWhole(folder);
      expect(`${where}: ${check(folder)}`).toBe(`${where}: sound`);
    }
  });

  test(named("of the messages loses the rows on it, and no others are lost or changed"), () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { page, kind, cells } = random.pick(pages.filter((each) => isMessages(each)));
      const folder = damaged((file) => damage(pageOf(file, page), random));
      const outcome = check(folder);
      if (!(outcome instanceof ProfileDamagedError)) {
        // If a text and its indexed words differ, either may be the damaged one.
        expect(`${page} ${kind} ${outcome}`).toMatch(/ (?:sound|repaired)$/);
        continue;
      }
      const lines = rescuedLines(outcome);
      expectTrue(lines, isTorn);
      expect(outcome.count).toBe(lines.length);
      const lost = expected.size - lines.length;
      if (kind !== "internal") expect(lost).toBeLessThanOrEqual(kind === "leaf" ? cells : 1);
      if (outcome.rescued !== undefined) expect(statSync(outcome.rescued).mode & 0o777).toBe(0o600);
      // It stays damaged, and another start writes no second file.
      expect(check(folder)).toMatchObject({ rescued: outcome.rescued, count: outcome.count });
      expect(readdirSync(folder).filter((name) => name.startsWith("rescued")).length).toBeLessThanOrEqual(1);
    }
  });

  test(named("anywhere after the first page never ends the process and never invents a message"), () => {
    for (let round = 0; round < ROUNDS; round++) {
      const hit = [0, 1, 2].map(() => random.pick(pages.filter(({ page }) => page > 1)));
      const folder = damaged((file) => hit.forEach(({ page }) => damage(pageOf(file, page), random)));
      const outcome = check(folder);
      if (outcome instanceof ProfileDamagedError) {
        const lines = rescuedLines(outcome);
        const areNamesRead = !hit.some(({ name }) => name === "contacts");
        if (areNamesRead) expectTrue(lines, isTorn);
        else for (const { id, text } of lines) expect(text).toBe(expected.get(id)?.["text"]);
      } else if (outcome instanceof StoreError) {
        // Not even the list of tables can be read.
        expect(hit.map(({ name }) => name)).toContain("sqlite_schema");
      } else expect(outcome).toMatch(/repaired|sound/);
    }
  });
});

test("a value that claims to be larger than SQLite allows is damage, not a bug", () => {
  const database = new Database(":memory:");
  let error: unknown;
  try {
    database.query("SELECT zeroblob(2000000000)").get();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: "SQLITE_TOOBIG" });
  expect([isDamage(error), isUnreadable(error)]).toEqual([true, true]);
});

test("a contact whose name cannot be read is named by number", () => {
  const contacts = pages.find(({ name }) => name === "contacts")?.page ?? 0;
  const outcome = check(damaged((file) => pageOf(file, contacts).fill(0xff)));
  expect(outcome).toBeInstanceOf(ProfileDamagedError);
  const lines = rescuedLines(outcome as ProfileDamagedError);
  expect(lines).toHaveLength(expected.size);
  for (const { from, to } of lines) expect([from, to].sort().join(" ")).toMatch(/^#[123] Berta$/);
});

test("a message keeps its text when every index over it is lost", () => {
  const folder = damaged((file) => {
    for (const { page } of pages.filter((each) => isIndex(each) || isWords(each)))
      pageOf(file, page).fill(0xab);
  });
  expect(check(folder)).toBe("repaired");
  expectWhole(folder);
});

test("an earlier rescue is never overwritten", () => {
  const leaf = pages.find((each) => isMessages(each) && each.kind === "leaf")?.page ?? 0;
  const folder = damaged((file) => pageOf(file, leaf).fill(0));
  const older = join(
    folder,
    `rescued-${new Date(NOW).toISOString().slice(0, 19).replaceAll(":", "-")}Z.jsonl`,
  );
  writeFileSync(older, "mine\n");
  // Older than the database, so it belongs to an earlier damage.
  utimesSync(older, 1, 1);
  const outcome = check(folder) as ProfileDamagedError;
  expect(readFileSync(older, "utf8")).toBe("mine\n");
  expect(outcome.rescued).toBe(older.replace(/\.jsonl$/, "-2.jsonl"));
  expectTrue(rescuedLines(outcome));
});

test("noted damage is checked at the next start, even after a clean shutdown, and only then", () => {
  const folder = damaged((file) => {
    for (const { page } of pages.filter(isIndex)) pageOf(file, page).fill(0xab);
  });
  const taken: string[] = [];
  const take = () => {
    const lock = takeProfile({
      profile: { folder, username: "Berta" },
      command: "test",
      now: () => NOW,
      onEvent: ({ health }) => taken.push(health),
    });
    lock.release();
  };
  take();
  expect(taken).toEqual([]);
  const profile = Profile.open(folder);
  profile.noteDamage(Object.assign(new Error("damaged"), { code: "SQLITE_CORRUPT" }));
  profile.close();
  take();
  take();
  expect(taken).toEqual(["repaired"]);
  expectWhole(folder);
});

test("the readable messages of a truncated file are saved", () => {
  const folder = damaged(() => undefined);
  const file = join(folder, "profile.db");
  truncateSync(file, statSync(file).size - 4_096);
  const outcome = outcomeOf(() => Profile.open(folder).close());
  expect(outcome).toBeInstanceOf(ProfileDamagedError);
  const { rescued, count } = outcome as ProfileDamagedError;
  expect(count).toBeGreaterThan(expected.size / 2);
  expect(readFileSync(rescued ?? "", "utf8").split("\n")).toHaveLength(count + 1);
});

test("damage that keeps the profile from opening is repaired or reported, wherever it is", () => {
  const tables = ["account", "message_words_config", "message_words_data", "contacts", "messages"];
  for (const { page, name } of pages.filter((each) => tables.includes(each.name) && each.page > 1)) {
    const folder = damaged((file) => pageOf(file, page).fill(0xab));
    const outcome = outcomeOf(() => Profile.open(folder).close());
    if (outcome !== undefined) expect([name, outcome]).toEqual([name, expect.any(ProfileDamagedError)]);
    if (outcome !== undefined && name !== "messages" && name !== "contacts")
      expect([name, (outcome as ProfileDamagedError).count]).toEqual([name, expected.size]);
  }
});

function outcomeOf(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
