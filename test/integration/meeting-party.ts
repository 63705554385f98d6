/** A client at the meeting port, for tests: lines, and after `spliced` bytes. */
import { label } from "../../src/identity/names.ts";
import type { TlsContext } from "../../src/net/tls.ts";
import { LineReader } from "../../src/protocol/meeting-messages.ts";
import type { Message } from "./rendezvous-test-client.ts";
import type { TestServer } from "./rendezvous-test-server.ts";
import { UnsentBytes } from "./unsent-bytes.ts";

export class MeetingParty {
  readonly lines: Message[] = [];
  /** What came after `passed`. */
  bytes = "";
  readonly closed: Promise<void>;
  port = 0;
  #taken = 0;
  #socket!: Bun.Socket<undefined>;
  readonly #reader = new LineReader();
  readonly #unsent = new UnsentBytes();
  #isPassing = false;
  #waiting: (() => void)[] = [];
  #markClosed: () => void = () => undefined;
  #isClosed = false;

  constructor() {
    this.closed = new Promise((resolve) => (this.#markClosed = resolve));
  }

  /** @param options `from`, `localPort`: to come from, as the client's link does */
  static async connect(
    port: number,
    options: { host?: string; from?: string; localPort?: number } = {},
  ): Promise<MeetingParty> {
    const party = new MeetingParty();
    const { from: localAddress = "127.0.0.1", localPort = 0 } = options;
    const near = options.host === undefined ? { localAddress, localPort } : {};
    await Bun.connect({
      hostname: options.host ?? "127.0.0.1",
      port,
      ...near,
      socket: {
        open(socket) {
          party.#socket = socket as Bun.Socket<undefined>;
          party.port = socket.localPort;
        },
        data: (_socket, chunk) => party.#read(chunk),
        drain: () => party.#unsent.flush(party.#socket),
        error: () => undefined,
        close() {
          party.#isClosed = true;
          party.#markClosed();
          party.#wake();
        },
      },
    });
    return party;
  }

  say(line: Message): void {
    this.write(`${JSON.stringify(line)}\n`);
  }

  write(bytes: string | Uint8Array): void {
    this.#unsent.add(bytes);
    this.#unsent.flush(this.#socket);
  }

  /** The next line; undefined when the server has closed the connection. */
  async next(): Promise<Message | undefined> {
    while (this.lines.length <= this.#taken) {
      if (this.#isClosed) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.lines[this.#taken++];
  }

  /** Takes a seat, and answers both pings. */
  async sit(ticket: unknown, more: Message = {}): Promise<void> {
    this.say({ action: "meet", ticket, ...more });
    for (let ping = 0; ping < 2; ping++) this.say({ action: "pong", n: (await this.next())?.["n"] });
  }

  /** Takes what comes as bytes from now on. */
  pass(): void {
    this.#isPassing = true;
    this.bytes += Buffer.from(this.#reader.takeRest()).toString();
  }

  /** Begins TLS. @returns the first bytes of the other, decrypted, once the handshake is done and `greeting` sent */
  secure(role: "acceptor" | "dialler", context: TlsContext, greeting: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    // Bun's types lack the accepting role.
    const socket = this.#socket as unknown as { upgradeTLS(options: object): unknown };
    this.#isPassing = true;
    socket.upgradeTLS({
      isServer: role === "acceptor",
      tls: context,
      socket: {
        handshake(tls: Bun.Socket, done: boolean, error: Error | null) {
          if (done && error === null) tls.write(greeting);
          else reject(error ?? new Error("no handshake"));
        },
        data: (_tls: Bun.Socket, chunk: Buffer) => resolve(chunk.toString()),
        close: () => reject(new Error("closed")),
        error: (_tls: Bun.Socket, error: Error) => reject(error),
      },
    });
    return promise;
  }

  pause(): void {
    this.#socket.pause();
  }

  async until(text: string): Promise<void> {
    while (this.bytes !== text && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#socket.terminate();
  }

  #read(chunk: Buffer): void {
    if (this.#isPassing) this.bytes += chunk.toString();
    else {
      this.#reader.push(chunk);
      for (let line = this.#reader.next(); line !== undefined; line = this.#reader.next()) {
        if (line === "fault") throw new Error("the server has said no line");
        this.lines.push(line);
      }
    }
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Two clients of this server who are relayed: the acceptor and the dialler, whose bytes may flow. */
export async function relayedPair(
  server: TestServer,
  names: readonly [string, string],
  purpose = "chat",
): Promise<[MeetingParty, MeetingParty]> {
  const isDecider = label(names[0]) < label(names[1]);
  const [acceptor, dialler] = isDecider ? names : ([names[1], names[0]] as const);
  const clients = [await server.online(acceptor), await server.online(dialler)] as const;
  for (const { client } of clients) await client.ask({ action: "reach" });
  const response = await clients[0].client.ask({ action: "connect", target_user: dialler, purpose });
  const request = await clients[1].client.answer();
  const [place] = server.server.services.meetingPlaces();
  const parties: [MeetingParty, MeetingParty] = [
    await MeetingParty.connect(place?.port ?? 0),
    await MeetingParty.connect(place?.port ?? 0),
  ];
  for (const [side, { ticket }] of [response, request].entries()) {
    await parties[side]?.sit(ticket, { relay: true });
  }
  for (const { client } of clients) await client.answer();
  for (const party of parties) party.say({ action: "relay" });
  await parties[0].next();
  parties[0].pass();
  parties[0].say({ action: "ready" });
  await parties[1].next();
  parties[1].pass();
  for (const { client } of clients) client.close();
  return parties;
}
