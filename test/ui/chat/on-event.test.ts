import { describe, expect, test } from "bun:test";

import { RefusedError } from "../../../src/client/errors.ts";
import { FileMovedError } from "../../../src/client/errors.ts";
import { openChat } from "../../../src/ui/chat/update.ts";
import { LINK_LINE_INTERVAL, LINK_LINES } from "../../../src/ui/chat/link-lines.ts";
import { ChatScript, MINUTE, NOON, PEER, printed, UNREACHABLE_REASONS } from "./chat-script.ts";

test("errors that the peer reports are printed once a minute", () => {
  const script = new ChatScript("en");
  const report = (code: string) => printed(script.messenger({ name: "peerError", username: PEER, code }));
  const said = Array.from({ length: 500 }, (_, index) => report(`x${index}`)).flat();
  expect(said).toHaveLength(1);
  expect(report("storage_failed")).toHaveLength(1);
  script.now += MINUTE;
  expect(report("y")).toHaveLength(1);
});

describe("the link", () => {
  test("has one line for each change, however often the event comes", () => {
    const script = new ChatScript();
    const bye = (value: boolean) =>
      script.messenger({ name: "disconnected", username: PEER, bye: value, heardAt: undefined });
    const changes = [() => script.connect(), () => bye(false), () => script.connect(), () => bye(true)];
    const lines = changes.map((change) => {
      const [first, again] = [printed(change()), printed(change())];
      expect(first).toHaveLength(1);
      expect(again).toEqual([]);
      return first[0];
    });
    expect(new Set(lines).size).toBe(lines.length);
  });

  test("that comes and goes without end is a few lines, and then now and then its state", () => {
    const script = new ChatScript("en");
    const ends = () =>
      printed(script.messenger({ name: "disconnected", username: PEER, bye: true, heardAt: undefined }));
    const flap = () => [...printed(script.connect()), ...ends()];
    const atOnce = Array.from({ length: 500 }, flap).flat();
    expect(atOnce).toHaveLength(LINK_LINES);
    const hour: string[] = [];
    for (let second = 0; second < 3_600; second++) {
      hour.push(...flap(), ...printed(script.wait(1_000)));
    }
    expect(hour.length).toBeLessThanOrEqual(3_600_000 / LINK_LINE_INTERVAL);
    expect(hour.length).toBeGreaterThan(0);
    // What it comes to is shown, and later each change at once again.
    script.connect();
    const calm = Array.from({ length: 60 }, () => printed(script.wait(1_000))).flat();
    expect([hour.at(-1), ...calm].at(-1)).toContain("Connected");
    script.now += LINK_LINES * LINK_LINE_INTERVAL;
    expect(ends()).toHaveLength(1);
    // With a clock that is set back as well.
    script.now -= 24 * 60 * MINUTE;
    expect([
      ...printed(script.connect()),
      ...Array.from({ length: 60 }, () => printed(script.wait(1_000))).flat(),
    ]).toHaveLength(1);
  });

  test("that ends because the peer's certificate was revoked is one line, which says so", () => {
    const script = new ChatScript("en");
    script.connect();
    const ended = { name: "disconnected", username: PEER, bye: false, revoked: true, heardAt: NOON } as const;
    const said = printed(script.messenger(ended));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`revoked ${PEER}'s certificate`);
    const again = {
      name: "unreachable",
      username: PEER,
      reason: "revoked",
      retryIn: 1,
      heardAt: NOON,
    } as const;
    expect(printed(script.messenger(again))).toEqual([]);
  });

  test.each(UNREACHABLE_REASONS)(
    "that cannot be had, %s, is told of once, in the words of a chat",
    (reason) => {
      for (const language of ["es", "en"] as const) {
        const script = new ChatScript(language);
        const fail = () =>
          script.messenger({ name: "unreachable", username: PEER, reason, retryIn: 1, heardAt: undefined });
        const said = printed(fail());
        expect(said).toHaveLength(1);
        expect(said[0]).not.toContain("--");
        expect(fail()).toEqual([]);
        script.connect();
        // A new key is told of once an hour.
        if (reason === "key_pending") script.now += 60 * MINUTE;
        expect(printed(fail())).toEqual(said);
      }
    },
  );

  test("to a stranger who is offline says that perhaps nobody has that name", () => {
    const fail = {
      name: "unreachable",
      username: PEER,
      reason: "offline",
      retryIn: undefined,
      heardAt: undefined,
    } as const;
    const stranger = new ChatScript("en");
    stranger.chat = openChat(PEER, true);
    expect(printed(stranger.messenger(fail)).join()).toContain("or nobody has that name");
    const met = new ChatScript("en");
    expect(printed(met.messenger(fail)).join()).not.toContain("nobody");
  });

  test("that waits for a key says so once, whichever event comes first", () => {
    const pending = { name: "keyPending", username: PEER, fingerprint: "ab", isVerified: false } as const;
    const failed = {
      name: "unreachable",
      username: PEER,
      reason: "key_pending",
      retryIn: undefined,
      heardAt: undefined,
    } as const;
    for (const events of [
      [pending, failed],
      [failed, pending],
    ]) {
      const script = new ChatScript();
      const said = events.flatMap((event) => printed(script.messenger(event)));
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(/\/fingerprint.*\/accept/);
      expect(script.chat.peer.isKeyPending).toBe(true);
    }
  });

  test("is tried again with an accepted key, and another key that waits is said again", () => {
    const script = new ChatScript();
    const pending = () =>
      printed(
        script.messenger({
          name: "unreachable",
          username: PEER,
          reason: "key_pending",
          retryIn: undefined,
          heardAt: undefined,
        }),
      );
    const said = pending();
    expect(printed(script.take({ name: "keyAccepted", result: "accepted" }))).toHaveLength(1);
    expect(pending()).toEqual(said);
  });

  test("that comes and goes says once an hour that a key waits", () => {
    const script = new ChatScript();
    const flap = () => {
      const presence = (online: boolean) => script.messenger({ name: "presence", username: PEER, online });
      const failed = {
        name: "unreachable",
        username: PEER,
        reason: "key_pending",
        retryIn: undefined,
        heardAt: undefined,
      } as const;
      return [presence(false), presence(true), script.messenger(failed)]
        .flatMap(printed)
        .filter((line) => line.includes("/accept"));
    };
    const said = Array.from({ length: 60 }, () => {
      script.now += 60_000;
      return flap().length;
    });
    expect(said.filter((count) => count > 0)).toEqual([1]);
    script.now += 60_000;
    expect(flap()).toHaveLength(1);
  });

  test("of others is not this chat's", () => {
    const script = new ChatScript();
    const username = "carla";
    for (const effects of [
      script.messenger({ name: "connected", username, address: "" }),
      script.messenger({ name: "disconnected", username, bye: true, heardAt: undefined }),
      script.messenger({ name: "unreachable", username, reason: "offline", retryIn: 1, heardAt: undefined }),
      script.messenger({ name: "presence", username, online: false }),
      script.messenger({ name: "keyPending", username, fingerprint: "ab", isVerified: false }),
      script.messenger({ name: "typing", username, active: true }),
      script.messenger({ name: "peerError", username, code: "x" }),
    ]) {
      expect(effects).toEqual([]);
    }
    expect(script.chat).toEqual(new ChatScript().chat);
  });

  test("makes what the server says of the peer unimportant", () => {
    const script = new ChatScript();
    const presence = (online: boolean) =>
      printed(script.messenger({ name: "presence", username: PEER, online }));
    expect(presence(true)).toEqual([]);
    expect(presence(false)).toHaveLength(1);
    expect(presence(false)).toEqual([]);
    expect(
      printed(
        script.messenger({
          name: "unreachable",
          username: PEER,
          reason: "offline",
          retryIn: 1,
          heardAt: undefined,
        }),
      ),
    ).toEqual([]);
    expect(presence(true)).toEqual(["benito está en línea; conectando…"]);
    expect(presence(true)).toEqual([]);
    script.connect();
    expect(presence(false)).toEqual([]);
    expect(script.chat.link.name).toBe("connected");
  });
});

describe("the server", () => {
  const why = new Error("gone");

  test("that ends with the peer's program says both, whichever event comes first", () => {
    for (const bye of [true, false]) {
      const gone = [
        { name: "presence", username: PEER, online: false },
        { name: "disconnected", username: PEER, bye, heardAt: undefined },
      ] as const;
      const [one, other] = [gone, gone.toReversed()].map((events) => {
        const script = new ChatScript();
        script.connect();
        return events.flatMap((event) => printed(script.messenger(event)));
      });
      expect(one).toHaveLength(2);
      expect(one?.[1]).toContain("no está en línea");
      expect(other).toEqual(one as string[]);
    }
  });

  test("gets one notice when it is lost and one when it is back", () => {
    const script = new ChatScript();
    const states = ["waiting", "connecting", "offline", "waiting", "connecting", "online", "online"] as const;
    const said = states.map((name) => {
      const state = name === "waiting" ? { name, until: NOON, why } : { name };
      return printed(script.messenger({ name: "server", state, linksUntil: undefined })).length;
    });
    expect(said).toEqual([1, 0, 0, 0, 0, 1, 0]);
  });

  test.each([
    ["es", "inicie sesión otra vez"],
    ["en", "log in again"],
  ] as const)("that takes us no more says in %s what to do", (language, words) => {
    const state = { name: "stopped", why } as const;
    expect(
      printed(new ChatScript(language).messenger({ name: "server", state, linksUntil: undefined })).join(),
    ).toContain(words);
  });

  test("that a session has ended is printed once, however many processes find out", () => {
    const chat = new ChatScript("en");
    const state = { name: "stopped", why: new RefusedError("session_expired", "") } as const;
    const stopped = { name: "server", state, linksUntil: undefined } as const;
    expect(printed(chat.messenger(stopped))).toHaveLength(1);
    expect(printed(chat.messenger(stopped))).toEqual([]);
  });
});

const DAMAGE = Object.assign(new Error("malformed"), { code: "SQLITE_CORRUPT" });

describe("other events", () => {
  test("without a server a stranger has no last addresses", () => {
    const fail = {
      name: "unreachable",
      username: PEER,
      reason: "no_server",
      retryIn: 1,
      heardAt: undefined,
    } as const;
    const stranger = new ChatScript();
    stranger.chat = openChat(PEER, true);
    expect(printed(stranger.messenger(fail)).join()).toStartWith(
      "Sin servidor no se sabe dónde está benito, ni si alguien se llama así.",
    );
    stranger.connect();
    expect(stranger.chat.peer.isStranger).toBe(false);
  });

  test.each([
    [{ name: "storageFailed", error: new Error("full\u001b") }, "full␛"],
    [{ name: "storageFailed", error: DAMAGE }, "está dañado. Salga del programa"],
    [{ name: "storageFailed", error: new FileMovedError("a/profile.db") }, "a/profile.db se ha borrado"],
    [{ name: "peerError", username: PEER, code: "x\u001b[2J" }, "x␛[2J"],
    [{ name: "clockOffset", offset: 10 * MINUTE }, "10 minutos"],
    [{ name: "newKey" }, "clave"],
  ] as const)("%#: stands in one harmless line", (event, words) => {
    const said = printed(new ChatScript().messenger(event));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(words);
  });

  test("clocks that nearly agree give no warning", () => {
    expect(new ChatScript().messenger({ name: "clockOffset", offset: -5 * MINUTE })).toEqual([]);
  });
});
