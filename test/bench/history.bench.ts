/**
 * Figures of a profile with a million messages: opening a chat and paging in it, searching, indexing and
 * deleting. Nothing is taken out of the system's cache; what a program's first look costs stands by itself.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Profile } from "../../src/client/profile/profile.ts";
import { profileFile } from "../../src/client/disk/folders.ts";
import { searchQuery } from "../../src/client/profile/message-search.ts";
import { MESSAGE_COLUMNS, type StoredMessage } from "../../src/client/profile/stored-message.ts";
import { median, type Report } from "./figures.ts";
import { CHATS, chatName, COMMON, makeMillion, MESSAGES, NEVER_NEIGHBOURS } from "./million-messages.ts";
import { RARE, RARE_HITS, RARE_PLAIN, UNKNOWN, UNREAD } from "./million-messages.ts";

const REPEATS = 25;
/** Plain SQL reads every message, so it is asked less often. */
const BARE_REPEATS = 3;
/** As the chat's screen reads. */
const PAGE = 20;
const MAX_UNREAD_SHOWN = 500;
const NEWEST = Number.MAX_SAFE_INTEGER;
const MEBIBYTE = 1024 * 1024;

function timed(work: () => unknown): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}

function repeated(count: number, work: (index: number) => unknown): number[] {
  return Array.from({ length: count }, (_, index) => timed(() => work(index)));
}

/** Median and worst of times in ms. */
function reportTimes(report: Report, name: string, ours: readonly number[], bare?: readonly number[]): void {
  for (const [part, of] of [
    ["median", median],
    ["worst", (times: readonly number[]) => Math.max(...times)],
  ] as const) {
    const other = bare === undefined ? {} : { bare: of(bare) };
    report({ name: `${name}, ${part}`, unit: "ms", ours: of(ours), ...other });
  }
}

function withProfile<T>(folder: string, work: (profile: Profile) => T): T {
  const profile = Profile.open(folder);
  try {
    return work(profile);
  } finally {
    profile.close();
  }
}

/** What the screen reads of the store when a chat is opened. */
function openChat(profile: Profile, chat: number): number {
  const contact = profile.contacts.ensure(chatName(chat));
  const unreadFrom = profile.history.unreadFrom(contact);
  const limit = unreadFrom === undefined ? PAGE : MAX_UNREAD_SHOWN;
  return profile.history.before(contact, undefined, limit).messages.length;
}

function benchOpening(folder: string, report: Report): void {
  const bare = (limit: number) => (index: number) => {
    const database = new Database(profileFile(folder), { strict: true });
    database
      .query(
        `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE kind = 0 AND contact = ? ORDER BY seq DESC LIMIT ?`,
      )
      .all(1 + (index % CHATS), limit);
    database.close();
  };
  const first = timed(() => withProfile(folder, (profile) => openChat(profile, 0)));
  report({ name: "profile and chat opened, the first time", unit: "ms", ours: first });
  for (const [name, parity, limit] of [
    ["nothing new (bare: its page)", 0, PAGE],
    [`${UNREAD} new (bare: its page)`, 1, MAX_UNREAD_SHOWN],
  ] as const) {
    const chatOf = (index: number) => (2 * index + parity) % CHATS;
    const ours = repeated(REPEATS, (index) =>
      withProfile(folder, (profile) => openChat(profile, chatOf(index))),
    );
    reportTimes(
      report,
      `profile and chat opened, ${name}`,
      ours,
      repeated(REPEATS, (index) => bare(limit)(chatOf(index))),
    );
  }
  withProfile(folder, (profile) => {
    const chats = Array.from({ length: CHATS }, (_, chat) => profile.contacts.ensure(chatName(chat)));
    const contactAt = (index: number) => chats[index % CHATS] ?? profile.contacts.ensure(chatName(0));
    const chat = (index: number) => openChat(profile, (2 * index) % CHATS);
    reportTimes(report, "a chat in an open profile", repeated(REPEATS, chat));
    const page = (seq: number) => (index: number) => profile.history.before(contactAt(index), seq, PAGE);
    reportTimes(report, "a page back from the middle", repeated(REPEATS, page(MESSAGES / 2)));
    reportTimes(report, "a page back near the oldest end", repeated(REPEATS, page(1_000)));
    const counts = () => [profile.history.unreadCounts(), profile.contacts.listed()];
    reportTimes(report, "the list of chats and what is new in each", repeated(REPEATS, counts));
  });
}

/** How many messages of a hundred hold a word, as the index has it. */
function share(database: Database, word: string): number {
  const row = database
    .query<{ count: number }, [string]>(
      "SELECT count(*) AS count FROM message_words WHERE message_words MATCH ?",
    )
    .get(word);
  return Math.round((100 * (row?.count ?? 0)) / MESSAGES);
}

/** The same question to SQLite without an index of words: accents count, and parts of words are found too. */
function findPlainly(database: Database, words: string): unknown[] {
  const parts = words.split(" ");
  const where = parts.map(() => "text LIKE '%' || ? || '%'").join(" AND ");
  return database
    .query(
      `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE kind = 0 AND ${where} ORDER BY seq DESC LIMIT ${PAGE}`,
    )
    .all(...parts);
}

function find(profile: Profile, words: string): readonly StoredMessage[] {
  while (profile.search.indexSome());
  const query = searchQuery(words);
  if (query === undefined) throw new RangeError(words);
  return profile.search.newest(query, NEWEST, PAGE);
}

function benchSearch(folder: string, report: Report): void {
  const opening = timed(() => withProfile(folder, (profile) => find(profile, RARE)));
  report({ name: "profile opened and searched, the first time", unit: "ms", ours: opening });
  const database = new Database(profileFile(folder), { strict: true });
  const [last, first] = NEVER_NEIGHBOURS;
  const both = `${RARE} ${first}`;
  const cases: readonly (readonly [words: string, name: string, hits: number])[] = [
    [RARE, `a word that occurs ${RARE_HITS} times`, RARE_HITS],
    [RARE_PLAIN, "that word without its accent", RARE_HITS],
    [COMMON, `a word in ${share(database, COMMON)} % of all`, PAGE],
    [`${last} ${first}`, `two words, each in ${share(database, last)} %`, PAGE],
    [both, "a rare and a frequent word", findPlainly(database, both).length],
    ["no,que", "two words joined by a comma", PAGE],
    [UNKNOWN, "a word that never occurs", 0],
    [`${last},${first}`, "frequent words, never joined so", 0],
  ];
  for (const [words, name, hits] of cases) {
    const found = withProfile(folder, (profile) => find(profile, words)).length;
    if (found !== hits) throw new Error(`${words}: ${found} messages instead of ${hits}`);
    const ours = repeated(REPEATS, () => withProfile(folder, (profile) => find(profile, words)));
    const bare = repeated(BARE_REPEATS, () => findPlainly(database, words));
    reportTimes(report, `search: ${name} (bare: LIKE)`, ours, bare);
  }
  database.close();
}

/** The same words into an index of their own, in one commit; s. */
function bareIndexing(folder: string): number {
  const database = new Database(join(folder, "words.db"), { create: true, strict: true });
  database.run("PRAGMA journal_mode=WAL");
  database.run("CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')");
  database.run("ATTACH ? AS profile", [profileFile(folder)]);
  const time = timed(() =>
    database.run("INSERT INTO words (rowid, text) SELECT seq, text FROM profile.messages WHERE kind = 0"),
  );
  database.close();
  return time / 1_000;
}

function benchIndexing(folder: string, report: Report): void {
  const size = () => statSync(profileFile(folder)).size / MEBIBYTE;
  const textsOnly = size();
  withProfile(folder, ({ search }) => {
    const batches: number[] = [];
    while (search.isBehind) batches.push(timed(() => search.indexSome()));
    const sum = batches.reduce((total, time) => total + time, 0);
    const name = "indexing a million messages (bare: fts5, one commit)";
    report({ name, unit: "s", ours: sum / 1_000, bare: bareIndexing(folder) });
    reportTimes(report, `one of its ${batches.length} batches`, batches);
    reportTimes(
      report,
      "a batch when nothing is left",
      repeated(REPEATS, () => search.indexSome()),
    );
  });
  report({
    name: "the file with the search index (bare: before it)",
    unit: "MiB",
    ours: size(),
    bare: textsOnly,
  });
}

function benchDeletion(folder: string, report: Report): void {
  withProfile(folder, ({ contacts, messages, history, removal, wipe }) => {
    const contact = contacts.ensure(chatName(2));
    const lastSeq = messages.lastSeq();
    const batches: number[] = [];
    let deleted = 0;
    for (let isMore = true; isMore;) {
      batches.push(
        timed(() => {
          const some = removal.deleteSome(contact, lastSeq);
          deleted += some.deleted;
          isMore = some.isMore;
        }),
      );
    }
    reportDeletion(report, `deleting a chat of ${deleted} messages`, batches, wipeSteps(wipe));
    const [other] = history.before(contacts.ensure(chatName(4)), undefined, 1).messages;
    if (other === undefined) throw new Error("a chat is empty");
    const single = timed(() => removal.delete(contacts.ensure(chatName(4)), other.id, other.outgoing));
    reportDeletion(report, "deleting one message", [single], wipeSteps(wipe));
  });
}

/** What each step of a wipe took, ms. */
function wipeSteps(wipe: Profile["wipe"]): number[] {
  const steps: number[] = [];
  let outcome = "more";
  while (outcome === "more") steps.push(timed(() => (outcome = wipe.step())));
  if (outcome !== "done") throw new Error(outcome);
  return steps;
}

function reportDeletion(report: Report, name: string, batches: number[], steps: number[]): void {
  const sum = (times: readonly number[]) => times.reduce((total, time) => total + time, 0);
  report({ name: `${name}, and the wipe behind it`, unit: "s", ours: sum([...batches, ...steps]) / 1_000 });
  reportTimes(report, `one of its ${batches.length} batches`, batches);
  reportTimes(report, `one of ${steps.length} steps of the wipe`, steps);
}

function benchIntegrity(folder: string, report: Report): void {
  const database = new Database(profileFile(folder), { strict: true });
  const check = (sql: string) => timed(() => database.query(sql).all()) / 1_000;
  const result = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").get();
  if (result?.integrity_check !== "ok") throw new Error(`the file is broken: ${result?.integrity_check}`);
  report({ name: "PRAGMA integrity_check, once", unit: "s", ours: check("PRAGMA integrity_check") });
  // It throws when the index holds other words than the messages do.
  const words = check("INSERT INTO message_words(message_words, rank) VALUES ('integrity-check', 1)");
  report({ name: "the search index against the texts, once", unit: "s", ours: words });
  database.close();
}

/** Opening, paging, searching, indexing and deleting with a million stored messages. */
export function benchHistory(report: Report): void {
  const folder = mkdtempSync(join(tmpdir(), "paloma-bench-"));
  try {
    const making = timed(() => makeMillion(folder));
    report({ name: "making the million by plain SQL", unit: "s", ours: making / 1_000 });
    benchIndexing(folder, report);
    benchOpening(folder, report);
    benchSearch(folder, report);
    benchDeletion(folder, report);
    benchIntegrity(folder, report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
