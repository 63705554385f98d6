import { describe, expect, test } from "bun:test";

import type { LinkWay } from "../../../src/client/peer/proven-connection.ts";
import type { ChatEvent } from "../../../src/ui/chat/model.ts";
import { ChatScript, NOON, PEER, printed, UNREACHABLE_REASONS } from "./chat-script.ts";

/** What the chat says in the first minutes after it was connected by this way. */
function saidOf(script: ChatScript, way: LinkWay, seeksDirect = false): string[] {
  const said = printed(script.connectBy(way, seeksDirect));
  for (let seconds = 0; seconds < 120; seconds++) said.push(...printed(script.wait(1_000)));
  return said;
}

const RELAYED = "through the server, encrypted end to end";

describe("a link", () => {
  test.each([
    ["direct", false, "direct"],
    ["mapped", false, "direct, through the router"],
    ["punched", false, "direct, through the router"],
    ["relayed", true, `${RELAYED}; a direct way will be looked for`],
    ["relayed", false, RELAYED],
  ] as const)("that is %s (looks for a direct one: %p) says once by which way", (way, seeksDirect, shown) => {
    const script = new ChatScript("en");
    expect(saidOf(script, way, seeksDirect)).toEqual([`Connected to benito: ${shown}.`]);
  });

  test("that becomes direct says so once", () => {
    const script = new ChatScript("es");
    expect(saidOf(script, "relayed", true)).toHaveLength(1);
    expect(saidOf(script, "punched")).toEqual(["Ahora conectado con benito: directo por el router."]);
    expect(saidOf(script, "mapped")).toEqual([]);
  });

  test("that stays relayed says nothing when a direct one is looked for, or is no longer", () => {
    const script = new ChatScript("en");
    expect(saidOf(script, "relayed", false)).toHaveLength(1);
    for (const seeksDirect of [true, false]) expect(saidOf(script, "relayed", seeksDirect)).toEqual([]);
  });

  test("that is dialled anew by the same way says nothing, nor one that is relayed for a moment", () => {
    const script = new ChatScript("en");
    expect(printed(script.connectBy("relayed", true))).toEqual([]);
    expect(printed(script.wait(1_000))).toEqual([]);
    expect(saidOf(script, "direct")).toEqual(["Connected to benito: direct."]);
    for (let round = 0; round < 10; round++) {
      script.messenger({ name: "disconnected", username: PEER, bye: false, heardAt: undefined });
      for (const way of ["relayed", "direct"] as const) {
        script.connectBy(way);
        for (let seconds = 0; seconds < 20; seconds++) expect(printed(script.wait(1_000))).toEqual([]);
      }
    }
    expect(saidOf(script, "relayed")).toEqual([`Now connected to benito: ${RELAYED}.`]);
  });
});

describe("/info", () => {
  const told = { everyone: ["192.0.2.7:9000"], nearby: ["10.0.0.7:9000", "[fd00::7]:9000"] };
  const link = { way: "direct", seeksDirect: false, address: "192.0.2.1:9001", since: NOON } as const;
  const answer = (
    event: Pick<ChatEvent & { name: "linkInfo" }, "link" | "told">,
    script = new ChatScript("en"),
    server = { hasServer: true, linksUntil: NOON },
  ) => printed(script.take({ name: "linkInfo", ...server, ...event }))[0]?.split("\n");

  test("asks for the link, and with a number for a message", () => {
    expect(new ChatScript().type("/info")).toEqual([{ name: "linkInfo" }]);
  });

  test("shows the way, since when, the address, the round trip, and who is told our own", () => {
    expect(answer({ link: { ...link, roundTrip: 11.6 }, told })).toEqual([
      "Connected to benito: direct.",
      "since: 2026-11-22 12:00:00",
      "benito's address: 192.0.2.1:9001",
      "round trip: 12 ms",
      "your addresses that the server gives benito: 192.0.2.7:9000",
      "only if benito is in the same network as you: 10.0.0.7:9000 and [fd00::7]:9000",
    ]);
  });

  test("of a relayed link shows no address, and that nobody is told ours if so", () => {
    const relayed = { ...link, way: "relayed", address: undefined, roundTrip: undefined } as const;
    expect(answer({ link: relayed, told: { everyone: [], nearby: [] } })).toEqual([
      `Connected to benito: ${RELAYED}.`,
      "since: 2026-11-22 12:00:00",
      "on this link neither of you sees the other's address",
      "round trip: no answer right now",
      "the server gives your address to nobody",
    ]);
  });

  test("without a server says until when new links can be opened", () => {
    const gone = { hasServer: false, linksUntil: NOON + 3_600_000 };
    const said = answer({ link: { ...link, roundTrip: 1 }, told: undefined }, new ChatScript("es"), gone);
    expect(said?.at(-1)).toStartWith("Sin conexión con el servidor. Hasta el 2026-11-22 a las 13:00 ");
  });

  test.each(UNREACHABLE_REASONS)("without a link says why: %s", (reason) => {
    const script = new ChatScript("en");
    expect(answer({ link: undefined, told: undefined }, script)).toEqual(["Not connected to benito."]);
    script.messenger({ name: "unreachable", username: PEER, reason, retryIn: undefined, heardAt: undefined });
    const [said = ""] = answer({ link: undefined, told: undefined }, script) ?? [];
    expect(said).toMatch(/^Not connected to benito\. .{10,}\.$/);
  });
});
