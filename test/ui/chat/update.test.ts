import { describe, expect, test } from "bun:test";

import type { ChatEffect } from "../../../src/ui/chat/model.ts";
import type { MessageState } from "../../../src/client/disk/schema.ts";
import { chatPrompt, openChat } from "../../../src/ui/chat/update.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { ChatScript, linesOf, NOON, PEER, printed } from "./chat-script.ts";

const SECOND = 1_000;

function namesOf(effects: readonly ChatEffect[]): string[] {
  return effects.map(({ name }) => name);
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
  const edit = (script: ChatScript, isEmpty = false) => script.take({ name: "edited", isEmpty });
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
    expect(script.type("hola")).toEqual([...inactive, { name: "send", text: "hola" }]);
    edit(script);
    expect(script.wait(8 * SECOND)).toEqual(inactive);
    edit(script);
    expect(script.take({ name: "leaving" })).toEqual([...inactive, { name: "leave", to: undefined }]);
  });

  test("is forgotten with the link", () => {
    const script = new ChatScript();
    script.connect();
    edit(script);
    script.messenger({ name: "typing", username: PEER, active: true });
    script.messenger({ name: "disconnected", username: PEER, bye: true, heardAt: undefined });
    expect(script.chat.link).toEqual({ name: "left" });
    expect(edit(script, true)).toEqual([]);
    script.connect();
    expect(script.chat.link).toMatchObject({ ownTypingSince: undefined, peerTypingSince: undefined });
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

test("the prompt says to whom one writes, how far our last message is, and whether the peer is there and types", () => {
  const chat = openChat(PEER);
  const texts = textsIn("es");
  const names = new Map([[PEER, "benito (3f2a 91bc)"]]);
  const away = { name: "benito (3f2a 91bc)", isAway: true, mark: "", sign: "" };
  expect(chatPrompt(chat, names, texts)).toEqual(away);
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
    peerTypingSince: NOON,
    ownTypingSince: undefined,
  } as const;
  const linked = { ...sent("received"), link };
  expect(chatPrompt(linked, names, texts)).toMatchObject({ isAway: false, mark: "✓✓", sign: "escribiendo…" });
  expect(chatPrompt(linked, names, textsIn("en")).sign).toBe("typing…");
  const isSilent = true;
  expect(chatPrompt({ ...linked, link: { ...link, isSilent } }, names, texts).isAway).toBe(true);
});
