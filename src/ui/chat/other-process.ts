/** What other processes of this account wrote to the person of the open chat, and what they cancelled. */
import type { Archive, StoredConversation } from "../../client/archive.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type { Outstanding, PendingDelivery } from "./model.ts";

/** Messages read at once. */
const PAGE = 500;
/** Ids of texts written here that are remembered; with more, the store is read up to them. */
const MAX_WRITTEN = 1_000;

/** How much is in the outbox for the person of this chat. @throws SQLiteError */
export function outstanding(conversation: StoredConversation): Outstanding {
  const { text, edit, withdraw } = conversation.outboxCounts();
  return { texts: text, changes: edit + withdraw };
}

export class OtherProcess {
  readonly #conversation: StoredConversation;
  /** The highest `seq` that was read. */
  #seen: number;
  /** Texts that were written here since then. */
  readonly #written = new Set<string>();

  constructor(archive: Archive, conversation: StoredConversation) {
    this.#conversation = conversation;
    this.#seen = archive.lastSeq();
  }

  /** A text was written here. @returns whether it is time to call `written` */
  wrote(id: string): boolean {
    this.#written.add(id);
    return this.#written.size > MAX_WRITTEN;
  }

  /** Our messages to this person that others wrote since the last call, oldest first. @throws SQLiteError */
  written(isUnderWay: (id: string) => boolean): readonly StoredMessage[] {
    const found: StoredMessage[] = [];
    for (;;) {
      const page = this.#conversation.after(this.#seen, PAGE);
      found.push(...page.filter(({ id, outgoing }) => outgoing && !this.#written.has(id)));
      this.#seen = page.at(-1)?.seq ?? this.#seen;
      if (page.length < PAGE) break;
    }
    for (const id of this.#written) if (!isUnderWay(id)) this.#written.delete(id);
    return found;
  }

  /** The ids of pending deliveries that are no longer in the outbox and never arrived. @throws SQLiteError */
  gone(pending: readonly Pick<PendingDelivery, "id" | "target">[]): readonly string[] {
    const isGone = ({ id, target }: Pick<PendingDelivery, "id" | "target">) => {
      const message = this.#conversation.find(target ?? id);
      if (message === undefined) return true;
      return target === undefined ? message.withdrawnAt !== undefined : !message.changeWaits;
    };
    return pending.filter(isGone).map(({ id }) => id);
  }
}
