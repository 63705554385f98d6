import { describe, expect, test } from "bun:test";

import type { SharedFile } from "../../../../src/client/conversation/events.ts";
import { storedOffers } from "../../../../src/ui/chat/files/offers.ts";
import { renderLine } from "../../../../src/ui/format/printed-line.ts";
import { messageLine } from "../../../../src/ui/format/message-format.ts";
import { textsIn } from "../../../../src/ui/texts/texts.ts";
import { incoming, linesOf, outgoing, printed } from "../chat-script.ts";
import { MIB, sharedFile } from "../files/shared-file.ts";
import { CHAT, GroupScript } from "./group-script.ts";
import { FAMILIA } from "./shared-group.ts";

const OFFER = { number: 3, name: "foto.jpg", size: 2.1 * MIB, isOpen: true };

/** The chat with the group, and the file that ana, or whoever `from` is, offers in it. */
class FileScript extends GroupScript {
  file: SharedFile = sharedFile({
    ...{ peer: CHAT, group: FAMILIA, title: "Familia", from: "eva", giver: null },
    ...{ name: "foto.jpg", size: 2.1 * MIB },
  });

  becomes(change: Partial<SharedFile> = {}): string[] {
    this.file = { ...this.file, ...change };
    return printed(this.messenger({ name: "file", file: this.file }));
  }

  /** The last message that was printed, as it is seen. */
  get seen(): string {
    const { texts, language } = this.context;
    const options = { columns: undefined, language, texts, colours: false, links: false };
    const line = linesOf(this.effects).findLast(({ name }) => name === "message");
    return line === undefined ? "" : renderLine(line, options).slice("12:00 ".length).trimEnd();
  }
}

describe("a file for all of a group", () => {
  test("is offered in the place of its text, in our words, and once", () => {
    const script = new FileScript("es");
    script.open();
    script.text(1, "eva", "foto.jpg", { file: OFFER });
    expect(script.seen).toBe("eva ofrece a todos «foto.jpg» (2,1 MiB), /get #3");
    expect([script.becomes(), printed(script.wait(5_000))].flat()).toEqual([]);
    // A text of the same words is one.
    script.text(2, "eva", "ofrece a todos «foto.jpg»");
    expect(script.seen).toBe("eva: ofrece a todos «foto.jpg»");
    script.text(3, "eva", "para mañana\u001b[2J", { file: { ...OFFER, name: "a\n».jpg", isOpen: false } });
    expect(script.seen).toBe("eva ofrece a todos «a␊'.jpg» (2,1 MiB): para mañana␛[2J");
  });

  test.each([
    ["es", "ana ofrece a todos «foto.jpg» (2,1 MiB) ✓ en 2 de 5"],
    ["en", "ana offers to all “foto.jpg” (2.1 MiB) ✓ with 2 of 5"],
  ] as const)("is listed so, in %s", (language, line) => {
    const script = new FileScript(language);
    script.open();
    const message = { ...outgoing(1, "foto.jpg", "received"), file: { ...OFFER, isOpen: false } };
    const counts = new Map([[message.id, { received: 2, read: 0, of: 5 }]]);
    script.take({ name: "listed", messages: [message], isMore: false, counts });
    expect(script.seen).toEndWith(line);
    script.take({ name: "listed", messages: [{ ...message, text: "", withdrawnAt: 1 }], isMore: false });
    expect(script.seen).toEndWith(language === "es" ? "ana (retirado)" : "ana (withdrawn)");
  });

  test("that is ours is shown when it is stored", () => {
    const script = new FileScript();
    script.open();
    const written = { text: "foto.jpg", answers: undefined, offer: { ...OFFER, isOpen: false } };
    const event = { name: "delivery", to: CHAT, id: "a", state: "queued", at: script.now } as const;
    script.take({ name: "messenger", event, known: { written } });
    expect(script.seen).toBe("ana ofrece a todos «foto.jpg» (2,1 MiB)");
    expect(script.becomes({ direction: "out", from: null })).toEqual([]);
    expect(script.becomes({ state: "cancelled" })).toEqual([
      "Ya no da usted «foto.jpg» (2,1 MiB) a «Familia».",
    ]);
  });

  test("waits for somebody who has it, and says who gives it", () => {
    const script = new FileScript();
    script.open();
    script.becomes();
    expect(script.becomes({ state: "accepted" })).toEqual([]);
    expect(printed(script.wait(5_000))).toEqual([
      "Aceptado «foto.jpg» (2,1 MiB), de eva en «Familia»; espera a alguien que lo tenga y esté en línea.",
    ]);
    expect(script.prompt.mark).toBe("⇣ 0 %");
    script.becomes({ state: "running", done: 1.05 * MIB, giver: "luis" });
    expect(printed(script.wait(1_000))).toEqual([
      "Recibiendo de eva en «Familia» (lo da luis) «foto.jpg»: 50 % de 2,1 MiB.",
    ]);
    expect(script.prompt.mark).toBe("⇣ 50 %");
    script.becomes({ state: "accepted", giver: null });
    expect(printed(script.wait(5_000))).toEqual([
      "En pausa la recepción de «foto.jpg» de eva en «Familia» (50 % de 2,1 MiB). Espera a alguien que lo tenga y esté en línea.",
    ]);
    script.becomes({ state: "running", giver: "eva" });
    expect(printed(script.wait(1_000))[0]).toStartWith("Recibiendo de eva en «Familia» «foto.jpg»: 50 %");
    expect(script.becomes({ state: "done", done: 2.1 * MIB, path: "/d/foto.jpg", sha256: "aa" })).toEqual([
      "Recibido «foto.jpg» (2,1 MiB) de eva en «Familia»: está en «/d/foto.jpg».",
    ]);
    expect(script.prompt.mark).toBe("");
  });

  test.each([
    ["withdrawn", "Se ha retirado."],
    ["not_a_member", "Usted no está en este grupo."],
  ])("that ends while it is fetched says why: %s", (reason, why) => {
    const script = new FileScript();
    script.open();
    script.becomes({ state: "running", giver: "eva", done: MIB });
    script.wait(1_000);
    expect(script.becomes({ state: "cancelled", reason })).toEqual([
      `Se ha detenido la recepción de «foto.jpg» (2,1 MiB) de eva en «Familia». ${why}`,
    ]);
    // Of one that nobody wanted the withdrawn text says enough.
    script.becomes({ id: "other", state: "offered", done: 0, reason: null });
    expect(script.becomes({ state: "cancelled", reason })).toEqual([]);
  });

  test("is sent, fetched, listed and stopped by the commands of files, but never taken without a question", () => {
    const script = new FileScript();
    script.open();
    expect(script.type("/send ~/foto.jpg")).toMatchObject([{ name: "sendFiles", paths: "~/foto.jpg" }]);
    expect(script.type("/get #3 /tmp")).toEqual([{ name: "getFile", number: 3, folder: "/tmp" }]);
    expect(script.type("/stop #3")).toEqual([{ name: "stopFile", number: 3 }]);
    expect(printed(script.type("/get always"))[0]).toMatch(/^\/get always es para el chat con una persona/);
    const [help = ""] = printed(script.type("/help"));
    expect(help).toMatch(/\n\/get \[#N\]/);
    const other = sharedFile({ id: "b", number: 1 });
    const own = { ...script.file, number: 4, direction: "out", from: null } as const;
    expect(printed(script.take({ name: "files", files: [other, script.file, own] }))[0]?.split("\n")).toEqual(
      [
        "Archivos:",
        "#1 benito le ofrece «informe.pdf» (100 MiB).",
        "#3 eva ofrece «foto.jpg» (2,1 MiB) a todos de «Familia».",
        "#4 Se ofrece «foto.jpg» (2,1 MiB) a todos de «Familia»: lo da quien lo tenga y esté en línea.",
      ],
    );
  });

  test("counts as the text that offers it", () => {
    const { file } = new FileScript();
    expect([...storedOffers([file]).values()]).toEqual([{ file, told: "seen" }]);
  });

  test("is a line of history", () => {
    const message = { ...incoming(1, "foto.jpg"), author: "eva", file: OFFER };
    const line = messageLine(message, "eva", { texts: textsIn("en"), names: new Map(), chat: CHAT });
    expect(line).toMatch(/eva offers to all “foto.jpg” \(2.1 MiB\), files accept 3\n$/);
  });
});
