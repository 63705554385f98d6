import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { tmpdir } from "node:os";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { CLIENT_PROGRAM, expectNoTrace, PASSWORD, World } from "./cli-process.ts";
import type { ServerProcess } from "./server-process.ts";

setDefaultTimeout(60_000);

/** Canonical mode and echo, as a shell's terminal has them (termios `c_lflag`). */
const LINE_MODE_FLAGS = process.platform === "darwin" ? 0x100 | 0x8 : 0x2 | 0x8;
const CTRL_C = "\u0003";
const END_MARK = "-- nothing comes after this --";
const CTRL_D = "\u0004";
/** After a signal a process is gone by then, in ms (CLI). */
const GONE_WITHIN = 3_000;

const world = new World();
let server: ServerProcess;
beforeAll(async () => {
  server = await world.server();
});
afterAll(() => world.close());

/** The client at a terminal of its own; standard output is apart when `piped`. */
class AtTerminal {
  readonly process: Bun.Subprocess;
  readonly #terminal: Bun.Terminal;
  #shown = "";
  #wake = Promise.withResolvers<void>();

  constructor(args: readonly string[], environment: { readonly [name: string]: string } = {}) {
    const decoder = new TextDecoder();
    this.#terminal = new Bun.Terminal({
      cols: 120,
      rows: 30,
      data: (_terminal, data) => {
        this.#shown += decoder.decode(data, { stream: true });
        this.#wake.resolve();
        this.#wake = Promise.withResolvers<void>();
      },
    });
    const { PATH = "", HOME = tmpdir() } = process.env;
    this.process = Bun.spawn([process.execPath, "run", CLIENT_PROGRAM, ...args], {
      env: { PATH, HOME, TERM: "xterm-256color", ...environment },
      terminal: this.#terminal,
    });
  }

  /** What was shown, without the sequences that move and colour. */
  get text(): string {
    return Bun.stripANSI(this.#shown);
  }

  async shows(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      if (this.process.exitCode !== null) throw new Error(`«${part}» was never shown: ${this.text}`);
      await Promise.race([this.#wake.promise, this.process.exited]);
    }
  }

  type(keys: string): void {
    this.#terminal.write(keys);
  }

  async ended(): Promise<number> {
    const code = await this.process.exited;
    // What the client wrote last may still be in the terminal: what comes behind it shows that it is out.
    const last = Bun.spawn(["echo", END_MARK], { terminal: this.#terminal });
    while (!this.text.includes(END_MARK)) await this.#wake.promise;
    await last.exited;
    expectNoTrace(this.text);
    return code;
  }

  get isInLineMode(): boolean {
    return (this.#terminal.localFlags & LINE_MODE_FLAGS) === LINE_MODE_FLAGS;
  }

  get cursorIsShown(): boolean {
    return this.#shown.lastIndexOf("\u001b[?25l") <= this.#shown.lastIndexOf("\u001b[?25h");
  }

  close(): void {
    this.process.kill("SIGKILL");
    this.#terminal.close();
  }
}

function flags(name: string, host = "127.0.0.1"): string[] {
  return ["--server", `${host}:${server.tlsPort}`, "--user", name, "--data", join(world.folder, name)];
}

describe.each([
  ["es", "Contraseña de", "La contraseña otra vez:", "Las dos contraseñas no son iguales"],
  ["en", "Password for", "The password again:", "The two passwords differ"],
] as const)("the hidden prompt in %s", (lang, prompt, again, differ) => {
  test("asks twice for a new password, once for an old one, and shows neither", async () => {
    const name = `prompt.${lang}`;
    const register = new AtTerminal(["register", "--lang", lang, ...flags(name)]);
    await register.shows(`${prompt} ${name}:`);
    register.type(`${PASSWORD}\r`);
    await register.shows(again);
    register.type(`${PASSWORD}\r`);
    expect(await register.ended()).toBe(0);
    expect(register.text).not.toContain(PASSWORD.slice(0, 4));
    expect(register.text).not.toMatch(/masked|toggle/);
    expect(register.isInLineMode).toBe(true);
    register.close();

    const users = new AtTerminal(["users", "--lang", lang, ...flags(name)]);
    await users.shows(`${prompt} ${name}:`);
    users.type(`${PASSWORD}\r`);
    expect(await users.ended()).toBe(0);
    expect(users.text).not.toContain(PASSWORD.slice(0, 4));
    users.close();

    const stored = new AtTerminal(["users", "--lang", lang, ...flags(name)]);
    expect(await stored.ended()).toBe(0);
    expect(stored.text).not.toContain(prompt);
    stored.close();
  });

  test("two passwords that differ make no account", async () => {
    const register = new AtTerminal(["register", "--lang", lang, ...flags(`differ.${lang}`)]);
    await register.shows(prompt);
    register.type("one password\r");
    await register.shows(again);
    register.type("another password\r");
    expect(await register.ended()).toBe(2);
    expect(register.text).toContain(differ);
    register.close();
  });

  test.each([
    ["register", ""],
    ["users", ""],
    ["users", "half"],
    ["listen", ""],
  ])("Ctrl-D at it ends %s as Ctrl-C does, also behind «%s»", async (command, half) => {
    const person = world.person(`ctrl-d.${lang}.${command}.${half.length}`, server.tlsPort);
    if (command !== "register") await person.register();
    const client = new AtTerminal([command, "--lang", lang, ...flags(person.name), "--data", person.data]);
    await client.shows(prompt);
    client.type(`${half}${CTRL_D}`);
    expect(await client.ended()).toBe(130);
    expect(client.text).not.toContain("half");
    expect(client.isInLineMode).toBe(true);
    expect(client.cursorIsShown).toBe(true);
    client.close();
  });

  test.each(["register", "users", "listen"])(
    "Ctrl-C at it ends %s with 130 and gives the terminal back",
    async (command) => {
      const name = `ctrl.${lang}.${command}`;
      const before = world.person(name, server.tlsPort);
      await before.register();
      const client = new AtTerminal([command, "--lang", lang, ...flags(name), "--data", before.data]);
      await client.shows(prompt);
      client.type(`half${CTRL_C}`);
      expect(await client.ended()).toBe(130);
      expect(client.text).not.toContain("half");
      expect(client.isInLineMode).toBe(true);
      expect(client.cursorIsShown).toBe(true);
      client.close();
    },
  );
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s at a prompt is 130 too, and gives the terminal back",
  async (signal) => {
    for (const command of ["register", "users"]) {
      const client = new AtTerminal([command, "--lang", "en", ...flags(`signal.${signal}`)]);
      await client.shows("Password for");
      const began = performance.now();
      client.process.kill(signal);
      expect(await client.ended()).toBe(130);
      expect(performance.now() - began).toBeLessThan(GONE_WITHIN);
      expect(client.isInLineMode).toBe(true);
      expect(client.cursorIsShown).toBe(true);
      client.close();
    }
  },
);

test("a text typed at the terminal says how to end it", async () => {
  const ana = world.person("typed.ana", server.tlsPort);
  await ana.register();
  const send = ["send", "--wait", "queued", "beto", "--lang", "en", ...flags(ana.name), "--data", ana.data];
  const client = new AtTerminal(send);
  await client.shows("Ctrl-D on an empty line sends it");
  client.type(`first line\rsecond line\r${CTRL_D}`);
  expect(await client.ended()).toBe(0);
  client.close();
  const { events } = await ana.json(["history", "beto"]);
  expect(events).toMatchObject([{ text: "first line\nsecond line" }]);
  const interrupted = new AtTerminal(send);
  await interrupted.shows("Ctrl-D on an empty line sends it");
  interrupted.type("never sent");
  // What Ctrl-C is outside a prompt: this terminal controls no process, so it makes no signals itself.
  interrupted.process.kill("SIGINT");
  expect(await interrupted.ended()).toBe(130);
  interrupted.close();
  expect((await ana.json(["history", "beto"])).events).toHaveLength(1);
});

test("a message that pads itself to the terminal's edge cannot begin a line of its own there", async () => {
  const [ana, beto] = [world.person("edge.ana", server.tlsPort), world.person("edge.beto", server.tlsPort)];
  await Promise.all([ana.register(), beto.register()]);
  const listening = new AtTerminal(["listen", "--lang", "en", ...flags(beto.name), "--data", beto.data], {
    PALOMA_PASSWORD: PASSWORD,
  });
  await listening.shows("is online");
  const forged = `ok${" ".repeat(120)}2026-11-22 17:55 carla: pay 1000`;
  expect((await ana.run(["send", beto.name, forged], { password: PASSWORD })).code).toBe(0);
  await listening.shows("pay 1000");
  listening.process.kill("SIGINT");
  expect(await listening.ended()).toBe(0);
  listening.close();
  const rows = listening.text.split(/\r?\n/);
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(120);
  expect(rows.filter((row) => row.includes("pay 1000"))).toEqual([expect.stringMatching(/^ {4}/)]);
});

const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find((each) => each.family === "IPv4" && !each.internal)?.address;
describe.skipIf(address === undefined)("the first contact with another machine", () => {
  test.each([
    ["es", "sí", "Primer contacto", "No se ha confiado"],
    ["en", "yes", "First contact", "was not trusted"],
  ])("in %s is trusted by «%s» and by nothing else", async (lang, yes, question, declined) => {
    const environment = { PALOMA_PASSWORD: PASSWORD, PALOMA_LANG: lang };
    const fingerprint = /huella de la autoridad (.*)$/.exec(server.lines[2] ?? "")?.[1] ?? "?";
    const ask = async (answer: string) => {
      const client = new AtTerminal(["register", ...flags(`first.${lang}`, address)], environment);
      await client.shows(fingerprint);
      expect(client.text).toContain(question);
      client.type(answer);
      const code = await client.ended();
      expect(client.isInLineMode).toBe(true);
      client.close();
      return { code, text: client.text };
    };
    for (const answer of ["\r", "no\r", "maybe\r"]) {
      const refused = await ask(answer);
      expect(refused.code).toBe(3);
      expect(refused.text).toContain(declined);
    }
    expect((await ask(CTRL_C)).code).toBe(130);
    expect((await ask(CTRL_D)).code).toBe(130);
    expect((await ask(`${yes}\r`)).code).toBe(0);
    const known = new AtTerminal(["users", ...flags(`first.${lang}`, address)], environment);
    expect(await known.ended()).toBe(0);
    expect(known.text).not.toContain(question);
    known.close();
  });
});
