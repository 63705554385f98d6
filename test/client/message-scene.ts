/** The stores of one profile with messages in them, for tests only. */
import type { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";

import { ConsentStore } from "../../src/client/profile/consents.ts";
import { ContactStore, type Contact } from "../../src/client/profile/contacts.ts";
import { MessageHistory } from "../../src/client/profile/message-history.ts";
import { MessageRemoval } from "../../src/client/profile/message-removal.ts";
import { MessageSearch, searchQuery } from "../../src/client/profile/message-search.ts";
import { MessageStore, type CommittedRead, type LinkRead } from "../../src/client/profile/message-store.ts";
import { profileFile } from "../../src/client/disk/folders.ts";
import { PROFILE_SCHEMA } from "../../src/client/disk/schema.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { RevocationStore } from "../../src/client/profile/revocations.ts";
import { TextWipe } from "../../src/client/profile/text-wipe.ts";
import { openStore } from "../../src/client/disk/sqlite.ts";
import type { NewIncoming, NewOutgoing, StoredMessage } from "../../src/client/profile/stored-message.ts";
import { ACCOUNT, IN_PLACE, inTemporaryFolder } from "./test-profile.ts";

export const NOW = Date.UTC(2027, 0, 15, 12);

/** One connection to a profile's database, and the stores over it. */
export class MessageScene {
  readonly file: string;
  readonly database: Database;
  readonly contacts: ContactStore;
  readonly consents: ConsentStore;
  readonly messages: MessageStore;
  readonly history: MessageHistory;
  readonly search: MessageSearch;
  readonly removal: MessageRemoval;
  readonly wipe: TextWipe;
  readonly revocations: RevocationStore;

  constructor(folder: string) {
    this.file = profileFile(folder);
    this.database = openStore(this.file, PROFILE_SCHEMA);
    this.contacts = new ContactStore(this.database);
    this.consents = new ConsentStore(this.database);
    this.messages = new MessageStore(this.database, IN_PLACE, IN_PLACE);
    this.history = new MessageHistory(this.database);
    this.search = new MessageSearch(this.database);
    this.removal = new MessageRemoval(this.database);
    this.wipe = new TextWipe(this.database);
    this.revocations = new RevocationStore(this.database);
  }

  /** Queues texts `text ID`, none of them tried. */
  write(contact: Contact, ...ids: string[]): number[] {
    return this.queue(...ids.map((id) => text(contact, id)));
  }

  queue(...messages: NewOutgoing[]): number[] {
    return this.messages.queue(messages);
  }

  read(contact: Contact, read: Partial<LinkRead>, now = NOW): CommittedRead {
    return this.messages.commitRead(
      contact,
      { incoming: [], acknowledged: [], readUpTo: undefined, ...read },
      now,
    );
  }

  /** Texts `text ID` arrive. @returns the `seq` of each, undefined for a duplicate */
  receive(contact: Contact, ...ids: string[]): (number | undefined)[] {
    return this.read(contact, { incoming: ids.map((id) => arriving(id)) }).stored.map((each) => {
      if (typeof each === "object") throw new Error("a text is no action");
      return each;
    });
  }

  acknowledge(contact: Contact, ...ids: string[]): readonly string[] {
    const acknowledged = ids.map((id) => ({ id, leftAt: undefined }));
    return this.read(contact, { acknowledged }).acknowledged;
  }

  all(contact: Contact): StoredMessage[] {
    return this.history.after(contact, 0, 100_000);
  }

  /** Ids in the outbox, in order, without claiming them. */
  waiting(contact: Contact): string[] {
    return this.database
      .query<{ id: string }, [number]>(
        `SELECT id FROM messages WHERE contact = ? AND outgoing = 1 AND state < 2 AND kind < 3
         AND withdrawn_at IS NULL ORDER BY seq`,
      )
      .all(contact.id)
      .map(({ id }) => id);
  }

  /** Ids of the texts with these words, oldest first. */
  found(words: string): string[] {
    while (this.search.indexSome());
    const query = searchQuery(words);
    return query === undefined ? [] : this.search.oldest(query, 0, 100_000).map(({ id }) => id);
  }

  /** @throws SQLiteError when the index does not hold exactly the words of the texts */
  checkIndex(): void {
    while (this.search.indexSome());
    this.database.run("INSERT INTO message_words(message_words, rank) VALUES ('integrity-check', 1)");
  }

  /** @returns how the wipe ended */
  wipeAll(): "blocked" | "done" {
    this.wipe.rewriteSmall();
    for (;;) {
      const outcome = this.wipe.step();
      if (outcome !== "more") return outcome;
    }
  }

  /** Everything on the disk. */
  get bytes(): string {
    return ["", "-wal", "-shm"].map((end) => readFileSync(this.file + end).toString("latin1")).join("");
  }
}

export function text(contact: Contact, id: string, words = `text ${id}`): NewOutgoing {
  return { kind: "text", contact, id, text: words, sentAt: NOW, replyTo: undefined };
}

export function arriving(id: string, words = `text ${id}`): NewIncoming {
  return { kind: "text", id, text: words, sentAt: undefined, replyTo: undefined };
}

/** Runs `use` with a new profile and its folder. */
export function withScene(use: (scene: MessageScene, folder: string) => void): Promise<void> {
  return inTemporaryFolder((folder) => {
    Profile.open(folder, ACCOUNT).close();
    const scene = new MessageScene(folder);
    try {
      use(scene, folder);
    } finally {
      scene.database.close();
    }
  });
}

/** A profile with 20,000 messages of two contacts, most of them acknowledged, and 500 in the outbox. */
export function fill({ database, contacts }: MessageScene): Contact {
  const ana = contacts.ensure("Ana");
  const carla = contacts.ensure("Carla");
  database.run(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
     INSERT INTO messages (contact, outgoing, id, text, sent_at, state, printed, tried)
     SELECT iif(i % 4, ?, ?), i % 2, 'id ' || i, 'text ' || i, i, iif(i > 19000 AND i % 2, 1, 2), i < 19000, 1 FROM n`,
    [ana.id, carla.id],
  );
  return ana;
}

/** SQLite's query plan of each new statement that `run` makes, one line each, in order. */
export function plansOf(database: Database, run: () => unknown): string[] {
  const statements = new Set<string>();
  const { query, prepare, run: runNow } = database;
  const noting = (method: typeof query | typeof prepare | typeof runNow) =>
    function (sql: string, ...values: unknown[]): unknown {
      statements.add(sql);
      return Reflect.apply(method, database, [sql, ...values]);
    };
  Object.assign(database, { query: noting(query), prepare: noting(prepare), run: noting(runNow) });
  try {
    run();
  } finally {
    Object.assign(database, { query, prepare, run: runNow });
  }
  const queries = [...statements].filter((sql) => !sql.startsWith("PRAGMA"));
  return queries.map((sql) => {
    // An unfinished EXPLAIN would count as a statement under way.
    using explanation = database.prepare<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`);
    return explanation
      .all()
      .map(({ detail }) => detail)
      .join("; ");
  });
}
