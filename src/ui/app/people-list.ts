/** The list of people as values: its order, and what a fetched list or an event changes in it. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { Person } from "../../client/people.ts";
import { isSamePerson, label as labelOf } from "../../identity/names.ts";
import type { Language } from "../../protocol/language.ts";
import { nameOrder } from "../format/name-book.ts";

/** How many people who went offline an open list keeps; with more of them it is built again. */
const MAX_GONE = 1_000;

/** Whoever comes and goes, or goes and comes, within this time leaves no trace, in ms. */
const BRIEF = 10_000;

/** The rank of who is not online. */
const LAST = 4;

export type PersonRow = Person & {
  /** When they came online or got their row, if that was while the list was open; ms since 1970. */
  readonly cameAt?: number;
  /** When they went offline, which is not shown yet: they may be back at once; ms since 1970. */
  readonly goneAt?: number | undefined;
};

/** ms since 1970; 0: never heard of */
function seenAt({ last_seen: seen }: Person): number {
  return seen === undefined ? 0 : Date.parse(seen);
}

function rank(person: Person): number {
  const { unread, state, muted_until: muted, online, connected, silent_since: silent } = person;
  if (state === "blocked") return LAST;
  if (muted === undefined && unread > 0) return 0;
  const isThere = online === true || (online === undefined && connected && silent === undefined);
  // Hundreds may ask, and one's friends still come first.
  if (state === "request" && muted === undefined) return 2;
  return isThere ? (state === "contact" ? 1 : 3) : LAST;
}

/**
 * Sorts people: first those with new messages who are not quiet, then contacts who are online, those who ask to write, others
 * who are online, and the rest, the last one heard of first. Otherwise by name, `alumno2` before `alumno10`.
 */
export function sortPeople(people: readonly Person[], language: Language): readonly Person[] {
  const compare = nameOrder(language);
  const lastSeenFirst = (a: Person, b: Person) => (rank(a) === LAST ? seenAt(b) - seenAt(a) : 0);
  return [...people].sort(
    (a, b) => rank(a) - rank(b) || lastSeenFirst(a, b) || compare(a.username, b.username),
  );
}

/**
 * Merges a fetched list into the open one. The order stays, so that a number being typed keeps its person; new
 * people are added at the end.
 * @param online of those who were not fetched
 * @param now ms since 1970
 */
export function mergedPeople(
  shown: readonly PersonRow[],
  fetched: readonly Person[],
  online: false | undefined,
  language: Language,
  now: number,
): readonly PersonRow[] {
  const byLabel = new Map(fetched.map((person) => [person.label, person]));
  const nothing = { unread: 0, request: undefined, connected: false, silent_since: undefined };
  const absent = ({ state }: PersonRow) =>
    ({ online, secure: true, ...nothing, state: state === "request" ? "stranger" : state }) as const;
  const kept = shown.map((person) => {
    const fetchedRow: PersonRow = byLabel.get(person.label) ?? { ...person, ...absent(person) };
    const { goneAt } = person;
    const next =
      goneAt !== undefined && fetchedRow.online === false
        ? { ...fetchedRow, online: true, goneAt }
        : fetchedRow;
    return seenAt(person) > seenAt(next) ? { ...next, last_seen: person.last_seen } : next;
  });
  const known = new Set(shown.map(({ label }) => label));
  const added = fetched.filter(({ label }) => !known.has(label));
  const isTooLong = kept.length + added.length - fetched.length > MAX_GONE;
  if (isTooLong) return sortPeople(fetched, language);
  return [...kept, ...sortPeople(added, language).map((person) => ({ ...person, cameAt: now }))];
}

function isBrief({ cameAt }: PersonRow, now: number): boolean {
  return cameAt !== undefined && now - cameAt < BRIEF;
}

/** What an event says of the person that it is about. @param now ms since 1970 */
function changeOf(person: PersonRow, event: MessengerEvent, now: number): Partial<PersonRow> {
  const last_seen = new Date(now).toISOString();
  switch (event.name) {
    case "watched":
      if (event.online) return person.online === true ? { goneAt: undefined } : { online: true, cameAt: now };
      return person.online !== true || isBrief(person, now) ? { online: false } : { goneAt: now };
    case "message":
      // They are online, since it came on a direct link.
      return { online: true, goneAt: undefined, unread: person.unread + 1, last_seen };
    case "contact":
      return { state: event.state, request: event.state === "request" ? person.request : undefined };
    case "connected":
      return { connected: true, silent_since: undefined, last_seen };
    case "disconnected":
      return { connected: false, silent_since: undefined };
    case "muted":
      return { muted_until: event.until === undefined ? undefined : new Date(event.until).toISOString() };
    case "silent":
      return { silent_since: event.since === undefined ? undefined : new Date(event.since).toISOString() };
    default:
      return {};
  }
}

/**
 * The open list after an event of a person; their row stays where it is. Who came and is gone at once loses it again if
 * it is the last one, so that no other row gets another number.
 * @param opened number of rows when it was opened
 * @param now ms since 1970
 * @returns undefined: they are not in it
 */
export function peopleAfter(
  people: readonly PersonRow[],
  username: string,
  event: MessengerEvent,
  opened: number,
  now: number,
): readonly PersonRow[] | undefined {
  const index = people.findIndex((person) => isSamePerson(person.username, username));
  const person = people[index];
  if (person === undefined) return undefined;
  const isQuiet = person.unread === 0 && person.request === undefined;
  const isGone = event.name === "watched" && !event.online && isQuiet && isBrief(person, now);
  if (isGone && index >= opened && index === people.length - 1) return people.slice(0, -1);
  return people.with(index, { ...person, ...changeOf(person, event, now) });
}

/** The open list with those offline who went some time ago. @param now ms since 1970 */
export function withGone(people: readonly PersonRow[], now: number): readonly PersonRow[] {
  const isDue = ({ goneAt }: PersonRow) => goneAt !== undefined && now - goneAt >= BRIEF;
  if (!people.some(isDue)) return people;
  return people.map((person) => (isDue(person) ? gone(person) : person));
}

function gone({ goneAt, ...person }: PersonRow): PersonRow {
  return goneAt === undefined
    ? person
    : { ...person, online: false, last_seen: new Date(goneAt).toISOString() };
}

/** The open list with these counts of unread messages. */
export function withUnread(
  people: readonly PersonRow[],
  unread: Iterable<{ readonly username: string; readonly count: number }>,
): readonly PersonRow[] {
  const counts = new Map([...unread].map(({ username, count }) => [labelOf(username), count]));
  return people.map((person) => ({ ...person, unread: counts.get(person.label) ?? 0 }));
}
