/**
 * The transfers of files (PROTOCOL 6): what is offered, accepted, declined and stopped, here and by the other side.
 *
 * Every change of a transfer is in one commit with the message that tells the other side of it, or that has told us.
 */
import { randomBytes } from "node:crypto";
import { basename } from "node:path";

import { randomUUIDv7 } from "bun";

import { label as labelOf } from "../../../identity/names.ts";
import type { Clock } from "../../../net/clock.ts";
import { FILES_FEATURE } from "../../../protocol/peer-messages.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import type { TakenControls } from "../../conversation/receiving.ts";
import type { FileOfGroup, MessengerEvent, SharedFile } from "../../conversation/events.ts";
import { checkNotSelf } from "../../conversation/message-actions.ts";
import type { Outbox } from "../../conversation/outbox.ts";
import { isRoomFor } from "../../disk/free-space.ts";
import type { StorageGuard } from "../../disk/storage-guard.ts";
import { isGroup, type Contact } from "../../profile/contacts.ts";
import type { Profile } from "../../profile/profile.ts";
import type { AcceptedOffers, FaceOffers, Transfer } from "../../profile/transfers.ts";
import { ActiveTransfers, type ActiveNeeds } from "./active-transfers.ts";
import { lookAtSource, type Offerable } from "./open-source.ts";
import { sharedFile } from "./shared-file.ts";
import { SinkError, SourceError } from "../source.ts";
import { TargetFolder } from "../target-folder.ts";
import { TransferError } from "./transfer-error.ts";

type FilesNeeds = {
  readonly profile: Pick<Profile, "username" | "folder" | "contacts" | "consents" | "transfers" | "relay">;
  readonly conversation: (username: string) => Conversation;
  readonly find: (username: string) => Conversation | undefined;
  readonly outbox: Pick<Outbox, "tell">;
  readonly clock: Clock;
  readonly storage: StorageGuard;
  readonly emit: (event: MessengerEvent) => void;
  /** As `Reach.stream`. */
  readonly connect: ActiveNeeds["connect"];
  /** Those that are given to all of a group. */
  readonly ofGroups: Pick<ActiveTransfers, "start" | "end" | "progressOf">;
  /** What is said of one of those besides. @throws SQLiteError */
  readonly aboutGroup: (transfer: Transfer) => FileOfGroup;
  /** Whether it is a contact who gives a file to all of a group. @throws SQLiteError */
  readonly isOfContact: (transfer: Transfer) => boolean;
};

/** What is offered. */
type Offered = {
  /** Absolute. */
  readonly path: string;
  /** Undefined: the last part of the path. */
  readonly name: string | undefined;
  /** Whether its SHA-256 is wanted. */
  readonly wantsSha256: boolean;
  /** Undefined: a new one. If a transfer has it already, nothing is done. */
  readonly id: string | undefined;
};

export class Files {
  /** Those that are accepted and have not ended. */
  readonly active: ActiveTransfers;
  readonly #needs: FilesNeeds;
  /** What was told last of those that are under way, by id. */
  readonly #told = new Map<string, string>();
  /** The faces at which every offer is accepted. */
  readonly #faces = new Map<object, FaceOffers>();

  constructor(needs: FilesNeeds) {
    this.#needs = needs;
    this.active = new ActiveTransfers({
      ...needs,
      changed: (transfer) => this.changed(transfer),
      reached: (transfer, end) => this.reached(transfer, end),
    });
  }

  /** All transfers, oldest first. @throws SQLiteError */
  list(): SharedFile[] {
    return this.#needs.profile.transfers.all().map((transfer) => this.#shown(transfer));
  }

  /**
   * Offers a file, a folder or a pipe to a person.
   * @returns the transfer, and what of a folder is not sent
   * @throws SelfError, TransferError, ActionError if they are blocked, SQLiteError
   */
  async send(
    to: string,
    { path, name = basename(path), wantsSha256, id }: Offered,
  ): Promise<{ readonly file: SharedFile; readonly leftOut: Offerable["leftOut"] }> {
    const { profile, outbox, clock } = this.#needs;
    checkNotSelf(profile, to);
    const known = () => (id === undefined ? undefined : profile.transfers.find(id));
    const before = known();
    if (before !== undefined) return { file: this.#shown(before), leftOut: undefined };
    const conversation = this.#needs.conversation(to);
    const { contact } = conversation;
    conversation.checkSends();
    if (profile.contacts.features(contact)?.includes(FILES_FEATURE) === false)
      throw new TransferError("not_supported");
    const { leftOut, ...source } = await orTransferError(() => lookAtSource(path));
    const meanwhile = known();
    if (meanwhile !== undefined) return { file: this.#shown(meanwhile), leftOut };
    const { size = null, entries, modified } = source;
    const transfer = id ?? randomUUIDv7();
    const control = { action: "file_offer", name, size, entries, modified } as const;
    outbox.tell(to, [{ id: transfer, control }], () =>
      profile.transfers.offer(contact, { ...source, id: transfer, name, path, wantsSha256, at: clock.now() }),
    );
    return { file: this.changed(this.#find(transfer)), leftOut };
  }

  /** Accepts an offer. @param folder absolute. @throws TransferError, SQLiteError */
  async accept(id: string, folder: string, wantsSha256: boolean): Promise<SharedFile> {
    const { size = 0 } = this.#find(id);
    return this.#accept(id, folder, wantsSha256, (target) => isRoomFor(target, size));
  }

  /** @param hasRoom whether there is room in this folder; if not, nobody is there to make some */
  async #accept(
    id: string,
    folder: string,
    wantsSha256: boolean,
    hasRoom: (target: string) => Promise<boolean>,
  ): Promise<SharedFile> {
    const { profile } = this.#needs;
    const offer = this.#find(id);
    if (!offer.outgoing && offer.state === "accepted") return this.#shown(offer);
    if (offer.outgoing || offer.state !== "offered") throw new TransferError("not_possible");
    const peer = this.#peerOf(offer);
    if (!isGroup({ label: peer }) && !profile.consents.isContact(labelOf(peer)))
      throw new TransferError("not_possible");
    const target = await orTransferError(() => TargetFolder.resolve(folder));
    if (!(await hasRoom(target))) throw new TransferError("no_space");
    const key = randomBytes(8).toString("hex");
    return this.#tell(offer, { action: "file_accept", transfer: id }, () =>
      profile.transfers.accept(id, { folder: target, key, wantsSha256 }),
    );
  }

  /** Declines an offer. @throws TransferError, SQLiteError */
  decline(id: string, reason = "declined"): SharedFile {
    const offer = this.#find(id);
    if (offer.state === "declined") return this.#shown(offer);
    if (offer.outgoing || offer.state !== "offered") throw new TransferError("not_possible");
    return this.#tell(offer, { action: "file_decline", transfer: id, reason }, () =>
      this.#needs.profile.transfers.end(id, "declined", reason),
    );
  }

  /** Stops a transfer that has not ended, on either side. @throws TransferError, SQLiteError */
  stop(id: string): SharedFile {
    const transfer = this.#find(id);
    const { state, outgoing } = transfer;
    if (state === "offered" && !outgoing) return this.decline(id);
    if (state === "cancelled") return this.#shown(transfer);
    if (state !== "offered" && state !== "accepted") throw new TransferError("not_possible");
    return this.#tell(transfer, { action: "file_cancel", transfer: id, reason: "stopped" }, () =>
      this.#needs.profile.transfers.end(id, "cancelled", undefined),
    );
  }

  /**
   * Offers of this person are accepted without a question from now on.
   * @param offers undefined: they are asked about
   * @throws SelfError, SQLiteError
   */
  alwaysAccept(username: string, offers: AcceptedOffers | undefined): void {
    const { profile } = this.#needs;
    checkNotSelf(profile, username);
    const { contact } = this.#needs.conversation(username);
    profile.transfers.acceptOffers(contact, offers);
    for (const offer of profile.transfers.offers(contact)) this.#consider(offer);
  }

  /** Every offer of a contact is accepted, or declined as too large, until `leave`. @throws SQLiteError */
  acceptAll(face: object, offers: FaceOffers): void {
    this.#faces.set(face, offers);
    for (const offer of this.#needs.profile.transfers.allOffers()) this.#consider(offer);
  }

  /** A face is gone. */
  leave(face: object): void {
    this.#faces.delete(face);
  }

  /** As of `TransferEvents`. */
  took(username: string, { transfers, refused }: TakenControls): void {
    if (refused.length > 0) this.#refuse(username, refused);
    for (const transfer of transfers) {
      this.#follow(transfer);
      if (transfer.state === "offered") this.#consider(transfer);
    }
  }

  /** What is stored of a transfer may have changed with a text of a group. @throws SQLiteError */
  stored(id: string): void {
    const transfer = this.#needs.profile.transfers.find(id);
    if (transfer === undefined) return;
    this.#follow(transfer);
    if (!transfer.outgoing && transfer.state === "offered") this.#consider(transfer);
  }

  /** As of `TransferEvents`: everything with them ends, and they are told nothing. */
  blocked(username: string): void {
    const { find, storage } = this.#needs;
    storage.attempt(() => {
      const contact = find(username)?.contact;
      if (contact !== undefined) this.endAll(contact);
    });
  }

  /** Everything that is unfinished with a contact ends, and nobody is told. @param reason a code @throws SQLiteError */
  endAll(contact: Contact, reason?: string): void {
    for (const transfer of this.#needs.profile.transfers.endAll(contact, reason)) this.#follow(transfer);
  }

  /** What is done with the bytes of a transfer follows what is stored of it. */
  #follow(transfer: Transfer): SharedFile {
    const active = this.#activeOf(transfer);
    if (transfer.state !== "accepted") active.end(transfer);
    else if (active.progressOf(transfer) === undefined) active.start(transfer);
    else this.active.update(transfer);
    return this.changed(transfer);
  }

  /** As of `ActiveNeeds`. @throws SQLiteError */
  reached(transfer: Transfer, end: Parameters<ActiveNeeds["reached"]>[1]): void {
    try {
      this.#tellEnd(transfer, end);
    } catch (error) {
      // The other side has just ended it.
      if (!(error instanceof TransferError)) throw error;
    }
  }

  #tellEnd(transfer: Transfer, end: Parameters<ActiveNeeds["reached"]>[1]): void {
    const { transfers } = this.#needs.profile;
    const { id } = transfer;
    switch (end.name) {
      case "sent": {
        const control = { action: "file_end", transfer: id, size: end.size, digest: end.digest } as const;
        this.#tell(transfer, control, () => transfers.sent(id, end));
        return;
      }
      case "done":
        this.#tell(transfer, { action: "file_done", transfer: id }, () => transfers.received(id, end));
        return;
      case "failed": {
        const { reason } = end;
        const control = { action: "file_cancel", transfer: id, reason } as const;
        this.#tell(transfer, control, () => transfers.end(id, "failed", reason));
        return;
      }
      default:
        end satisfies never;
    }
  }

  /** Too many transfers of theirs have not ended. */
  #refuse(username: string, ids: readonly string[]): void {
    const { storage, outbox } = this.#needs;
    const declines = ids.map((transfer) => {
      return { control: { action: "file_decline", transfer, reason: "too_many_offers" } as const };
    });
    storage.attempt(() => outbox.tell(username, declines, () => undefined));
  }

  /** Answers an offer if that needs no question. */
  #consider(offer: Transfer): void {
    const { storage, profile } = this.#needs;
    const { id, size = Infinity } = offer;
    const contact = profile.contacts.byId(offer.contact);
    // A member who is a stranger gives nothing unasked.
    if (contact !== undefined && isGroup(contact) && !this.#needs.isOfContact(offer)) return;
    const always = contact && storage.attempt(() => profile.transfers.acceptedOffers(contact));
    const fits = ({ most = Infinity }: AcceptedOffers) => size <= most;
    const faces = [...this.#faces.values()];
    const choices: FaceOffers[] = always === undefined ? faces : [always, ...faces];
    const choice = choices.find(fits);
    if (choice !== undefined) {
      // Where there is no room, both sides see that it waits for that.
      const { folder, wantsSha256 = false } = choice;
      this.#accept(id, folder, wantsSha256, () => Promise.resolve(true)).catch((error: unknown) => {
        // It waits for the person.
        if (!(error instanceof TransferError)) storage.failed(error);
      });
    } else if (faces.length > 0) storage.attempt(() => this.decline(id, "too_large"));
  }

  /** @throws TransferError if it is in no state for that; SQLiteError */
  #tell(
    transfer: Transfer,
    control: Parameters<Outbox["tell"]>[1][number]["control"],
    change: () => Transfer | undefined,
  ): SharedFile {
    let changed: Transfer | undefined;
    const make = () => {
      changed = change();
      if (changed === undefined) throw new TransferError("not_possible");
    };
    const peer = this.#peerOf(transfer);
    // Of a file for all of a group nobody is told.
    if (isGroup({ label: peer })) this.#needs.profile.transfers.inOneCommit(make);
    else this.#needs.outbox.tell(peer, [{ control }], make);
    return this.#follow(changed ?? transfer);
  }

  /** @throws TransferError */
  #find(id: string): Transfer {
    const transfer = this.#needs.profile.transfers.find(id);
    if (transfer === undefined) throw new TransferError("no_such_transfer");
    return transfer;
  }

  /** As of `ActiveNeeds`: it is told if what is shown of it has changed. @throws SQLiteError */
  changed(transfer: Transfer): SharedFile {
    const file = this.#shown(transfer);
    const told = JSON.stringify(file);
    // One change has several causes.
    if (told !== this.#told.get(file.id)) this.#needs.emit({ name: "file", file });
    if (this.#activeOf(transfer).progressOf(transfer) === undefined) this.#told.delete(file.id);
    else this.#told.set(file.id, told);
    return file;
  }

  #shown(transfer: Transfer): SharedFile {
    const peer = this.#peerOf(transfer);
    const progress = this.#activeOf(transfer).progressOf(transfer);
    const ofGroup = isGroup({ label: peer }) ? this.#needs.aboutGroup(transfer) : undefined;
    return sharedFile(transfer, peer, progress, ofGroup);
  }

  #activeOf(transfer: Transfer): Pick<ActiveTransfers, "start" | "end" | "progressOf"> {
    return isGroup({ label: this.#peerOf(transfer) }) ? this.#needs.ofGroups : this.active;
  }

  #peerOf({ contact }: Transfer): string {
    return this.#needs.profile.contacts.byId(contact)?.username ?? "";
  }
}

/** What is wrong with a path, as whoever has named it is told. */
async function orTransferError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SinkError)
      throw new TransferError(error.code === "no_space" ? error.code : "unwritable");
    if (!(error instanceof SourceError)) throw error;
    const { code } = error;
    // A folder may change while it is being looked at.
    throw new TransferError(code === "changed" || code === "gone" ? "not_readable" : code);
  }
}
