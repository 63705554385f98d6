/**
 * What people see of the server and of who is online there. The messenger works with the actual state; on
 * screens a short outage does not show, and what is asked during one waits for its end.
 */
import type { Clock } from "../../net/clock.ts";
import { PresenceHold, type HeldPerson } from "./presence-hold.ts";
import { isTransient, type RendezvousState } from "./session.ts";

/** A server that is back sooner was never shown as away, in ms. */
export const BRIEF_OUTAGE = 10_000;

type OutageState =
  /** Never online, or shown as away. */
  | { readonly name: "shown" }
  | { readonly name: "online" }
  | { readonly name: "brief"; readonly since: number; readonly last: RendezvousState };

/** Decides which states of the session are shown. */
export class ServerOutage {
  #state: OutageState = { name: "shown" };

  /** Whether the server was lost a moment ago, which does not show yet. */
  get isBrief(): boolean {
    return this.#state.name === "brief";
  }

  /** @param now ms that never go back @returns whether this state is shown now */
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
        // In a brief outage it stands between two attempts; elsewhere no further attempt follows.
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

  /** The state to show now that the outage is no longer brief; undefined also while an attempt is under way. */
  overdue(now: number): RendezvousState | undefined {
    if (this.#state.name !== "brief" || now - this.#state.since < BRIEF_OUTAGE) return undefined;
    const { last } = this.#state;
    this.#state = { name: "shown" };
    return last.name === "waiting" ? last : undefined;
  }
}

export type ShownServerNeeds = {
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
  /** One for each dial and each question of a person that is under way. */
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  constructor(needs: ShownServerNeeds) {
    this.#needs = needs;
  }

  /** Whether the server was lost a moment ago, which does not show yet. */
  get isBrieflyAway(): boolean {
    return this.#outage.isBrief;
  }

  /** Shown as online although the server, which is back, does not list them yet. */
  get held(): readonly HeldPerson[] {
    return this.#hold.held;
  }

  state(state: RendezvousState): void {
    const now = this.#needs.clock.monotonic();
    const isShown = this.#outage.take(state, now);
    if (state.name === "online") this.#hold.back(now, !isShown);
    else this.#hold.lost(now);
    if (isShown) this.#needs.showState(state);
    this.#look();
  }

  presence(username: string, online: boolean): void {
    if (this.#hold.changed(username, online)) this.#needs.showPresence(username, online);
    this.#look();
  }

  /** To be called about once a second. */
  tick(): void {
    const now = this.#needs.clock.monotonic();
    const overdue = this.#outage.overdue(now);
    if (overdue !== undefined) this.#needs.showState(overdue);
    for (const username of this.#hold.expired(now)) {
      if (this.#needs.isWatched(username)) this.#needs.showPresence(username, false);
    }
    this.#look();
  }

  /**
   * The server's list of who is online. Waits for the end of a brief outage, and until the others have had
   * time to return as well. @throws as `ask`
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
    this.#hold.listed(people, this.#needs.clock.monotonic());
    return people;
  }

  /**
   * Dials somebody, and once more when the failure is only that the server cannot say yet where they are.
   * @returns as `dial`; undefined also when the signal has ended the attempt
   */
  async dial<Failure extends string>(
    username: string,
    dial: () => Promise<Failure | undefined>,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const failure = await dial();
    const isAwaited = () => this.#outage.isBrief || this.#hold.isHeld(username);
    if ((failure !== "no_server" && failure !== "offline") || !isAwaited()) return failure;
    const look = () => this.#look();
    signal.addEventListener("abort", look, { once: true });
    await this.#until(() => signal.aborted || !isAwaited());
    signal.removeEventListener("abort", look);
    if (signal.aborted) return undefined;
    return this.#closed ? failure : dial();
  }

  /** Ends every wait. */
  close(): void {
    this.#closed = true;
    this.#look();
  }

  async #othersAreBack(): Promise<void> {
    const { clock } = this.#needs;
    const at = this.#hold.completeAt;
    if (at === undefined || clock.monotonic() >= at) return;
    clock.after(at - clock.monotonic(), () => this.#look());
    await this.#until(() => clock.monotonic() >= at);
  }

  #until(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ isOver, resolve });
      this.#look();
    });
  }

  #look(): void {
    for (const waiter of [...this.#waiters]) {
      if (!this.#closed && !waiter.isOver()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
