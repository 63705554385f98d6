import { describe, expect, test } from "bun:test";

import type { Person } from "../../../src/client/people.ts";
import type { AccountScreen, AppModel, OpenAccount, Screen } from "../../../src/ui/app/model.ts";
import { firstModel } from "../../../src/ui/app/update.ts";
import { CHOICE } from "../../../src/ui/app/steps.ts";
import { titleOf, viewApp } from "../../../src/ui/app/view.ts";
import { choiceRow } from "../../../src/ui/prompts/choice-search.ts";
import { choicesOf, isList } from "../../../src/ui/prompts/prompt.ts";
import { openChat } from "../../../src/ui/chat/person-update.ts";
import { parseServer, type Server } from "../../../src/ui/config.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

function contextIn(language: "es" | "en") {
  return {
    now: 0,
    texts: textsIn(language),
    language,
    describe: () => "",
  };
}

const SERVER: Server = { ...parseServer("localhost", "es"), serverFrom: "given" };
const ANA: OpenAccount = {
  username: "ana",
  numbered: [],
  unread: new Map(),
  muted: new Map(),
  offers: new Map(),
  groups: new Map(),
  asking: new Set(),
  unannounced: new Map(),
  requestsAnnouncedAt: undefined,
  bursts: new Map(),
  announced: new Set(),
  names: new Map(),
  server: "lost",
  diskNotifiedAt: undefined,
};

function shown(
  screen: Screen | AccountScreen,
  language: "es" | "en" = "es",
  more: Partial<OpenAccount> = {},
) {
  const withAccount = { ...screen, account: { ...ANA, ...more } } as Screen;
  return viewApp({ ...firstModel([], "", SERVER), screen: withAccount }, contextIn(language));
}

function beforeLogin(screen: Screen, more: Partial<AppModel> = {}) {
  return viewApp({ ...firstModel([], "", SERVER), screen, ...more }, contextIn("es"));
}

/** The rows of a list as shown; undefined if the view is not a list. */
function rowsOf(view: ReturnType<typeof viewApp>): readonly string[] | undefined {
  if (view.name !== "prompt") return undefined;
  const { prompt } = view;
  return isList(prompt) ? choicesOf(prompt).map(choiceRow) : undefined;
}

function person(username: string, more: Partial<Person> = {}): Person {
  const absent = { last_seen: undefined, verified: false, connected: false, silent_since: undefined };
  const contact = { state: "contact", request: undefined, muted_until: undefined, draft: undefined } as const;
  return { username, label: "", online: true, secure: true, unread: 0, ...absent, ...contact, ...more };
}

function unread(...counts: readonly number[]) {
  return new Map(counts.map((count, index) => [index, { username: `u${index}`, count }] as const));
}

describe("the menus of the legacy client", () => {
  test.each([
    ["es", ["Iniciar sesión", "Registrarse", "Salir"]],
    ["en", ["Log in", "Register", "Quit"]],
  ] as const)("the first in %s", (language, rows) => {
    const view = shown({ name: "start" }, language);
    expect(rowsOf(view)).toEqual(rows);
  });

  test.each([
    ["es", [], "Ver usuarios conectados y chatear"],
    ["es", [1], "Ver usuarios conectados y chatear (1 nuevo)"],
    ["es", [2, 1], "Ver usuarios conectados y chatear (3 nuevos)"],
    ["en", [1], "See connected users and chat (1 new)"],
    ["en", [3], "See connected users and chat (3 new)"],
  ] as const)("the second in %s with new messages %p", (language, counts, first) => {
    const rows = rowsOf(shown({ name: "home" }, language, { unread: unread(...counts) }));
    expect(rows?.[0]).toBe(first);
    expect(rows?.slice(1)).toEqual(
      language === "es"
        ? ["Cerrar sesión", "Escribir a alguien…", "Buscar", "Mi cuenta", "Grupos", "Salir"]
        : ["Log out", "Write to someone…", "Search", "My account", "Groups", "Quit"],
    );
  });
});

describe("the list of people", () => {
  const some = [
    person("benito", { unread: 2 }),
    person("carla", { secure: false }),
    person("dora", { online: false, unread: 1 }),
    person("eva", { online: undefined }),
    person("fe", { online: false, last_seen: new Date(-2 * 3_600_000).toISOString() }),
    person("gil", { online: false, last_seen: new Date(-59_000).toISOString() }),
  ];

  test.each([
    [
      "es",
      [
        "benito (2 nuevos)",
        "carla (solo sin cifrar)",
        "dora (1 nuevo) · no está en línea",
        "eva",
        "fe · hace 2 h",
        "gil · ahora mismo",
        "Escribir a alguien…",
        "← Volver",
      ],
    ],
    [
      "en",
      [
        ...["benito (2 new)", "carla (unencrypted only)", "dora (1 new) · not online", "eva", "fe · 2 h ago"],
        ...["gil · just now", "Write to someone…", "← Back"],
      ],
    ],
  ] as const)("have notes in %s on presence, new messages and missing encryption", (language, rows) => {
    expect(
      rowsOf(shown({ name: "people", people: some, opened: 0, isKnown: true, ticks: 0 }, language)),
    ).toEqual(rows);
  });

  test.each([
    ["es", ["zoe (1 nuevo) (en silencio)", "benito", "carla (borrador: mañana a las ocho y medi…)"]],
    ["en", ["zoe (1 new) (muted)", "benito", "carla (draft: mañana a las ocho y medi…)"]],
  ] as const)("have notes in %s on who is quiet and on drafts", (language, rows) => {
    const list = [
      person("zoe", { unread: 1, muted_until: new Date(1).toISOString() }),
      person("benito", { muted_until: new Date(0).toISOString() }),
      person("carla", { draft: "mañana a las ocho y media,\ncon" }),
    ];
    const view = shown({ name: "people", people: list, opened: 0, isKnown: true, ticks: 0 }, language);
    expect(rowsOf(view)?.slice(0, 3)).toEqual([...rows]);
  });

  test("mark who asks to write, and show no presence of who is blocked", () => {
    const last_seen = new Date(-2 * 3_600_000).toISOString();
    const people = [
      person("alba", { state: "request", request: 1 }),
      person("benito", { state: "request", request: 3, online: false }),
      person("carla", { state: "blocked" }),
      person("dora", { state: "blocked", online: false, last_seen }),
      person("eva", { state: "declined", online: false }),
    ];
    const screen = { name: "people", people, opened: 0, isKnown: true, ticks: 0 } as const;
    expect(rowsOf(shown(screen, "es"))?.slice(0, -2)).toEqual([
      "alba (solicitud)",
      "benito (solicitud, 3 mensajes) · no está en línea",
      "carla (bloqueado)",
      "dora (bloqueado)",
      "eva (rechazado) · no está en línea",
    ]);
    const asking = { asking: new Set(["a", "b"]), unread: unread(1) };
    expect(rowsOf(shown({ name: "home" }, "en", asking))?.[0]).toBe(
      "See connected users and chat (1 new, 2 requests)",
    );
  });

  test("is numbered while one digit is enough, otherwise searched, with the way back last", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => person(`persona${index}`));
    expect(shown({ name: "people", people: many(7), opened: 7, isKnown: true, ticks: 0 })).toMatchObject({
      prompt: { name: "select" },
    });
    // A number being typed keeps its row when people are added.
    expect(shown({ name: "people", people: many(12), opened: 7, isKnown: true, ticks: 0 })).toMatchObject({
      prompt: { name: "select" },
    });
    const view = shown({ name: "people", people: many(8), opened: 8, isKnown: true, ticks: 0 });
    expect(view).toMatchObject({
      prompt: { name: "search", fixed: [{ name: "Escribir a alguien…" }, { value: "", name: "← Volver" }] },
    });
    expect(rowsOf(view)?.at(-1)).toBe("← Volver");
  });

  test("shows names as in the name book, and the name is the value of a row", () => {
    const names = new Map([["benito", "benito (3f2a 91bc)"]]);
    const view = shown(
      { name: "people", people: [person("benito")], opened: 0, isKnown: true, ticks: 0 },
      "es",
      { names },
    );
    expect(view).toMatchObject({
      prompt: { choices: [{ value: "benito", name: "benito (3f2a 91bc)" }, {}, {}] },
    });
    const hostile = shown({
      name: "people",
      people: [person("a\u001b[2J\u202e")],
      opened: 0,
      isKnown: true,
      ticks: 0,
    });
    expect(rowsOf(hostile)?.[0]).not.toMatch(/[\u001b\u202e]/);
  });

  test("that is empty says so, and leads to «Write to someone…» and back", () => {
    const empty = (isKnown: boolean) => shown({ name: "people", people: [], opened: 0, isKnown, ticks: 0 });
    expect(empty(true)).toMatchObject({
      prompt: { message: "No hay nadie más en línea. ¿Con quién desea hablar?" },
    });
    expect(empty(false)).toMatchObject({ prompt: { message: textsIn("es").menuWhomUnknown } });
    expect(rowsOf(empty(true))).toEqual(["Escribir a alguien…", "← Volver"]);
    // A name that is in no row leads there, too.
    expect(empty(true)).toMatchObject({ prompt: { takes: CHOICE.write } });
  });
});

const SCREENS: readonly (Screen | AccountScreen)[] = [
  { name: "serverName", next: "start", typed: "" },
  { name: "start" },
  { name: "chooseAccount", accounts: ["ana", "eva"] },
  { name: "loginName" },
  { name: "registerName", answers: {} },
  { name: "registerPassword", answers: { username: "ana" } },
  { name: "registerAgain", answers: { username: "ana" }, password: "clave" },
  { name: "registerEmail", answers: { username: "ana", password: "clave" } },
  { name: "working", work: "contacting", next: "start", server: SERVER },
  { name: "working", work: "loggingIn" },
  { name: "working", work: "registering", answers: { username: "ana", password: "clave", email: "" } },
  { name: "working", work: "listingPeople" },
  { name: "working", work: "loggingOut" },
  { name: "askPassword", username: "ana", task: { work: "loggingIn" } },
  {
    name: "askAuthority",
    asked: { server: "s", found: "ab".repeat(32), expected: undefined },
    task: { work: "loggingIn" },
  },
  {
    name: "askAuthority",
    asked: { server: "s", found: "ab".repeat(32), expected: "cd".repeat(32) },
    task: { work: "loggingIn" },
  },
  { name: "home" },
  { name: "people", people: [], opened: 0, isKnown: true, ticks: 0 },
  { name: "writeTo", from: "home", typed: "" },
  { name: "searchWords", words: "" },
  { name: "hits", words: "", hits: [], isMore: true },
  { name: "chat", chat: openChat("benito") },
  { name: "ended", exit: 0 },
];

test.each(SCREENS.map((screen) => [screen.name, screen] as const))(
  "%s has its own words in both languages, and shows no password",
  (name, screen) => {
    const [es, en] = [JSON.stringify(shown(screen, "es")), JSON.stringify(shown(screen, "en"))];
    expect(es).not.toMatch(/undefined|null|clave/);
    expect(en).not.toMatch(/undefined|null|clave/);
    if (name !== "chat" && name !== "ended") expect(es).not.toBe(en);
  },
);

test("a person on whom the direct link and the server disagree is listed with both", () => {
  const linked = { connected: true };
  const silent = { connected: true, silent_since: new Date(-40_000).toISOString() };
  const people = [
    person("ada", { ...linked }),
    person("benito", { ...silent }),
    person("carla", { online: false, ...linked }),
    person("dora", { online: false, ...silent }),
    person("eva", { online: undefined, ...linked }),
    person("fe", { online: false }),
  ];
  expect(rowsOf(shown({ name: "people", people, opened: people.length, isKnown: true, ticks: 0 }))).toEqual([
    "ada",
    "benito · en línea según el servidor; sin respuesta desde hace 40 s",
    "carla · responde; según el servidor no está en línea",
    "dora · no está en línea",
    "eva · responde",
    "fe · no está en línea",
    "Escribir a alguien…",
    "← Volver",
  ]);
});

test("the keys below menus and lists fit a row of 45 columns, which keeps one free", () => {
  for (const language of ["es", "en"] as const) {
    const { menuKeys, menuListKeys, menuSearchKeys } = textsIn(language);
    for (const keys of [menuKeys, menuListKeys, menuSearchKeys]) {
      expect(Bun.stringWidth(keys)).toBeLessThanOrEqual(44);
    }
  }
});

test("the question about a server shows its fingerprint on a line of its own", () => {
  const view = shown(SCREENS.find(({ name }) => name === "askAuthority") as Screen);
  expect(view).toMatchObject({ prompt: { name: "input", offered: "" } });
  expect(JSON.stringify(view)).toContain("\\nabab abab");
});

test("the person whose chat was left is marked in the list, however the name is spelled, while they are in it", () => {
  for (const count of [2, 12]) {
    const people = Array.from({ length: count }, (_, index) => person(`Persona${index}`));
    const marked = (left: string) => {
      const view = shown({ name: "people", people, opened: count, isKnown: true, ticks: 0, left });
      return view.name === "prompt" && "marked" in view.prompt ? view.prompt.marked : undefined;
    };
    expect([marked("persona1"), marked("nadie")]).toEqual(["Persona1", undefined]);
  }
});

test("a name like that of the way back can be chosen, in the list and among the accounts", () => {
  for (const language of ["es", "en"] as const) {
    const name = language === "es" ? "Volver" : "Back";
    const list = rowsOf(
      shown({ name: "people", people: [person(name)], opened: 1, isKnown: true, ticks: 0 }, language),
    );
    expect([list?.[0], list?.at(-1)]).toEqual([name, `← ${name}`]);
    const accounts = rowsOf(shown({ name: "chooseAccount", accounts: [name] }, language));
    expect([accounts?.[0], accounts?.at(-1)]).toEqual([name, `← ${name}`]);
  }
});

test("the cursor of the first menu stands on registering while no account is here or was tried, and the server stands in it", () => {
  const marked = (accounts: readonly string[]) => beforeLogin({ name: "start" }, { accounts });
  expect(marked([])).toMatchObject({ prompt: { marked: CHOICE.register } });
  expect(marked(["ana"])).toMatchObject({ prompt: { marked: CHOICE.logIn } });
  const tried = beforeLogin({ name: "start" }, { lastName: "ana" });
  expect(tried).toMatchObject({ prompt: { marked: CHOICE.logIn } });
  expect(JSON.stringify(marked([]))).toContain("localhost:8443");
  const keys = textsIn("es");
  expect(marked([])).toMatchObject({ prompt: { keys: keys.menuKeys } });
  const typed = { server: { ...SERVER, serverFrom: "typed" } } as const;
  expect(beforeLogin({ name: "start" }, typed)).toMatchObject({ prompt: { keys: keys.menuStartKeys } });
  const refused = { name: "serverName", next: "start", typed: "localhost:2244" } as const;
  expect(beforeLogin(refused)).toMatchObject({
    prompt: { message: keys.menuServer, offered: "localhost:8443", begun: "localhost:2244" },
  });
  expect(beforeLogin(refused, { server: { ...SERVER, serverFrom: "default" } })).toMatchObject({
    prompt: { message: keys.menuFirstServer },
  });
});

test("the name prompt offers the last name, and when registering the name that was refused", () => {
  expect(beforeLogin({ name: "loginName" }, { lastName: "eva" })).toMatchObject({
    prompt: { offered: "eva" },
  });
  expect(beforeLogin({ name: "registerName", answers: {} }, { lastName: "eva" })).toMatchObject({
    prompt: { offered: "" },
  });
  expect(beforeLogin({ name: "registerName", answers: {} }, { newName: "eva" })).toMatchObject({
    prompt: { offered: "eva" },
  });
});

test("the title says who is logged in and counts what is unread, and holds no control character of a name", () => {
  const titled = (account: OpenAccount) =>
    titleOf({ ...firstModel([], "", SERVER), screen: { name: "home", account } }, 0);
  expect(titleOf(firstModel([], "", SERVER), 0)).toBeUndefined();
  expect(titled(ANA)).toBe("ana — Paloma");
  const unread = new Map([
    [1, { username: "benito", count: 2 }],
    [2, { username: "carla", count: 1 }],
  ]);
  expect(titled({ ...ANA, unread })).toBe("(3) ana — Paloma");
  const muted = new Map([[1, { username: "benito", until: 1 }]]);
  expect(titled({ ...ANA, unread, muted })).toBe("(1) ana — Paloma");
  expect(titled({ ...ANA, username: "a\x1b]2;x\x07\u009cb" })).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
