/** Whether the server is ready, for load balancers and supervisors. */
import { errorCode } from "../../net/error-code.ts";
import type { Log } from "../log/log.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";

export type ReadyState = "ready" | "starting" | "closing" | "database_unavailable" | "shared_unavailable";

/** A check of the store: when it began, in ms, and the code of its error if it failed. */
type Check = { readonly at: number; readonly fault: Promise<string | undefined> };

type State =
  | { readonly name: "starting" }
  | { readonly name: "started"; readonly server: RendezvousServer; readonly checked: Check };

export class Readiness {
  readonly #clock: () => number;
  readonly #log: Log;
  #state: State = { name: "starting" };

  /** @param clock ms that never go back. */
  constructor(clock: () => number, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined until the server has started. */
  get server(): RendezvousServer | undefined {
    return this.#state.name === "started" ? this.#state.server : undefined;
  }

  started(server: RendezvousServer): void {
    const checked = { at: -Infinity, fault: Promise.resolve(undefined) };
    this.#state = { name: "started", server, checked };
  }

  /** @param maxAge longest age of the last check of the store, in ms, so that frequent calls are cheap. */
  async state(maxAge: number): Promise<ReadyState> {
    if (this.#state.name === "starting") return "starting";
    const { server } = this.#state;
    if (server.services.isClosing()) return "closing";
    let { checked } = this.#state;
    const now = this.#clock();
    if (now - checked.at >= maxAge) {
      checked = { at: now, fault: this.#check(server, checked.fault) };
      this.#state = { name: "started", server, checked };
    }
    if ((await checked.fault) !== undefined) return "database_unavailable";
    return server.services.shared?.isReady === false ? "shared_unavailable" : "ready";
  }

  async #check(server: RendezvousServer, last: Check["fault"]): Promise<string | undefined> {
    const before = await last;
    const fault = await server.services.store.check().then(() => undefined, errorCode);
    if (fault !== undefined && fault !== before) this.#log.warn("database_unavailable", { code: fault });
    if (fault === undefined && before !== undefined) this.#log.info("database_available");
    return fault;
  }
}
