/** The search over all conversations. */
import { searchQuery, type Archive } from "../../client/archive.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";

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
    .map((message) => ({ message, chat: archive.usernameAt(message.contact) }));
  return { hits, isMore: found.length > limit };
}
