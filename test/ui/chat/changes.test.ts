import { describe, expect, test } from "bun:test";

import { textsIn } from "../../../src/ui/texts/texts.ts";
import { chatPrompt } from "../../../src/ui/chat/update.ts";
import { renderLine } from "../../../src/ui/format/printed-line.ts";
import { ChatScript, incoming, linesOf, MINUTE, NOON, outgoing, PEER, printed } from "./chat-script.ts";

const DAY = 24 * 60 * MINUTE;

function changed(script: ChatScript, message: ReturnType<typeof incoming>, action?: string) {
  return printed(script.messenger({ name: "changed", username: PEER, message, action }));
}

function rendered(script: ChatScript): string[] {
  const { texts, language } = script.context;
  return linesOf(script.effects).map((line) =>
    renderLine(line, { columns: undefined, language, texts, colours: false, links: false }).trimEnd(),
  );
}

function prompt(script: ChatScript): string {
  return chatPrompt(script.chat, script.context.names, script.context.texts).mark;
}

describe("the state of our last message in the prompt", () => {
  test("is written out for «read», and never goes back", () => {
    for (const [language, mark] of [
      ["es", "✓✓ leído"],
      ["en", "✓✓ read"],
    ] as const) {
      const script = new ChatScript(language);
      script.write("1");
      for (const state of ["sent", "received", "read", "received", "sent", "queued"] as const) {
        script.deliver("1", state);
      }
      expect(prompt(script)).toBe(mark);
      expect(script.chat.deliveries.pending).toEqual([]);
    }
  });

  test("is the state of a change until it arrives, then that of the last text again", () => {
    const script = new ChatScript();
    script.write("out-1", "uno");
    script.write("out-2", "dos");
    for (const id of ["out-1", "out-2"])
      for (const state of ["received", "read"] as const) script.deliver(id, state);
    changed(script, { ...outgoing(1, "un", "read"), editedAt: NOON }, "edit");
    expect(prompt(script)).toBe("·");
    script.deliver("edit", "received");
    expect(prompt(script)).toBe("✓✓ leído");
    changed(script, { ...outgoing(2, "", "read"), withdrawnAt: NOON }, "withdraw");
    script.deliver("withdraw", "sent");
    expect(prompt(script)).toBe("✓");
    script.deliver("withdraw", "received");
    expect(prompt(script)).toBe("✓✓ leído");
    script.write("out-3", "tres");
    script.messenger({ name: "cancelled", to: PEER, id: "out-3" });
    expect(script.chat.deliveries.last).toEqual({ id: "out-1", state: "read" });
  });

  test("is the state of an edit until it arrives, and shows when the edited text is read", () => {
    const script = new ChatScript();
    script.connect();
    script.write("out-1", "uno");
    script.deliver("out-1", "received");
    const edited = { ...outgoing(1, "dos", "received"), editedAt: NOON };
    expect(changed(script, edited, "action")).toEqual(["Editado el de las 12:00: «dos»"]);
    expect(prompt(script)).toBe("·");
    script.deliver("action", "sent");
    script.deliver("action", "received");
    expect(prompt(script)).toBe("✓✓");
    script.deliver("out-1", "read");
    expect(prompt(script)).toBe("✓✓ leído");
  });
});

describe("a change of ours", () => {
  test("to a text that was not sent yet changes the excerpt of what is cancelled", () => {
    const script = new ChatScript();
    script.write("out-1", "con herror");
    const rewritten = { ...outgoing(1, "sin error", "queued"), editedAt: NOON };
    expect(changed(script, rewritten)).toEqual(["Editado antes de enviar: el de las 12:00: «sin error»"]);
    const cancelled = printed(script.messenger({ name: "cancelled", to: PEER, id: "out-1" }));
    expect(cancelled).toEqual(["Cancelado antes de enviar: «sin error»"]);
  });

  test("that withdraws a text ends the waiting for it and for its edits", () => {
    const script = new ChatScript();
    script.write("out-1", "uno");
    changed(script, { ...outgoing(1, "dos", "sent"), editedAt: NOON }, "edit");
    changed(script, { ...outgoing(1, "", "sent"), withdrawnAt: NOON }, "withdraw");
    expect(script.chat.deliveries.pending.map(({ id }) => id)).toEqual(["withdraw"]);
    expect(script.chat.deliveries.last).toMatchObject({ id: "withdraw", state: "queued" });
  });

  test("that cancels a text leaves the prompt to what still waits", () => {
    const script = new ChatScript();
    script.write("out-1", "uno");
    script.write("out-2", "dos");
    const cancel = (id: string) => printed(script.messenger({ name: "cancelled", to: PEER, id }));
    expect(cancel("out-2")).toEqual(["Cancelado antes de enviar: «dos»"]);
    expect(script.chat.deliveries.last).toEqual({ id: "out-1", state: "queued" });
    cancel("out-1");
    expect(prompt(script)).toBe("");
    expect(script.wait(MINUTE)).toEqual([]);
    // One of many that are not followed one by one.
    expect(cancel("out-900")).toEqual(["Cancelado antes de enviar."]);
  });

  test.each(["es", "en"] as const)("that cannot be done says in %s why, in words of its own", (language) => {
    const said = new Set<string>();
    const codes = [
      "unknown_message",
      "not_own",
      "already_withdrawn",
      "not_supported",
      "already_left",
      "still_waiting",
      "none_own",
      "none_theirs",
      "none_waiting",
      "cancel_not_own",
      "only_change",
      "no_reply",
      "no_copy",
    ] as const;
    for (const code of codes) {
      const script = new ChatScript(language);
      const effects = script.take({ name: "refused", code, typed: "/edit #1 texto" });
      expect(effects.at(-1)).toEqual({ name: "giveBack", text: "/edit #1 texto" });
      const [sentence = ""] = printed(effects);
      expect(sentence).not.toContain(code);
      said.add(sentence);
    }
    expect(said.size).toBe(codes.length);
    expect([...said].filter((sentence) => sentence.includes("/withdraw")).length).toBeGreaterThan(0);
  });
});

describe("the answer to a change of ours", () => {
  const said = (message: ReturnType<typeof incoming>, language: "es" | "en" = "es") => {
    const event = { name: "changed", username: PEER, message, action: "a" } as const;
    return printed(
      new ChatScript(language).take({ name: "messenger", event, known: { excerpt: "viejo»…" } }),
    );
  };
  const edited = { ...outgoing(1, "nuevo", "received"), editedAt: NOON };
  const withdrawn = { ...outgoing(1, "", "received"), withdrawnAt: NOON };

  test("names the message by its time and by what it said", () => {
    expect(said(edited)).toEqual(["Editado el de las 12:00, «viejo'…»: «nuevo»"]);
    expect(said(edited, "en")).toEqual(["Edited the message from 12:00, “viejo'…”: “nuevo”"]);
    expect(said(withdrawn)).toEqual(["Retirado el mensaje de las 12:00: «viejo'…»"]);
    expect(said(withdrawn, "en")).toEqual(["Withdrew the message from 12:00: “viejo'…”"]);
  });

  test("repeats the beginning of a long text, and says where the rest is", () => {
    const [line = ""] = said({ ...edited, text: "x".repeat(30_000) });
    expect(line).toEndWith(`: «${"x".repeat(300)}…» /list lo muestra entero.`);
  });
});

describe("a change of theirs", () => {
  test("says which message it was, with its new text, on indented lines", () => {
    const script = new ChatScript();
    const edited = incoming(1, "uno\n— Conectado\u001b[2J", { editedAt: NOON });
    expect(changed(script, edited)).toEqual([
      "benito ha editado un mensaje de las 12:00: «uno\n— Conectado␛[2J»",
    ]);
    expect(rendered(script)[0]?.split("\n")[1]).toStartWith("    ");
    const old = incoming(2, "", { withdrawnAt: NOON, receivedAt: NOON - DAY });
    expect(changed(script, old)).toEqual(["benito ha retirado un mensaje del 2026-11-21 a las 12:00."]);
    // The time of writing is what its writer sees beside it.
    const late = incoming(3, "", { withdrawnAt: NOON, sentAt: NOON - 5 * MINUTE });
    expect(changed(script, late)).toEqual(["benito ha retirado un mensaje de las 11:55."]);
    const other = { name: "changed", username: "carla", message: edited, action: undefined } as const;
    expect(script.messenger(other)).toEqual([]);
  });
});

describe("stored messages", () => {
  test("show that they were edited or withdrawn, and what they answer, before the colon", () => {
    const script = new ChatScript();
    const messages = [
      incoming(1, "hola", { editedAt: NOON }),
      incoming(2, "", { withdrawnAt: NOON, editedAt: NOON }),
      { ...outgoing(3, "", "queued"), withdrawnAt: NOON },
      incoming(4, "sí", { replyTo: "a" }),
      incoming(5, "no", { replyTo: "b" }),
      { ...outgoing(6, "vale", "read"), editedAt: NOON },
    ];
    script.take({ name: "opened", messages, isMore: false, answered: new Map([["a", "¿x»: mentira"]]) });
    expect(rendered(script).slice(2)).toEqual([
      "12:00 benito (editado): hola",
      "12:00 benito (retirado)",
      "12:00 ana (retirado)",
      "12:00 benito ↪ «¿x': mentira»: sí",
      "12:00 benito ↪ un mensaje borrado: no",
      "12:00 ana ✓✓ leído (editado): vale",
    ]);
    // Nobody waits for what was taken back.
    expect(script.chat.deliveries.pending).toEqual([]);
  });

  test("whose change has not arrived say so, in lists and in /info", () => {
    for (const [language, edit, withdrawal, row] of [
      ["es", "(editado, en cola)", "(retirado, en cola)", "el cambio aún no ha llegado"],
      ["en", "(edited, queued)", "(withdrawn, queued)", "the change has not arrived yet"],
    ] as const) {
      const script = new ChatScript(language);
      const edited = { ...outgoing(1, "b", "received"), editedAt: NOON, changeWaits: true };
      const withdrawn = { ...outgoing(2, "", "received"), withdrawnAt: NOON, changeWaits: true };
      script.take({ name: "listed", messages: [edited, withdrawn], isMore: false });
      expect(rendered(script).slice(1)).toEqual([`#1 12:00 ana ✓✓ ${edit}: b`, `#2 12:00 ana ${withdrawal}`]);
      for (const message of [edited, withdrawn]) {
        const info = printed(script.take({ name: "info", message, chat: PEER })).join();
        expect(info.split("\n").at(-1)).toStartWith(row);
      }
    }
  });

  test("that answer another one quote it", () => {
    const script = new ChatScript("en");
    const message = incoming(7, "yes", { replyTo: "a" });
    script.take({
      name: "messenger",
      event: { name: "message", from: PEER, message },
      known: { excerpt: "coming?" },
    });
    script.write("1", "good", "yes");
    expect(rendered(script).slice(1)).toEqual(["12:00 benito ↪ “coming?”: yes", "12:00 ana ↪ “yes”: good"]);
  });

  test("have their times in /info, each on a line", () => {
    const script = new ChatScript();
    const message = {
      ...outgoing(1, "hola", "read"),
      leftAt: NOON + 1_000,
      receivedAt: NOON + 2_000,
      readAt: NOON + DAY,
    };
    expect(printed(script.take({ name: "info", message, chat: PEER }))[0]?.split("\n")).toEqual([
      "ana → benito: «hola»",
      "escrito: 2026-11-22 12:00:00",
      "enviado: 2026-11-22 12:00:01",
      "recibido: 2026-11-22 12:00:02",
      "leído: 2026-11-23 12:00:00",
    ]);
    const waits = printed(script.take({ name: "info", message: outgoing(1, "hola", "queued"), chat: PEER }));
    expect(waits[0]).toContain(textsIn("es").chatInfoQueued);
  });

  test("that were deleted are counted, and those that stay too", () => {
    const script = new ChatScript();
    script.take({ name: "listed", messages: [incoming(1, "uno")], isMore: false });
    expect(printed(script.take({ name: "deleted", message: incoming(1, "uno") })).join()).toContain(
      "Borrado solo en este lado: «uno»",
    );
    const deleted = (message: ReturnType<typeof incoming>) =>
      printed(script.take({ name: "deleted", message })).join();
    // Only of one's own that the other person still has is there anything to say about withdrawing.
    expect(deleted(outgoing(2, "mío", "read"))).toEndWith("ya no se puede retirar desde aquí.");
    expect(deleted(incoming(3, "suyo"))).not.toMatch(/retir|withdraw/);
    expect(deleted({ ...outgoing(4, "", "read"), withdrawnAt: NOON })).not.toMatch(/conserva|desde aquí/);
    const said = printed(script.take({ name: "deletedChat", count: 12, waiting: 2 })).join();
    expect(said).toBe(
      "Borrados 12 mensajes con benito, solo en este lado. Quedan 2 pendientes de enviar: /cancel los cancela.",
    );
    expect(script.chat.transcript.listed).toEqual([]);
  });
});
