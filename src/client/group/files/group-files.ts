/**
 * Files that are given to all of a group: a signed text names one by name, size and SHA-256, and whoever has it gives it to
 * members. A transfer of a group's contact stands for it; its id is that of the text's message.
 *
 * 1. Whoever wants it asks one member after the other, each over a stream of PROTOCOL 6 that names the entry: first the
 *    author, then those who are linked, then those who are online.
 * 2. Nothing goes to, or comes from, anybody else but members, by their keys.
 */
import { mkdirSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { randomUUIDv7 } from "bun";

import { label as labelOf } from "../../../identity/names.ts";
import type { Clock } from "../../../net/clock.ts";
import type { StreamMessage } from "../../../protocol/peer-messages.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import type { FileOfGroup } from "../../conversation/events.ts";
import type { Outbox } from "../../conversation/outbox.ts";
import type { StorageGuard } from "../../disk/storage-guard.ts";
import { FileSource } from "../../file/file-source.ts";
import type { ActiveNeeds } from "../../file/transfer/active-transfers.ts";
import { RunningTransfer } from "../../file/transfer/running-transfer.ts";
import {
  StreamGreeting,
  Streams,
  streamPlace,
  type OpenedStream,
  type PeerPlace,
} from "../../file/transfer/streams.ts";
import type { Progress } from "../../file/transfer/shared-file.ts";
import { TransferError } from "../../file/transfer/transfer-error.ts";
import { Upload } from "../../file/transfer/upload.ts";
import { sha256Of } from "../../file/transfer/work.ts";
import { asSource, SourceError } from "../../file/source.ts";
import type { ProvenStream } from "../../peer/proven-connection.ts";
import type { Profile } from "../../profile/profile.ts";
import type { Transfer } from "../../profile/transfers.ts";
import type { Invitation } from "../../reach/meetings.ts";
import { ServerFailure } from "../../rendezvous/server-errors.ts";
import type { Groups } from "../groups.ts";
import type { Term } from "../sync/membership.ts";
import { GroupDownload } from "./group-download.ts";

/** How long one is not asked again who has not given a file, in ms. */
const REST = 30_000;
/** Streams on which files are given at once. */
const MAX_GIVEN = 16;

type GroupFilesNeeds = {
  readonly profile: Profile;
  readonly groups: Pick<Groups, "memberKeys" | "shown" | "actions">;
  readonly conversation: (username: string) => Conversation;
  /** Undefined: not known. */
  readonly presence: (username: string) => boolean | undefined;
  readonly outbox: Pick<Outbox, "send" | "commit">;
  readonly clock: Clock;
  readonly storage: StorageGuard;
  readonly connect: ActiveNeeds["connect"];
  /** As of `ActiveNeeds`. */
  readonly changed: ActiveNeeds["changed"];
  /** @throws SQLiteError */
  readonly reached: ActiveNeeds["reached"];
};

/** One that is being received. */
type Fetched = {
  readonly running: RunningTransfer;
  readonly work: GroupDownload;
  /** The present giver, and the conversation whose link is held for that. */
  giver: { readonly key: string; readonly conversation: Conversation } | undefined;
  /** Who is not asked before a time, of the monotonic clock; by keys. */
  readonly resting: Map<string, number>;
};

/** Whether a stream asks for a file of a group: its id is an entry. */
export function isOfGroup(transfer: string): boolean {
  return transfer.includes("/");
}

export class GroupFiles {
  readonly #needs: GroupFilesNeeds;
  readonly #streams: Streams;
  readonly #fetched = new Map<string, Fetched>();
  readonly #given = new Set<ProvenStream>();
  /** What received files were like when their SHA-256 was the right one, by id. */
  readonly #checked = new Map<string, string>();
  readonly #abort = new AbortController();

  constructor(needs: GroupFilesNeeds) {
    this.#needs = needs;
    const { profile, clock, connect } = needs;
    this.#streams = new Streams({
      ownName: () => profile.username,
      ownLabel: labelOf(profile.username),
      relay: () => profile.relay,
      clock,
      connect,
    });
  }

  /** Goes on with what earlier processes have left. @throws SQLiteError */
  begin(): void {
    for (const transfer of this.#needs.profile.transfers.underWay())
      if (this.#groupOf(transfer) !== undefined) this.start(transfer);
  }

  /**
   * Gives a file to all of a group, with a text that is its name.
   * @param path absolute
   * @param wanted the id of both; undefined: a new one. If a transfer has it already, nothing is done
   * @throws TransferError, GroupError, SQLiteError
   */
  async send(group: string, path: string, name: string, wanted: string | undefined): Promise<Transfer> {
    const { profile, outbox, clock, groups } = this.#needs;
    const { transfers } = profile;
    const { contact } = groups.actions.joined(group);
    const id = wanted ?? randomUUIDv7();
    const known = () => transfers.find(id);
    const { sha256, size, stamp } = known() === undefined ? await summed(path) : NOTHING;
    const before = known();
    if (before !== undefined) return before;
    const of = { entries: undefined, modified: undefined, wantsSha256: false, at: clock.now() };
    transfers.inOneCommit(() => {
      transfers.offer(contact, { ...of, id, name, path, size, stamp }, sha256);
      outbox.send(contact.username, name, undefined, id);
      outbox.commit();
    });
    const offered = known();
    if (offered === undefined) throw new TransferError("not_possible");
    return offered;
  }

  /** What is said of a file of a group. @throws SQLiteError */
  about(transfer: Transfer): FileOfGroup {
    const { profile, groups } = this.#needs;
    const contact = profile.contacts.byId(transfer.contact);
    const group = this.#groupOf(transfer) ?? "";
    return {
      group,
      title: groups.shown.one(group).title,
      from: (contact && profile.history.find(contact, transfer.id)?.author) ?? null,
      giver: this.#fetched.get(transfer.id)?.giver?.conversation.contact.username ?? null,
    };
  }

  // What is wanted.

  /** A file is accepted. */
  start(transfer: Transfer): void {
    const { profile, clock, storage, changed, reached } = this.#needs;
    const { id, sha256 = "" } = transfer;
    const folder = join(profile.folder, "transfers", String(transfer.number));
    const work = new GroupDownload(folder, sha256, () => this.#rest(fetched));
    const running = new RunningTransfer(transfer, {
      clock,
      work,
      place: () => this.#placeOf(fetched),
      hasOtherKey: () => false,
      dial: async (place, attempt, signal) => this.#dial(fetched, place, attempt, signal),
      changed: () => changed(running.transfer),
      save: (done) => storage.attempt(() => profile.transfers.saveDone(id, done)),
      wantsChanged: () => this.#hold(fetched),
      reached: (end) => reached(running.transfer, end),
      failed: (error) => {
        if (!(error instanceof ServerFailure)) storage.failed(error);
      },
    });
    const fetched: Fetched = { running, work, giver: undefined, resting: new Map() };
    this.#fetched.set(id, fetched);
    running.begin();
    running.openIfOfUse(true);
  }

  /** Links, people or presence have changed. */
  recheck(): void {
    for (const { running } of this.#fetched.values()) running.linkChanged();
  }

  /** Where the present giver is to be reached; another one is chosen where that one is no use. */
  #placeOf(fetched: Fetched): PeerPlace | undefined {
    this.#choose(fetched);
    const { giver } = fetched;
    if (giver === undefined) return undefined;
    const { transport, contact } = giver.conversation;
    const isDecider = labelOf(this.#needs.profile.username) < contact.label;
    const place = streamPlace(transport, isDecider);
    // The one who wants it dials.
    return place?.peer.fingerprint === giver.key ? { ...place, isFirst: true } : undefined;
  }

  #choose(fetched: Fetched): void {
    const now = this.#needs.clock.monotonic();
    const members = this.#membersFor(fetched.running.transfer);
    const isOfUse = (key: string) =>
      members.has(key) && !fetched.work.isLiar(key) && (fetched.resting.get(key) ?? -Infinity) <= now;
    if (fetched.giver !== undefined && isOfUse(fetched.giver.key)) return;
    const author = fetched.running.transfer.id.split("/")[0];
    const rank = ([key, { feed, name }]: [string, Term]): number => {
      const { current } = this.#needs.conversation(name).transport;
      const isLinked = current?.isOpen === true && current.peer.fingerprint === key;
      const isThere = isLinked || this.#needs.presence(name) === true;
      return isThere ? (feed === author ? 0 : isLinked ? 1 : 2) : 3;
    };
    const best = [...members]
      .filter(([key]) => isOfUse(key))
      .map((each) => ({ each, rank: rank(each) }))
      .toSorted((one, other) => one.rank - other.rank)[0];
    const before = fetched.giver?.conversation;
    fetched.giver =
      best === undefined || best.rank === 3
        ? undefined
        : { key: best.each[0], conversation: this.#needs.conversation(best.each[1].name) };
    if (before !== fetched.giver?.conversation) this.#holdOnly(before);
    this.#hold(fetched);
  }

  #rest({ giver, resting }: Fetched): void {
    if (giver !== undefined) resting.set(giver.key, this.#needs.clock.monotonic() + REST);
  }

  async #dial(
    fetched: Fetched,
    place: PeerPlace,
    attempt: number,
    signal: AbortSignal,
  ): Promise<OpenedStream | undefined> {
    const { giver, work, running } = fetched;
    if (giver === undefined) return undefined;
    await work.from(giver.key, running.transfer);
    const { id } = running.transfer;
    const stream = await this.#streams.dial(giver.conversation, place, id, attempt, signal);
    if (stream === undefined) this.#rest(fetched);
    return stream;
  }

  #hold({ giver, running }: Fetched): void {
    giver?.conversation.hold("groupFile", running.wantsLink || this.#isGiverOf(giver.conversation));
  }

  #holdOnly(conversation: Conversation | undefined): void {
    conversation?.hold("groupFile", this.#isGiverOf(conversation));
  }

  #isGiverOf(conversation: Conversation): boolean {
    return [...this.#fetched.values()].some(
      ({ giver, running }) => giver?.conversation === conversation && running.wantsLink,
    );
  }

  /** How far one is that is being received; undefined: none is. */
  progressOf({ id }: Transfer): Progress | undefined {
    return this.#fetched.get(id)?.running.progress;
  }

  /** It is received, or given, no longer. */
  end({ id }: Transfer): void {
    const fetched = this.#fetched.get(id);
    if (fetched === undefined) return;
    this.#fetched.delete(id);
    this.#holdOnly(fetched.giver?.conversation);
    fetched.running.end().catch(this.#needs.storage.failed);
  }

  // What is given.

  /** Somebody has dialled us for a file. */
  stream(asked: StreamMessage, stream: ProvenStream): void {
    const greeting = new StreamGreeting(stream.connection, this.#needs.clock, "asked");
    this.#give({ ...stream, greeting }, asked.transfer, asked);
  }

  /** Somebody asks to meet us for a file. */
  invited(invitation: Invitation): void {
    const { username, transfer = "" } = invitation;
    const found = this.#find(transfer);
    const { storage, conversation } = this.#needs;
    const member = [...(found === undefined ? [] : this.#membersFor(found))].find(
      ([, { label }]) => label === labelOf(username),
    );
    if (member === undefined) return;
    this.#streams
      .answer(conversation(username), member[0], invitation, this.#abort.signal)
      .then((stream) => {
        if (stream !== undefined) this.#give(stream, transfer, undefined);
      })
      .catch((error: unknown) => {
        if (!(error instanceof ServerFailure)) storage.failed(error);
      });
  }

  #give(stream: OpenedStream, id: string, asked: StreamMessage | undefined): void {
    const transfer = this.#find(id);
    const { connection, peer } = stream;
    const isMember = transfer !== undefined && this.#membersFor(transfer).has(peer.fingerprint);
    if (!isMember || this.#given.size >= MAX_GIVEN) {
      connection.terminate("not_accepted");
      return;
    }
    this.#given.add(stream);
    this.#giveTo(stream, transfer, id, asked)
      .catch((error: unknown) => {
        connection.terminate("failed");
        this.#needs.storage.failed(error);
      })
      .finally(() => this.#given.delete(stream));
  }

  async #giveTo(
    { greeting, connection, peer }: OpenedStream,
    transfer: Transfer,
    id: string,
    asked: StreamMessage | undefined,
  ): Promise<void> {
    let stamp: string | undefined;
    const theirs = await greeting.exchange(peer.name, asked, async () => {
      stamp = await this.#stampOf(transfer);
      if (stamp !== undefined) return { action: "stream", transfer: id, ranges: undefined };
      connection.send({ action: "error", code: "no_such_file" });
      return undefined;
    });
    if (theirs?.action !== "stream" || stamp === undefined) return;
    const folder = join(this.#needs.profile.folder, "transfers", `given-${randomUUIDv7()}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const upload = new Upload(folder);
    // Nothing is told at the end: the SHA-256 was.
    const end = { size: transfer.size ?? 0, digest: "" };
    const given = { ...transfer, stamp, end, outgoing: true };
    await upload
      .run(connection, theirs.ranges, given, () => undefined)
      .finally(() => {
        upload.close();
        rmSync(folder, { recursive: true, force: true });
      });
  }

  /** What the file is like that is given; undefined: it is not here, or is another one now. */
  async #stampOf({ id, outgoing, state, path, stamp, sha256 }: Transfer): Promise<string | undefined> {
    if (outgoing) return state === "offered" ? stamp : undefined;
    if (state !== "done" || path === undefined) return undefined;
    const known = this.#checked.get(id);
    if (known !== undefined) return known;
    try {
      const now = await summed(path);
      if (now.sha256 !== sha256) return undefined;
      this.#checked.set(id, now.stamp);
      return now.stamp;
    } catch (error) {
      if (error instanceof TransferError) return undefined;
      throw error;
    }
  }

  #find(id: string): Transfer | undefined {
    const [feed = "", number] = id.split("/");
    return this.#needs.storage.attempt(() => this.#needs.profile.transfers.ofEntry(feed, Number(number)));
  }

  /** The members of the group of a file who are not blocked here, by key. */
  #membersFor(transfer: Transfer): ReadonlyMap<string, Term> {
    const group = this.#groupOf(transfer);
    const members = group === undefined ? [] : [...this.#needs.groups.memberKeys(group)];
    return new Map(members.filter(([, { label }]) => !this.#needs.profile.consents.isBlocked(label)));
  }

  #groupOf({ contact }: Transfer): string | undefined {
    const name = this.#needs.profile.contacts.byId(contact)?.label ?? "";
    return name.startsWith("#") ? name.slice(1) : undefined;
  }

  /** Everything is left as it is. Resolves when nothing is done on the disk. */
  async close(): Promise<void> {
    this.#abort.abort();
    for (const { connection } of this.#given) connection.terminate("closing");
    const all = [...this.#fetched.values()];
    this.#fetched.clear();
    await Promise.all(all.map(({ running }) => running.close()));
  }
}

const NOTHING = { sha256: "", size: 0, stamp: "" };

/** What a file is. @throws TransferError */
async function summed(path: string): Promise<{ sha256: string; size: number; stamp: string }> {
  try {
    if ((await asSource("no_such_file", () => stat(path))).isDirectory())
      throw new TransferError("folder_in_group");
    const source = await FileSource.open(path);
    try {
      const sha256 = await sha256Of(source, source.size);
      await source.check();
      return { sha256, size: source.size, stamp: source.identity };
    } finally {
      source.close();
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { code } = error;
    throw new TransferError(code === "changed" || code === "gone" ? "not_readable" : code);
  }
}
