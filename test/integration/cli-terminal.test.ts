import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { Profile } from "../../src/client/profile/profile.ts";
import { AtTerminal, type TerminalOptions } from "./at-terminal.ts";
import { CLIENT_PROGRAM, PASSWORD, World } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import type { ServerHere } from "./server-process.ts";

setDefaultTimeout(60_000);

const COLUMNS = 120;
/** After a signal a process is gone by then, in ms (CLI). */
const GONE_WITHIN = 3_000;

const world = new World();
let server: ServerHere;
beforeAll(async () => {
  server = await world.server();
});
afterAll(() => world.close());

/** The client at a wide terminal. */
function atTerminal(args: readonly string[], options: TerminalOptions = {}): AtTerminal {
  return new AtTerminal(args, { ...options, cols: COLUMNS, rows: 30 });
}

/** As a process of its own, at a terminal that echoes and keeps lines as the system does. */
const APART: TerminalOptions = { program: "apart" };

function flags(name: string, host = "127.0.0.1"): string[] {
  return ["--server", `${host}:${server.tlsPort}`, "--user", name, "--data", join(world.folder, name)];
}

// What is asked is in the tables of texts; what a terminal does with it is the same in both languages.
describe("the hidden prompt", () => {
  test("asks twice for a new password, once for an old one, and shows neither", async () => {
    const name = "prompt";
    const prompt = `Contraseña de ${name}:`;
    const register = atTerminal(["register", "--lang", "es", ...flags(name)], APART);
    await register.shows(prompt);
    register.type(`${PASSWORD}\r`);
    await register.shows("Repita la contraseña:");
    register.type(`${PASSWORD}\r`);
    expect(await register.ended()).toBe(0);
    expect(register.text).not.toContain(PASSWORD.slice(0, 4));
    expect(register.text).not.toMatch(/masked|toggle/);
    expect(register.isInLineMode).toBe(true);
    register.close();

    const users = atTerminal(["users", "--lang", "es", ...flags(name)]);
    await users.shows(prompt);
    users.type(`${PASSWORD}\r`);
    expect(await users.ended()).toBe(0);
    expect(users.text).not.toContain(PASSWORD.slice(0, 4));
    users.close();

    const stored = atTerminal(["users", "--lang", "es", ...flags(name)]);
    expect(await stored.ended()).toBe(0);
    expect(stored.text).not.toContain(prompt);
    stored.close();
  });

  test("two passwords that differ make no account", async () => {
    const register = atTerminal(["register", "--lang", "en", ...flags("differ")]);
    await register.shows("Password for differ:");
    register.type("one password\r");
    await register.shows("Repeat the password:");
    register.type("another password\r");
    expect(await register.ended()).toBe(2);
    expect(register.text).toContain("The passwords do not match");
    register.close();
  });

  test.each([
    ["Ctrl-D", "register", ""],
    ["Ctrl-D", "users", "half"],
    ["Ctrl-C", "register", "half"],
    ["Ctrl-C", "users", "half"],
    ["Ctrl-C", "listen", "half"],
  ])(
    "%s at it ends %s with 130 and gives the terminal back, also behind «%s»",
    async (key, command, half) => {
      const person = world.person(`${key}.${command}`.toLowerCase(), server.tlsPort);
      await person.register();
      const args = [command, "--lang", "es", ...flags(person.name), "--data", person.data];
      const client = atTerminal(args, command === "users" ? APART : {});
      await client.shows("Contraseña de");
      client.type(`${half}${key === "Ctrl-D" ? KEY.ctrlD : KEY.ctrlC}`);
      expect(await client.ended()).toBe(130);
      expect(client.text).not.toContain("half");
      expect(client.isInLineMode).toBe(true);
      expect(client.cursorIsShown).toBe(true);
      client.close();
    },
  );
});

describe("--password-stdin at a terminal", () => {
  test("takes one line and does not show it", async () => {
    const name = "typed-line";
    for (const command of ["register", "users"]) {
      const client = atTerminal([command, "--password-stdin", "--lang", "en", ...flags(name)]);
      await client.shows(`Password for ${name}:`);
      client.type(`${PASSWORD}\r`);
      expect(await client.ended()).toBe(0);
      expect(client.text).not.toContain(PASSWORD.slice(0, 4));
      expect(client.isInLineMode).toBe(true);
      client.close();
    }
  });

  test("also where standard error is no terminal", async () => {
    const person = world.person("silent", server.tlsPort);
    await person.register();
    const file = join(world.folder, "silent.ts");
    await Bun.write(
      file,
      `const streams = { stdin: "inherit", stdout: "inherit", stderr: "ignore" };
       const client = [process.execPath, ${JSON.stringify(CLIENT_PROGRAM)}, ...process.argv.slice(2)];
       // Each dot has the terminal's mode looked at again.
       setInterval(() => process.stdout.write("."), 50);
       process.exit(await Bun.spawn(client, streams).exited);`,
    );
    for (const [typed, code] of [
      [`${PASSWORD}\r`, 0],
      [`half${KEY.ctrlC}`, 130],
    ] as const) {
      const data = code === 0 ? person.data : `${person.data}-2`;
      const args = ["users", "--password-stdin", ...flags(person.name), "--data", data];
      const client = new AtTerminal(args, { program: { file } });
      await client.until(() => !client.isInLineMode, "raw mode");
      client.type(typed);
      expect(await client.ended()).toBe(code);
      expect(client.text).not.toContain(typed.slice(0, 4));
      expect(client.isInLineMode).toBe(true);
      client.close();
    }
  });

  test.each([KEY.ctrlC, KEY.ctrlD])("%j ends it with 130 and gives the terminal back", async (key) => {
    const client = atTerminal(["register", "--password-stdin", "--lang", "en", ...flags("left")], APART);
    await client.shows("Password for");
    client.type(`half${key}`);
    expect(await client.ended()).toBe(130);
    expect(client.text).not.toContain("half");
    expect(client.isInLineMode).toBe(true);
    expect(client.cursorIsShown).toBe(true);
    client.close();
  });
});

test.each([
  ["SIGINT", "users"],
  ["SIGTERM", "register"],
] as const)("%s at the prompt of %s is 130 too, and gives the terminal back", async (signal, command) => {
  const client = atTerminal([command, "--lang", "en", ...flags(`signal.${command}`)], APART);
  await client.shows("Password for");
  const began = performance.now();
  client.signal(signal);
  expect(await client.ended()).toBe(130);
  expect(performance.now() - began).toBeLessThan(GONE_WITHIN);
  expect(client.isInLineMode).toBe(true);
  expect(client.cursorIsShown).toBe(true);
  client.close();
});

test("a text typed at the terminal says how to end it", async () => {
  const ana = world.person("typed.ana", server.tlsPort);
  await ana.register();
  const send = ["send", "--wait", "queued", "beto", "--lang", "en", ...flags(ana.name), "--data", ana.data];
  const client = atTerminal(send, APART);
  await client.shows("Ctrl-D on an empty line sends it");
  client.type(`first line\rsecond line\r${KEY.ctrlD}`);
  expect(await client.ended()).toBe(0);
  client.close();
  const events = await ana.list(["history", "beto"]);
  expect(events).toMatchObject([{ text: "first line\nsecond line" }]);
  const interrupted = atTerminal(send, APART);
  await interrupted.shows("Ctrl-D on an empty line sends it");
  interrupted.type("never sent");
  // What Ctrl-C is outside a prompt: this terminal controls no process, so it makes no signals itself.
  interrupted.signal("SIGINT");
  expect(await interrupted.ended()).toBe(130);
  interrupted.close();
  expect(await ana.list(["history", "beto"])).toHaveLength(1);
});

test("a message padded to the terminal's edge cannot begin a line of its own", async () => {
  const [ana, beto] = [world.person("edge.ana", server.tlsPort), world.person("edge.beto", server.tlsPort)];
  await Promise.all([ana.register(), beto.register()]);
  const listening = atTerminal(["listen", "--lang", "en", ...flags(beto.name), "--data", beto.data], {
    environment: { PALOMA_PASSWORD: PASSWORD },
  });
  await listening.shows("is online");
  const forged = `ok${" ".repeat(COLUMNS)}2026-11-22 17:55 carla: pay 1000`;
  expect((await ana.run(["send", beto.name, forged], { password: PASSWORD })).code).toBe(0);
  await listening.shows("pay 1000");
  listening.signal("SIGINT");
  expect(await listening.ended()).toBe(0);
  listening.close();
  const rows = listening.text.split(/\r?\n/);
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(COLUMNS);
  expect(rows.filter((row) => row.includes("pay 1000"))).toEqual([expect.stringMatching(/^ {4}/)]);
});

test("what `listen` prints counts as read at no terminal, and its changes are shown", async () => {
  const [ana, beto] = [world.person("read.ana", server.tlsPort), world.person("read.beto", server.tlsPort)];
  await Promise.all([ana.register(), beto.register()]);
  expect((await beto.run(["users"], { password: PASSWORD })).code).toBe(0);
  const listening = atTerminal(["listen", "--lang", "es", ...flags(beto.name), "--data", beto.data]);
  await listening.shows("está en línea");
  const send = async (text: string) => {
    const { events } = await ana.json(["send", beto.name, text], { password: PASSWORD });
    await listening.shows(`read.ana: ${text}`);
    return String(events[0]?.["id"]);
  };
  const id = await send("¿estás ahí?");
  // What was told of the first one would have come before the second one was acknowledged.
  await send("¿hola?");
  expect((await ana.states(beto.name)).map(([, state]) => state)).toEqual(["received", "received"]);
  expect((await ana.run(["edit", beto.name, id, "¿sigues ahí?"])).code).toBe(0);
  await listening.shows("read.ana (editado): ¿sigues ahí?");
  expect((await ana.run(["withdraw", beto.name, id])).code).toBe(0);
  await listening.shows("read.ana (retirado)");
  listening.signal("SIGINT");
  expect(await listening.ended()).toBe(0);
  listening.close();
});

test.each([
  ["es", "sí", "Escriba «sí»", "No se ha borrado nada", ["\r", "no\r", KEY.ctrlC]],
  ["en", "yes", "Type “yes”", "Nothing was deleted", ["sí\r"]],
])(
  "in %s a whole conversation is deleted by «%s» and by nothing else",
  async (lang, yes, question, declined, others) => {
    const ana = world.person(`wipe.${lang}`, server.tlsPort);
    await ana.register();
    expect((await ana.run(["send", "--wait", "queued", "beto", "uno"])).code).toBe(0);
    expect((await ana.run(["cancel", "beto"])).code).toBe(0);
    const profile = Profile.open(ana.profileFolder);
    const message = { kind: "text", id: "a", text: "hola", sentAt: undefined, replyTo: undefined } as const;
    const read = { incoming: [message], acknowledged: [], readUpTo: undefined };
    profile.messages.commitRead(profile.contacts.ensure("beto"), read, Date.now());
    profile.close();
    const ask = async (answer: string) => {
      const client = atTerminal(["delete", "beto", "--lang", lang, ...flags(ana.name), "--data", ana.data]);
      await client.shows(question);
      client.type(answer);
      const code = await client.ended();
      expect(client.isInLineMode).toBe(true);
      client.close();
      return { code, text: client.text };
    };
    for (const answer of others) {
      const kept = await ask(answer);
      expect(kept.code).toBe(answer === KEY.ctrlC ? 130 : 1);
      if (answer !== KEY.ctrlC) expect(kept.text).toContain(declined);
    }
    expect(await ana.list(["history", "beto"])).toHaveLength(1);
    expect((await ask(`${yes}\r`)).code).toBe(0);
    expect(await ana.list(["history", "beto"])).toEqual([]);
  },
);

const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find((each) => each.family === "IPv4" && !each.internal)?.address;
describe.skipIf(address === undefined)("the first contact with another machine", () => {
  test.each([
    ["es", "sí", "Primer contacto", "No se ha confiado", ["\r", "no\r", KEY.ctrlC, KEY.ctrlD]],
    ["en", "yes", "First contact", "was not trusted", ["sí\r"]],
  ])("in %s is trusted by «%s» and by nothing else", async (lang, yes, question, declined, others) => {
    const environment = { PALOMA_PASSWORD: PASSWORD, PALOMA_LANG: lang };
    const fingerprint = /huella de la autoridad (.*)$/.exec(server.lines[2] ?? "")?.[1] ?? "?";
    const ask = async (answer: string) => {
      const client = atTerminal(["register", ...flags(`first.${lang}`, address)], { environment });
      await client.shows(fingerprint);
      expect(client.text).toContain(question);
      client.type(answer);
      const code = await client.ended();
      expect(client.isInLineMode).toBe(true);
      client.close();
      return { code, text: client.text };
    };
    for (const answer of others) {
      const refused = await ask(answer);
      const isKey = answer === KEY.ctrlC || answer === KEY.ctrlD;
      expect(refused.code).toBe(isKey ? 130 : 3);
      if (!isKey) expect(refused.text).toContain(declined);
    }
    expect((await ask(`${yes}\r`)).code).toBe(0);
    const known = atTerminal(["users", ...flags(`first.${lang}`, address)], { environment });
    expect(await known.ended()).toBe(0);
    expect(known.text).not.toContain(question);
    known.close();
  });
});
