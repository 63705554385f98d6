/**
 * The transfers that are accepted and have not ended: when each has a stream, and with whom a link is wanted for that.
 *
 * A stream is allowed if its transfer is accepted and unfinished, and user and key are those of the conversation in which
 * that was said. A second one replaces the first. With one person so many are opened at once, and so many are taken.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { label as labelOf } from "../../../identity/names.ts";
import type { Clock } from "../../../net/clock.ts";
import type { StreamMessage } from "../../../protocol/peer-messages.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import type { StorageGuard } from "../../disk/storage-guard.ts";
import type { ProvenStream } from "../../peer/proven-connection.ts";
import { isGroup } from "../../profile/contacts.ts";
import type { Profile } from "../../profile/profile.ts";
import type { Transfer } from "../../profile/transfers.ts";
import type { Invitation } from "../../reach/meetings.ts";
import { ServerFailure } from "../../rendezvous/server-errors.ts";
import { Download } from "./download.ts";
import { RunningTransfer } from "./running-transfer.ts";
import type { Progress } from "./shared-file.ts";
import { streamPlace, Streams } from "./streams.ts";
import { Upload } from "./upload.ts";
import type { Outcome } from "./work.ts";

/** Transfers with one person that are opened at once by ourselves, and streams that we take. */
const MAX_OPEN = 3;
/** Of those that only wait for a word of theirs, so many are kept open: usually it comes at once. */
const MAX_KEPT_OPEN = 3;
const MAX_STREAMS = 8;
/** How long the work on the disk may take to end, in ms. */
const CLOSE_TIMEOUT = 1_000;

export type ActiveNeeds = {
  readonly profile: Pick<Profile, "username" | "folder" | "contacts" | "consents" | "transfers" | "relay">;
  /** With somebody who is stored. */
  readonly conversation: (username: string) => Conversation;
  /** Undefined: there is none. */
  readonly find: (username: string) => Conversation | undefined;
  readonly clock: Clock;
  readonly storage: StorageGuard;
  /** As `Reach.stream`. */
  readonly connect: ConstructorParameters<typeof Streams>[0]["connect"];
  /** It has made progress, or is held up, or nothing of that has changed. */
  readonly changed: (transfer: Transfer) => void;
  /** @throws SQLiteError */
  readonly reached: (transfer: Transfer, end: Extract<Outcome, { name: "sent" | "done" | "failed" }>) => void;
};

export class ActiveTransfers {
  readonly #needs: ActiveNeeds;
  readonly #ownLabel: string;
  readonly #streams: Streams;
  readonly #byId = new Map<string, RunningTransfer>();
  readonly #byContact = new Map<number, Set<RunningTransfer>>();
  readonly #abort = new AbortController();

  constructor(needs: ActiveNeeds) {
    this.#needs = needs;
    const { profile, clock, connect } = needs;
    this.#ownLabel = labelOf(profile.username);
    this.#streams = new Streams({
      ownName: () => profile.username,
      ownLabel: this.#ownLabel,
      relay: () => profile.relay,
      clock,
      connect,
    });
  }

  /** Goes on with what earlier processes have left. @throws SQLiteError */
  begin(): void {
    const underWay = this.#needs.profile.transfers.underWay();
    for (const transfer of underWay) if (!this.#isOfGroup(transfer)) this.start(transfer);
    this.#removeRests(new Set(underWay.map(({ number }) => String(number))));
  }

  /** Those have no single other side. */
  #isOfGroup({ contact }: Transfer): boolean {
    const found = this.#needs.profile.contacts.byId(contact);
    return found !== undefined && isGroup(found);
  }

  /** What is left of transfers that have ended, while the process did. */
  #removeRests(underWay: ReadonlySet<string>): void {
    const { profile, storage } = this.#needs;
    storage.attempt(() => {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const ended = new Map(profile.transfers.all().map((transfer) => [String(transfer.number), transfer]));
      for (const number of readdirSync(this.#folder)) {
        if (underWay.has(number)) continue;
        const transfer = ended.get(number);
        if (transfer !== undefined && transfer.state !== "done" && transfer.folder !== undefined)
          new Download(join(this.#folder, number)).discard(transfer).catch(storage.failed);
        else rmSync(join(this.#folder, number), { recursive: true, force: true });
      }
    });
  }

  get #folder(): string {
    return join(this.#needs.profile.folder, "transfers");
  }

  #folderOf({ number }: Transfer): string {
    return join(this.#folder, String(number));
  }

  /** How far a transfer is; undefined: it is not under way. */
  progressOf({ id }: Transfer): Progress | undefined {
    return this.#byId.get(id)?.progress;
  }

  /** A transfer is accepted. */
  start(transfer: Transfer): void {
    const { clock, storage, changed, reached } = this.#needs;
    const folder = this.#folderOf(transfer);
    const { id } = transfer;
    const conversation = () => this.#conversationOf(transfer);
    const place = () => {
      const with_ = conversation();
      if (with_ === undefined || !this.#isContact(with_)) return undefined;
      return streamPlace(with_.transport, this.#ownLabel < with_.contact.label);
    };
    const running = new RunningTransfer(transfer, {
      clock,
      wireId: () => id,
      work: transfer.outgoing ? new Upload(folder) : new Download(folder),
      place: () => {
        const found = place();
        return found?.peer.fingerprint === transfer.key ? found : undefined;
      },
      hasOtherKey: () => {
        const found = place();
        return found !== undefined && found.peer.fingerprint !== transfer.key;
      },
      dial: async (current, attempt, signal) => {
        const with_ = conversation();
        return with_ && this.#streams.dial(with_, current, id, attempt, signal);
      },
      changed: () => changed(running.transfer),
      save: (done) => this.#saveDone(id, done),
      wantsChanged: () => this.#wantsChanged(transfer.contact),
      reached: (end) => reached(running.transfer, end),
      failed: (error) => {
        if (!(error instanceof ServerFailure)) storage.failed(error);
      },
    });
    this.#byId.set(id, running);
    this.#byContact.set(transfer.contact, this.#with(transfer.contact).add(running));
    running.begin();
  }

  /** The stored transfer has changed, and is under way still. */
  update(transfer: Transfer): void {
    this.#byId.get(transfer.id)?.update(transfer);
  }

  /** A transfer has ended. */
  end({ id, contact }: Transfer): void {
    const running = this.#byId.get(id);
    if (running === undefined) return;
    this.#byId.delete(id);
    this.#with(contact).delete(running);
    running.end().catch(this.#needs.storage.failed);
    this.#wantsChanged(contact);
  }

  /** As of `TransferEvents`. */
  linkChanged(username: string): void {
    const conversation = this.#needs.find(username);
    if (conversation === undefined || this.#byId.size === 0) return;
    const isContact = this.#isContact(conversation);
    const contact = conversation.contact.id;
    for (const running of this.#with(contact)) {
      if (isContact) running.linkChanged();
      else running.endStream("no_contact");
    }
    this.#wantsChanged(contact);
  }

  /** As of `TransferEvents`. */
  stream(username: string, asked: StreamMessage, stream: ProvenStream): void {
    const running = this.#allowed(username, asked.transfer, stream.peer.fingerprint);
    if (running === undefined) stream.connection.terminate("not_accepted");
    else running.accept(stream, asked);
  }

  /** They ask to meet us for the bytes of a transfer. */
  invited(invitation: Invitation): void {
    const { username, transfer = "" } = invitation;
    const { conversation, storage } = this.#needs;
    const running = this.#byId.get(transfer);
    const key = running?.transfer.key;
    if (key === undefined || this.#allowed(username, transfer, key) === undefined) return;
    this.#streams
      .answer(conversation(username), key, invitation, this.#abort.signal)
      .then((stream) => {
        if (stream !== undefined) running?.met(stream);
      })
      .catch((error: unknown) => {
        if (!(error instanceof ServerFailure)) storage.failed(error);
      });
  }

  /** The transfer for which somebody may have a stream; undefined: for none. */
  #allowed(username: string, id: string, key: string): RunningTransfer | undefined {
    const running = this.#byId.get(id);
    if (running === undefined || running.transfer.key !== key) return undefined;
    const conversation = this.#conversationOf(running.transfer);
    if (conversation === undefined || conversation !== this.#needs.find(username)) return undefined;
    if (!this.#isContact(conversation)) return undefined;
    const streams = [...this.#with(running.transfer.contact)].filter(({ stream }) => stream !== undefined);
    return streams.includes(running) || streams.length < MAX_STREAMS ? running : undefined;
  }

  /** Ends these streams, and those that are being dialled. */
  endStreams(isMeant: (stream: ProvenStream) => boolean, code: string): void {
    for (const running of this.#byId.values())
      if (running.stream === undefined || isMeant(running.stream)) running.endStream(code);
  }

  /** Nothing goes to anybody else, or comes from them. */
  #isContact({ contact }: Conversation): boolean {
    const { profile, storage } = this.#needs;
    return storage.attempt(() => profile.consents.isContact(contact.label)) === true;
  }

  /** Everything is left as it is. Resolves when nothing is done on the disk. */
  async close(): Promise<void> {
    this.#abort.abort();
    const all = [...this.#byId.values()];
    this.#byId.clear();
    this.#byContact.clear();
    for (const { transfer, progress } of all) this.#saveDone(transfer.id, progress.done);
    // What was written by an earlier process may be being compared, which takes long.
    await Promise.race([Promise.all(all.map((running) => running.close())), Bun.sleep(CLOSE_TIMEOUT)]);
  }

  #saveDone(id: string, done: number): void {
    const { profile, storage } = this.#needs;
    storage.attempt(() => profile.transfers.saveDone(id, done));
  }

  #with(contact: number): Set<RunningTransfer> {
    return this.#byContact.get(contact) ?? new Set();
  }

  #conversationOf({ contact }: Pick<Transfer, "contact">): Conversation | undefined {
    const { profile, conversation, storage } = this.#needs;
    const person = storage.attempt(() => profile.contacts.byId(contact));
    return person && conversation(person.username);
  }

  /** Whether a link to this person is wanted, and what is opened next. Nothing is read from the disk for each transfer. */
  #wantsChanged(contact: number): void {
    const all = [...this.#with(contact)];
    const conversation = this.#conversationOf({ contact });
    if (conversation === undefined) return;
    const isContact = this.#isContact(conversation);
    conversation.hold("transfer", isContact && all.some(({ wantsLink }) => wantsLink));
    for (const running of all.filter(({ isKeptOpen }) => isKeptOpen).slice(0, -MAX_KEPT_OPEN))
      running.release();
    const { current } = conversation.transport;
    const key = isContact && current?.isOpen === true ? current.peer.fingerprint : undefined;
    let free = MAX_OPEN - all.filter(({ isOpen }) => isOpen).length;
    for (const running of all) {
      if (free <= 0) return;
      if (running.openIfOfUse(key !== undefined && key === running.transfer.key)) free--;
    }
  }
}
