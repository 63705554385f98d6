import { describe, expect, test } from "bun:test";

import type { RendezvousState } from "../../../src/client/rendezvous/session.ts";
import { BRIEF_OUTAGE, ServerOutage } from "../../../src/client/rendezvous/shown-server.ts";

describe("an outage of the server", () => {
  const online: RendezvousState = { name: "online" };
  const offline: RendezvousState = { name: "offline" };
  const connecting: RendezvousState = { name: "connecting" };
  const waiting: RendezvousState = { name: "waiting", until: 5, why: new Error("gone") };

  /** Online at 0, and lost at 1,000. */
  function away(): ServerOutage {
    const outage = new ServerOutage();
    expect(outage.take(connecting, 0)).toBe(true);
    expect(outage.take(online, 0)).toBe(true);
    expect(outage.isBrief).toBe(false);
    expect(outage.take(waiting, 1_000)).toBe(false);
    expect(outage.isBrief).toBe(true);
    return outage;
  }

  test("that ends in time is never shown", () => {
    const outage = away();
    for (const state of [connecting, offline, waiting, connecting])
      expect(outage.take(state, 2_000)).toBe(false);
    expect(outage.overdue(1_000 + BRIEF_OUTAGE - 1)).toBeUndefined();
    expect(outage.take(online, 1_000 + BRIEF_OUTAGE - 1)).toBe(false);
    expect(outage.isBrief).toBe(false);
    expect(outage.overdue(1_000_000)).toBeUndefined();
  });

  test("that lasts longer is shown once, and so is its end", () => {
    const outage = away();
    expect(outage.overdue(1_000 + BRIEF_OUTAGE)).toBe(waiting);
    expect(outage.isBrief).toBe(false);
    expect(outage.overdue(1_000 + 2 * BRIEF_OUTAGE)).toBeUndefined();
    expect(outage.take(online, 60_000)).toBe(true);
  });

  test("whose time ends during an attempt is shown after that attempt", () => {
    const outage = away();
    outage.take(connecting, 5_000);
    expect(outage.overdue(1_000 + BRIEF_OUTAGE)).toBeUndefined();
    expect(outage.take(waiting, 15_000)).toBe(true);
  });

  test("is shown at once if the client was never online, and if no attempt follows", () => {
    const never = new ServerOutage();
    for (const state of [connecting, offline, waiting]) expect(never.take(state, 0)).toBe(true);
    expect(away().take({ name: "stopped", why: new Error("replaced") }, 2_000)).toBe(true);
    const once = new ServerOutage();
    once.take(online, 0);
    expect(once.take(offline, 1)).toBe(true);
  });
});
