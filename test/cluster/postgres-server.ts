/** A rendezvous server in this process whose store is a PostgreSQL database. */
import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { fold } from "../../src/identity/names.ts";
import { createLog } from "../../src/server/log/log.ts";
import { startServer, type RendezvousServer } from "../../src/server/rendezvous-server.ts";
import { PostgresStore } from "../../src/server/store/postgres-store.ts";
import { cheapHash } from "../integration/cheap-hash.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  TestClient,
  type Message,
} from "../integration/rendezvous-test-client.ts";

export class PostgresServer {
  readonly server: RendezvousServer;
  readonly log: string[];

  private constructor(server: RendezvousServer, log: string[]) {
    this.server = server;
    this.log = log;
  }

  static async start(url: string): Promise<PostgresServer> {
    const lines: string[] = [];
    const log = createLog("json", Date.now, (line) => lines.push(line));
    const store = await PostgresStore.open(url, { now: Date.now, replaced: () => log.warn("replaced") });
    const server = await startServer({
      store,
      host: "127.0.0.1",
      port: 0,
      plainFrom: "none",
      tlsPort: 0,
      identity: undefined,
      log,
      now: Date.now,
    });
    return new PostgresServer(server, lines);
  }

  tls(): Promise<TestClient> {
    const { authority } = this.server.services.store;
    return TestClient.connect(this.server.tls.port, {
      tls: { ca: authority.certificate, serverName: RENDEZVOUS_DNS_NAME },
    });
  }

  /** An account with `PASSWORD`. */
  async add(name: string): Promise<void> {
    const { store } = this.server.services;
    await store.add({ username: name, password: await cheapHash(PASSWORD), email: "" });
  }

  /** A client that is logged in with a key of its own; its account is made where there is none. */
  async online(name: string): Promise<{ client: TestClient; login: Message; key: string }> {
    if ((await this.server.services.store.account(fold(name))) === undefined) await this.add(name);
    const client = await this.tls();
    const key = newPublicKey();
    const login = await client.ask(loginOf(name, { public_key: key }));
    if (login["success"] !== true) throw new Error(JSON.stringify(login));
    return { client, login, key };
  }

  isOnline(name: string): boolean {
    return this.server.services.presence.find(name) !== undefined;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
