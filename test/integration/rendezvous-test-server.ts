/** A rendezvous server in this process, on free ports and in a folder of its own. */
import type { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDatabase } from "../../src/server/database/database.ts";
import { createLog } from "../../src/server/log/log.ts";
import { hashPassword } from "../../src/server/database/password-hash.ts";
import {
  startServer,
  type RendezvousOptions,
  type RendezvousServer,
} from "../../src/server/rendezvous-server.ts";
import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { fold } from "../../src/identity/names.ts";
import { newToken } from "../../src/server/store/session-token.ts";
import { SqliteStore } from "../../src/server/store/sqlite-store.ts";
import type { Store } from "../../src/server/store/store.ts";
import { cheapHash } from "./cheap-hash.ts";
import { loginOf, newPublicKey, PASSWORD, TestClient, type Message } from "./rendezvous-test-client.ts";

let passwordHash: Promise<string> | undefined;

export class TestServer {
  readonly folder: string;
  readonly database: Database;
  readonly server: RendezvousServer;
  readonly log: string[];
  readonly clients: TestClient[] = [];
  #stopped = false;

  constructor(parts: { folder: string; database: Database; server: RendezvousServer; log: string[] }) {
    this.folder = parts.folder;
    this.database = parts.database;
    this.server = parts.server;
    this.log = parts.log;
  }

  /**
   * @param parent where its folder is made.
   * @param wrap what the server uses in the place of its store.
   */
  static async start(
    options: Partial<RendezvousOptions> = {},
    parent = tmpdir(),
    wrap = (store: Store) => store,
  ): Promise<TestServer> {
    const folder = mkdtempSync(join(parent, "paloma-server-"));
    const database = await openDatabase(join(folder, "users.db"));
    const lines: string[] = [];
    const now = options.now ?? Date.now;
    const store = new SqliteStore(database, {
      now,
      clock: options.clock,
      observe: (took) => options.metrics?.database(took),
    });
    const server = await startServer({
      store: wrap(store),
      host: undefined,
      port: 0,
      plainFrom: "loopback",
      tlsPort: 0,
      identity: undefined,
      log: createLog("json", now, (line) => lines.push(line)),
      now,
      ...options,
    });
    return new TestServer({ folder, database, server, log: lines });
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  get plainPort(): number {
    return this.server.plain?.port ?? 0;
  }

  get tlsPort(): number {
    return this.server.tls.port;
  }

  /** The authority's certificate, in PEM. */
  get authority(): string {
    const row = this.database.query<{ certificate: string }, []>("SELECT certificate FROM authority").get();
    return row?.certificate ?? "";
  }

  async plain(options: { host?: string; from?: string; paused?: boolean } = {}): Promise<TestClient> {
    return this.#keep(await TestClient.connect(this.plainPort, options));
  }

  /**
   * @param options `from`: the address of this machine to come from, as 127.0.0.2; `unverified`: the server's clock,
   *   and so the dates of its certificate, are not this process's.
   */
  async tls({ unverified, ...options }: { from?: string; unverified?: true } = {}): Promise<TestClient> {
    const tls = {
      ca: this.authority,
      serverName: RENDEZVOUS_DNS_NAME,
      rejectUnauthorized: unverified !== true,
    };
    return this.#keep(await TestClient.connect(this.tlsPort, { tls, ...options }));
  }

  /** Puts accounts with `PASSWORD` into the database. To verify it takes next to no time. */
  async addAccounts(...names: string[]): Promise<void> {
    passwordHash ??= cheapHash(PASSWORD);
    this.#insert(names, await passwordHash);
  }

  /** As `addAccounts`, for one whose password takes as long to verify as any that the server has hashed. */
  async addSlowAccount(name: string): Promise<void> {
    this.#insert([name], await hashPassword(PASSWORD));
  }

  /** A token of this account for this key (in base64), as a login would give it. */
  async token(name: string, key: string): Promise<string> {
    const { store } = this.server.services;
    const found = await store.account(fold(name));
    const { token, hash } = newToken();
    if (found === undefined) throw new Error(`there is no ${name}`);
    await store.issue(found.account, hash, Buffer.from(key, "base64"));
    return token;
  }

  #insert(names: readonly string[], hash: string): void {
    const insert = this.database.query(
      "INSERT INTO users (username, password, email, fold) VALUES (?, ?, '', ?)",
    );
    this.database.transaction(() => {
      for (const name of names) insert.run(name, hash, fold(name));
    })();
  }

  /** A client that is logged in over TLS with a key of its own; its account is made where there is none. */
  async online(
    name: string,
    more: Message = {},
  ): Promise<{ client: TestClient; login: Message; key: string }> {
    if (this.database.query("SELECT 1 FROM users WHERE fold = ?").get(fold(name)) === null) {
      await this.addAccounts(name);
    }
    const client = await this.tls();
    const key = newPublicKey();
    const login = await client.ask(loginOf(name, { public_key: key, ...more }));
    if (login["success"] !== true) throw new Error(JSON.stringify(login));
    return { client, login, key };
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const client of this.clients) client.close();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #keep(client: TestClient): TestClient {
    this.clients.push(client);
    return client;
  }
}
