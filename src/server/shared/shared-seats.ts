/**
 * The seats of several servers, the nodes of a cluster. Valkey is the referee: who enters and leaves does so there in one
 * step, and each change is an event of one stream, from which every node has everybody online in memory. A node acts only
 * under a lease that it renews; without one, logins are busy and everything else goes on from memory.
 *
 * 1. BEAT, every 2 s: renews the lease. Its answer tells whether the node was given up meanwhile, or Valkey has lost
 *    data: then every session enters again.
 * 2. The reader (one connection that does nothing else): events in their order, by number. After a gap a snapshot.
 * 3. ENTER for a login, LEAVE for an end. A LEAVE that is not confirmed is owed, and said again after each BEAT.
 * 4. Nodes whose lease has ended are reaped by the others.
 */
import { randomBytes } from "node:crypto";

import type { Log } from "../log/log.ts";
import type { OnlineSession, OnlineUser, OwnUser } from "../presence/online-user.ts";
import type { Presence } from "../presence/presence.ts";
import { Claim, Claims, leave, type Moved, type Seats, type Taken } from "../presence/seats.ts";
import { Lease, type LeaseTimes } from "./lease.ts";
import { NewsReader } from "./news-reader.ts";
import { restOf } from "./record.ts";
import { RemoteNodes } from "./remote-nodes.ts";
import { Replica, type OwnSeat } from "./replica.ts";
import { BEAT, END, ENTER, LEAVE, leaseOf, MOVE, pushesTo, REAP, REVOKED } from "./scripts.ts";
import type { SharedClock } from "./shared-clock.ts";
import { Valkey, ValkeyBusy, type ValkeyCounts } from "./valkey.ts";

/** In ms. `patience`: how long Valkey may take for an answer. */
export type SharedTimes = LeaseTimes & { readonly patience: number };
export const SHARED_TIMES: SharedTimes = { beat: 2_000, lease: 10_000, margin: 2_000, patience: 2_000 };

/** Sessions that enter, or leave, at once after an outage; users of a dead node removed in one step. */
const ENTER_BATCH = 500;
const REAP_BATCH = 200;
/** How often it is looked whether the news have been read, in ms. */
const CATCH_UP = 10;
/** How long a stop waits for sessions that leave, in ms. */
const STOP_PATIENCE = 1_000;

export type SharedSeatsOptions = {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** The node's name, which gets a random end at each start. */
  readonly name: string;
  readonly presence: Presence<OnlineUser, OwnUser>;
  readonly moved: Moved;
  readonly changed: (user: OnlineUser) => void;
  readonly gone: (user: OnlineUser) => void;
  readonly revoked: (json: string) => void;
  /** Events may have been missed, and revocations and ends among them. */
  readonly missed: () => void;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** Is told Valkey's time. */
  readonly clock: SharedClock;
  readonly times?: SharedTimes;
};

/** Numbers for the operator since the start. */
export type SharedCounts = {
  readonly gaps: number;
  readonly snapshots: number;
  readonly reentered: number;
  readonly replaced: number;
  readonly reaped: number;
};

export class SharedSeats implements Seats {
  readonly node: string;
  readonly #options: SharedSeatsOptions;
  readonly #times: SharedTimes;
  /** For all that does not block. */
  readonly commands: Valkey;
  readonly #news: Valkey;
  readonly #lease: Lease;
  readonly #reader: NewsReader;
  readonly #counts = { reentered: 0, replaced: 0, reaped: 0 };
  readonly #claims = new Claims();
  readonly #seats = new Map<Claim, OwnSeat>();
  readonly #bySid = new Map<string, OwnSeat>();
  readonly #nodes: RemoteNodes;
  /** Seats that were left, and whose LEAVE is not confirmed. */
  readonly #owed = new Map<string, string>();
  /** Users whose MOVE is not confirmed. */
  readonly #moving = new Set<OwnSeat>();
  #sids = 0;
  #mustReenter = false;
  #isReentering = false;
  #reaping = new Set<string>();
  /** Ends the pause between two BEATs. */
  #beatNow: () => void = () => undefined;
  #phase: "running" | "stopping" | "stopped" = "running";
  #isBusy = false;

  constructor(options: SharedSeatsOptions) {
    const { url, name, presence, moved, changed, gone, revoked, times = SHARED_TIMES } = options;
    this.node = `${name}.${randomBytes(6).toString("hex")}`;
    this.#options = options;
    this.#times = times;
    this.commands = new Valkey(url, times.patience);
    this.#news = new Valkey(url, times.patience);
    this.#lease = new Lease(times);
    this.#nodes = new RemoteNodes(this.commands, options.log, (error) => this.#failed(error));
    const replica = new Replica(this.node, {
      presence,
      claims: this.#claims,
      own: this.#bySid,
      seatOf: (claim) => this.#seats.get(claim),
      node: (of) => this.#nodes.of(of),
      moved,
      changed,
      gone,
      replaced: (seat) => this.#replaced(seat),
      unknown: (fold, sid) => this.#owe(fold, sid),
      revoked,
    });
    this.#reader = new NewsReader({
      valkey: this.#news,
      node: this.node,
      replica,
      pushed: (sid, json) => this.#bySid.get(sid)?.user.session.push(JSON.parse(json) as object),
      doubted: () => this.#beatNow(),
      snapshotRead: (missing) => {
        options.missed();
        return this.#enterAgain(missing).catch((error: unknown) => {
          this.#mustReenter = true;
          throw error;
        });
      },
      failed: (error) => this.#failed(error),
    });
  }

  start(): void {
    void this.#keepLease();
    this.#reader.start();
  }

  get isOpen(): boolean {
    return this.isReady && this.#phase === "running";
  }

  /** Whether this node knows who is online, and may say so. */
  get isReady(): boolean {
    return this.#reader.isReady && this.isLeased;
  }

  get isLeased(): boolean {
    return this.#lease.isHeld(performance.now());
  }

  /** Events that were told and not yet read. */
  get lag(): number {
    return this.#reader.lag;
  }

  get counts(): SharedCounts {
    return { ...this.#counts, ...this.#reader.counts };
  }

  get owed(): number {
    return this.#owed.size;
  }

  /** By how much this machine's clock is ahead of Valkey's, in ms. */
  get skew(): number {
    return this.#options.clock.skew;
  }

  get valkey(): ValkeyCounts {
    const [one, two] = [this.commands.counts, this.#news.counts];
    return {
      commands: one.commands + two.commands,
      errors: one.errors + two.errors,
      seconds: one.seconds + two.seconds,
    };
  }

  claim(fold: string, session: OnlineSession): Claim {
    const claim = new Claim(fold, session);
    this.#claims.add(claim);
    return claim;
  }

  async take(claim: Claim, user: OwnUser, replaces: boolean): Promise<Taken> {
    if (!this.isOpen) return "busy";
    const seat: OwnSeat = { claim, sid: String(++this.#sids), user, isEntered: false, isSeen: false };
    this.#seats.set(claim, seat);
    this.#bySid.set(seat.sid, seat);
    const taken = await this.#enter(seat, replaces).catch(() => "busy" as const);
    if (taken === "ok") {
      seat.isEntered = true;
      return "ok";
    }
    // Whether it was done is not known after a failure.
    if (taken === "busy") this.leave(claim);
    else this.#drop(seat);
    return taken === "fenced" ? "busy" : taken;
  }

  leave(claim: Claim): void {
    const seat = this.#seats.get(claim);
    this.#claims.delete(claim);
    if (seat === undefined) return;
    this.#drop(seat);
    leave(this.#options.presence, seat.user);
    this.#owe(seat.user.fold, seat.sid);
  }

  changed(user: OnlineUser): void {
    for (const claim of this.#claims.of(user.fold)) {
      const seat = this.#seats.get(claim);
      if (seat?.user === user) this.#moving.add(seat);
    }
    this.#move();
  }

  async end(fold: string, why: string): Promise<void> {
    await this.commands.run(END, [fold, why]).catch((error: unknown) => {
      // Whoever reads the accounts again ends it within a minute.
      this.#options.log.error("end_not_told", error, { why });
    });
    for (const claim of this.#claims.of(fold)) claim.end(why);
  }

  /** Tells every node of a revocation, before an `end` that follows. Never fails. */
  revoked(json: string): void {
    this.commands.run(REVOKED, [json]).catch((error: unknown) => {
      this.#options.log.error("revocation_not_told", error);
    });
  }

  own(): readonly OwnUser[] {
    return [...this.#bySid.values()].map(({ user }) => user);
  }

  /** Leaves, once the sessions have ended: others need not wait for the end of the lease. */
  async stop(): Promise<void> {
    this.#phase = "stopping";
    this.#beatNow();
    const end = performance.now() + STOP_PATIENCE;
    while (this.#owed.size > 0 && performance.now() < end && (await this.#leaveOwed()));
    this.#lease.end();
    try {
      await this.commands.send("DEL", [leaseOf(this.node)]);
      await this.#reap(this.node);
    } catch (error) {
      this.#options.log.error("lease_not_ended", error);
    }
    this.#phase = "stopped";
    this.#reader.stop();
    this.commands.close();
    this.#news.close();
  }

  async #keepLease(): Promise<void> {
    while (this.#phase === "running") {
      await this.#beat();
      const pause = Promise.withResolvers<void>();
      this.#beatNow = pause.resolve;
      const timer = setTimeout(pause.resolve, this.#times.beat);
      if (this.#phase === "running") await pause.promise;
      clearTimeout(timer);
    }
  }

  async #beat(): Promise<void> {
    const sent = performance.now();
    const { last } = this.#reader;
    try {
      const answer = await this.commands.run(BEAT, [
        this.node,
        String(this.#times.lease),
        randomBytes(8).toString("hex"),
      ]);
      if (this.#phase === "running") this.#renewed(answer as BeatAnswer, sent, last);
    } catch (error) {
      this.#failed(error);
    }
  }

  #renewed([epoch, fresh, sequence, time, dead, online]: BeatAnswer, sent: number, last: number): void {
    const told = { epoch, sequence: Number(sequence), online };
    const isLost = this.#reader.told(told, last, this.#mustReenter);
    this.#lease.renewed(sent, fresh === 1 || isLost);
    this.#watchClock(Number(time), sent);
    if (this.#isBusy) this.#options.log.info("shared_back", { node: this.node });
    if (isLost) this.#options.log.warn("shared_data_lost", { node: this.node });
    this.#isBusy = false;
    // At the start there is nobody yet.
    if (fresh === 1 || isLost) this.#mustReenter = this.#bySid.size > 0;
    if (this.#mustReenter) void this.#reenter(told.sequence);
    void this.#leaveOwed();
    this.#move();
    if (this.#lease.mayReap(performance.now())) for (const node of dead) void this.#reapDead(node);
  }

  #watchClock(seconds: number, sent: number): void {
    const { clock, log } = this.#options;
    const wasWrong = clock.isWrong;
    clock.told(seconds, performance.now() - sent);
    if (clock.isWrong && !wasWrong) {
      log.warn("clock_differs", { node: this.node, seconds: Math.round(clock.skew / 1_000) });
    }
  }

  /** Every session enters again, unless another one has the seat now. @param told the news up to here are read first */
  async #reenter(told: number): Promise<void> {
    if (this.#isReentering) return;
    this.#isReentering = true;
    try {
      const patience = performance.now() + this.#times.patience;
      while (this.#reader.last < told && performance.now() < patience) await Bun.sleep(CATCH_UP);
      await this.#enterAgain([...this.#bySid.values()]);
      this.#mustReenter = false;
    } catch (error) {
      // After the next BEAT.
      this.#failed(error);
    } finally {
      this.#isReentering = false;
    }
  }

  async #enterAgain(seats: readonly OwnSeat[]): Promise<void> {
    for (let start = 0; start < seats.length; start += ENTER_BATCH) {
      const batch = seats.slice(start, start + ENTER_BATCH);
      await Promise.all(
        batch.map(async (seat) => {
          if (this.#bySid.get(seat.sid) !== seat) return;
          const taken = await this.#enter(seat, false);
          if (taken === "fenced") throw new ValkeyBusy("the lease has ended");
          if (taken === "already_connected") this.#replaced(seat);
          else this.#counts.reentered++;
        }),
      );
    }
  }

  async #enter({ sid, user }: OwnSeat, replaces: boolean): Promise<"ok" | "already_connected" | "fenced"> {
    const print = user.key?.fingerprint ?? "";
    const args = [user.fold, this.node, sid, print, restOf(user), replaces ? "1" : "0"];
    const answer = await this.commands.run(ENTER, args);
    return (answer as ["ok" | "already_connected" | "fenced"])[0];
  }

  /** Another session has the seat: no LEAVE. */
  #replaced(seat: OwnSeat): void {
    if (!this.#drop(seat)) return;
    this.#claims.delete(seat.claim);
    this.#counts.replaced++;
    seat.claim.session.replaced();
  }

  /** @returns whether it was there */
  #drop(seat: OwnSeat): boolean {
    this.#seats.delete(seat.claim);
    this.#moving.delete(seat);
    return this.#bySid.delete(seat.sid);
  }

  #owe(fold: string, sid: string): void {
    this.#owed.set(sid, fold);
    void this.#leaveNow(sid, fold).catch((error: unknown) => this.#failed(error));
  }

  async #leaveNow(sid: string, fold: string): Promise<void> {
    await this.commands.run(LEAVE, [fold, this.node, sid]);
    this.#owed.delete(sid);
  }

  /** Says again what is not confirmed. @returns false if Valkey cannot be asked */
  async #leaveOwed(): Promise<boolean> {
    try {
      while (this.#owed.size > 0) {
        const owed = [...this.#owed].slice(0, ENTER_BATCH);
        await Promise.all(owed.map(([sid, fold]) => this.#leaveNow(sid, fold)));
      }
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #move(): void {
    for (const seat of [...this.#moving].slice(0, ENTER_BATCH)) {
      const { sid, user } = seat;
      this.#moving.delete(seat);
      this.commands.run(MOVE, [user.fold, this.node, sid, restOf(user)]).catch((error: unknown) => {
        if (this.#bySid.has(sid)) this.#moving.add(seat);
        this.#failed(error);
      });
    }
  }

  async #reapDead(node: string): Promise<void> {
    if (this.#reaping.has(node)) return;
    this.#reaping.add(node);
    try {
      this.#counts.reaped += await this.#reap(node);
      this.#nodes.forget(node);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#reaping.delete(node);
    }
  }

  /** @returns how many of its users were removed, about */
  async #reap(node: string): Promise<number> {
    for (let steps = 0; ; steps++) {
      const left = Number(await this.commands.run(REAP, [node, String(REAP_BATCH)]));
      if (left < 0) return 0;
      if (left > 0) continue;
      await this.commands.send("DEL", [pushesTo(node)]);
      return steps * REAP_BATCH;
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof ValkeyBusy)) return this.#options.log.error("shared_failed", error);
    if (this.#isBusy || this.#phase !== "running") return;
    this.#isBusy = true;
    const { cause } = error;
    this.#options.log.warn("shared_unavailable", {
      node: this.node,
      reason: cause instanceof Error ? cause.message : String(cause),
    });
  }
}

/** epoch, whether the node is new, number of the last event, time in s, nodes without a lease, users */
type BeatAnswer = [string, number, string, string, string[], number];
