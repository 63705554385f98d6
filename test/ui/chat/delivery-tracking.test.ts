import { describe, expect, test } from "bun:test";

import { MAX_PENDING } from "../../../src/ui/chat/delivery-tracking.ts";
import { ChatScript, NOON, outgoing, PEER, printed, UNREACHABLE_REASONS } from "./chat-script.ts";

const SECOND = 1_000;

describe("a message that is late", () => {
  test("gets a notice after five seconds, and one when it has arrived", () => {
    const script = new ChatScript();
    script.messenger({
      name: "unreachable",
      username: PEER,
      reason: "offline",
      retryIn: undefined,
      heardAt: undefined,
    });
    script.write("1", "hola,\nesto es un mensaje bastante largo");
    expect(script.wait(4_999)).toEqual([]);
    expect(printed(script.wait(1))).toEqual([
      "· en cola: «hola, esto es un mensaje…»: se enviará cuando benito esté en línea",
    ]);
    expect(script.wait(60 * SECOND)).toEqual([]);
    script.connect();
    script.deliver("1", "sent");
    expect(script.wait(SECOND)).toEqual([]);
    script.deliver("1", "received");
    expect(printed(script.wait(SECOND))).toEqual(["✓✓ recibido: «hola, esto es un mensaje…»"]);
    expect(script.wait(SECOND)).toEqual([]);
  });

  test("gets no notice when it arrives in time", () => {
    const script = new ChatScript();
    script.connect();
    script.write("1");
    script.deliver("1", "sent");
    expect(script.wait(4 * SECOND)).toEqual([]);
    script.deliver("1", "received");
    expect(script.wait(10 * SECOND)).toEqual([]);
    expect(script.chat.deliveries.pending).toEqual([]);
  });

  test("gets a notice after it was sent only without a link", () => {
    const script = new ChatScript("en");
    script.connect();
    script.write("1");
    script.deliver("1", "sent");
    expect(script.wait(20 * SECOND)).toEqual([]);
    script.messenger({ name: "disconnected", username: PEER, bye: false, heardAt: undefined });
    expect(printed(script.wait(SECOND))).toEqual([
      "✓ sent, not confirmed: “hola”: it will be sent again when there is a connection to benito",
    ]);
  });

  test.each([
    ["es", 3, 3, "· en cola: «hola 1»", "✓✓ recibido: «hola 1»"],
    ["es", 4, 1, "· 4 mensajes en espera: se enviarán cuando", "✓✓ 4 mensajes recibidos"],
    ["en", 99, 1, "· 99 messages waiting: they will be sent when", "✓✓ 99 messages received"],
  ] as const)("in %s, %d of them are %d lines", (language, count, lines, waits, arrived) => {
    const script = new ChatScript(language);
    for (let id = 1; id <= count; id++) script.write(String(id), `hola ${id}`);
    const late = printed(script.wait(5 * SECOND));
    expect(late).toHaveLength(lines);
    expect(late[0]).toStartWith(waits);
    script.connect();
    for (let id = 1; id <= count; id++) script.deliver(String(id), "received");
    const came = printed(script.wait(SECOND));
    expect(came).toHaveLength(lines);
    expect(came[0]).toStartWith(arrived);
  });

  test("is counted with many others, and so are those that arrive", () => {
    const script = new ChatScript();
    script.take({
      name: "opened",
      messages: [outgoing(1, "a", "queued"), outgoing(2, "b", "queued")],
      isMore: true,
      waiting: { texts: 10_000, changes: 0 },
    });
    for (let id = 10_001; id <= 10_007; id++) script.write(String(id));
    expect(printed(script.wait(5 * SECOND))).toEqual([
      "· 10007 mensajes en espera: se enviarán cuando haya conexión con benito",
    ]);
    expect(script.wait(SECOND)).toEqual([]);
    script.deliver("one of the counted", "received");
    expect(printed(script.wait(SECOND))).toEqual(["✓✓ 1 mensaje recibido"]);
    for (let id = 0; id < 9_997; id++) script.deliver(`counted ${id}`, "received");
    for (const id of ["out-1", "out-2", "10001", "10007"]) script.deliver(id, "received");
    expect(printed(script.wait(SECOND))).toEqual(["✓✓ 10001 mensajes recibidos"]);
    // What follows is not told of as if it were one of them.
    script.deliver("unknown", "received");
    expect(script.wait(SECOND)).toEqual([]);
  });

  test("is called a change where only changes wait", () => {
    const script = new ChatScript();
    script.take({ name: "opened", messages: [], isMore: false, waiting: { texts: 0, changes: 1 } });
    expect(printed(script.wait(SECOND)).join()).toStartWith("· 1 cambio en espera");
    const edited = { ...outgoing(1, "dos", "received"), editedAt: NOON };
    for (const action of ["a", "b", "c", "d"])
      script.messenger({ name: "changed", username: PEER, message: edited, action });
    expect(printed(script.wait(5 * SECOND)).join()).toStartWith("· 4 cambios en espera");
    for (const action of ["a", "b", "c", "d"]) script.deliver(action, "received");
    expect(printed(script.wait(SECOND))).toEqual(["✓✓ 4 cambios recibidos"]);
    script.messenger({ name: "changed", username: PEER, message: edited, action: "e" });
    for (const id of ["1", "2", "3"]) script.write(id);
    expect(printed(script.wait(5 * SECOND)).join()).toStartWith("· 4 mensajes y cambios en espera");
  });

  test("says what it waits for, depending on why there is no link", () => {
    const said = new Set<string>();
    for (const reason of UNREACHABLE_REASONS) {
      const script = new ChatScript();
      script.messenger({ name: "unreachable", username: PEER, reason, retryIn: 1, heardAt: undefined });
      script.write("1");
      said.add(printed(script.wait(5 * SECOND)).join());
    }
    expect([...said].sort()).toEqual([
      "· en cola: «hola»: se enviará cuando acepte la clave de benito (/fingerprint, /accept)",
      "· en cola: «hola»: se enviará cuando benito esté en línea",
      "· en cola: «hola»: se enviará cuando benito use un cliente que cifre",
      "· en cola: «hola»: se enviará cuando haya conexión con benito",
    ]);
  });

  test("takes bounded memory, and the state of the last one is shown all the same", () => {
    const script = new ChatScript();
    for (let id = 0; id < 5_000; id++) script.write(String(id));
    expect(script.chat.deliveries.pending).toHaveLength(MAX_PENDING);
    script.deliver("4999", "received");
    expect(script.chat.deliveries.last).toEqual({ id: "4999", state: "received" });
  });

  test("is repeated as a short excerpt on one line, whatever is in it", () => {
    const texts = [
      "\u001b[2Jx\n\n\ny",
      "👨‍👩‍👧‍👦".repeat(100),
      "a\u0301".repeat(9_000),
      "\u200b",
      "漢".repeat(9_000),
    ];
    for (const text of texts) {
      const script = new ChatScript();
      script.write("1", text);
      expect(script.chat.deliveries.pending[0]?.excerpt).toMatch(/^[^\n\x1b]{1,300}$/);
    }
  });
});
