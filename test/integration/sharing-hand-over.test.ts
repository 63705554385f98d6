import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { textsIn } from "../../src/ui/texts/texts.ts";
import { says, times, writes } from "./chat-terminal.ts";
import { KEY } from "./keys.ts";
import { eventsOf, type Client, type Event, type Person } from "./cli-process.ts";
import { SharedWorld } from "./sharing-faces.ts";

setDefaultTimeout(90_000);

const world = new SharedWorld();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterEach(() => world.leave());
afterAll(() => world.close());

const SESSION_ENDED = textsIn("en").chatServerStopped;

/** Ana, and beto, who listens. */
async function pair(name: string): Promise<{ ana: Person; beto: Person; betoListens: Client }> {
  const ana = await world.loggedIn(`ana.${name}`, port);
  const beto = await world.loggedIn(`beto.${name}`, port);
  return { ana, beto, betoListens: await beto.listen() };
}

function textsOf({ events }: { readonly events: Event[] }): unknown[] {
  return events.filter(({ event }) => event === "message").map(({ text }) => text);
}

/** Each text came to the end of its way exactly once. */
async function expectOnce(listening: Client, texts: readonly string[]): Promise<void> {
  for (const text of texts) await listening.event({ event: "message", text });
  expect(textsOf(listening).toSorted()).toEqual([...texts].sort());
}

test("kill -9 of the process that is online: the next one takes over, and no text is lost or sent twice", async () => {
  const { ana, beto, betoListens } = await pair("killed");
  const serving = await ana.listenApart();
  const next = await ana.listen();
  const texts = Array.from({ length: 6 }, (_, index) => `text ${index}`);
  const sends = texts.map((text) => ana.start(["send", "--timeout", "60", beto.name, text]));
  // Some are delivered, some are queued, and some have not begun.
  await betoListens.event({ event: "message" });
  serving.signal("SIGKILL");
  const ended = await Promise.all(sends.map((each) => each.ended));
  expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(
    texts.map(() => [0, `✓✓ received by ${beto.name}\n`]),
  );
  await expectOnce(betoListens, texts);
  expect(new Set(await ana.states(beto.name))).toEqual(new Set(texts.map((text) => [text, "received"])));
  // The one that has taken over, or is attached to it, is reached by others as soon as it is online.
  await beto.run(["send", ana.name, "are you there?"]);
  await next.event({ event: "message", text: "are you there?" });
});

test("kill -9 of the screen that is online: another one that has the chat open takes over, and misses nothing", async () => {
  const { ana, beto, betoListens } = await pair("screens");
  const serving = await world.chat(ana, beto.name, { program: "apart" });
  const next = await world.chat(ana, beto.name);
  await writes(serving, "before", "✓✓");
  serving.signal("SIGKILL");
  await serving.exited;
  next.type(`after${KEY.enter}`);
  await betoListens.event({ event: "message", text: "after" });
  const hello = await beto.run(["send", ana.name, "hello?"]);
  expect([hello.code, hello.stderr]).toEqual([0, `✓✓ received by ${ana.name}\n`]);
  await says(next, "hello?");
  await expectOnce(betoListens, ["before", "after"]);
  for (const text of ["before", "after", "hello?"]) expect(times(next, text)).toBe(1);
});

test("an interrupt of the process that is online ends only that one", async () => {
  const { ana, beto, betoListens } = await pair("interrupted");
  const serving = await ana.listen();
  const next = await ana.listen();
  const screen = await world.chat(ana, beto.name);
  serving.signal("SIGINT");
  expect((await serving.ended).code).toBe(0);
  expect((await ana.run(["send", beto.name, "from a command"])).code).toBe(0);
  await writes(screen, "from the screen", "✓✓");
  await says(screen, "from a command");
  await expectOnce(betoListens, ["from a command", "from the screen"]);
  await beto.run(["send", ana.name, "to all"]);
  await says(screen, "to all");
  await next.event({ event: "message", text: "to all" });
  expect(times(screen, "from a command")).toBe(1);
});

test("while the process that is online is stopped, a command says so in time, and works when it runs again", async () => {
  const { ana, beto, betoListens } = await pair("stopped");
  const serving = await ana.listenApart();
  serving.signal("SIGSTOP");
  const late = await ana.run(["send", "--timeout", "1", beto.name, "too early"]);
  const spanish = await ana.run(["--lang", "es", "users", "--timeout", "1"]);
  serving.signal("SIGCONT");
  expect([late.code, late.stderr]).toEqual([3, "It did not finish within 1 s.\n"]);
  expect([spanish.code, spanish.stderr]).toEqual([3, "No ha terminado en 1 s.\n"]);
  expect((await ana.run(["send", beto.name, "now"])).code).toBe(0);
  await expectOnce(betoListens, ["now"]);
});

test.each(["listen", "screen"] as const)(
  "logging out ends what is beside it, a %s being online",
  async (online) => {
    const { ana, beto, betoListens } = await pair(`out.${online}`);
    const startListen = () => ana.listen();
    const startScreen = () => world.chat(ana, beto.name);
    const early = online === "listen" ? await startListen() : undefined;
    const screen = await startScreen();
    const listening = early ?? (await startListen());
    expect(await ana.run(["logout"])).toEqual({ code: 0, stdout: "Logged out.\n", stderr: "" });
    const { code, stdout } = await listening.ended;
    expect([code, eventsOf(stdout).at(-1)?.["code"]]).toEqual([4, "session_ended"]);
    await says(screen, SESSION_ENDED);
    // The screen stays open, by now as the one that has the account, and links to people need no session.
    await writes(screen, "one more", "✓✓");
    await betoListens.event({ event: "message", text: "one more" });
    expect(times(screen, SESSION_ENDED)).toBe(1);
  },
);
