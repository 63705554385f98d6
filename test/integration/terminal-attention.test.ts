/** Who has seen what at a terminal: with reports of the focus, and without. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { PASSWORD, type Client, type Person } from "./cli-process.ts";
import { FOCUS, KEY } from "./keys.ts";
import { TerminalWorld, type MenuOptions, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
afterAll(() => world.close());
let servers = 0;

/** Two people: one at a terminal in the chat with the other, who is online in a program. */
async function inChat(
  options: MenuOptions,
): Promise<{ screen: MenuTerminal; ana: Person; online: Client; beto: Person }> {
  // A server for each, so that the other one is alone in the list.
  const { tlsPort } = await world.server(`${++servers}.db`);
  const [ana, beto] = [world.person("ana", tlsPort), world.person("beto", tlsPort)];
  await Promise.all([ana.register(), beto.register()]);
  expect((await beto.run(["users"], { password: PASSWORD })).code).toBe(0);
  const online = await ana.listen(PASSWORD);
  const screen = world.openAs(beto, options);
  await screen.arrives(beto.name);
  await screen.opensFirstChat(ana.name);
  await screen.isInChat();
  return { screen, ana, online, beto };
}

/** Resolves with the id when the text is on the screen. */
async function writes({ screen, ana, online, beto }: Awaited<ReturnType<typeof inChat>>, text: string) {
  const { events } = await ana.json(["send", beto.name, text]);
  const id = String(events[0]?.["id"]);
  await online.event({ event: "delivery", id, state: "received" });
  await screen.showsRow(new RegExp(`: ${text}$`));
  return id;
}

async function leaves(screen: MenuTerminal): Promise<void> {
  screen.type(KEY.ctrlC);
  await screen.isAsked(screen.texts.menuWhom);
  screen.type(KEY.ctrlC);
  expect(await screen.ended()).toBe(130);
  expect(screen.isRestored).toBe(true);
  expect(screen.screen.unknown).toEqual([]);
}

test("what comes while the terminal has no focus is read when it has it again", async () => {
  const out = join(world.folder, "environment");
  const people = await inChat({
    program: "apart",
    args: ["--notify-command", `env > ${out}; exit 3`],
    environment: { TERM: "xterm-kitty", PALOMA_PASSWORD: PASSWORD },
  });
  const { screen, ana, online, beto } = people;
  const { texts } = screen;
  const first = await writes(people, "uno");
  await online.event({ event: "delivery", id: first, state: "read" });
  screen.focus(false);
  const second = await writes(people, "dos");
  const third = await writes(people, "tres");
  await screen.until(({ title }) => title === `(2) ${beto.name} — Paloma`, "the title with both");
  await screen.sees(texts.notifyFailed(texts.notifyExitCode(3)));
  expect([screen.screen.bells, screen.screen.notifications]).toEqual([
    1,
    [expect.stringMatching(/^ana: (?:dos|tres)$/)],
  ]);
  const environment = readFileSync(out, "utf8");
  expect(environment).toMatch(/^PALOMA_FROM=ana$/m);
  expect(environment).toMatch(/^PALOMA_TEXT=(?:dos|tres)$/m);
  expect(environment).not.toContain(PASSWORD);
  // What was told of the second one had come before the third one was acknowledged.
  expect(await ana.states(beto.name)).toEqual([
    ["uno", "read"],
    ["dos", "received"],
    ["tres", "received"],
  ]);
  // A key is enough.
  screen.type("x");
  await screen.isInChat("> x");
  await online.event({ event: "delivery", id: second, state: "read" });
  await online.event({ event: "delivery", id: third, state: "read" });
  const fourth = await writes(people, "cuatro");
  // In pieces, and behind an Escape: the report is never text.
  screen.type(KEY.escape + FOCUS.in.slice(0, 2));
  screen.type(FOCUS.in.slice(2));
  await online.event({ event: "delivery", id: fourth, state: "read" });
  await screen.isInChat("> x");
  await screen.until(({ title }) => title === `${beto.name} — Paloma`, "the title alone");
  if (await screen.suspends()) {
    await screen.until(({ title }) => screen.isRestored && title === undefined, "a clean terminal");
    screen.signal("SIGCONT");
  }
  await screen.until(({ title }) => title === `${beto.name} — Paloma`, "the title again");
  await screen.until(({ focusReports }) => focusReports, "the reports to be asked for again");
  expect(screen.raw).toContain("\u001b[?1004l");
  screen.type(KEY.ctrlC);
  await screen.isInChat();
  await leaves(screen);
  await online.stop();
});

test("at a terminal that reports nothing, what has come is read with the next key", async () => {
  const people = await inChat({ reportsFocus: false });
  const { screen, ana, online, beto } = people;
  const first = await writes(people, "uno");
  await writes(people, "dos");
  expect((await ana.states(beto.name)).map(([, state]) => state)).toEqual(["received", "received"]);
  screen.type(KEY.left);
  await online.event({ event: "delivery", id: first, state: "read" });
  await writes(people, "tres");
  expect((await ana.states(beto.name)).map(([, state]) => state)).toEqual(["read", "read", "received"]);
  // Whoever opens the chat sees what had come.
  screen.signal("SIGTERM");
  expect(await screen.ended()).toBe(130);
  expect((await ana.states(beto.name)).at(-1)).toEqual(["tres", "received"]);
  const again = world.openAs(beto, { reportsFocus: false });
  await again.arrives(beto.name);
  await again.opensFirstChat(ana.name);
  await again.isInChat();
  await again.until(() => again.hasSeen("tres"), "the stored message");
  await online.stop();
  expect((await ana.states(beto.name)).at(-1)).toEqual(["tres", "read"]);
  await leaves(again);
});
