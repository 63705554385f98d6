import { describe, expect, test } from "bun:test";

import { codeOfClose, interleaveFamilies } from "../../src/net/dialler.ts";

function order(...ips: string[]): string[] {
  return interleaveFamilies(ips.map((ip) => ({ ip, port: 9000 }))).map((target) => target.ip);
}

describe("interleaveFamilies", () => {
  test("IPv6 and IPv4 are tried in turn, beginning with the family that was named first", () => {
    expect(order("::1", "::2", "10.0.0.1", "10.0.0.2")).toEqual(["::1", "10.0.0.1", "::2", "10.0.0.2"]);
    expect(order("10.0.0.1", "10.0.0.2", "::1")).toEqual(["10.0.0.1", "::1", "10.0.0.2"]);
  });

  test("one family keeps its order, and nothing is lost or doubled", () => {
    expect(order("10.0.0.3", "10.0.0.1", "10.0.0.2")).toEqual(["10.0.0.3", "10.0.0.1", "10.0.0.2"]);
    expect(order("::3", "10.0.0.1", "::1", "::2")).toEqual(["::3", "10.0.0.1", "::1", "::2"]);
    expect(order()).toEqual([]);
  });

  test("two ports of one address are two targets", () => {
    const targets = [
      { ip: "10.0.0.1", port: 9000 },
      { ip: "10.0.0.1", port: 9001 },
    ];
    expect(interleaveFamilies(targets)).toEqual(targets);
  });
});

test("every close has a code", () => {
  expect(codeOfClose({ name: "remote" })).toBe("closed");
  expect(codeOfClose({ name: "lost", code: "ECONNRESET" })).toBe("ECONNRESET");
  expect(codeOfClose({ name: "refused", code: "CERT_HAS_EXPIRED" })).toBe("CERT_HAS_EXPIRED");
  expect(codeOfClose({ name: "local", code: "lost_race" })).toBe("lost_race");
});
