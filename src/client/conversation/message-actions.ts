/**
 * The actions on a stored message: edit, withdraw, cancel, delete. The same rules hold for the process that has
 * the account online and for commands beside it.
 */
import { randomUUIDv7 } from "bun";

import type { Contact } from "../profile/contacts.ts";
import { label as labelOf } from "../../identity/names.ts";
import type { Profile } from "../profile/profile.ts";
import type { NewOutgoing, StoredMessage } from "../profile/stored-message.ts";

/** Why an action on a message is not possible. */
export type ActionFault =
  /** No text of this id is stored in this conversation. */
  | "unknown_message"
  /** It is the peer's; only its author may edit or withdraw it. */
  | "not_own"
  | "already_withdrawn"
  /** Their client does not support it. */
  | "not_supported"
  /** It may have been sent, so it can only be withdrawn. */
  | "already_left"
  /** It is in the outbox: it can be cancelled or withdrawn, but not deleted. */
  | "still_waiting"
  /** Its reader is blocked. */
  | "blocked";

export class ActionError extends Error {
  readonly code: ActionFault;

  constructor(code: ActionFault) {
    super(code);
    this.code = code;
  }
}

/** The recipient of a message is the account itself. */
export class SelfError extends Error {}

type ActionStores = Pick<Profile, "contacts" | "history" | "removal">;

/** @param to the recipient, as typed. @throws SelfError */
export function checkNotSelf({ username }: { readonly username: string }, to: string): void {
  if (labelOf(to) === labelOf(username)) throw new SelfError();
}

/** @throws ActionError unless it is a text of ours that was not withdrawn */
function checkOwnText({ history }: ActionStores, contact: Contact, id: string): void {
  const message = history.find(contact, id);
  if (message === undefined) throw new ActionError("unknown_message");
  if (!message.outgoing) throw new ActionError("not_own");
  if (message.withdrawnAt !== undefined) throw new ActionError("already_withdrawn");
}

function checkUnderstood({ contacts }: ActionStores, contact: Contact, feature: string): void {
  const features = contacts.features(contact);
  // If they are unknown, the action waits in the outbox until the next link.
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
  checkOwnText(stores, contact, target);
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
  checkOwnText(stores, contact, target);
  if (stores.removal.cancel(contact, target)) return undefined;
  checkUnderstood(stores, contact, "withdraw");
  return { kind: "withdraw", contact, id: randomUUIDv7(), target, sentAt: now };
}

/** Removes a text of ours from the outbox before it is sent. @throws ActionError, SQLiteError */
export function cancelMessage(stores: ActionStores, contact: Contact, id: string): void {
  checkOwnText(stores, contact, id);
  if (!stores.removal.cancel(contact, id)) throw new ActionError("already_left");
}

/**
 * Deletes one text on this side; its id stays, so that it is not received again.
 * @param message undefined: there is no such text
 * @throws ActionError, SQLiteError
 */
export function deleteMessage(
  { removal }: ActionStores,
  contact: Contact,
  message: StoredMessage | undefined,
): StoredMessage {
  if (message === undefined) throw new ActionError("unknown_message");
  // By its direction too, because an id of theirs may equal one of ours.
  if (!removal.delete(contact, message.id, message.outgoing)) throw new ActionError("still_waiting");
  return message;
}
