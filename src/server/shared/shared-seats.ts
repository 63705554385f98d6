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
import { readBatch } from "./news.ts";
import { restOf, type RemoteNode } from "./record.ts";
import { Replica, type OwnSeat } from "./replica.ts";
import {
  BEAT,
  END,
  ENTER,
  EPOCH,
  LEAVE,
  leaseOf,
  MOVE,
  NEWS,
  pushesTo,
  REAP,
  REVOKED,
  SEQUENCE,
  USERS,
} from "./scripts.ts";
import type { SharedClock } from "./shared-clock.ts";
import { Valkey, ValkeyBusy, type ValkeyCounts } from "./valkey.ts";

/** In ms. `patience`: how long Valkey may take for an answer. */
export type SharedTimes = LeaseTimes & { readonly patience: number };
export const SHARED_TIMES: SharedTimes = { beat: 2_000, lease: 10_000, margin: 2_000, patience: 2_000 };

/** How long the reader waits in Valkey for news, in ms, and how much longer for the answer. */
const BLOCK = 1_000;
const READ_PATIENCE = 3_000;
/** Events read at once, and users of a snapshot. */
const BATCH = 1_000;
/** Sessions that enter, or leave, at once after an outage; users of a dead node removed in one step. */
const ENTER_BATCH = 500;
const REAP_BATCH = 200;
/** After a loss of data nobody is removed from memory for so many beats at least, and at most: all nodes enter again. */
const GRACE_BEATS = 3;
const MAX_GRACE_BEATS = 60;
/** After a failed read, in ms. */
const READ_AGAIN = 100;
/** How long a stop waits for sessions that leave, in ms. */
const STOP_PATIENCE = 1_000;
/** Pushes kept for a node, about; bytes of one; how long they outlive the node, in s. */
const PUSHES_KEPT = 10_000;
const MAX_PUSH = 4_096;
const PUSHES_LIFE = 60;

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
  gaps: number;
  snapshots: number;
  reentered: number;
  replaced: number;
  reaped: number;
};

/** What the last BEAT has told. `beats` of grace are left; `online`: users in Valkey. */
type Epoch = { readonly name: string; grace: number; beats: number; online: number };

export class SharedSeats implements Seats {
  readonly node: string;
  readonly counts: SharedCounts = { gaps: 0, snapshots: 0, reentered: 0, replaced: 0, reaped: 0 };
  readonly #options: SharedSeatsOptions;
  readonly #times: SharedTimes;
  readonly #commands: Valkey;
  readonly #news: Valkey;
  readonly #lease: Lease;
  readonly #replica: Replica;
  readonly #claims = new Claims();
  readonly #seats = new Map<Claim, OwnSeat>();
  readonly #bySid = new Map<string, OwnSeat>();
  readonly #nodes = new Map<string, RemoteNode>();
  /** Seats that were left, and whose LEAVE is not confirmed. */
  readonly #owed = new Map<string, string>();
  /** Users whose MOVE is not confirmed. */
  readonly #moving = new Set<OwnSeat>();
  #sids = 0;
  #epoch: Epoch | undefined;
  /** Number of the last event that was applied, and what was read beside it. */
  #last = 0;
  #lastPush = "0-0";
  /** Number of the last event, as the last BEAT said, and what had been read then. */
  #told = 0;
  #readThen = 0;
  /** What was read in an earlier generation is worth nothing. */
  #generation = 0;
  /** Unsure: one is wanted, unless the next BEAT says that Valkey has lost data. */
  #snapshot: "wanted" | "unsure" | "done" = "wanted";
  #isReady = false;
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
    this.#commands = new Valkey(url, times.patience);
    this.#news = new Valkey(url, times.patience);
    this.#lease = new Lease(times);
    this.#replica = new Replica(this.node, {
      presence,
      claims: this.#claims,
      own: this.#bySid,
      seatOf: (claim) => this.#seats.get(claim),
      node: (of) => this.#nodeOf(of),
      moved,
      changed,
      gone,
      replaced: (seat) => this.#replaced(seat),
      unknown: (fold, sid) => this.#owe(fold, sid),
      revoked,
    });
  }

  start(): void {
    void this.#keepLease();
    void this.#read();
  }

  /** Whether this node knows who is online, and may say so. */
  get isReady(): boolean {
    return this.#isReady && this.isLeased;
  }

  get isLeased(): boolean {
    return this.#lease.isHeld(performance.now());
  }

  /** Events that were told and not yet read. */
  get lag(): number {
    return Math.max(0, this.#told - this.#last);
  }

  get owed(): number {
    return this.#owed.size;
  }

  /** By how much this machine's clock is ahead of Valkey's, in ms. */
  get skew(): number {
    return this.#options.clock.skew;
  }

  get valkey(): ValkeyCounts {
    const [one, two] = [this.#commands.counts, this.#news.counts];
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
    if (!this.isReady || this.#phase !== "running") return "busy";
    const seat: OwnSeat = { claim, sid: String(++this.#sids), user, isSeen: false };
    this.#seats.set(claim, seat);
    this.#bySid.set(seat.sid, seat);
    const taken = await this.#enter(seat, replaces).catch(() => "busy" as const);
    if (taken === "ok") return "ok";
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
    await this.#commands.run(END, [fold, why]).catch((error: unknown) => {
      // Whoever reads the accounts again ends it within a minute.
      this.#options.log.error("end_not_told", error, { why });
    });
    for (const claim of this.#claims.of(fold)) claim.end(why);
  }

  /** Tells every node of a revocation, before an `end` that follows. Never fails. */
  revoked(json: string): void {
    this.#commands.run(REVOKED, [json]).catch((error: unknown) => {
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
      await this.#commands.send("DEL", [leaseOf(this.node)]);
      await this.#reap(this.node);
    } catch (error) {
      this.#options.log.error("lease_not_ended", error);
    }
    this.#phase = "stopped";
    this.#generation++;
    this.#commands.close();
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
    const last = this.#last;
    try {
      const answer = await this.#commands.run(BEAT, [
        this.node,
        String(this.#times.lease),
        randomBytes(8).toString("hex"),
      ]);
      if (this.#phase === "running") this.#renewed(answer as BeatAnswer, sent, last);
    } catch (error) {
      this.#failed(error);
    }
  }

  #renewed([name, fresh, sequence, time, dead, online]: BeatAnswer, sent: number, last: number): void {
    const told = Number(sequence);
    const isFirst = this.#epoch === undefined;
    const isLost = !isFirst && (this.#epoch?.name !== name || told < last);
    const isStuck = this.#last < this.#told && this.#last === this.#readThen;
    this.#lease.renewed(sent, fresh === 1 || isLost || isFirst);
    this.#watchClock(Number(time), sent);
    if (this.#isBusy) this.#options.log.info("shared_back", { node: this.node });
    this.#isBusy = false;
    if (isFirst) this.#epoch = { name, grace: 0, beats: 0, online };
    if (isLost) this.#lost(name, told, online);
    else if (this.#snapshot === "unsure" || (this.#isReady && isStuck)) this.#snapshot = "wanted";
    this.#told = told;
    this.#readThen = this.#last;
    if ((fresh === 1 && !isFirst) || isLost) this.#mustReenter = true;
    this.#passGrace(online);
    if (this.#mustReenter) void this.#reenter(told);
    void this.#leaveOwed();
    this.#move();
    if (this.#lease.mayReap(performance.now())) for (const node of dead) void this.#reapDead(node);
  }

  /** Valkey has lost some or all of what it knew: everybody enters again, and until then nobody is taken to be gone. */
  #lost(name: string, told: number, online: number): void {
    this.#options.log.warn("shared_data_lost", { node: this.node });
    this.#epoch = { name, grace: GRACE_BEATS, beats: 0, online };
    this.#generation++;
    this.#last = told;
    this.#snapshot = "done";
  }

  /** Ends the grace after some beats, once the number online does not grow any more. */
  #passGrace(online: number): void {
    const epoch = this.#epoch;
    if (epoch === undefined || epoch.grace === 0) return;
    epoch.beats++;
    const isGrowing = online > epoch.online || this.#mustReenter;
    epoch.online = online;
    if (epoch.beats <= GRACE_BEATS || (isGrowing && epoch.beats < MAX_GRACE_BEATS)) return;
    epoch.grace = 0;
    this.#snapshot = "wanted";
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
      while (this.#last < told && performance.now() < patience) await Bun.sleep(READ_AGAIN / 10);
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
          if (taken === "fenced") throw new Error("the lease has ended");
          if (taken === "already_connected") this.#replaced(seat);
          else this.counts.reentered++;
        }),
      );
    }
  }

  async #enter({ sid, user }: OwnSeat, replaces: boolean): Promise<"ok" | "already_connected" | "fenced"> {
    const print = user.key?.fingerprint ?? "";
    const args = [user.fold, this.node, sid, print, restOf(user), replaces ? "1" : "0"];
    const answer = await this.#commands.run(ENTER, args);
    return (answer as ["ok" | "already_connected" | "fenced"])[0];
  }

  /** Another session has the seat: no LEAVE. */
  #replaced(seat: OwnSeat): void {
    if (!this.#drop(seat)) return;
    this.#claims.delete(seat.claim);
    this.counts.replaced++;
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
    await this.#commands.run(LEAVE, [fold, this.node, sid]);
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
      this.#commands.run(MOVE, [user.fold, this.node, sid, restOf(user)]).catch((error: unknown) => {
        if (this.#bySid.has(sid)) this.#moving.add(seat);
        this.#failed(error);
      });
    }
  }

  async #reapDead(node: string): Promise<void> {
    if (this.#reaping.has(node)) return;
    this.#reaping.add(node);
    try {
      this.counts.reaped += await this.#reap(node);
      this.#nodes.delete(node);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#reaping.delete(node);
    }
  }

  /** @returns how many of its users were removed, about */
  async #reap(node: string): Promise<number> {
    for (let steps = 0; ; steps++) {
      const left = Number(await this.#commands.run(REAP, [node, String(REAP_BATCH)]));
      if (left < 0) return 0;
      if (left > 0) continue;
      await this.#commands.send("DEL", [pushesTo(node)]);
      return steps * REAP_BATCH;
    }
  }

  async #read(): Promise<void> {
    while (this.#phase !== "stopped") {
      const generation = this.#generation;
      try {
        if (this.#epoch === undefined || this.#snapshot === "unsure") {
          await Bun.sleep(READ_AGAIN / 10);
          continue;
        }
        if (this.#snapshot === "wanted" && this.#epoch.grace === 0) await this.#readAll();
        const streams = [NEWS, pushesTo(this.node), `${this.#last}-0`, this.#lastPush];
        const wait = ["COUNT", String(BATCH), "BLOCK", String(BLOCK), "STREAMS"];
        const answer = await this.#news.send("XREAD", [...wait, ...streams], READ_PATIENCE);
        if (generation === this.#generation) this.#applied(answer);
      } catch (error) {
        if (!(error instanceof ValkeyBusy)) this.#options.log.error("news_failed", error);
        this.#failed(error);
        await Bun.sleep(READ_AGAIN);
      }
    }
  }

  #applied(answer: unknown): void {
    const { events, pushes, lastPush } = readBatch(answer, NEWS, pushesTo(this.node));
    this.#lastPush = lastPush ?? this.#lastPush;
    for (const { sid, json } of pushes) this.#bySid.get(sid)?.user.session.push(JSON.parse(json) as object);
    for (const { id, event } of events) {
      if (id <= this.#last) continue;
      // During the grace a snapshot is to come anyway.
      if (id !== this.#last + 1 && this.#epoch?.grace === 0) return this.#gap();
      this.#last = id;
      this.#replica.apply(event);
    }
  }

  /** Events are missing: has Valkey lost data, or were they only not kept? */
  #gap(): void {
    this.counts.gaps++;
    this.#snapshot = "unsure";
    this.#beatNow();
  }

  async #readAll(): Promise<void> {
    const sequence = Number((await this.#news.send("GET", [SEQUENCE])) ?? 0);
    const seen = new Set<string>();
    let cursor = "0";
    do {
      const answer = await this.#news.send("HSCAN", [USERS, cursor, "COUNT", String(BATCH)]);
      const [next, fields] = answer as [string, string[]];
      for (let index = 0; index + 1 < fields.length; index += 2) {
        const [fold, record] = [fields[index] as string, fields[index + 1] as string];
        seen.add(fold);
        this.#replica.is(fold, record);
      }
      cursor = next;
    } while (cursor !== "0");
    // If Valkey has lost its data meanwhile, who is missing here is not gone.
    const epoch = String(await this.#news.send("GET", [EPOCH]));
    if (this.#epoch?.name.startsWith(`${epoch}.`) !== true) return this.#gap();
    const missing = this.#replica.only(seen);
    this.#last = sequence;
    this.#snapshot = "done";
    this.counts.snapshots++;
    this.#isReady = true;
    this.#options.missed();
    await this.#enterAgain(missing);
  }

  #nodeOf(name: string): RemoteNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const node = { name, push: (sid: string, message: object) => this.#push(name, sid, message) };
    this.#nodes.set(name, node);
    return node;
  }

  #push(node: string, sid: string, message: object): void {
    const json = JSON.stringify(message);
    if (Buffer.byteLength(json) > MAX_PUSH) return this.#options.log.warn("push_too_large", { node });
    const stream = pushesTo(node);
    const add = [stream, "MAXLEN", "~", String(PUSHES_KEPT), "*", "s", sid, "m", json];
    // A client that is not asked to meet asks itself after a while.
    this.#commands.send("XADD", add).catch((error: unknown) => this.#failed(error));
    this.#commands
      .send("EXPIRE", [stream, String(PUSHES_LIFE)])
      .catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (this.#isBusy || this.#phase !== "running") return;
    this.#isBusy = true;
    const cause = error instanceof ValkeyBusy ? error.cause : error;
    this.#options.log.warn("shared_unavailable", {
      node: this.node,
      reason: cause instanceof Error ? cause.message : String(cause),
    });
  }
}

/** epoch, whether the node is new, number of the last event, time in s, nodes without a lease, users */
type BeatAnswer = [string, number, string, string, string[], number];
