/** `contacts`, `unread`, `whoami`, and what `history` is asked for: all of it without a network and without a password. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { Profile } from "../../src/client/profile/profile.ts";
import { expectFailure, PASSWORD, World, type Event, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
const [MINUTE, DAY] = [60_000, 86_400_000];

const world = new World();
let ana: Person;
let beto: Person;
/** Nobody listens there: what these commands print is stored here. */
let offline: Person;

beforeAll(async () => {
  const { tlsPort } = await world.server();
  [ana, beto] = [world.person("ana.people", tlsPort), world.person("beto.people", tlsPort)];
  for (const person of [ana, beto]) await person.register();
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  offline = ana.at("127.0.0.1:1");
});
afterAll(() => world.close());

/** Stores a text of somebody as one that has arrived. @param time ms since 1970 */
function arrived(profile: Profile, from: string, text: string, time: number): void {
  const incoming = [{ kind: "text", id: text, text, sentAt: undefined, replyTo: undefined } as const];
  const read = { incoming, acknowledged: [], readUpTo: undefined };
  profile.messages.commitRead(profile.contacts.ensure(from), read, time);
}

test("lists are empty lists before anything happened, and say so to a person", async () => {
  for (const [command, es, en] of [
    ["contacts", "Aquí no se conoce todavía a nadie.\n", "Nobody is known here yet.\n"],
    ["unread", "No hay mensajes sin leer.\n", "There are no unread messages.\n"],
  ] as const) {
    expect(await offline.list([command])).toEqual([]);
    expect(await offline.run([command])).toEqual({ code: 0, stdout: "", stderr: en });
    expect(await offline.run([command, "--lang", "es"])).toEqual({ code: 0, stdout: "", stderr: es });
  }
  expect(await offline.list(["history", "nobody.here"])).toEqual([]);
  expect(await offline.list(["search", "nothing"])).toEqual([]);
  expect(await offline.list(["cancel", "nobody.here"])).toEqual([]);
  expect(await ana.list(["users"])).toEqual([]);
});

test("contacts says of whom something was heard, and unread how much of it was not printed", async () => {
  const listening = await ana.listen();
  expect((await beto.run(["send", "ana.people", "one"], { password: PASSWORD })).code).toBe(0);
  await listening.event({ event: "message", text: "one" });
  await listening.stop();
  for (const name of ["alumno10", "alumno2"]) await offline.run(["send", "--wait", "queued", name, "x"]);
  // No program has printed this one.
  const profile = Profile.open(ana.profileFolder);
  arrived(profile, "beto.people", "two", Date.now());
  profile.close();
  const unmet = {
    event: "contact",
    state: "contact",
    key: "unknown",
    verified: false,
    last_seen: null,
    unread: 0,
    muted_until: null,
  };
  expect(await offline.list(["contacts"])).toEqual([
    { ...unmet, username: "alumno2" },
    { ...unmet, username: "alumno10" },
    { ...unmet, username: "beto.people", key: "known", last_seen: TIME, unread: 1 },
  ]);
  const heard = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d`;
  expect((await offline.run(["contacts"])).stdout).toMatch(
    new RegExp(
      `^alumno2  not heard of yet\nalumno10  not .*\nbeto\\.people  last heard of: ${heard}; 1 unread\n$`,
    ),
  );
  expect((await offline.run(["contacts", "--lang", "es"])).stdout).toMatch(
    new RegExp(`^alumno2  sin noticias todavía\n.*\nbeto\\.people  última noticia: ${heard}; 1 sin leer\n$`),
  );
  expect(await offline.list(["unread"])).toEqual([{ event: "unread", username: "beto.people", count: 1 }]);
  expect(await offline.run(["unread"])).toEqual({ code: 0, stdout: "beto.people  1\n", stderr: "" });
});

test("whoami names the account, its server, its key and its folder", async () => {
  const { code, events } = await offline.json(["whoami"]);
  expect(code).toBe(0);
  const [{ fingerprint } = {} as Event] = (await offline.json(["fingerprint"])).events;
  expect(events).toEqual([
    {
      event: "whoami",
      username: "ana.people",
      servers: [ana.server],
      authority: expect.stringMatching(/^[0-9a-f]{64}$/),
      fingerprint,
      has_session: true,
      lan: false,
      relay: "auto",
      folder: ana.profileFolder,
      moved_at: null,
    },
  ]);
  expect((await offline.run(["whoami"])).stdout).toMatch(
    new RegExp(
      `^ana\\.people, at ${ana.server}\nA session is stored: .*\nThe local network is told nothing, .*\n.*:\n[0-9a-f ]+\nFolder: ${ana.profileFolder}\n$`,
    ),
  );
  const spanish = await beto.run(["whoami", "--lang", "es"]);
  expect(spanish.stdout).toStartWith(
    `beto.people, en ${beto.server}\nSesión guardada: entra sin contraseña.\n`,
  );
  expect((await beto.run(["logout"])).code).toBe(0);
  expect((await beto.run(["whoami", "--lang", "es"])).stdout).toContain("\nSin sesión guardada");
  // Also where there is nothing to end, a program gets one object.
  const again = await beto.json(["logout"]);
  expect(again).toEqual({
    code: 0,
    events: [{ event: "logged_out", username: "beto.people" }],
    stderr: "There is no stored session.\n",
  });
});

describe("history", () => {
  beforeAll(() => {
    const profile = Profile.open(ana.profileFolder);
    const add = (text: string, age: number) => arrived(profile, "carla.people", text, Date.now() - age);
    add("old", 3 * DAY);
    add("yesterday", DAY + MINUTE);
    add("just now", 0);
    profile.close();
  });
  const texts = async (...args: string[]) =>
    (await offline.list(["history", "carla.people", ...args])).map(({ text }) => text);

  test("--last gives the newest ones, oldest first", async () => {
    expect(await texts("--last", "2")).toEqual(["yesterday", "just now"]);
    expect(await texts("--last", "1")).toEqual(["just now"]);
    expect(await texts("--last", "99")).toEqual(["old", "yesterday", "just now"]);
  });

  test("--since gives those from a time on, together with --last no more than it says", async () => {
    expect(await texts("--since", "2d")).toEqual(["yesterday", "just now"]);
    expect(await texts("--since", "90m")).toEqual(["just now"]);
    expect(await texts("--since", "2001-01-01")).toEqual(["old", "yesterday", "just now"]);
    const anHourAgo = new Date(Date.now() - 60 * MINUTE).toISOString();
    expect(await texts("--since", anHourAgo)).toEqual(["just now"]);
    expect(await texts("--since", "2d", "--last", "1")).toEqual(["just now"]);
    expect(await texts("--since", "90m", "--last", "2")).toEqual(["just now"]);
  });

  test("says that nothing came since", async () => {
    expect(await texts("--since", "2999-01-01")).toEqual([]);
    const since = ["history", "carla.people", "--since", "2999-01-01"];
    expect(await offline.run(since)).toEqual({
      code: 0,
      stdout: "",
      stderr: "There are no messages with carla.people since then.\n",
    });
    expect((await offline.run([...since, "--lang", "es"])).stderr).toBe(
      "Desde entonces no hay mensajes con carla.people.\n",
    );
  });

  test("refuses what is no time and no number", async () => {
    await expectFailure(offline, ["history", "carla.people", "--since", "ayer"], {
      exit: 2,
      code: "usage",
      en: "--since: “ayer” is not a time: expected 2026-11-30",
      es: "--since: «ayer» no es un momento: se espera 2026-11-30",
    });
    await expectFailure(offline, ["history", "carla.people", "--last", "0"], {
      exit: 2,
      code: "usage",
      en: "--last: expected a number",
      es: "--last: se esperaba un número",
    });
  });
});
