/**
 * Pairs of networks, made of namespaces, routers and firewalls on this machine: by which way people reach each other
 * (PROTOCOL 7).
 */
import { describe, expect, test } from "bun:test";

import { inLab, skipped, whyNoLab, whyNoUpnp } from "./in-lab.ts";

function check(pair: string, way: string): void {
  const { stdout, stderr } = Bun.spawnSync(inLab("pair.ts", pair));
  expect(stderr.toString()).toBe("");
  expect(JSON.parse(stdout.toString())).toMatchObject({ pair, way });
}

const [noLab, noUpnp] = [whyNoLab(), whyNoUpnp()];

describe.skipIf(noLab !== undefined)(`networks${skipped(noLab)}`, () => {
  test.each([
    ["open:open", "direct"],
    // Who is behind the NAT dials back.
    ["open:sym", "direct"],
    ["cone:cone", "punched"],
    ["fw:fw", "punched"],
    ["dbl:dbl", "punched"],
    ["sym:sym", "relayed"],
    ["sym6:sym6", "punched"],
    ["same", "direct"],
    ["isolated", "relayed"],
    ["moving", "relayed, then direct"],
  ])("%s: %s", check);

  test.each([
    ["4", /^192\.168\.1\.11:/],
    ["6", /^\[fe80::/],
  ])("IPv%s on a local network without a server and a way out", (family, address) => {
    const { stdout, stderr } = Bun.spawnSync(inLab("local.ts", family));
    expect(stderr.toString()).toBe("");
    expect(JSON.parse(stdout.toString()).address).toMatch(address);
  });

  test.skipIf(noUpnp !== undefined)(`cone:upnp: mapped${skipped(noUpnp)}`, () => {
    check("cone:upnp", "mapped");
  });

  test.skipIf(noUpnp !== undefined)(`doctor knows its network${skipped(noUpnp)}`, () => {
    const { stdout, stderr } = Bun.spawnSync(inLab("doctor.ts", "sym:upnp"));
    expect(stderr.toString()).toBe("");
    expect(JSON.parse(stdout.toString())).toEqual([
      { verdict: "relayed", hint: "upnp_or_ipv6" },
      { verdict: "direct" },
    ]);
  });
});
