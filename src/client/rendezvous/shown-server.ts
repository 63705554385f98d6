/**
 * The state of the server and of people's presence as screens show it. The messenger works with the actual
 * state; screens do not show a short outage, and lists and dials requested during one wait for its end.
 */
import type { Clock } from "../../net/clock.ts";
import { PresenceHold, type HeldPerson } from "./presence-hold.ts";
import { isTransient } from "./server-errors.ts";
import type { RendezvousState } from "./session.ts";

/** An outage shorter than this is not shown, in ms. */
export const BRIEF_OUTAGE = 10_000;

type OutageState =
  /** Never online yet, or shown as away. */
  | { readonly name: "shown" }
  | { readonly name: "online" }
  | { readonly name: "brief"; readonly since: number; readonly last: RendezvousState };

/** Decides which states of the session are shown. */
export class ServerOutage {
  #state: OutageState = { name: "shown" };

  /** Whether the server is away and screens do not show it yet. */
  get isBrief(): boolean {
    return this.#state.name === "brief";
  }

  /** @param now ms, never set back @returns whether to show this state now */
  take(state: RendezvousState, now: number): boolean {
    const before = this.#state;
    switch (state.name) {
      case "online":
        this.#state = { name: "online" };
        return before.name !== "brief";
      case "waiting":
      case "connecting":
        if (before.name === "shown") return true;
        this.#state = { name: "brief", since: before.name === "brief" ? before.since : now, last: state };
        return false;
      case "offline":
        // During a brief outage the session is offline between two attempts; otherwise no attempt follows.
        if (before.name === "brief") this.#state = { ...before, last: state };
        else this.#state = { name: "shown" };
        return before.name !== "brief";
      case "stopped":
        this.#state = { name: "shown" };
        return true;
      default:
        return state satisfies never;
    }
  }

  /** The state to show once the outage is no longer brief; undefined: none, or an attempt is under way. */
  overdue(now: number): RendezvousState | undefined {
    if (this.#state.name !== "brief" || now - this.#state.since < BRIEF_OUTAGE) return undefined;
    const { last } = this.#state;
    this.#state = { name: "shown" };
    return last.name === "waiting" ? last : undefined;
  }
}

type ShownServerNeeds = {
  readonly clock: Clock;
  showState(state: RendezvousState): void;
  showPresence(username: string, online: boolean): void;
  /** Whether the server reports changes of this person's presence. */
  isWatched(username: string): boolean;
};

type Waiter = { readonly isOver: () => boolean; readonly resolve: () => void };

export class ShownServer {
  readonly #needs: ShownServerNeeds;
  readonly #outage = new ServerOutage();
  readonly #hold = new PresenceHold();
  /** One for each dial and each list that waits for the end of an outage. */
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  constructor(needs: ShownServerNeeds) {
    this.#needs = needs;
  }

  /** Whether the server is away and screens do not show it yet. */
  get isBrieflyAway(): boolean {
    return this.#outage.isBrief;
  }

  /** Shown as online although the server, which is back, does not list them yet. */
  get held(): readonly HeldPerson[] {
    return this.#hold.held;
  }

  /** Whether the server has reported somebody online. */
  isOnline(label: string): boolean {
    return this.#hold.isOnline(label);
  }

  /** The labels of those whom the server has listed last. */
  get listed(): ReadonlySet<string> {
    return this.#hold.listed;
  }

  state(state: RendezvousState): void {
    const now = this.#needs.clock.monotonic();
    const isShown = this.#outage.take(state, now);
    if (state.name === "online") this.#hold.back(now, !isShown);
    else this.#hold.lost(now);
    if (isShown) this.#needs.showState(state);
    this.#resolveWaiters();
  }

  presence(username: string, online: boolean): void {
    if (this.#hold.changed(username, online)) this.#needs.showPresence(username, online);
    this.#resolveWaiters();
  }

  /** To be called about once a second. */
  tick(): void {
    const now = this.#needs.clock.monotonic();
    const overdue = this.#outage.overdue(now);
    if (overdue !== undefined) this.#needs.showState(overdue);
    for (const username of this.#hold.expired(now)) {
      if (this.#needs.isWatched(username)) this.#needs.showPresence(username, false);
    }
    this.#resolveWaiters();
  }

  /**
   * The server's list of who is online. Waits for the end of a brief outage, and until the other clients have
   * had time to return too. @throws as `ask`
   */
  async list<P extends HeldPerson>(ask: () => Promise<readonly P[]>): Promise<readonly P[]> {
    let people: readonly P[];
    await this.#othersAreBack();
    try {
      people = await ask();
    } catch (error) {
      if (!isTransient(error) || !this.#outage.isBrief) throw error;
      await this.#until(() => !this.#outage.isBrief);
      await this.#othersAreBack();
      people = await ask();
    }
    this.#hold.list(people, this.#needs.clock.monotonic());
    return people;
  }

  /**
   * Dials a person, and dials again if the first attempt failed only because the server or the person had not
   * returned yet. @returns as `dial`; undefined also if `signal` is aborted
   */
  async dial<Failure extends string>(
    label: string,
    dial: () => Promise<Failure | undefined>,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const failure = await dial();
    const isAwaited = () => this.#outage.isBrief || this.#hold.isHeld(label);
    if ((failure !== "no_server" && failure !== "offline") || !isAwaited()) return failure;
    const onAbort = () => this.#resolveWaiters();
    signal.addEventListener("abort", onAbort, { once: true });
    await this.#until(() => signal.aborted || !isAwaited());
    signal.removeEventListener("abort", onAbort);
    if (signal.aborted) return undefined;
    return this.#closed ? failure : dial();
  }

  /** Ends every wait. */
  close(): void {
    this.#closed = true;
    this.#resolveWaiters();
  }

  async #othersAreBack(): Promise<void> {
    const { clock } = this.#needs;
    const at = this.#hold.completeAt;
    if (at === undefined || clock.monotonic() >= at) return;
    clock.after(at - clock.monotonic(), () => this.#resolveWaiters());
    await this.#until(() => clock.monotonic() >= at);
  }

  #until(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ isOver, resolve });
      this.#resolveWaiters();
    });
  }

  #resolveWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      if (!this.#closed && !waiter.isOver()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
