/** Somebody who speaks the wire of groups by hand, with a good certificate: what an honest client would not say. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

import {
  isEntryId,
  nextPosition,
  rawEntry,
  readEntry,
  signCreate,
  signEntry,
  type EntryFields,
  type GroupEntry,
  type Lane,
  type RawEntry,
} from "../../../src/identity/group-entry.ts";
import { label } from "../../../src/identity/names.ts";
import type { TlsIdentity } from "../../../src/net/tls.ts";
import { until, type Person } from "../messenger-pair.ts";
import { RawPeer } from "../raw-peer.ts";
import type { Message } from "../rendezvous-test-client.ts";

/** An id that no entry has. */
export const NO_ID = "A".repeat(43);

export class HostileMember {
  readonly name: string;
  readonly identity: TlsIdentity;
  readonly key: KeyObject;
  /** As bodies of `create` and `add` name it. */
  readonly named: { readonly label: string; readonly name: string; readonly spki: string };
  /** All entries of all groups that it was given, as they came. */
  readonly given: { readonly group: string; readonly raw: RawEntry }[] = [];
  /** All that was said to it on the current link, but for the greeting. */
  readonly heard: Message[] = [];
  peer: RawPeer | undefined;
  /** What it writes in the groups that it has joined. */
  readonly #feeds = new Map<string, HostileFeed>();
  #read = 0;
  #rest = "";

  constructor(name: string, identity: TlsIdentity) {
    this.name = name;
    this.identity = identity;
    this.key = createPrivateKey(identity.key);
    const pem = this.key.export({ format: "pem", type: "pkcs8" });
    const spki = createPublicKey(pem).export({ format: "der", type: "spki" });
    this.named = { label: label(name), name, spki: spki.toString("base64") };
  }

  /** Dials somebody and greets as a client that knows groups, unless other features are given. */
  async dial(victim: Person, features: readonly string[] = ["group1", "consent1"]): Promise<RawPeer> {
    const peer = await RawPeer.dial(victim.port, { identity: this.identity });
    this.peer = peer;
    this.#read = 0;
    this.#rest = "";
    this.heard.length = 0;
    await until(() => this.listen().length > 0 || peer.isClosed);
    this.say({ action: "hello", protocol: 1, username: this.name, features: [...features] });
    return peer;
  }

  say(...messages: Message[]): void {
    this.peer?.send(...messages);
  }

  /** All that was said to it on this link so far. */
  listen(): readonly Message[] {
    const chunks = this.peer?.received ?? [];
    for (; this.#read < chunks.length; this.#read++) {
      const lines = (this.#rest + (chunks[this.#read] as Buffer).toString("utf8")).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#hear(JSON.parse(line) as Message);
    }
    return this.heard;
  }

  #hear(message: Message): void {
    this.heard.push(message);
    if (message["action"] === "ping") this.say({ action: "pong" });
    const group = message["group"] as string;
    // Texts are taken only from who has answered the last greeting.
    const isGreeting = message["action"] === "group_heads" && message["heads"] === undefined;
    if (isGreeting) this.#feeds.get(group)?.greet();
    for (const raw of (message["entries"] ?? []) as RawEntry[]) this.given.push({ group, raw });
  }

  heardOf(action: string): readonly Message[] {
    return this.listen().filter((message) => message["action"] === action);
  }

  /** Waits until all that was said was read. @returns false: the link was closed */
  async settled(): Promise<boolean> {
    const { peer } = this;
    const pongs = this.heardOf("pong").length;
    this.say({ action: "ping" });
    await until(() => peer?.isClosed !== false || this.heardOf("pong").length > pongs);
    return peer?.isClosed === false;
  }

  /** The entries of a group that it was given, each once. */
  entries(group: string): GroupEntry[] {
    const read = this.given.filter((each) => each.group === group).map(({ raw }) => readEntry(group, raw));
    const known = read.filter((entry) => entry !== undefined);
    return [...new Map(known.map((entry) => [entry.id, entry])).values()];
  }

  /** Waits to be invited to a group. @returns what it writes there */
  async invited(group: string): Promise<HostileFeed> {
    const invitation = () => this.heardOf("group_invite").find((message) => message["group"] === group);
    await until(() => invitation() !== undefined);
    return new HostileFeed(this, group, String(invitation()?.["feed"]));
  }

  /** Waits to be invited, and joins. */
  async join(group: string): Promise<HostileFeed> {
    const feed = await this.invited(group);
    // So its lane may be dated as it likes.
    feed.give(feed.write("c", "join", {}, { at: 0 }));
    this.speakFor(feed);
    feed.greet();
    // The member greets it as one of its own now, and takes texts once that was answered.
    await this.settled();
    await this.settled();
    return feed;
  }

  /** Answers greetings of this group from now on. */
  speakFor(feed: HostileFeed): void {
    this.#feeds.set(feed.group, feed);
  }

  /** Founds a group that nobody else knows. */
  found(title: string, more: object = {}, at = Date.now()): HostileFeed {
    const body = { version: 1, adds: "admins", writes: "all", title, ...this.named, ...more };
    const create = signCreate(at, body, this.key);
    const feed = new HostileFeed(this, create.id, create.id);
    feed.wrote(create);
    return feed;
  }

  /** Another key of somebody, by default of its own. */
  other(identity: TlsIdentity, name = this.name): HostileMember {
    return new HostileMember(name, identity);
  }
}

type Changes = Partial<Omit<EntryFields, "size" | "digest">>;

/** What it writes as one term. */
export class HostileFeed {
  readonly member: HostileMember;
  readonly group: string;
  readonly id: string;
  readonly written: GroupEntry[] = [];
  readonly #last = new Map<Lane, GroupEntry>();

  constructor(member: HostileMember, group: string, id: string) {
    this.member = member;
    this.group = group;
    this.id = id;
    if (!isEntryId(id)) throw new Error(`no feed: ${id}`);
  }

  wrote(entry: GroupEntry): void {
    this.written.push(entry);
    this.#last.set(entry.lane, entry);
  }

  /** Signs the next entry of a lane, or what `changes` make of it; only what stands in its place is gone on from. */
  write(lane: Lane, kind: string, body: object = {}, changes: Changes = {}): GroupEntry {
    const next = nextPosition(this.id, lane, this.#last.get(lane));
    const at = Math.max(Date.now(), this.#last.get(lane)?.at ?? 0);
    const entry = signEntry(this.group, { ...next, kind, at, ...changes }, body, this.member.key);
    if (entry.number === next.number && entry.feed === this.id && entry.prev === next.prev) this.wrote(entry);
    return entry;
  }

  text(text: string, more: object = {}, changes: Changes = {}): GroupEntry {
    return this.write("t", "text", { text, ...more }, changes);
  }

  add(who: HostileMember["named"], more: object = {}, changes: Changes = {}): GroupEntry {
    return this.write("c", "add", { ...who, role: "member", history: "all", ...more }, changes);
  }

  /** The term of a key that it has added. */
  feedOf(member: HostileMember, add: GroupEntry): HostileFeed {
    return new HostileFeed(member, this.group, add.id);
  }

  give(...entries: readonly GroupEntry[]): void {
    this.giveRaw(...entries.map(rawEntry));
  }

  giveRaw(...entries: readonly RawEntry[]): void {
    this.member.say({ action: "group_entries", group: this.group, entries });
  }

  /** Greets as somebody who has what it has written itself, and nothing else. */
  greet(): void {
    this.member.say({ action: "group_heads", group: this.group, sum: NO_ID });
    this.heads();
  }

  /** Tells heads: by default what it has written itself. */
  heads(...heads: readonly (readonly (string | number)[])[]): void {
    const told = heads.length > 0 ? heads : [this.head()];
    this.member.say({ action: "group_heads", group: this.group, sum: NO_ID, heads: told });
  }

  head(
    changes: { c?: number; first?: number; t?: number; tid?: string; read?: number } = {},
  ): (string | number)[] {
    const [c, t] = [this.#last.get("c"), this.#last.get("t")];
    const short = (id: string | undefined) => (id ?? this.id).slice(0, 22);
    const first = Math.min(1, t?.number ?? 0);
    return [
      ...[this.id, changes.c ?? c?.number ?? 0, short(c?.id), changes.first ?? first],
      ...[changes.t ?? t?.number ?? 0, changes.tid ?? short(t?.id), changes.read ?? 0],
    ];
  }

  /** As `group_invite` for somebody whom this feed has added, by way of these entries. */
  invitation(add: GroupEntry, chain: readonly GroupEntry[], more: object = {}): Message {
    return {
      ...{ action: "group_invite", group: this.group, feed: add.id, title: "Familia" },
      ...{ by: this.member.name, people: 1, entries: chain.map(rawEntry), ...more },
    };
  }
}
