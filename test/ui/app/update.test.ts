import { describe, expect, test } from "bun:test";

import type { Unread } from "../../../src/client/archive.ts";
import type { MessengerEvent } from "../../../src/client/conversation/events.ts";
import type { Person } from "../../../src/client/people.ts";
import { AccountMovedError, RefusedError, ServerError } from "../../../src/client/errors.ts";
import { label as labelOf } from "../../../src/identity/names.ts";
import {
  CHOICE,
  START,
  accountOf,
  inAccount,
  usedServer,
  type AppContext,
} from "../../../src/ui/app/steps.ts";
import type { AppEffect, AppEvent, AppModel, NewAccount, Screen } from "../../../src/ui/app/model.ts";
import { newsIn } from "../../../src/ui/app/announcements.ts";
import { watchedIn } from "../../../src/ui/app/people.ts";
import { firstModel, updateApp } from "../../../src/ui/app/update.ts";
import { titleOf } from "../../../src/ui/app/view.ts";
import { openChat } from "../../../src/ui/chat/person-update.ts";
import { localClock, localClockSeconds, localDay } from "../../../src/ui/format/local-time.ts";
import type { AttentionSign } from "../../../src/ui/terminal/attention.ts";
import { parseServer, type Server } from "../../../src/ui/config.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const texts = textsIn("es");
const context: AppContext = {
  now: 1_000_000,
  texts,
  language: "es",
  describe: (error) => `descrito: ${error instanceof RefusedError ? error.code : (error as Error).message}`,
};

type Step = { model: AppModel; effects: readonly AppEffect[] };
/** `ms`: how long after `context.now` it comes. */
type Later = readonly [ms: number, event: AppEvent];

/** The model after these events, and the effects of the last one. */
function after(model: AppModel, ...events: readonly (AppEvent | Later)[]): Step {
  let effects: readonly AppEffect[] = [];
  for (const each of events) {
    const [ms, event] = "name" in each ? [0, each] : each;
    ({ model, effects } = updateApp(model, event, { ...context, now: context.now + ms }));
  }
  return { model, effects };
}

function tickAfter(ms: number): Later {
  return [ms, { name: "tick" }];
}

/** What the person sees and hears. */
function said({ effects }: Step): string[] {
  return effects.flatMap((effect) => (effect.name === "bell" ? ["bell"] : linesOf([effect])));
}

/** The lines that a list has above its question. */
function news({ model }: Step, ms = 0): readonly string[] {
  const account = accountOf(model);
  return account === undefined ? [] : newsIn(account, { ...context, now: context.now + ms });
}

function answer(value: string): AppEvent {
  return { name: "answered", value };
}

const loggedIn: AppEvent = {
  name: "loggedIn",
  username: "ana",
  failure: undefined,
  unread: new Map(),
  muted: new Map(),
  offers: new Map(),
  groups: [],
  names: new Map(),
};

function person(username: string, more: Partial<Person> = {}): Person {
  const absent = { last_seen: undefined, verified: false, connected: false, silent_since: undefined };
  const contact = { state: "contact", request: undefined, muted_until: undefined, draft: undefined } as const;
  return { username, label: username, online: true, secure: true, unread: 0, ...absent, ...contact, ...more };
}

function people(...list: readonly Person[]): AppEvent {
  const unread = new Map<number, Unread>();
  list.forEach(({ username, unread: count }, index) => {
    if (count > 0) unread.set(index + 1, { username, count });
  });
  return { name: "people", people: list, unread, names: new Map(), failure: undefined };
}

function unreadIn(model: AppModel): ReadonlyMap<number, Unread> {
  const account = accountOf(model);
  if (account === undefined) throw new Error("nobody is logged in");
  return account.unread;
}

function messenger(event: MessengerEvent): AppEvent {
  return { name: "messenger", event };
}

function message(from: string, contact: number, seq = 1): AppEvent {
  return messenger({
    name: "message",
    from,
    message: {
      seq,
      contact,
      outgoing: false,
      id: "id",
      text: "hola",
      replyTo: undefined,
      leftAt: undefined,
      readAt: undefined,
      editedAt: undefined,
      withdrawnAt: undefined,
      changeWaits: false,
      author: undefined,
      entry: undefined,
      isMissing: false,
      sentAt: 1,
      receivedAt: 2,
      state: "received",
    },
  });
}

const GIVEN: Server = { ...parseServer("localhost", "es"), serverFrom: "given" };
const open: AppEvent = { name: "contacted", registration: "open", accounts: [] };
const start = firstModel([], "", GIVEN);
const home = after(start, loggedIn, people(), { name: "back" }).model;
const inPeople = after(home, answer(CHOICE.people), people(person("benito"), person("carla"))).model;
const chatOpened: AppEvent = {
  name: "chatOpened",
  username: "benito",
  contact: 1,
  isStranger: false,
  recent: [],
};
const inChat = after(inPeople, chatOpened).model;
/** When the certificate ends. */
const LINKS_UNTIL = context.now + 3_600_000;
const newLinks = texts.linksUntil(localDay(LINKS_UNTIL), localClock(LINKS_UNTIL));
const waiting: AppEvent = messenger({
  name: "server",
  state: { name: "waiting", until: context.now + 2_500, why: new Error("x") },
  linksUntil: LINKS_UNTIL,
});
const online: AppEvent = messenger({ name: "server", state: { name: "online" }, linksUntil: undefined });
const stopped: AppEvent = messenger({
  name: "server",
  state: { name: "stopped", why: new Error("fuera") },
  linksUntil: undefined,
});

function linesOf(effects: readonly AppEffect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.name !== "print") return [];
    return effect.lines.map((line) => ("text" in line ? line.text : line.name));
  });
}

const asked = { server: "localhost:8443", found: "ab".repeat(32), expected: undefined };
const LOGGING_IN = { work: "loggingIn" } as const;
/** One model for each screen. */
const EVERYWHERE: readonly (readonly [Screen["name"], AppModel])[] = (
  [
    [start, { name: "serverName", next: "start", typed: "" }],
    [start, { name: "start" }],
    [start, { name: "chooseAccount", accounts: ["ana"] }],
    [start, { name: "loginName" }],
    [start, { name: "registerName", answers: {} }],
    [start, { name: "registerPassword", answers: { username: "ana" } }],
    [start, { name: "registerAgain", answers: { username: "ana" }, password: "clave" }],
    [start, { name: "registerEmail", answers: { username: "ana", password: "clave" } }],
    [start, { name: "working", work: "loggingIn" }],
    [start, { name: "askPassword", username: "ana", task: LOGGING_IN }],
    [start, { name: "askAuthority", asked, task: LOGGING_IN }],
    [home, { name: "home" }],
    [home, { name: "working", work: "listingPeople" }],
    [home, { name: "people", people: [], opened: 0, isKnown: true, ticks: 0 }],
    [home, { name: "writeTo", from: "home", typed: "" }],
    [home, { name: "searchWords", words: "" }],
    [home, { name: "hits", words: "hola", hits: [], isMore: false }],
    [home, { name: "chat", chat: openChat("benito") }],
  ] as const
).map(([model, screen]) => [screen.name, { ...model, screen: { ...model.screen, ...screen } as Screen }]);

test("registering leads to the list of people and a chat; logging out, to the first menu and to logging in", () => {
  let model = start;
  const goes = (
    event: AppEvent,
    screen: Screen["name"],
    ...effects: readonly AppEffect["name"][]
  ): AppEffect[] => {
    const next = updateApp(model, event, context);
    model = next.model;
    expect([model.screen.name, ...next.effects.map(({ name }) => name)]).toEqual([screen, ...effects]);
    return [...next.effects];
  };
  goes(answer(CHOICE.register), "working", "contact");
  goes({ name: "authorityAsked", asked }, "askAuthority");
  expect(goes(answer(" SÍ "), "working", "answerAuthority")).toEqual([
    { name: "answerAuthority", trusted: true },
  ]);
  goes(open, "registerName");
  goes(answer(" ana "), "registerPassword");
  goes(answer("clave larga"), "registerAgain");
  goes(answer("clave larga"), "registerEmail");
  const registering = goes(answer(""), "working", "register");
  expect(registering).toEqual([{ name: "register", username: "ana", password: "clave larga", email: "" }]);
  const registered = goes({ name: "registered", username: "ana" }, "working", "print");
  expect(JSON.stringify(model)).not.toContain("clave");
  expect(linesOf(registered)).toEqual(["Usuario registrado exitosamente: ana"]);
  expect([model.lastName, model.accounts]).toEqual(["ana", ["ana"]]);
  expect(linesOf(goes(loggedIn, "working", "print", "listPeople"))).toEqual(["Sesión iniciada como ana."]);
  goes(people(person("benito")), "people");
  expect(goes(answer("benito"), "working", "openChat")).toEqual([{ name: "openChat", username: "benito" }]);
  goes({ name: "chatOpened", username: "benito", contact: 1, isStranger: false, recent: [] }, "chat");
  goes({ name: "line", typed: "hola", expand: (text) => text }, "chat", "send");
  goes({ name: "line", typed: "exit", expand: (text) => text }, "working", "closeChat", "listPeople");
  goes(people(person("benito")), "people");
  goes(answer(CHOICE.back), "home");
  goes(answer(CHOICE.logOut), "working", "logOut");
  expect(linesOf(goes({ name: "loggedOut", isServerNotified: true }, "start", "print"))).toEqual([
    "Sesión cerrada.",
  ]);
  expect(accountOf(model)).toBeUndefined();

  goes(answer(CHOICE.logIn), "chooseAccount");
  goes(answer("ana"), "working", "logIn");
  goes({ name: "passwordAsked", username: "ana" }, "askPassword");
  goes(answer("clave larga"), "working", "answerPassword");
  expect(JSON.stringify(model)).not.toContain("clave");
  goes(loggedIn, "working", "print", "listPeople");
  goes(people(), "people");
  goes({ name: "back" }, "home");
  goes(answer(CHOICE.logOut), "working", "logOut");
  goes({ name: "loggedOut", isServerNotified: false }, "start", "print");
  goes(answer(CHOICE.quit), "ended");
  expect(model.screen).toEqual({ name: "ended", exit: 0 });
});

describe("the server", () => {
  const served = (serverFrom: Server["serverFrom"], accounts: readonly string[] = []) =>
    firstModel(accounts, "", { ...GIVEN, serverFrom });
  const unreachable: AppEvent = { name: "failed", sentence: "No responde." };
  const closed: AppEvent = { name: "contacted", registration: "closed", accounts: [] };
  const other = {
    host: "paloma.example",
    port: 99,
    server: "Paloma.example:99",
    serverFrom: "typed",
  } as const;

  test("is asked for only if none was given and none was used before, and is contacted at once", () => {
    for (const from of ["given", "last"] as const) expect(served(from).screen.name).toBe("start");
    const asking = served("default");
    expect(asking).toMatchObject({ screen: { name: "serverName" }, server: { server: "localhost:8443" } });
    const { model, effects } = after(asking, answer(" Paloma.example:99 "));
    expect(effects).toEqual([{ name: "contact" }]);
    expect(model).toMatchObject({ screen: { work: "contacting", server: other }, server: asking.server });
    expect(usedServer(model)).toEqual(other);
    const there: AppEvent = { name: "contacted", registration: "closed", accounts: ["eva"] };
    // Whoever has an account can log in.
    const answered = { screen: { name: "start" }, accounts: ["eva"], server: other };
    expect(after(model, there).model).toMatchObject(answered);
  });

  test("that is none is told with the sentence of the option, and stays to be changed", () => {
    const { model, effects } = after(served("default"), answer("https://paloma.example/x"));
    expect(model.screen).toMatchObject({ name: "serverName", typed: "https://paloma.example/x" });
    expect(linesOf(effects)).toEqual([texts.badServer("https://paloma.example/x", "paloma.example")]);
    expect(linesOf(after(served("default"), answer(" ")).effects)).toHaveLength(1);
  });

  test("that was typed and cannot be used stays to be changed, but is neither offered nor used", () => {
    const asking = after(served("last"), { name: "back" }).model;
    for (const way of [[unreachable], [{ name: "authorityAsked", asked }, { name: "back" }]] as const) {
      const { model } = after(asking, answer("Paloma.example:99"), ...way);
      expect(model).toMatchObject({
        screen: { name: "serverName", next: "start", typed: "Paloma.example:99" },
        server: { server: "localhost:8443", serverFrom: "last" },
      });
      expect(after(model, { name: "back" }).model).toMatchObject({ screen: START, server: asking.server });
    }
    expect(after(asking, answer("localhost"), unreachable).model.screen).toMatchObject({ typed: "" });
  });

  test("that is the first question is left by Escape to the end, also when the typed one was refused", () => {
    const ended = { name: "ended", exit: 0 } as const;
    const first = served("default");
    expect(after(first, { name: "back" }).model.screen).toEqual(ended);
    const refused = after(first, answer("Paloma.example:99"), unreachable).model;
    expect(after(refused, { name: "back" }).model.screen).toEqual(ended);
    expect(after(first, answer("localhost"), open, { name: "back" }, { name: "back" }).model).toMatchObject({
      screen: START,
      server: { server: "localhost:8443", serverFrom: "typed" },
    });
  });

  test.each([
    ["registering", CHOICE.register, "registerName"],
    ["logging in", CHOICE.logIn, "loginName"],
  ] as const)("is contacted before the first question of %s", (_way, choice, first) => {
    const contacting = after(served("given"), answer(choice));
    expect(contacting.effects).toEqual([{ name: "contact" }]);
    expect(after(contacting.model, open).model.screen.name).toBe(first);
    const failed = after(contacting.model, unreachable);
    expect([failed.model.screen.name, linesOf(failed.effects)]).toEqual(["start", ["No responde."]]);
  });

  test("with which accounts are known here is not contacted before one of them is chosen", () => {
    const { model, effects } = after(served("given", ["ana"]), answer(CHOICE.logIn));
    expect([model.screen.name, effects]).toEqual(["chooseAccount", []]);
    expect(after(model, answer(CHOICE.otherAccount)).effects).toEqual([{ name: "contact" }]);
  });

  test.each(["typed", "last"] as const)(
    "that was not given (%s) is asked for again when it cannot be used, and the way goes on from there",
    (from) => {
      const contacting = after(
        { ...served("last"), server: { ...GIVEN, serverFrom: from } },
        answer(CHOICE.register),
      );
      for (const [event, sentence] of [
        [unreachable, "No responde."],
        [closed, "descrito: registration_closed"],
      ] as const) {
        const failed = after(contacting.model, event);
        expect([failed.model.screen.name, linesOf(failed.effects)]).toEqual(["serverName", [sentence]]);
        expect(failed.model.server.server).toBe("localhost:8443");
        expect(after(failed.model, answer("Paloma.example:99"), open).model).toMatchObject({
          screen: { name: "registerName" },
          server: other,
        });
        expect(after(failed.model, { name: "back" }).model.screen.name).toBe("start");
      }
    },
  );

  test("is left by Escape in the first menu, unless it was given", () => {
    expect(after(served("last"), { name: "back" }).model.screen).toEqual({
      name: "serverName",
      next: "start",
      typed: "",
    });
    expect(after(served("given"), { name: "back" }).model.screen.name).toBe("start");
  });

  test("at which registration is closed is told before anything is asked", () => {
    const { model, effects } = after(served("given"), answer(CHOICE.register), closed);
    expect([model.screen.name, linesOf(effects)]).toEqual(["start", ["descrito: registration_closed"]]);
    expect(after(served("given"), answer(CHOICE.logIn), closed).model.screen.name).toBe("loginName");
  });

  test.each([
    ["given", "the first menu", [answer(CHOICE.register)], "start"],
    ["last", "the first menu", [answer(CHOICE.register)], "start"],
    ["last", "the question for it", [{ name: "back" }, answer("other")], "serverName"],
  ] as const)(
    "(%s) that is given up, with or without its question, leads back to %s",
    (from, _place, way, screen) => {
      const contacting = after(served(from), ...way).model;
      const asking = after(contacting, { name: "authorityAsked", asked }).model;
      expect(asking.screen.name).toBe("askAuthority");
      for (const each of [contacting, asking]) {
        const { model, effects } = after(each, { name: "back" });
        expect([model.screen.name, effects]).toEqual([screen, [{ name: "giveUp" }]]);
      }
    },
  );
});

describe("the first menu and its forms", () => {
  test("a machine without accounts asks for the name and offers the last one", () => {
    expect(after(firstModel([], "eva", GIVEN), answer(CHOICE.logIn), open).model).toMatchObject({
      screen: { name: "loginName" },
      lastName: "eva",
    });
  });

  test("several accounts are offered, the last one first, and another one can be typed", () => {
    const model = after(firstModel(["ana", "eva", "zoe"], "eva", GIVEN), answer(CHOICE.logIn)).model;
    expect(model.screen).toEqual({ name: "chooseAccount", accounts: ["eva", "ana", "zoe"] });
    // Otherwise the prompt would offer the last name.
    expect(after(model, answer(CHOICE.otherAccount), open).model).toMatchObject({
      screen: { name: "loginName" },
      lastName: "",
    });
    expect(after(model, answer(CHOICE.back)).model.screen.name).toBe("start");
  });

  test("a stored session logs in without a question", () => {
    const { model, effects } = after(start, { name: "resumed", username: "ana" });
    expect(model.screen).toEqual({ name: "working", work: "loggingIn" });
    expect(effects).toEqual([{ name: "logIn", username: "ana" }]);
  });

  test("two passwords that differ are reported once, and both are asked for again", () => {
    const { model, effects } = after(
      start,
      answer(CHOICE.register),
      open,
      answer("ana"),
      answer("clave larga"),
      answer("clave corta"),
    );
    expect(model.screen).toEqual({ name: "registerPassword", answers: { username: "ana" } });
    expect(linesOf(effects)).toEqual([texts.passwordsDiffer]);
    expect(JSON.stringify(model)).not.toContain("clav");
  });

  test.each(["an", "a b", "-ana", "аna", "a".repeat(33)])(
    "the impossible name «%s» is refused at once, asked for again and not offered",
    (name) => {
      const { model, effects } = after(start, answer(CHOICE.register), open, answer(` ${name} `));
      expect(model).toMatchObject({ screen: { name: "registerName" }, newName: "" });
      expect(linesOf(effects)).toEqual(["descrito: invalid_username"]);
    },
  );

  test.each(["corta", "1234567", "e\u0301".repeat(7), "x".repeat(257)])(
    "the unacceptable password «%s» is refused at once and asked for again",
    (password) => {
      const { model, effects } = after(start, answer(CHOICE.register), open, answer("ana"), answer(password));
      expect(model.screen).toEqual({ name: "registerPassword", answers: { username: "ana" } });
      expect(linesOf(effects)).toEqual(["descrito: weak_password"]);
    },
  );

  test("an invalid email is refused at once, and only the email is asked for again", () => {
    const typed = ["ana", "clave larga", "clave larga", "no mail"].map(answer);
    const { model, effects } = after(start, answer(CHOICE.register), open, ...typed);
    expect(model.screen.name).toBe("registerEmail");
    expect(linesOf(effects)).toEqual(["descrito: invalid_email"]);
    expect(after(model, answer("")).effects).toEqual([
      { name: "register", username: "ana", password: "clave larga", email: "" },
    ]);
  });

  test.each(["12345678", "😀".repeat(256), "n\u0303".repeat(256)])(
    "the password «%s» is accepted",
    (password) => {
      const { model } = after(start, answer(CHOICE.register), open, answer("ana"), answer(password));
      expect(model.screen.name).toBe("registerAgain");
    },
  );

  describe("of the answers for a new account, the one that the server refuses is asked for again:", () => {
    const typed = ["ana", "clave larga", "clave larga", "a@b.example"].map(answer);
    const { model: registering } = after(start, answer(CHOICE.register), open, ...typed);
    const refusing = (refused: keyof NewAccount): AppEvent => ({
      name: "answerRefused",
      answer: refused,
      sentence: "No vale.",
    });

    test.each([
      ["username", "registerName", ["eva"], { username: "eva" }],
      ["password", "registerPassword", ["otra clave", "otra clave"], { password: "otra clave" }],
      ["email", "registerEmail", [""], { email: "" }],
    ] as const)("%s", (refused, asked, answers, changed) => {
      const { model, effects } = after(registering, refusing(refused));
      expect([model.screen.name, linesOf(effects)]).toEqual([asked, [`No vale. ${texts.menuRestKept}`]]);
      const again = after(model, ...answers.map(answer));
      const account = { username: "ana", password: "clave larga", email: "a@b.example", ...changed };
      expect(again.effects).toEqual([{ name: "register", ...account }]);
    });

    test("a name is not offered again, and Escape forgets the answers", () => {
      const { model } = after(registering, refusing("username"));
      expect(model.newName).toBe("");
      expect(JSON.stringify(after(model, { name: "back" }).model)).not.toContain("clave");
    });

    test("if the server fails, the name is offered the next time, and the password is forgotten", () => {
      const { model } = after(registering, { name: "failed", sentence: "No responde." });
      expect(model).toMatchObject({ screen: { name: "start" }, newName: "ana" });
      expect(JSON.stringify(model)).not.toContain("clave");
      const registered = after(registering, { name: "registered", username: "ana" });
      expect(registered.model).toMatchObject({ newName: "", lastName: "ana" });
      expect(JSON.stringify(registered.model)).not.toContain("clave");
    });
  });

  test("a name that is too long is not offered again", () => {
    expect(after(start, answer(CHOICE.register), open, answer("x".repeat(4_000))).model.newName).toBe("");
  });

  test.each([
    ["logging in", CHOICE.logIn, "loginName", texts.badName("")],
    ["registering", CHOICE.register, "registerName", "descrito: invalid_username"],
  ] as const)(
    "a name of blanks is refused when %s; an empty one leads back",
    (_way, choice, name, sentence) => {
      const asking = after(start, answer(choice), open);
      const refused = after(asking.model, answer("  "));
      expect([refused.model.screen.name, linesOf(refused.effects)]).toEqual([name, [sentence]]);
      expect(after(asking.model, answer("")).model.screen.name).toBe("start");
    },
  );

  test.each([
    ["back", { name: "back" }],
    ["an empty answer", { name: "answered", value: "" }],
  ] as const)("%s gives up a password that is asked for", (_name, event) => {
    const { model, effects } = after(
      { ...start, screen: { name: "askPassword", username: "ana", task: LOGGING_IN } },
      event,
    );
    expect(model.screen.name).toBe("start");
    expect(effects).toEqual([{ name: "giveUp" }, { name: "closeAccount" }]);
  });

  test.each([
    ["sí", true],
    ["SI", true],
    ["si\u0301", true],
    ["", false],
    ["no", false],
  ])("«%s» to a server's authority is %p", (value, trusted) => {
    const { effects } = after(
      { ...start, screen: { name: "askAuthority", asked, task: LOGGING_IN } },
      answer(value),
    );
    expect(effects).toEqual([{ name: "answerAuthority", trusted }]);
  });

  test.each(["s", "vale", "síi"])("«%s» to a server's authority is asked again", (value) => {
    const asking: AppModel = { ...start, screen: { name: "askAuthority", asked, task: LOGGING_IN } };
    const { model, effects } = after(asking, answer(value));
    expect([model, linesOf(effects)]).toEqual([asking, [texts.answerYesOrNo]]);
  });

  test.each(EVERYWHERE.filter(([, model]) => accountOf(model) === undefined))(
    "Escape in %s leads to the first menu",
    (_name, model) => {
      expect(after(model, { name: "back" }).model.screen.name).toBe("start");
    },
  );
});

describe("Escape while something is under way", () => {
  const task = (effects: readonly AppEffect[]) => effects.map(({ name }) => name);

  test("gives up contacting a server, and what was typed stays to be changed", () => {
    const asking = firstModel([], "", { ...GIVEN, serverFrom: "last" });
    const { model, effects } = after(asking, { name: "back" }, answer("paloma.example"), { name: "back" });
    expect(model.screen).toMatchObject({ name: "serverName", typed: "paloma.example:8443" });
    expect(task(effects)).toEqual(["giveUp"]);
  });

  test("gives up logging in, and closes what is open of the account", () => {
    const { model, effects } = after(start, { name: "resumed", username: "ana" }, { name: "back" });
    expect([model.screen, task(effects)]).toEqual([START, ["giveUp", "closeAccount"]]);
  });

  test("gives up a search and the list of people, and leads back to where it was begun", () => {
    const searching = after(home, answer(CHOICE.search), answer("hola"), { name: "back" });
    expect(searching.model.screen).toMatchObject({ name: "searchWords", words: "hola" });
    expect(task(searching.effects)).toEqual(["giveUp"]);
    expect(after(home, answer(CHOICE.people), { name: "back" }).model.screen.name).toBe("home");
  });

  test("waits for the end of what cannot be undone", () => {
    for (const screen of [
      { name: "working", work: "registering", answers: { username: "a", password: "p", email: "" } },
      { name: "working", work: "loggingOut", account: home.screen },
    ]) {
      const model = { ...start, screen: screen as unknown as Screen };
      expect(after(model, { name: "back" })).toEqual({ model, effects: [] });
    }
  });
});

describe("on every screen", () => {
  test.each(EVERYWHERE)(
    "Ctrl-C and a signal in %s end with 130 and close the account that is open",
    (_name, model) => {
      for (const name of ["interrupted", "signalled"] as const) {
        const { model: next, effects } = after(model, { name });
        expect(next.screen).toEqual({ name: "ended", exit: 130 });
        expect(effects.map((effect) => effect.name)).toEqual(
          accountOf(model) === undefined ? [] : ["closeAccount"],
        );
        expect(JSON.stringify(next)).not.toContain("clave");
      }
    },
  );

  test.each(EVERYWHERE)("a failure in %s is one line, and a menu comes back", (name, model) => {
    const { model: next, effects } = after(model, { name: "failed", sentence: "No ha podido ser." });
    expect(linesOf(effects)).toEqual(["No ha podido ser."]);
    const isWork = ["working", "askPassword", "askAuthority"].includes(name);
    expect(next.screen.name).toBe(isWork ? (accountOf(model) === undefined ? "start" : "home") : name);
  });

  test("nothing happens after the end", () => {
    const ended = after(home, { name: "interrupted" }).model;
    expect(after(ended, loggedIn)).toEqual({ model: ended, effects: [] });
    expect(after(ended, message("benito", 1))).toEqual({ model: ended, effects: [] });
  });

  test("leaving by the menu keeps the stored session", () => {
    const { model, effects } = after(home, answer(CHOICE.quit));
    expect(model.screen).toEqual({ name: "ended", exit: 0 });
    expect(effects).toEqual([{ name: "closeAccount" }]);
  });
});

describe("the list of people", () => {
  test("is empty when nobody is there, and leads to «Write to someone…»", () => {
    const { model, effects } = after(home, answer(CHOICE.people), people());
    expect(model.screen).toMatchObject({ name: "people", people: [], isKnown: true });
    expect(effects).toEqual([]);
    const { screen } = after(model, answer(CHOICE.write)).model;
    expect(screen).toMatchObject({ name: "writeTo", from: "people", typed: "" });
  });

  test("reports a server that cannot be asked once, not at each fetch", () => {
    const event = { ...people(person("benito")), failure: "No responde." } as AppEvent;
    const first = after(home, answer(CHOICE.people), event);
    expect(linesOf(first.effects)).toEqual(["No responde."]);
    expect(after(first.model, event).effects).toEqual([]);
    // If the loss of the server was reported, the list does not report it again.
    const lost = inAccount(home, { server: "lost" });
    expect(linesOf(after(lost, answer(CHOICE.people), event).effects)).toEqual([]);
  });

  test("the menu counts the stored unread messages, also of a chat that was left half read", () => {
    const stale = new Map([[7, { username: "dario", count: 3 }]]);
    const { model } = after(
      inAccount(home, { unread: stale }),
      answer(CHOICE.people),
      people(person("benito", { unread: 2 })),
    );
    expect([...unreadIn(model).values()]).toEqual([{ username: "benito", count: 2 }]);
  });

  test.each([
    ["every minute", people(person("benito"), person("carla", { online: false })), 60],
    ["every ten seconds while nobody is online", people(person("carla", { online: false })), 10],
  ] as const)("is fetched again %s, for people of whom nothing is told", (_when, opened, ticks) => {
    const open = after(home, answer(CHOICE.people), opened).model;
    const tick: AppEvent = { name: "tick" };
    const before = after(open, ...Array.from({ length: ticks - 1 }, () => tick));
    expect(before.effects).toEqual([]);
    const due = after(before.model, tick);
    expect(due.effects).toEqual([{ name: "listPeople" }]);
    expect(after(due.model, opened, tick).effects).toEqual([]);
  });

  test("changes its rows with what the server and the direct links say, and keeps their places", () => {
    const seen = (model: AppModel) =>
      model.screen.name === "people" &&
      model.screen.people.map(({ username, online, connected }) => `${username} ${online} ${connected}`);
    const came = (username: string, isOnline: boolean) =>
      messenger({ name: "watched", username, online: isOnline });
    const gone = after(inPeople, came("benito", false)).model;
    expect(seen(gone)).toEqual(["benito true false", "carla true false"]);
    const told = after(gone, tickAfter(10_000)).model;
    expect(seen(told)).toEqual(["benito false false", "carla true false"]);
    expect(told.screen).toMatchObject({ people: [{ last_seen: new Date(context.now).toISOString() }, {}] });
    const back = after(told, came("BENITO", true), came("zoe", true)).model;
    expect(seen(back)).toEqual(["benito true false", "carla true false"]);
    const linked = after(
      back,
      messenger({ name: "connected", way: "direct", seeksDirect: false, username: "carla", address: "" }),
    ).model;
    expect(seen(linked)).toEqual(["benito true false", "carla true true"]);
    const silent = after(linked, messenger({ name: "silent", username: "carla", since: 1_000 })).model;
    expect(silent.screen).toMatchObject({ people: [{}, { silent_since: new Date(1_000).toISOString() }] });
    const ended = { name: "disconnected", username: "carla", bye: false, heardAt: undefined } as const;
    expect(seen(after(silent, messenger(ended)).model)).toEqual(["benito true false", "carla true false"]);
  });

  test("knows nobody's presence while the server is away, and is fetched when it is back", () => {
    const lost = after(inPeople, waiting).model;
    expect(lost.screen).toMatchObject({ isKnown: false, people: [{ online: undefined }, {}] });
    expect(after(lost, online).effects).toContainEqual({ name: "listPeople" });
  });

  test("names those who are to be watched while it is open, always in the same order", () => {
    const listed = people(person("benito"), person("carla", { online: false }), person("dora"));
    const open = after(home, answer(CHOICE.people), listed).model;
    const gone = after(open, messenger({ name: "watched", username: "dora", online: false })).model;
    for (const model of [open, gone]) expect(watchedIn(model)).toEqual(["benito", "dora", "carla"]);
    expect(watchedIn(after(open, answer(CHOICE.back)).model)).toEqual([]);
  });

  test("keeps its order while it is open, whoever writes, goes offline or comes online", () => {
    const opened = after(home, answer(CHOICE.people), people(person("benito"), person("dora"))).model;
    const fetched = after(
      opened,
      people(person("zoe"), person("ana"), person("dora", { unread: 2 }), person("carla", { online: false })),
    ).model.screen;
    expect(fetched.name === "people" && fetched.people.map(({ username }) => username)).toEqual([
      ...["benito", "dora", "ana", "zoe", "carla"],
    ]);
    expect(fetched).toMatchObject({
      opened: 2,
      people: [{ online: false }, { online: true, unread: 2 }, {}, {}, {}],
    });
    // Without an answer of the server nobody is shown as offline.
    const unknown = {
      ...people(person("dora", { online: undefined })),
      failure: "No responde.",
    } as AppEvent;
    expect(after(opened, unknown).model.screen).toMatchObject({ people: [{ online: undefined }, {}] });
    // When it is opened again, it is sorted again.
    const anew = after(
      opened,
      { name: "back" },
      answer(CHOICE.people),
      people(person("dora"), person("ana")),
    );
    expect(anew.model.screen).toMatchObject({ people: [{ username: "ana" }, { username: "dora" }] });
  });

  test("drops people who went offline when there are too many of them", () => {
    let model = after(home, answer(CHOICE.people), people()).model;
    for (let round = 0; round < 30; round++) {
      const strangers = Array.from({ length: 100 }, (_, index) => person(`p${round}.${index}`));
      model = after(model, people(...strangers)).model;
    }
    expect(model.screen.name === "people" && model.screen.people.length).toBeLessThanOrEqual(1_100);
  });

  test("marks the person whose chat was left", () => {
    const leaving: AppEvent = { name: "leaving" };
    const left = after(inChat, leaving, people(person("carla"), person("benito")));
    expect(left.model.screen).toMatchObject({ name: "people", left: "benito" });
    expect(after(left.model, people(person("benito"))).model.screen).toMatchObject({ left: "benito" });
    const anew = after(left.model, { name: "back" }, answer(CHOICE.people), people(person("benito")));
    expect(anew.model.screen).not.toHaveProperty("left");
  });

  test("does not open if it arrives after the person went on", () => {
    expect(after(home, people(person("benito"))).model.screen.name).toBe("home");
    expect(after(inChat, people(person("benito"))).model.screen.name).toBe("chat");
    expect(after(start, people(person("benito"))).model.screen.name).toBe("start");
  });

  test("someone whose client has no encryption is not dialled, and the list stays open", () => {
    const model = after(home, answer(CHOICE.people), people(person("benito", { secure: false }))).model;
    const { model: next, effects } = after(model, answer("benito"));
    expect(next).toBe(model);
    expect(linesOf(effects)).toEqual([texts.peerInsecure("benito")]);
  });
});

describe("«Write to someone…»", () => {
  const asking = after(home, answer(CHOICE.write)).model;

  test("opens the chat of any name, also of somebody who is not known here", () => {
    const { model, effects } = after(asking, answer(" nadie.conocido "));
    expect(effects).toEqual([{ name: "openChat", username: "nadie.conocido" }]);
    expect(after(model, { ...chatOpened, username: "nadie.conocido" }).model.screen.name).toBe("chat");
  });

  test("takes a name that was typed in the list and is in none of its rows", () => {
    const { model, effects } = after(inPeople, { name: "answered", value: CHOICE.write, typed: "zoe" });
    expect([model.screen, effects]).toEqual([
      expect.objectContaining({ name: "writeTo", from: "people", typed: "zoe" }),
      [],
    ]);
  });

  test.each([
    ["a b", texts.badName("a b")],
    ["ANA", texts.toOneself],
    ["", texts.badName("")],
  ])("«%s» is refused with a sentence, and stays to be changed", (name, sentence) => {
    const { model, effects } = after(asking, answer(`${name} `));
    expect([linesOf(effects), model.screen]).toEqual([[sentence], expect.objectContaining({ typed: name })]);
  });

  test("takes a name of an old account that is known here", () => {
    const known = inAccount(asking, { names: new Map([["José Luis", "José Luis"]]) });
    expect(after(known, answer("josé luis")).effects).toEqual([{ name: "openChat", username: "josé luis" }]);
  });

  test.each([["Escape", { name: "back" }] as const, ["an empty answer", answer("")] as const])(
    "%s leads back to where one came from",
    (_how, event) => {
      expect(after(asking, event).model.screen.name).toBe("home");
      const fromList = after(inPeople, answer(CHOICE.write), event);
      expect(fromList.effects).toEqual([{ name: "listPeople" }]);
      expect(fromList.model.screen).toMatchObject({ name: "working", work: "listingPeople" });
    },
  );
});

describe("a message from a person whose chat is not open", () => {
  test.each(EVERYWHERE.filter(([, model]) => accountOf(model) !== undefined))(
    "in %s is one line and one bell with the others of its burst, which are counted at once",
    (name, model) => {
      const three = after(model, message("carla", 2), message("carla", 2), message("carla", 2));
      expect([said(three), unreadIn(three.model).get(2)?.count]).toEqual([[], 3]);
      const soon = after(three.model, tickAfter(400));
      expect(said(soon)).toEqual([]);
      const announced = after(soon.model, tickAfter(500));
      const printed = name === "chat" ? ["carla: 3 mensajes nuevos (/1)"] : [];
      expect(said(announced)).toEqual(["bell", ...printed]);
      expect(news(announced)).toEqual(name === "chat" ? [] : ["carla: 3 mensajes nuevos"]);
      const later = after(announced.model, tickAfter(1_000), message("carla", 2), tickAfter(2_000));
      expect([said(later), unreadIn(later.model).get(2)?.count]).toEqual([[], 4]);
      // In a list the line counts along.
      expect(news(later)).toEqual(name === "chat" ? [] : ["carla: 4 mensajes nuevos"]);
    },
  );

  test("begins a new burst when the last one was half a minute ago", () => {
    const first = after(home, message("carla", 2), tickAfter(1_000)).model;
    const during = after(first, [28_000, message("carla", 2)], tickAfter(29_000));
    expect(said(during)).toEqual([]);
    const next = after(during.model, tickAfter(57_000), [58_000, message("carla", 2)], tickAfter(59_000));
    expect([said(next), news(next)]).toEqual([["bell"], ["carla: 3 mensajes nuevos"]]);
  });

  test("is not announced if it was read or withdrawn meanwhile", () => {
    const unread = new Map<number, Unread>();
    const read = after(
      home,
      message("carla", 2),
      { name: "recounted", unread, muted: new Map() },
      tickAfter(1_000),
    );
    expect([said(read), news(read)]).toEqual([[], []]);
    const opened = {
      name: "chatOpened",
      username: "carla",
      contact: 2,
      isStranger: false,
      recent: [],
    } as const;
    const chat = after(inPeople, message("carla", 2), opened, tickAfter(1_000));
    expect(said(chat)).toEqual([]);
    // What comes after the chat was left is a new burst.
    const left = after(chat.model, { name: "leaving" }, people(), message("carla", 2), tickAfter(3_000));
    expect(said(left)).toContain("bell");
  });

  test("is no line any more once it was read, and of more than three people the last three have one", () => {
    const writers = ["carla", "dora", "eva", "fe"];
    const messages = writers.map((name, index) => message(name, index + 2));
    const all = after(home, ...messages, tickAfter(1_000));
    expect(news(all)).toEqual(["dora", "eva", "fe"].map((name) => `${name}: 1 mensaje nuevo`));
    const again = after(all.model, [60_000, message("carla", 2)], tickAfter(61_000));
    expect(news(again).at(-1)).toBe("carla: 2 mensajes nuevos");
    const left = new Map([...unreadIn(all.model)].filter(([contact]) => contact === 3));
    const recounted = after(all.model, { name: "recounted", unread: left, muted: new Map() });
    expect(news(recounted)).toEqual(["dora: 1 mensaje nuevo"]);
  });

  test("shows its author online in the open list at once", () => {
    const gone = after(home, answer(CHOICE.people), people(person("carla", { online: false }))).model;
    expect(after(gone, message("CARLA", 2)).model.screen).toMatchObject({
      people: [{ online: true, unread: 1 }],
    });
  });

  test("in another chat, says how to open its chat", () => {
    const { effects } = after(inChat, message("carla", 2), tickAfter(1_000));
    expect(linesOf(effects)).toEqual(["carla: 1 mensaje nuevo (/2)"]);
  });

  test("is counted in the open list; if its author is not in it, the list is fetched", () => {
    const { screen } = after(inPeople, message("carla", 2)).model;
    expect(screen.name === "people" && screen.people.map(({ unread }) => unread)).toEqual([0, 1]);
    expect(after(inPeople, message("zoe", 3)).effects).toContainEqual({ name: "listPeople" });
  });

  test("is no longer unread once its chat is opened", () => {
    const { model } = after(inPeople, message("benito", 1), message("carla", 2), {
      name: "chatOpened",
      isStranger: false,
      recent: [],
      username: "benito",
      contact: 1,
    });
    expect([...unreadIn(model).keys()]).toEqual([2]);
  });

  test("goes to the open chat of its author, however the name is spelled", () => {
    const { model, effects } = after(inChat, message("BENITO", 1));
    expect(unreadIn(model).size).toBe(0);
    expect(effects.map(({ name }) => name)).not.toContain("bell");
    expect(effects.map(({ name }) => name)).toContain("markShown");
  });
});

describe("a message in the open chat", () => {
  const sign = (name: AttentionSign): AppEvent => ({ name: "attention", sign: name });
  const names = (effects: readonly AppEffect[]) =>
    effects.map(({ name }) => name).filter((name) => name !== "print");

  test("is seen at once only where the terminal reports that it has the focus", () => {
    expect(names(after(inChat, message("benito", 1)).effects)).toEqual(["markShown"]);
    expect(names(after(inChat, sign("away"), message("benito", 1)).effects)).toEqual(["markShown"]);
    const focused = after(inChat, sign("away"), sign("focused"), message("benito", 1));
    expect(names(focused.effects)).toEqual(["markShown", "markSeen"]);
    // The shell had the terminal, which may be another one now.
    const continued = after(focused.model, sign("continued"), message("benito", 1, 2));
    expect(names(continued.effects)).toEqual(["markShown"]);
  });

  test("is seen with the next key, or when the focus comes back; until then the title counts it", () => {
    for (const seen of ["key", "focused"] as const) {
      const { model } = after(inChat, sign("away"), message("benito", 1), message("benito", 1, 2));
      expect(titleOf(model, context.now)).toBe("(2) ana — Paloma");
      expect(after(model, sign("away")).effects).toEqual([]);
      const back = after(model, sign(seen));
      expect(back.effects).toEqual([{ name: "markSeen", seq: 2 }]);
      expect(titleOf(back.model, context.now)).toBe("ana — Paloma");
    }
  });

  test("rings and notifies once per burst while another window has the focus, unless it is seen meanwhile", () => {
    const away = after(inChat, sign("away"), message("benito", 1), message("benito", 1, 2), tickAfter(1_000));
    expect(names(away.effects)).toEqual(["bell", "notify"]);
    expect(away.effects).toContainEqual({
      name: "notify",
      shown: "benito",
      excerpt: "hola",
      gathered: expect.objectContaining({ from: "benito", text: "hola", count: 2 }),
    });
    const later = after(away.model, message("benito", 1, 3), tickAfter(2_000));
    expect(names(later.effects)).toEqual([]);
    // Who has looked is notified again.
    const again = after(later.model, sign("key"), message("benito", 1, 4), tickAfter(4_000));
    expect(names(again.effects)).toEqual(["bell", "notify"]);
    const back = after(inChat, sign("away"), message("benito", 1), sign("focused"), tickAfter(1_000));
    expect(names(back.effects)).toEqual([]);
  });

  test("does neither where the terminal has the focus, or reports nothing and somebody typed in the last minute", () => {
    const opened = after(inPeople, chatOpened, {
      name: "chat",
      event: { name: "opened", messages: [], isMore: false },
    });
    const focused = after(opened.model, sign("focused"), message("benito", 1), tickAfter(1_000));
    expect(names(focused.effects)).toEqual([]);
    const typed = after(
      opened.model,
      [50_000, sign("key")],
      [100_000, message("benito", 1)],
      tickAfter(101_000),
    );
    expect(names(typed.effects)).toEqual([]);
    const gone = after(opened.model, [60_000, message("benito", 1)], tickAfter(61_000));
    expect(names(gone.effects)).toEqual(["bell", "notify"]);
  });

  test("after a key alone the terminal still counts as unfocused", () => {
    const { effects } = after(inChat, sign("away"), sign("key"), message("benito", 1));
    expect(names(effects)).toEqual(["markShown"]);
  });
});

describe("the server of an account", () => {
  test("is reported once when it is lost, with the end of new links, and once when it is back", () => {
    const lost = after(home, waiting);
    expect(linesOf(lost.effects)).toEqual([`${texts.serverLost} ${newLinks}`]);
    expect(after(lost.model, waiting).effects).toEqual([]);
    const back = after(lost.model, waiting, online);
    expect(linesOf(back.effects)).toEqual([texts.serverBack]);
    expect(after(back.model, online).effects).toEqual([]);
  });

  test("is one line when it limits, with the time of the next attempt, and none after it was lost", () => {
    const why = new RefusedError("rate_limited", "", 90);
    const until = context.now + 90_000;
    const limits = messenger({
      name: "server",
      state: { name: "waiting", until, why },
      linksUntil: LINKS_UNTIL,
    });
    for (const model of [home, inChat]) {
      const limited = after(model, limits);
      const when = texts.nextAttemptAt(localClockSeconds(until));
      expect(linesOf(limited.effects)).toEqual([`${texts.serverLimits} ${when} ${newLinks}`]);
      expect(after(limited.model, limits, waiting).effects).toEqual([]);
      expect(linesOf(after(limited.model, online).effects)).toEqual([texts.serverBack]);
      expect(after(model, waiting, limits).effects).toEqual([]);
    }
  });

  test("says if no new links can be opened without it", () => {
    for (const linksUntil of [undefined, context.now]) {
      const state = { name: "waiting", until: 0, why: new Error("x") } as const;
      const lost = after(home, messenger({ name: "server", state, linksUntil }));
      expect(linesOf(lost.effects)).toEqual([`${texts.serverLost} ${texts.noNewLinks}`]);
    }
  });

  test("is reported once each when it is lost in or before a chat and comes back in it", () => {
    const lost = after(inChat, waiting);
    expect(linesOf(lost.effects)).toHaveLength(1);
    expect(linesOf(after(lost.model, online).effects)).toEqual([texts.serverBack]);
    const before = after(inPeople, waiting, {
      name: "chatOpened",
      username: "benito",
      contact: 1,
      isStranger: false,
      recent: [],
    });
    expect(linesOf(after(before.model, online).effects)).toEqual([texts.serverBack]);
  });

  test("is reported at a login that does not reach it, and once when it is back", () => {
    const failure = { sentence: "No responde.", linksUntil: LINKS_UNTIL };
    const offline = after(start, { ...loggedIn, failure } as AppEvent);
    expect(linesOf(offline.effects)).toEqual([
      "No responde.",
      `${texts.menuOpenedOffline("ana")} ${newLinks}`,
    ]);
    expect(offline.model.screen).toMatchObject({ name: "working", work: "listingPeople" });
    expect(after(offline.model, waiting).effects).toEqual([]);
    expect(linesOf(after(offline.model, online).effects)).toEqual([texts.serverBack]);
  });

  test("leads to the first menu when it ends the session, but from a chat only when that is left", () => {
    const atMenu = after(inPeople, stopped);
    expect(atMenu.model.screen.name).toBe("start");
    expect(linesOf(atMenu.effects)).toEqual(["descrito: fuera"]);
    expect(atMenu.effects.at(-1)).toEqual({ name: "closeAccount" });
    const chatting = after(inChat, stopped);
    expect(chatting.model.screen.name).toBe("chat");
    expect(linesOf(chatting.effects)).toEqual([expect.stringContaining("inicie sesión otra vez")]);
    // However many processes find out.
    expect(after(chatting.model, stopped).effects).toEqual([]);
    const left = after(chatting.model, { name: "leaving" });
    expect(left.model.screen).toEqual({ name: "start" });
    expect(left.effects.map(({ name }) => name)).toEqual(["closeChat", "closeAccount"]);
  });

  test("is not said to have ended the session where another server has taken its place", () => {
    const why = new ServerError("server_changed", { expected: "ab".repeat(32), found: "cd".repeat(32) });
    const changed = messenger({ name: "server", state: { name: "stopped", why }, linksUntil: undefined });
    expect(linesOf(after(inChat, changed).effects)).toEqual([texts.chatServerChanged]);
  });

  test("leads to the first menu from everywhere when the account is being exported", () => {
    const exported = messenger({
      name: "server",
      state: { name: "stopped", why: new AccountMovedError(undefined) },
      linksUntil: undefined,
    });
    for (const model of [home, inPeople, inChat]) {
      const { model: next, effects } = after(model, exported);
      expect(next.screen.name).toBe("start");
      expect(linesOf(effects)).toHaveLength(1);
      expect(effects.at(-1)).toEqual({ name: "closeAccount" });
    }
  });

  test("is not reported during login and logout", () => {
    expect(after(start, waiting).effects).toEqual([]);
    expect(after(home, answer(CHOICE.logOut), stopped).effects).toEqual([]);
  });
});

test.each([
  ["a menu", inPeople],
  ["a chat", inChat],
])("a full disk is reported at %s at most once a minute", (_name, model) => {
  const full = messenger({ name: "storageFailed", error: new Error("lleno") });
  const first = after(model, full);
  expect(linesOf(first.effects)).toHaveLength(1);
  const again = (ms: number) => updateApp(first.model, full, { ...context, now: context.now + ms }).effects;
  expect(linesOf(again(59_000))).toEqual([]);
  expect(linesOf(again(60_000))).toHaveLength(1);
});

test.each([
  ["newKey", { name: "newKey" }, texts.newKeyWarning],
  ["clockOffset", { name: "clockOffset", offset: 600_000 }, texts.clockWarning("10 minutos")],
  ["storageFailed", { name: "storageFailed", error: new Error("lleno") }, texts.storageFailed("lleno")],
  [
    "keyPending",
    { name: "keyPending", username: "carla", fingerprint: "", isVerified: false },
    texts.menuKeyPending("carla"),
  ],
  [
    "keyPending of a verified person",
    { name: "keyPending", username: "carla", fingerprint: "", isVerified: true },
    texts.menuNotVerified("carla"),
  ],
  [
    "verification",
    { name: "verification", username: "carla", state: "asked" },
    texts.menuVerificationAsked("carla"),
  ],
] as const satisfies readonly (readonly [string, MessengerEvent, string])[])(
  "%s is one line at a menu and one in a chat",
  (_name, event, line) => {
    expect(linesOf(after(inPeople, messenger(event)).effects)).toEqual([line]);
    expect(linesOf(after(inChat, messenger(event)).effects)).toEqual([line]);
  },
);

describe("somebody who asks to write", () => {
  const asks = messenger({ name: "request", from: "dora", count: 1 });

  test("is announced and rings once, and the open list is fetched", () => {
    const { model, effects } = after(inPeople, asks);
    expect(linesOf(effects)).toEqual([texts.requestArrived("dora")]);
    expect(effects.map(({ name }) => name)).toEqual(["bell", "print", "listPeople"]);
    const again = after(model, messenger({ name: "request", from: "dora", count: 2 }));
    expect(again.effects).toEqual([{ name: "listPeople" }]);
    const declined = after(again.model, messenger({ name: "contact", username: "dora", state: "declined" }));
    expect(declined.effects).toEqual([{ name: "listPeople" }]);
    expect(linesOf(after(declined.model, [60_000, asks]).effects)).toHaveLength(1);
  });

  test("is announced together with others who ask within a minute", () => {
    const first = after(inPeople, asks).model;
    const others = Array.from({ length: 12 }, (_, index) => `stranger${index}`).reduce((model, from) => {
      const next = after(model, [30_000, messenger({ name: "request", from, count: 1 })]);
      expect(next.effects).toEqual([{ name: "listPeople" }]);
      return next.model;
    }, first);
    const declined = messenger({ name: "contact", username: "stranger3", state: "declined" });
    const left = after(others, declined).model;
    expect(linesOf(after(left, tickAfter(59_999)).effects)).toEqual([]);
    const { model, effects } = after(left, tickAfter(60_000));
    expect(linesOf(effects)).toEqual([texts.requestsArrived(11)]);
    expect(effects.filter(({ name }) => name === "bell")).toHaveLength(1);
    expect(linesOf(after(model, tickAfter(200_000)).effects)).toEqual([]);
  });

  test("is announced in another chat with the way there, and not in their own", () => {
    expect(linesOf(after(inChat, asks).effects)).toEqual([`${texts.requestArrived("dora")} (/chat dora)`]);
    const own = after(inChat, messenger({ name: "request", from: "benito", count: 1 }));
    expect(own.effects.map(({ name }) => name)).toEqual(["print"]);
  });

  test("who has accepted is said wherever one is, once", () => {
    const accepted = (username: string) => messenger({ name: "accepted", username });
    expect(linesOf(after(inPeople, accepted("dora")).effects)).toEqual([texts.acceptedBy("dora")]);
    expect(linesOf(after(inChat, accepted("dora")).effects)).toEqual([texts.acceptedBy("dora")]);
    expect(linesOf(after(inChat, accepted("benito")).effects)).toEqual([texts.acceptedBy("benito")]);
  });
});

test("clocks that differ by less than five minutes are not reported", () => {
  expect(after(home, messenger({ name: "clockOffset", offset: -299_000 })).effects).toEqual([]);
});

test("unread messages are counted again, also in an open list, and never those of the open chat", () => {
  const unread = new Map([
    [1, { username: "benito", count: 3 }],
    [2, { username: "carla", count: 2 }],
  ]);
  const listed = people(
    { ...person("benito"), label: labelOf("benito") },
    { ...person("carla"), label: labelOf("carla") },
  );
  const inPeople = after(home, answer(CHOICE.people), listed).model;
  const counted = after(inPeople, { name: "recounted", unread, muted: new Map() }).model;
  const { screen } = counted;
  expect(unreadIn(counted)).toEqual(unread);
  expect(screen.name === "people" && screen.people.map(({ unread: count }) => count)).toEqual([3, 2]);
  const emptied = after(inPeople, { name: "recounted", unread: new Map(), muted: new Map() }).model.screen;
  expect(emptied.name === "people" && emptied.people.map(({ unread: count }) => count)).toEqual([0, 0]);
  expect([...unreadIn(after(inChat, { name: "recounted", unread, muted: new Map() }).model).keys()]).toEqual([
    2,
  ]);
});

describe("another chat", () => {
  const opening = after(inChat, { name: "line", typed: "/chat carla", expand: (text) => text });

  test("opens straight from a chat, which is left when it is open", () => {
    expect(opening.effects).toEqual([{ name: "openChat", username: "carla" }]);
    const opened = {
      name: "chatOpened",
      username: "carla",
      contact: 2,
      isStranger: false,
      recent: [],
    } as const;
    const { screen } = after(opening.model, opened).model;
    expect(screen.name === "chat" && screen.chat.username).toBe("carla");
  });

  test("that cannot be opened leaves the person in this one, and what was typed meanwhile is not sent", () => {
    const arrived = after(opening.model, message("benito", 1));
    expect(arrived.effects.map(({ name }) => name)).toEqual(["print", "markShown"]);
    const failed = after(arrived.model, { name: "failed", sentence: "No se puede leer." });
    expect(linesOf(failed.effects)).toEqual(["No se puede leer. Sigue en el chat con benito."]);
    expect(failed.model.screen).toMatchObject({ name: "chat", chat: { username: "benito" } });
    const typed = after(failed.model, { name: "line", typed: "hola", expand: (text) => text });
    expect(typed.effects.map(({ name }) => name)).toEqual(["print", "giveBack"]);
  });
});

describe("the numbers of chats", () => {
  const numbersIn = (model: AppModel) => accountOf(model)?.numbered;
  const opened = (username: string, ...recent: readonly string[]): AppEvent => {
    return { name: "chatOpened", username, contact: 0, isStranger: false, recent };
  };
  const goTo = (number: number): AppEvent => ({ name: "goTo", chat: number });
  const inCarla = after(inPeople, opened("carla", "benito", "carla")).model;

  test("go by the last activity when the first chat is opened, and stay from chat to chat", () => {
    expect(numbersIn(inCarla)).toEqual(["benito", "carla"]);
    const leaving = after(inCarla, goTo(1));
    expect(leaving.effects).toEqual([{ name: "openChat", username: "benito" }]);
    // Meanwhile carla was the last one.
    const inBenito = after(leaving.model, opened("benito", "carla", "benito")).model;
    expect(numbersIn(inBenito)).toEqual(["benito", "carla"]);
    const again = after(inBenito, { name: "leaving" }, people(person("carla")), answer("carla"));
    expect(numbersIn(after(again.model, opened("carla", "carla", "benito")).model)).toEqual([
      "carla",
      "benito",
    ]);
  });

  test("are given in turn to whoever writes, or is written to, meanwhile", () => {
    const written = after(inCarla, message("dora", 4)).model;
    expect(numbersIn(written)).toEqual(["benito", "carla", "dora"]);
    const going = after(written, { name: "line", typed: "/chat eva", expand: (text) => text }).model;
    expect(numbersIn(after(going, opened("eva")).model)).toEqual(["benito", "carla", "dora", "eva"]);
  });

  test("are nine at most, one of them that of the chat which was opened first", () => {
    const nine = Array.from("abcdefghi", (letter) => `persona.${letter}`);
    const { model } = after(inPeople, opened("zoe", ...nine));
    expect(numbersIn(model)).toEqual([...nine.slice(0, 8), "zoe"]);
    expect(numbersIn(after(model, message("dora", 4)).model)).toEqual([...nine.slice(0, 8), "zoe"]);
  });
});

describe("somebody who is quiet", () => {
  const muted = new Map([[2, { username: "carla", until: context.now + 60_000 }]]);
  const until: AppEvent = { name: "recounted", unread: new Map(), muted };

  test.each([
    ["a menu", home],
    ["the list", inPeople],
    ["another chat", inChat],
  ])(
    "does not ring, notify or make a line in %s, and counts neither in the title nor in the prompt",
    (_, model) => {
      const quiet = after(model, until, message("carla", 2), tickAfter(1_000));
      expect(quiet.effects).toEqual([]);
      expect(unreadIn(quiet.model).get(2)).toEqual({ username: "carla", count: 1 });
      expect(titleOf(quiet.model, context.now)).toBe("ana — Paloma");
      // What has come counts once the time is over, and what comes then is announced.
      expect(titleOf(quiet.model, context.now + 60_000)).toBe("(1) ana — Paloma");
      const later = after(quiet.model, [60_000, message("carla", 2)], tickAfter(61_000));
      const lines = [...said(later), ...news(later, 61_000)];
      expect(lines).toEqual(["bell", expect.stringContaining("carla: 2 mensajes nuevos")]);
    },
  );

  test("does not ring in their own chat either, while another window has the focus", () => {
    const own = new Map([[1, { username: "benito", until: context.now + 60_000 }]]);
    const away = after(inChat, { ...until, muted: own }, { name: "attention", sign: "away" });
    const quiet = after(away.model, message("benito", 1), tickAfter(1_000));
    expect(quiet.effects).toEqual([]);
    expect(titleOf(quiet.model, context.now)).toBe("ana — Paloma");
  });

  test("asks to write without being announced", () => {
    const asks = messenger({ name: "request", from: "carla", count: 1 });
    expect(after(after(inChat, until).model, asks).effects).toEqual([]);
    expect(after(after(inPeople, until).model, asks).effects).toEqual([{ name: "listPeople" }]);
  });

  test("is marked in the open list at once", () => {
    const event = messenger({ name: "muted", username: "carla", until: context.now + 60_000 });
    const { screen } = after(inPeople, event).model;
    const states = screen.name === "people" ? screen.people.map((each) => each.muted_until) : [];
    expect(states).toEqual([undefined, new Date(context.now + 60_000).toISOString()]);
  });
});
