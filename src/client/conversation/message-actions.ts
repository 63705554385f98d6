/**
 * What a person may still do with a message: change it, take it back, cancel it, delete it here. The
 * rules stand here once, for whoever has the account online and for commands beside it.
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
  /** Only who wrote it may change it or take it back. */
  | "not_own"
  | "already_withdrawn"
  /** Their client would not understand it. */
  | "not_supported"
  /** It may be on its way, so it can only be withdrawn. */
  | "already_left"
  /** It still waits to leave: it is cancelled or withdrawn, not deleted. */
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

/** @param to whom a person writes to, as typed. @throws SelfError */
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
  // Nobody knows yet what they understand: it waits until they say so.
  if (features !== undefined && !features.includes(feature)) throw new ActionError("not_supported");
}

/**
 * Gives a text of ours another wording.
 * @param now ms since 1970
 * @returns what has to go out for it; undefined when the text had not left, and leaves as it is now.
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
 * Takes a text of ours back, on both sides.
 * @returns what has to go out for it; undefined when the text had not left, and is cancelled.
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

/** Takes a text of ours out of the outbox before it leaves. @throws ActionError, SQLiteError */
export function cancelMessage(stores: ActionStores, contact: Contact, id: string): void {
  ownText(stores, contact, id);
  if (!stores.removal.cancel(contact, id)) throw new ActionError("already_left");
}

/** Deletes one text on this side; its id stays, so that it does not come again. @throws ActionError, SQLiteError */
export function deleteMessage(stores: ActionStores, contact: Contact, id: string): void {
  const { outgoing } = textOf(stores, contact, id);
  if (!stores.removal.delete(contact, id, outgoing)) throw new ActionError("still_waiting");
  stores.removal.wipeLog();
}
