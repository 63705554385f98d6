/**
 * Arguments, variables and paths with what a terminal obeys in them: neither program prints it, and no line of its
 * output begins with their words.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ClientHere, ClientProcess, PASSWORD, type Person } from "./cli-process.ts";
import { ServerHere } from "./server-process.ts";
import { TerminalWorld } from "./terminal-people.ts";

setDefaultTimeout(60_000);

/** All that a terminal obeys or does not show, but for the line feed. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
/** It ends a quotation, begins a line, sets a title, goes back in the row and reverses it. */
const ODD = "x»”\n*** Paloma\r\u001b]0;title\u0007\u009b31m\u202eend";

function expectTame(output: string): void {
  expect(output).not.toMatch(UNSAFE);
  expect(output).not.toMatch(/^\*\*\*/m);
  // What ends the quotation is our own mark alone.
  expect(output).not.toMatch(/[»”]”|»[”»]/);
}

const world = new TerminalWorld();
let ana: Person;
let oddFolder: string;
beforeAll(async () => {
  const { tlsPort } = await world.server();
  [ana] = [world.person("ana", tlsPort)];
  const beto = world.person("beto", tlsPort);
  await Promise.all([ana.register(), beto.register()]);
  const sent = await ana.run(["send", "beto", "--wait", "queued", "hola"], { password: PASSWORD });
  expect(sent.code).toBe(0);
  oddFolder = join(world.folder, ODD);
  mkdirSync(oddFolder);
  writeFileSync(join(oddFolder, "servers.db"), "no database");
  writeFileSync(join(oddFolder, "taken"), "");
});
afterAll(() => world.close());

describe("the client", () => {
  const ARGUMENTS: readonly (readonly string[])[] = [
    [ODD],
    [`--${ODD}`],
    [`--${ODD}=1`, "users"],
    [`-${ODD}`],
    [`--json=${ODD}`, "users"],
    ["users", ODD],
    ["send", ODD, "text"],
    ["send", "be»\u202eto", "text"],
    ["history", "be»\u202eto"],
    ["cancel", "be»\u202eto"],
    ["delete", "--yes", "be»\u202eto"],
    ["fingerprint", "be»\u202eto"],
    ["send", "--reply-to", ODD, "beto", "text"],
    ["edit", "beto", ODD, "text"],
    ["withdraw", "beto", ODD],
    ["cancel", "beto", ODD],
    ["search", ODD],
    ["export", "beto", `/nowhere/${ODD}`],
    ["export", "beto", `${ODD}/`],
    ["users", "--server", ODD],
    ["users", "--server", "a\u001b]0;x\u0007"],
    ["users", "--server", `[${ODD}]`],
    ["users", "--user", ODD],
    ["users", "--timeout", ODD],
    ["users", "--p2p-port", ODD],
    ["users", "--lang", ODD],
    ["users", "--server-fingerprint", ODD],
    ["send", "--wait", ODD, "beto", "text"],
    ["register", "--email", ODD],
  ];

  test("echoes no argument as it is", async () => {
    for (const lang of ["es", "en"]) {
      for (const json of [[], ["--json"]]) {
        for (const args of ARGUMENTS) {
          const { stdout, stderr } = await ana.run(["--lang", lang, ...json, ...args]);
          expectTame(stdout + stderr);
        }
      }
    }
  });

  test("names paths so that they do nothing", async () => {
    const exported = join(oddFolder, "chat.txt");
    const runs = [
      ["export", "beto", exported],
      ["export", "beto", join(oddFolder, "taken")],
      ["users", "--data", oddFolder],
      ["register", "--data", oddFolder],
      ["fingerprint", "--data", join(oddFolder, "taken")],
      ["fingerprint", "--data", join(oddFolder, "none")],
    ];
    for (const args of runs) {
      const { stdout, stderr } = await ana.run(args, { password: PASSWORD });
      expectTame(stdout + stderr);
      expect(stdout + stderr).not.toBe("");
    }
    expect(await Bun.file(exported).exists()).toBe(true);
  });

  test("prints no variable as it is", async () => {
    const flags = [
      "SERVER",
      "USER",
      "DATA",
      "P2P_PORT",
      "SERVER_FINGERPRINT",
      "TIMEOUT",
      "LANG",
      "JSON",
      "WAIT",
    ];
    for (const name of [...flags, "REPLY_TO", "EMAIL", "ACCEPT", "YES", "HELP"]) {
      for (const args of [["send", "beto", "text"], ["register"], ["fingerprint", "beto"]]) {
        const value = name === "DATA" ? join(oddFolder, "data") : ODD;
        const environment = { [`PALOMA_${name}`]: value, HOME: world.folder };
        const { stdout, stderr } = await new ClientHere({ args, environment }).ended;
        expectTame(stdout + stderr);
      }
    }
    const surroundings = { LANG: ODD, LC_ALL: ODD, TZ: ODD, USER: ODD, TERM: ODD, HOSTNAME: ODD };
    const commands = [["users", "--user", "ana"], ["fingerprint"], [], ["--help"]];
    const runs = commands.map((args) => ({ Run: ClientProcess, home: { HOME: oddFolder }, args }));
    // The runtime reads the zone and the language when a process starts, and a home folder it never reads.
    const homes = [{ HOME: join(oddFolder, "taken") }, { XDG_DATA_HOME: oddFolder }];
    const here = homes.flatMap((home) =>
      commands.filter(([first]) => first !== undefined).map((args) => ({ Run: ClientHere, home, args })),
    );
    for (const { Run, home, args } of [...runs, ...here]) {
      const environment = { ...surroundings, ...home, PALOMA_PASSWORD: PASSWORD };
      const { stdout, stderr } = await new Run({ args, environment }).ended;
      expectTame(stdout + stderr);
    }
  });
});

test("the menus show an odd path and an odd environment so that they do nothing", async () => {
  const environment = { LANG: ODD, TZ: ODD, USER: ODD, HOME: oddFolder };
  for (const data of [oddFolder, join(oddFolder, "taken")]) {
    const terminal = world.at(["--server", ana.server, "--data", data], { environment });
    expect(await terminal.ended()).toBe(1);
    const { raw, screen } = terminal;
    for (const row of [...screen.scrollback, ...screen.rows]) expectTame(row);
    expect(screen.transcript).toContain("*** Paloma");
    expect(raw).not.toContain("\u001b]0;");
    expect(screen.unknown).toEqual([]);
  }
});

/** A run of the server's program that ends by itself, or once it waits for connections. */
async function serverRun(
  args: readonly string[],
  environment: { [name: string]: string } = {},
): Promise<string> {
  const server = new ServerHere(args, environment);
  void server.stdout
    .line((line) => /^(?:Esperando conexiones|Waiting for connections)/.test(line))
    .then(() => server.kill("SIGTERM"));
  await server.exited;
  return server.stdout.text + (await server.stderr);
}

describe("the server", () => {
  const PORTS = ["--port", "0", "--tls-port", "0", "--meeting-port", "0"];

  test("echoes no argument and no variable as it is", async () => {
    const flags = [
      "host",
      "port",
      "plain-from",
      "tls-cert",
      "db",
      "log",
      "register",
      "login-rate",
      "metrics-host",
    ];
    const runs = [
      [ODD],
      [`--${ODD}`],
      ["admin", ODD],
      ["admin", `--${ODD}`],
      ...flags.map((flag) => [...PORTS, `--${flag}`, flag === "db" ? join("/nowhere", ODD) : ODD]),
      [...PORTS, "--db", join(world.folder, "server1.db"), "--tls-cert", ODD, "--tls-key", ODD],
      [...PORTS, "--db", join(world.folder, "server2.db"), "--audit-log", join("/nowhere", ODD)],
      [...PORTS, "--db", join(world.folder, "server3.db"), "--audit-log", oddFolder],
      [...PORTS, "--db", oddFolder],
      [...PORTS, "--db", `${oddFolder}/taken/users.db`],
      [...PORTS, "--db", join(world.folder, "server4.db"), "--host", "fe80::1%x\u001b[2J"],
      [...PORTS, "--db", join(oddFolder, "servers.db")],
    ];
    const outputs = await Promise.all(runs.map((args) => serverRun(args)));
    for (const output of outputs) {
      expectTame(output);
      expect(output).not.toBe("");
    }
    expectTame(await serverRun([...PORTS], { PALOMA_DB: join("/nowhere", ODD), LANG: ODD, TZ: ODD }));
  });

  test("starts, logs and is administered beside an odd path", async () => {
    const db = join(oddFolder, "users.db");
    for (const style of ["pretty", "json"]) {
      const output = await serverRun([...PORTS, "--db", db, "--log", style]);
      expect(output).toContain("Esperando conexiones");
      expectTame(output);
    }
    const admin = [
      ["add", ODD],
      ["disable", ODD],
      ["reset-password", ODD],
      ["users", ODD],
      ["sessions", ODD],
      ["backup", join(oddFolder, "copy.db")],
      ["backup", join(oddFolder, "copy.db")],
      ["backup", oddFolder],
      ["backup", join("/nowhere", ODD)],
      ["restore", join(oddFolder, "taken")],
      ["restore", join(oddFolder, "copy.db")],
    ];
    for (const command of admin) {
      for (const json of [[], ["--json"]]) {
        const output = await serverRun(["admin", "--db", db, ...json, ...command]);
        expectTame(output);
      }
    }
  });
});
