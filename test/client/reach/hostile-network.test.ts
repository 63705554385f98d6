/**
 * What a hostile machine of the local network can make of a client: whatever arrives, each reader gives nothing or what is
 * within its bounds, at an address that it may name, and soon.
 */
import { expect, test } from "bun:test";

import { readBeacon, writeBeacon } from "../../../src/client/reach/lan/beacon.ts";
import {
  readError,
  readLocation,
  readOuterAddress,
  readService,
} from "../../../src/client/reach/mapping/igd.ts";
import { readAddress, readMapTcp } from "../../../src/client/reach/mapping/nat-pmp.ts";
import { readMapAnswer } from "../../../src/client/reach/mapping/pcp.ts";
import { label } from "../../../src/identity/names.ts";
import { normalizeAddress } from "../../../src/protocol/ip-address.ts";
import { MIN_CANDIDATE_PORT } from "../../../src/protocol/rendezvous-messages.ts";
import { damaged, noise } from "../../fuzz/transmission.ts";
import { seededRandom, testSeed, type SeededRandom } from "../../seeded-random.ts";

const ROUNDS = 3_000;
const GATEWAY = "192.168.1.1";
const LOCATION = new URL(`http://${GATEWAY}:42263/rootDesc.xml`);

const hex = (text: string) => Buffer.from(text, "hex");

/** Datagrams that are good, damaged, or anything. */
function* spoiled(good: readonly Buffer[]): Generator<Buffer> {
  const seed = testSeed();
  const random = seededRandom(seed);
  try {
    for (let round = 0; round < ROUNDS; round++) yield spoil(random.pick(good), random);
  } catch (error) {
    throw new Error(`PALOMA_TEST_SEED=${seed}`, { cause: error });
  }
}

function spoil(good: Buffer, random: SeededRandom): Buffer {
  let bytes = good;
  for (let times = random.integer(4); times > 0 && bytes.length > 0; times--) bytes = damaged(bytes, random);
  return random.integer(8) === 0 ? Buffer.concat([bytes, noise(random)]) : bytes;
}

test("beacons", () => {
  let read = 0;
  for (const datagram of spoiled([writeBeacon(label("ana"), Buffer.alloc(16), 9_000)])) {
    const beacon = readBeacon(datagram);
    if (beacon === undefined) continue;
    read++;
    expect(beacon.port).toBeWithin(MIN_CANDIDATE_PORT, 65_536);
    expect([beacon.nonce.length, beacon.tag.length]).toEqual([16, 16]);
  }
  expect(read).toBeGreaterThan(0);
});

test("answers of PCP and NAT-PMP", () => {
  const nonce = hex("00112233445566778899aabb");
  const good = [
    "0281000000000e100000000100000000000000000000000000112233445566778899aabb060000002328232800000000000000000000ffff5001000b",
    "00800000000000025001000b",
    "00820000000000022328232800000e10",
    "00820002000000022328232800000e10",
  ].map(hex);
  let read = 0;
  for (const datagram of spoiled(good)) {
    const answers = [
      readMapAnswer(datagram, { nonce, port: 9_000 }),
      readMapTcp(datagram, 9_000),
      readAddress(datagram),
    ];
    for (const answer of answers) {
      if (answer === undefined) continue;
      read++;
      if (!answer.ok) expect(answer.code).toMatch(/^[a-z_]+(\d{1,5})?$/);
      if (answer.ok && "ip" in answer) expect(normalizeAddress(answer.ip)).toBe(answer.ip);
      if (answer.ok && "port" in answer) {
        expect(answer.port).toBeWithin(0, 65_536);
        expect(answer.lifetime).toBeWithin(0, 2 ** 32);
      }
    }
  }
  expect(read).toBeGreaterThan(0);
});

test("texts of UPnP lead nowhere but to the gateway", () => {
  const service =
    "<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl</controlURL>";
  const good = [
    `HTTP/1.1 200 OK\r\nLOCATION: ${LOCATION.href}\r\n\r\n`,
    "HTTP/1.1 200 OK\r\nLOCATION: http://203.0.113.5/foreign.xml\r\n\r\n",
    `<root><URLBase>http://${GATEWAY}:99/x/</URLBase><service>${service}</service></root>`,
    `<URLBase>http://${GATEWAY}@203.0.113.5/</URLBase><service>${service}</service>`,
    `<service>${service.replace("/ctl", "//203.0.113.5/ctl")}</service>`,
    "<NewExternalIPAddress>80.1.0.11</NewExternalIPAddress><errorCode>718</errorCode>",
  ].map((text) => Buffer.from(text));
  let read = 0;
  for (const bytes of spoiled(good)) {
    const text = bytes.toString();
    for (const url of [readLocation(bytes, GATEWAY), readService(text, LOCATION, GATEWAY)?.url]) {
      if (url === undefined) continue;
      read++;
      expect([url.protocol, url.hostname, url.username]).toEqual(["http:", GATEWAY, ""]);
    }
    const outer = readOuterAddress(text);
    if (outer !== undefined) expect(normalizeAddress(outer)).toBe(outer);
    expect(readError(text)).toMatch(/^(upnp_\d{1,3}|bad_answer)$/);
  }
  expect(read).toBeGreaterThan(0);
});

/** In ms of a processor: a hundred times what it takes, and a hundredth of what an exponential pattern would. */
const MUCH = 10_000;

test("64 KiB of text that nearly fits everywhere are read without computing for long", () => {
  const pieces = [
    "<service>",
    "<URLBase>",
    "<a:URLBase ",
    "<errorCode>   ",
    "\r\nlocation: x ",
    " ",
    "<",
    "a",
  ];
  const begun = process.cpuUsage().user;
  for (const piece of pieces) {
    const text = piece.repeat(Math.ceil(65_536 / piece.length));
    expect(readLocation(Buffer.from(`HTTP/1.1 200 OK\r\n${text}`), GATEWAY)).toBeUndefined();
    expect(readService(`<URLBase>${text}`, LOCATION, GATEWAY)).toBeUndefined();
    expect(readOuterAddress(`<NewExternalIPAddress ${text}`)).toBeUndefined();
    expect(readError(`<errorCode>${text}`)).toBe("bad_answer");
  }
  expect((process.cpuUsage().user - begun) / 1_000).toBeLessThan(MUCH);
});
