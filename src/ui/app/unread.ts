/** What the screen reads from the open profile beside the chat. */
import type { Messenger } from "../../client/messenger.ts";
import { isStorageFailure } from "../../client/disk/sqlite.ts";
import type { AppEvent, Unread } from "./model.ts";

/** Messages that were never shown, by the contact's row number. @throws SQLiteError */
export function unreadOf({ profile }: Messenger): ReadonlyMap<number, Unread> {
  const { contacts, history } = profile;
  const unread = new Map<number, Unread>();
  for (const [contact, count] of history.unreadCounts()) {
    unread.set(contact, { username: contacts.byId(contact)?.username ?? "", count });
  }
  return unread;
}

/** Messages were read or taken back: how many are new now; undefined when that cannot be read. */
export function recounted(messenger: Messenger | undefined): AppEvent | undefined {
  try {
    return messenger && { name: "recounted", unread: unreadOf(messenger) };
  } catch (error) {
    // The numbers stay as they were; whoever needs what cannot be read is told then.
    if (!isStorageFailure(error)) throw error;
    return undefined;
  }
}
