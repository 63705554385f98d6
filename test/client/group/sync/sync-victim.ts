/** One side that is attacked in tests of the synchronisation, and what a hostile member says to it. */
import type { GroupLink, SyncMessage } from "../../../../src/client/group/sync/group-link.ts";
import type { HeadFields } from "../../../../src/client/group/sync/heads.ts";
import { GroupSync } from "../../../../src/client/group/sync/sync.ts";
import {
  rawEntry,
  signEntry,
  type GroupEntry,
  type Position,
  type RawEntry,
} from "../../../../src/identity/group-entry.ts";
import { NO_ID, type TestKey } from "../../../identity/group-keys.ts";
import { ANA, EVA, Feed, GroupScene, LUIS } from "../group-scene.ts";
import { MemoryLog } from "./memory-log.ts";

export const NOW = Date.UTC(2026, 5, 1);
export const SECOND = 1_000;
export const HOUR = 3_600 * SECOND;

/** A link that keeps what is written on it. */
export class Link implements GroupLink {
  readonly key: string;
  readonly queuedBytes = 0;
  readonly sent: SyncMessage[] = [];

  constructor({ named }: TestKey) {
    this.key = named.spki;
  }

  send(message: SyncMessage): void {
    this.sent.push(message);
  }

  /** What came as entries, in order. */
  get entries(): RawEntry[] {
    return this.sent.flatMap((message) => (message.action === "group_entries" ? message.entries : []));
  }

  get headers(): string[] {
    return this.entries.map(([header]) => header);
  }
}

/** One side, which is attacked, and the links to it. */
export class Victim {
  readonly scene: GroupScene;
  readonly log = new MemoryLog();
  readonly sync: GroupSync;
  now = NOW;

  /** @param entries what it holds of the scene at first */
  constructor(scene: GroupScene, { named }: TestKey, entries: readonly GroupEntry[] = scene.entries) {
    this.scene = scene;
    const batch = { bodies: [], withdrawn: [], forks: [], receipts: [], restarted: [] };
    this.log.write({ ...batch, entries: entries.map((entry) => ({ entry, draft: undefined })) });
    this.sync = new GroupSync(scene.group, named.spki, this.log);
  }

  link(key: TestKey): Link {
    const link = new Link(key);
    this.sync.linkUp(link, this.now);
    this.say(link, { action: "group_heads", group: this.scene.group, sum: NO_ID });
    return link;
  }

  /** @returns whether the link stays */
  say(link: Link, message: SyncMessage): boolean {
    const stays = this.sync.take(link, message, this.now);
    const changes = this.sync.commit();
    this.sync.stored(changes?.seq ?? 0, this.now);
    return stays;
  }

  give(link: Link, ...entries: GroupEntry[]): boolean {
    return this.say(link, {
      action: "group_entries",
      group: this.scene.group,
      entries: entries.map(rawEntry),
    });
  }

  heads(link: Link, ...heads: HeadFields[]): boolean {
    return this.say(link, { action: "group_heads", group: this.scene.group, sum: NO_ID, heads });
  }

  /** Lets time pass, so that what is sent at most once a second is. */
  wait(ms: number): void {
    this.now += ms;
    this.sync.pump(this.now);
  }

  holds({ feed, lane, number, id }: GroupEntry): boolean {
    return this.log.rows.some(
      (row) => row.feed === feed && row.lane === lane && row.number === number && row.id === id,
    );
  }
}

/** A text of this feed; at `now` unless it is said otherwise. */
export function text(
  feed: Feed,
  at = NOW,
  place: Position = feed.next("t"),
  body: object = { text: "hola" },
): GroupEntry {
  const { scene, key } = feed;
  const entry = signEntry(scene.group, { ...place, kind: "text", at }, body, key.key, scene.salt);
  feed.wrote(entry);
  return entry;
}

/** As `text`, but nobody has it yet. */
export function unsent(feed: Feed, at = NOW, place = feed.next("t"), body?: object): GroupEntry {
  const entry = text(feed, at, place, body);
  feed.scene.entries.pop();
  return entry;
}

export function head(
  feed: Feed,
  changes: { c?: number; cid?: string; first?: number; t?: number; tid?: string } = {},
): HeadFields {
  const [c, t] = [feed.next("c"), feed.next("t")];
  const short = (id: string): string => id.slice(0, 22);
  return [
    feed.id,
    changes.c ?? c.number - 1,
    short(changes.cid ?? c.prev),
    changes.first ?? Math.min(1, t.number - 1),
    changes.t ?? t.number - 1,
    short(changes.tid ?? t.prev),
    0,
  ];
}

/** ana founded it; eva and luis are members. */
export function trio(more: ConstructorParameters<typeof GroupScene>[1] = {}): {
  scene: GroupScene;
  ana: Feed;
  eva: Feed;
  luis: Feed;
} {
  const scene = new GroupScene(ANA, more);
  scene.at = NOW - 48 * HOUR;
  return { scene, ana: scene.founder, eva: scene.founder.bring(EVA), luis: scene.founder.bring(LUIS) };
}
