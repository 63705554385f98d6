/**
 * What people see of the server and of who is online by its word. The messenger works with the truth; a
 * restart that is over soon shows on nobody's screen, and what is asked meanwhile waits for it.
 */
import type { Clock } from "../../net/clock.ts";
import type { UnreachableReason } from "../conversation/events.ts";
import { PresenceHold, type HeldPerson } from "./presence-hold.ts";
import { isTransient, type RendezvousState } from "./session.ts";
import { ServerOutage } from "./server-outage.ts";

export type ShownServerHost = {
  readonly clock: Clock;
  tellState(state: RendezvousState): void;
  tellPresence(username: string, online: boolean): void;
  /** Whether the server has taken it upon itself to tell of this person. */
  isWatched(username: string): boolean;
};

type Waiter = { readonly isOver: () => boolean; readonly resolve: () => void };

export class ShownServer {
  readonly #host: ShownServerHost;
  readonly #outage = new ServerOutage();
  readonly #hold = new PresenceHold();
  /** One for each dial and each question of a person that is under way. */
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  constructor(host: ShownServerHost) {
    this.#host = host;
  }

  /** Whether the server was lost a moment ago, and nobody was told. */
  get isBrieflyAway(): boolean {
    return this.#outage.isUntold;
  }

  /** Shown as online though the server, which is there again, does not name them yet. */
  get held(): readonly HeldPerson[] {
    return this.#hold.held;
  }

  state(state: RendezvousState): void {
    const now = this.#host.clock.monotonic();
    const isTold = this.#outage.take(state, now);
    if (state.name === "online") this.#hold.back(now, !isTold);
    else this.#hold.lost(now);
    if (isTold) this.#host.tellState(state);
    this.#look();
  }

  presence(username: string, online: boolean): void {
    if (this.#hold.news(username, online)) this.#host.tellPresence(username, online);
    this.#look();
  }

  /** To be called about once a second. */
  tick(): void {
    const now = this.#host.clock.monotonic();
    const overdue = this.#outage.overdue(now);
    if (overdue !== undefined) this.#host.tellState(overdue);
    for (const username of this.#hold.expired(now)) {
      if (this.#host.isWatched(username)) this.#host.tellPresence(username, false);
    }
    this.#look();
  }

  /**
   * The server's list of who is online; one that is away for a moment is waited for, and so are those who come
   * back to it as we do. @throws as `ask`
   */
  async list<P extends HeldPerson>(ask: () => Promise<readonly P[]>): Promise<readonly P[]> {
    let people: readonly P[];
    await this.#othersAreBack();
    try {
      people = await ask();
    } catch (error) {
      if (!isTransient(error) || !this.#outage.isUntold) throw error;
      await this.#until(() => !this.#outage.isUntold);
      await this.#othersAreBack();
      people = await ask();
    }
    this.#hold.listed(people, this.#host.clock.monotonic());
    return people;
  }

  /**
   * Dials somebody; once more where only the server's word was missing that is about to come.
   * @returns as `dial`, undefined also when the signal says that the attempt was given up
   */
  async dial(
    username: string,
    dial: () => Promise<UnreachableReason | undefined>,
    signal: AbortSignal,
  ): Promise<UnreachableReason | undefined> {
    const failure = await dial();
    const isAwaited = () => this.#outage.isUntold || this.#hold.isHeld(username);
    if ((failure !== "no_server" && failure !== "offline") || !isAwaited()) return failure;
    const look = () => this.#look();
    signal.addEventListener("abort", look, { once: true });
    await this.#until(() => signal.aborted || !isAwaited());
    signal.removeEventListener("abort", look);
    if (signal.aborted) return undefined;
    return this.#closed ? failure : dial();
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#closed = true;
    this.#look();
  }

  async #othersAreBack(): Promise<void> {
    const { clock } = this.#host;
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
