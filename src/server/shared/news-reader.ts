/**
 * Reads the stream of all changes, on a connection that does nothing else, and applies them strictly in their order. Where
 * a number is missing a snapshot takes the place of what was missed, unless Valkey has lost data: the next BEAT says so.
 * Then nobody is taken to be gone before all nodes have entered again.
 */
import { readBatch } from "./news.ts";
import type { OwnSeat, Replica } from "./replica.ts";
import { EPOCH, NEWS, pushesTo, SEQUENCE, USERS } from "./scripts.ts";
import type { Valkey } from "./valkey.ts";

/** How long the reader waits in Valkey for news, in ms, and how long for the answer in all. */
const BLOCK = 1_000;
const PATIENCE = 3_000;
/** Events read at once, and users of a snapshot. */
const BATCH = 1_000;
/** After a failed read, and while it is not known what to read, in ms. */
const READ_AGAIN = 100;
const LOOK_AGAIN = 10;
/** The grace lasts so many BEATs at least, and longer while the number online grows, up to a bound. */
const GRACE_BEATS = 3;
const MAX_GRACE_BEATS = 60;

type ReaderNeeds = {
  readonly valkey: Valkey;
  readonly node: string;
  readonly replica: Replica;
  readonly pushed: (sid: string, json: string) => void;
  /** A BEAT is wanted now. */
  readonly doubted: () => void;
  /** Everybody was read; these seats of this node are missing in Valkey. */
  readonly snapshotRead: (missing: readonly OwnSeat[]) => Promise<void>;
  readonly failed: (error: unknown) => void;
};

/** What a BEAT tells of the data. `sequence`: number of the last event; `online`: users in Valkey. */
export type Told = { readonly epoch: string; readonly sequence: number; readonly online: number };

/** The data that Valkey has, by the name of its epoch. `grace`: nobody is removed yet. */
type Epoch = { readonly name: string; readonly grace: { beats: number; online: number } | undefined };

export class NewsReader {
  readonly counts = { gaps: 0, snapshots: 0 };
  readonly #needs: ReaderNeeds;
  #epoch: Epoch | undefined;
  /** Number of the last event that was applied, and id of the last push. */
  #last = 0;
  #lastPush = "0-0";
  /** Number of the last event, as the last BEAT said, and what had been read then. */
  #told = 0;
  #readThen = 0;
  /** What was asked for in an earlier generation says nothing any more. */
  #generation = 0;
  /** Unsure: one is wanted, unless Valkey has lost data. */
  #snapshot: "wanted" | "unsure" | "done" = "wanted";
  #isReady = false;
  #isStopped = false;

  constructor(needs: ReaderNeeds) {
    this.#needs = needs;
  }

  get last(): number {
    return this.#last;
  }

  /** There was a snapshot once. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Events that were told and not yet read. */
  get lag(): number {
    return Math.max(0, this.#told - this.#last);
  }

  start(): void {
    void this.#read();
  }

  stop(): void {
    this.#isStopped = true;
    this.#generation++;
  }

  /**
   * A BEAT was answered.
   * @param last what had been read when it was sent
   * @param isEntering sessions of this node are still to enter again
   * @returns whether Valkey has lost data since the one before
   */
  told({ epoch, sequence, online }: Told, last: number, isEntering: boolean): boolean {
    const isFirst = this.#epoch === undefined;
    const isLost = !isFirst && (this.#epoch?.name !== epoch || sequence < last);
    // Nothing was read since the last one, although there is something.
    const isStuck = this.#isReady && this.#last < this.#told && this.#last === this.#readThen;
    if (isFirst) this.#epoch = { name: epoch, grace: undefined };
    else if (isLost) {
      this.#epoch = { name: epoch, grace: { beats: 0, online } };
      this.#generation++;
      this.#last = sequence;
      this.#snapshot = "done";
    } else if (this.#snapshot === "unsure" || isStuck) this.#snapshot = "wanted";
    this.#told = sequence;
    this.#readThen = this.#last;
    this.#passGrace(online, isLost || isEntering);
    return isLost;
  }

  #passGrace(online: number, isEntering: boolean): void {
    const { name, grace } = this.#epoch ?? {};
    if (name === undefined || grace === undefined) return;
    const isGrowing = isEntering || online > grace.online;
    grace.beats++;
    grace.online = online;
    if (grace.beats <= GRACE_BEATS || (isGrowing && grace.beats < MAX_GRACE_BEATS)) return;
    this.#epoch = { name, grace: undefined };
    this.#snapshot = "wanted";
  }

  async #read(): Promise<void> {
    const { valkey, node, failed } = this.#needs;
    while (!this.#isStopped) {
      try {
        if (this.#epoch === undefined || this.#snapshot === "unsure") {
          await Bun.sleep(LOOK_AGAIN);
          continue;
        }
        if (this.#snapshot === "wanted" && this.#epoch.grace === undefined) await this.#readAll();
        const generation = this.#generation;
        const streams = [NEWS, pushesTo(node), `${this.#last}-0`, this.#lastPush];
        const wait = ["COUNT", String(BATCH), "BLOCK", String(BLOCK), "STREAMS"];
        const answer = await valkey.send("XREAD", [...wait, ...streams], PATIENCE);
        if (generation === this.#generation) this.#apply(answer);
      } catch (error) {
        failed(error);
        await Bun.sleep(READ_AGAIN);
      }
    }
  }

  #apply(answer: unknown): void {
    const { node, pushed, replica } = this.#needs;
    const { events, pushes, lastPush } = readBatch(answer, NEWS, pushesTo(node));
    this.#lastPush = lastPush ?? this.#lastPush;
    for (const { sid, json } of pushes) pushed(sid, json);
    for (const { id, event } of events) {
      if (id <= this.#last) continue;
      // During the grace a snapshot is to come anyway.
      if (id !== this.#last + 1 && this.#epoch?.grace === undefined) return this.#doubt();
      this.#last = id;
      replica.apply(event);
    }
  }

  #doubt(): void {
    this.counts.gaps++;
    this.#snapshot = "unsure";
    this.#needs.doubted();
  }

  async #readAll(): Promise<void> {
    const { valkey, replica, snapshotRead } = this.#needs;
    const generation = this.#generation;
    replica.begin();
    const sequence = Number((await valkey.send("GET", [SEQUENCE])) ?? 0);
    const seen = new Set<string>();
    let cursor = "0";
    do {
      const answer = await valkey.send("HSCAN", [USERS, cursor, "COUNT", String(BATCH)]);
      const [next, fields] = answer as [string, string[]];
      for (let index = 0; index + 1 < fields.length; index += 2) {
        const [fold, record] = [fields[index] as string, fields[index + 1] as string];
        seen.add(fold);
        replica.is(fold, record);
      }
      cursor = next;
    } while (cursor !== "0");
    // If Valkey has lost its data meanwhile, who is missing here is not gone.
    const epoch = String(await valkey.send("GET", [EPOCH]));
    if (generation !== this.#generation) return;
    if (this.#epoch?.name.startsWith(`${epoch}.`) !== true) return this.#doubt();
    const missing = replica.only(seen);
    this.#last = sequence;
    this.#snapshot = "done";
    this.counts.snapshots++;
    this.#isReady = true;
    await snapshotRead(missing);
  }
}
