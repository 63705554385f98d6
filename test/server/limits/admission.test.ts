import { expect, test } from "bun:test";

import {
  Door,
  MAX_LEAVING,
  MAX_LEAVING_PER_ADDRESS,
  type Entry,
  type Refused,
} from "../../../src/server/limits/admission.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/server/limits/limits.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import { Throttle } from "../../../src/server/limits/throttle.ts";

const HERE = "192.0.2.1";
const THERE = "198.51.100.7";

function door(limits: Partial<Limits>, hasRoom: (address: string) => boolean = () => true) {
  const clock = { now: 0 };
  const warnings: Refused[] = [];
  const all = { ...DEFAULT_LIMITS, ...limits };
  const made = new Door({
    limits: all,
    throttle: new Throttle(all, () => clock.now),
    metrics: new Metrics(),
    clock: () => clock.now,
    hasRoom,
    warn: (refused) => warnings.push(refused),
  });
  const admit = (address: string) => codeOf(made.admit(address));
  return { clock, warnings, door: made, admit };
}

function codeOf(entry: Entry | undefined): string {
  return entry === undefined ? "ended" : (entry.refusal?.code ?? "served");
}

test("over the connections of one address, and over those in all, a newcomer is told that there is no place", () => {
  const { door: entrance, admit } = door({ connections: 3, connectionsPerAddress: 2 });
  const first = entrance.admit(HERE);
  expect([admit(HERE), admit(HERE), admit(THERE), admit("203.0.113.9")]).toEqual([
    "served",
    "server_busy",
    "served",
    "server_busy",
  ]);
  entrance.left(HERE, first as Entry);
  expect(admit(HERE)).toBe("served");
});

test("an IPv6 network of a /64 is one address, whichever of its addresses comes", () => {
  const { admit } = door({ connectionsPerAddress: 1 });
  expect([admit("2001:db8::1"), admit("2001:db8::2"), admit("2001:db8:0:1::1")]).toEqual([
    "served",
    "server_busy",
    "served",
  ]);
});

test("over the rate a newcomer is told when to come again, and others are served", () => {
  const { clock, door: entrance, admit } = door({ connectionRate: { burst: 1, perSecond: 0.5 } });
  expect(admit(HERE)).toBe("served");
  expect(entrance.admit(HERE)).toEqual({ refusal: { code: "rate_limited", retryAfter: 2 } });
  expect(admit(THERE)).toBe("served");
  clock.now = 2_000;
  expect(admit(HERE)).toBe("served");
});

test("few are told why; a flood is ended without a word, and whoever is told leaves his place to the next", () => {
  const { door: entrance, admit } = door({ connections: 1 });
  expect(admit(HERE)).toBe("served");
  const told = Array.from({ length: MAX_LEAVING_PER_ADDRESS }, () => entrance.admit(HERE));
  expect(told.map(codeOf)).toEqual(Array<string>(MAX_LEAVING_PER_ADDRESS).fill("server_busy"));
  expect([admit(HERE), admit(THERE)]).toEqual(["ended", "server_busy"]);
  entrance.left(HERE, told[0] as Entry);
  expect([admit(HERE), admit(HERE)]).toEqual(["server_busy", "ended"]);
  let sum = 0;
  for (let address = 0; address < 1_000; address++) if (admit(`10.0.0.${address}`) !== "ended") sum++;
  expect(sum).toBe(MAX_LEAVING - MAX_LEAVING_PER_ADDRESS - 1);
});

test("whoever is on the way out does not count among those served", () => {
  let isFull = true;
  const { door: entrance, admit } = door({ connections: 2 }, () => !isFull);
  const refused = [entrance.admit(HERE), entrance.admit(HERE), entrance.admit(HERE)];
  expect(refused.map(codeOf)).toEqual(Array<string>(3).fill("server_busy"));
  isFull = false;
  expect([admit(HERE), admit(HERE), admit(HERE)]).toEqual(["served", "served", "server_busy"]);
});

test("who comes too fast does not cost anybody a place among those not logged in", () => {
  const asked: string[] = [];
  const { admit } = door({ connectionRate: { burst: 1, perSecond: 1 } }, (address) => {
    asked.push(address);
    return true;
  });
  expect([admit(HERE), admit(HERE), admit(HERE)]).toEqual(["served", "rate_limited", "rate_limited"]);
  expect(asked).toEqual([HERE]);
});

test("refusals are told the log once a minute, with their counts", () => {
  const { clock, warnings, admit } = door({ connections: 1, connectionRate: { burst: 3, perSecond: 0.001 } });
  for (let count = 0; count < 50; count++) admit(HERE);
  expect(warnings).toEqual([{ tooMany: 1, tooFast: 0 }]);
  clock.now = 60_000;
  admit(HERE);
  expect(warnings.slice(1)).toEqual([{ tooMany: 1, tooFast: 48 }]);
});
