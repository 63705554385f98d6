import { expect, test } from "bun:test";

import { readProxyHeader } from "../../../src/net/proxied/proxy-header.ts";

const HELLO = Buffer.from([22, 3, 1, 0, 200]);
const SIGNATURE = "0d0a0d0a000d0a515549540a";

const text = (line: string) => Buffer.concat([Buffer.from(`${line}\r\n`), HELLO]);
const binary = (rest: string) => Buffer.concat([Buffer.from(SIGNATURE + rest, "hex"), HELLO]);

const V4 = { from: { ip: "192.0.2.7", port: 49152 }, to: { ip: "198.51.100.1", port: 443 } };
const V6 = { from: { ip: "2001:db8::7", port: 1 }, to: { ip: "2001:db8::1", port: 65535 } };
const V6_HEX = "20010db8000000000000000000000007" + "20010db8000000000000000000000001" + "0001" + "ffff";

const GOOD: readonly [string, Buffer, object | undefined][] = [
  ["TCP4", text("PROXY TCP4 192.0.2.7 198.51.100.1 49152 443"), V4],
  ["TCP6", text("PROXY TCP6 2001:db8:0:0:0:0:0:7 2001:DB8::1 1 65535"), V6],
  ["UNKNOWN", text("PROXY UNKNOWN"), undefined],
  [
    "UNKNOWN with addresses",
    text(`PROXY UNKNOWN ${"f".repeat(39)} ${"f".repeat(39)} 65535 65535`),
    undefined,
  ],
  ["binary TCP4", binary("2111000c" + "c0000207" + "c6336401" + "c000" + "01bb"), V4],
  ["binary TCP4 with more", binary("21110010" + "c0000207" + "c6336401" + "c000" + "01bb" + "04000131"), V4],
  ["binary TCP6", binary("21210024" + V6_HEX), V6],
  ["binary LOCAL", binary("20000000"), undefined],
  ["binary LOCAL with addresses", binary("2011000c" + "00".repeat(12)), undefined],
  ["binary without a family", binary("21000000"), undefined],
  ["IPv4 in IPv6", text("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 49152 443"), V4],
];

test.each(GOOD)("%s tells both ends, also byte by byte, and what follows is left", (_name, bytes, told) => {
  const length = bytes.length - HELLO.length;
  for (let have = 0; have < length; have++) {
    expect(readProxyHeader(bytes.subarray(0, have))).toEqual({ name: "incomplete" });
  }
  for (let have = length; have <= bytes.length; have++) {
    const read = readProxyHeader(bytes.subarray(0, have));
    expect(read).toEqual({ name: "header", length, told } as never);
  }
});

test.each([
  ["no header", HELLO],
  ["another word", text("HELLO TCP4 192.0.2.7 198.51.100.1 1 2")],
  ["a name", text("PROXY TCP4 example.org 198.51.100.1 1 2")],
  ["another family", text("PROXY TCP4 2001:db8::7 2001:db8::1 1 2")],
  ["UDP", text("PROXY UDP4 192.0.2.7 198.51.100.1 1 2")],
  ["a port that is none", text("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536")],
  ["a port with zeros", text("PROXY TCP4 192.0.2.7 198.51.100.1 01 2")],
  ["too few fields", text("PROXY TCP4 192.0.2.7 198.51.100.1 1")],
  ["too many fields", text("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3")],
  ["two blanks", text("PROXY  TCP4 192.0.2.7 198.51.100.1 1 2")],
  ["no end in 107 bytes", Buffer.from(`PROXY UNKNOWN ${"x".repeat(200)}\r\n`)],
  ["a line feed alone", Buffer.from(`PROXY UNKNOWN\n${"x".repeat(200)}`)],
  ["another version", binary("3111000c" + "00".repeat(12))],
  ["another command", binary("2211000c" + "00".repeat(12))],
  ["UDP in binary", binary("2112000c" + "00".repeat(12))],
  ["too short for its family", binary("21110004" + "00".repeat(4))],
])("%s is wrong", (_name, bytes) => {
  expect(readProxyHeader(bytes)).toEqual({ name: "wrong" });
});
