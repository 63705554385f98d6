import { describe, expect, test } from "bun:test";

import type { SharedFile } from "../../../../src/client/conversation/events.ts";
import { chatPrompt } from "../../../../src/ui/chat/update.ts";
import { textsIn } from "../../../../src/ui/texts/texts.ts";
import { ChatScript, printed } from "../chat-script.ts";
import { MIB, sharedFile } from "./shared-file.ts";

class FileScript extends ChatScript {
  file: SharedFile;

  constructor(change: Partial<SharedFile> = {}) {
    super();
    this.file = sharedFile(change);
  }

  /** The file changes; gives what is printed. */
  becomes(change: Partial<SharedFile> = {}): string[] {
    this.file = { ...this.file, ...change };
    return printed(this.messenger({ name: "file", file: this.file }));
  }

  get mark(): string {
    return chatPrompt(this.chat, new Map(), textsIn("es")).mark;
  }
}

describe("what a chat says of a file", () => {
  test("that is received: the offer with what to type, its begin and its end with where it lies", () => {
    const script = new FileScript();
    // It may be accepted without a question.
    expect(script.becomes()).toEqual([]);
    expect(printed(script.wait(1_000))).toEqual([
      "benito le ofrece «informe.pdf» (100 MiB). /get #3 lo acepta; /stop #3 lo rechaza.",
    ]);
    expect(script.becomes()).toEqual([]);
    expect(script.becomes({ state: "accepted" })).toEqual([]);
    expect(script.becomes({ state: "running" })).toEqual([]);
    script.becomes({ done: 2 * MIB, rate: MIB });
    expect(printed(script.wait(1_000))).toEqual([
      "Recibiendo de benito «informe.pdf»: 2 % de 100 MiB, 1,0 MiB/s, falta 1 min.",
    ]);
    for (const done of [1, 50, 99]) expect(script.becomes({ done: done * MIB })).toEqual([]);
    const end = { state: "done", done: 100 * MIB, path: "/tmp/d/informe.pdf" } as const;
    expect(script.becomes(end)).toEqual([
      "Recibido «informe.pdf» (100 MiB) de benito: está en «/tmp/d/informe.pdf».",
    ]);
  });

  test("that is small: its end alone", () => {
    const script = new FileScript({ state: "running" });
    expect(script.becomes()).toEqual([]);
    expect(script.becomes({ state: "done", path: "/tmp/a" })).toHaveLength(1);
  });

  test("that is sent", () => {
    const script = new FileScript({ direction: "out" });
    expect(script.becomes()).toEqual(["Se ofrece «informe.pdf» (100 MiB) a benito; espera su respuesta."]);
    expect(script.becomes({ state: "declined", reason: "declined" })).toEqual([
      "benito no acepta «informe.pdf» (100 MiB).",
    ]);
  });

  test("that is offered to somebody who is away", () => {
    const script = new FileScript({ direction: "out" });
    script.messenger({
      name: "unreachable",
      username: "benito",
      reason: "offline",
      retryIn: 1,
      heardAt: undefined,
    });
    const [said = ""] = script.becomes();
    expect(said).toStartWith(
      "Se ofrece «informe.pdf» (100 MiB) a benito; espera su respuesta. benito no está",
    );
  });

  test("that is offered and taken back at once is nothing", () => {
    const script = new FileScript();
    expect(script.becomes()).toEqual([]);
    expect(script.becomes({ state: "cancelled", reason: "stopped" })).toEqual([]);
  });

  test("of somebody else is said elsewhere", () => {
    const script = new FileScript({ peer: "carla" });
    expect(script.becomes({ state: "running" })).toEqual([]);
    expect(script.mark).toBe("");
  });

  test("that waits for its begin is said if that lasts", () => {
    const script = new FileScript();
    script.becomes();
    script.becomes({ state: "accepted" });
    expect(printed(script.wait(1_000))).toEqual([]);
    expect(printed(script.wait(3_000))).toEqual([
      "Aceptado «informe.pdf» (100 MiB), de benito; empezará en cuanto haya conexión.",
    ]);
    expect(printed(script.wait(3_000))).toEqual([]);
  });

  test("whose line is cut for a moment is nothing; for longer, a line for the pause and one for its end", () => {
    const script = new FileScript({ state: "running" });
    script.becomes();
    script.wait(1_000);
    expect(script.becomes({ state: "accepted", done: 43 * MIB })).toEqual([]);
    expect(printed(script.wait(2_000))).toEqual([]);
    expect(script.becomes({ state: "running" })).toEqual([]);
    expect(script.becomes({ state: "accepted" })).toEqual([]);
    expect(printed(script.wait(3_000))).toEqual([
      "En pausa la recepción de «informe.pdf» de benito (43 % de 100 MiB). Ahora no hay conexión para ello; se reanudará en cuanto la haya.",
    ]);
    expect(script.becomes({ state: "running" })).toEqual([]);
    expect(printed(script.wait(1_000))).toEqual(["Recibiendo de benito «informe.pdf»: 43 % de 100 MiB."]);
  });

  test("that is paused for a reason is said at once, and what has failed as a failure", () => {
    const script = new FileScript({ state: "running" });
    script.becomes();
    const [said = ""] = script.becomes({ state: "paused", reason: "no_space" });
    expect(said).toContain("No queda sitio en este disco");
    script.file = { ...script.file, state: "failed", reason: "changed" };
    const [effect] = script.messenger({ name: "file", file: script.file });
    expect(effect).toMatchObject({ name: "print", lines: [{ name: "failure" }] });
  });
});

describe("the prompt", () => {
  test("shows how far a file is, and redraws nothing else", () => {
    const script = new FileScript({ state: "running" });
    script.becomes();
    script.deliver("1", "received");
    expect(script.mark).toBe("⇣ 0 %");
    expect(
      script.messenger({ name: "file", file: sharedFile({ state: "running", done: 43.9 * MIB }) }),
    ).toEqual([]);
    expect(script.mark).toBe("⇣ 43 %");
    script.becomes({ state: "done", path: "/tmp/a" });
    expect(script.mark).toBe("");
  });

  test("shows the sum of several, in each direction, until all have ended", () => {
    const script = new FileScript();
    const take = (id: string, change: Partial<SharedFile>) =>
      script.messenger({ name: "file", file: sharedFile({ id, state: "running", ...change }) });
    take("1", { done: 50 * MIB });
    take("2", { size: 300 * MIB, done: 50 * MIB });
    take("3", { direction: "out", size: 2 * MIB, done: MIB });
    expect(script.mark).toBe("⇡ 50 % ⇣ 25 %");
    take("1", { state: "done", done: 100 * MIB });
    expect(script.mark).toBe("⇡ 50 % ⇣ 37 %");
    take("4", { state: "offered" });
    take("2", { size: 300 * MIB, state: "cancelled" });
    expect(script.mark).toBe("⇡ 50 %");
    take("1", { state: "accepted" });
    expect(script.mark).toBe("⇡ 50 % ⇣ 0 %");
  });

  test("shows what has come where the size is not known", () => {
    const script = new FileScript({ state: "running", size: null, done: 612 * MIB });
    script.becomes();
    expect(script.mark).toBe("⇣ 612 MiB");
  });

  test("keeps the state of the last message before it", () => {
    const script = new FileScript({ state: "running", direction: "out" });
    script.write("m");
    script.becomes({ done: MIB });
    expect(script.mark).toBe("· ⇡ 1 %");
  });
});

describe("/files", () => {
  test("lists what goes on, and the last ones that have ended, each with its number", () => {
    const script = new ChatScript();
    const ended = Array.from({ length: 12 }, (_, index) =>
      sharedFile({ id: `e${index}`, number: index + 1, state: "declined", direction: "out" }),
    );
    const going = sharedFile({ id: "g", number: 2, peer: "carla", state: "running", done: 43 * MIB });
    const [said = ""] = printed(script.take({ name: "files", files: [going, ...ended] }));
    const rows = said.split("\n");
    expect(rows).toHaveLength(12);
    expect(rows[1]).toBe("#2 Recibiendo de carla «informe.pdf»: 43 % de 100 MiB.");
    expect(rows.at(-1)).toBe("#12 benito no acepta «informe.pdf» (100 MiB).");
  });

  test("says so if there are none, and asks which one is meant", () => {
    const script = new ChatScript();
    expect(printed(script.take({ name: "files", files: [] }))).toEqual([
      "Todavía no se ha enviado ni recibido ningún archivo.",
    ]);
    const [said = ""] = printed(script.take({ name: "files", files: [sharedFile()], asked: "/get" }));
    expect(said).toStartWith("¿Cuál? Ponga su número, /get #N:\n#3 benito le ofrece");
  });
});

test("/get always says into which folder and up to which size, and how to undo it", () => {
  const script = new ChatScript();
  const said = (limit: number | null) =>
    printed(script.take({ name: "getsAlways", limit, folder: "/tmp/d" }))[0];
  expect(said(500 * MIB)).toBe(
    "Desde ahora se acepta sin preguntar lo que envíe benito hasta 500 MiB, en «/tmp/d». /get always off vuelve a preguntar.",
  );
  expect(said(null)).toContain("lo que envíe benito, en «/tmp/d»");
  expect(said(0)).toBe("Desde ahora se pregunta por cada archivo que envíe benito.");
});
