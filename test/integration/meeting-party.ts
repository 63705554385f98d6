/** A client at the meeting port, for tests: lines, and after `spliced` bytes. */
import { LineReader } from "../../src/protocol/meeting-messages.ts";
import type { Message } from "./rendezvous-test-client.ts";
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

  /** @param options `localPort`: to come from, as the client's link does */
  static async connect(
    port: number,
    options: { host?: string; localPort?: number } = {},
  ): Promise<MeetingParty> {
    const party = new MeetingParty();
    const near =
      options.localPort === undefined ? {} : { localAddress: "127.0.0.1", localPort: options.localPort };
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
