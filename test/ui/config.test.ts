import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { UsageError } from "../../src/protocol/options.ts";
import { inTemporaryFolder } from "../client/test-profile.ts";
import { COMMAND_NAMES, parseServer, readInvocation, wantsJson, type Config } from "../../src/ui/config.ts";

function configOf(args: readonly string[], environment: { [name: string]: string | undefined } = {}): Config {
  const invocation = readInvocation(args, { HOME: "/h", ...environment });
  if (invocation.name !== "command") throw new Error(invocation.name);
  return invocation.config;
}

function complaint(args: readonly string[], environment: { [name: string]: string } = {}): string {
  try {
    readInvocation(args, { HOME: "/h", ...environment });
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong");
}

test("options that are not given have the defaults of CLI", () => {
  expect(configOf(["users"])).toEqual({
    language: "es",
    host: "localhost",
    port: 8_443,
    server: "localhost:8443",
    serverFrom: "default",
    user: undefined,
    dataFolder: "/h/.local/share/paloma",
    p2pPort: undefined,
    serverFingerprint: undefined,
    who: undefined,
    lan: undefined,
    relay: undefined,
    passwordStdin: false,
    password: undefined,
    timeout: 30,
    json: false,
    email: undefined,
    wait: "received",
    replyTo: undefined,
    last: undefined,
    since: undefined,
    yes: false,
    accept: false,
    force: false,
    notifyCommand: undefined,
    off: false,
    downloads: "/h/Downloads",
    acceptFiles: undefined,
    maxSize: undefined,
    sha256: false,
    from: undefined,
    adds: undefined,
    writes: undefined,
    noHistory: false,
  });
});

test("help is known in every form, and a mistyped command is answered", () => {
  for (const args of [["help"], ["help", "send"], ["-h"], ["send", "-h"], ["--help"]])
    expect(readInvocation(args, {})).toEqual({ name: "help", language: "es" });
  expect(complaint(["sned", "--lang", "en"])).toBe("Unknown command: “sned”. Did you mean send?");
  expect(complaint(["sned"])).toBe("Orden desconocida: «sned». ¿Quiere decir send?");
  expect(complaint(["hlep"])).toBe("Orden desconocida: «hlep». ¿Quiere decir help?");
  const { args } = readInvocation(["send", "ana", "--", "-h"], {}) as { args?: readonly string[] };
  expect(args).toEqual(["ana", "-h"]);
});

test("a data folder may begin with ~, and variables may come from a file with Windows line ends", () => {
  expect(configOf(["users", "--data", "~/chats"]).dataFolder).toBe("/h/chats");
  const windows = { PALOMA_PASSWORD: "secret word\r", PALOMA_JSON: "1\r", PALOMA_SERVER: "a.example:99\r\n" };
  expect(configOf(["users"], windows)).toMatchObject({ password: "secret word", json: true, port: 99 });
  expect(wantsJson([], windows)).toBe(true);
});

test("every option has a variable, and the option wins", () => {
  const environment = {
    PALOMA_SERVER: "example.org:1234",
    PALOMA_USER: "ana",
    PALOMA_DATA: "/data",
    PALOMA_P2P_PORT: "9005",
    PALOMA_SERVER_FINGERPRINT: "AB:".repeat(31) + "CD",
    PALOMA_PASSWORD_STDIN: "1",
    PALOMA_TIMEOUT: "7",
    PALOMA_LANG: "en",
    PALOMA_JSON: "1",
    PALOMA_WAIT: "queued",
  };
  expect(configOf(["send", "beto", "x"], environment)).toMatchObject({
    language: "en",
    host: "example.org",
    port: 1_234,
    user: "ana",
    dataFolder: "/data",
    p2pPort: 9_005,
    serverFingerprint: `${"ab".repeat(31)}cd`,
    passwordStdin: true,
    timeout: 7,
    json: true,
    wait: "queued",
  });
  const flags = ["--server", "other", "--user=beto", "--timeout", "8", "--lang", "es", "--wait", "received"];
  expect(configOf(["send", "beto", "x", ...flags], environment)).toMatchObject({
    language: "es",
    host: "other",
    port: 8_443,
    user: "beto",
    timeout: 8,
    wait: "received",
  });
  expect(configOf(["register"], { PALOMA_EMAIL: "a@b.c" }).email).toBe("a@b.c");
  expect(configOf(["send", "beto", "x"], { PALOMA_REPLY_TO: "id-1" }).replyTo).toBe("id-1");
  expect(configOf(["delete", "beto"], { PALOMA_YES: "1" }).yes).toBe(true);
  for (const command of ["edit", "withdraw"])
    expect(configOf([command, "beto", "id-1"], environment).wait).toBe("queued");
});

test("the password is removed from the environment, also when the command line is wrong", () => {
  const environment: { [name: string]: string | undefined } = { HOME: "/h", PALOMA_PASSWORD: "secret" };
  const invocation = readInvocation(["users"], environment);
  expect(invocation).toMatchObject({ config: { password: "secret" } });
  expect(environment).toEqual({ HOME: "/h" });
  const wrong: { [name: string]: string | undefined } = { PALOMA_PASSWORD: "secret" };
  expect(() => readInvocation(["fly"], wrong)).toThrow(UsageError);
  expect(wrong).toEqual({});
});

test("the data folder is in XDG_DATA_HOME if that is absolute, otherwise in the home folder", () => {
  expect(configOf(["users"], { XDG_DATA_HOME: "/xdg" }).dataFolder).toBe("/xdg/paloma");
  expect(configOf(["users"], { XDG_DATA_HOME: "xdg" }).dataFolder).toBe("/h/.local/share/paloma");
  expect(configOf(["users", "--data", "rel"], { XDG_DATA_HOME: "/xdg" }).dataFolder).toBe("rel");
});

test("files are put where the person says, else into the desktop's folder for downloads", () =>
  inTemporaryFolder((folder) => {
    const downloads = (environment: { [name: string]: string }, ...args: string[]) => {
      const invocation = readInvocation(args, { HOME: "/h", ...environment });
      return invocation.name === "menus" && invocation.config.downloads;
    };
    expect(downloads({}, "--downloads", "~/in")).toBe("/h/in");
    expect(downloads({}, "--downloads", "in")).toBe(join(process.cwd(), "in"));
    expect(downloads({ PALOMA_DOWNLOADS: "/in" })).toBe("/in");
    expect(downloads({ XDG_DOWNLOAD_DIR: "/d" })).toBe("/d");
    expect(downloads({ XDG_DOWNLOAD_DIR: "$HOME/d" })).toBe("/h/d");
    writeFileSync(
      join(folder, "user-dirs.dirs"),
      'XDG_DESKTOP_DIR="/x"\nXDG_DOWNLOAD_DIR="$HOME/Descargas"\n',
    );
    expect(downloads({ XDG_CONFIG_HOME: folder })).toBe("/h/Descargas");
    expect(downloads({ XDG_CONFIG_HOME: "/nowhere" })).toBe("/h/Downloads");
  }));

test("the options of the commands for files", () => {
  expect(configOf(["send-file", "beto", "x", "--sha256"])).toMatchObject({ sha256: true, timeout: 300 });
  const listening = { PALOMA_ACCEPT_FILES: "~/in", PALOMA_MAX_SIZE: "2G" };
  expect(configOf(["listen"], listening)).toMatchObject({ acceptFiles: "/h/in", maxSize: 2 * 1_024 ** 3 });
  expect(complaint(["listen", "--max-size", "1M", "--lang", "en"])).toBe(
    "--max-size is only of use with --accept-files.",
  );
  expect(configOf(["files", "accept", "3", "--downloads", "/in"]).downloads).toBe("/in");
});

describe("a server", () => {
  test.each([
    ["localhost", "localhost", 8_443, "localhost:8443"],
    ["example.org:1", "example.org", 1, "example.org:1"],
    ["192.0.2.1:65535", "192.0.2.1", 65_535, "192.0.2.1:65535"],
    ["[::1]", "::1", 8_443, "[::1]:8443"],
    ["[::]", "::", 8_443, "[::]:8443"],
    ["[fe80::1]:8444", "fe80::1", 8_444, "[fe80::1]:8444"],
    ["[fe80::1%eth0]:8444", "fe80::1%eth0", 8_444, "[fe80::1%eth0]:8444"],
    ["málaga.test", "xn--mlaga-xqa.test", 8_443, "málaga.test:8443"],
    ["Example.org.:99", "example.org", 99, "Example.org.:99"],
  ])("%s is looked up in its normal form and shown as it was typed", (typed, host, port, server) => {
    expect(parseServer(typed, "en")).toEqual({ host, port, server });
  });

  test.each([
    ["https://example.org", "example.org"],
    ["paloma://ana@[::1]:99/chat?x#y", "[::1]:99"],
    ["HTTPS://málaga.test:8443/", "málaga.test:8443"],
    ["example.org/chat", "example.org"],
  ])("«%s» is answered with what is right", (typed, right) => {
    expect(() => parseServer(typed, "en")).toThrow(`; did you mean ${right}?`);
    expect(() => parseServer(typed, "es")).toThrow(`; ¿quiere decir ${right}?`);
    expect(() => parseServer("https://", "en")).toThrow("(IPv6 in brackets, as [::1]:8443).");
  });

  test.each([
    "",
    "::1",
    ":8443",
    "a b",
    "host:",
    "host:0",
    "host:65536",
    "host:x",
    "[::1",
    "https://a",
    "u@h",
  ])("«%s» is none", (typed) => {
    expect(() => parseServer(typed, "en")).toThrow(UsageError);
  });
});

test("without one that is given, the server is the one used last with the data folder", () =>
  inTemporaryFolder((data) => {
    const servers = new ServerStore(data);
    servers.set("::1", 99, { kind: "web", authority: undefined });
    expect(configOf(["users", "--data", data])).toMatchObject({ port: 8_443, serverFrom: "default" });
    servers.used("::1", 99);
    servers.close();
    const last = { host: "::1", port: 99, server: "[::1]:99", serverFrom: "last" };
    expect(configOf(["history", "ana", "--data", data])).toMatchObject(last);
    expect(configOf(["users", "--data", data], { PALOMA_SERVER: "a.example" })).toMatchObject({
      server: "a.example:8443",
      serverFrom: "given",
    });
  }));

test("the port of a server on this machine is not the one for peers", () => {
  for (const server of ["localhost:9001", "LOCALHOST.:9001", "127.0.0.1:9001", "[::1]:9001"])
    expect(complaint(["users", "--server", server, "--p2p-port", "9001", "--lang", "en"])).toBe(
      "--p2p-port: 9001 is the server's own port on this machine; choose another one, or none.",
    );
  expect(configOf(["users", "--server", "example.org:9001", "--p2p-port", "9001"]).p2pPort).toBe(9_001);
});

test("a command accepts its own options and not those of others", () => {
  expect(complaint(["users", "--email", "x"])).toBe("La orden users no admite --email.");
  expect(complaint(["register", "--accept", "--lang", "en"])).toBe(
    "The command register does not take --accept.",
  );
  expect(complaint(["users", "--password=x", "--lang", "en"])).toBe("Unknown option: --password");
  expect(complaint(["send", "--yes", "--lang", "en"])).toBe("The command send does not take --yes.");
  expect(complaint(["edit", "--reply-to", "x", "--lang", "en"])).toBe(
    "The command edit does not take --reply-to.",
  );
  expect(complaint(["--email", "x", "--lang", "en"])).toBe("Unknown option: --email");
});

test("how the account is online is refused by commands that never go online, but not its variables", () => {
  const flags = [
    ["--relay", "only"],
    ["--lan", "off"],
    ["--who", "anyone"],
  ] as const;
  const environment = { PALOMA_RELAY: "only", PALOMA_LAN: "off" };
  const offline = ["whoami", "contacts", "unread", "fingerprint", "history", "search", "export", "cancel"];
  for (const command of [...offline, "delete", "profile", "completion"]) {
    for (const [flag, value] of flags)
      expect(complaint([command, flag, value, "--lang", "en"])).toBe(
        `The command ${command} does not take ${flag}.`,
      );
    expect(configOf([command], environment)).toMatchObject({ relay: undefined, lan: undefined });
  }
  expect(complaint(["register", "--lan", "off", "--lang", "en"])).toBe(
    "The command register does not take --lan.",
  );
  const kept = { relay: "only", lan: false } as const;
  for (const command of ["users", "send", "listen", "doctor", "passwd", "logout"])
    expect(configOf([command], environment)).toMatchObject(kept);
  expect(readInvocation([], environment)).toMatchObject({ name: "menus", config: kept });
});

test("without a command the menus open, but not with --json or --password-stdin", () => {
  expect(readInvocation(["--user", "ana", "--data", "folder"], {})).toMatchObject({
    name: "menus",
    config: { user: "ana" },
  });
  expect(complaint(["--json"], { LC_ALL: "en_GB.UTF-8" })).toBe("The command is missing.");
  expect(complaint(["--password-stdin"], { LC_ALL: "en_GB.UTF-8" })).toBe("The command is missing.");
});

test("--help and --version are answered for every command, whatever else was typed", () => {
  for (const command of COMMAND_NAMES) {
    expect(readInvocation([command, "--help", "--lang", "en"], {})).toEqual({ name: "help", language: "en" });
  }
  expect(readInvocation(["--version"], {})).toEqual({ name: "version" });
});

test("--json is recognised in a wrong command line, but not after --", () => {
  expect(wantsJson(["--flly", "--json"], {})).toBe(true);
  expect(wantsJson(["users"], { PALOMA_JSON: "true" })).toBe(true);
  expect(wantsJson(["send", "beto", "--", "--json"], {})).toBe(false);
  expect(wantsJson(["users"], { PALOMA_JSON: "0" })).toBe(false);
});
