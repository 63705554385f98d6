import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";

import { isOf, readBeacon, writeBeacon } from "../../../../src/client/reach/lan/beacon.ts";
import { label } from "../../../../src/identity/names.ts";

const ANA = label("ana");
const NONCE = Buffer.from(Array.from({ length: 16 }, (_, index) => index));

test("a beacon is 38 bytes: PLM1, nonce, HMAC-SHA256 of nonce and port with the label as key, port", () => {
  const beacon = writeBeacon(ANA, NONCE, 9_000);
  const tag = createHmac("sha256", ANA)
    .update(Buffer.concat([NONCE, Buffer.from([0x23, 0x28])]))
    .digest()
    .subarray(0, 16);
  expect(beacon).toEqual(Buffer.concat([Buffer.from("PLM1"), NONCE, tag, Buffer.from([0x23, 0x28])]));
  expect(beacon.length).toBe(38);
  const read = readBeacon(beacon);
  expect(read).toEqual({ nonce: NONCE, tag, port: 9_000 });
  expect(read !== undefined && [isOf(ANA, read), isOf(label("bob"), read)]).toEqual([true, false]);
});

test.each([
  ["empty", Buffer.alloc(0)],
  ["cut", writeBeacon(ANA, NONCE, 9_000).subarray(0, 37)],
  ["too long", Buffer.concat([writeBeacon(ANA, NONCE, 9_000), Buffer.from("x")])],
  ["huge", Buffer.alloc(65_507, "PLM1")],
  ["of another version", Buffer.concat([Buffer.from("PLM2"), writeBeacon(ANA, NONCE, 9_000).subarray(4)])],
  ["with the port of a service of the system", writeBeacon(ANA, NONCE, 22)],
])("a datagram that is %s is no beacon", (_name, datagram) => {
  expect(readBeacon(datagram)).toBeUndefined();
});

test("of a beacon whose port was changed the tag is wrong", () => {
  const changed = writeBeacon(ANA, NONCE, 9_000);
  changed.writeUInt16BE(9_001, 36);
  const read = readBeacon(changed);
  expect(read !== undefined && isOf(ANA, read)).toBe(false);
});
