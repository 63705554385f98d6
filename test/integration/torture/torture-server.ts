/** The server of the torture run: a process that is started again, on the same file, whenever it was killed. */
import { ServerProcess } from "../server-process.ts";
import { CuttingProxy } from "./cutting-proxy.ts";

export class TortureServer {
  /** Its port is the server's in the eyes of the clients. */
  readonly proxy = new CuttingProxy();
  kills = 0;
  readonly #database: string;
  readonly #flags: readonly string[];
  readonly #failed: (why: string) => void;
  readonly #started = Promise.withResolvers<void>();
  #process: ServerProcess | undefined;
  #isEnding = false;

  constructor(database: string, failed: (why: string) => void, flags: readonly string[] = []) {
    this.#database = database;
    this.#flags = flags;
    this.#failed = failed;
  }

  /** Resolves when it can be reached for the first time. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Runs it, again and again, until `stop`. */
  async run(): Promise<void> {
    while (!this.#isEnding) await this.#live();
  }

  async #live(): Promise<void> {
    const ports = ["--port", "0", "--tls-port", "0", "--host", "127.0.0.1"];
    const server = new ServerProcess([...ports, "--db", this.#database, "--log", "json", ...this.#flags]);
    this.#process = server;
    const ended = server.exited.then(() => undefined);
    const isUp = await server.started().catch((error: unknown) => error);
    if (Array.isArray(isUp)) {
      this.proxy.target = server.tlsPort;
      this.#started.resolve();
    }
    await ended;
    this.proxy.target = undefined;
    if (server.process.signalCode === "SIGKILL") return;
    this.#isEnding = true;
    const why = `the server ended: ${await server.stderr}`;
    this.#started.reject(new Error(why));
    this.#failed(why);
  }

  kill(): void {
    if (this.#process === undefined || this.#process.process.killed) return;
    this.kills++;
    this.#process.kill("SIGKILL");
  }

  stop(): void {
    this.#isEnding = true;
    this.#process?.kill("SIGKILL");
    this.proxy.stop();
  }
}
