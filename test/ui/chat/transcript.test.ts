import { describe, expect, test } from "bun:test";

import { openChat } from "../../../src/ui/chat/person-update.ts";
import { renderLine, type Line } from "../../../src/ui/format/printed-line.ts";
import type { Attention } from "../../../src/ui/terminal/attention.ts";
import { ChatScript, incoming, linesOf, MINUTE, NOON, outgoing, PEER, printed } from "./chat-script.ts";

describe("opening", () => {
  test("shows with whom, the stored messages with their days and states, and marks what was new", () => {
    const script = new ChatScript();
    const yesterday = NOON - 24 * 60 * MINUTE;
    const messages = [
      outgoing(1, "uno", "received", yesterday),
      incoming(2, "dos", { receivedAt: yesterday + MINUTE }),
      outgoing(3, "tres", "queued"),
      incoming(4, "cuatro"),
    ];
    const effects = script.take({ name: "opened", messages, isMore: true, unreadFrom: 4 });
    expect(effects.slice(1)).toEqual([
      { name: "markShown", sequences: [2, 4] },
      { name: "markSeen", seq: 4 },
    ]);
    const lines = linesOf(effects);
    expect(lines.map(({ name }) => name).join(" ")).toBe(
      "notice day message message day message unread message",
    );
    expect(printed(effects)[0]).toMatch(/^Chat con benito.*\/help.*\/more/);
    expect(lines.filter((line) => line.name === "message").map((line) => line.state)).toEqual([
      "received",
      undefined,
      "queued",
      undefined,
    ]);
    script.deliver("out-3", "received");
    expect(script.chat.deliveries.last).toEqual({ id: "out-3", state: "received" });
  });

  test("is seeing, also where the terminal does not report, but not while it reports that nobody looks", () => {
    const opened = (attention: Attention) => {
      const script = new ChatScript();
      script.attention = attention;
      const effects = script.take({ name: "opened", messages: [incoming(1, "uno")], isMore: false });
      return [effects.map(({ name }) => name), script.take({ name: "seen" }).map(({ name }) => name)];
    };
    expect(opened("unknown")).toEqual([["print", "markShown", "markSeen"], []]);
    expect(opened("away")).toEqual([["print", "markShown"], ["markSeen"]]);
  });

  test("calls the chat encrypted only where a key is known", () => {
    const opened = (isStranger: boolean) => {
      const script = new ChatScript();
      script.chat = openChat(PEER, isStranger);
      const messages = [outgoing(1, "uno", "queued")];
      return printed(script.take({ name: "opened", messages, isMore: false }))[0];
    };
    expect([opened(false), opened(true)]).toEqual([
      "Chat con benito, cifrado. /help ayuda, exit sale.",
      "Chat con benito. /help ayuda, exit sale.",
    ]);
  });

  test("says in one row of 80 columns with whom, and whether there are earlier messages", () => {
    for (const language of ["es", "en"] as const)
      for (const isMore of [true, false]) {
        const script = new ChatScript(language);
        script.chat = openChat("un.nombre.de.veinte1");
        const lines = linesOf(script.take({ name: "opened", messages: [], isMore }));
        expect(lines).toHaveLength(1);
        const row = renderLine(lines[0] as Line, {
          columns: 80,
          language,
          texts: script.context.texts,
          colours: false,
          links: false,
        });
        expect(row).toMatch(/^— Chat .*\/help.*\n$/);
        expect(row.includes("/more")).toBe(isMore);
      }
  });

  test("a new day has a line, and only once", () => {
    const script = new ChatScript();
    script.take({ name: "opened", messages: [incoming(1, "uno")], isMore: false });
    expect(linesOf(script.write("1")).map(({ name }) => name)).toEqual(["message"]);
    script.now += 24 * 60 * MINUTE;
    expect(linesOf(script.write("2")).map(({ name }) => name)).toEqual(["day", "message"]);
    expect(linesOf(script.write("3")).map(({ name }) => name)).toEqual(["message"]);
  });
});

describe("a message that arrives", () => {
  const arrive = (script: ChatScript, seq: number, from = PEER, sentAt?: number) =>
    script.messenger({ name: "message", from, message: incoming(seq, "hola", { sentAt }) });

  test("is shown and marked once, and ends the peer's typing", () => {
    const script = new ChatScript();
    script.connect();
    script.messenger({ name: "typing", username: PEER, active: true });
    const effects = arrive(script, 7, "Benito");
    expect(printed(effects)).toEqual(["hola"]);
    expect(effects.slice(1)).toEqual([
      { name: "markShown", sequences: [7] },
      { name: "markSeen", seq: 7 },
    ]);
    expect(script.person.link).toMatchObject({ peerTypingSince: undefined });
    expect(arrive(script, 7)).toEqual([]);
  });

  test.each(["away", "unknown"] as const)("counts as seen only once somebody is there (%s)", (attention) => {
    const script = new ChatScript();
    script.attention = attention;
    expect(arrive(script, 7).slice(1)).toEqual([{ name: "markShown", sequences: [7] }]);
    expect(arrive(script, 8).slice(1)).toEqual([{ name: "markShown", sequences: [8] }]);
    expect(script.chat.transcript.unseen).toBe(2);
    expect(script.wait(MINUTE)).toEqual([]);
    expect(script.take({ name: "seen" })).toEqual([{ name: "markSeen", seq: 8 }]);
    expect(script.take({ name: "seen" })).toEqual([]);
    expect(script.chat.transcript.unseen).toBe(0);
  });

  test("is seen at once by who looks, with what had come before", () => {
    const script = new ChatScript();
    script.attention = "away";
    arrive(script, 7);
    script.attention = "focused";
    expect(arrive(script, 8).slice(1)).toEqual([
      { name: "markShown", sequences: [8] },
      { name: "markSeen", seq: 8 },
    ]);
  });

  test("from somebody else is not this chat's", () => {
    expect(arrive(new ChatScript(), 7, "carla")).toEqual([]);
  });

  test("says when it was written only if that was long before", () => {
    const script = new ChatScript();
    const times = [undefined, NOON, NOON - 2 * MINUTE, NOON - 2 * MINUTE - 1];
    times.forEach((sentAt, index) => arrive(script, index + 1, PEER, sentAt));
    const lines = linesOf(script.effects).filter((line) => line.name === "message");
    expect(lines.map((line) => line.writtenAt)).toEqual([undefined, undefined, undefined, times[3]]);
  });
});
