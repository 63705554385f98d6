import { expect, test } from "bun:test";

import { reportOf, type Evidence } from "../../../src/client/reach/doctor/report.ts";
import {
  checkSentence,
  factsSentence,
  hintSentence,
  verdictSentence,
} from "../../../src/ui/format/doctor-words.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const NAT = "80.1.0.11";
const HOME: Evidence = {
  server: {
    ip: "80.1.0.1",
    ms: 31,
    observed: [{ ip: NAT, port: 41_234 }],
    has_meeting_port: true,
    meeting: [
      { family: 4, answers: true },
      { family: 6, answers: false },
    ],
  },
  addresses: ["192.168.1.10"],
  gateways: ["192.168.1.1"],
  vpn: [],
  listener: { port: 9_000, command: "listen", pid: 4_711 },
  relay: "auto",
  mapping: "same",
  router: {
    isOpen: false,
    answers: [
      { way: "pcp", gateway: "192.168.1.1", code: "ECONNREFUSED" },
      { way: "nat_pmp", gateway: "192.168.1.1", code: "not_authorized" },
      { way: "upnp", gateway: "192.168.1.1", code: "no_answer" },
      { way: "pcp", gateway: "fe80::1%eth0", code: "\u202eodd" },
    ],
  },
  checked: [{ ip: NAT, port: 9_000, open: false }],
  localNetwork: { interfaces: [{ via: "192.168.1.10" }, { via: "tun0", fault: "ENODEV" }], heard: ["carla"] },
  isCertified: true,
  certificateUntil: undefined,
  relayBytesLeft: 2 ** 31,
  clockOffset: 12,
};

function said(evidence: Evidence, language: "es" | "en"): string[] {
  const texts = textsIn(language);
  const { checks, verdict, hint } = reportOf(evidence);
  return [
    ...checks.map((line) =>
      checkSentence(
        line,
        texts,
        () => "PROBLEM",
        (name) => `<${name}>`,
      ),
    ),
    verdictSentence(verdict, evidence.relay, texts),
    factsSentence(
      evidence.relay,
      evidence.relayBytesLeft ?? null,
      evidence.clockOffset ?? null,
      undefined,
      texts,
    ),
    ...(hint === undefined ? [] : [hintSentence(hint, 9_000, texts)]),
  ];
}

test("a home whose router opens no port, in both languages", () => {
  expect(said(HOME, "en")).toMatchInlineSnapshot(`
    [
      "✔ Server: 80.1.0.1 answered in 31 ms and sees you at 80.1.0.11. Meeting port: over IPv4.",
      "✔ This machine: 192.168.1.10. It goes out by the router 192.168.1.1.",
      "✔ Port for conversations: 9000, kept open by “listen” (process 4711).",
      "✔ NAT: the router lets two people meet through it.",
      "! Router: it opens no port. PCP: off; NAT-PMP: not allowed; UPnP: no answer; PCP (IPv6): odd.",
      "! Dialled by the server: it did not get through to 80.1.0.11:9000.",
      "✔ Local network: speaking and listening on 192.168.1.10. On tun0 the system does not allow it (ENODEV). Contacts there: <carla>.",
      "Others reach you through the routers, with nobody in between; those behind a symmetric NAT only by way of the server, encrypted end to end.",
      "Today 2048 MiB may still go by way of the server. The clock is right.",
      "What would help: forward TCP port 9000 on the router to this machine, or allow that by UPnP.",
    ]
  `);
  expect(said(HOME, "es")).toMatchInlineSnapshot(`
    [
      "✔ Servidor: 80.1.0.1 ha respondido en 31 ms, y le ve en 80.1.0.11. Puerto de encuentro: por IPv4.",
      "✔ Esta máquina: 192.168.1.10. Sale por el router 192.168.1.1.",
      "✔ Puerto para conversar: el 9000, que tiene abierto «listen» (proceso 4711).",
      "✔ NAT: el router deja que dos personas se encuentren a través de él.",
      "! Router: no abre ningún puerto. PCP: apagado; NAT-PMP: no lo permite; UPnP: no responde; PCP (IPv6): odd.",
      "! Desde el servidor: no se llega a 80.1.0.11:9000.",
      "✔ Red local: se habla y se escucha en 192.168.1.10. En tun0 no deja el sistema (ENODEV). Contactos que hay en ella: <carla>.",
      "Los demás llegan a usted a través de los routers, sin que nadie más intervenga; quien tenga un NAT simétrico, solo por el servidor, cifrado de extremo a extremo.",
      "Por el servidor pueden pasar hoy todavía 2048 MiB. El reloj va bien.",
      "Qué ayudaría: redirija en el router el puerto TCP 9000 hacia esta máquina, o permítale hacerlo por UPnP.",
    ]
  `);
});

test("a port that the router has opened, and what is not known", () => {
  const opened = {
    isOpen: true,
    answers: [{ way: "pcp" as const, gateway: "192.168.1.1", ip: NAT, port: 9_001, lifetime: 3_600 }],
  };
  expect(
    said(
      { ...HOME, router: opened, checked: undefined, localNetwork: undefined, clockOffset: -90_000 },
      "en",
    ),
  ).toMatchInlineSnapshot(`
    [
      "✔ Server: 80.1.0.1 answered in 31 ms and sees you at 80.1.0.11. Meeting port: over IPv4.",
      "✔ This machine: 192.168.1.10. It goes out by the router 192.168.1.1.",
      "✔ Port for conversations: 9000, kept open by “listen” (process 4711).",
      "✔ NAT: the router lets two people meet through it.",
      "✔ Router: it has opened 80.1.0.11:9001 by PCP, for 60 min.",
      "· Dialled by the server: not yet (it does so once a minute at most).",
      "· Local network: it is told nothing, as you have chosen.",
      "Others reach you directly.",
      "Today 2048 MiB may still go by way of the server. The clock differs from the server's by 1 min.",
    ]
  `);
});

test("nothing but the failure of the server", () => {
  const nothing = {
    server: { error: { kind: "server", code: "server_unreachable" } },
    addresses: [],
    gateways: [],
    router: { isOpen: false, answers: [] },
    checked: undefined,
    mapping: undefined,
    localNetwork: { interfaces: [], heard: [] },
    relayBytesLeft: undefined,
    clockOffset: undefined,
  };
  expect(said({ ...HOME, ...nothing }, "en")).toMatchInlineSnapshot(`
    [
      "✘ Server: PROBLEM",
      "✘ This machine: it is in no network.",
      "✔ Port for conversations: 9000, kept open by “listen” (process 4711).",
      "· NAT: not known.",
      "· Router: none is known that could be asked for a port.",
      "· Dialled by the server: not yet (it does so once a minute at most).",
      "✘ Local network: there is none.",
      "Nobody reaches you now.",
      "",
      "What would help: connect this machine to a network.",
    ]
  `);
});

test("what the person has chosen is said as such", () => {
  const hidden = {
    listener: { command: "listen", pid: 4_711 },
    router: undefined,
    localNetwork: undefined,
    checked: undefined,
  };
  const server = {
    ip: "80.1.0.1",
    ms: 31,
    observed: [{ ip: NAT, port: 1 }],
    has_meeting_port: true,
    meeting: [{ family: 4 as const, answers: true }],
  };
  expect(said({ ...HOME, ...hidden, server, mapping: undefined, relay: "only" }, "en"))
    .toMatchInlineSnapshot(`
    [
      "✔ Server: 80.1.0.1 answered in 31 ms and sees you at 80.1.0.11. Meeting port: over IPv4.",
      "✔ This machine: 192.168.1.10. It goes out by the router 192.168.1.1.",
      "· Port for conversations: none, as you have chosen (--relay only).",
      "· NAT: not known.",
      "· Router: it is not asked for a port, as you have chosen.",
      "· Dialled by the server: no, as you have chosen (--relay only).",
      "· Local network: it is told nothing, as you have chosen.",
      "Others reach you by way of the server, encrypted end to end.",
      "Nothing goes directly, as you have chosen (--relay only). Today 2048 MiB may still go by way of the server. The clock is right.",
    ]
  `);
});

test("a relay that passes on nothing, or little, is no way", () => {
  const empty = { ...HOME, mapping: "varies" as const, relayBytesLeft: 0, localNetwork: undefined };
  expect(said(empty, "en").slice(-3)).toEqual([
    "Others could reach you only by way of the server, which passes on little or nothing now.",
    "Little or nothing goes by way of the server: it passes on no conversations, or today's share is used up. The clock is right.",
    "What would help: if much has gone by way of the server today, wait until tomorrow; if not, ask its operator whether it passes on conversations.",
  ]);
});
