import { expect, test } from "bun:test";

import {
  Admission,
  MAX_REFUSED,
  MAX_REFUSED_PER_ADDRESS,
  type Refused,
  type Verdict,
} from "../../../src/server/limits/admission.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/server/limits/limits.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import { Throttle } from "../../../src/server/limits/throttle.ts";

const HERE = "192.0.2.1";
const THERE = "198.51.100.7";

function admissionOf(limits: Partial<Limits>, makeRoom: (address: string) => boolean = () => true) {
  const clock = { now: 0 };
  const warnings: Refused[] = [];
  const all = { ...DEFAULT_LIMITS, ...limits };
  const made = new Admission({
    limits: all,
    throttle: new Throttle(all, () => clock.now),
    metrics: new Metrics(),
    clock: () => clock.now,
    makeRoom,
    warn: (refused) => warnings.push(refused),
  });
  const admit = (address: string) => codeOf(made.admit(address));
  return { clock, warnings, admission: made, admit };
}

function codeOf(verdict: Verdict): string {
  return verdict.name === "refused" ? verdict.refusal.code : verdict.name;
}

test("beyond the limit of one address or of all, a new connection is refused as server_busy", () => {
  const { admission, admit } = admissionOf({ connections: 3, connectionsPerAddress: 2 });
  expect([admit(HERE), admit(HERE), admit(HERE), admit(THERE), admit("203.0.113.9")]).toEqual([
    "served",
    "served",
    "server_busy",
    "served",
    "server_busy",
  ]);
  admission.closed(HERE, "served");
  expect(admit(HERE)).toBe("served");
});

test("all addresses of an IPv6 /64 count as one address", () => {
  const { admit } = admissionOf({ connectionsPerAddress: 1 });
  expect([admit("2001:db8::1"), admit("2001:db8::2"), admit("2001:db8:0:1::1")]).toEqual([
    "served",
    "server_busy",
    "served",
  ]);
});

test("beyond the rate a new connection is refused with a retry time, and others are served", () => {
  const { clock, admission, admit } = admissionOf({ connectionRate: { burst: 1, perSecond: 0.5 } });
  expect(admit(HERE)).toBe("served");
  expect(admission.admit(HERE)).toEqual({
    name: "refused",
    refusal: { code: "rate_limited", retryAfter: 2 },
  });
  expect(admit(THERE)).toBe("served");
  clock.now = 2_000;
  expect(admit(HERE)).toBe("served");
});

test("only a few get the reason and the others are dropped; one that has closed makes room for the next", () => {
  const { admission, admit } = admissionOf({ connections: 1 });
  expect(admit(HERE)).toBe("served");
  const told = Array.from({ length: MAX_REFUSED_PER_ADDRESS }, () => admission.admit(HERE));
  expect(told.map(codeOf)).toEqual(Array<string>(MAX_REFUSED_PER_ADDRESS).fill("server_busy"));
  expect([admit(HERE), admit(THERE)]).toEqual(["dropped", "server_busy"]);
  admission.closed(HERE, "refused");
  expect([admit(HERE), admit(HERE)]).toEqual(["server_busy", "dropped"]);
  let sum = 0;
  for (let address = 0; address < 1_000; address++) if (admit(`10.0.0.${address}`) !== "dropped") sum++;
  expect(sum).toBe(MAX_REFUSED - MAX_REFUSED_PER_ADDRESS - 1);
});

test("refused connections do not count among those served", () => {
  let isFull = true;
  const { admission, admit } = admissionOf({ connections: 2 }, () => !isFull);
  const refused = [admission.admit(HERE), admission.admit(HERE), admission.admit(HERE)];
  expect(refused.map(codeOf)).toEqual(Array<string>(3).fill("server_busy"));
  isFull = false;
  expect([admit(HERE), admit(HERE), admit(HERE)]).toEqual(["served", "served", "server_busy"]);
});

test("a client beyond the connection rate gets no place among those not logged in", () => {
  const asked: string[] = [];
  const { admit } = admissionOf({ connectionRate: { burst: 1, perSecond: 1 } }, (address) => {
    asked.push(address);
    return true;
  });
  expect([admit(HERE), admit(HERE), admit(HERE)]).toEqual(["served", "rate_limited", "rate_limited"]);
  expect(asked).toEqual([HERE]);
});

test("refusals are reported once a minute, with their counts", () => {
  const { clock, warnings, admit } = admissionOf({
    connections: 1,
    connectionRate: { burst: 3, perSecond: 0.001 },
  });
  for (let count = 0; count < 50; count++) admit(HERE);
  expect(warnings).toEqual([{ tooMany: 1, tooFast: 0 }]);
  clock.now = 60_000;
  admit(HERE);
  expect(warnings.slice(1)).toEqual([{ tooMany: 1, tooFast: 48 }]);
});
