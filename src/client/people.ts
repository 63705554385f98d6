/** The people of one account: who is online, and with whom there is a conversation. */
import { fold, label as labelOf } from "../identity/names.ts";
import type { ContactState } from "./profile/consents.ts";
import type { Messenger } from "./messenger.ts";
import { isGroup } from "./profile/contacts.ts";
import type { HeldPerson } from "./rendezvous/presence-hold.ts";
import { ServerFailure } from "./rendezvous/server-errors.ts";

export type Person = {
  /** The registered spelling as last received. */
  readonly username: string;
  /** 40 hexadecimal digits; two names that look alike have different labels. */
  readonly label: string;
  /** Undefined: the server did not answer. */
  readonly online: boolean | undefined;
  /** False: their client speaks only the unencrypted legacy link. */
  readonly secure: boolean;
  /** They were verified by a code. */
  readonly verified: boolean;
  /** When they were last heard of, RFC 3339; undefined: never. */
  readonly last_seen: string | undefined;
  /** What they are to this account. */
  readonly state: ContactState;
  /** How many texts their request has; undefined: there is none. */
  readonly request: number | undefined;
  /** Messages that were not shown on this machine yet; those of a request do not count. */
  readonly unread: number;
  /** Until when nothing of theirs is announced, RFC 3339; undefined: it is. */
  readonly muted_until: string | undefined;
  /** The beginning of what stands unsent in the input line of their chat; undefined: nothing does. */
  readonly draft: string | undefined;
  /** There is a direct link. */
  readonly connected: boolean;
  /** Since when the direct link has been silent, RFC 3339; undefined: there is none, or it answers. */
  readonly silent_since: string | undefined;
};

const UNKNOWN = { state: "stranger", request: undefined } as const;
const UNMET = {
  ...UNKNOWN,
  last_seen: undefined,
  unread: 0,
  muted_until: undefined,
  draft: undefined,
} as const;

/** A person without what only a link says. */
type Listed = Omit<Person, "verified" | "connected" | "silent_since">;

/** `failure`: why the server did not answer; then `people` are only the contacts of this machine. */
export type People = { readonly people: readonly Person[]; readonly failure: Error | undefined };

/** The parts of a messenger that `listPeople` uses. */
type Source = Pick<Messenger, "username" | "users" | "linkPresence"> & {
  readonly profile: Pick<
    Messenger["profile"],
    "contacts" | "consents" | "drafts" | "history" | "verifications"
  >;
  readonly shown: Pick<Messenger["shown"], "held">;
};

/**
 * Everyone who is online, every contact, and everyone with whom there is a conversation, or a draft: each once, without the account itself,
 * sorted by the fold of the name.
 * @throws SQLiteError
 */
export async function listPeople(messenger: Source): Promise<People> {
  let online: readonly HeldPerson[] | undefined;
  let failure: Error | undefined;
  try {
    const named = await messenger.users();
    online = [...messenger.shown.held, ...named];
  } catch (error) {
    if (!(error instanceof ServerFailure)) throw error;
    failure = error;
  }
  const { contacts, consents, drafts, history, verifications } = messenger.profile;
  const consentsOf = consents.all(Date.now());
  const unread = history.unreadCounts();
  const verified = verifications.verifiedLabels();
  const people = new Map<string, Listed>();
  const muted = contacts.muted(Date.now());
  const begun = drafts.beginnings();
  // A request may have no text.
  const others = [...consents.requests().map(({ contact }) => contact), ...begun.keys()];
  for (const contact of [...contacts.listed(), ...others.map((each) => contacts.byId(each))]) {
    if (contact === undefined || isGroup(contact)) continue;
    const { id, label, username } = contact;
    const { state, request } = consentsOf.get(label) ?? UNKNOWN;
    const heardAt = messenger.linkPresence(username)?.heardAt ?? 0;
    const mutedUntil = muted.get(id)?.until;
    const lastSeen = Math.max(history.lastHeard(contact) ?? 0, heardAt);
    people.set(label, {
      username,
      label,
      last_seen: lastSeen === 0 ? undefined : new Date(lastSeen).toISOString(),
      online: online === undefined ? undefined : false,
      // Unknown, because only the list of who is online says it.
      secure: true,
      state,
      request,
      unread: unread.get(id) ?? 0,
      muted_until: mutedUntil === undefined ? undefined : new Date(mutedUntil).toISOString(),
      draft: begun.get(id),
    });
  }
  for (const { username, secure } of online ?? []) {
    const label = labelOf(username);
    // Somebody may have been refused, or added, without a message.
    const known = people.get(label) ?? { ...UNMET, ...consentsOf.get(label) };
    people.set(label, { ...known, username, label, online: true, secure: secure !== false });
  }
  people.delete(labelOf(messenger.username));
  const sorted = [...people.values()].map((person) => ({ person, key: fold(person.username) }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const linked = sorted.map(({ person }) => {
    // Of a stranger's link no event tells when it ends.
    const link = person.state === "contact" ? messenger.linkPresence(person.username) : undefined;
    const since = link?.silentSince;
    const silent_since = since === undefined ? undefined : new Date(since).toISOString();
    const connected = link?.isConnected === true;
    return { ...person, verified: verified.has(person.label), connected, silent_since };
  });
  return { people: linked, failure };
}
