import { describe, expect, test } from "bun:test";

import type { UnreachableReason } from "../../../src/client/peer/dial.ts";
import { MAX_PENDING } from "../../../src/ui/chat/delivery-tracking.ts";
import { isKeyAwaited } from "../../../src/ui/chat/notices.ts";
import { openChat } from "../../../src/ui/chat/person-update.ts";
import { ChatScript, NOON, outgoing, PEER, printed, UNREACHABLE_REASONS } from "./chat-script.ts";

const SECOND = 1_000;

function unreachable(script: ChatScript, reason: UnreachableReason): readonly string[] {
  return printed(
    script.messenger({ name: "unreachable", username: PEER, reason, retryIn: 1, heardAt: undefined }),
  );
}

/** What is printed in so many seconds. */
function during(script: ChatScript, seconds: number): string[] {
  return Array.from({ length: seconds }, () => printed(script.wait(SECOND))).flat();
}

describe("what waits", () => {
  test("is said once after 15 seconds, with the reason, and once that it has arrived", () => {
    const script = new ChatScript();
    unreachable(script, "offline");
    script.write("1", "hola");
    expect(during(script, 14)).toEqual([]);
    expect(during(script, 1)).toEqual(["1 mensaje en espera. benito no está en línea."]);
    for (const id of ["2", "3"]) script.write(id);
    expect(during(script, 3_600)).toEqual([]);
    script.connect();
    for (const id of ["1", "2", "3"]) script.deliver(id, "sent");
    for (const id of ["1", "2"]) script.deliver(id, "received");
    expect(during(script, 1)).toEqual([]);
    script.deliver("3", "received");
    expect(during(script, 60)).toEqual(["✓✓ Recibidos los 3 que estaban en espera."]);
    // A later silence is another one.
    unreachable(script, "offline");
    script.write("4");
    expect(during(script, 15)).toHaveLength(1);
  });

  test("is said again once for each new reason", () => {
    const script = new ChatScript("en");
    unreachable(script, "relay_never");
    script.write("1");
    expect(during(script, 60).join()).toContain("does not talk through the server");
    unreachable(script, "meeting_blocked");
    const [said = "", ...more] = during(script, 60);
    expect(said).toStartWith(
      "1 message is waiting. There is no direct way to benito, and the server's meeting port",
    );
    expect(more).toEqual([]);
    for (const reason of ["relay_never", "meeting_blocked"] as const) {
      unreachable(script, reason);
      expect(during(script, 60)).toEqual([]);
    }
    for (const reason of ["offline", "no_way", "relay_full"] as const) unreachable(script, reason);
    expect(during(script, 60)).toHaveLength(1);
    script.connect();
    script.deliver("1", "received");
    expect(during(script, 60)).toEqual(["✓✓ What was waiting has been received."]);
  });

  test("is nothing on a link that answers, and is said on one that does not", () => {
    const script = new ChatScript("en");
    script.connect();
    script.write("1");
    script.deliver("1", "sent");
    expect(during(script, 60)).toEqual([]);
    script.messenger({ name: "silent", username: PEER, since: script.now - 16 * SECOND });
    expect(during(script, 1)).toEqual(["1 message is waiting. benito is not responding."]);
    script.messenger({ name: "silent", username: PEER, since: undefined });
    script.deliver("1", "received");
    expect(during(script, 1)).toEqual(["✓✓ What was waiting has been received."]);
  });

  test.each(UNREACHABLE_REASONS)("says %s in its own words", (reason) => {
    for (const language of ["es", "en"] as const) {
      const script = new ChatScript(language);
      script.write("1");
      const warned = unreachable(script, reason);
      const said = during(script, 20);
      // A changed key is warned of at once, and by that alone.
      expect([warned.length, said.length]).toEqual(isKeyAwaited(reason) ? [1, 0] : [0, 1]);
      expect([...warned, ...said].join()).not.toMatch(/--(?!relay )/);
      expect(unreachable(script, reason)).toEqual([]);
    }
  });

  test("to a stranger says that perhaps nobody has that name", () => {
    for (const [reason, words] of [
      ["offline", "o nadie se llama así"],
      ["no_server", "ni si alguien se llama así"],
    ] as const) {
      const script = new ChatScript();
      script.chat = openChat(PEER, true);
      script.take({ name: "opened", messages: [outgoing(1, "hola", "queued")], isMore: false });
      expect(unreachable(script, reason)).toEqual([]);
      expect(during(script, 15).join()).toContain(words);
    }
  });

  test("from before the chat was opened counts from its opening, also what is not shown", () => {
    const script = new ChatScript();
    const messages = [outgoing(1, "a", "queued"), outgoing(2, "b", "queued")];
    script.take({ name: "opened", messages, isMore: true, waiting: 10_000 });
    unreachable(script, "offline");
    script.write("new");
    expect(during(script, 14)).toEqual([]);
    expect(during(script, 60)).toEqual(["10001 mensajes en espera. benito no está en línea."]);
    for (let id = 0; id < 9_998; id++) script.deliver(`counted ${id}`, "received");
    for (const id of ["out-1", "out-2", "new"]) script.deliver(id, "received");
    expect(during(script, 1)).toEqual(["✓✓ Recibidos los 10001 que estaban en espera."]);
    script.deliver("unknown", "received");
    expect(during(script, 1)).toEqual([]);
  });

  test("is called a change where only changes wait", () => {
    const script = new ChatScript();
    unreachable(script, "offline");
    const message = { ...outgoing(1, "dos", "received"), editedAt: NOON };
    script.messenger({ name: "changed", username: PEER, message, action: "a" });
    expect(during(script, 15).join()).toStartWith("1 cambio en espera.");
  });

  test("and is cancelled has not arrived", () => {
    const script = new ChatScript();
    unreachable(script, "offline");
    script.write("1");
    expect(during(script, 15)).toHaveLength(1);
    script.messenger({ name: "cancelled", to: PEER, id: "1" });
    expect(during(script, 60)).toEqual([]);
  });

  test("takes bounded memory, and the state of the last one is shown all the same", () => {
    const script = new ChatScript();
    for (let id = 0; id < 5_000; id++) script.write(String(id));
    expect(script.chat.deliveries.pending).toHaveLength(MAX_PENDING);
    script.deliver("4999", "received");
    expect(script.chat.deliveries.last).toEqual({ id: "4999", state: "received" });
  });

  test("has a short excerpt on one line, whatever is in it", () => {
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
      const excerpt = expect.stringMatching(/^[^\n\x1b]{1,300}$/);
      expect(script.chat.deliveries.pending).toMatchObject([{ excerpt }]);
    }
  });
});
