/** The list of people as values: its order, and what a fetched list or an event changes in it. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { Person } from "../../client/people.ts";
import { isSamePerson, label as labelOf } from "../../identity/names.ts";
import type { Language } from "../../protocol/language.ts";

/** How many people who went offline an open list keeps; with more of them it is built again. */
const MAX_GONE = 1_000;

/** ms since 1970; 0: never heard of */
function seenAt({ last_seen: seen }: Person): number {
  return seen === undefined ? 0 : Date.parse(seen);
}

function rank({ unread, online, connected, silent_since: silent }: Person): 0 | 1 | 2 {
  if (unread > 0) return 0;
  const isThere = online === true || (online === undefined && connected && silent === undefined);
  return isThere ? 1 : 2;
}

/**
 * Sorts people: first those with new messages, then those who are online, then the others, the last one heard of
 * first. Otherwise by name, `alumno2` before `alumno10`.
 */
export function sortPeople(people: readonly Person[], language: Language): readonly Person[] {
  const { compare } = new Intl.Collator(language, { numeric: true });
  const lastSeenFirst = (a: Person, b: Person) => (rank(a) === 2 ? seenAt(b) - seenAt(a) : 0);
  return [...people].sort(
    (a, b) => rank(a) - rank(b) || lastSeenFirst(a, b) || compare(a.username, b.username),
  );
}

/**
 * Merges a fetched list into the open one. The order stays, so that a number being typed keeps its person; new
 * people are added at the end.
 * @param online of those who were not fetched
 */
export function mergedPeople(
  shown: readonly Person[],
  fetched: readonly Person[],
  online: false | undefined,
  language: Language,
): readonly Person[] {
  const byLabel = new Map(fetched.map((person) => [person.label, person]));
  const absent = { online, unread: 0, secure: true, connected: false, silent_since: undefined };
  const kept = shown.map((person) => {
    const now = byLabel.get(person.label) ?? { ...person, ...absent };
    return seenAt(person) > seenAt(now) ? { ...now, last_seen: person.last_seen } : now;
  });
  const known = new Set(shown.map(({ label }) => label));
  const added = fetched.filter(({ label }) => !known.has(label));
  const isTooLong = kept.length + added.length - fetched.length > MAX_GONE;
  return isTooLong ? sortPeople(fetched, language) : [...kept, ...sortPeople(added, language)];
}

/** What an event says of the person that it is about. @param now ms since 1970 */
function changeOf(person: Person, event: MessengerEvent, now: number): Partial<Person> {
  const last_seen = new Date(now).toISOString();
  switch (event.name) {
    case "watched":
      if (event.online) return { online: true };
      return person.online === true ? { online: false, last_seen } : { online: false };
    case "message":
      // They are online, since it came on a direct link.
      return { online: true, unread: person.unread + 1, last_seen };
    case "connected":
      return { connected: true, silent_since: undefined, last_seen };
    case "disconnected":
      return { connected: false, silent_since: undefined };
    case "silent":
      return { silent_since: event.since === undefined ? undefined : new Date(event.since).toISOString() };
    default:
      return {};
  }
}

/**
 * The open list after an event of a person; their row stays where it is.
 * @param now ms since 1970
 * @returns undefined: they are not in it
 */
export function peopleAfter(
  people: readonly Person[],
  username: string,
  event: MessengerEvent,
  now: number,
): readonly Person[] | undefined {
  const index = people.findIndex((person) => isSamePerson(person.username, username));
  const person = people[index];
  return person && people.with(index, { ...person, ...changeOf(person, event, now) });
}

/** The open list with these counts of unread messages. */
export function withUnread(
  people: readonly Person[],
  unread: Iterable<{ readonly username: string; readonly count: number }>,
): readonly Person[] {
  const counts = new Map([...unread].map(({ username, count }) => [labelOf(username), count]));
  return people.map((person) => ({ ...person, unread: counts.get(person.label) ?? 0 }));
}
