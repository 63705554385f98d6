import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { join } from "node:path";

import { Profile } from "../../src/client/profile/profile.ts";
import { PASSWORD, World, type Ended, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

/** `--json` as the environment gives it. */
const JSON_ON = { environment: { PALOMA_JSON: "1" } };

function inSpanish(args: readonly string[]): string[] {
  return ["--lang", "es", ...args];
}

/** One sentence for a person, and one event for a program. */
function expectUsage(english: Ended, en: string, spanish: Ended, es: string): void {
  expect(english.stderr).toContain(en);
  expect(english.stdout).toBe("");
  expect(english.code).toBe(2);
  expect(spanish.stderr).toContain(es);
  const [event, ...more] = spanish.stdout.split("\n");
  expect(JSON.parse(event ?? "")).toEqual({
    event: "error",
    code: expect.stringMatching(/^[a-z_]+$/),
    message: expect.stringContaining(es),
  });
  expect(more).toEqual([""]);
  expect(spanish.code).toBe(2);
}

test("arguments and variables that are not UTF-8 are refused, and a typed U+FFFD is not", async () => {
  const run = async (program: string, script: string) => {
    const path = join(import.meta.dir, "../..", program);
    const child = Bun.spawn(
      ["sh", "-c", script.replace("PROGRAM", `exec "${process.execPath}" run "${path}"`)],
      {
        env: { PATH: process.env["PATH"] ?? "", HOME: world.folder, PALOMA_LANG: "en" },
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const [code, stderr] = await Promise.all([child.exited, child.stderr.text()]);
    return { code, stderr };
  };
  const latin = "$(printf 'caf\\351')";
  const refused = { code: 2, stderr: expect.stringContaining("Not valid UTF-8: “caf\ufffd”\n") };
  expect(await run("client.ts", `PROGRAM send beto "${latin}"`)).toEqual(refused);
  expect(await run("client.ts", `PROGRAM export beto "${latin}"`)).toEqual(refused);
  expect(await run("server.ts", `PROGRAM admin backup "${latin}"`)).toEqual(refused);
  expect(await run("client.ts", `PALOMA_USER="${latin}" PROGRAM users`)).toEqual({
    code: 2,
    stderr: expect.stringContaining("PALOMA_USER: not valid UTF-8\n"),
  });
  expect((await run("client.ts", `PROGRAM export beto "caf\ufffd"`)).stderr).toContain("no account here yet");
});

test("the process ends with the exit code of its command", async () => {
  const ana = world.person("ana.codes", port);
  const codes = async (...args: string[]) => (await ana.start(args, { password: PASSWORD }).ended).code;
  expect(await codes("register")).toBe(0);
  expect(await codes("users")).toBe(0);
  expect(await codes("export", "beto", world.folder)).toBe(1);
  expect(await codes("fly")).toBe(2);
  expect(await codes("users", "--server", "127.0.0.1:1")).toBe(3);
  expect(await codes("register")).toBe(4);
  expect(await codes("send", "nobody.online", "hello")).toBe(5);
});

describe("2: wrong usage", () => {
  let ana: Person;
  beforeAll(async () => {
    ana = world.person("ana.usage", port);
    await ana.register();
  });

  test.each([
    [["fly"], "Unknown command: “fly”", "Orden desconocida: «fly»"],
    [["users", "--flly"], "Unknown option: --flly", "Opción desconocida: --flly"],
    [["users", "--wait", "queued"], "users does not take --wait", "users no admite --wait"],
    [["users", "--timeout", "0"], "--timeout: expected a number", "--timeout: se esperaba un número"],
    [["users", "--timeout"], "--timeout: the value is missing", "--timeout: falta el valor"],
    [["users", "--p2p-port=65536"], "--p2p-port: expected", "--p2p-port: se esperaba"],
    [["users", "--json=yes"], "--json takes no value", "--json no lleva valor"],
    [["users", "--password", "x"], "Unknown option: --password", "Opción desconocida: --password"],
    [["users", "--server", "::1"], "is not a server", "no es un servidor"],
    [["users", "--server-fingerprint", "ab"], "64 hexadecimal digits", "64 cifras hexadecimales"],
    [["send"], "USER is missing", "Falta USUARIO"],
    [["send", "beto", "two", "words"], "quote a text", "entre comillas"],
    [["send", "a\u0007b", "x"], "is not a valid user name", "no es un nombre de usuario válido"],
    ...["ab", "x".repeat(33), "a b", "-ana"].map((name): [string[], string, string] => [
      ["send", "--", name, "x"],
      "is not a valid user name",
      "no es un nombre de usuario válido",
    ]),
    [["history", "\u202ebenito"], "that are not seen", "caracteres que no se ven"],
    [["send", "ana\u200b", "x"], "that are not seen", "caracteres que no se ven"],
    [["cancel", "a b"], "is not a valid user name", "no es un nombre de usuario válido"],
    [["edit", "a b", "id", "x"], "is not a valid user name", "no es un nombre de usuario válido"],
    [["withdraw", "a b", "id"], "is not a valid user name", "no es un nombre de usuario válido"],
    [["delete", "--yes", "a b"], "is not a valid user name", "no es un nombre de usuario válido"],
    [["history", "a b"], "open its chat from the menus first", "abra antes su chat desde los menús"],
    [["fingerprint", "a b"], "is not a valid user name", "no es un nombre de usuario válido"],
    [["send", "beto", "\u3000 \u200b"], "The text is empty", "El texto está vacío"],
    [["edit", "beto", "id", "\u2060"], "The text is empty", "El texto está vacío"],
    [["send", "ANA.usage", "x"], "messages to yourself", "a sí mismo"],
    [["fingerprint", "--accept"], "--accept needs a USER", "--accept necesita un USUARIO"],
    [["history"], "USER is missing", "Falta USUARIO"],
    [["search"], "WORDS is missing", "Falta PALABRAS"],
    [["search", "¿?", "…"], "at least one letter or digit", "al menos una letra o una cifra"],
    [["export", "beto"], "FILE is missing", "Falta ARCHIVO"],
    [["edit", "beto"], "ID is missing", "Falta ID"],
    [["withdraw", "beto"], "ID is missing", "Falta ID"],
    [["edit", "beto", "no-such-id", "x"], "no message with that ID", "ningún mensaje con ese ID"],
    [["withdraw", "beto", "no-such-id"], "no message with that ID", "ningún mensaje con ese ID"],
    [["cancel", "beto", "no-such-id"], "no message with that ID", "ningún mensaje con ese ID"],
    [["delete", "beto", "no-such-id"], "no message with that ID", "ningún mensaje con ese ID"],
    [
      ["send", "--reply-to", "no-such-id", "beto", "x"],
      "no message with that ID",
      "ningún mensaje con ese ID",
    ],
    [["delete", "beto"], "needs --yes", "necesita --yes"],
    [["listen", "now"], "one argument too many", "Sobra «now»"],
  ])("%j", async (args, en, es) => {
    expectUsage(await ana.run(["--lang", "en", ...args]), en, await ana.run(inSpanish(args), JSON_ON), es);
  });

  test("a name of an old account is taken once it is known here", async () => {
    const dan = world.person("dan.usage", port);
    await dan.register();
    const [oldName, send] = ["José María", ["send", "--wait", "queued"]];
    expect((await dan.run([...send, oldName, "hola"])).code).toBe(2);
    const profile = Profile.open(dan.profileFolder);
    profile.contacts.ensure(oldName);
    profile.close();
    expect((await dan.run([...send, oldName, "hola"])).code).toBe(0);
    expect(await dan.states(oldName)).toEqual([["hola", "queued"]]);
    expect((await dan.run(["cancel", oldName])).code).toBe(0);
  });

  test("that nobody may have a name is said where nobody has answered to it", async () => {
    const queued = await ana.run(["send", "--wait", "queued", "benitp", "hola"]);
    const nothing = await ana.run(["cancel", "benitpp"]);
    for (const { code, stderr } of [queued, nothing]) {
      expect(stderr).toContain("or nobody has that name: check the spelling");
      expect(code).toBe(0);
    }
    const spanish = await ana.run(inSpanish(["send", "--wait", "queued", "benitp", "hola"]));
    expect(spanish.stderr).toContain("o nadie se llama así: compruebe el nombre");
  });

  test("no command, without a terminal", async () => {
    const [english, spanish] = [ana.start(["--lang", "en"]), ana.start(inSpanish([]), JSON_ON)];
    expectUsage(await english.ended, "The menus need a terminal", await spanish.ended, "Falta la orden");
  });

  test("no account, one of several, and one never used here are named", async () => {
    const noUser = world.start({
      args: ["--data", `${world.folder}/nothing`, "--server", `127.0.0.1:${port}`, "users", "--lang", "en"],
    });
    expect(await noUser.ended).toMatchObject({ code: 2, stdout: "" });
    expect(noUser.stderr.text).toContain("There is no account here yet");

    const run = (...args: string[]) =>
      world.start({
        args: ["--data", ana.data, "--server", `127.0.0.1:${port}`, "--lang", "en", ...args],
      }).ended;
    expect(await run("history", "beto")).toMatchObject({
      code: 0,
      stderr: "There are no messages with beto.\n",
    });
    const second = world.start({
      args: ["--data", ana.data, "--server", `127.0.0.1:${port}`, "--user", "ana.second", "register"],
      environment: { PALOMA_PASSWORD: PASSWORD },
    });
    expect((await second.ended).code).toBe(0);
    const several = await run("history", "beto");
    expect(several.code).toBe(2);
    expect(several.stderr).toMatch(/several accounts \(ana\.(usage|second) and ana\.(usage|second)\)/);
    expect(await run("history", "beto", "--user", "nobody")).toMatchObject({
      code: 2,
      stderr: "That account has not been used in this data folder.\n",
    });
  });
});
