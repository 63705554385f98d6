import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { label } from "../../../src/identity/names.ts";
import { revokes, type DatedCertificate, type Revocation } from "../../../src/identity/revocation.ts";
import { MAX_REVOKED } from "../../../src/protocol/rendezvous-messages.ts";
import {
  afterAdding,
  MAX_OWN_REVOCATIONS,
  nextRevocation,
  Revocations,
  type RevocationCause,
  type StoredRevocation,
} from "../../../src/server/store/revocations.ts";

const HOUR = 3_600_000;
const NOON = Date.UTC(2027, 0, 15, 12);
const SECOND = NOON / 1_000;
const OPERATOR: RevocationCause = { name: "operator" };
const DELETION: RevocationCause = { name: "deletion" };
const changed = (key?: string): RevocationCause => ({ name: "password", key });
const [KEY, OTHER] = ["1".repeat(64), "2".repeat(64)];

/** What a store has. */
let stored: StoredRevocation[];
let revocations: Revocations;
let now: number;
let certified: number;
let made: Revocation[];

beforeEach(() => {
  [stored, now, certified, made] = [[], NOON, 0, []];
  revocations = read();
});

afterEach(() => expect(revocations.page()).toEqual(read().page()));

/** As a server that starts now has them. */
function read(): Revocations {
  return new Revocations(stored, { now: () => now, made: (revocation) => made.push(revocation) });
}

/** As a store makes one, and the server learns of it. */
function revoke(username: string, cause = OPERATOR): Revocation | undefined {
  made = [];
  const own = label(username);
  const known = stored.filter((each) => each.label === own);
  const revocation = nextRevocation(username, cause, { stored: known, certified, now, margin: 0 });
  if (revocation === undefined) return undefined;
  const others = stored.filter((each) => each.label !== own);
  stored = [...others, ...afterAdding(revocation, known, now)];
  revocations.changed({ revocation, dropped: 0 });
  return made[0];
}

describe("a revocation", () => {
  test("is of the second after it was made, in whole seconds", () => {
    now += 999;
    expect(revoke("ana")).toEqual({ label: label("ana"), before: SECOND + 1, except: undefined });
    expect(revocations.page()).toEqual({ revoked: made, next: undefined });
    expect(revocations.since(label("ana"))).toBe((SECOND + 1) * 1_000);
    expect(revocations.since(label("berta"))).toBe(0);
  });

  test("comes after certificates of the same second, and replaces the earlier ones whose work it does", () => {
    revoke("ana", changed(KEY));
    expect(revoke("ana", DELETION)?.before).toBe(SECOND + 2);
    expect(revocations.page().revoked).toEqual(made);
    expect(revoke("ana")?.before).toBe(SECOND + 3);
    expect(revocations.page().revoked).toEqual(made);
    expect(revoke("ana")?.before).toBe(SECOND + 4);
    expect(revocations.page().revoked).toEqual(made);
  });

  test("that excepts a key makes nothing good that was taken back before", () => {
    const stolen = { label: label("ana"), notBefore: NOON - HOUR, fingerprint: KEY };
    const isRevoked = (certificate: DatedCertificate) =>
      revocations.page().revoked.some((each) => revokes(each, certificate));
    revoke("ana", OPERATOR);
    for (const key of [KEY, OTHER, KEY, KEY, OTHER]) {
      now += HOUR + 1_000;
      expect(revoke("ana", changed(key))).toMatchObject({ except: key });
      expect(isRevoked(stolen)).toBe(true);
      expect(isRevoked({ ...stolen, notBefore: now - HOUR, fingerprint: key })).toBe(false);
      expect(revocations.page().revoked.length).toBeLessThanOrEqual(3);
    }
  });

  test("of the operator gives a person no further ones", () => {
    revoke("ana", changed(undefined));
    revoke("ana", OPERATOR);
    expect(revoke("ana", changed(undefined))).toBeDefined();
    expect(revoke("ana", changed(undefined))).toBeUndefined();
    expect(revoke("ana", changed(KEY))).toBeUndefined();
  });

  test("that a changed password makes excepts its key, and follows another one after an hour only", () => {
    expect(revoke("ana", changed(KEY))).toMatchObject({ except: KEY });
    now += HOUR - 1_000;
    expect(revoke("ana", changed(KEY))).toBeUndefined();
    expect(revoke("berta", changed(KEY))).toBeDefined();
    expect(revoke("ana", OPERATOR)).toEqual({
      label: label("ana"),
      before: SECOND + 3_600,
      except: undefined,
    });
    now += HOUR + 1_000;
    expect(revoke("ana", changed(KEY))?.except).toBe(KEY);
    expect(revoke("ana", DELETION)).toBeDefined();
  });

  test("is told for 73 hours after its second", () => {
    revoke("ana");
    now = NOON + 1_000 + 73 * HOUR - 1;
    expect(revocations.page().revoked.length).toBe(1);
    now++;
    expect(revocations.page().revoked).toEqual([]);
  });

  test("is not lost if the clock was days ahead for a while", () => {
    revoke("ana");
    now += 7 * 24 * HOUR;
    revoke("berta");
    now = NOON;
    expect(revocations.page().revoked.map((each) => each.label)).toContain(label("ana"));
  });
});

describe("after the clock was set back", () => {
  test("a revocation takes back what was certified before, and what an earlier one has allowed", () => {
    certified = NOON + 500;
    now = NOON - 48 * HOUR;
    expect(revoke("ana")?.before).toBe(SECOND + 1);
    certified = 0;
    expect(revoke("ana")?.before).toBe(SECOND + 2);
    expect(revocations.since(label("ana"))).toBe((SECOND + 2) * 1_000);
  });

  test("a revocation of a clock that was years ahead does not lock the account out", () => {
    now += 10 * 365 * 24 * HOUR;
    revoke("ana");
    now = NOON;
    expect(revocations.since(label("ana"))).toBe(0);
    expect(revocations.page().revoked).toEqual([]);
    expect(revoke("ana")?.before).toBe(SECOND + 1);
  });

  test("certificates from the far future do not hold an account back for years", () => {
    certified = NOON + 10 * 365 * 24 * HOUR;
    expect(revoke("ana")?.before).toBe(SECOND + 73 * 3_600 + 1);
  });
});

test("pages hold 300, the newest first, and together all", () => {
  for (let count = 0; count < 2 * MAX_REVOKED + 50; count++) {
    // Ten of a second, so that a page ends between some of one second.
    now = NOON + Math.floor(count / 10) * 1_000;
    revoke(`user${count}`);
  }
  const pages: (readonly Revocation[])[] = [];
  for (let page = revocations.page(); ; page = revocations.page(page.next)) {
    pages.push(page.revoked);
    // New ones do not disturb those that follow.
    revoke(`later${pages.length}`);
    if (page.next === undefined) break;
  }
  expect(pages.map((page) => page.length)).toEqual([300, 300, 50]);
  const all = pages.flat();
  expect(new Set(all.map((each) => each.label)).size).toBe(650);
  expect(all.map(({ before }) => before)).toEqual(all.map(({ before }) => before).toSorted((a, b) => b - a));
});

test("the first page holds what was revoked in this very second, and not what has ended since", () => {
  expect(revocations.page().revoked).toEqual([]);
  revoke("ana");
  expect(revocations.page().revoked).toMatchObject([{ label: label("ana") }]);
  now += 74 * HOUR;
  expect(revocations.page().revoked).toEqual([]);
});

test("in memory, too, people's own are the newest 20,000, and the operator's all", () => {
  stored = Array.from({ length: MAX_OWN_REVOCATIONS }, (_, count) => {
    const before = SECOND - MAX_OWN_REVOCATIONS + count;
    return { label: label(`user${count}`), before, byOperator: count === 0 };
  }).reverse();
  revocations = read();
  revocations.add({ label: label("ana"), before: SECOND, byOperator: false });
  expect([0, 1, 2].map((count) => revocations.since(label(`user${count}`)) > 0)).toEqual([true, true, true]);
  revocations.add({ label: label("bob"), before: SECOND, byOperator: false });
  stored = [
    ...["bob", "ana"].map((name) => ({ label: label(name), before: SECOND, byOperator: false })),
    ...stored,
  ];
  expect([0, 1, 2].map((count) => revocations.since(label(`user${count}`)) > 0)).toEqual([true, false, true]);
});

test("of several servers is later by what a certificate may take on another one", () => {
  const known = { stored: [], certified: 0, now: NOON, margin: 10 };
  expect(nextRevocation("ana", OPERATOR, known)?.before).toBe(SECOND + 11);
});

test("one that is known is not told again, and one that comes late takes nothing back", () => {
  const first = { label: label("ana"), before: SECOND, except: undefined, byOperator: true };
  const later = { label: label("ana"), before: SECOND + 10, except: KEY, byOperator: false };
  revocations.add(later);
  const { version } = revocations;
  revocations.add(later);
  expect([revocations.version, made.length]).toEqual([version, 1]);
  revocations.add(first);
  expect(revocations.version).toBeGreaterThan(version);
  expect(revocations.page().revoked).toHaveLength(2);
  expect(revocations.since(label("ana"))).toBe((SECOND + 10) * 1_000);
  stored = [later, first];
});
