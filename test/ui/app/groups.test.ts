import { describe, expect, test } from "bun:test";

import type { SharedGroup } from "../../../src/client/conversation/events.ts";
import type { AppEffect, AppEvent, AppModel, OpenAccount } from "../../../src/ui/app/model.ts";
import { CHOICE } from "../../../src/ui/app/steps.ts";
import { firstModel, updateApp } from "../../../src/ui/app/update.ts";
import { titleOf, viewApp } from "../../../src/ui/app/view.ts";
import { choiceRow } from "../../../src/ui/prompts/choice-search.ts";
import { choicesOf, isList } from "../../../src/ui/prompts/prompt.ts";
import { parseServer } from "../../../src/ui/config.ts";
import { namesKnownTo } from "../../../src/ui/format/name-book.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { incoming } from "../chat/chat-script.ts";
import { FAMILIA, groupNotice, sharedGroup } from "../chat/group/shared-group.ts";

const CHAT = `#${FAMILIA}`;
const CLASE = sharedGroup({ group: "C".repeat(43), title: "Clase", name: "#Clase", people: 20 });
const ROW = 7;

/** The terminal of ana, with these groups. */
class Terminal {
  now = 1_000_000;
  readonly #language: "es" | "en";
  readonly #names = namesKnownTo({ username: "ana", contacts: () => [], groups: () => [] });
  #model: AppModel = firstModel([], "", { ...parseServer("localhost", "es"), serverFrom: "given" });

  constructor(groups: readonly SharedGroup[] = [sharedGroup(), CLASE], language: "es" | "en" = "es") {
    this.#language = language;
    this.#names.nameGroups(groups);
    const account = { username: "ana", failure: undefined, groups, names: this.#names.book } as const;
    const stored = { unread: new Map(), muted: new Map(), offers: new Map() };
    this.take({ name: "loggedIn", ...account, ...stored });
    this.take({ name: "people", people: [], unread: new Map(), names: this.#names.book, failure: undefined });
    this.take({ name: "back" });
  }

  get #context() {
    const [texts, language] = [textsIn(this.#language), this.#language];
    return { now: this.now, texts, language, describe: () => "" };
  }

  take(event: AppEvent): readonly AppEffect[] {
    const { model, effects } = updateApp(this.#model, event, this.#context);
    this.#model = model;
    return effects;
  }

  answer(value: string) {
    return this.take({ name: "answered", value });
  }

  open(group?: SharedGroup) {
    const username = group === undefined ? "benito" : `#${group.group}`;
    return this.take({ name: "chatOpened", username, contact: 9, isStranger: false, group, recent: [] });
  }

  message(from: string, text = "hola") {
    const message = { ...incoming(1, text), contact: ROW, author: from };
    const event = { name: "message", from, message, group: FAMILIA, title: "Familia" } as const;
    return this.take({ name: "messenger", event });
  }

  group(change: Partial<SharedGroup>) {
    this.#names.nameGroups([sharedGroup(change)]);
    return this.take({ name: "messenger", event: { name: "group", group: sharedGroup(change) } });
  }

  mute(username: string) {
    const { account } = this.#model.screen as { account: OpenAccount };
    const muted = new Map([[ROW, { username, until: this.now + 1_000_000 }]]);
    return this.take({ name: "recounted", unread: account.unread, muted });
  }

  tick() {
    this.now += 1_000;
    return this.take({ name: "tick" });
  }

  /** The rows of the open list. */
  get rows(): readonly string[] {
    const view = viewApp(this.#model, this.#context);
    if (view.name !== "prompt" || !isList(view.prompt)) throw new Error(`the view is ${view.name}`);
    return choicesOf(view.prompt).map(choiceRow);
  }

  get screen() {
    return this.#model.screen;
  }

  get title() {
    return titleOf(this.#model, this.now);
  }
}

function printed(effects: readonly AppEffect[]): string[] {
  return effects.flatMap((effect) =>
    effect.name === "print" ? effect.lines.map((line) => ("text" in line ? line.text : line.name)) : [],
  );
}

describe("the list of groups", () => {
  test.each([
    [
      "es",
      "Grupos (1 invitación, 2 nuevos)",
      ["#Abuelos (invita luis) · 3 personas", "#Familia (2 nuevos) · 5 personas", "#Clase · 20 personas"],
      ["Fundar un grupo…", "← Volver"],
    ],
    [
      "en",
      "Groups (1 invitation, 2 new)",
      ["#Abuelos (invited by luis) · 3 people", "#Familia (2 new) · 5 people", "#Clase · 20 people"],
      ["Found a group…", "← Back"],
    ],
  ] as const)("has invitations on top, then what is new, in %s", (language, entry, rows, fixed) => {
    const invited = { state: "invited", invited_by: "luis", people: 3 } as const;
    const abuelos = sharedGroup({ group: "A".repeat(43), title: "Abuelos", name: "#Abuelos", ...invited });
    const declined = sharedGroup({ group: "D".repeat(43), title: "Otro", name: "#Otro", state: "declined" });
    const terminal = new Terminal([CLASE, sharedGroup(), abuelos, declined], language);
    terminal.message("eva");
    terminal.message("luis");
    expect(terminal.rows.at(-2)).toBe(entry);
    expect(terminal.rows[0]).not.toMatch(/\d/);
    terminal.answer(CHOICE.groups);
    expect(terminal.rows).toEqual([...rows, ...fixed]);
    // Rows stay where they are while it is open.
    terminal.message("eva");
    expect(terminal.rows[1]).toMatch(/3/);
    terminal.take({ name: "back" });
    terminal.mute(CHAT);
    expect(terminal.rows.at(-2)).toMatch(/\(1 invita\S+\)$/);
    terminal.answer(CHOICE.groups);
    expect(terminal.rows[2]).toMatch(/^#Familia \(3 \S+\) \((en silencio|muted)\)/);
  });

  test("leads to the chats, and they back to it", () => {
    const terminal = new Terminal();
    terminal.answer(CHOICE.groups);
    expect(terminal.answer(CHAT)).toEqual([{ name: "openChat", username: CHAT }]);
    terminal.open(sharedGroup());
    expect(terminal.screen).toMatchObject({ name: "chat", chat: { kind: "group", username: CHAT } });
    expect(terminal.take({ name: "leaving" })).toContainEqual({ name: "closeChat", username: CHAT });
    expect(terminal.screen).toMatchObject({ name: "groups", left: CHAT });
    terminal.take({ name: "back" });
    expect(terminal.screen.name).toBe("home");
  });

  test("founds one, and asks again for a title that cannot be seen", () => {
    const terminal = new Terminal([]);
    terminal.answer(CHOICE.groups);
    terminal.answer(CHOICE.newGroup);
    expect(printed(terminal.answer("\u200b"))).toEqual([textsIn("es").groupBadTitle]);
    expect(terminal.answer(" Familia ")).toEqual([{ name: "foundGroup", title: "Familia" }]);
    expect(terminal.take({ name: "groupFounded", username: CHAT })).toEqual([
      { name: "openChat", username: CHAT },
    ]);
  });
});

describe("what is said outside the chat of a group", () => {
  test("who has written is counted, announced with the way there, and told of outside", () => {
    const terminal = new Terminal();
    terminal.open();
    terminal.message("eva");
    terminal.message("luis", "qué tal");
    const effects = terminal.tick();
    expect(printed(effects)).toEqual(["#Familia: 2 mensajes nuevos (/2)"]);
    const told = effects.find(({ name }) => name === "notify");
    expect(told).toMatchObject({ shown: "luis en «Familia»", excerpt: "qué tal" });
    expect(told).toMatchObject({ gathered: { from: "luis", title: "Familia", count: 2 } });
    expect(terminal.title).toBe("(2) ana — Paloma");
    const [leave] = terminal.take({ name: "line", typed: "/unread", expand: (text) => text });
    expect(leave).toEqual({ name: "openChat", username: CHAT });
  });

  test("nothing is while somebody looks at its chat", () => {
    const terminal = new Terminal();
    terminal.open(sharedGroup());
    terminal.take({ name: "attention", sign: "focused" });
    terminal.message("eva");
    expect(terminal.tick()).toEqual([]);
    expect(terminal.title).toBe("ana — Paloma");
  });

  test("an invitation is announced once, with the way to its chat", () => {
    const terminal = new Terminal([]);
    terminal.open();
    const invited = { state: "invited", invited_by: "luis" } as const;
    const effects = terminal.group(invited);
    expect(printed(effects)).toEqual(["luis le invita a «Familia» (5 personas). (/chat #Familia)"]);
    expect(effects).toContainEqual({ name: "bell" });
    expect(terminal.group({ ...invited, people: 6 })).toEqual([]);
  });

  test("that one was removed is said, and no more of who comes and goes", () => {
    const terminal = new Terminal();
    const say = (notice: ReturnType<typeof groupNotice>) =>
      printed(terminal.take({ name: "messenger", event: { name: "groupNotice", notice } }));
    expect(say(groupNotice("joined", { names: ["eva"] }))).toEqual([]);
    expect(say(groupNotice("removed_self", { by: "ana" }))).toEqual([
      expect.stringMatching(/^ana le ha sacado de «Familia»\./),
    ]);
  });
});
