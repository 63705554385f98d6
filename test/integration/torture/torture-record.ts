/** What one client has said over all its lives, checked as it comes, and kept for the comparison at the end. */
import { MESSAGE_STATES, type MessageState } from "../../../src/client/disk/schema.ts";
import type { ClientLine, Failpoint } from "./torture-lines.ts";
import { FAILPOINTS } from "./torture-lines.ts";

/** Notes that are kept to be printed with a failure. */
const MAX_NOTES = 40;

const RECEIVED = MESSAGE_STATES.indexOf("received");

export class TortureRecord {
  readonly committed = new Set<string>();
  readonly shown = new Set<string>();
  readonly withdrawn = new Set<string>();
  readonly cancelled = new Set<string>();
  /** The newest wording that was said to be committed, by text. */
  readonly editions = new Map<string, number>();
  readonly failpoints = new Map<Failpoint, number>(FAILPOINTS.map((at) => [at, 0]));
  readonly notes: string[] = [];
  duplicates = 0;
  edits = 0;
  /** Texts that are on this client's disk, as it last said. */
  written = 0;
  /** Texts and actions that were not acknowledged, as it last said; undefined: this process has not said. */
  waiting: number | undefined;
  /** The highest number that was shown here, and one. */
  arrived = 0;
  /** The ids that the other side has on its disk, as this client was told. */
  readonly received = new Set<string>();
  /** Whether the power is cut: the other side may have texts that are lost here, and are then written anew. */
  readonly cutsPower: boolean;
  readonly #states = new Map<string, number>();
  readonly #fail: (why: string) => void;

  constructor(cutsPower: boolean, fail: (why: string) => void) {
    this.cutsPower = cutsPower;
    this.#fail = fail;
  }

  /** Another process: what left and was not acknowledged may leave again; after a power cut that may be forgotten, too. */
  restarted(): void {
    this.waiting = undefined;
    for (const [id, rank] of this.#states) if (this.cutsPower || rank < RECEIVED) this.#states.delete(id);
  }

  note(text: string): void {
    this.notes.push(text);
    if (this.notes.length > MAX_NOTES) this.notes.shift();
  }

  take(line: ClientLine): void {
    switch (line[0]) {
      case "up":
        this.written = line[2];
        return;
      case "committed":
        if (this.committed.has(line[1])) this.#fail(`${line[1]} was committed twice`);
        this.committed.add(line[1]);
        return;
      case "delivery":
        this.#delivery(line[1], line[2]);
        return;
      case "shown":
        this.#show(line[1], line[2]);
        return;
      case "edited":
        this.edits++;
        if (line[2] <= (this.editions.get(line[1]) ?? 0)) this.#fail(`${line[1]} went back to ${line[2]}`);
        this.editions.set(line[1], line[2]);
        return;
      case "withdrawn":
        this.withdrawn.add(line[1]);
        return;
      case "cancelled":
        this.cancelled.add(line[1]);
        return;
      case "duplicates":
        this.duplicates += line[1];
        return;
      case "outbox":
        this.written = line[1];
        this.waiting = line[2];
        return;
      case "failpoint":
        this.failpoints.set(line[1], (this.failpoints.get(line[1]) ?? 0) + 1);
        this.note(`killed itself: ${line[1]}`);
        return;
      case "note":
        this.note(line[1]);
        return;
      case "fault":
        this.#fail(line[1]);
        return;
      default:
        line satisfies never;
    }
  }

  #delivery(id: string, state: MessageState): void {
    const rank = MESSAGE_STATES.indexOf(state);
    const before = this.#states.get(id) ?? 0;
    if (rank <= before) this.#fail(`${id} was ${MESSAGE_STATES[before]} and is ${state}`);
    this.#states.set(id, rank);
    if (rank >= RECEIVED) this.received.add(id);
  }

  #show(id: string, number: number | null): void {
    if (number === null) this.#fail(`${id} is shown and is no text of the other side`);
    else if (number >= this.arrived) this.arrived = number + 1;
    else if (!this.cutsPower) this.#fail(`${id}, number ${number}, is shown behind ${this.arrived - 1}`);
    if (this.shown.has(id)) this.#fail(`${id} is shown twice`);
    this.shown.add(id);
  }
}
