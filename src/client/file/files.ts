/**
 * The transfers of files (PROTOCOL 6): what is offered, accepted, declined and stopped, here and by the other side.
 *
 * Every change of a transfer is in one commit with the message that tells the other side of it, or that has told us.
 */
import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";

import { randomUUIDv7 } from "bun";

import type { Clock } from "../../net/clock.ts";
import { FILES_FEATURE } from "../../protocol/peer-messages.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { TakenControls } from "../conversation/delivery.ts";
import type { MessengerEvent, SharedFile } from "../conversation/events.ts";
import { ActionError, checkNotSelf } from "../conversation/message-actions.ts";
import type { TransferEvents } from "../conversation/needs.ts";
import type { Outbox } from "../conversation/outbox.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { Profile } from "../profile/profile.ts";
import type { AcceptedOffers, Transfer } from "../profile/transfers.ts";
import { sharedFile } from "./shared-file.ts";
import { TransferError } from "./transfer-error.ts";

type FilesNeeds = {
  readonly profile: Pick<Profile, "username" | "contacts" | "transfers">;
  readonly conversation: (username: string) => Conversation;
  readonly outbox: Pick<Outbox, "tell">;
  readonly clock: Pick<Clock, "now">;
  readonly storage: StorageGuard;
  readonly emit: (event: MessengerEvent) => void;
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

export class Files implements TransferEvents {
  readonly #needs: FilesNeeds;
  /** The faces at which every offer is accepted. */
  readonly #faces = new Map<object, AcceptedOffers>();

  constructor(needs: FilesNeeds) {
    this.#needs = needs;
  }

  /** All transfers, oldest first. @throws SQLiteError */
  list(): SharedFile[] {
    return this.#needs.profile.transfers.all().map((transfer) => this.#shown(transfer));
  }

  /**
   * Offers a file or a folder to a person.
   * @throws SelfError, TransferError, ActionError if they are blocked, SQLiteError
   */
  async send(to: string, { path, name = basename(path), wantsSha256, id }: Offered): Promise<SharedFile> {
    const { profile, outbox, clock } = this.#needs;
    checkNotSelf(profile, to);
    const known = id === undefined ? undefined : profile.transfers.find(id);
    if (known !== undefined) return this.#shown(known);
    const conversation = this.#needs.conversation(to);
    const { contact } = conversation;
    if (conversation.isBlocked) throw new ActionError("blocked");
    if (profile.contacts.features(contact)?.includes(FILES_FEATURE) === false)
      throw new TransferError("not_supported");
    const { size, modified } = await stat(path).then(
      (status) => ({ size: status.size, modified: status.mtime.toISOString() }),
      () => {
        throw new TransferError("no_such_file");
      },
    );
    const transfer = id ?? randomUUIDv7();
    outbox.tell(
      to,
      [{ id: transfer, control: { action: "file_offer", name, size, modified, entries: undefined } }],
      () =>
        profile.transfers.offer(contact, {
          id: transfer,
          name,
          size,
          entries: undefined,
          modified,
          path,
          stamp: undefined,
          wantsSha256,
          at: clock.now(),
        }),
    );
    return this.#changed(this.#find(transfer));
  }

  /** Accepts an offer. @param folder absolute. @throws TransferError, SQLiteError */
  async accept(id: string, folder: string, wantsSha256: boolean): Promise<SharedFile> {
    const { profile } = this.#needs;
    const offer = this.#find(id);
    if (!offer.outgoing && offer.state === "accepted") return this.#shown(offer);
    if (offer.outgoing || offer.state !== "offered") throw new TransferError("not_possible");
    const isFolder = await stat(folder).then(
      (status) => status.isDirectory(),
      () => false,
    );
    if (!isFolder) throw new TransferError("unwritable");
    const key = randomBytes(8).toString("hex");
    return this.#tell(offer, { action: "file_accept", transfer: id }, () =>
      profile.transfers.accept(id, { folder, key, wantsSha256 }),
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
  acceptAll(face: object, offers: AcceptedOffers): void {
    this.#faces.set(face, offers);
    for (const offer of this.#needs.profile.transfers.allOffers()) this.#consider(offer);
  }

  /** A face is gone. */
  leave(face: object): void {
    this.#faces.delete(face);
  }

  took(username: string, { transfers, refused }: TakenControls): void {
    if (refused.length > 0) this.#refuse(username, refused);
    for (const transfer of transfers) {
      this.#changed(transfer);
      if (transfer.state === "offered") this.#consider(transfer);
    }
  }

  linkChanged(): void {
    // Nothing is streamed yet.
  }

  /** They have too many offers that wait. */
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
    const always = contact && storage.attempt(() => profile.transfers.acceptedOffers(contact));
    const fits = ({ most = Infinity }: AcceptedOffers) => size <= most;
    const faces = [...this.#faces.values()];
    const choice = [...(always === undefined ? [] : [always]), ...faces].find(fits);
    if (choice !== undefined) {
      this.accept(id, choice.folder, false).catch((error: unknown) => {
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
    this.#needs.outbox.tell(this.#peerOf(transfer), [{ control }], () => {
      changed = change();
      if (changed === undefined) throw new TransferError("not_possible");
    });
    return this.#changed(changed ?? transfer);
  }

  /** @throws TransferError */
  #find(id: string): Transfer {
    const transfer = this.#needs.profile.transfers.find(id);
    if (transfer === undefined) throw new TransferError("no_such_transfer");
    return transfer;
  }

  #changed(transfer: Transfer): SharedFile {
    const file = this.#shown(transfer);
    this.#needs.emit({ name: "file", file });
    return file;
  }

  #shown(transfer: Transfer): SharedFile {
    return sharedFile(transfer, this.#peerOf(transfer), undefined);
  }

  #peerOf({ contact }: Transfer): string {
    return this.#needs.profile.contacts.byId(contact)?.username ?? "";
  }
}
