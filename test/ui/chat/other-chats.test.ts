/** Going from chat to chat, drafts, and people who are quiet. */
import { describe, expect, test } from "bun:test";

import type { ChatEffect } from "../../../src/ui/chat/model.ts";
import { localClock } from "../../../src/ui/format/local-time.ts";
import { ChatScript, MINUTE, NOON, PEER, printed } from "./chat-script.ts";

const HOUR = 60 * MINUTE;
const LEAVES_FOR_CARLA: ChatEffect = { name: "leave", to: "carla" };

/** ana's chat with benito; carla has 2 unread messages, and dora, who is quiet, 1 that is older. */
function among(language: "es" | "en" = "es"): ChatScript {
  const script = new ChatScript(language);
  script.others = {
    numbered: ["carla", PEER, "dora"],
    unread: new Map([
      [4, { username: "dora", count: 1 }],
      [3, { username: "carla", count: 2 }],
    ]),
    muted: new Map([[4, { username: "dora", until: NOON + HOUR }]]),
    offers: new Map(),
    groups: new Map(),
  };
  return script;
}

const edit = (script: ChatScript, isEmpty = false) => script.take({ name: "edited", isEmpty });
const namesOf = (effects: readonly ChatEffect[]) => effects.map(({ name }) => name);

describe("another chat", () => {
  test("is reached by its number, typed or with Alt", () => {
    expect(among().type("/1")).toEqual([LEAVES_FOR_CARLA]);
    expect(among().take({ name: "goTo", chat: 1 })).toEqual([LEAVES_FOR_CARLA]);
    expect(printed(among().take({ name: "goTo", chat: 2 }))).toEqual(["Este ya es el chat con benito."]);
  });

  test("that no number leads to: what is typed blind behind it is not sent here", () => {
    const typed = among();
    expect(printed(typed.type("/7"))).toEqual([
      "Ningún chat tiene el número 7; /chat muestra los que hay. Sigue en el chat con benito.",
    ]);
    expect(namesOf(typed.type("hola"))).toEqual(["print", "giveBack"]);
    const pressed = among();
    pressed.take({ name: "goTo", chat: 7 });
    edit(pressed);
    pressed.wait(3_000);
    expect(namesOf(pressed.type("hola"))).toEqual(["keepDraft", "print", "giveBack"]);
  });

  test("with something new is next: who has waited longest, and the quiet ones last", () => {
    const script = among();
    expect(script.type("/unread")).toEqual([LEAVES_FOR_CARLA]);
    expect(script.take({ name: "goTo", chat: "unread" })).toEqual([LEAVES_FOR_CARLA]);
    script.others = { ...script.others, unread: new Map([[4, { username: "dora", count: 1 }]]) };
    expect(script.type("/unread")).toEqual([{ name: "leave", to: "dora" }]);
    script.others = { ...script.others, unread: new Map() };
    expect(printed(script.type("/unread"))).toEqual([
      "No hay nada nuevo en otros chats. Sigue en el chat con benito.",
    ]);
    // What was meant for the next chat is not sent to this one.
    expect(namesOf(script.type("hola"))).toEqual(["print", "giveBack"]);
  });

  test.each([
    [
      "es",
      "Chats, por número (también Alt-1 … Alt-9):\n/1 carla (2 nuevos) (borrador: mañana)\n/2 benito (este)\n/3 dora (1 nuevo) (en silencio hasta las 13:00)",
    ],
    [
      "en",
      "Chats by number (Alt-1 … Alt-9 too):\n/1 carla (2 new) (draft: mañana)\n/2 benito (this one)\n/3 dora (1 new) (muted until 13:00)",
    ],
  ] as const)("/chat alone shows the numbers and what waits there, in %s", (language, shown) => {
    const script = among(language);
    expect(script.type("/chat")).toEqual([{ name: "listChats" }]);
    const drafts = new Map([["carla", "mañana"]]);
    expect(printed(script.take({ name: "chats", drafts }))).toEqual([shown]);
  });
});

describe("a draft", () => {
  test("is stored when nobody types for a moment, and not with each key", () => {
    const script = among();
    edit(script);
    expect(script.wait(1_000)).toEqual([]);
    edit(script);
    expect([script.wait(1_000), script.wait(1_000)]).toEqual([[], [{ name: "keepDraft" }]]);
    expect(script.wait(60_000)).toEqual([]);
  });

  test("is stored within ten seconds while somebody goes on typing", () => {
    const script = among();
    const kept = Array.from({ length: 30 }, () => {
      edit(script);
      return script.wait(1_000).length;
    });
    expect(kept.filter((count) => count > 0)).toHaveLength(3);
  });

  test("that was stored is stored as empty with Enter; one that was not costs nothing", () => {
    const script = among();
    edit(script);
    expect(namesOf(script.type("hola"))).toEqual(["send"]);
    edit(script);
    script.wait(2_000);
    expect(namesOf(script.type("hola"))).toEqual(["keepDraft", "send"]);
    expect(namesOf(script.type("hola"))).toEqual(["send"]);
  });

  test("is also what was given back", () => {
    const script = among();
    script.take({ name: "failed", sentence: "no", typed: "hola" });
    expect(script.wait(2_000)).toEqual([{ name: "keepDraft" }]);
  });

  test("is not sent with what was typed while its chat was being opened", () => {
    const script = among();
    script.take({ name: "opened", messages: [], isMore: false, hasDraft: true });
    const refused = script.type("no te lo voy ahola");
    expect(namesOf(refused)).toEqual(["keepDraft", "print", "giveBack"]);
    expect(printed(refused)).toEqual([
      "No se ha enviado: en la línea estaba su borrador. Otro Intro lo envía.",
    ]);
    expect(namesOf(script.type("no te lo voy ahola"))).toEqual(["send"]);
    const later = among();
    later.take({ name: "opened", messages: [], isMore: false, hasDraft: true });
    later.wait(1_500);
    expect(namesOf(later.type("hola"))).toEqual(["keepDraft", "send"]);
  });
});

describe("/mute", () => {
  test.each([
    ["8h", 8 * 3_600],
    ["90m", 5_400],
    ["7d", 604_800],
    ["off", 0],
    ["OFF", 0],
  ])("%s", (typed, seconds) => {
    expect(among().type(`/mute ${typed}`)).toEqual([{ name: "mute", seconds }]);
  });

  test.each(["8", "0h", "siempre", "9999999d", "-1h"])("%s is none", (typed) => {
    expect(printed(among().type(`/mute ${typed}`))).toEqual([
      `«${typed}» no es ningún tiempo, como 90m, 8h o 7d, ni off.`,
    ]);
  });

  test("alone says how it is, and so does a change, here or in another process", () => {
    const script = among();
    expect(printed(script.type("/mute"))).toEqual(["benito no está en silencio."]);
    const until = NOON + 8 * HOUR;
    const event = { name: "muted", username: PEER, until } as const;
    const sentence = "benito está en silencio hasta las 20:00: ni suena ni se anuncia nada suyo.";
    expect(printed(script.messenger(event))).toEqual([sentence]);
    script.others = { ...script.others, muted: new Map([[1, { username: PEER, until }]]) };
    expect(printed(script.type("/mute"))).toEqual([sentence]);
    script.now = until;
    expect(printed(script.type("/mute"))).toEqual(["benito no está en silencio."]);
    const later = { ...event, until: until + 24 * HOUR };
    script.now = NOON;
    expect(printed(script.messenger(later))[0]).toContain(`hasta el 2026-11-23 a las ${localClock(until)}:`);
    expect(printed(script.messenger({ ...event, until: undefined }))).toEqual([
      "benito no está en silencio.",
    ]);
  });
});
