/** The people of one account: who is online, and with whom there is a conversation. */
import { fold, label as labelOf } from "../identity/names.ts";
import type { UserEntry } from "../protocol/rendezvous-messages.ts";
import type { Messenger } from "./messenger.ts";
import type { HeldPerson } from "./rendezvous/presence-hold.ts";
import { ServerFailure } from "./rendezvous/server-errors.ts";

export type Person = {
  /** The registered spelling as last received. */
  readonly username: string;
  /** 40 hexadecimal digits; they differ for two names that look alike. */
  readonly label: string;
  /** Undefined: the server cannot be asked. */
  readonly online: boolean | undefined;
  /** False: their client speaks only the unencrypted legacy link. */
  readonly secure: boolean;
  /** Messages that were not shown here yet. */
  readonly unread: number;
};

/** `failure`: why the server could not be asked; then `people` are the contacts of this machine alone. */
export type People = { readonly people: readonly Person[]; readonly failure: Error | undefined };

/** What `listPeople` needs of a messenger. */
export type PeopleSource = {
  readonly username: string;
  readonly profile: Pick<Messenger["profile"], "contacts" | "history">;
  /** @throws ServerError, RefusedError */
  users(): Promise<readonly UserEntry[]>;
  /** Shown as online although the server does not list them yet: it was away, and they are about to return. */
  readonly shown?: { readonly held: readonly HeldPerson[] };
};

type Answer = { readonly online: readonly HeldPerson[] | undefined; readonly failure: Error | undefined };

async function askServer(source: PeopleSource): Promise<Answer> {
  try {
    const named = await source.users();
    return { online: [...(source.shown?.held ?? []), ...named], failure: undefined };
  } catch (error) {
    if (!(error instanceof ServerFailure)) throw error;
    return { online: undefined, failure: error };
  }
}

/**
 * Everybody who is online, and everybody with whom there is a conversation, each once and without
 * oneself, sorted by the fold of the name.
 * @throws SQLiteError
 */
export async function listPeople(messenger: PeopleSource): Promise<People> {
  const { online, failure } = await askServer(messenger);
  const { contacts, history } = messenger.profile;
  const unread = history.unreadCounts();
  const people = new Map<string, Person>();
  for (const { id, label, username } of contacts.withMessages()) {
    people.set(label, {
      username,
      label,
      online: online === undefined ? undefined : false,
      // Not known of somebody who is not online.
      secure: true,
      unread: unread.get(id) ?? 0,
    });
  }
  for (const { username, secure } of online ?? []) {
    const label = labelOf(username);
    const known = people.get(label);
    people.set(label, {
      username,
      label,
      online: true,
      secure: secure !== false,
      unread: known?.unread ?? 0,
    });
  }
  people.delete(labelOf(messenger.username));
  const sorted = [...people.values()].map((person) => ({ person, key: fold(person.username) }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { people: sorted.map(({ person }) => person), failure };
}
