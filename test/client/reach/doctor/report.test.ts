import { describe, expect, test } from "bun:test";

import { reportOf, type Evidence, type Report } from "../../../../src/client/reach/doctor/report.ts";

const [OUTER, INNER, GATEWAY] = ["80.1.0.11", "192.168.1.10", "192.168.1.1"];

type Server = Exclude<Evidence["server"], { error: unknown }>;

const SERVER: Server = {
  ip: "80.1.0.1",
  ms: 31,
  observed: [{ ip: OUTER, port: 41_234 }],
  has_meeting_port: true,
  meeting: [{ family: 4, answers: true }],
};

/** Behind a router whose NAT lets two meet, and that opens no port. */
const HOME: Evidence = {
  server: SERVER,
  addresses: [INNER],
  gateways: [GATEWAY],
  vpn: [],
  listener: { port: 9_000, command: "listen", pid: 4_711 },
  relay: "auto",
  mapping: "same",
  router: {
    isOpen: false,
    answers: [
      { way: "pcp", gateway: GATEWAY, code: "ECONNREFUSED" },
      { way: "nat_pmp", gateway: GATEWAY, code: "ECONNREFUSED" },
      { way: "upnp", gateway: GATEWAY, code: "no_answer" },
    ],
  },
  checked: [{ ip: OUTER, port: 9_000, open: false }],
  localNetwork: { interfaces: [{ via: INNER, fault: undefined }], heard: [] },
  isCertified: true,
  certificateUntil: 0,
  relayBytesLeft: 2_147_483_648,
  clockOffset: 12,
};
const NO_SERVER = { error: { kind: "server", code: "server_unreachable", message: "" } };

const opened = (ip: string) => ({
  isOpen: true,
  answers: [{ way: "upnp" as const, gateway: GATEWAY, ip, port: 9_000, lifetime: 3_600 }],
});
const refused = (...codes: [string, string, string]) => ({
  isOpen: false,
  answers: (["pcp", "nat_pmp", "upnp"] as const).map((way, index) => ({
    way,
    gateway: GATEWAY,
    code: codes[index] as string,
  })),
});
const dialled = (open: boolean) => [{ ip: OUTER, port: 9_000, open }];

/** The states of the checks in their order: g(ood), w(eak), b(ad), u(nknown). */
function states({ checks }: Report): string {
  return checks.map(({ state }) => state.slice(0, 1)).join("");
}

describe("kinds of networks", () => {
  test.each<[string, Partial<Evidence>, Report["verdict"], string, Report["worst"], Report["hint"]]>([
    ["a NAT that lets two meet", {}, "punched", "ggggwwg", "router", "upnp"],
    [
      "a router that refuses",
      { router: refused("not_authorized", "not_authorized", "upnp_606") },
      "punched",
      "ggggwwg",
      "router",
      "forward",
    ],
    [
      "a public address",
      { addresses: [OUTER], checked: dialled(true) },
      "direct",
      "ggggugg",
      undefined,
      undefined,
    ],
    [
      "a public address behind a firewall",
      { addresses: [OUTER] },
      "punched",
      "ggggwwg",
      "dial_back",
      "firewall",
    ],
    [
      "a port that the router has opened",
      { router: opened(OUTER), checked: dialled(true) },
      "direct",
      "ggggggg",
      undefined,
      undefined,
    ],
    [
      "one that the server has not dialled yet",
      { router: opened(OUTER), checked: undefined },
      "direct",
      "gggggug",
      undefined,
      undefined,
    ],
    [
      "one that the server has dialled in vain",
      { router: opened(OUTER) },
      "punched",
      "gggggwg",
      "dial_back",
      "firewall",
    ],
    [
      "a router behind another one",
      { router: { ...opened("192.168.0.7"), isOpen: false } },
      "punched",
      "gggwwwg",
      "nat",
      "second_router",
    ],
    [
      "one that does not know its address",
      { router: refused("no_resources", "network_failure", "upnp_501") },
      "punched",
      "gggwwwg",
      "nat",
      "second_router",
    ],
    [
      "a router behind a carrier's",
      { router: { ...opened("100.64.1.10"), isOpen: false } },
      "punched",
      "gggwwwg",
      "nat",
      "carrier",
    ],
    [
      "a telephone in a carrier's network",
      { addresses: ["100.72.3.4"], mapping: "varies" },
      "relayed",
      "gggwwwg",
      "nat",
      "carrier",
    ],
    ["a symmetric NAT", { mapping: "varies" }, "relayed", "gggwwwg", "router", "upnp_or_ipv6"],
    [
      "one with IPv6",
      {
        mapping: "varies",
        server: {
          ...SERVER,
          observed: [...SERVER.observed, { ip: "2a00::2", port: 1 }],
          meeting: [...SERVER.meeting, { family: 6, answers: true }],
        },
      },
      "punched_ipv6",
      "gggwwwg",
      "router",
      "upnp",
    ],
    ["a VPN", { vpn: ["tun0"], mapping: "varies" }, "relayed", "gwgwwwg", "addresses", "vpn"],
    [
      "a router that is not asked",
      { router: undefined, localNetwork: undefined },
      "punched",
      "gggguwu",
      "router",
      "lan_on",
    ],
    [
      "a server without a meeting port",
      { server: { ...SERVER, has_meeting_port: false, meeting: [] }, mapping: undefined },
      "none",
      "bggubbg",
      "server",
      "no_meeting_port",
    ],
    [
      "a meeting port that does not answer",
      { server: { ...SERVER, meeting: [{ family: 4, answers: false }] } },
      "none",
      "bgggbbg",
      "server",
      "meeting_port",
    ],
    [
      "no relay, or none any more today",
      { mapping: "varies", relayBytesLeft: 0 },
      "relay_empty",
      "gggbbbg",
      "relay",
      "relay_empty",
    ],
    [
      "no relay, where only it is wanted",
      { relay: "only", router: undefined, checked: undefined, mapping: undefined, relayBytesLeft: 0 },
      "relay_empty",
      "gguuuug",
      "relay",
      "relay_empty",
    ],
    [
      "no relay, where none is wanted either",
      { relay: "never", mapping: "varies", relayBytesLeft: 0 },
      "none",
      "gggbbbg",
      "router",
      "upnp",
    ],
    [
      "no relay, and contacts on the local network",
      {
        mapping: "varies",
        relayBytesLeft: 0,
        localNetwork: { interfaces: [{ via: INNER }], heard: ["benito"] },
      },
      "local",
      "gggbbbg",
      "relay",
      "relay_empty",
    ],
    [
      "only the relay wanted, at a meeting port that does not answer",
      {
        relay: "only",
        server: { ...SERVER, meeting: [{ family: 4, answers: false }] },
        router: undefined,
        checked: undefined,
        mapping: undefined,
        localNetwork: undefined,
      },
      "none",
      "bguuuuu",
      "server",
      "meeting_port",
    ],
    [
      "only the relay wanted",
      {
        relay: "only",
        router: undefined,
        checked: undefined,
        mapping: undefined,
        localNetwork: undefined,
      },
      "relayed",
      "gguuuuu",
      undefined,
      undefined,
    ],
    ["no relay wanted", { relay: "never" }, "punched", "ggggwwg", "router", "upnp"],
    [
      "no relay wanted, where nothing else helps",
      { relay: "never", mapping: "varies" },
      "none",
      "gggbbbg",
      "relay",
      "relay_auto",
    ],
    [
      "a clock that is wrong",
      { isCertified: false, clockOffset: -7_200_000 },
      "none",
      "ggbgbbg",
      "clock",
      "clock",
    ],
    ["no certificate", { isCertified: false }, "none", "ggbgbbg", "port", "certificate"],
    [
      "no server",
      { server: NO_SERVER, checked: undefined, mapping: undefined },
      "none",
      "bggubug",
      "server",
      "server",
    ],
    [
      "a login that is refused",
      {
        server: { error: { kind: "refused", code: "account_disabled" } },
        checked: undefined,
        mapping: undefined,
      },
      "none",
      "bggubug",
      "server",
      undefined,
    ],
    [
      "no session",
      { server: { error: { kind: "password" } }, checked: undefined, mapping: undefined },
      "none",
      "bggubug",
      "server",
      "log_in",
    ],
    [
      "no network",
      {
        server: NO_SERVER,
        checked: undefined,
        mapping: undefined,
        addresses: [],
        gateways: [],
        router: undefined,
        localNetwork: { interfaces: [], heard: [] },
      },
      "none",
      "bbguuub",
      "addresses",
      "network",
    ],
  ])("%s", (_name, found, verdict, marks, worst, hint) => {
    const report = reportOf({ ...HOME, ...found });
    expect([report.verdict, states(report), report.worst, report.hint]).toEqual([
      verdict,
      marks,
      worst,
      hint,
    ]);
  });

  test("without the server, contacts who were heard on the local network are a way", () => {
    const localNetwork = { interfaces: [{ via: INNER }], heard: ["benito"] };
    expect(reportOf({ ...HOME, server: NO_SERVER, localNetwork }).verdict).toBe("local");
    expect(reportOf({ ...HOME, server: NO_SERVER, localNetwork, isCertified: false }).verdict).toBe("none");
  });
});
