/** A code is compared in the chat: what is asked, what is taken as the answer, and what is not sent meanwhile. */
import { describe, expect, test } from "bun:test";

import type { VerificationNews } from "../../../src/client/conversation/events.ts";
import { chatPrompt } from "../../../src/ui/chat/update.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { ChatScript, linesOf, NOON, PEER, printed } from "./chat-script.ts";

const texts = { es: textsIn("es"), en: textsIn("en") };

function news(script: ChatScript, each: VerificationNews) {
  return script.messenger({ name: "verification", username: PEER, ...each });
}

/** The chat in which a code is compared. */
function comparing(language: "es" | "en" = "es"): ChatScript {
  const script = new ChatScript(language);
  script.connect();
  script.type("/verify");
  news(script, { state: "waiting" });
  news(script, { state: "code", code: "042917" });
  return script;
}

function promptOf(script: ChatScript, language: "es" | "en" = "es") {
  return chatPrompt(script.chat, new Map(), texts[language]);
}

test("/verify opens it, and the code is printed and asked about in the place of the prompt", () => {
  const script = new ChatScript();
  expect(script.type("/verify")).toEqual([{ name: "openVerification" }]);
  expect(printed(news(script, { state: "waiting" }))).toEqual([texts.es.chatVerificationWaiting(PEER)]);
  const [asked = ""] = printed(news(script, { state: "code", code: "042917" }));
  expect(asked).toContain("042 917");
  expect(promptOf(script).name).toBe("042 917: ¿el mismo? (sí/no)");
  expect(promptOf(script).mark).toBe("");
});

describe.each([
  ["es", ["sí", "SI", " sí "], ["no", "No"]],
  ["en", ["yes", "YES"], ["no"]],
] as const)("in %s", (language, yes, no) => {
  test.each([...yes.map((typed) => [typed, true]), ...no.map((typed) => [typed, false])] as [
    string,
    boolean,
  ][])("«%s» is an answer", (typed, same) => {
    const script = comparing(language);
    expect(script.type(typed)).toEqual([{ name: "answerVerification", same }]);
  });

  test("anything else is not sent but given back, and nobody is told that one is typing", () => {
    const script = comparing(language);
    expect(script.take({ name: "edited", isEmpty: false })).toEqual([]);
    for (const typed of ["042917?", "yes, I do", "//verify"]) {
      const effects = script.type(typed);
      expect(effects.map(({ name }) => name)).toEqual(["print", "giveBack"]);
      expect(printed(effects)).toEqual([texts[language].chatAnswerFirst(PEER, "042 917")]);
    }
    expect(script.type("")).toEqual([]);
    expect(script.type("exit")).toEqual([{ name: "leave", to: undefined }]);
  });
});

test("after the answer the other one is waited for, and texts are sent again", () => {
  const script = comparing();
  script.type("sí");
  expect(printed(script.take({ name: "verificationAnswered" }))).toEqual([
    texts.es.verificationAnswered(PEER),
  ]);
  expect(promptOf(script).name).toBe(PEER);
  expect(script.type("sí")).toEqual([{ name: "send", text: "sí" }]);
  expect(printed(news(script, { state: "verified", retryAt: undefined }))).toEqual([
    texts.es.verificationDone(PEER),
  ]);
  expect(promptOf(script).name).toBe(`${PEER} ✔`);
  // The answer to our own answer may come after the end.
  expect(script.take({ name: "verificationAnswered" })).toEqual([]);
});

test("a code that differs is a failure, which says when it can be tried again", () => {
  const script = comparing();
  const [line] = linesOf(news(script, { state: "wrong", retryAt: NOON + 10_000 }));
  expect(line).toEqual({
    name: "failure",
    text: `${texts.es.verificationWrong(PEER)} ${texts.es.verificationRetry("10 s")}`,
  });
  expect(promptOf(script).name).toBe(PEER);
  expect(printed(script.take({ name: "verificationTooSoon", seconds: 3_600 }))).toEqual([
    texts.es.verificationTooSoon("1 h"),
  ]);
});

test("/verify off ends the one that is open, and otherwise withdraws the ✔", () => {
  const script = comparing();
  expect(script.type("/verify off")).toEqual([{ name: "closeVerification" }]);
  news(script, { state: "closed", retryAt: undefined });
  expect(script.type("/verify OFF")).toEqual([{ name: "withdrawVerification" }]);
  news(script, { state: "verified", retryAt: undefined });
  script.take({ name: "verificationOff", wasVerified: true });
  expect(promptOf(script).name).toBe(PEER);
  expect(printed(script.type("/verify yes"))).toEqual([texts.es.chatUsage("/verify [off]")]);
  expect(printed(script.type("/verify sí"))).toEqual([texts.es.chatNoCode]);
});

test("that the other one has opened it is one line, and a new key of a verified person is not accepted", () => {
  const script = new ChatScript();
  script.take({ name: "opened", messages: [], isMore: false, isVerified: true });
  expect(promptOf(script).name).toBe(`${PEER} ✔`);
  script.connect();
  expect(promptOf(script).name).toBe(`${PEER} ✔`);
  expect(printed(news(script, { state: "asked" }))).toEqual([texts.es.chatVerificationAsked(PEER)]);
  expect(script.type("/verify off")).toEqual([{ name: "withdrawVerification" }]);
  // Whoever has opened it is not waited for.
  const joined = new ChatScript();
  news(joined, { state: "asked" });
  expect(printed(news(joined, { state: "waiting" }))).toEqual([]);
  expect(printed(news(script, { state: "withdrawn" }))).toEqual([texts.es.verificationWithdrawnThere(PEER)]);
  const pending = { name: "keyPending", username: PEER, fingerprint: "ab", isVerified: true } as const;
  expect(printed(script.messenger(pending))).toEqual([texts.es.chatNotVerified(PEER)]);
  expect(printed(script.take({ name: "keyAccepted", result: "verification_needed" }))).toEqual([
    texts.es.chatAcceptNeedsVerification(PEER),
  ]);
});
