import { expect, test } from "bun:test";

import type { Person } from "../../../src/client/people.ts";
import { mergedPeople, sortPeople } from "../../../src/ui/app/people-list.ts";

const HOUR = 3_600_000;

/** @param hours how long ago they were last heard of; undefined: never */
function person(username: string, more: Partial<Person> = {}, hours?: number): Person {
  const last_seen = hours === undefined ? undefined : new Date(1e12 - hours * HOUR).toISOString();
  const there = {
    online: true,
    secure: true,
    verified: false,
    unread: 0,
    connected: false,
    silent_since: undefined,
  };
  return { username, label: username, last_seen, ...there, ...more };
}

function names(people: readonly Person[]): string[] {
  return people.map(({ username }) => username);
}

const away = { online: false };

test("those with new messages come first, then those online, then the one heard of last; otherwise by name", () => {
  const people = [
    person("never", away),
    person("old", away, 30),
    person("alumno10"),
    person("alumno2", {}, 50),
    person("Álvaro"),
    person("yesterday", away, 20),
    person("ariel", away),
    person("zoe", { ...away, unread: 1 }, 99),
    person("benito", { unread: 3 }),
  ];
  expect(names(sortPeople(people, "es"))).toEqual([
    ...["benito", "zoe"],
    ...["alumno2", "alumno10", "Álvaro"],
    ...["yesterday", "old", "ariel", "never"],
  ]);
});

test("without the server those who answer directly count as online", () => {
  const unknown = { online: undefined };
  const people = [
    person("a", unknown, 1),
    person("b", { ...unknown, connected: true, silent_since: "2027-01-15T00:00:00Z" }, 2),
    person("c", { ...unknown, connected: true }, 3),
  ];
  expect(names(sortPeople(people, "en"))).toEqual(["c", "a", "b"]);
});

test("a fetched list keeps the rows of the open one, and the later time of what was heard", () => {
  const shown = [person("benito", away, 1), person("dora"), person("gone", {}, 1)];
  const fetched = [person("zoe"), person("ana2"), person("ana10"), person("benito", { unread: 1 }, 5)];
  const merged = mergedPeople(shown, fetched, false, "es");
  expect(names(merged)).toEqual(["benito", "dora", "gone", "ana2", "ana10", "zoe"]);
  expect(merged.slice(0, 3)).toMatchObject([
    { online: true, unread: 1, last_seen: shown[0]?.last_seen },
    { online: false },
    { online: false, last_seen: shown[2]?.last_seen },
  ]);
});
