import { describe, expect, test } from "bun:test";

import type { ContactRecord } from "../../../src/client/peer/contact-record.ts";
import { dialPeer, reasonOf, ungreeted } from "../../../src/client/peer/dial.ts";
import type { PeerTls } from "../../../src/client/peer/tls.ts";
import type { Whereabouts } from "../../../src/client/rendezvous/directory.ts";
import { DialBudget } from "../../../src/client/peer/dial-limits.ts";
import { dial, DialError, interleaveFamilies, type Target } from "../../../src/net/dialler.ts";
import type { TlsContext } from "../../../src/net/tls.ts";

test.each([
  [{ name: "told", code: "busy" }, "busy"],
  [{ name: "told", code: "key_pending" }, "own_key_pending"],
  [{ name: "told", code: "unsupported_protocol" }, "greeting_refused"],
  [{ name: "local", code: "wrong_name" }, "bad_greeting"],
  [{ name: "local", code: "bad_json" }, "bad_greeting"],
  [{ name: "local", code: "hello_timeout" }, "no_greeting"],
  [{ name: "remote" }, "not_admitted"],
  // So does a client that terminates the connection.
  [{ name: "lost", code: "ECONNRESET" }, "not_admitted"],
  [{ name: "lost", code: "ETIMEDOUT" }, "line_broke"],
  [{ name: "lost", code: "EHOSTUNREACH" }, "line_broke"],
  [{ name: "lost", code: "ENETDOWN" }, "line_broke"],
] as const)("a link that ended before its greeting by %j is %s", (end, reason) => {
  expect(ungreeted(end)).toBe(reason);
});

test.each([
  [["timeout"], "no_answer"],
  [["timeout", "ENETUNREACH", "EHOSTUNREACH", "ETIMEDOUT"], "no_answer"],
  [["ENETUNREACH", "EHOSTUNREACH"], "unreachable"],
  [["timeout", "ECONNREFUSED"], "unreachable"],
  // The kernel of a machine whose program hangs has answered.
  [["timeout", "handshake_timeout"], "unreachable"],
  [["timeout", "CERT_HAS_EXPIRED"], "not_in_date"],
  [["another_name"], "not_proven"],
  [["timeout", "revoked"], "revoked"],
] as const)("dials that failed with %j are %s", (codes, reason) => {
  const failures = codes.map((code) => ({ ip: "192.0.2.1", port: 9000, code }));
  expect(reasonOf({ failures }, undefined)).toBe(reason);
});

describe("somebody who was heard on the local network", () => {
  const NEARBY = { ip: "192.168.1.7", port: 9_001 };

  /** How far a dial gets before it needs a certificate, which there is not; `late`: the server does not answer. */
  async function dialled(
    where: Whereabouts | "late",
    {
      nearby = [NEARBY],
      hasKey = true,
      more = {},
    }: { nearby?: readonly Target[]; hasKey?: boolean; more?: Partial<Parameters<typeof dialPeer>[0]> } = {},
  ): Promise<string | undefined> {
    const never = Promise.withResolvers<Whereabouts>().promise;
    const needs: Parameters<typeof dialPeer>[0] = {
      tls: { dialling: () => undefined } as unknown as PeerTls,
      account: "a",
      dial,
      budget: new DialBudget(),
      own: () => ({ isServerLocal: false, port: 9_000, addresses: [] }),
      relay: () => "auto",
      lookUp: async () => (where === "late" ? never : where),
      nearby: () => nearby,
      meet: (_race, _isOpen, dialled) => dialled,
      clock: {
        monotonic: () => 0,
        after: (_ms, run) => {
          if (where === "late") queueMicrotask(run);
          return () => undefined;
        },
      },
      ...more,
    };
    const moved = () => undefined;
    const record = { username: "ana", label: "l", targets: [], hasKey, moved } as unknown as ContactRecord;
    const answer = dialPeer(needs, record, new AbortController().signal, () => undefined);
    return Promise.race([answer, Bun.sleep(0).then(() => "waits")]);
  }

  test("is dialled there first, whatever the server names", async () => {
    const order: Target[] = [];
    const more = {
      tls: { dialling: () => ({}) as TlsContext } as unknown as PeerTls,
      dial: async ({ targets }: Parameters<typeof dial>[0]) => {
        order.push(...interleaveFamilies(targets));
        throw new DialError("abandoned", []);
      },
    };
    const elsewhere = [{ ip: "2a00:1::1", port: 9_000 }, { ip: "80.1.0.1", port: 9_000 }, NEARBY];
    const where = {
      name: "online",
      username: "ana",
      targets: elsewhere,
      isOpen: true,
      secure: true,
    } as const;
    await dialled({ ...where, fingerprint: undefined }, { more });
    expect(order).toEqual([NEARBY, ...elsewhere.slice(0, 2)]);
  });

  test("is dialled although the server says that they are offline, is not there, or limits", async () => {
    const answers: Whereabouts[] = [{ name: "offline" }, { name: "noServer" }, { name: "limited" }];
    for (const where of answers) expect(await dialled(where)).toBe("no_certificate");
    expect(await dialled({ name: "offline" }, { nearby: [] })).toBe("offline");
    expect(await dialled({ name: "noServer" }, { nearby: [] })).toBe("no_server");
  });

  test("does not wait long for the server, unless it has to say which key is theirs", async () => {
    expect(await dialled("late")).toBe("no_certificate");
    expect(await dialled("late", { hasKey: false })).toBe("waits");
    expect(await dialled("late", { nearby: [] })).toBe("waits");
  });
});

describe("somebody who was reached before", () => {
  const KNOWN = { ip: "80.1.0.1", port: 9_000 };

  /** Where they are dialled before the server has answered. */
  async function dialledEarly(
    more: { hasKey?: boolean; isRelayOnly?: boolean; targets?: readonly Target[] },
    relay: "auto" | "only" = "auto",
  ): Promise<readonly Target[]> {
    const dialled: Target[] = [];
    const abort = new AbortController();
    const answer = dialPeer(
      {
        tls: { dialling: () => ({}) as TlsContext, prove: () => ({ ok: false, code: "bad_certificate" }) },
        account: "a",
        dial: async ({ targets }) => {
          dialled.push(...targets);
          throw new DialError("abandoned", []);
        },
        budget: new DialBudget(),
        own: () => ({ isServerLocal: false, port: 9_000, addresses: [] }),
        relay: () => relay,
        lookUp: async (_username, asked) => {
          asked();
          abort.abort();
          return { name: "noServer" };
        },
        nearby: () => [],
        meet: (_race, _isOpen, ended) => ended,
        clock: { monotonic: () => 0, after: () => () => undefined },
      },
      { username: "ana", label: "l", targets: [KNOWN], hasKey: true, ...more } as unknown as ContactRecord,
      abort.signal,
      () => undefined,
    );
    expect(await answer).toBeUndefined();
    return dialled;
  }

  test("is dialled there while the server is asked, if a key is known and both may be told addresses", async () => {
    expect(await dialledEarly({})).toEqual([KNOWN]);
    // The budget of dials has to last for what the server names.
    expect(await dialledEarly({ targets: [KNOWN, { ...KNOWN, port: 9_001 }] })).toEqual([KNOWN]);
    expect(await dialledEarly({ hasKey: false })).toEqual([]);
    expect(await dialledEarly({ isRelayOnly: true })).toEqual([]);
    expect(await dialledEarly({}, "only")).toEqual([]);
    // Who is elsewhere has a loopback address of their own.
    expect(await dialledEarly({ targets: [{ ip: "127.0.0.1", port: 9_000 }] })).toEqual([]);
  });
});
