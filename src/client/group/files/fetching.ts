/**
 * The files of groups that are being received. Whoever wants one asks one member after the other, each over a stream of
 * PROTOCOL 6 that names the entry: first the author, then those who are linked, then those who are online.
 */
import { join } from "node:path";

import { label as labelOf } from "../../../identity/names.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import type { ActiveNeeds } from "../../file/transfer/active-transfers.ts";
import { RunningTransfer } from "../../file/transfer/running-transfer.ts";
import type { Progress } from "../../file/transfer/shared-file.ts";
import { streamPlace, type OpenedStream, type PeerPlace, type Streams } from "../../file/transfer/streams.ts";
import type { ProvenStream } from "../../peer/proven-connection.ts";
import type { Transfer } from "../../profile/transfers.ts";
import { ServerFailure } from "../../rendezvous/server-errors.ts";
import { messageId } from "../store/shown-texts.ts";
import type { Term } from "../sync/membership.ts";
import { GroupDownload } from "./group-download.ts";

/** How long one is not asked again who has not given a file, in ms. */
const REST = 30_000;
/** Dials in vain before another one is asked: with the last one, the two meet. */
const MAX_DIALS = 3;
/** How long a link to somebody is awaited before another one is asked, in ms. */
const LINK_PATIENCE = 15_000;
/** Files that are received at once, and whose parts are open: most may wait for somebody who has them. */
const MAX_BUSY = 3;
const MAX_OPEN = 64;

export type FetchingNeeds = Pick<ActiveNeeds, "profile" | "clock" | "storage" | "changed" | "reached"> & {
  readonly conversation: (username: string) => Conversation;
  /** Whether somebody may be reached, as far as that is known. */
  readonly mayBeThere: (username: string) => boolean;
  /** The entry that names a file; its author may have signed it again. */
  readonly entryOf: (transfer: Transfer) => { readonly feed: string; readonly number: number };
  /** The others who may give, and be given, a file; by the fingerprints of their keys. */
  readonly membersFor: (transfer: Transfer) => ReadonlyMap<string, Term>;
};

type Giver = {
  readonly key: string;
  /** Its link is held. */
  readonly conversation: Conversation;
  /** When it was chosen, of the monotonic clock. */
  readonly since: number;
  /** Dials since the last stream, and bytes that were here when that began. */
  dials: number;
  doneBefore: number | undefined;
};

/** One that is being received. */
type Fetched = {
  readonly running: RunningTransfer;
  readonly work: GroupDownload;
  giver: Giver | undefined;
  /** Who is not asked before a time, of the monotonic clock; by keys. */
  readonly resting: Map<string, number>;
};

export class Fetching {
  readonly #needs: FetchingNeeds;
  readonly #streams: Streams;
  readonly #fetched = new Map<string, Fetched>();

  constructor(needs: FetchingNeeds, streams: Streams) {
    this.#needs = needs;
    this.#streams = streams;
  }

  /** A file is accepted. */
  start(transfer: Transfer): void {
    const { profile, clock, storage, changed, reached } = this.#needs;
    const { id, sha256 = "" } = transfer;
    const folder = join(profile.folder, "transfers", String(transfer.number));
    const work: GroupDownload = new GroupDownload(folder, sha256, {
      refused: () => this.#rest(fetched),
      emptied: () => running.begunAnew(),
    });
    const running: RunningTransfer = new RunningTransfer(transfer, {
      clock,
      work,
      place: () => this.#placeOf(fetched),
      wireId: () => this.#wireId(fetched),
      hasOtherKey: () => false,
      dial: async (place, _attempt, signal) => this.#dial(fetched, place, signal),
      changed: () => changed(running.transfer),
      save: (done) => storage.attempt(() => profile.transfers.saveDone(id, done)),
      wantsChanged: () => {
        this.#hold(fetched.giver?.conversation);
        if (!running.isBusy) this.#wake(running);
      },
      reached: (end) => reached(running.transfer, end),
      failed: (error) => {
        if (!(error instanceof ServerFailure)) storage.failed(error);
      },
    });
    const fetched: Fetched = { running, work, giver: undefined, resting: new Map() };
    this.#fetched.set(id, fetched);
    running.begin();
    this.#openSome();
  }

  #openSome(): void {
    const all = this.#running;
    let free = MAX_OPEN - all.filter(({ isOpen }) => isOpen).length;
    for (const running of all) if (free > 0 && running.openIfOfUse(true)) free--;
  }

  /** One does nothing at present: others may have its place among those that are received at once. */
  #wake(ended: RunningTransfer): void {
    const idle = this.#running.filter(({ isOpen, wantsLink, isBusy }) => isOpen && wantsLink && !isBusy);
    for (const running of idle) if (running !== ended) running.linkChanged();
  }

  get #running(): RunningTransfer[] {
    return [...this.#fetched.values()].map(({ running }) => running);
  }

  /** Those for which somebody is looked for. */
  get wanted(): readonly Transfer[] {
    return this.#running.filter(({ wantsLink }) => wantsLink).map(({ transfer }) => transfer);
  }

  /** How far one is; undefined: it is not being received. */
  progressOf({ id }: Transfer): Progress | undefined {
    return this.#fetched.get(id)?.running.progress;
  }

  /** The name of who gives it at present; null: nobody does. */
  giverOf({ id }: Transfer): string | null {
    return this.#fetched.get(id)?.giver?.conversation.contact.username ?? null;
  }

  /** It is wanted no longer. */
  end({ id }: Transfer): void {
    const fetched = this.#fetched.get(id);
    if (fetched === undefined) return;
    this.#fetched.delete(id);
    this.#hold(fetched.giver?.conversation);
    fetched.running.end().catch(this.#needs.storage.failed);
    this.#openSome();
  }

  /** The link to somebody has changed. */
  linkChanged(username: string): void {
    if (this.#fetched.size === 0) return;
    const { current } = this.#needs.conversation(username).transport;
    for (const { running, giver, resting } of this.#fetched.values()) {
      // Whoever has just come may have been away.
      if (current?.isOpen === true) resting.delete(current.peer.fingerprint);
      if (giver === undefined || giver.conversation.contact.label === labelOf(username))
        running.linkChanged();
    }
  }

  /** To be called about once a second: others may be there, and givers be members no longer. */
  tick(): void {
    const now = this.#needs.clock.monotonic();
    for (const fetched of this.#fetched.values()) {
      const { running, giver } = fetched;
      if (running.isBusy) {
        const isMember = giver !== undefined && this.#membersFor(fetched).has(giver.key);
        if (!isMember) running.endStream("not_a_member");
      } else if (running.wantsLink) {
        const isLinked = giver?.conversation.transport.current?.isOpen === true;
        if (giver !== undefined && !isLinked && now - giver.since >= LINK_PATIENCE) this.#rest(fetched);
        this.#choose(fetched);
        // Another one is dialled at once.
        if (fetched.giver?.dials === 0) running.linkChanged();
      }
    }
  }

  #membersFor({ running }: Fetched): ReadonlyMap<string, Term> {
    return this.#needs.membersFor(running.transfer);
  }

  /** Where the present giver is to be reached; another one is chosen where that one is no use. */
  #placeOf(fetched: Fetched): PeerPlace | undefined {
    this.#choose(fetched);
    const { giver, running } = fetched;
    const others = this.#running.filter((each) => each !== running && each.isBusy);
    if (giver === undefined || others.length >= MAX_BUSY) return undefined;
    const { transport, contact } = giver.conversation;
    const place = streamPlace(transport, labelOf(this.#needs.profile.username) < contact.label);
    // The one who wants it dials.
    return place?.peer.fingerprint === giver.key ? { ...place, isFirst: true } : undefined;
  }

  #choose(fetched: Fetched): void {
    const { running, giver, work, resting } = fetched;
    // What is there already comes from that one.
    if (running.isBusy) return;
    const now = this.#needs.clock.monotonic();
    const author = this.#needs.entryOf(running.transfer).feed;
    const ranked = [...this.#membersFor(fetched)]
      .filter(([key]) => !work.isLiar(key) && (resting.get(key) ?? -Infinity) <= now)
      .flatMap(([key, term]) => {
        const rank = this.#rankOf(key, term, author);
        return rank === undefined ? [] : [{ key, term, rank }];
      });
    if (ranked.some(({ key }) => key === giver?.key)) return;
    const [best] = ranked.toSorted((one, other) => one.rank - other.rank);
    fetched.giver = best && {
      key: best.key,
      conversation: this.#needs.conversation(best.term.name),
      since: now,
      dials: 0,
      doneBefore: undefined,
    };
    this.#hold(giver?.conversation);
    this.#hold(fetched.giver?.conversation);
  }

  /** In which order members are asked; undefined: they are not there. */
  #rankOf(key: string, { feed, name }: Term, author: string): number | undefined {
    const { current } = this.#needs.conversation(name).transport;
    const isLinked = current?.isOpen === true && current.peer.fingerprint === key;
    if (!isLinked && !this.#needs.mayBeThere(name)) return undefined;
    return feed === author ? 0 : isLinked ? 1 : 2;
  }

  /** The present giver is not asked for a while. */
  #rest({ giver, resting }: Fetched): undefined {
    if (giver !== undefined) resting.set(giver.key, this.#needs.clock.monotonic() + REST);
  }

  async #dial(fetched: Fetched, place: PeerPlace, signal: AbortSignal): Promise<OpenedStream | undefined> {
    const { giver, work, running } = fetched;
    if (giver === undefined) return undefined;
    // Nothing has come of it.
    if (giver.doneBefore === work.done) return this.#rest(fetched);
    await work.from(giver.key, running.transfer);
    const id = this.#wireId(fetched);
    const stream = await this.#streams.dial(giver.conversation, place, id, giver.dials++, signal);
    if (stream === undefined && giver.dials >= MAX_DIALS) this.#rest(fetched);
    if (stream === undefined) return undefined;
    giver.dials = 0;
    giver.doneBefore = work.done;
    return stream;
  }

  #wireId({ running }: Fetched): string {
    const { feed, number } = this.#needs.entryOf(running.transfer);
    return messageId(feed, number);
  }

  /** As of `ActiveTransfers`. */
  endStreams(isMeant: (stream: ProvenStream) => boolean, code: string): void {
    for (const running of this.#running)
      if (running.stream === undefined || isMeant(running.stream)) running.endStream(code);
  }

  /** A link to this person is wanted as long as something is to come from them. */
  #hold(conversation: Conversation | undefined): void {
    const isWanted = [...this.#fetched.values()].some(
      ({ giver, running }) => giver?.conversation === conversation && running.wantsLink,
    );
    conversation?.hold("groupFile", isWanted);
  }

  /** Everything is left as it is. Resolves when nothing is done on the disk. */
  async close(): Promise<void> {
    const all = [...this.#fetched.values()];
    this.#fetched.clear();
    await Promise.all(all.map(({ running }) => running.close()));
  }
}
