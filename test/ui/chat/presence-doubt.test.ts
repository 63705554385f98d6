import { describe, expect, test } from "bun:test";

import { ageOf } from "../../../src/ui/format/local-time.ts";
import { ChatScript, MINUTE, NOON, PEER, printed } from "./chat-script.ts";

const SECOND = 1_000;

function presence(script: ChatScript, online: boolean): readonly string[] {
  return printed(script.messenger({ name: "presence", username: PEER, online }));
}

function silent(script: ChatScript, since: number | undefined): readonly string[] {
  return printed(script.messenger({ name: "silent", username: PEER, since }));
}

function unreachable(script: ChatScript, heardAt: number | undefined): readonly string[] {
  const reason = "unreachable";
  return printed(script.messenger({ name: "unreachable", username: PEER, reason, retryIn: 1, heardAt }));
}

describe("the server and the last answer", () => {
  test("are both shown when a link does not answer, once, and again at a few ages", () => {
    const script = new ChatScript();
    presence(script, true);
    script.connect();
    expect(silent(script, NOON - 16 * SECOND)).toEqual([]);
    expect(printed(script.wait(0))).toEqual([
      "benito: en línea según el servidor; sin respuesta desde hace 16 s.",
    ]);
    expect(script.wait(23 * SECOND)).toEqual([]);
    const said = [];
    for (let seconds = 0; seconds < 3 * 3_600; seconds++) said.push(...printed(script.wait(SECOND)));
    expect(said).toEqual(
      ["40 s", "2 min", "10 min", "1 h"].map(
        (age) => `benito: en línea según el servidor; sin respuesta desde hace ${age}.`,
      ),
    );
    silent(script, undefined);
    expect(printed(script.wait(SECOND))).toEqual(["benito responde de nuevo."]);
    expect(script.wait(MINUTE)).toEqual([]);
  });

  test("are not shown when the silence ends with the link", () => {
    const script = new ChatScript();
    script.connect();
    silent(script, NOON - 16 * SECOND);
    // Whether the server thinks otherwise is not known.
    expect(printed(script.wait(SECOND))).toEqual(["benito: sin respuesta desde hace 17 s."]);
    silent(script, undefined);
    script.messenger({ name: "disconnected", username: PEER, bye: false, heardAt: NOON });
    expect(script.wait(SECOND)).toEqual([]);
  });

  test("stand in the line about an unreachable peer", () => {
    const script = new ChatScript("en");
    presence(script, true);
    const [said = "", ...more] = unreachable(script, NOON - 40 * SECOND);
    expect(more).toEqual([]);
    expect(said).toContain("benito: online according to the server; no reply for 40 s.");
    expect(script.wait(SECOND)).toEqual([]);
    expect(unreachable(script, NOON - 40 * SECOND)).toEqual([]);
    expect(printed(script.wait(80 * SECOND))).toEqual([
      "benito: online according to the server; no reply for 2 min.",
    ]);
    // The line of the new link says that they answer.
    expect(printed(script.connect())).toHaveLength(1);
    expect(script.wait(SECOND)).toEqual([]);
  });

  test("that disagree after the dial get a notice on a tick; a peer who never answered has no age", () => {
    const script = new ChatScript();
    unreachable(script, undefined);
    expect(script.wait(SECOND)).toEqual([]);
    presence(script, true);
    expect(printed(script.wait(SECOND))).toEqual([
      "benito: en línea según el servidor; aún no ha respondido.",
    ]);
    expect(script.wait(3_600 * SECOND)).toEqual([]);
  });

  test("disagree when the link answers and the server says offline", () => {
    const script = new ChatScript();
    script.connect();
    presence(script, false);
    expect(script.wait(4 * SECOND)).toEqual([]);
    expect(printed(script.wait(2 * SECOND))).toEqual([
      "benito responde, aunque según el servidor no está en línea.",
    ]);
    expect(script.wait(MINUTE)).toEqual([]);
    presence(script, true);
    expect(script.wait(MINUTE)).toEqual([]);
  });

  test("agree that somebody is gone who is offline and silent", () => {
    const script = new ChatScript();
    script.connect();
    presence(script, false);
    silent(script, NOON - 16 * SECOND);
    expect(script.wait(MINUTE)).toEqual([]);
  });

  test("are not compared while the server is gone", () => {
    const script = new ChatScript();
    presence(script, true);
    unreachable(script, NOON);
    const why = new Error("x");
    script.messenger({ name: "server", state: { name: "waiting", until: NOON, why }, linksUntil: NOON });
    expect(script.wait(10 * MINUTE)).toEqual([]);
  });

  test.each([
    [0, "0 s"],
    [59_400, "59 s"],
    [60_000, "1 min"],
    [3_599_000, "59 min"],
    [7_300_000, "2 h"],
    [-5, "0 s"],
  ])("an age of %d ms is «%s»", (ms, shown) => {
    expect(ageOf(ms)).toBe(shown);
  });
});

describe("without the server", () => {
  const why = new Error("x");
  const lose = (script: ChatScript, linksUntil: number | undefined) =>
    printed(
      script.messenger({ name: "server", state: { name: "waiting", until: NOON, why }, linksUntil }),
    ).join();

  test("a notice says what does not work, and until when new links can be opened", () => {
    const said = lose(new ChatScript(), NOON + 24 * 60 * MINUTE);
    expect(said).toContain("no se sabe quién está en línea");
    expect(said).toContain("ni se puede encontrar a nadie nuevo");
    expect(said).toContain("siguen entre quienes ya se conocen");
    expect(said).toContain("Hasta el 2026-11-23 a las 12:00 se pueden abrir conexiones nuevas.");
    for (const linksUntil of [undefined, NOON - 1]) {
      expect(lose(new ChatScript("en"), linksUntil)).toContain("No new connections can be opened now");
    }
  });
});

describe("a full disk", () => {
  test("of theirs gets a notice at most once a minute", () => {
    const script = new ChatScript();
    const tell = () =>
      printed(script.messenger({ name: "peerError", username: PEER, code: "storage_failed" }));
    expect(tell().join()).toMatch(/El disco de benito no admite.*quedan en cola aquí.*volverá a intentar/);
    script.now += 59 * SECOND;
    expect(tell()).toEqual([]);
    script.now += SECOND;
    expect(tell()).toHaveLength(1);
  });

  test("of ours too", () => {
    const script = new ChatScript();
    const tell = () => printed(script.messenger({ name: "storageFailed", error: new Error("full") }));
    expect([tell().length, tell().length]).toEqual([1, 0]);
    script.now += MINUTE;
    expect(tell()).toHaveLength(1);
  });
});
