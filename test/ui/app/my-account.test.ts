import { describe, expect, test } from "bun:test";

import type { Signs } from "../../../src/ui/app/my-account-model.ts";
import type { AppContext } from "../../../src/ui/app/steps.ts";
import { CHOICE } from "../../../src/ui/app/steps.ts";
import { ENTRY } from "../../../src/ui/app/my-account.ts";
import type { AppEffect, AppEvent, AppModel } from "../../../src/ui/app/model.ts";
import { firstModel, updateApp } from "../../../src/ui/app/update.ts";
import { viewApp } from "../../../src/ui/app/view.ts";
import { parseServer } from "../../../src/ui/config.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const texts = textsIn("en");
const context: AppContext = { now: 0, texts, language: "en", describe: () => "refused" };

function after(model: AppModel, ...events: readonly AppEvent[]) {
  let effects: readonly AppEffect[] = [];
  for (const event of events) ({ model, effects } = updateApp(model, event, context));
  return { model, effects };
}

function answer(value: string): AppEvent {
  return { name: "answered", value };
}

const back: AppEvent = { name: "back" };
const account = {
  failure: undefined,
  unread: new Map(),
  muted: new Map(),
  offers: new Map(),
  groups: [],
  names: new Map(),
} as const;
const home = after(
  firstModel(["ana", "eva"], "ana", { ...parseServer("here", "en"), serverFrom: "given" }),
  { name: "loggedIn", username: "ana", ...account },
  { name: "people", people: [], ...account },
  back,
).model;
const menu = after(home, answer(CHOICE.myAccount)).model;
const signs: Signs = {
  privacy: {
    read: "off",
    typing: "default",
    people: [{ username: "benito", read: "on", typing: "default" }],
  },
  contacts: ["benito", "carla"],
};
const told = (change?: {
  username: string | undefined;
  sign: "read" | "typing";
  choice: "on";
}): AppEvent => ({
  name: "myAccount",
  event: { name: "signs", signs, change },
});
const page = ({ screen }: AppModel) => (screen.name === "myAccount" ? screen.page.name : screen.name);

test("Escape leads from every page towards the menus, and nothing is asked for", () => {
  const inSigns = after(menu, answer(ENTRY.signs), told()).model;
  const ofWhom = after(inSigns, answer(ENTRY.person)).model;
  const of = after(ofWhom, answer("carla")).model;
  const ways: [AppModel, ReturnType<typeof page>, ReturnType<typeof page>][] = [
    [menu, "menu", "home"],
    [after(menu, answer(ENTRY.password)).model, "currentPassword", "menu"],
    [after(menu, answer(ENTRY.password), answer("old")).model, "newPassword", "menu"],
    [
      after(menu, answer(ENTRY.password), answer("old"), answer("long enough")).model,
      "newPasswordAgain",
      "menu",
    ],
    [after(menu, answer(ENTRY.deletion)).model, "deletionName", "menu"],
    [after(menu, answer(ENTRY.deletion), answer("ANA")).model, "deletionPassword", "menu"],
    [inSigns, "signs", "menu"],
    [ofWhom, "signsOfWhom", "signs"],
    [of, "signsOf", "signsOfWhom"],
  ];
  for (const [model, from, to] of ways) {
    expect(page(model)).toBe(from);
    const left = after(model, back);
    expect(page(left.model)).toBe(to);
    expect(left.effects).toEqual([]);
  }
});

describe("what others are told", () => {
  test("goes from on to off and back for everybody", () => {
    const inSigns = after(menu, told()).model;
    const change = (entry: string) => after(inSigns, answer(entry)).effects;
    expect(change(ENTRY.read)).toMatchObject([
      { task: { change: { username: undefined, sign: "read", choice: "on" } } },
    ]);
    expect(change(ENTRY.typing)).toMatchObject([{ task: { change: { sign: "typing", choice: "off" } } }]);
  });

  test("goes round for one person: as for all, on, off", () => {
    const ofWhom = after(menu, told(), answer(ENTRY.person)).model;
    const change = (username: string, entry: string) =>
      after(ofWhom, answer(username), answer(entry)).effects;
    expect(change("benito", ENTRY.readOf)).toMatchObject([
      { task: { change: { username: "benito", sign: "read", choice: "off" } } },
    ]);
    expect(change("carla", ENTRY.typingOf)).toMatchObject([
      { task: { change: { username: "carla", sign: "typing", choice: "on" } } },
    ]);
    expect(page(after(menu, told({ username: "carla", sign: "read", choice: "on" })).model)).toBe("signsOf");
  });
});

test("passwords are forgotten once they were passed on, and a deleted account is offered no more", () => {
  const changing = after(menu, ...[ENTRY.password, "the old one", "the new one", "the new one"].map(answer));
  expect(changing.effects).toEqual([
    { name: "myAccount", task: { name: "changePassword", current: "the old one", next: "the new one" } },
  ]);
  expect(JSON.stringify(changing.model)).not.toContain("one");
  const deleting = after(menu, ...[ENTRY.deletion, "ana", "secret"].map(answer)).model;
  expect(JSON.stringify(deleting)).not.toContain("secret");
  // That the session is over is no news then.
  const stopped: AppEvent = {
    name: "messenger",
    event: { name: "server", state: { name: "stopped", why: new Error() }, linksUntil: undefined },
  };
  expect(after(deleting, stopped).model).toEqual(deleting);
  const deleted = after(deleting, {
    name: "myAccount",
    event: { name: "deleted", username: "ana", folder: "/there" },
  });
  expect(deleted.model).toMatchObject({ screen: { name: "start" }, accounts: ["eva"], lastName: "" });
  expect(deleted.effects.map(({ name }) => name)).toEqual(["closeAccount", "print"]);
});

test("the contacts whose signs can be chosen stand in natural order", () => {
  const contacts = ["alumno10", "benito", "alumno2"];
  const { model } = after(
    menu,
    { name: "myAccount", event: { name: "signs", signs: { ...signs, contacts }, change: undefined } },
    answer(ENTRY.person),
  );
  const view = viewApp(model, context);
  if (view.name !== "prompt" || !("choices" in view.prompt)) throw new Error("no list");
  const names = view.prompt.choices.map(({ value }) => value);
  expect(names).toEqual(["alumno2", "alumno10", "benito", CHOICE.back]);
});

test("a failure leads back to the menus of the account", () => {
  const deleting = after(menu, ...[ENTRY.deletion, "ana", "secret"].map(answer)).model;
  expect(after(deleting, { name: "failed", sentence: "no server" }).model.screen.name).toBe("home");
});
