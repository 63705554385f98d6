import { describe, expect, test } from "bun:test";

import {
  judge,
  MAX_REQUEST,
  MAX_UNASKED,
  MAX_UNASKED_A_DAY,
  type Circumstances,
  type Item,
} from "../../../src/client/conversation/consent.ts";
import type { Consent } from "../../../src/client/profile/consents.ts";

const NOW = Date.UTC(2027, 0, 15, 12);
const DAY = 86_400_000;

const CIRCUMSTANCES: Circumstances = {
  who: "requests",
  now: NOW,
  network: "192.0.2.7",
  lastSeq: () => 41,
  hasRoom: () => true,
  unaskedBytes: () => 0,
};
const STRANGER = { name: "stranger" } as const;

const text = (bytes = 10): Item => ({ kind: "text", bytes, idBytes: 36, isDuplicate: false });
const action = (bytes = 0): Item => ({ kind: "action", bytes, idBytes: 72, isDuplicate: false });
const duplicate = (item: Item): Item => ({ ...item, isDuplicate: true });

function asking(texts: number, actions = 0, bytes = 0): Extract<Consent, { name: "request" }> {
  const request = { since: NOW - 1_000, network: "192.0.2.7", afterSeq: 5, texts, actions, bytes };
  return { name: "request", request };
}

function unasked(
  bytes: number,
  dayBytes: number,
  day = Math.floor(NOW / DAY),
): Consent & { name: "unasked" } {
  return { name: "unasked", unasked: { bytes, day, dayBytes } };
}

function judged(
  consent: Exclude<Consent, { name: "contact" }>,
  items: readonly Item[],
  more: Partial<Circumstances> = {},
) {
  return judge(consent, items, { ...CIRCUMSTANCES, ...more });
}

describe("a stranger's first messages", () => {
  test("are a request that begins now, where they come from", () => {
    expect(judged(STRANGER, [text(10), action(5), text(20)])).toEqual({
      taken: 3,
      consent: {
        name: "request",
        request: { since: NOW, network: "192.0.2.7", afterSeq: 41, texts: 2, actions: 1, bytes: 35 },
      },
      rest: "none",
    });
  });

  test("are taken up to three texts", () => {
    const { taken, consent, rest } = judged(STRANGER, [text(), text(), text(), text(), action()]);
    expect([taken, consent?.name === "request" && consent.request.texts, rest]).toEqual([3, 3, "held"]);
    expect(judged(asking(3), [text()])).toEqual({ taken: 0, consent: undefined, rest: "held" });
  });

  test("are taken up to 16 actions on them", () => {
    const { actions } = MAX_REQUEST;
    expect(judged(asking(1, actions - 1), [action(), action()])).toMatchObject({ taken: 1, rest: "held" });
    expect(judged(asking(1, actions), [action()])).toMatchObject({ taken: 0, rest: "held" });
  });

  test("are taken up to 16 KiB of text, in texts and edits", () => {
    const { bytes } = MAX_REQUEST;
    expect(judged(STRANGER, [text(bytes - 10), action(10)])).toMatchObject({ taken: 2, rest: "none" });
    expect(judged(asking(1, 0, bytes - 10), [action(11)])).toMatchObject({ taken: 0, rest: "held" });
    expect(judged(asking(1, 0, bytes - 10), [text(11), text(1)])).toMatchObject({ taken: 0, rest: "held" });
  });

  test("that do not fit are a request without a text", () => {
    const { taken, consent, rest } = judged(STRANGER, [text(MAX_REQUEST.bytes + 1)]);
    expect([taken, rest]).toEqual([0, "held"]);
    expect(consent).toMatchObject({ name: "request", request: { texts: 0, actions: 0, bytes: 0 } });
  });

  test("are held, and nothing is stored, where there is no room or only contacts may write", () => {
    const nothing = { taken: 0, consent: undefined, rest: "held" } as const;
    expect(judged(STRANGER, [text()], { hasRoom: () => false })).toEqual(nothing);
    expect(judged(STRANGER, [text()], { who: "contacts" })).toEqual(nothing);
    expect(judged(asking(1), [text()], { who: "contacts" })).toEqual(nothing);
  });

  test("that are there already count nothing", () => {
    expect(judged(asking(3, 16), [duplicate(text()), duplicate(action()), text()])).toEqual({
      taken: 2,
      consent: undefined,
      rest: "held",
    });
  });
});

test("of who was declined only what is there already is taken, and of who is blocked nothing", () => {
  expect(judged({ name: "declined" }, [duplicate(text()), text(), text()])).toEqual({
    taken: 1,
    consent: undefined,
    rest: "held",
  });
  expect(judged({ name: "blocked" }, [duplicate(text()), text()])).toEqual({
    taken: 0,
    consent: undefined,
    rest: "ignored",
  });
});

describe("where anyone may write", () => {
  const anyone = { who: "anyone" } as const;

  test("a stranger is taken unasked, and what they send counts", () => {
    const { taken, consent, rest } = judged(STRANGER, [text(1_000), action(), text(30_000)], anyone);
    expect([taken, rest]).toEqual([3, "none"]);
    expect(consent).toMatchObject({ name: "unasked", unasked: { day: Math.floor(NOW / DAY) } });
    if (consent?.name !== "unasked") throw new Error("not taken unasked");
    expect(consent.unasked.bytes).toBeGreaterThan(31_000);
    expect(consent.unasked.dayBytes).toBe(consent.unasked.bytes);
  });

  test("one person has so many bytes a day, by the day of this machine's clock", () => {
    const almost = unasked(5_000_000, MAX_UNASKED_A_DAY - 1_000);
    expect(judged(almost, [text(500), text(500)], anyone)).toMatchObject({ taken: 1, rest: "held" });
    expect(judged(almost, [text(500), text(500)], { ...anyone, now: NOW + DAY })).toMatchObject({
      taken: 2,
      rest: "none",
      consent: { unasked: { day: Math.floor(NOW / DAY) + 1 } },
    });
  });

  test("all of them together have so many bytes", () => {
    const others = { ...anyone, unaskedBytes: () => MAX_UNASKED - 1_000 };
    expect(judged(unasked(400, 400), [text(100), text(100)], others)).toMatchObject({
      taken: 1,
      rest: "held",
    });
    // Nobody is stored of whom nothing is taken.
    expect(judged(STRANGER, [text(1_000)], others)).toEqual({ taken: 0, consent: undefined, rest: "held" });
  });

  test("who was taken unasked stays so when only contacts may write", () => {
    expect(judged(unasked(400, 400), [text()], { who: "contacts" })).toMatchObject({
      taken: 1,
      rest: "none",
    });
  });
});
