import { expect, test } from "bun:test";

import type { StoredMessage } from "../../../src/client/profile/stored-message.ts";
import { CHOICE, type AppContext } from "../../../src/ui/app/steps.ts";
import type { AppEffect, AppEvent, AppModel } from "../../../src/ui/app/model.ts";
import { firstModel, updateApp } from "../../../src/ui/app/update.ts";
import { viewApp } from "../../../src/ui/app/view.ts";
import { choiceRow } from "../../../src/ui/prompts/choice-search.ts";
import { choicesOf, isList } from "../../../src/ui/prompts/prompt.ts";
import { parseServer } from "../../../src/ui/config.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const NOON = new Date(2026, 10, 22, 12).getTime();

function contextIn(language: "es" | "en"): AppContext {
  const texts = textsIn(language);
  return { now: NOON, texts, language, describe: () => "" };
}

const context = contextIn("es");

function after(
  model: AppModel,
  ...events: readonly AppEvent[]
): { model: AppModel; effects: readonly AppEffect[] } {
  let effects: readonly AppEffect[] = [];
  for (const event of events) ({ model, effects } = updateApp(model, event, context));
  return { model, effects };
}

function answer(value: string): AppEvent {
  return { name: "answered", value };
}

function hit(seq: number, chat: string, text: string, more: Partial<StoredMessage> = {}) {
  const message: StoredMessage = {
    ...{ seq, contact: 1, outgoing: false, id: "id", text, replyTo: undefined, leftAt: undefined },
    ...{
      readAt: undefined,
      editedAt: undefined,
      withdrawnAt: undefined,
      changeWaits: false,
      author: undefined,
      entry: undefined,
      isMissing: false,
    },
    ...{ sentAt: NOON, receivedAt: NOON, state: "received" as const, ...more },
  };
  return { message, chat };
}

const nothing = {
  unread: new Map(),
  muted: new Map(),
  offers: new Map(),
  groups: [],
  names: new Map(),
  failure: undefined,
};
const home = after(
  firstModel([], "", { ...parseServer("localhost", "es"), serverFrom: "given" }),
  { name: "loggedIn", username: "ana", ...nothing },
  { name: "people", people: [], ...nothing },
  { name: "back" },
).model;
const asking = after(home, answer(CHOICE.search)).model;
const searching = after(asking, answer(" biblioteca ")).model;
const yesterday = NOON - 86_400_000;
const found: AppEvent = {
  name: "found",
  hits: [
    hit(9, "benito", 'Sí, "en" la\nbiblioteca'),
    hit(7, "carla", `${"antes ".repeat(30)}en la biblioteca${" después".repeat(30)}`, {
      outgoing: true,
      sentAt: yesterday,
    }),
  ],
  isMore: false,
};

test("words lead to the messages of all conversations, and one of them to its chat", () => {
  expect(after(asking, answer(" biblioteca ")).effects).toEqual([{ name: "searchAll", words: "biblioteca" }]);
  const { screen } = after(searching, found).model;
  expect(screen).toMatchObject({ name: "hits", words: "biblioteca" });
  expect(after(searching, found, answer("7")).effects).toEqual([{ name: "openChat", username: "carla" }]);
});

test.each(["es", "en"] as const)("each is one row with person, text and time in %s", (language) => {
  const view = viewApp(after(searching, found).model, contextIn(language));
  const prompt = view.name === "prompt" && isList(view.prompt) ? view.prompt : undefined;
  const [first = "", second = ""] = prompt === undefined ? [] : choicesOf(prompt).map(choiceRow);
  expect(first).toBe('benito: Sí, "en" la biblioteca · 12:00');
  expect(second).toMatch(/^→ carla: ….*biblioteca.*… · 2026-11-21 12:00$/);
  expect(Bun.stringWidth(second)).toBeLessThan(100);
});

test("what was written is shown as it is, and what was typed in our quotation marks, both harmless", () => {
  const words = '"en la"\u202e';
  const hits = [hit(9, "benito", "\u001b[2J» en la\u202e")];
  const typed = after(asking, answer(words), { name: "found", hits, isMore: false }).model;
  const view = viewApp(typed, contextIn("es"));
  expect(view).toMatchObject({
    prompt: { message: "1 mensaje con «'en la'». ¿Abre su chat?", choices: [{ note: "␛[2J» en la" }, {}] },
  });
});

test("nothing found is a sentence, and the words can be changed", () => {
  const { model, effects } = after(searching, { name: "found", hits: [], isMore: false });
  expect(model.screen).toMatchObject({ name: "searchWords", words: "biblioteca" });
  expect(effects).toEqual([
    { name: "print", lines: [{ name: "notice", text: context.texts.chatFoundNothing("biblioteca") }] },
  ]);
});

test("words without a letter or digit are refused, and stay", () => {
  const { model, effects } = after(asking, answer("¿?"));
  expect(model.screen).toMatchObject({ name: "searchWords", words: "¿?" });
  expect(effects).toEqual([{ name: "print", lines: [{ name: "failure", text: context.texts.chatNoWord }] }]);
});

test("Escape and the way back lead from the messages to the words, and from there to the menu", () => {
  for (const back of [{ name: "back" } as const, answer(CHOICE.back)]) {
    expect(after(searching, found, back).model.screen).toMatchObject({
      name: "searchWords",
      words: "biblioteca",
    });
    expect(after(searching, found, back, back).model.screen.name).toBe("home");
  }
});

test("what is found after the person went on is not shown", () => {
  expect(after(home, found).model.screen.name).toBe("home");
});
