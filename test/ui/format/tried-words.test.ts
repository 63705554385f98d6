import { expect, test } from "bun:test";

import type { Tried } from "../../../src/client/peer/attempts.ts";
import { reachedSentence, triedSentences } from "../../../src/ui/format/tried-words.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const NAT = { ip: "80.1.0.12", port: 41_234 };
const TRIED: readonly Tried[] = [
  { way: "lookup", ms: 12 },
  { way: "direct", kind: "lan", ip: "192.168.2.10", port: 9_000, ms: 3, code: "ENETUNREACH" },
  { way: "direct", kind: "mapped", ip: "2a00::2", port: 9_000, ms: 31, code: "ECONNREFUSED" },
  { way: "direct", kind: "direct", ip: "80.1.0.12", port: 9_000, ms: 10_020, code: "timeout" },
  { way: "meeting", step: "seat", family: 6, ms: 2, code: "ENETUNREACH" },
  { way: "meeting", step: "seat", family: 4, ms: 15 },
  { way: "meeting", step: "go", family: 4, rtt_ms: 62, ...NAT },
  { way: "punched", family: 4, ...NAT, ms: 30, code: "ECONNREFUSED" },
  { way: "punched", family: 4, ...NAT, ms: 31, code: "ECONNREFUSED" },
  { way: "punched", family: 4, ...NAT, ms: 33 },
  { way: "direct", kind: "known", ip: "80.1.0.9", port: 9_000, ms: 8, code: "other_name" },
  { way: "direct", kind: "direct", ip: "80.1.0.8", port: 9_000, ms: 8, code: "key_pending" },
  { way: "direct", kind: "direct", ip: "80.1.0.7", port: 9_000, ms: 500, code: "abandoned" },
];

test("what was tried, step by step, the same only once", () => {
  expect(triedSentences(TRIED, "benito", textsIn("en"))).toMatchInlineSnapshot(`
    [
      "✔ The server says that benito is online (12 ms).",
      "· On the local network, to 192.168.2.10:9000: there is no way there (3 ms).",
      "✘ To the port that their router opens, [2a00::2]:9000: refuses the connection (31 ms).",
      "✘ Directly to 80.1.0.12:9000: no answer (10 s).",
      "· At the server's meeting port, over IPv6: there is no way there (2 ms).",
      "✔ At the server's meeting port, over IPv4: answers (15 ms).",
      "· You met over IPv4, 62 ms from each other.",
      "✘ Both at once through the routers, to 80.1.0.12:41234: refuses the connection (30 ms).",
      "✔ Both at once through the routers, to 80.1.0.12:41234: answers (33 ms).",
      "✘ To the last known address, 80.1.0.9:9000: something answers that is not their client (8 ms).",
      "✘ Directly to 80.1.0.8:9000: answers with another key (8 ms).",
      "· Directly to 80.1.0.7:9000: no longer needed (500 ms).",
    ]
  `);
  expect(triedSentences(TRIED, "benito", textsIn("es"))).toMatchInlineSnapshot(`
    [
      "✔ El servidor dice que benito está en línea (12 ms).",
      "· En la red local, a 192.168.2.10:9000: no hay camino hasta allí (3 ms).",
      "✘ Al puerto que abre su router, [2a00::2]:9000: rechaza la conexión (31 ms).",
      "✘ Directamente a 80.1.0.12:9000: no responde (10 s).",
      "· En el puerto de encuentro del servidor, por IPv6: no hay camino hasta allí (2 ms).",
      "✔ En el puerto de encuentro del servidor, por IPv4: responde (15 ms).",
      "· Se han encontrado por IPv4, a 62 ms uno de otro.",
      "✘ Los dos a la vez a través de los routers, a 80.1.0.12:41234: rechaza la conexión (30 ms).",
      "✔ Los dos a la vez a través de los routers, a 80.1.0.12:41234: responde (33 ms).",
      "✘ A la última dirección conocida, 80.1.0.9:9000: responde algo que no es su cliente (8 ms).",
      "✘ Directamente a 80.1.0.8:9000: responde con otra clave (8 ms).",
      "· Directamente a 80.1.0.7:9000: ya no hacía falta (500 ms).",
    ]
  `);
});

test("a meeting that ends at the relay, or without anything", () => {
  const steps: readonly Tried[] = [
    { way: "lookup", ms: 1, code: "offline" },
    { way: "lookup", ms: 1, code: "no_server" },
    { way: "lookup", ms: 1, code: "server_limits" },
    { way: "reversed", ip: "80.1.0.12" },
    { way: "meeting", step: "go", family: 4, rtt_ms: 62 },
    { way: "relayed", family: 4 },
    ...["no_seat", "alone", "gone", "relay_full", "not_proven", "no_way"].map((code): Tried => ({
      way: "meeting",
      step: "end",
      code,
    })),
  ];
  expect(triedSentences(steps, "benito", textsIn("en"))).toMatchInlineSnapshot(`
    [
      "✘ The server says that benito is not online.",
      "✘ There is no server to ask where benito is.",
      "✘ The server answers no more questions at present, nor where benito is.",
      "✔ benito has dialled this client from 80.1.0.12.",
      "· You met over IPv4, where only the way through the server serves.",
      "✔ The server passes on what goes between you, encrypted end to end.",
      "✘ The server's meeting port could not be reached.",
      "✘ The other did not come to the meeting.",
      "· The other side has left the meeting.",
      "✘ The server passes on no more conversations at present.",
      "✘ At the meeting somebody answered who did not prove who they are.",
      "✘ At the meeting no connection could be opened in time.",
    ]
  `);
});

test("by which way somebody is reached", () => {
  const link = {
    seeks_direct: false,
    address: "80.1.0.12:9000",
    since: "2026-11-30T19:00:00.000Z",
    round_trip: 31.4,
  };
  const said = (["direct", "mapped", "punched", "relayed"] as const).map((way) =>
    reachedSentence({ ...link, way, ...(way === "relayed" && { address: null }) }, "benito", textsIn("en")),
  );
  expect(said.map((sentence) => sentence.replace(/\d\d:\d\d:00/, "TIME"))).toMatchInlineSnapshot(`
    [
      "benito is reached directly (benito's address: 80.1.0.12:9000; round trip: 31 ms; since: TIME).",
      "benito is reached directly (benito's address: 80.1.0.12:9000; round trip: 31 ms; since: TIME).",
      "benito is reached through the routers, with nobody in between (benito's address: 80.1.0.12:9000; round trip: 31 ms; since: TIME).",
      "benito is reached by way of the server, encrypted end to end (round trip: 31 ms; since: TIME).",
    ]
  `);
  expect(
    reachedSentence({ ...link, way: "punched", round_trip: null, since: null }, "benito", textsIn("en")),
  ).toBe(
    "There is a connection to benito, who does not answer on it now (benito's address: 80.1.0.12:9000).",
  );
  expect(reachedSentence({ ...link, way: "punched" }, "benito", textsIn("es"))).toStartWith(
    "Se llega a benito a través de los routers",
  );
});
