/**
 * People with a messenger each, on one server of this process: what the tests of the client share.
 * Everything waits on events (`until`), nothing on time.
 */
import type { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadAuthority, type Authority } from "../../src/identity/certificate.ts";
import { fold, label } from "../../src/identity/names.ts";
import { Account, type OpenOptions } from "../../src/client/accounts.ts";
import type { Messenger } from "../../src/client/messenger.ts";
import type { MessengerEvent } from "../../src/client/conversation/events.ts";
import type { Profile } from "../../src/client/profile/profile.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { openDatabase } from "../../src/server/database/database.ts";
import { createLog } from "../../src/server/log/log.ts";
import {
  startServer,
  type RendezvousOptions,
  type RendezvousServer,
} from "../../src/server/rendezvous-server.ts";
import { SqliteStore } from "../../src/server/store/sqlite-store.ts";
import { cheapHash } from "./cheap-hash.ts";
import { userIdentity } from "./loopback.ts";
import { RawPeer } from "./raw-peer.ts";
import { PASSWORD } from "./rendezvous-test-client.ts";

const waiting = new Set<() => void>();

/** To be called whenever something has happened that a test may wait for. */
export function changed(): void {
  for (const look of [...waiting]) look();
}

/** Resolves once `holds` does; it is asked after every event of every person and raw peer. */
export function until(holds: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    try {
      if (!holds()) return;
      resolve();
    } catch (error) {
      reject(error as Error);
    }
    waiting.delete(look);
  };
  waiting.add(look);
  look();
  return promise;
}

/** How often something is looked at of which no event tells, in ms: at every turn would take all of a processor. */
const LOOK_INTERVAL = 5;

/** As `until`, for what no event tells of. */
export async function untilQuiet(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((look) => setTimeout(look, LOOK_INTERVAL));
}

/** Every deadline of the next sweep comes this much earlier, in ms, while `work` runs. */
export async function later<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const clock = performance.now;
  performance.now = () => clock.call(performance) + ms;
  try {
    return await work();
  } finally {
    performance.now = clock;
  }
}

type Events<N extends MessengerEvent["name"]> = Extract<MessengerEvent, { name: N }>;

/** One account that is open on this machine. */
export class Person {
  readonly name: string;
  readonly account: Account;
  readonly events: readonly MessengerEvent[];
  #counted = 0;
  readonly #texts: { readonly from: string; readonly text: string }[] = [];
  readonly #received = new Map<string, number>();

  constructor(name: string, account: Account, events: readonly MessengerEvent[]) {
    this.name = name;
    this.account = account;
    this.events = events;
  }

  /** Takes note of the events that came since the last look, so that waiting costs no more than they do. */
  #count(): void {
    for (; this.#counted < this.events.length; this.#counted++) {
      const event = this.events[this.#counted];
      if (event?.name === "message") this.#texts.push({ from: event.from, text: event.message.text });
      else if (event?.name === "delivery" && event.state === "received")
        this.#received.set(event.to, (this.#received.get(event.to) ?? 0) + 1);
    }
  }

  get messenger(): Messenger {
    return this.account.messenger;
  }

  get profile(): Profile {
    return this.messenger.profile;
  }

  get port(): number {
    return this.messenger.reach.port ?? 0;
  }

  of<N extends MessengerEvent["name"]>(name: N): Events<N>[] {
    return this.events.filter((event): event is Events<N> => event.name === name);
  }

  /** Texts that were shown, of one sender where one is named, in the order of their arrival. */
  texts(from?: string): string[] {
    this.#count();
    return this.#texts.filter((each) => from === undefined || each.from === from).map(({ text }) => text);
  }

  /** How many of this person's messages to someone are on the other's disk. */
  received(to: string): number {
    this.#count();
    return this.#received.get(to) ?? 0;
  }

  /** Makes somebody a contact, who knows it; before there is a link between them. */
  accept(name: string): void {
    const { contacts, consents } = this.profile;
    const contact = contacts.ensure(name);
    consents.accept(contact);
    consents.saveAcceptance(contact, "settled");
  }

  /** Keeps the chat with someone open, and dials at once whenever its link is lost. */
  keepChatting(to: string): void {
    this.messenger.openChat(to);
    let seen = this.events.length;
    void until(() => {
      for (; seen < this.events.length; seen++) {
        const event = this.events[seen];
        const lost = event?.name === "disconnected" || event?.name === "unreachable";
        if (lost && event.username === to) {
          setImmediate(() => this.messenger.openChat(to).connect());
        }
      }
      return false;
    });
  }

  close(): Promise<void> {
    return this.account.close();
  }
}

export type PersonOptions = Partial<OpenOptions> & {
  /** Where this person's files are; a folder of their own unless given. */
  readonly folder?: string;
  /** Not logged in: the test does that, or not. */
  readonly offline?: boolean;
};

/** A folder, a server, and the people who use it; `close` ends and removes all. */
export class Company {
  readonly folder = mkdtempSync(join(tmpdir(), "paloma-company-"));
  /** The server's authority with its private key: for certificates that only a test would issue. */
  readonly authority: Authority;
  readonly #options: Partial<RendezvousOptions>;
  #database: Database;
  #server: RendezvousServer;
  #serverRuns = true;
  readonly #people: Person[] = [];
  readonly #cleanups: (() => unknown)[] = [];

  private constructor(options: Partial<RendezvousOptions>, database: Database, server: RendezvousServer) {
    this.#options = options;
    this.#database = database;
    this.#server = server;
    const row = database
      .query<{ certificate: string; private_key: string }, []>(
        "SELECT certificate, private_key FROM authority",
      )
      .get();
    if (row === null) throw new Error("the server has no authority");
    this.authority = loadAuthority(row.certificate, row.private_key);
  }

  static async meet(options: Partial<RendezvousOptions> = {}): Promise<Company> {
    const folder = mkdtempSync(join(tmpdir(), "paloma-company-"));
    const { database, server } = await serve(folder, options);
    const company = new Company(options, database, server);
    company.onClose(() => rmSync(folder, { recursive: true, force: true }));
    company.#serverFolder = folder;
    return company;
  }

  /** As `meet`, and closed with the other cleanups of a test. */
  static async meetFor(cleanups: (() => unknown)[]): Promise<Company> {
    const company = await Company.meet();
    cleanups.push(() => company.close());
    return company;
  }

  #serverFolder = "";

  get port(): number {
    return this.#server.tls.port;
  }

  get databasePath(): string {
    return join(this.#serverFolder, "users.db");
  }

  get services(): RendezvousServer["services"] {
    return this.#server.services;
  }

  /** 0: the server has no plain port. */
  get plainPort(): number {
    return this.#server.plain?.port ?? 0;
  }

  async stopServer(): Promise<void> {
    if (!this.#serverRuns) return;
    this.#serverRuns = false;
    await this.#server.stop();
  }

  /** The same database again, on the same port. */
  async restartServer(options: Partial<RendezvousOptions> = {}): Promise<void> {
    const started = await serve(this.#serverFolder, { ...this.#options, tlsPort: this.port, ...options });
    this.#database = started.database;
    this.#server = started.server;
    this.#serverRuns = true;
  }

  /** A user's key and certificate by this server's authority, issued `age` ms ago. */
  identity(name: string, age = 0): TlsIdentity {
    return userIdentity(this.authority, name, age);
  }

  /** Makes an account with `PASSWORD`, unless there is one. */
  async addAccount(name: string): Promise<void> {
    passwordHash ??= cheapHash(PASSWORD);
    this.#database
      .query("INSERT OR IGNORE INTO users (username, password, email, fold) VALUES (?, ?, '', ?)")
      .run(name, await passwordHash, fold(name));
  }

  /** Opens this name's account and logs it in; makes it where there is none. */
  async person(name: string, options: PersonOptions = {}): Promise<Person> {
    const { folder, offline, ...more } = options;
    if (this.#serverRuns) await this.addAccount(name);
    const person = await openPerson(name, {
      dataFolder: join(this.folder, folder ?? label(name)),
      port: this.port,
      ...more,
    });
    this.#people.push(person);
    if (offline !== true) await person.account.connect();
    return person;
  }

  onClose(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  async close(): Promise<void> {
    for (const person of this.#people) await person.close();
    await this.stopServer();
    for (const cleanup of this.#cleanups) await cleanup();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let passwordHash: Promise<string> | undefined;

async function serve(
  folder: string,
  options: Partial<RendezvousOptions>,
): Promise<{ database: Database; server: RendezvousServer }> {
  const database = await openDatabase(join(folder, "users.db"));
  const now = options.now ?? Date.now;
  const server = await startServer({
    store: new SqliteStore(database, { now }),
    host: undefined,
    port: 0,
    plainFrom: "none",
    tlsPort: 0,
    identity: undefined,
    log: createLog("json", now, () => undefined),
    now,
    ...options,
  });
  return { database, server };
}

/** Opens an account, not yet logged in. */
export async function openPerson(
  name: string,
  options: Partial<OpenOptions> & { dataFolder: string; port: number },
): Promise<Person> {
  const events: MessengerEvent[] = [];
  const account = await Account.open({
    host: "127.0.0.1",
    user: name,
    expectedFingerprint: undefined,
    confirm: undefined,
    language: "en",
    p2pPort: 0,
    command: "test",
    password: async () => PASSWORD,
    // Most tests are not about who may write.
    who: "anyone",
    lan: false,
    ...options,
    onEvent: (event) => {
      events.push(event);
      changed();
    },
  });
  return new Person(name, account, events);
}

/** Dials this person with a good certificate, sends a text, and waits until it is acknowledged. @param from the own address */
export async function expectServed(person: Person, identity: TlsIdentity, from = "127.0.0.1"): Promise<void> {
  const peer = await RawPeer.dial(person.port, { identity, from });
  const hello = await peer.next().catch((error: unknown) => {
    const refused = person.events.filter(({ name }) => name === "refusal");
    throw new Error(`refused: ${JSON.stringify(refused.slice(-3))}`, { cause: error });
  });
  if (hello["action"] !== "hello") throw new Error(JSON.stringify(hello));
  const id = crypto.randomUUID();
  peer.send({ action: "hello", protocol: 1, username: peer.name, features: [] });
  peer.send({ message: "are you still there?", id });
  let answer = await peer.next();
  // Where the clock has jumped, their side may ask whether we are there.
  while (answer["action"] === "ping") answer = await peer.next();
  if (answer["action"] !== "delivered") throw new Error(JSON.stringify(answer));
  peer.send({ action: "bye" });
  await peer.closed;
}
