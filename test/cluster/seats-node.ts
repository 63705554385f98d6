/** One node of a cluster in the test's own process: its seats and its memory of who is online, without connections. */
import { Presence } from "../../src/server/presence/presence.ts";
import type { OnlineUser, OwnUser } from "../../src/server/presence/online-user.ts";
import { SharedClock } from "../../src/server/shared/shared-clock.ts";
import { SharedSeats, type SharedTimes } from "../../src/server/shared/shared-seats.ts";
import type { SeatsUnderTest } from "../server/presence/seats-contract.ts";
import { FakeUser } from "../server/presence/fake-users.ts";

/** A lease of 4 s. */
export const TEST_TIMES: SharedTimes = { beat: 800, lease: 4_000, margin: 800, patience: 2_000 };

export class SeatsNode implements SeatsUnderTest {
  readonly presence = new Presence<OnlineUser, OwnUser>();
  readonly seats: SharedSeats;
  readonly clock: SharedClock;
  /** Names of the warnings and notes that were logged. */
  readonly logged: string[] = [];
  readonly revoked: string[] = [];
  readonly moved: string[] = [];
  readonly gone: string[] = [];

  constructor(
    url: string,
    { times = TEST_TIMES, now = Date.now }: { times?: SharedTimes; now?: () => number } = {},
  ) {
    this.clock = new SharedClock(now);
    this.seats = new SharedSeats({
      url,
      name: "node",
      presence: this.presence,
      moved: (fold) => this.moved.push(fold),
      changed: () => undefined,
      gone: ({ fold }) => this.gone.push(fold),
      revoked: (json) => this.revoked.push(json),
      missed: () => undefined,
      log: {
        info: (event) => this.logged.push(event),
        warn: (event) => this.logged.push(event),
        error: (event, error) => this.logged.push(`${event} ${String(error)}`),
      },
      clock: this.clock,
      times,
    });
    this.seats.start();
  }

  async ready(): Promise<void> {
    await until(() => this.seats.isReady);
  }

  /** What was told of before has been read. */
  async settled(): Promise<void> {
    await until(() => this.seats.owed === 0);
    const mark = crypto.randomUUID();
    this.seats.revoked(mark);
    await until(() => this.revoked.includes(mark));
  }

  stop(): Promise<void> {
    return this.seats.stop();
  }

  /** Somebody comes online here. */
  async online(fold: string, device?: string, replaces = false): Promise<FakeUser> {
    const user = new FakeUser(this.seats, fold, device);
    const taken = await user.take(replaces);
    if (taken !== "ok") throw new Error(`${fold}: ${taken}`);
    return user;
  }

  /** Who is online, as this node knows: names, and owners of those at other nodes. */
  get names(): string[] {
    return this.presence.all().map(({ fold }) => fold);
  }
}

/** Waits until this holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(2);
}
