import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AtTerminal } from "./at-terminal.ts";
import { CLIENT_PROGRAM, PASSWORD } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import type { ServerHere } from "./server-process.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

/** Colours and weights. */
const RENDITION = /\u001b\[[0-9;:]*m/;

const world = new TerminalWorld();
let server: ServerHere;
let address: string;
beforeAll(async () => {
  server = await world.server();
  address = `127.0.0.1:${server.tlsPort}`;
});
afterAll(() => world.close());

/** Two people who talk with each other. */
async function talking(story: string): Promise<[MenuTerminal, MenuTerminal]> {
  const place = await world.place();
  const [one, other] = [0, 1].map(() => world.openNew(place, { program: "apart" })) as [
    MenuTerminal,
    MenuTerminal,
  ];
  await Promise.all([one.joins(`${story}.one`, PASSWORD), other.joins(`${story}.other`, PASSWORD)]);
  await one.opensFirstChat(`${story}.other`);
  await one.isInChat();
  return [one, other];
}

async function expectGone(terminal: AtTerminal, signal: NodeJS.Signals): Promise<void> {
  terminal.signal(signal);
  expect(await terminal.ended()).toBe(130);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.screen.unknown).toEqual([]);
}

// What follows a signal is the same for each.
describe("a signal", () => {
  test("ends the first menu with 130, and the terminal is as it was", async () => {
    const atMenu = world.openNew(address, { program: "apart" });
    await atMenu.isAsked("Registrarse");
    await expectGone(atMenu, "SIGHUP");
  });

  test("ends a form", async () => {
    const atForm = world.openNew(address, { program: "apart" });
    await atForm.answers("Registrarse", "2");
    await atForm.isAsked("Nombre de usuario:");
    atForm.type("half");
    await atForm.isAsked("half");
    await expectGone(atForm, "SIGTERM");
  });

  test("ends what is under way with a server that hangs", async () => {
    const hanging = await world.serverApart("hanging.db");
    const someone = world.openNew(`127.0.0.1:${hanging.tlsPort}`, { program: "apart" });
    await someone.answers("Registrarse", "1");
    await someone.isAsked("Nombre de usuario:");
    hanging.process.kill("SIGSTOP");
    someone.type(`someone${KEY.enter}`);
    await someone.shows("Iniciando sesión…");
    await expectGone(someone, "SIGINT");
    hanging.process.kill("SIGKILL");
  });

  test("ends a chat and the second menu, also when the other side hangs", async () => {
    const [one, other] = await talking("hangs");
    one.type("half a line");
    await one.isInChat("> half a line");
    other.signal("SIGSTOP");
    await expectGone(one, "SIGHUP");
    other.signal("SIGCONT");
    await expectGone(other, "SIGTERM");
  });
});

test("closing the terminal ends the program", async () => {
  for (const isLoggedIn of [false, true]) {
    const person = world.person(`closed.${isLoggedIn}`, server.tlsPort);
    await person.register();
    if (isLoggedIn) await person.run(["users"], { password: PASSWORD });
    const menu = Promise.withResolvers<void>();
    const decoder = new TextDecoder();
    let shown = "";
    const terminal = new Bun.Terminal({
      data: (_terminal, data) => {
        shown += decoder.decode(data, { stream: true });
        if (shown.includes("number, Enter")) menu.resolve();
      },
    });
    const { PATH = "", HOME = tmpdir() } = process.env;
    const child = Bun.spawn(
      [process.execPath, "run", CLIENT_PROGRAM, "--server", address, "--data", person.data, "--lang", "en"],
      { env: { PATH, HOME, TERM: "xterm-256color" }, terminal },
    );
    await menu.promise;
    terminal.close();
    expect(await child.exited).toBe(130);
  }
});

test("a password that is typed ahead is not echoed, and is used", async () => {
  const person = world.person("ahead", server.tlsPort);
  await person.register();
  const slow = await world.serverApart("slow.db");
  const registered = world.person("ahead", slow.tlsPort);
  await registered.register();
  const someone = world.openNew(registered.server, { program: "apart" });
  await someone.isAsked("Registrarse");
  slow.process.kill("SIGSTOP");
  someone.type(`1${KEY.enter}ahead${KEY.enter}${PASSWORD}${KEY.enter}`);
  await someone.shows("Conectando con el servidor…");
  expect(someone.text).not.toContain(PASSWORD.slice(0, 4));
  slow.process.kill("SIGCONT");
  await someone.arrives("ahead");
  expect(someone.text).not.toContain(PASSWORD.slice(0, 4));
  someone.type(`7${KEY.enter}`);
  expect(await someone.ended()).toBe(0);
});

test("with NO_COLOR there is no colour, and everything else", async () => {
  const grey = { environment: { NO_COLOR: "1" }, program: "apart" } as const;
  const place = await world.place();
  const [one, other] = [world.openNew(place, grey), world.openNew(place)];
  await Promise.all([one.joins("grey.one", PASSWORD), other.joins("grey.other", PASSWORD)]);
  await one.opensFirstChat("grey.other");
  await one.isInChat();
  one.type(`hola${KEY.enter}`);
  await one.isInChat("✓✓ >");
  one.type(`exit${KEY.enter}`);
  await one.isAsked("grey.other", "Volver");
  one.type(KEY.ctrlC);
  expect(await one.ended()).toBe(130);
  expect(one.raw).not.toMatch(RENDITION);
  expect(other.raw).toMatch(RENDITION);
});

test("with TERM=dumb registering, chatting and logging out work without a single escape sequence", async () => {
  const words = ["Registrarse", "Nombre de usuario:", "Contraseña:", "Repita la contraseña:", "Correo"];
  const later = [
    "Iniciar sesión",
    "¿qué desea hacer?",
    "¿Con quién desea hablar?",
    "Chat con",
    "Sesión cerrada",
  ] as const;
  const people = ["dumb.one", "dumb.other"];
  const place = await world.place();
  const terminals = people.map(() => world.openNew(place, { cols: 60, environment: { TERM: "dumb" } }));
  const [one, other] = terminals;
  if (one === undefined || other === undefined) throw new Error("two people");
  /** Types it when this part, and the place to type, have come behind what was typed before. */
  const seen = new Map<AtTerminal, number>();
  const answers = async (terminal: AtTerminal, part: string, typed: string) => {
    const news = () => terminal.text.slice(seen.get(terminal) ?? 0);
    await terminal.until(() => news().endsWith("> ") && news().includes(part), `«${part}»`);
    seen.set(terminal, terminal.text.length);
    terminal.type(typed + KEY.enter);
  };
  for (const [index, terminal] of terminals.entries()) {
    const name = people[index] ?? "?";
    const typed = ["2", name, PASSWORD, PASSWORD, ""];
    for (const [step, word] of words.entries()) await answers(terminal, word, typed[step] ?? "?");
    await terminal.shows(later[2]);
  }
  // Nobody else was there when the first one came.
  await answers(one, later[2], "2");
  await answers(one, later[1], "1");
  await answers(one, `1. ${people[1]}`, "1");
  await one.shows(later[3]);
  one.type(`hola${KEY.enter}`);
  await answers(other, `1. ${people[0]} (1 n`, "1");
  await other.shows("hola");
  await other.shows(later[3]);
  other.type(`adiós${KEY.enter}`);
  await one.shows("adiós");
  one.type(`exit${KEY.enter}`);
  await answers(one, later[2], "3");
  await answers(one, later[1], "2");
  await one.shows(later[4]);
  await answers(one, later[0], "3");
  expect(await one.ended()).toBe(0);
  other.type(`exit${KEY.enter}`);
  await answers(other, later[2], "3");
  await other.until(() => /7\. \S+\s+> $/.test(other.text), "the menu");
  other.type(KEY.ctrlC);
  expect(await other.ended()).toBe(130);
  for (const terminal of terminals) {
    expect(terminal.raw).not.toContain("\u001b");
    expect(terminal.raw).not.toContain(PASSWORD.slice(0, 4));
    expect(terminal.isRestored).toBe(true);
  }
  // How far a message had come when its row was written is a matter of milliseconds.
  expect(one.picture.replace(/[·✓]+(?: leído| read)? >/g, "✓ >")).toMatchSnapshot("the end");
});

describe.each([
  ["es", /^.*terminal.*\n$/],
  ["en", /^.*terminal.*\n$/],
])("without a terminal, in %s", (language, sentence) => {
  test("it says so in one sentence and ends with 2", async () => {
    const client = world.startApart({ args: ["--lang", language, "--data", join(world.folder, "none")] });
    const { code, stdout, stderr } = await client.ended;
    expect(stdout).toBe("");
    expect(stderr).toMatch(sentence);
    expect(stderr).toMatchSnapshot();
    expect(code).toBe(2);
  });
});

test.each([
  ["input", "< /dev/null"],
  ["output", "> output"],
])("it says so also when only the %s is no terminal", async (_name, redirection) => {
  let shown = "";
  const terminal = new Bun.Terminal({
    data: (_terminal, data) => (shown += new TextDecoder().decode(data)),
  });
  const { PATH = "", HOME = tmpdir() } = process.env;
  const child = Bun.spawn(["sh", "-c", `"$0" run "$1" ${redirection}`, process.execPath, CLIENT_PROGRAM], {
    cwd: world.folder,
    env: { PATH, HOME, TERM: "xterm-256color" },
    terminal,
  });
  expect(await child.exited).toBe(2);
  terminal.close();
  expect(shown).not.toContain("\u001b");
});
