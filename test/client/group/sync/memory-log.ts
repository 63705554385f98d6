/** The disk of one member in memory: what is not durable yet is lost by a crash, and a copy can be put back. */
import { readText } from "../../../../src/identity/group-body.ts";
import type { Fork, GroupEntry } from "../../../../src/identity/group-entry.ts";
import type {
  GroupBatch,
  GroupContents,
  GroupLog,
  StoredEntry,
  TextLane,
  Trimmed,
} from "../../../../src/client/group/sync/log.ts";

/** What is on a disk. The rows of a lane of texts are one run, from its first to its last number. */
type State = {
  readonly rows: readonly StoredEntry[];
  readonly forks: readonly Fork[];
  readonly bases: ReadonlyMap<string, number>;
  readonly dropped: ReadonlySet<string>;
  readonly since: number;
  readonly seq: number;
  /** Every text that was shown, once. */
  readonly shown: readonly string[];
};

const DAY = 24 * 60 * 60_000;
const EMPTY: State = {
  rows: [],
  forks: [],
  bases: new Map(),
  dropped: new Set(),
  since: 0,
  seq: 0,
  shown: [],
};

function spent(lane: readonly StoredEntry[], end: StoredEntry | undefined): [number, number][] {
  return lane
    .filter(({ at }) => Math.abs(at - (end?.at ?? 0)) < DAY)
    .map(({ at, size }): [number, number] => [at, size]);
}

export class MemoryLog implements GroupLog {
  #state = EMPTY;
  #index = new Map<string, StoredEntry>();

  copy(): State {
    return this.#state;
  }

  putBack(state: State): void {
    this.#state = state;
    this.#index = new Map(state.rows.map((row) => [`${row.feed} ${row.lane} ${row.number}`, row]));
  }

  get rows(): readonly StoredEntry[] {
    return this.#state.rows;
  }

  get shown(): readonly string[] {
    return this.#state.shown;
  }

  load(): GroupContents {
    const { rows, forks, dropped, since, seq } = this.#state;
    const texts = rows.filter(({ lane }) => lane === "t");
    const bodiless = texts.filter(
      ({ body, feed, number }) => body === null && !dropped.has(`${feed} ${number}`),
    );
    return {
      control: rows.filter(({ lane }) => lane === "c"),
      texts: [...new Set(texts.map(({ feed }) => feed))].map((feed) => this.#lane(feed)),
      forks,
      bodiless,
      read: new Map(),
      since,
      seq,
    };
  }

  write(batch: GroupBatch): number[] {
    const state = this.#state;
    let { rows, seq } = state;
    const bases = new Map(state.bases);
    const dropped = new Set(state.dropped);
    const shown = [...state.shown];
    for (const { feed, number } of batch.restarted) {
      rows = rows.filter((row) => row.feed !== feed || row.lane === "c" || row.number > number);
      bases.delete(feed);
    }
    const lost = state.rows.length !== rows.length;
    if (lost) this.putBack({ ...state, rows });
    const seqs = batch.entries.map(({ entry }) => {
      const key = `${entry.feed} ${entry.lane} ${entry.number}`;
      if (this.#index.has(key)) throw new Error(`${key} is stored twice`);
      const row = { ...entry, seq: ++seq };
      this.#index.set(key, row);
      if (entry.lane === "t" && !bases.has(entry.feed)) bases.set(entry.feed, entry.number);
      const name = `${entry.feed} ${entry.number}`;
      if (entry.kind === "text" && !shown.includes(name)) shown.push(name);
      return seq;
    });
    const added = batch.entries.map(({ entry }, index) => ({ ...entry, seq: seqs[index] ?? 0 }));
    rows = [...rows, ...added];
    for (const { feed, number } of batch.withdrawn) {
      const isOf = (row: GroupEntry) => {
        const said = row.feed === feed ? readText(row) : undefined;
        return (
          (row.feed === feed && row.lane === "t" && row.number === number) ||
          (said?.kind === "edit" && said.target === number)
        );
      };
      for (const row of rows.filter(isOf)) dropped.add(`${feed} ${row.number}`);
      rows = rows.map((row) => (isOf(row) ? { ...row, body: null } : row));
    }
    for (const entry of batch.bodies) {
      rows = rows.map((row) => (row.id === entry.id ? { ...row, body: entry.body } : row));
    }
    const forks = [
      ...state.forks.filter(
        ({ feed, lane }) => !batch.forks.some((each) => each.feed === feed && each.lane === lane),
      ),
      ...batch.forks,
    ];
    const next = { ...state, rows, seq, bases, dropped, forks, shown };
    if (lost || batch.withdrawn.length > 0 || batch.bodies.length > 0) this.putBack(next);
    else this.#state = next;
    return seqs;
  }

  after(seq: number, limit: number): StoredEntry[] {
    const { rows } = this.#state;
    let low = 0;
    for (let high = rows.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((rows[middle]?.seq ?? 0) > seq) high = middle;
      else low = middle + 1;
    }
    return rows.slice(low, low + limit);
  }

  texts(feed: string, from: number, to: number): StoredEntry[] {
    const found: StoredEntry[] = [];
    for (let number = from; number <= to; number++) {
      const row = this.#index.get(`${feed} t ${number}`);
      if (row !== undefined) found.push(row);
    }
    return found;
  }

  trim(since: number): Trimmed {
    const state = this.#state;
    const lasts = new Map<string, number>();
    for (const { feed, lane, at } of state.rows) {
      if (lane === "t") lasts.set(feed, Math.max(at, lasts.get(feed) ?? 0));
    }
    const isKept = ({ lane, feed, at }: StoredEntry) =>
      lane === "c" || at >= since || at > (lasts.get(feed) ?? 0) - DAY;
    const dropped = new Set(state.dropped);
    const rows = state.rows.filter(isKept).map((row) => {
      if (row.lane === "c" || row.at >= since) return row;
      dropped.add(`${row.feed} ${row.number}`);
      return { ...row, body: null };
    });
    const changed = new Set(state.rows.filter((row) => !isKept(row)).map(({ feed }) => feed));
    const bases = new Map(state.bases);
    this.putBack({ ...state, rows, since, bases, dropped });
    return { lanes: [...changed].map((feed) => this.#lane(feed)), isMore: false };
  }

  #lane(feed: string): TextLane {
    const lane = this.#state.rows
      .filter((row) => row.feed === feed && row.lane === "t")
      .sort((one, other) => one.number - other.number);
    const [first, last] = [lane[0], lane.at(-1)];
    if (first === undefined || last === undefined) throw new Error("the lane is empty");
    const base = Math.max(first.number, this.#state.bases.get(feed) ?? 0);
    return { feed, base, first, last, early: spent(lane, first), recent: spent(lane, last) };
  }
}
