/**
 * Keeps what is held of one group in step with those who are linked. What a read of a link has brought is committed at its
 * end; once it is on the disk it is acknowledged and passed on.
 */
import type { Clock } from "../../net/clock.ts";
import type { GroupMessage } from "../../protocol/peer-messages.ts";
import type { Durability } from "../disk/durability.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { PeerLink } from "../peer/link.ts";
import type { GroupStore } from "./store/group-store.ts";
import type { GroupLink, SyncMessage } from "./sync/group-link.ts";
import type { GroupChanges } from "./sync/holdings.ts";
import { GroupSync } from "./sync/sync.ts";

/** How long nothing is begun after the disk has failed, in ms. */
const REST_TIME = 30_000;

export type SyncedNeeds = {
  readonly store: GroupStore;
  readonly storage: StorageGuard;
  readonly durability: Durability;
  readonly clock: Clock;
  /** Ms since 1970, by the server's clock where it is known. */
  readonly serverNow: () => number;
};

/** What becomes of the links. Each method throws SQLiteError when the disk fails. */
type SyncedEvents = {
  linkUp(link: PeerLink): void;
  /** Entries with these headers are given to somebody. */
  gave(headers: readonly string[]): void;
  /** A member, or somebody else, has told heads. */
  heads(message: SyncMessage & { action: "group_heads" }, link: PeerLink): void;
  /** All of one read was committed. */
  readEnd(): void;
  committed(changes: GroupChanges): void;
};

export class SyncedGroup {
  readonly #needs: SyncedNeeds;
  readonly #events: SyncedEvents;
  readonly #load: () => GroupSync;
  readonly #links = new Map<PeerLink, GroupLink>();
  #sync: GroupSync;
  /** The disk has failed: nothing is begun here until then, of the monotonic clock. */
  #restUntil = -Infinity;
  #isClosed = false;

  /** @param key our own, as in terms @throws SQLiteError */
  constructor(needs: SyncedNeeds, group: string, key: string, events: SyncedEvents) {
    this.#needs = needs;
    this.#events = events;
    this.#load = () => new GroupSync(group, key, needs.store.log(group));
    this.#sync = this.#load();
  }

  /** Another one after the disk has failed. */
  get held(): GroupSync {
    return this.#sync;
  }

  get links(): Iterable<PeerLink> {
    return this.#links.keys();
  }

  /** Whether the disk has just failed. */
  get isResting(): boolean {
    return this.#needs.clock.monotonic() < this.#restUntil;
  }

  linkUp(link: PeerLink): void {
    if (this.#links.has(link)) return;
    const groupLink: GroupLink = {
      key: link.peer.spki.toString("base64"),
      get queuedBytes() {
        return link.isOpen ? link.queuedBytes : Infinity;
      },
      send: (message) => {
        link.send(message);
        if (message.action === "group_entries") this.#events.gave(message.entries.map(([header]) => header));
      },
    };
    this.#links.set(link, groupLink);
    this.attempt(() => {
      this.#sync.linkUp(groupLink, this.#needs.serverNow());
      this.#events.linkUp(link);
    });
  }

  linkDown(link: PeerLink): void {
    const groupLink = this.#links.get(link);
    if (groupLink === undefined) return;
    this.#links.delete(link);
    this.#sync.linkDown(groupLink);
  }

  /** Somebody who is linked. */
  linkTo(label: string): PeerLink | undefined {
    return [...this.#links.keys()].find((link) => link.isOpen && link.peer.label === label);
  }

  /** Whether somebody with this label is linked. */
  isLinked(label: string): boolean {
    return this.linkTo(label) !== undefined;
  }

  /** They invite us to this group, which we have joined. */
  invitedAgain(link: PeerLink): void {
    const groupLink = this.#links.get(link);
    if (groupLink !== undefined)
      this.attempt(() => this.#sync.invitedAgain(groupLink, this.#needs.serverNow()));
  }

  take(message: SyncMessage & GroupMessage, link: PeerLink): void {
    const groupLink = this.#links.get(link);
    if (groupLink === undefined) return;
    const isHonest = this.attempt(() => this.#sync.take(groupLink, message, this.#needs.serverNow()));
    if (isHonest === undefined) link.refuse("storage_failed");
    else if (!isHonest) link.refuse("bad_request");
    else if (message.action === "group_heads") this.#events.heads(message, link);
  }

  /** All of one read was taken. */
  readEnd(link: PeerLink): void {
    if (!this.#links.has(link)) return;
    if (this.attempt(() => (this.commit(), true)) === undefined) link.refuse("storage_failed");
    else this.#events.readEnd();
  }

  drained(link: PeerLink): void {
    if (this.#links.has(link)) this.attempt(() => this.pump());
  }

  /** Writes what links take. @throws SQLiteError */
  pump(): void {
    this.#sync.pump(this.#needs.serverNow());
  }

  /** Stores what was taken and written. @throws SQLiteError */
  commit(): void {
    const { durability, serverNow } = this.#needs;
    durability.check();
    const changes = this.#sync.commit();
    if (changes === undefined) return;
    durability.written(() => this.attempt(() => this.#sync.stored(changes.seq, serverNow())));
    this.#events.committed(changes);
  }

  /** As `commit`. @throws SQLiteError: then nothing of what was written is kept */
  commitWritten(): void {
    try {
      this.commit();
    } catch (error) {
      this.#needs.storage.attempt(() => this.#begin());
      throw error;
    }
  }

  /** @returns undefined: the disk has failed; what was not stored is forgotten, and the links begin anew */
  attempt<T>(work: () => T): T | undefined {
    if (this.#isClosed) return undefined;
    const { storage, clock } = this.#needs;
    try {
      return work();
    } catch (error) {
      storage.failed(error);
      this.#restUntil = clock.monotonic() + REST_TIME;
      storage.attempt(() => this.#begin());
      return undefined;
    }
  }

  /** Begins anew from what is on the disk. @throws SQLiteError */
  #begin(): void {
    this.#sync = this.#load();
    for (const groupLink of this.#links.values()) this.#sync.linkUp(groupLink, this.#needs.serverNow());
  }

  close(): void {
    this.#isClosed = true;
    for (const groupLink of this.#links.values()) this.#sync.linkDown(groupLink);
    this.#links.clear();
  }
}
