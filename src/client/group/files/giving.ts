/**
 * The files of groups that are given: to members alone, by their keys, to whoever asks on a stream of PROTOCOL 6. What was
 * received is given on as long as it is what its author has named.
 */
import { label as labelOf } from "../../../identity/names.ts";
import type { StreamMessage } from "../../../protocol/peer-messages.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import { FileSource } from "../../file/file-source.ts";
import type { Range } from "../../file/leaves.ts";
import { areWithin, Sending, type SendingEnd } from "../../file/sending.ts";
import { SourceError, type Source } from "../../file/source.ts";
import type { ActiveNeeds } from "../../file/transfer/active-transfers.ts";
import { StreamGreeting, type OpenedStream, type Streams } from "../../file/transfer/streams.ts";
import { TransferError } from "../../file/transfer/transfer-error.ts";
import type { LinkConnection, ProvenStream } from "../../peer/proven-connection.ts";
import type { Transfer } from "../../profile/transfers.ts";
import type { Invitation } from "../../reach/meetings.ts";
import { ServerFailure } from "../../rendezvous/server-errors.ts";
import { messageId } from "../store/shown-texts.ts";
import type { Term } from "../sync/membership.ts";
import { summedFile, type SummedFile } from "./summed-file.ts";

/** Streams on which files are given at once: in all, and to one person. */
const MAX_GIVEN = 16;
const MAX_GIVEN_TO_ONE = 8;
/** How long nothing of one moves before it is ended, in ms. */
const SILENT = 60_000;

type GivingNeeds = Pick<ActiveNeeds, "profile" | "clock" | "storage" | "reached"> & {
  readonly conversation: (username: string) => Conversation;
  /** As of `FetchingNeeds`. */
  readonly membersFor: (transfer: Transfer) => ReadonlyMap<string, Term>;
};

/** A stream on which a file is given. */
type Given = {
  readonly stream: ProvenStream;
  /** The entry that names it. */
  readonly id: string;
  /** Of the monotonic clock. */
  movedAt: number;
};

/** What a file is now; without `found`: why nothing is there that could be given. */
type Looked = { readonly found?: SummedFile; readonly fault?: "gone" };

/** What one is given is compared with the SHA-256 of the whole, by who gets it. */
const NO_LEAVES = { get: () => undefined, set: () => undefined };

/** Whether a stream asks for a file of a group: its id is an entry. */
export function isOfGroup(transfer: string): boolean {
  return transfer.includes("/");
}

export class Giving {
  readonly #needs: GivingNeeds;
  readonly #streams: Streams;
  readonly #given = new Set<Given>();
  /** What files were when they were looked at last, by id. */
  readonly #known = new Map<string, SummedFile>();
  /** The last look that is under way. */
  #looking: Promise<unknown> = Promise.resolve();
  readonly #abort = new AbortController();

  constructor(needs: GivingNeeds, streams: Streams) {
    this.#needs = needs;
    this.#streams = streams;
  }

  /** Streams on which a file is given. */
  get count(): number {
    return this.#given.size;
  }

  /** Somebody has dialled us for a file. */
  stream(asked: StreamMessage, stream: ProvenStream): void {
    const greeting = new StreamGreeting(stream.connection, this.#needs.clock, "asked");
    this.#give({ ...stream, greeting }, asked.transfer, asked);
  }

  /** Somebody asks to meet us for a file. */
  invited(invitation: Invitation): void {
    const { username, transfer = "" } = invitation;
    const { storage, conversation } = this.#needs;
    const asking = [...this.#readersOf(transfer)].find(([, { label }]) => label === labelOf(username));
    if (asking === undefined || this.#isFull(labelOf(username))) return;
    this.#streams
      .answer(conversation(username), asking[0], invitation, this.#abort.signal)
      .then((stream) => {
        if (stream !== undefined) this.#give(stream, transfer, undefined);
      })
      .catch((error: unknown) => {
        if (!(error instanceof ServerFailure)) storage.failed(error);
      });
  }

  /** To be called about once a second: ends what is given no longer, or to somebody who is no member any more. */
  tick(): void {
    const now = this.#needs.clock.monotonic();
    for (const { stream, id, movedAt } of this.#given) {
      const transfer = this.#find(id);
      const isAllowed =
        transfer !== undefined && isGiven(transfer) && this.#readersOf(id).has(stream.peer.fingerprint);
      if (!isAllowed) stream.connection.terminate("not_accepted");
      else if (now - movedAt >= SILENT) stream.connection.terminate("silent");
    }
  }

  /** The members who may know of this entry, by key: to some, older texts are not given. */
  #readersOf(id: string): ReadonlyMap<string, Term> {
    const { storage, profile, membersFor } = this.#needs;
    const transfer = this.#find(id);
    const all = transfer === undefined ? [] : [...membersFor(transfer)];
    const place = placeOf(id);
    const mayKnow = ({ history, feed }: Term) =>
      history === "all" || storage.attempt(() => profile.transfers.isAfterJoin(...place, feed)) === true;
    return new Map(all.filter(([, term]) => mayKnow(term)));
  }

  #find(id: string): Transfer | undefined {
    const { storage, profile } = this.#needs;
    const place = placeOf(id);
    if (messageId(...place) !== id) return undefined;
    return storage.attempt(() => profile.transfers.ofEntry(...place));
  }

  #isFull(label: string): boolean {
    const toOne = [...this.#given].filter(({ stream }) => stream.peer.label === label);
    return this.#given.size >= MAX_GIVEN || toOne.length >= MAX_GIVEN_TO_ONE;
  }

  #give(stream: OpenedStream, id: string, asked: StreamMessage | undefined): void {
    const { connection, peer } = stream;
    if (!this.#readersOf(id).has(peer.fingerprint) || this.#isFull(peer.label)) {
      connection.terminate("not_accepted");
      return;
    }
    const given: Given = { stream, id, movedAt: this.#needs.clock.monotonic() };
    this.#given.add(given);
    this.#giveTo(stream, given, asked)
      .catch((error: unknown) => {
        connection.terminate("failed");
        this.#needs.storage.failed(error);
      })
      .finally(() => this.#given.delete(given));
  }

  async #giveTo(
    { greeting, connection, peer }: OpenedStream,
    given: Given,
    asked: StreamMessage | undefined,
  ): Promise<void> {
    const { id } = given;
    let source: FileSource | undefined;
    try {
      const theirs = await greeting.exchange(peer.name, asked, async () => {
        source = await this.#open(id);
        if (source !== undefined) return { action: "stream", transfer: id, ranges: undefined };
        connection.send({ action: "error", code: "no_such_file" });
        return undefined;
      });
      if (theirs?.action !== "stream" || source === undefined) return;
      const { ranges = [] } = theirs;
      const isAsked = ranges.length > 0 && areWithin(ranges, source.size);
      if (isAsked) await this.#send(connection, source, ranges, given);
      connection.terminate(isAsked ? "ended" : "bad_request");
    } finally {
      source?.close();
    }
  }

  async #send(
    connection: LinkConnection,
    source: FileSource,
    ranges: readonly Range[],
    given: Given,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<SendingEnd>();
    const checked: Source = {
      size: source.size,
      read: async (offset, into) => {
        const bytes = await source.read(offset, into);
        // Whoever gets another file would take us for a liar.
        await source.check();
        return bytes;
      },
      check: () => source.check(),
      close: () => source.close(),
    };
    const progress = () => (given.movedAt = this.#needs.clock.monotonic());
    new Sending(connection, { source: checked, leaves: NO_LEAVES, ranges, progress, ended: resolve });
    connection.resumeReading();
    const end = await promise;
    if (end.name !== "failed") return;
    if (!(end.error instanceof SourceError)) throw end.error;
    (await this.#open(given.id))?.close();
  }

  /** Opens the file of an entry; undefined: it is not given, or is not there any more as its author has named it. */
  async #open(id: string): Promise<FileSource | undefined> {
    const transfer = this.#find(id);
    if (transfer === undefined || !isGiven(transfer)) return undefined;
    const { path = "", outgoing, sha256 } = transfer;
    const { found, fault } = await this.#look(transfer);
    if (this.#abort.signal.aborted) return undefined;
    if (found !== undefined && found.sha256 === sha256)
      return FileSource.open(path, found.stamp).catch(orNothing);
    // What was received may be changed by its person, who sees no harm in that.
    if (outgoing) this.#needs.reached(transfer, { name: "failed", reason: fault ?? "changed" });
    return undefined;
  }

  /** What the file is now. All of one after the other may have to be read. */
  #look({ id, path = "", outgoing, size = 0, stamp = "", sha256 = "" }: Transfer): Promise<Looked> {
    const look = async (): Promise<Looked> => {
      const known = this.#known.get(id) ?? (outgoing ? { sha256, size, stamp } : undefined);
      try {
        const found = await summedFile(path, known);
        this.#known.set(id, found);
        return { found };
      } catch (error) {
        if (!(error instanceof TransferError)) throw error;
        return { fault: "gone" };
      }
    };
    const looked = this.#looking.then(look);
    this.#looking = looked.catch(() => undefined);
    return looked;
  }

  /** Ends these streams. */
  endStreams(isMeant: (stream: ProvenStream) => boolean, code: string): void {
    for (const { stream } of this.#given) if (isMeant(stream)) stream.connection.terminate(code);
  }

  close(): void {
    this.#abort.abort();
    this.endStreams(() => true, "closing");
  }
}

/** Feed and number of an entry. */
function placeOf(id: string): [feed: string, number: number] {
  const [feed = "", number] = id.split("/");
  return [feed, Number(number)];
}

/** Whether it is ours and not stopped, or was received. */
function isGiven({ outgoing, state }: Transfer): boolean {
  return state === (outgoing ? "offered" : "done");
}

function orNothing(error: unknown): undefined {
  if (!(error instanceof SourceError)) throw error;
  return undefined;
}
