import { describe, expect, test } from "bun:test";

import { MAX_TEXT_BYTES } from "../../../src/protocol/peer-messages.ts";
import { asTyped, parseLine } from "../../../src/ui/chat/typed-line.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { ChatScript, printed } from "./chat-script.ts";

describe("a typed line", () => {
  test.each([
    ["", { name: "nothing" }],
    [" \t\u00a0\u2003 ", { name: "nothing" }],
    ["exit", { name: "leave" }],
    ["  exit ", { name: "leave" }],
    ["Exit", { name: "message", text: "Exit" }],
    ["exit now", { name: "message", text: "exit now" }],
    ["help", { name: "perhapsCommand", word: "help", command: "help" }],
    [" ? ", { name: "perhapsCommand", word: "?", command: "help" }],
    ["Quit", { name: "perhapsCommand", word: "Quit", command: "exit" }],
    ["salir", { name: "perhapsCommand", word: "salir", command: "exit" }],
    ["salir ya", { name: "message", text: "salir ya" }],
    ["hola", { name: "message", text: "hola" }],
    ["  hola ", { name: "message", text: "  hola " }],
    ["//x", { name: "message", text: "/x" }],
    ["//", { name: "message", text: "/" }],
    [" /help", { name: "command", word: "help", argument: "" }],
    ["/", { name: "command", word: "", argument: "" }],
    ["/help", { name: "command", word: "help", argument: "" }],
    ["/say  exit ", { name: "command", word: "say", argument: "exit" }],
    ["/chat Ana María", { name: "command", word: "chat", argument: "Ana María" }],
    ["/etc/hosts", { name: "command", word: "etc/hosts", argument: "" }],
  ] as const)("%j", (typed, parsed) => {
    expect(parseLine(typed)).toEqual(parsed);
  });

  test.each(["/x", "//x", "exit", " EXIT ", "help", " Salir ", "?", "hola", " /x", "/say exit"])(
    "that would send %j can be typed",
    (text) => {
      const parsed = parseLine(asTyped(text));
      const sent = parsed.name === "command" && parsed.word === "say" ? parsed.argument : undefined;
      expect(parsed.name === "message" ? parsed.text : sent).toBe(
        parsed.name === "message" ? text : text.trim(),
      );
    },
  );
});

describe("what is sent", () => {
  const sends = (typed: string, expand?: (text: string) => string) =>
    new ChatScript().type(typed, expand).filter(({ name }) => name === "send");

  test.each([
    ["hola", "hola"],
    ["//x", "/x"],
    ["/say exit", "exit"],
    ["/say /help", "/help"],
    ["  //help", "  /help"],
  ])("%j sends %j", (typed, text) => {
    expect(sends(typed)).toEqual([{ name: "send", text }]);
  });

  test.each([
    "",
    "   ",
    "exit",
    "?",
    "salir",
    "/nosuch hola",
    "/help",
    "/help me",
    "/say",
    "/say   ",
    "/",
    "/chat",
  ])("%j sends nothing", (typed) => {
    expect(sends(typed)).toEqual([]);
  });

  test.each([
    ["es", "salir", "«salir» no se ha enviado. ¿Quiere decir /exit? Como mensaje se envía con /say salir."],
    ["en", "help", "“help” was not sent. Did you mean /help? As a message it is sent with /say help."],
  ] as const)("in %s, %j alone asks whether a command is meant", (language, typed, sentence) => {
    expect(printed(new ChatScript(language).type(typed))).toEqual([sentence]);
  });

  test("is what was pasted, and no pasted text is a command", () => {
    const paste = (text: string) => text.replace("[2 líneas]", "/exit\nexit");
    expect(sends("[2 líneas]", paste)).toEqual([{ name: "send", text: "/exit\nexit" }]);
    expect(sends("/say [2 líneas]", paste)).toEqual([{ name: "send", text: "/exit\nexit" }]);
    expect(sends("[2 líneas]", () => " \n ")).toEqual([]);
  });

  test("an unknown command is named, with the way to send it", () => {
    const [said] = printed(new ChatScript().type("/nosuch secret words"));
    expect(said).toContain("/nosuch");
    expect(said).toContain("//nosuch");
    expect(said).not.toContain("secret");
    expect(printed(new ChatScript("en").type(`/${"x".repeat(9_000)}\u001b[2J`)).join()).toMatch(/^.{1,300}$/);
  });
});

describe("a text that no peer would take", () => {
  test("is refused with a sentence and given back as it was typed", () => {
    const big = "ñ".repeat(MAX_TEXT_BYTES / 2);
    expect(new ChatScript().type(big)).toEqual([{ name: "send", text: big }]);
    const tooLong = textsIn("en").chatTooLong(MAX_TEXT_BYTES + 1, MAX_TEXT_BYTES);
    expect(printed(new ChatScript("en").type(`${big}x`))).toEqual([tooLong]);
    for (const [language, text] of [
      ["es", `${big}x`],
      ["en", "half \ud83d"],
    ] as const) {
      const effects = new ChatScript(language).type("[9 líneas]", () => text);
      expect(effects.map(({ name }) => name)).toEqual(["print", "giveBack"]);
      expect(effects.at(-1)).toEqual({ name: "giveBack", text: "[9 líneas]" });
      expect(printed(effects)[0]?.length).toBeLessThan(200);
    }
  });
});
