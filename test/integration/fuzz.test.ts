/** A fixed number of steps of each fuzz; and faults, which the fuzz must notice. */
import { describe, expect, test } from "bun:test";

import { targetWithFault, type Fault } from "../fuzz/faulty-server.ts";
import { FuzzStepFailure } from "../fuzz/fuzz-run.ts";
import { expectCleanLog, targetHere, targetOfProcess, TIGHT } from "../fuzz/fuzz-target.ts";
import { fuzzArguments } from "../fuzz/arguments-fuzz.ts";
import { fuzzClient } from "../fuzz/client-fuzz.ts";
import { fuzzKeys } from "../fuzz/keys-fuzz.ts";
import { expectNoStall, LoopStall, threadTime } from "../fuzz/loop-stall.ts";
import { fuzzMeeting } from "../fuzz/meeting-fuzz.ts";
import { fuzzPeer } from "../fuzz/peer-fuzz.ts";
import { StoredModel } from "../fuzz/peer-model.ts";
import { fuzzRendezvous } from "../fuzz/rendezvous-fuzz.ts";
import { fuzzScreen } from "../fuzz/screen-fuzz.ts";
import { SCENES } from "../fuzz/screen-scenes.ts";
import { testSeed } from "../seeded-random.ts";

const LIMIT = 120_000;
const seed = testSeed();

test(
  "whatever is written to the server, each request has one right answer, and other clients notice nothing",
  async () => {
    const { seen } = await fuzzRendezvous({ seed, steps: 60 }, targetHere);
    // It reached these states.
    for (const kind of ["login_response ok", "users_list ok", "error bad_json", "error bad_request"]) {
      expect(seen.get(kind) ?? 0).toBeGreaterThan(0);
    }
  },
  LIMIT,
);

test(
  "the same holds with tight limits",
  async () => {
    await fuzzRendezvous({ seed: seed ^ 2, steps: 20 }, (names) => targetHere(names, TIGHT));
  },
  LIMIT,
);

test(
  "the server's program survives it, too, and its log has no internal error",
  async () => {
    await fuzzRendezvous({ seed: seed ^ 1, steps: 20 }, targetOfProcess);
  },
  LIMIT,
);

test(
  "whatever is said at the meeting port, meetings lead to nobody but the two, and a relayed pair is not disturbed",
  async () => {
    const { seen } = await fuzzMeeting({ seed, steps: 60 });
    for (const kind of ["meet_request", "go", "at the port: ping"])
      expect(seen.get(kind) ?? 0).toBeGreaterThan(0);
  },
  LIMIT,
);

test(
  "whatever a peer writes, only its valid messages are stored, once, and an honest friend is not disturbed",
  async () => {
    const { seen } = await fuzzPeer({ seed, steps: 60 });
    for (const kind of ["delivered ", "error bad_request", "error bad_json", "unproven"]) {
      expect(seen.get(kind) ?? 0).toBeGreaterThan(0);
    }
  },
  LIMIT,
);

test(
  "whatever a server answers, the client's requests end, and the truth puts it online at once",
  async () => {
    const { seen } = await fuzzClient({ seed, steps: 25 });
    for (const kind of ["done", "server_protocol"]) expect(seen.get(kind) ?? 0).toBeGreaterThan(0);
  },
  LIMIT,
);

test(
  "whatever a text is, it is drawn within its row, without controls, and no quotation of ours ends in it",
  async () => {
    const { seen } = await fuzzScreen({ seed, steps: 300 });
    for (const kind of [...SCENES.keys(), "the input line", "names", "JSON"]) {
      expect(seen.get(kind) ?? 0).toBeGreaterThan(0);
    }
  },
  LIMIT,
);

test(
  "whatever a terminal sends, no sequence becomes text, and what was typed arrives whole",
  async () => {
    const { seen } = await fuzzKeys({ seed, steps: 5 });
    for (const kind of ["line", "form", "password", "menu", "noise"]) {
      expect(seen.get(kind) ?? 0).toBeGreaterThan(0);
    }
  },
  LIMIT,
);

// Only Linux tells a process the bytes with which it was started.
test.skipIf(process.platform !== "linux")(
  "whatever the programs are started with, what is not UTF-8 is refused, and the rest passes as it is",
  async () => {
    const { seen } = await fuzzArguments({ seed, steps: 5 });
    expect([...seen.keys()].some((kind) => kind.endsWith("not UTF-8"))).toBe(true);
  },
  LIMIT,
);

test("the fuzz notices a turn of the event loop that computes for too long, and not what is its own", async () => {
  const compute = () => {
    for (const begun = threadTime(); threadTime() - begun < 300;);
  };
  const stall = new LoopStall();
  stall.apart(compute);
  expect(stall.take()).toBeLessThan(100);
  compute();
  const longest = stall.take();
  stall.stop();
  expect(() => expectNoStall(longest, 64 * 1024, () => "a stall")).toThrow(/a stall: 3\d\d ms/);
  expect(() => expectNoStall(longest, 64 * 1024 + 1, () => "a stall")).not.toThrow();
});

describe("the fuzz notices a server", () => {
  let answers = 0;
  const ofEvery = (nth: number, wrong: Fault): Fault => {
    return (answer, line) => (++answers % nth === 0 ? wrong(answer, line) : [line]);
  };
  const changed = (change: object): Fault => {
    return ofEvery(20, (answer) => [JSON.stringify({ ...answer, ...change })]);
  };
  const faults: [string, Fault, RegExp][] = [
    ["that answers twice", ofEvery(20, (_, line) => [line, line]), /expected|another|nothing asked/],
    ["that forgets an answer", ofEvery(20, () => []), /expected|another|missing/],
    ["that answers with another id", changed({ id: "another" }), /another id|a wrong error/],
    ["that has an internal error", changed({ code: "internal_error" }), /internal_error/],
    ["that makes up a code", changed({ code: "teapot" }), /expected/],
    ["that makes up a type", changed({ action: "teapot" }), /expected/],
    [
      "that sends fields unknown to a legacy client",
      (answer) => [JSON.stringify({ ...answer, more: 1 })],
      /a legacy client does not know/,
    ],
    ["that says too much", changed({ message: "x".repeat(70_000) }), /exceeds 64 KiB/],
    ["that writes invalid JSON", ofEvery(20, (_, line) => [line.slice(0, -1)]), /not JSON/],
    ["that hangs up", ofEvery(20, () => undefined), /closed without a reason/],
    [
      "that lets anybody in",
      wronglyLetIn,
      /a token and a key|wrong password|somebody else|wrong revocations/,
    ],
  ];
  test.each(faults)(
    "%s",
    async (_, fault, sentence) => {
      const start = (names: readonly string[]) => targetWithFault(names, fault);
      answers = 0;
      // An answer that never comes is waited for to the end.
      const deadline = sentence.test("missing") ? 2_000 : 20_000;
      const failure = await fuzzRendezvous({ seed: 7, steps: 400, deadline }, start).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(FuzzStepFailure);
      expect((failure as Error).message).toMatch(sentence);
      expect((failure as Error).message).toContain("again: bun run fuzz --kind rendezvous --seed 7 --steps");
    },
    LIMIT,
  );

  test("whose log has an uncaught error", () => {
    expect(() => expectCleanLog(['{"event":"online"}', '{"event":"uncaught_exception"}'])).toThrow(/log/);
  });
});

test("in the model of a database each id counts once, whatever its message was", () => {
  const model = new StoredModel();
  const chat = (id: string | undefined, message: string) =>
    model.take({ action: "chat", id, message, sent_at: undefined, reply_to: undefined });
  chat("1", "one");
  chat("1", "again");
  chat(undefined, "no id");
  model.take({ action: "edit", id: "2", target: "1", text: "edited" });
  model.take({ action: "edit", id: "2", target: "1", text: "edited twice" });
  model.take({ action: "withdraw", id: "3", target: "4" });
  chat("4", "after its own withdrawal");
  expect(model.texts.map(({ text }) => text)).toEqual(["edited", "no id"]);
});

/** Accepts a wrong password. */
function wronglyLetIn(answer: { readonly [name: string]: unknown }, line: string): string[] {
  if (answer["code"] !== "invalid_credentials" || answer["action"] !== "login_response") return [line];
  return [JSON.stringify({ ...answer, success: true, code: "ok", username: "ana" })];
}
