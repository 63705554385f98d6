import { describe, expect, test } from "bun:test";

import type { Person } from "../../../src/client/people.ts";
import {
  mergedPeople,
  peopleAfter,
  sortPeople,
  withGone,
  type PersonRow,
} from "../../../src/ui/app/people-list.ts";

const HOUR = 3_600_000;

/** @param hours how long ago they were last heard of; undefined: never */
function person(username: string, more: Partial<Person> = {}, hours?: number): Person {
  const last_seen = hours === undefined ? undefined : new Date(1e12 - hours * HOUR).toISOString();
  const there = {
    online: true,
    secure: true,
    verified: false,
    state: "contact" as const,
    request: undefined,
    unread: 0,
    muted_until: undefined,
    draft: undefined,
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
    person("quiet", { ...away, unread: 1, muted_until: "2027-01-15T12:00:00Z" }, 10),
    person("benito", { unread: 3 }),
  ];
  expect(names(sortPeople(people, "es"))).toEqual([
    ...["benito", "zoe"],
    ...["alumno2", "alumno10", "Álvaro"],
    ...["quiet", "yesterday", "old", "ariel", "never"],
  ]);
});

test("those who ask to write come after friends who are there, and before strangers", () => {
  const people = [
    person("amanda", { state: "stranger" }),
    person("anton", { state: "request", request: 1 }),
    person("arturo", { ...away, state: "request", request: 0 }),
    person("berta", {}),
    person("dora", away, 1),
    person("zoe", { unread: 1 }),
  ];
  const sorted = ["zoe", "berta", "anton", "arturo", "amanda", "dora"];
  expect(names(sortPeople(people, "es"))).toEqual(sorted);
});

test("what was decided about somebody is in their row at once, and stays if they are listed no more", () => {
  const asks = person("zoe", { ...away, state: "request", request: 2 });
  const event = { name: "contact", username: "zoe", state: "blocked" } as const;
  const people = peopleAfter([asks], "zoe", event, 1, 0) ?? [];
  expect(people[0]).toMatchObject({ state: "blocked", request: undefined });
  expect(mergedPeople(people, [], false, "es", 0)[0]?.state).toBe("blocked");
  // A request may also be over without a decision.
  const over = mergedPeople([asks], [], false, "es", 0);
  expect(over[0]).toMatchObject({ state: "stranger", request: undefined });
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
  const merged = mergedPeople(shown, fetched, false, "es", 0);
  expect(names(merged)).toEqual(["benito", "dora", "gone", "ana2", "ana10", "zoe"]);
  expect(merged.slice(0, 3)).toMatchObject([
    { online: true, unread: 1, last_seen: shown[0]?.last_seen },
    { online: false },
    { online: false, last_seen: shown[2]?.last_seen },
  ]);
});

describe("a person who comes and goes within ten seconds", () => {
  const NOW = 1e12;
  const after = (people: readonly PersonRow[], username: string, online: boolean, ms: number, opened = 1) =>
    peopleAfter(people, username, { name: "watched", username, online }, opened, NOW + ms) ?? [];

  test("leaves no trace in their row", () => {
    const benito = person("benito", away, 20);
    const back = after([benito], "benito", true, 0);
    expect(back).toMatchObject([{ online: true }]);
    const [gone] = after(back, "benito", false, 9_999);
    expect(gone).toMatchObject({ online: false, last_seen: benito.last_seen });
    const later = after(back, "benito", false, 10_000);
    expect(withGone(later, NOW + 20_000)).toMatchObject([
      { online: false, last_seen: new Date(NOW + 10_000).toISOString() },
    ]);
  });

  test("leaves none either when they go and come back, also if the list is fetched meanwhile", () => {
    const gone = after([person("benito", {}, 20)], "benito", false, 0);
    for (const fetched of [[person("benito", away, 20)], []]) {
      const merged = mergedPeople(gone, fetched, false, "es", NOW);
      expect(withGone(merged, NOW + 9_999)).toMatchObject([{ online: true }]);
      expect(withGone(merged, NOW + 10_000)).toMatchObject([
        { online: false, last_seen: new Date(NOW).toISOString() },
      ]);
      const back = after(merged, "benito", true, 9_999);
      expect(withGone(back, NOW + 60_000)).toMatchObject([{ online: true }]);
    }
    const [fetched] = mergedPeople(gone, [person("benito")], false, "es", NOW);
    expect(fetched?.goneAt).toBeUndefined();
  });

  test("leaves no row either, unless another one came meanwhile or they have written", () => {
    const ana = person("ana");
    const met = (...fetched: Person[]) => mergedPeople([ana], [ana, ...fetched], false, "es", NOW);
    expect(names(after(met(person("zoe")), "zoe", false, 9_999))).toEqual(["ana"]);
    expect(names(after(met(person("zoe")), "zoe", false, 10_000))).toEqual(["ana", "zoe"]);
    expect(names(after(met(person("carla"), person("zoe")), "carla", false, 1))).toEqual([
      "ana",
      "carla",
      "zoe",
    ]);
    for (const wrote of [{ unread: 1 }, { request: 1 }])
      expect(names(after(met(person("zoe", wrote)), "zoe", false, 1))).toEqual(["ana", "zoe"]);
  });
});
