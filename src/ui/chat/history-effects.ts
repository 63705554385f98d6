/** Effects on stored messages: listing, searching, deleting and exporting. */
import { setImmediate as nextTurn } from "node:timers/promises";

import { searchQuery, type Archive, type StoredConversation } from "../../client/archive.ts";
import type { GroupCounts } from "../../client/conversation/events.ts";
import type { MessagePage } from "../../client/profile/message-history.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { exportConversation } from "../format/conversation-export.ts";
import { excerptOf, snippetOf } from "../format/excerpt.ts";
import { MAX_UNITS_AT_ONCE } from "../format/wrapped-text.ts";
import type { ChatNeeds, EffectTable, StoredPage } from "./model.ts";

/** `hits`: newest first, each with the name of the other person; `isMore`: there are older ones. */
export type Found = {
  readonly hits: readonly { readonly message: StoredMessage; readonly chat: string }[];
  readonly isMore: boolean;
};

/**
 * The newest messages with all these words.
 * @param words at least one letter or digit, see `searchQuery`
 * @param limit hits, at least 1
 * @param tell, signal as for `Archive.indexedSearch`
 * @throws SQLiteError
 */
export async function findMessages(
  archive: Archive,
  words: string,
  limit: number,
  signal: AbortSignal,
  tell: (percent: number) => void,
): Promise<Found> {
  const search = await archive.indexedSearch(signal, tell);
  const query = searchQuery(words);
  if (signal.aborted || query === undefined) return { hits: [], isMore: false };
  const found = search.newest(query, Number.MAX_SAFE_INTEGER, limit + 1);
  const hits = found
    .slice(0, limit)
    .filter((message) => !isByBlocked(archive, message))
    .map((message) => ({ message, chat: archive.usernameAt(message.contact) }));
  return { hits, isMore: found.length > limit };
}

/** Messages that a search shows. */
const MAX_FOUND = 20;

/** Who in a group is blocked here: what they write is stored, since it is passed on, and not shown. @throws SQLiteError */
function isByBlocked(archive: Archive, { author }: StoredMessage): boolean {
  return author !== undefined && archive.conversation(author)?.state === "blocked";
}

/** A page without what is not shown. @throws SQLiteError */
function withoutBlocked(archive: Archive, page: MessagePage): MessagePage {
  return { ...page, messages: page.messages.filter((message) => !isByBlocked(archive, message)) };
}

/**
 * The excerpt of a message of this conversation; undefined: it is not stored, was withdrawn, or is not shown.
 * @throws SQLiteError
 */
export function storedExcerpt(archive: Archive, stored: StoredConversation, id: string): string | undefined {
  const message = stored.find(id);
  if (message === undefined || message.withdrawnAt !== undefined) return undefined;
  return isByBlocked(archive, message) ? undefined : excerptOf(message.text);
}

/** The newest messages of a page, as many as can be laid out at once. */
export function shownAtOnce(page: MessagePage): MessagePage {
  let units = 0;
  const from = page.messages.findLastIndex(({ text }) => (units += text.length) > MAX_UNITS_AT_ONCE) + 1;
  return { messages: page.messages.slice(from), isMore: page.isMore || from > 0 };
}

/** What is shown of a page, with what is known of its messages beyond them. @throws SQLiteError */
export function shownPage(archive: Archive, stored: StoredConversation, page: MessagePage): StoredPage {
  const shown = shownAtOnce(withoutBlocked(archive, page));
  const answered = new Map<string, string>();
  const counts = new Map<string, GroupCounts>();
  for (const message of shown.messages) {
    const { id, replyTo } = message;
    const excerpt = replyTo === undefined ? undefined : storedExcerpt(archive, stored, replyTo);
    if (replyTo !== undefined && excerpt !== undefined) answered.set(replyTo, excerpt);
    const counted = stored.counts(message);
    if (counted !== undefined) counts.set(id, counted);
  }
  return { ...shown, answered, counts };
}

/** @param left aborted when the chat is left */
export function historyEffects(
  archive: Archive,
  stored: StoredConversation,
  left: AbortSignal,
  { dispatch, texts }: Pick<ChatNeeds, "dispatch" | "texts">,
): EffectTable<"list" | "search" | "delete" | "deleteChat" | "export"> {
  let isDeleting = false;
  return {
    list: ({ count }) =>
      dispatch({ name: "listed", ...shownPage(archive, stored, stored.before(undefined, count)) }),
    search: async ({ words }) => {
      if (searchQuery(words) === undefined) return dispatch({ name: "failed", sentence: texts.chatNoWord });
      const tell = (percent: number) => dispatch({ name: "indexing", percent });
      const { hits, isMore } = await findMessages(archive, words, MAX_FOUND, left, tell);
      const shown = hits.toReversed().map(({ message, chat }) => ({
        message: { ...message, text: snippetOf(message.text, words) },
        chat,
      }));
      dispatch({ name: "found", words, hits: shown, isMore });
    },
    delete: ({ message }) => dispatch({ name: "deleted", message: stored.deleteBySeq(message.seq) }),
    // In small commits, each in its own turn. Leaving the chat does not stop it; closing the account does.
    deleteChat: async () => {
      if (isDeleting) return;
      isDeleting = true;
      try {
        let count = 0;
        for (const { deleted, isMore } of stored.deleteAll()) {
          if (count === 0 && isMore) dispatch({ name: "deletingChat" });
          count += deleted;
          if (isMore) await nextTurn();
        }
        dispatch({ name: "deletedChat", count, waiting: stored.outboxCounts().text });
      } finally {
        isDeleting = false;
      }
    },
    export: async ({ file }) => {
      const exported = await exportConversation({ archive, conversation: stored, file, texts });
      dispatch({ name: "exported", ...exported });
    },
  };
}
