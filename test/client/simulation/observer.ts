/** Observes every event of a program and everything that it sends, and checks what must never happen. */
import { isStorageFailure } from "../../../src/client/disk/sqlite.ts";
import { MAX_REQUEST } from "../../../src/client/conversation/consent.ts";
import type { MessengerEvent, VerificationNews } from "../../../src/client/conversation/events.ts";
import { KIND, MESSAGE_STATES } from "../../../src/client/disk/schema.ts";
import type { JsonObject } from "../../../src/protocol/framing.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

/** A text of a person as it should be, once it is on their disk. */
export type Said = {
  readonly id: string;
  text: string;
  /** `lost`: when the power was cut, before anybody was told that it was queued; the peer may have it. */
  fate: "kept" | "withdrawn" | "cancelled" | "lost";
  /** Whether the peer has deleted it on their side. */
  isDeletedThere: boolean;
};

/** What the observer knows of one person. */
export interface Observed {
  readonly name: string;
  readonly disk: SimulatedDisk;
  /** Their texts, in the order of writing. */
  readonly said: readonly Said[];
  /** Whether they have refused the peer, which deletes a request. */
  readonly hasRefused: boolean;
  /** The index in `said` by id. */
  placeOf(id: string): number | undefined;
  /** The code of a verification that they are looking at. */
  code: string | undefined;
  /** The codes of which they have said that the other one sees the same. */
  readonly confirmed: Set<string>;
}

export type Fail = (what: string) => never;

/** What a person was shown in all runs of their program. */
export class Shown {
  readonly ids = new Set<string>();
  /** Ids of their own messages of which they were told that they are queued. */
  readonly queued = new Set<string>();
  /** Ids of their own messages that were written on a link. */
  readonly left = new Set<string>();
  /** The index of the last shown text in the author's `said`. */
  last = -1;
}

/** The observer of one run of a program. */
export class Observer {
  readonly #self: Observed;
  readonly #other: Observed;
  readonly #shown: Shown;
  readonly #fail: Fail;
  /** The index of the last state in `MESSAGE_STATES`, by id. */
  readonly #states = new Map<string, number>();
  /** The peer's texts on the screen, by id. */
  readonly #screen = new Map<string, string>();
  /** The way of the link, and whether a direct one is looked for; undefined: there is no link. */
  #way: string | undefined;
  #isSilent = false;
  /** The reported faults in order: codes of the peer and of one's own disk. */
  readonly faults: string[] = [];

  constructor(self: Observed, other: Observed, shown: Shown, fail: Fail) {
    this.#self = self;
    this.#other = other;
    this.#shown = shown;
    this.#fail = fail;
    for (const { id, state } of self.disk.rows(true)) this.#states.set(id, state);
  }

  get isConnected(): boolean {
    return this.#way !== undefined;
  }

  see(event: MessengerEvent): void {
    switch (event.name) {
      case "message":
        this.#message(event.message.id, event.message.text);
        return;
      case "changed":
        if (!event.message.outgoing) this.#screen.set(event.message.id, event.message.text);
        return;
      case "delivery":
        this.#delivery(event.id, MESSAGE_STATES.indexOf(event.state));
        return;
      case "request":
        if (event.count > MAX_REQUEST.texts) this.#fail(`a request of ${event.count} texts`);
        return;
      case "cancelled":
        if (this.#self.disk.row(event.id, true)?.kind !== KIND.deleted)
          this.#fail("cancelled and still there");
        return;
      case "connected": {
        const way = `${event.way} ${event.seeksDirect}`;
        if (this.#way === way) this.#fail(`connected twice: ${way}`);
        if (event.seeksDirect && event.way !== "relayed")
          this.#fail(`${event.way}, and a direct one is sought`);
        this.#way = way;
        return;
      }
      case "disconnected":
        if (!this.isConnected) this.#fail("disconnected without a link");
        // A lost link never answers again, so `disconnected` ends its silence.
        this.#way = undefined;
        this.#isSilent = false;
        return;
      case "silent":
        if (this.#isSilent === (event.since !== undefined)) this.#fail("silent, reported twice");
        this.#isSilent = event.since !== undefined;
        return;
      case "unreachable":
        if (this.isConnected) this.#fail("unreachable, and there is a link");
        return;
      case "verification":
        this.#verification(event);
        return;
      case "storageFailed":
        this.checkStorageFailure(event.error);
        this.faults.push("SQLITE_FULL");
        return;
      case "peerError":
        this.faults.push(event.code);
        return;
      case "wire":
        if (event.direction === "out") this.#leaves(event.message);
        return;
      default:
        return;
    }
  }

  /** Two who compare a code compare the same one, and only what both have confirmed is verified. */
  #verification(news: VerificationNews): void {
    const { code } = this.#self;
    if (news.state === "code") {
      if ((code ?? news.code) !== news.code) this.#fail("a second code is shown beside the first");
      this.#self.code = news.code;
      if ((this.#other.code ?? news.code) !== news.code) this.#fail("two codes are compared");
    } else if ("retryAt" in news) {
      this.#self.code = undefined;
      const isConfirmed =
        code !== undefined && [this.#self, this.#other].every((each) => each.confirmed.has(code));
      if (news.state === "verified" && !isConfirmed) this.#fail("verified, and not confirmed by both");
    }
  }

  /** Only a full disk may cause a failure. */
  checkStorageFailure(error: unknown): void {
    const { disk } = this.#self;
    if (!isStorageFailure(error)) throw error;
    if (!disk.isFull || error.code !== "SQLITE_FULL")
      this.#fail(`the disk failed: ${error.code} ${error.message}`);
  }

  #message(id: string, text: string): void {
    const { ids } = this.#shown;
    if (ids.has(id)) this.#fail(`${id} is shown twice`);
    ids.add(id);
    if (this.#self.disk.row(id, false) === undefined) this.#fail(`${id} is shown and not on the disk`);
    this.#screen.set(id, text);
    const place = this.#other.placeOf(id);
    if (place === undefined) this.#fail(`${id} is shown, and was never written`);
    if (place <= this.#shown.last) this.#fail(`${id} is shown behind what was written after it`);
    this.#shown.last = place;
  }

  /** The screen shows what is on the disk. */
  checkScreen(): void {
    for (const [id, text] of this.#screen) {
      const row = this.#self.disk.row(id, false);
      if (row?.kind === KIND.text && row.text !== text)
        this.#fail(`${id} is shown as «${text}», not «${row.text}»`);
    }
  }

  #delivery(id: string, state: number): void {
    const before = this.#states.get(id) ?? -1;
    if (state <= before) this.#fail(`${id} goes from state ${before} to ${state}`);
    this.#states.set(id, state);
    this.#shown.queued.add(id);
    const row = this.#other.disk.row(id, false);
    if (state >= 2 && row === undefined) this.#fail(`${id} is acknowledged and not on the other disk`);
    if (state === 3 && row?.kind === KIND.text && row.seq > this.#other.disk.readHere)
      this.#fail(`${id} is reported as read and was not`);
    if (state >= 2 && (this.#self.disk.row(id, true)?.state ?? 0) < state)
      this.#fail(`${id} is reported in state ${state}, and is not`);
  }

  /** Sent messages are on the disk and marked as tried; acknowledged messages are on the disk. */
  #leaves(message: JsonObject): void {
    const { disk } = this.#self;
    const { action, id, ids } = message;
    if (action === undefined || action === "edit" || action === "withdraw") {
      const row = typeof id === "string" ? disk.row(id, true) : undefined;
      if (row === undefined) this.#fail(`${String(id)} leaves and is not on the disk`);
      if (row.tried !== 1) this.#fail(`${row.id} leaves and is not marked`);
      this.#shown.left.add(row.id);
      if (row.kind === KIND.text && row.withdrawn_at !== null)
        this.#fail(`${row.id} leaves and was withdrawn`);
      if (row.kind === KIND.deleted) this.#fail(`${row.id} leaves and was cancelled or withdrawn`);
    }
    if (action !== "delivered" || !Array.isArray(ids)) return;
    for (const each of ids) {
      if (disk.row(String(each), false) === undefined)
        this.#fail(`${each} is acknowledged before it is committed`);
    }
  }
}
