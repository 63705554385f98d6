import { describe, expect, test } from "bun:test";

import {
  isLoopback,
  isPrivate,
  networkOf,
  siteOf,
  normalizeAddress,
  parseDialableAddress,
  showHostPort,
} from "../../src/protocol/ip-address.ts";

describe("one spelling", () => {
  test.each([
    ["::ffff:192.168.1.7", "192.168.1.7"],
    ["::FFFF:192.168.1.7", "192.168.1.7"],
    ["0:0:0:0:0:ffff:192.168.1.7", "192.168.1.7"],
    ["0000:0000:0000:0000:0000:ffff:192.168.1.7", "192.168.1.7"],
    ["0::ffff:192.168.1.7", "192.168.1.7"],
    ["::0:ffff:192.168.1.7", "192.168.1.7"],
    ["::ffff:c0a8:107", "192.168.1.7"],
    ["::ffff:7f00:1", "127.0.0.1"],
    ["0:0:0:0:0:ffff:7f00:0001", "127.0.0.1"],
    ["::ffff:127.0.0.1%lo", "127.0.0.1"],
    ["::ffff:0:0", "0.0.0.0"],
  ])("IPv4 inside IPv6 is IPv4: %s", (written, expected) => {
    expect(normalizeAddress(written)).toBe(expected);
  });

  test.each([
    ["0:0:0:0:0:0:0:1", "::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["FE80::0001%eth0", "fe80::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["::1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"],
    ["10:0:0:10:0:0:0:10", "10:0:0:10::10"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    // The embedded form counts only behind `::ffff:`.
    ["::1.2.3.4", "::102:304"],
    ["::fffe:1.2.3.4", "::fffe:102:304"],
    ["1::ffff:1.2.3.4", "1::ffff:102:304"],
    ["::ffff:0:1.2.3.4", "::ffff:0:102:304"],
    // Bun's `URL` refuses four groups beside it.
    ["::2:3:4:5:1.2.3.4", "::2:3:4:5:102:304"],
    ["1::2:3:4:1.2.3.4", "1::2:3:4:102:304"],
    ["1:2:3::4:255.255.0.1", "1:2:3::4:ffff:1"],
    ["1::2:3:4:5:1.2.3.4", "1:0:2:3:4:5:102:304"],
  ])("%s is %s", (written, expected) => {
    expect(normalizeAddress(written)).toBe(expected);
    expect(normalizeAddress(expected)).toBe(expected);
  });

  test("other text is only put into lower case", () => {
    expect(normalizeAddress("Example.ORG")).toBe("example.org");
    expect(normalizeAddress("")).toBe("");
    for (const text of [
      "::ffff:999.1.1.1",
      "::ffff:01.2.3.4",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "::1]@[::2",
      "[::1]",
    ]) {
      expect(normalizeAddress(text)).toBe(text);
    }
  });
});

describe("loopback", () => {
  test.each([
    "127.0.0.0",
    "127.0.0.1",
    "127.255.255.255",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::1%lo",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
  ])("%s is this machine", (address) => expect(isLoopback(address)).toBe(true));
  test.each([
    "126.255.255.255",
    "128.0.0.1",
    "::",
    "::2",
    "1::1",
    "0.0.0.0",
    "127.evil.example",
    "127.1",
    "0127.0.0.1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "localhost",
  ])("%s is not", (address) => expect(isLoopback(address)).toBe(false));
});

describe("private ranges, at their edges", () => {
  test.each([
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "169.254.0.0",
    "169.254.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "fc00::",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::",
    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::1%eth0",
    "::ffff:10.1.2.3",
    "::ffff:a01:203",
    "127.0.0.1",
    "::1",
  ])("%s is private", (address) => expect(isPrivate(address)).toBe(true));

  test.each([
    "9.255.255.255",
    "11.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe00::",
    "fe7f:ffff::",
    "fec0::",
    "2001:db8::1",
    "::ffff:8.8.8.8",
    "::10.1.2.3",
    "::ffff:0:10.1.2.3",
    "64:ff9b::a01:203",
    "010.1.2.3",
    "10.1.2",
    "10.example.org",
    "",
  ])("%s is not", (address) => expect(isPrivate(address)).toBe(false));
});

describe("what can be dialled", () => {
  test.each([
    ["192.168.1.7", "192.168.1.7"],
    ["1.0.0.0", "1.0.0.0"],
    ["223.255.255.255", "223.255.255.255"],
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["FD00::0001", "fd00::1"],
    ["::ffff:192.168.1.7", "192.168.1.7"],
    ["feff::1", "feff::1"],
  ])("%s", (written, expected) => expect(parseDialableAddress(written)).toBe(expected));

  test.each([
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "0:0:0:0:0:0:0:0",
    "ff00::",
    "ff02::1",
    "::ffff:0.0.0.0",
    "::ffff:0:0",
    "::ffff:224.0.0.1",
    "::ffff:ffff:ffff",
    "fe80::1%eth0",
    "localhost",
    "example.org",
    "1.2.3",
    "01.2.3.4",
    "0x7f.0.0.1",
    "2130706433",
    "1.2.3.4:80",
    "[::1]",
    " 1.2.3.4",
    "",
  ])("not «%s»", (written) => expect(parseDialableAddress(written)).toBeUndefined());
});

test("an IPv6 address goes into brackets before its port", () => {
  expect(showHostPort("10.0.0.1", 8443)).toBe("10.0.0.1:8443");
  expect(showHostPort("localhost", 8443)).toBe("localhost:8443");
  expect(showHostPort("::1", 8443)).toBe("[::1]:8443");
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:0::/64"],
  ["2001:db8:0:1::1", "2001:db8:0:1::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["1:2:3:4::", "1:2:3:4::/64"],
  ["1:2:3::5:6:7:8", "1:2:3:0::/64"],
  ["1::4:5:6:7:8", "1:0:0:4::/64"],
  ["0:1:2:3:4:5:6:7", "0:1:2:3::/64"],
  ["2001:db8:0:0::/64", "2001:db8:0:0::/64"],
  ["", ""],
])("the network of «%s» is «%s»", (address, network) => expect(networkOf(address)).toBe(network));

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8:5:1::1", "2001:db8:5::/48"],
  ["2001:db8:5:2::/64", "2001:db8:5::/48"],
  ["::1", "0:0:0::/48"],
])("the site of «%s» is «%s»", (address, site) => expect(siteOf(address)).toBe(site));
