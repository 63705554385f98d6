import { describe, expect, test } from "bun:test";

import type { ChatEffect } from "../../../src/ui/chat/model.ts";
import type { MessageState } from "../../../src/client/disk/schema.ts";
import { openChat } from "../../../src/ui/chat/person-update.ts";
import { chatPrompt } from "../../../src/ui/chat/update.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { ChatScript, linesOf, NOON, PEER, printed } from "./chat-script.ts";

const SECOND = 1_000;

function namesOf(effects: readonly ChatEffect[]): string[] {
  return effects.map(({ name }) => name);
}

function edit(script: ChatScript, isEmpty = false) {
  return script.take({ name: "edited", isEmpty });
}

function signOf({ chat, context: { names, texts } }: ChatScript): string {
  return chatPrompt(chat, names, texts).sign;
}

describe("a message of ours", () => {
  test("is shown when it is committed and not before", () => {
    const script = new ChatScript();
    script.connect();
    expect(script.type("hola")).toEqual([{ name: "send", text: "hola" }]);
    expect(script.chat.deliveries.last).toBeUndefined();
    expect(printed(script.write("1"))).toEqual(["hola"]);
    const [line] = linesOf(script.effects).filter(({ name }) => name === "message");
    expect(line).toMatchObject({ isOwn: true, from: "ana", state: undefined });
    expect(script.chat.deliveries.last).toEqual({ id: "1", state: "queued" });
  });

  test.each([" ", "\u3000", "\u200b\u2060", "\u2800"])(
    "is nothing when nothing of it is seen: %j",
    (blank) => {
      const script = new ChatScript();
      expect(script.type(blank)).toEqual([]);
      expect(script.type("[paste]", () => blank)).toEqual([]);
      for (const command of ["say", "edit", "reply"]) {
        const effects = script.type(`/${command} [paste]`, (text) => text.replace("[paste]", blank));
        expect(namesOf(effects)).toEqual(["print", "giveBack"]);
        expect(printed(effects)).toEqual(["El texto está vacío."]);
      }
    },
  );

  test("has a state that never goes back", () => {
    const script = new ChatScript();
    script.write("1");
    for (const [told, shown] of [
      ["sent", "sent"],
      ["queued", "sent"],
      ["received", "received"],
      ["sent", "received"],
    ] as const) {
      script.deliver("1", told);
      expect(script.chat.deliveries.last).toEqual({ id: "1", state: shown });
    }
  });

  test("that could not be stored comes back as it was typed", () => {
    const effects = new ChatScript().take({ name: "failed", sentence: "disk full", typed: "//etc" });
    expect(namesOf(effects)).toEqual(["print", "giveBack"]);
    expect(effects.at(-1)).toEqual({ name: "giveBack", text: "//etc" });
    expect(printed(effects)[0]).toContain("disk full");
  });
});

describe("typing", () => {
  const active = [{ name: "typing", active: true }] as const;
  const inactive = [{ name: "typing", active: false }] as const;

  test("is sent to the peer at most every four seconds, and its end once", () => {
    const script = new ChatScript();
    expect(edit(script)).toEqual([]);
    script.connect();
    expect(edit(script)).toEqual(active);
    expect(edit(script)).toEqual([]);
    script.wait(4 * SECOND);
    expect(edit(script)).toEqual(active);
    expect(edit(script, true)).toEqual(inactive);
    expect(edit(script, true)).toEqual([]);
    edit(script);
    expect(script.type("hola")).toEqual([...inactive, { name: "keepDraft" }, { name: "send", text: "hola" }]);
    edit(script);
    expect(script.wait(8 * SECOND)).toEqual([...inactive, { name: "keepDraft" }]);
    edit(script);
    expect(script.take({ name: "leaving" })).toEqual([...inactive, { name: "leave", to: undefined }]);
  });

  test("is forgotten with the link", () => {
    const script = new ChatScript();
    script.connect();
    edit(script);
    script.messenger({ name: "typing", username: PEER, active: true });
    script.messenger({ name: "disconnected", username: PEER, bye: true, heardAt: undefined });
    expect(script.person.link.name).toBe("away");
    expect(edit(script, true)).toEqual([]);
    script.connect();
    expect(script.person.link).toMatchObject({ ownTypingSince: undefined, peerTypingSince: undefined });
  });

  test("of the peer ends when they say so, or by itself", () => {
    const script = new ChatScript();
    script.connect();
    script.messenger({ name: "typing", username: PEER, active: true });
    script.wait(9 * SECOND);
    expect(signOf(script)).toBe("escribiendo…");
    script.wait(SECOND);
    expect(signOf(script)).toBe("");
    script.messenger({ name: "typing", username: PEER, active: true });
    script.messenger({ name: "typing", username: PEER, active: false });
    expect(signOf(script)).toBe("");
  });
});

describe("after a /chat that fails", () => {
  const failed = (language: "es" | "en" = "es") => {
    const script = new ChatScript(language);
    const said = printed(script.type("/chat a/../b"));
    return { script, said };
  };

  test("it is said that this is still the same chat", () => {
    expect(failed().said.join()).toEndWith("Sigue en el chat con benito.");
    expect(failed("en").said.join()).toEndWith("You are still in the chat with benito.");
    expect(printed(new ChatScript("en").type("/chat ana")).join()).toEndWith(
      "still in the chat with benito.",
    );
  });

  test("an Enter before it can have been seen sends nothing, and gives the line back", () => {
    for (const typed of ["secreto", "/say secreto", "/withdraw", "/accept"]) {
      const { script } = failed();
      const effects = script.type(typed);
      expect(namesOf(effects)).toEqual(["print", "giveBack"]);
      expect(effects.at(-1)).toEqual({ name: "giveBack", text: typed });
    }
    const { script } = failed();
    expect(namesOf(script.type("/chat carla"))).toEqual(["leave"]);
  });

  test("so does the first Enter behind a text that was begun before; the next one sends it", () => {
    const { script } = failed();
    edit(script);
    script.wait(30 * SECOND);
    edit(script);
    expect(namesOf(script.type("secreto")).filter((name) => name !== "typing")).toEqual([
      "keepDraft",
      "print",
      "giveBack",
    ]);
    script.wait(SECOND);
    expect(namesOf(script.type("secreto"))).toContain("send");
  });

  test("a text that is begun later is sent at once", () => {
    const { script } = failed();
    script.wait(SECOND);
    edit(script);
    expect(namesOf(script.type("hola"))).toContain("send");
  });

  test("a text that was begun before and cleared no longer counts", () => {
    const { script } = failed();
    edit(script);
    script.wait(SECOND);
    edit(script, true);
    edit(script);
    expect(namesOf(script.type("hola"))).toContain("send");
  });
});

test("the prompt says to whom one writes, how far our last message is, and whether the peer is there and types", () => {
  const chat = openChat(PEER);
  const texts = textsIn("es");
  const names = new Map([[PEER, "benito (3f2a 91bc)"]]);
  const away = { name: "benito (3f2a 91bc)", isAway: true, mark: "", waiting: 0, sign: "" };
  expect(chatPrompt(chat, names, texts)).toEqual(away);
  expect(chatPrompt(chat, names, texts, 2)).toEqual({ ...away, waiting: 2 });
  const sent = (state: MessageState) => ({
    ...chat,
    deliveries: { ...chat.deliveries, last: { id: "a", state } },
  });
  const states = ["queued", "sent", "received", "read"] as const;
  const prompts = states.map((state) => chatPrompt(sent(state), names, texts));
  expect(prompts).toEqual(["·", "✓", "✓✓", "✓✓ leído"].map((mark) => ({ ...away, mark })));
  const link = {
    name: "connected",
    isSilent: false,
    way: "direct",
    waySince: NOON,
    peerTypingSince: NOON,
    ownTypingSince: undefined,
  } as const;
  const linked = { ...sent("received"), link };
  expect(chatPrompt(linked, names, texts)).toMatchObject({ isAway: false, mark: "✓✓", sign: "escribiendo…" });
  expect(chatPrompt(linked, names, textsIn("en")).sign).toBe("typing…");
  const isSilent = true;
  expect(chatPrompt({ ...linked, link: { ...link, isSilent } }, names, texts).isAway).toBe(true);
});
