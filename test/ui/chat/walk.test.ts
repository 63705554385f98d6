import { expect, test } from "bun:test";

import type { SharedFile } from "../../../src/client/conversation/events.ts";
import type { UnreachableReason } from "../../../src/client/peer/dial.ts";
import type { MessageState } from "../../../src/client/disk/schema.ts";
import { chatPrompt } from "../../../src/ui/chat/update.ts";
import { MAX_PENDING } from "../../../src/ui/chat/delivery-tracking.ts";
import { renderLine } from "../../../src/ui/format/printed-line.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";
import { sharedFile } from "./files/shared-file.ts";
import { asIs, ChatScript, incoming, linesOf, NOON, outgoing, PEER } from "./chat-script.ts";

const STATES: readonly MessageState[] = ["queued", "sent", "received", "read"];
const REASONS: readonly UnreachableReason[] = [
  "offline",
  "unreachable",
  "key_pending",
  "revoked",
  "insecure",
  "no_server",
];
const FILE_STATES: readonly SharedFile["state"][] = [
  "offered",
  "accepted",
  "running",
  "paused",
  "done",
  "declined",
  "cancelled",
  "failed",
];
const LINES = [
  "hola",
  "",
  "exit",
  "/help",
  "/more",
  "/users",
  "/accept",
  "/x",
  "//x",
  "/say exit",
  "/chat ana",
  "\ud800",
  "/edit #1 x",
  "/reply x",
  "/withdraw",
  "/cancel #2",
  "/list 3",
  "/delete chat benito",
  "/send x»",
  "/get #x»",
  "/stop",
];
/** It ends a quotation, and goes on in our voice. */
const FORGED = 'x»”"›’’\n*** FORGED';
const TEXTS = [FORGED, "hola", "uno\ndos", "\u001b[2J\r\u202e", "17:05 ana: sí\n— aviso", "👨‍👩‍👧", ""];
const CHATS = 20;
const EVENTS = 200;

test("random events in any order: no error, no message twice, no state that goes back", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < CHATS; round++) {
    const script = new ChatScript(random.pick(["es", "en"] as const));
    const shown = new Map<string, number>();
    const ids: string[] = [];
    let seq = 100;
    let written = 0;
    const user = () => random.pick([PEER, PEER, PEER, "Benito", "carla"]);
    const stored = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) =>
        random.next() < 0.5
          ? incoming(from + index, `#${from + index}`)
          : outgoing(from + index, `#${from + index}`, random.pick(STATES)),
      );
    const older = stored(0, 100);
    const happenings: readonly (() => unknown)[] = [
      () =>
        script.messenger({
          name: "message",
          from: user(),
          message: incoming(seq - random.integer(3), `#${seq++}`),
        }),
      () =>
        script.messenger({
          name: "message",
          from: PEER,
          message: incoming(seq, `#${seq++}`, { sentAt: NOON - random.integer(1e9) }),
        }),
      () => {
        ids.push(`id${written}`);
        script.write(`id${written}`, `#own${written++}${random.pick(TEXTS)}`);
      },
      () => script.messenger({ name: "request", from: user(), count: random.integer(4) }),
      () => script.messenger({ name: "held", to: user() }),
      () => script.messenger({ name: "accepted", username: user() }),
      () =>
        script.messenger({ name: "contact", username: user(), state: random.pick(["contact", "declined"]) }),
      () => ids.length > 0 && script.deliver(random.pick(ids), random.pick(STATES)),
      () => script.deliver("unknown", random.pick(STATES)),
      () =>
        script.messenger({
          name: "connected",
          way: "direct",
          seeksDirect: false,
          username: user(),
          address: "::1",
        }),
      () =>
        script.messenger({
          name: "disconnected",
          username: user(),
          bye: random.next() < 0.5,
          heardAt: undefined,
        }),
      () =>
        script.messenger({
          name: "unreachable",
          username: user(),
          reason: random.pick(REASONS),
          retryIn: 1,
          heardAt: undefined,
        }),
      () => script.messenger({ name: "presence", username: user(), online: random.next() < 0.5 }),
      () => script.messenger({ name: "keyPending", username: user(), fingerprint: "ab", isVerified: false }),
      () => script.messenger({ name: "typing", username: user(), active: random.next() < 0.7 }),
      () => script.messenger({ name: "peerError", username: user(), code: random.pick(TEXTS) }),
      () => script.take({ name: "failed", sentence: "x", typed: random.pick(TEXTS) }),
      () =>
        script.messenger({
          name: "server",
          state: random.pick([
            { name: "online" },
            { name: "waiting", until: 0, why: new Error("x") },
            { name: "stopped", why: new Error("x") },
          ] as const),
          linksUntil: random.pick([undefined, NOON, NOON * 2]),
        }),
      () => script.type(random.pick(LINES), random.pick([asIs, (text: string) => text + random.pick(TEXTS)])),
      () => script.take({ name: "edited", isEmpty: random.next() < 0.3 }),
      () => script.wait(random.integer(7_000)),
      () => {
        const end = random.integer(101);
        const start = Math.max(0, end - 20);
        script.take({ name: "page", messages: older.slice(start, end), isMore: start > 0 });
      },
      () => {
        const { oldest } = script.chat.transcript;
        if (oldest === undefined) return;
        const start = Math.max(0, oldest - 20);
        script.take({ name: "page", messages: older.slice(start, oldest), isMore: start > 0 });
      },
      () =>
        script.take({
          name: "keyAccepted",
          result: random.pick(["accepted", "none", "changed_again", "not_shown"] as const),
        }),
      () => {
        const id = ids.length > 0 ? random.pick(ids) : "none";
        const isOwn = random.next() < 0.7;
        const withdrawnAt = random.next() < 0.3 ? script.now : undefined;
        const text = withdrawnAt === undefined ? random.pick(TEXTS) : "";
        const message = { ...(isOwn ? outgoing(1, text, "sent") : incoming(1, text)), id, withdrawnAt };
        const action = isOwn && random.next() < 0.7 ? `id${written}` : undefined;
        if (action !== undefined) ids.push(`id${written++}`);
        script.messenger({ name: "changed", username: user(), message, action });
      },
      () => ids.length > 0 && script.messenger({ name: "cancelled", to: user(), id: random.pick(ids) }),
      () =>
        script.messenger({
          name: "silent",
          username: user(),
          since: random.pick([undefined, script.now - random.integer(1e6)]),
        }),
      () =>
        script.messenger({
          name: "file",
          file: sharedFile({
            id: String(random.integer(4)),
            peer: user(),
            direction: random.pick(["in", "out"]),
            name: random.pick(TEXTS),
            size: random.pick([null, 0, 100]),
            entries: random.pick([null, 3]),
            done: random.integer(101),
            rate: random.pick([null, 0, 1e6]),
            state: random.pick(FILE_STATES),
            reason: random.pick([null, "no_space", FORGED]),
            path: random.pick([null, FORGED]),
          }),
        }),
      () => script.take({ name: "online", people: [PEER, "carla"] }),
      () => {
        script.attention = random.pick(["unknown", "focused", "away"]);
        script.take({ name: "seen" });
      },
    ];
    try {
      script.take({ name: "opened", messages: older.slice(80), isMore: true });
      for (let count = 0; count < EVENTS; count++) {
        const before = script.chat;
        script.effects.length = 0;
        random.pick(happenings)();
        const { chat } = script;
        const [last, lastBefore] = [chat.deliveries.last, before.deliveries.last];
        if (last !== undefined && last.id === lastBefore?.id) {
          expect(STATES.indexOf(last.state)).toBeGreaterThanOrEqual(STATES.indexOf(lastBefore.state));
        }
        for (const one of chat.deliveries.pending) {
          const earlier = before.deliveries.pending.find(({ id }) => id === one.id);
          if (earlier !== undefined) expect(one.since).toBe(earlier.since);
        }
        expect(chat.deliveries.pending.length).toBeLessThanOrEqual(MAX_PENDING);
        const { name, mark, sign } = chatPrompt(chat, script.context.names, script.context.texts);
        expect(`${name}${mark}${sign}`).toMatch(/^[^\n\x1b]+$/);
        for (const effect of script.effects) {
          if (effect.name === "send")
            expect(effect.text.isWellFormed() && effect.text.trim() !== "").toBe(true);
          if (effect.name === "markShown") {
            for (const each of effect.sequences) {
              const key = `seq ${each}`;
              shown.set(key, (shown.get(key) ?? 0) + 1);
              expect(shown.get(key)).toBe(1);
            }
          }
        }
        for (const line of linesOf(script.effects)) {
          const { texts, language } = script.context;
          const rows = renderLine(line, { columns: 40, texts, language, colours: false, links: false })
            .slice(0, -1)
            .split("\n");
          for (const row of rows.slice(1)) expect(row).toStartWith("    ");
          if (line.name === "notice" || line.name === "failure") {
            expect(line.text.replace(/«[^«»]*»|“[^“”]*”/g, "")).not.toContain("FORGED");
          }
          if (line.name !== "message") continue;
          const text = line.text;
          shown.set(text, (shown.get(text) ?? 0) + 1);
          expect(shown.get(text)).toBe(1);
        }
      }
    } catch (error) {
      throw new Error(`seed ${seed}, chat ${round}`, { cause: error });
    }
  }
});
