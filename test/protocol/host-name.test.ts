import { describe, expect, test } from "bun:test";

import { isThisMachine, normalHost, parseHostPort, withoutUrl } from "../../src/protocol/host-name.ts";

describe("the normal form of a host", () => {
  test.each([
    ["localhost", "localhost"],
    ["Example.ORG", "example.org"],
    ["example.org.", "example.org"],
    ["my_host", "my_host"],
    ["127.1", "127.1"],
    ["192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["málaga.test", "xn--mlaga-xqa.test"],
    ["MÁLAGA.test.", "xn--mlaga-xqa.test"],
    ["xn--mlaga-xqa.test", "xn--mlaga-xqa.test"],
    ["XN--mlaga-xqa.Test", "xn--mlaga-xqa.test"],
    // A combining accent, and the full stop of Chinese and Japanese.
    ["ma\u0301laga。test", "xn--mlaga-xqa.test"],
    ["straße.test", "xn--strae-oqa.test"],
    ["例え.テスト", "xn--r8jz45g.xn--zckzah"],
  ])("of %s is %s", (typed, normal) => {
    expect(normalHost(typed)).toBe(normal);
    expect(normalHost(normal)).toBe(normal);
  });

  test.each([
    "",
    ".",
    "a b",
    "a\u00a0b",
    "a:b",
    "[::1]",
    "u@h",
    "ñ/b",
    "ñ?b",
    "ñ#b",
    "ñ\\b",
    "ñ%41",
    "a\u200db.test",
    "a\u202eb",
    "fe80::1%",
  ])("«%s» has none", (typed) => {
    expect(normalHost(typed)).toBeUndefined();
  });
});

describe("a host and a port", () => {
  test.each([
    ["example.org", "example.org", "example.org", undefined],
    ["Example.org.:1", "example.org", "Example.org.", 1],
    ["málaga.test:8443", "xn--mlaga-xqa.test", "málaga.test", 8_443],
    ["192.0.2.1:65535", "192.0.2.1", "192.0.2.1", 65_535],
    ["[::1]", "::1", "::1", undefined],
    ["[fe80::1%eth0]:8443", "fe80::1%eth0", "fe80::1%eth0", 8_443],
  ])("%s", (text, host, typed, port) => {
    expect(parseHostPort(text)).toEqual({ host, typed, port });
  });

  test.each([
    "",
    ":1",
    "::1",
    "h:",
    "h:0",
    "h:65536",
    "h:x",
    "h:1:2",
    "[::1",
    "[::1]x",
    "[example.org]",
    "[192.0.2.1]",
    "[::g]",
    "[fe80::1%]",
  ])("«%s» is none", (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });
});

test("of an address of the web only the host and the port are left", () => {
  for (const url of ["https://h:1", "paloma://h:1/", "HTTPS://u:p@h:1/a?b#c", "h:1/a", "u@h:1", "h:1"])
    expect(withoutUrl(url)).toBe("h:1");
  expect(withoutUrl("https://[::1]:8443/")).toBe("[::1]:8443");
  expect(withoutUrl("https://")).toBe("");
});

test("this machine is localhost and every loopback address", () => {
  expect(["localhost", "127.0.0.1", "127.9.9.9", "::1"].filter(isThisMachine)).toHaveLength(4);
  expect(["example.org", "192.0.2.1", "::", "0.0.0.0", "fe80::1%lo"].filter(isThisMachine)).toEqual([]);
});
