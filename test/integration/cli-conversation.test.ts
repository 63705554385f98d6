import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { MAX_TEXT_BYTES } from "../../src/protocol/peer-messages.ts";
import { ClientProcess, PASSWORD, World, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

async function pair(one: string, other: string): Promise<[Person, Person]> {
  const people: [Person, Person] = [world.person(one, port), world.person(other, port)];
  await Promise.all(people.map((person) => person.register()));
  return people;
}

describe.each(["es", "en"] as const)("in %s", (lang) => {
  const english = lang === "en";

  test("two people register, find each other and talk both ways", async () => {
    const ana = world.person(`ana-${lang}`, port);
    const beto = world.person(`beto-${lang}`, port);
    const speak = { environment: { PALOMA_LANG: lang }, password: PASSWORD };

    const registered = await ana.run(["register", "--email", "ana@example.org"], speak);
    expect(registered).toEqual({
      code: 0,
      stdout: english ? `User registered: ${ana.name}\n` : `Usuario registrado exitosamente: ${ana.name}\n`,
      stderr: "",
    });
    expect((await beto.run(["register"], speak)).code).toBe(0);

    const listening = beto.start(["listen"], speak);
    const ready = await listening.stdout.line(() => true);
    expect(ready).toMatch(
      english ? /^beto-en is online \(port \d+\)\. Ctrl-C/ : /^beto-es está en línea \(puerto \d+\)\. Ctrl-C/,
    );

    const users = await ana.run(["users"], speak);
    expect(users).toMatchObject({ code: 0, stderr: "" });
    expect(users.stdout).toMatch(new RegExp(`^beto-${lang}  127\\.0\\.0\\.1:\\d+$`, "m"));

    // From here on the stored session is enough: no password is given.
    const stored = { environment: { PALOMA_LANG: lang } };
    const sent = await ana.run(["send", beto.name.toUpperCase(), "¿qué tal? 🕊"], stored);
    expect(sent).toEqual({
      code: 0,
      stdout: "",
      stderr: english ? "✓✓ received by beto-en\n" : "✓✓ recibido por beto-es\n",
    });
    expect(await listening.stdout.line((line) => line.includes("qué tal"))).toMatch(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d ana-${lang}: ¿qué tal\\? 🕊$`),
    );
    listening.signal("SIGINT");
    expect((await listening.ended).code).toBe(0);

    const answering = ana.start(["listen"], stored);
    await answering.stdout.line(() => true);
    expect((await beto.run(["send", ana.name, "bien"], stored)).code).toBe(0);
    expect(await answering.stdout.line((line) => line.endsWith(": bien"))).toBeDefined();
    await answering.stop();

    const history = await ana.run(["history", beto.name], stored);
    const date = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d";
    expect(history.stdout).toMatch(
      new RegExp(`^${date} ana-${lang} ✓✓: ¿qué tal\\? 🕊\n${date} beto-${lang}: bien\n$`),
    );
    const numbers = await Promise.all([
      ana.run(["fingerprint", beto.name], stored),
      beto.run(["fingerprint", ana.name], stored),
    ]);
    const [mine, theirs] = numbers.map(({ stdout }) => stdout.split("\n")[1]);
    expect(mine).toMatch(/^ {2}(\d{5} ){11}\d{5}$/);
    expect(theirs).toBe(mine as string);

    expect((await ana.run(["logout"], stored)).stdout).toBe(english ? "Logged out.\n" : "Sesión cerrada.\n");
    const after = await ana.run(["users"], stored);
    expect(after.code).toBe(2);
    expect(after.stderr).toContain(english ? "The password is missing" : "Falta la contraseña");
  });
});

describe("for programs", () => {
  test("every command prints one JSON object on each line", async () => {
    const [ana, beto] = [world.person("Ana.J", port), world.person("beto.j", port)];
    expect((await ana.json(["register"], { password: PASSWORD })).events).toEqual([
      { event: "registered", username: "Ana.J" },
    ]);
    await beto.register();
    const listening = await beto.listen(PASSWORD);
    const ready = listening.events[0];
    expect(ready).toEqual({ event: "ready", username: "beto.j", p2p_port: expect.any(Number) });

    const users = await ana.list(["users"], { password: PASSWORD });
    expect(users).toContainEqual({
      event: "user",
      username: "beto.j",
      ip: "127.0.0.1",
      p2p_port: ready?.["p2p_port"],
      secure: true,
    });

    const sent = await ana.json(["send", "BETO.J", "one"]);
    const id = sent.events[0]?.["id"];
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(sent.events).toEqual(
      ["queued", "sent", "received"].map((state) => ({
        event: "delivery",
        id,
        // The registered spelling is known as soon as the server has said it.
        to: state === "queued" ? "BETO.J" : "beto.j",
        state,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      })),
    );
    expect(await listening.event({ event: "message" })).toEqual({
      event: "message",
      from: "Ana.J",
      text: "one",
      id,
      sent_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      received_at: expect.stringMatching(/Z$/),
    });
    // It reads while another process is online: no lock, no password, no network.
    const history = await beto.list(["history", "ana.j"]);
    expect(history).toEqual([
      {
        event: "message",
        from: "Ana.J",
        to: "beto.j",
        text: "one",
        id,
        sent_at: expect.any(String),
        received_at: expect.any(String),
        edited_at: null,
        withdrawn_at: null,
        state: "received",
      },
    ]);
    const own = await ana.json(["fingerprint"]);
    expect(own.events).toEqual([
      { event: "fingerprint", username: "Ana.J", fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    const number = await beto.json(["fingerprint", "ana.j"]);
    expect(number.events).toEqual([
      {
        event: "safety_number",
        username: "Ana.J",
        safety_number: expect.any(String),
        fingerprint: own.events[0]?.["fingerprint"],
        pending: false,
        verified: false,
      },
    ]);
    expect((await ana.json(["logout"])).events).toEqual([{ event: "logged_out", username: "Ana.J" }]);
    await listening.stop();
  });

  test("a list longer than a pipe reaches a slow reader whole", async () => {
    const [ana, beto] = await pair("ana.long", "beto.long");
    const listening = await beto.listen(PASSWORD);
    const text = "a".repeat(MAX_TEXT_BYTES);
    for (let count = 0; count < 6; count++) {
      const sent = await ana.run(["send", beto.name, text], { password: PASSWORD });
      expect(sent.code).toBe(0);
    }
    await listening.stop();
    expect(listening.events.filter(({ event }) => event === "message")).toHaveLength(6);
    const history = await ana.list(["history", beto.name]);
    expect(history.map((event) => String(event["text"]).length)).toEqual(Array(6).fill(MAX_TEXT_BYTES));
  });
});

describe("the password", () => {
  test("is taken from standard input without its line end", async () => {
    const ana = world.person("ana.stdin", port);
    expect((await ana.run(["register", "--password-stdin"], { input: `${PASSWORD}\n` })).code).toBe(0);
    expect((await ana.run(["users", "--password-stdin"], { input: `${PASSWORD}\r\nrest` })).code).toBe(0);
    const refused = await ana.elsewhere().run(["users", "--password-stdin"], { input: `${PASSWORD} \n` });
    expect(refused.code).toBe(4);
  });

  test("is not needed while the stored session holds, and a refused session asks for it", async () => {
    const ana = world.person("ana.token", port);
    await ana.register();
    expect((await ana.run(["users"])).code).toBe(2);
    expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
    expect((await ana.run(["users"], { password: "a wrong one, never looked at" })).code).toBe(0);
  });

  test("cannot come from the same standard input as the text", async () => {
    const ana = world.person("ana.both", port);
    await ana.register();
    const sent = await ana.run(["send", "beto", "--password-stdin"], { input: `${PASSWORD}\nhello` });
    expect(sent.code).toBe(2);
    expect(sent.stderr).toContain("Standard input cannot provide both");
  });
});

describe("the text of a message", () => {
  let ana: Person;
  let stored: () => Promise<unknown[]>;
  beforeAll(async () => {
    [ana] = await pair("ana.text", "beto.text");
    stored = async () => (await ana.list(["history", "beto.text"])).map((event) => event["text"]);
  });
  const queue = (args: readonly string[], input?: string | Uint8Array) =>
    ana.run(["send", "--wait", "queued", "beto.text", ...args], input === undefined ? {} : { input });

  test("comes from standard input without its one final line end, and from arguments as it is", async () => {
    expect((await queue([], "two\nlines\n\n")).code).toBe(0);
    expect((await queue([], "no line feed")).code).toBe(0);
    expect((await queue([], "of another system\r\n\r\n")).code).toBe(0);
    expect((await queue([], "carriage return stays\r")).code).toBe(0);
    expect((await queue(["--", "-x --json"])).code).toBe(0);
    expect((await queue(["ends with a line feed\n"])).code).toBe(0);
    expect(await stored()).toEqual([
      "two\nlines\n",
      "no line feed",
      "of another system\r\n",
      "carriage return stays\r",
      "-x --json",
      "ends with a line feed\n",
    ]);
  });

  test("may have 32 KiB and not one byte more", async () => {
    const most = "ñ".repeat(MAX_TEXT_BYTES / 2);
    expect((await queue([], most)).code).toBe(0);
    expect((await queue([], `${most}\n`)).code).toBe(0);
    expect((await queue([], `${most}\r\n`)).code).toBe(0);
    expect((await stored()).slice(-3)).toEqual([most, most, most]);
    for (const input of [`${most}x`, `${most}\n\n`, `${most}\r`, `${most}x\n`, "y".repeat(1_000_000)]) {
      const { code, stderr } = await queue([], input);
      expect({ code, stderr }).toEqual({ code: 2, stderr: "The text exceeds 32 KiB.\n" });
    }
    expect((await queue([`${most}x`])).code).toBe(2);
  });

  test("must be UTF-8 and not blank", async () => {
    const before = await stored();
    for (const input of [
      new Uint8Array([0x61, 0xff]),
      new Uint8Array([0xc3]),
      new Uint8Array([0xed, 0xa0, 0x80]),
    ]) {
      const { code, stderr } = await queue([], input);
      expect({ code, stderr }).toEqual({ code: 2, stderr: "The text is not valid UTF-8.\n" });
    }
    for (const input of ["", "\n", "\r\n", " \t\n\n", "\u3000", "\u200b\ufeff\n"])
      expect((await queue([], input)).code).toBe(2);
    for (const text of ["", " ", "\u3000", "\u200b"]) expect((await queue([text])).code).toBe(2);
    expect(await stored()).toEqual(before);
  });
});

test("help and version need nothing and are in both languages", async () => {
  const run = (...args: string[]) => new ClientProcess({ args }).ended;
  expect((await run("--help")).stdout).toContain("Uso: paloma [orden]");
  expect((await run("--help", "--lang", "en")).stdout).toContain("Usage: paloma [command]");
  expect((await run("send", "--help", "--lang=en")).stdout).toContain("Usage: paloma [command]");
  expect(await run("--version")).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^paloma \d+\.\d+\.\d+( \([0-9a-f]{12}\))?\n$/),
    stderr: "",
  });
  const environment = { PALOMA_TIMEOUT: "soon", PALOMA_LANG: "xx" };
  expect(await new ClientProcess({ args: ["--help"], environment }).ended).toMatchObject({
    code: 0,
    stderr: "",
  });
  expect(await new ClientProcess({ args: ["--version"], environment }).ended).toMatchObject({
    code: 0,
    stderr: "",
  });
});
