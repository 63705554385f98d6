import { describe, expect, test } from "bun:test";

import type { ContactState, Decision } from "../../../src/client/contact-choices.ts";
import { openChat } from "../../../src/ui/chat/person-update.ts";
import { asIs, ChatScript, MINUTE, PEER, printed } from "./chat-script.ts";

test("errors that the peer reports are printed once a minute", () => {
  const script = new ChatScript("en");
  const report = (code: string) => printed(script.messenger({ name: "peerError", username: PEER, code }));
  const said = Array.from({ length: 500 }, (_, index) => report(`x${index}`)).flat();
  expect(said).toHaveLength(1);
  expect(report("storage_failed").join()).toMatch(/stay queued here and will be retried/);
  expect(report("storage_failed")).toEqual([]);
  script.now += MINUTE;
  expect([report("y").length, report("storage_failed").length]).toEqual([1, 1]);
});

describe("the link", () => {
  test("that comes and goes is never a line, whatever the server and the silence say", () => {
    const script = new ChatScript("en");
    const heardAt = undefined;
    const comesAndGoes = () => [
      script.messenger({ name: "presence", username: PEER, online: true }),
      script.connect(),
      script.messenger({ name: "silent", username: PEER, since: script.now }),
      script.messenger({ name: "silent", username: PEER, since: undefined }),
      script.messenger({ name: "disconnected", username: PEER, bye: script.now % 2 === 0, heardAt }),
      script.messenger({ name: "disconnected", username: PEER, bye: false, revoked: true, heardAt }),
      script.messenger({ name: "presence", username: PEER, online: false }),
      script.messenger({ name: "unreachable", username: PEER, reason: "offline", retryIn: 1, heardAt }),
      script.wait(997),
    ];
    expect(Array.from({ length: 3_600 }, comesAndGoes).flat(2)).toEqual([]);
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
    }
  });

  test("a key that waits is said as soon as the chat opens, and not again when the link fails for it", () => {
    const opened = (isVerified: boolean) => {
      const script = new ChatScript();
      const chat = { messages: [], isMore: false, state: "contact", isVerified, isKeyPending: true } as const;
      const said = printed(script.take({ name: "opened", ...chat })).slice(1);
      script.connect();
      const pending = { name: "keyPending", username: PEER, fingerprint: "ab", isVerified } as const;
      expect(printed(script.messenger(pending))).toEqual([]);
      expect(script.type("/accept")).toMatchObject([{ name: "acceptKey" }]);
      return said;
    };
    expect(opened(false)).toEqual([expect.stringMatching(/^La clave de benito ha cambiado.*\/accept/)]);
    expect(opened(true)).toEqual([
      expect.stringMatching(/^benito tiene otra clave que la verificada.*\/verify/),
    ]);
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
      script.messenger({ name: "connected", way: "direct", seeksDirect: false, username, address: "" }),
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

  test("that the server does not have, to somebody to whom one never wrote, says at once and once that nobody may have the name", () => {
    const script = new ChatScript("en");
    script.chat = openChat(PEER, true);
    const offline = { name: "unreachable", username: PEER, reason: "offline" } as const;
    const tried = () => printed(script.messenger({ ...offline, retryIn: undefined, heardAt: undefined }));
    expect(tried()).toEqual(["benito is not online, or nobody has that name. What you write waits here."]);
    script.write("1");
    expect(tried()).toEqual([]);
    // That it waits was said.
    expect(printed(script.wait(15_000))).toEqual([]);
    script.messenger({ ...offline, reason: "not_admitted", retryIn: undefined, heardAt: undefined });
    expect(printed(script.wait(1_000))).toHaveLength(1);
  });

  test("opens the chat with a stranger with one line, once it is known whether they are there", () => {
    const stranger = () => {
      const script = new ChatScript("en");
      script.chat = openChat(PEER, true);
      expect(
        printed(script.take({ name: "opened", messages: [], isMore: false, answered: new Map() })),
      ).toEqual([]);
      return script;
    };
    const [met, absent, unknown, typed] = [stranger(), stranger(), stranger(), stranger()];
    expect(printed(met.connect())).toEqual(["Chat with benito, encrypted. /help helps, exit leaves."]);
    const offline = { name: "unreachable", username: PEER, reason: "offline" } as const;
    const reported = { ...offline, retryIn: undefined, heardAt: undefined };
    expect(printed(absent.messenger(reported))).toEqual([
      "Chat with benito: not online, or nobody has that name. What you write waits here; exit leaves.",
    ]);
    expect(printed(absent.wait(10_000))).toEqual([]);
    const plain = "Chat with benito. /help helps, exit leaves.";
    expect(printed(unknown.wait(1_000))).toEqual([]);
    expect(printed(unknown.wait(1_000))).toEqual([plain]);
    expect(printed(typed.take({ name: "line", typed: "/nope", expand: asIs }))[0]).toBe(plain);
  });

  test("is what counts while there is one, and then what the server says", () => {
    const script = new ChatScript();
    const presence = (online: boolean) => script.messenger({ name: "presence", username: PEER, online });
    presence(false);
    expect(script.person.link).toEqual({ name: "away", reason: "offline" });
    presence(true);
    expect(script.person.link).toEqual({ name: "away", reason: undefined });
    script.connect();
    presence(false);
    expect(script.person.link.name).toBe("connected");
    expect(script.person.peer.isStranger).toBe(false);
  });
});

describe("who may write", () => {
  const held = { name: "held", to: PEER } as const;

  test("a request is said once, with what an answer does, until it is answered", () => {
    const script = new ChatScript("en");
    const asked = (count: number) =>
      printed(
        script.take({
          name: "messenger",
          event: { name: "request", from: PEER, count },
          known: { fingerprint: "3f2a91bc0d4e77aa".padEnd(64, "0") },
        }),
      );
    expect(asked(1)).toEqual([
      "benito (fingerprint 3f2a 91bc 0d4e 77aa) asks to write to you. Answering or /accept accepts; /decline declines; /block blocks.",
    ]);
    expect(asked(2)).toEqual([]);
    const contact = { name: "contact", username: PEER, state: "contact" } as const;
    expect(printed(script.messenger(contact))).toEqual(["benito may write to you."]);
    expect(printed(script.messenger(contact))).toEqual([]);
    expect(asked(1)).toHaveLength(1);
  });

  test("is said when the chat opens, if it is not as usual", () => {
    const opened = (state: ContactState) => {
      const script = new ChatScript("en");
      return printed(script.take({ name: "opened", messages: [], isMore: false, state })).slice(1);
    };
    expect([opened("contact"), opened("stranger")]).toEqual([[], []]);
    expect(opened("request")).toEqual([
      expect.stringMatching(
        /^benito asks to write to you\..* What they send is long, or a file, and is not shown before\.$/,
      ),
    ]);
    expect(opened("declined")).toEqual([expect.stringMatching(/^You have declined benito/)]);
    expect(opened("blocked")).toEqual([expect.stringMatching(/^You have blocked benito.*\/accept/)]);
  });

  test("is decided by a command, and who was refused is left", () => {
    const script = new ChatScript("en");
    const states = (state: ContactState) => script.messenger({ name: "contact", username: PEER, state });
    states("request");
    const decides = (decision: Decision) => [{ name: "decide", decision }];
    expect(script.type("/accept")).toMatchObject(decides("accept"));
    expect(script.type("/decline")).toMatchObject(decides("decline"));
    expect(script.type("/block")).toMatchObject(decides("block"));
    expect(script.take({ name: "decided", state: "contact" })).toEqual([]);
    for (const state of ["declined", "blocked"] as const)
      expect(script.take({ name: "decided", state })).toEqual([{ name: "leave", to: undefined }]);
    states("contact");
    expect(script.type("/accept")).toMatchObject([{ name: "acceptKey" }]);
    expect(printed(script.type("/decline"))).toEqual([expect.stringMatching(/does not ask/)]);
    states("blocked");
    expect(script.type("/accept")).toMatchObject(decides("accept"));
    expect(printed(script.type("/block"))).toEqual([expect.stringMatching(/You have blocked/)]);
  });

  test("a key that waits is accepted before its person, and the key of whoever was written to", () => {
    const other = new ChatScript("en");
    expect(other.type("/accept")).toMatchObject([{ name: "decide" }]);
    other.write("1");
    expect(other.type("/accept")).toMatchObject([{ name: "acceptKey" }]);
    const script = new ChatScript("en");
    script.messenger({ name: "contact", username: PEER, state: "request" });
    const reason = { reason: "key_pending", retryIn: undefined, heardAt: undefined } as const;
    script.messenger({ name: "unreachable", username: PEER, ...reason });
    expect(script.type("/accept")).toMatchObject([{ name: "acceptKey" }]);
  });

  test("that the peer holds what is written is said once, until they accept; nothing else says that it waits", () => {
    const script = new ChatScript("en");
    script.connect();
    script.write("1");
    expect(printed(script.messenger(held))).toEqual(["What you write waits until benito accepts you."]);
    expect(printed(script.messenger(held))).toEqual([]);
    expect(printed(script.wait(20_000))).toEqual([]);
    const accepted = { name: "accepted", username: PEER } as const;
    expect(printed(script.messenger(accepted))).toEqual(["benito has accepted you."]);
    expect(printed(script.messenger(held))).toHaveLength(1);
  });

  test("of others is not this chat's", () => {
    const script = new ChatScript("en");
    expect(printed(script.messenger({ name: "request", from: "carla", count: 1 }))).toEqual([]);
    expect(printed(script.messenger({ ...held, to: "carla" }))).toEqual([]);
  });
});

describe("other events", () => {
  test("that are not about the peer are announced by the application", () => {
    for (const event of [
      { name: "storageFailed", error: new Error("full") },
      { name: "clockOffset", offset: 10 * MINUTE },
      { name: "newKey" },
      { name: "server", state: { name: "online" }, linksUntil: undefined },
    ] as const)
      expect(new ChatScript().messenger(event)).toEqual([]);
  });

  test("of the peer stand in one harmless line", () => {
    const event = { name: "peerError", username: PEER, code: "x\u001b[2J" } as const;
    expect(printed(new ChatScript().messenger(event))).toEqual([expect.stringContaining("x␛[2J")]);
  });
});
