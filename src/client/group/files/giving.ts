/**
 * The files of groups that are given: to members alone, by their keys, to whoever asks on a stream of PROTOCOL 6. What was
 * received is given on as long as it is what its author has named.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { randomUUIDv7 } from "bun";

import { label as labelOf } from "../../../identity/names.ts";
import type { StreamMessage } from "../../../protocol/peer-messages.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import type { ActiveNeeds } from "../../file/transfer/active-transfers.ts";
import { StreamGreeting, type OpenedStream, type Streams } from "../../file/transfer/streams.ts";
import { TransferError } from "../../file/transfer/transfer-error.ts";
import { Upload } from "../../file/transfer/upload.ts";
import type { ProvenStream } from "../../peer/proven-connection.ts";
import type { Transfer } from "../../profile/transfers.ts";
import type { Invitation } from "../../reach/meetings.ts";
import { ServerFailure } from "../../rendezvous/server-errors.ts";
import type { Term } from "../sync/membership.ts";
import { summedFile, type SummedFile } from "./summed-file.ts";

/** Streams on which files are given at once: in all, and to one person. */
const MAX_GIVEN = 16;
const MAX_GIVEN_TO_ONE = 8;
/** How long nothing of one moves before it is ended, in ms. */
const SILENT = 60_000;

type GivingNeeds = Pick<ActiveNeeds, "profile" | "clock" | "storage"> & {
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

/** Whether a stream asks for a file of a group: its id is an entry. */
export function isOfGroup(transfer: string): boolean {
  return transfer.includes("/");
}

export class Giving {
  readonly #needs: GivingNeeds;
  readonly #streams: Streams;
  readonly #given = new Set<Given>();
  /** What received files were when they were looked at last, by id. */
  readonly #looked = new Map<string, Promise<SummedFile | undefined>>();
  readonly #abort = new AbortController();

  constructor(needs: GivingNeeds, streams: Streams) {
    this.#needs = needs;
    this.#streams = streams;
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
    const asking = [...this.#askingFor(transfer)].find(([, { label }]) => label === labelOf(username));
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
      const isAllowed = this.#isGiven(id) && this.#askingFor(id).has(stream.peer.fingerprint);
      if (!isAllowed) stream.connection.terminate("not_accepted");
      else if (now - movedAt >= SILENT) stream.connection.terminate("silent");
    }
  }

  /** The members of the group of this entry. */
  #askingFor(id: string): ReadonlyMap<string, Term> {
    const transfer = this.#find(id);
    return transfer === undefined ? new Map<string, Term>() : this.#needs.membersFor(transfer);
  }

  #find(id: string): Transfer | undefined {
    const { storage, profile } = this.#needs;
    const [feed = "", number] = id.split("/");
    return storage.attempt(() => profile.transfers.ofEntry(feed, Number(number)));
  }

  /** Whether it is ours and not stopped, or was received. */
  #isGiven(id: string): boolean {
    const { outgoing, state } = this.#find(id) ?? {};
    return state === (outgoing === true ? "offered" : "done");
  }

  #isFull(label: string): boolean {
    const toOne = [...this.#given].filter(({ stream }) => stream.peer.label === label);
    return this.#given.size >= MAX_GIVEN || toOne.length >= MAX_GIVEN_TO_ONE;
  }

  #give(stream: OpenedStream, id: string, asked: StreamMessage | undefined): void {
    const { connection, peer } = stream;
    if (!this.#askingFor(id).has(peer.fingerprint) || this.#isFull(peer.label)) {
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
    const transfer = this.#find(id);
    let stamp: string | undefined;
    const theirs = await greeting.exchange(peer.name, asked, async () => {
      stamp = this.#isGiven(id) && transfer !== undefined ? await this.#stampOf(transfer) : undefined;
      if (stamp !== undefined) return { action: "stream", transfer: id, ranges: undefined };
      connection.send({ action: "error", code: "no_such_file" });
      return undefined;
    });
    if (theirs?.action !== "stream" || transfer === undefined || stamp === undefined) return;
    const folder = join(this.#needs.profile.folder, "transfers", `given-${randomUUIDv7()}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const upload = new Upload(folder);
    // Nothing is told at the end: the SHA-256 was.
    const end = { size: transfer.size ?? 0, digest: "" };
    const what = { ...transfer, stamp, end, outgoing: true };
    await upload
      .run(connection, theirs.ranges, what, () => (given.movedAt = this.#needs.clock.monotonic()))
      .finally(() => {
        connection.terminate("ended");
        upload.close();
        rmSync(folder, { recursive: true, force: true });
      });
  }

  /** What the file is like; undefined: it is not there, or is another one now. */
  async #stampOf({ id, outgoing, path = "", stamp, sha256 }: Transfer): Promise<string | undefined> {
    const before = this.#looked.get(id) ?? Promise.resolve(undefined);
    const looked = before.then((known) => summedFile(path, known).catch(orNothing));
    this.#looked.set(id, looked);
    const now = await looked;
    if (now === undefined) return undefined;
    return (outgoing ? now.stamp === stamp : now.sha256 === sha256) ? now.stamp : undefined;
  }

  close(): void {
    this.#abort.abort();
    for (const { stream } of this.#given) stream.connection.terminate("closing");
  }
}

function orNothing(error: unknown): undefined {
  if (!(error instanceof TransferError)) throw error;
  return undefined;
}
