/** A profile with a million messages, always the same, as someone has it who writes much for years. */
import { Database } from "bun:sqlite";

import { Profile } from "../../src/client/profile/profile.ts";
import { profileFile } from "../../src/client/disk/folders.ts";
import { KIND } from "../../src/client/disk/schema.ts";
import { seededRandom, type SeededRandom } from "../seeded-random.ts";

export const MESSAGES = 1_000_000;
export const CHATS = 50;
/** New messages in each chat of an odd number, the newest ones of theirs; in the others there are none. */
export const UNREAD = 500;
/** The most frequent word, one that occurs `RARE_HITS` times, and one that never does. */
export const COMMON = "que";
export const RARE = "xilófono";
export const RARE_PLAIN = "XILOFONO";
export const UNKNOWN = "inexistente";
export const RARE_HITS = 15;
/** Two frequent words that stand in many messages together and never side by side in this order. */
export const NEVER_NEIGHBOURS = ["adiós", "hola"] as const;

const SEED = 4;
const VOCABULARY = 20_000;
const FREQUENT = "que de no a la el es y en lo un por qué me una te los se con para mi está si bien".split(
  " ",
);
const SYLLABLES =
  "ca me tió lu rra ña pe sí que do mon tar cú len gua jo ri sol ble dá fre ció nos ver é".split(" ");
const MAX_WORDS = 16;
/** Messages of one chat that come one behind the other. */
const MAX_BURST = 12;
const SECOND = 1_000;
const BEGIN = Date.UTC(2020, 0, 1);

/** Words by how often they occur; the n-th as often as 1 / (n + 1), as in a language. */
class Language {
  readonly #random: SeededRandom;
  readonly #words: readonly string[];
  readonly #cumulated: Float64Array;

  constructor(random: SeededRandom) {
    this.#random = random;
    const words = new Set(FREQUENT);
    while (words.size < VOCABULARY) {
      const length = 2 + random.integer(3);
      words.add(Array.from({ length }, () => random.pick(SYLLABLES)).join(""));
    }
    this.#words = [...words];
    this.#cumulated = new Float64Array(VOCABULARY);
    let sum = 0;
    for (let rank = 0; rank < VOCABULARY; rank++) this.#cumulated[rank] = sum += 1 / (rank + 2);
  }

  #word(): string {
    const wanted = this.#random.next() * (this.#cumulated[VOCABULARY - 1] ?? 0);
    let [low, high] = [0, VOCABULARY - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulated[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return this.#words[low] ?? "";
  }

  text(): string {
    const words = Array.from({ length: 1 + this.#random.integer(MAX_WORDS) }, () => this.#word());
    // Half of all messages have it then.
    if (this.#random.integer(5) === 0) words.push(COMMON);
    if (this.#random.integer(4) === 0) words.unshift(NEVER_NEIGHBOURS[1]);
    if (this.#random.integer(4) === 0) words.push(NEVER_NEIGHBOURS[0]);
    return this.#random.integer(3) === 0 ? `¿${words.join(" ")}?` : `${words.join(" ")}.`;
  }
}

/**
 * Rows as they stand when everything was sent, received and read; their words are not indexed yet.
 * @param count how many, in all chats. @param chats whose contacts have the ids from 1 on
 */
export function insertMessages(database: Database, count: number, chats: number): void {
  const random = seededRandom(SEED);
  const language = new Language(random);
  const insert = database.prepare<unknown, (string | number | null)[]>(
    `INSERT INTO messages (contact, outgoing, id, text, sent_at, received_at, left_at, read_at, state, tried, printed, kind)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ${KIND.text})`,
  );
  const rareEvery = Math.floor(count / RARE_HITS);
  let contact = 1;
  let burst = 0;
  for (let index = 0; index < count; index++) {
    if (burst-- === 0) {
      contact = 1 + random.integer(chats);
      burst = random.integer(MAX_BURST);
    }
    const outgoing = random.integer(2);
    const at = BEGIN + index * 180 * SECOND;
    const id = uuidAt(at, random);
    const text = index % rareEvery === rareEvery - 1 ? `${language.text()} ${RARE}` : language.text();
    const [left, read, state] = outgoing === 1 ? [at, at + SECOND, 3] : [null, null, 2];
    insert.run(contact, outgoing, id, text, at, at, left, read, state, outgoing);
  }
}

/** A UUIDv7 of this time. */
function uuidAt(ms: number, random: SeededRandom): string {
  const time = ms.toString(16).padStart(12, "0");
  const rest = Buffer.from(random.bytes(10)).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}

/** Makes the profile in `folder`, which must be empty; its search index has everything still before it. */
export function makeMillion(folder: string): void {
  const profile = Profile.open(folder, { username: "ana", authority: "", registeredHere: true });
  for (let chat = 0; chat < CHATS; chat++) profile.contacts.ensure(chatName(chat));
  profile.close();
  const database = new Database(profileFile(folder), { strict: true });
  database.transaction(() => insertMessages(database, MESSAGES, CHATS))();
  const unread = database.prepare(
    `UPDATE messages SET printed = 0 WHERE seq IN (
       SELECT seq FROM messages WHERE contact = ? AND outgoing = 0 AND kind = 0 ORDER BY seq DESC LIMIT ${UNREAD})`,
  );
  database.transaction(() => {
    for (let contact = 2; contact <= CHATS; contact += 2) unread.run(contact);
  })();
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

/** @param chat in [0, CHATS) */
export function chatName(chat: number): string {
  return `amiga${chat}`;
}
