/** Finds the messages that other processes of this account wrote to the peer, and those that they cancelled. */
import type { Archive, StoredConversation } from "../../client/archive.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type { Outstanding, PendingDelivery } from "./model.ts";

/** Messages read at once. */
const PAGE = 500;
/** Ids of messages written here that are kept; with more, `written` must be called, which drops them. */
const MAX_WRITTEN = 1_000;

/** The number of messages and changes in the outbox for the peer. @throws SQLiteError */
export function outstanding(conversation: StoredConversation): Outstanding {
  const { text, edit, withdraw } = conversation.outboxCounts();
  return { texts: text, changes: edit + withdraw };
}

export class OtherProcess {
  readonly #conversation: StoredConversation;
  /** The highest `seq` that was read. */
  #seen: number;
  /** Ids of messages written here since then. */
  readonly #written = new Set<string>();

  constructor(archive: Archive, conversation: StoredConversation) {
    this.#conversation = conversation;
    this.#seen = archive.lastSeq();
  }

  /** A message was written here. @returns whether `written` must be called */
  wrote(id: string): boolean {
    this.#written.add(id);
    return this.#written.size > MAX_WRITTEN;
  }

  /**
   * The messages to the peer that other processes wrote since the last call, oldest first.
   * @param isUnderWay whether a message written here is not committed yet @throws SQLiteError
   */
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

  /** The ids of the pending deliveries that another process has cancelled. @throws SQLiteError */
  gone(pending: readonly Pick<PendingDelivery, "id" | "target">[]): readonly string[] {
    const isGone = ({ id, target }: Pick<PendingDelivery, "id" | "target">) => {
      const message = this.#conversation.find(target ?? id);
      if (message === undefined) return true;
      return target === undefined ? message.withdrawnAt !== undefined : !message.changeWaits;
    };
    return pending.filter(isGone).map(({ id }) => id);
  }
}
