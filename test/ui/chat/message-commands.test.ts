import { describe, expect, test } from "bun:test";

import { complete } from "../../../src/ui/chat/commands.ts";
import { renderLine } from "../../../src/ui/format/printed-line.ts";
import { ChatScript, incoming, linesOf, NOON, outgoing, PEER, printed } from "./chat-script.ts";

const LAST = { name: "last" } as const;

/** A chat in which a list gave numbers to a message of theirs and one of ours. */
function listed(): ChatScript {
  const script = new ChatScript();
  const messages = [incoming(5, "suyo"), outgoing(6, "mío", "received")];
  script.take({ name: "listed", messages, isMore: true });
  return script;
}

const second = { name: "listed", message: { seq: 6, id: "out-6", outgoing: true, chat: PEER } } as const;

/** What reaches the messenger. */
function done(script: ChatScript, typed: string) {
  return script.type(typed).filter(({ name }) => name !== "print" && name !== "giveBack");
}

describe("a number", () => {
  test("means a message of the last list, whatever has come since", () => {
    const script = listed();
    script.messenger({ name: "message", from: PEER, message: incoming(7, "otro") });
    script.write("x", "más");
    expect(done(script, "/withdraw #2")).toEqual([{ name: "withdraw", target: second }]);
    expect(done(script, "/cancel #2")).toEqual([{ name: "cancel", target: second }]);
    expect(done(script, "/info #2")).toEqual([{ name: "info", message: second.message }]);
    expect(done(script, "/copy #2")).toEqual([{ name: "copy", target: second }]);
    expect(done(script, "/delete #2")).toEqual([{ name: "delete", message: second.message }]);
    const typed = "/edit #2 otro texto";
    expect(done(script, typed)).toEqual([{ name: "edit", target: second, text: "otro texto", typed }]);
    // The text behind a number is free.
    expect(done(script, "/reply #2 #3 sí")).toMatchObject([{ target: second, text: "#3 sí" }]);
  });

  test.each([
    "/edit #3 x",
    "/edit #0 x",
    "/edit #x y",
    "/edit # x",
    "/edit #2",
    "/edit #2x hola",
    "/edit #-1 x",
    "/edit #1e1 x",
    "/edit #٢ x",
    "/edit #99999 x",
    "/edit",
    "/edit  ",
    "/reply #",
    "/reply #hola a todos",
    "/withdraw #2 x",
    "/withdraw 2",
    "/withdraw x",
    "/cancel todo",
    "/cancel #3",
    "/info 2",
    "/delete",
    "/delete 2",
    "/delete #",
    "/delete #2 #1",
    "/delete todo",
    "/delete chat",
    "/delete chat carla",
    "/delete chats",
    "/list 0",
    "/list 51",
    "/list #2",
    "/list dos",
    "/search",
    "/export",
  ])("or command that is invalid, %j, says so and does nothing", (typed) => {
    const script = listed();
    script.effects.length = 0;
    expect(done(script, typed)).toEqual([]);
    expect(printed(script.effects)).toHaveLength(1);
    // Nothing of it is lost, either.
    if (/^\/(?:edit|reply) #\S+ /.test(typed)) {
      expect(script.effects.at(-1)).toEqual({ name: "giveBack", text: typed });
    }
  });

  test.each([
    "/edit 2 texto",
    "/edit 2: texto",
    "/edit 2. texto",
    "/edit ＃2 texto",
    "/edit ２ texto",
    "/edit 2",
    "/reply 1 texto",
    "/reply 1: texto",
  ])("without its sign, as in %j, is asked about, and nothing is done", (typed) => {
    const script = listed();
    expect(done(script, typed)).toEqual([]);
    const number = typed.startsWith("/edit") ? 2 : 1;
    expect(printed(script.effects).at(-1)).toStartWith(`¿Quiere decir #${number}? No se ha hecho nada.`);
    expect(script.effects.at(-1)).toEqual({ name: "giveBack", text: typed });
  });

  test("that stands in no list, or behind one with its sign, is text", () => {
    const bare = "/edit 2 huevos";
    expect(done(new ChatScript(), bare)).toMatchObject([{ text: "2 huevos" }]);
    expect(done(listed(), "/edit 3 huevos")).toMatchObject([{ text: "3 huevos" }]);
    expect(done(listed(), "/edit #2 2 huevos")).toMatchObject([{ target: second, text: "2 huevos" }]);
    expect(done(listed(), "/edit 2x")).toMatchObject([{ text: "2x" }]);
  });

  test("without a list means nothing", () => {
    const [said = ""] = printed(new ChatScript().type("/withdraw #1"));
    expect(said).toContain("/list");
  });

  test("of another chat is looked at here, and changed there", () => {
    const script = new ChatScript();
    const hits = [{ message: incoming(3, "hola"), chat: "carla" }];
    script.take({ name: "found", words: "hola", hits, isMore: false });
    for (const typed of ["/reply #1 sí", "/edit #1 x", "/withdraw #1", "/cancel #1", "/delete #1"]) {
      expect(done(script, typed)).toEqual([]);
      expect(printed(script.effects).at(-1)).toContain("/chat carla");
    }
    expect(done(script, "/info #1")).toMatchObject([{ name: "info" }]);
    expect(done(script, "/copy #1")).toMatchObject([{ name: "copy" }]);
  });
});

describe("without a number", () => {
  test("the last message is meant", () => {
    const script = new ChatScript();
    for (const name of ["withdraw", "cancel"] as const) {
      expect(done(script, `/${name}`)).toEqual([{ name, target: LAST }]);
    }
    for (const name of ["edit", "reply"] as const) {
      const typed = `/${name} hola a todos`;
      expect(done(script, typed)).toEqual([{ name, target: LAST, text: "hola a todos", typed }]);
    }
  });
});

describe("a text that replaces or answers another one", () => {
  test("is checked like every text that is sent, with what was pasted into it", () => {
    const script = new ChatScript();
    const expand = (text: string) => text.replace("[2 líneas]", "uno\ndos");
    expect(script.type("/edit [2 líneas]", expand)).toMatchObject([{ name: "edit", text: "uno\ndos" }]);
    for (const pasted of [" \n ", "\ud800", "x".repeat(32 * 1_024 + 1)]) {
      const effects = script.type("/reply [2 líneas]", () => pasted);
      expect(effects.filter(({ name }) => name === "reply")).toEqual([]);
    }
  });
});

describe("deleting a chat", () => {
  test("asks for its name first", () => {
    const script = new ChatScript();
    expect(printed(script.type("/delete chat")).join()).toContain("escriba: /delete chat benito");
    expect(done(script, "/delete chat Benito")).toEqual([{ name: "deleteChat" }]);
  });
});

describe("a list", () => {
  test("is of ten messages, or as many as are asked for, numbered from the oldest", () => {
    const script = new ChatScript();
    expect(done(script, "/list")).toEqual([{ name: "list", count: 10 }]);
    expect(done(script, "/list 50")).toEqual([{ name: "list", count: 50 }]);
    const messages = [incoming(1, "uno"), incoming(2, "dos")];
    const lines = linesOf(script.take({ name: "listed", messages, isMore: false }));
    expect(lines.map((line) => (line.name === "message" ? line.number : line.name))).toEqual(["day", 1, 2]);
    expect(printed(new ChatScript().take({ name: "listed", messages: [], isMore: false }))).toHaveLength(1);
  });

  test("of what was found names chat, day and time, and says that there is more", () => {
    const script = new ChatScript();
    expect(done(script, "/search dos  palabras")).toEqual([{ name: "search", words: "dos  palabras" }]);
    const hits = [
      { message: incoming(1, "uno\ndos"), chat: "carla" },
      { message: outgoing(2, "tres", "sent"), chat: PEER },
    ];
    const lines = linesOf(script.take({ name: "found", words: "o\u001b", hits, isMore: true }));
    const { texts, language } = script.context;
    const shown = lines.map((line) =>
      renderLine(line, { columns: 80, texts, language, colours: false, links: false }).trimEnd(),
    );
    expect(shown).toEqual([
      "— Los 2 últimos mensajes con «o␛»; hay más. Añada palabras, o busque fuera del \n    chat con la orden search.",
      "#1 2026-11-22 12:00 carla: uno\n    dos",
      "#2 2026-11-22 12:00 ana → benito ✓: tres",
    ]);
    // No number of an older list means anything below a search that found nothing.
    script.take({ name: "found", words: "x", hits: [], isMore: false });
    expect(script.chat.transcript.listed).toEqual([]);
    expect(script.now).toBe(NOON);
  });
});

test.each(["es", "en"] as const)(
  "the help in %s fits the smallest usual terminal, with the line below it",
  (language) => {
    const script = new ChatScript(language);
    const [line] = linesOf(script.type("/help"));
    const { texts } = script.context;
    if (line === undefined) throw new Error("no help");
    const rows = renderLine(line, { columns: 80, texts, language, colours: false, links: false })
      .trimEnd()
      .split("\n");
    expect(rows.length).toBeLessThanOrEqual(22);
    // Every command but this one stands at the beginning of one row, alone or beside another one.
    for (const offer of complete("/", new Map(), "").offers.filter((each) => each !== "/help")) {
      expect(rows.filter((row) => new RegExp(`^ {4}(?:/\\w+ )?${offer} `).test(row))).toHaveLength(1);
    }
  },
);
