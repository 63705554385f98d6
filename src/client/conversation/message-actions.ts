/**
 * What may still be done with a message: edit it, withdraw it, cancel it, delete it here. The same rules hold
 * for the process that has the account online and for commands beside it.
 */
import { randomUUIDv7 } from "bun";

import type { Contact } from "../profile/contacts.ts";
import { label as labelOf } from "../../identity/names.ts";
import type { Profile } from "../profile/profile.ts";
import type { NewOutgoing, StoredMessage } from "../profile/stored-message.ts";

/** Why an action on a message cannot be done. */
export type ActionFault =
  /** No text of this id is stored in this conversation. */
  | "unknown_message"
  /** Only its author may edit or withdraw it. */
  | "not_own"
  | "already_withdrawn"
  /** Their client does not support it. */
  | "not_supported"
  /** It may have been sent, so it can only be withdrawn. */
  | "already_left"
  /** It waits in the outbox: it is cancelled or withdrawn, not deleted. */
  | "still_waiting";

export class ActionError extends Error {
  readonly code: ActionFault;

  constructor(code: ActionFault) {
    super(code);
    this.code = code;
  }
}

/** A message to oneself. */
export class SelfError extends Error {}

/** What these need of a profile. */
export type ActionStores = Pick<Profile, "contacts" | "history" | "removal">;

/** @param to the addressee, as typed. @throws SelfError */
export function checkNotSelf({ username }: { readonly username: string }, to: string): void {
  if (labelOf(to) === labelOf(username)) throw new SelfError();
}

/** A text of this conversation. @throws ActionError */
function textOf({ history }: ActionStores, contact: Contact, id: string): StoredMessage {
  const message = history.find(contact, id);
  if (message === undefined) throw new ActionError("unknown_message");
  return message;
}

function ownText(stores: ActionStores, contact: Contact, id: string): StoredMessage {
  const message = textOf(stores, contact, id);
  if (!message.outgoing) throw new ActionError("not_own");
  if (message.withdrawnAt !== undefined) throw new ActionError("already_withdrawn");
  return message;
}

function checkUnderstood({ contacts }: ActionStores, contact: Contact, feature: string): void {
  const features = contacts.features(contact);
  // Unknown until their next link: the action waits until then.
  if (features !== undefined && !features.includes(feature)) throw new ActionError("not_supported");
}

/**
 * Edits a text of ours.
 * @param now ms since 1970
 * @returns the action to send; undefined when the text had not been sent, and is sent as it is now.
 * @throws ActionError, SQLiteError
 */
export function prepareEdit(
  stores: ActionStores,
  contact: Contact,
  change: { readonly id: string; readonly text: string },
  now: number,
): NewOutgoing | undefined {
  const { id: target, text } = change;
  ownText(stores, contact, target);
  if (stores.removal.rewrite(contact, target, text, now)) return undefined;
  checkUnderstood(stores, contact, "edit");
  return { kind: "edit", contact, id: randomUUIDv7(), target, text, sentAt: now };
}

/**
 * Withdraws a text of ours, on both sides.
 * @returns the action to send; undefined when the text had not been sent, and is cancelled.
 * @throws ActionError, SQLiteError
 */
export function prepareWithdrawal(
  stores: ActionStores,
  contact: Contact,
  target: string,
  now: number,
): NewOutgoing | undefined {
  ownText(stores, contact, target);
  if (stores.removal.cancel(contact, target)) return undefined;
  checkUnderstood(stores, contact, "withdraw");
  return { kind: "withdraw", contact, id: randomUUIDv7(), target, sentAt: now };
}

/** Takes a text of ours out of the outbox before it is sent. @throws ActionError, SQLiteError */
export function cancelMessage(stores: ActionStores, contact: Contact, id: string): void {
  ownText(stores, contact, id);
  if (!stores.removal.cancel(contact, id)) throw new ActionError("already_left");
}

/** Deletes one text here; its id stays, so that it does not come again. @throws ActionError, SQLiteError */
export function deleteMessage(stores: ActionStores, contact: Contact, id: string): void {
  const { outgoing } = textOf(stores, contact, id);
  if (!stores.removal.delete(contact, id, outgoing)) throw new ActionError("still_waiting");
  stores.removal.wipeLog();
}
