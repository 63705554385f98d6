/**
 * Types what a document shows as typed, each line in a terminal of its own, and compares what it prints.
 *
 * - `ana$` is typed by Ana, who has a home of her own and, unless the document registers her, an account; `$` by whoever
 *   runs the server. `paloma.example` is the server: the one that the document starts, or one that is started for it.
 * - `…` in a shown line is anything; a line of its own, any lines. What differs from run to run is not compared.
 * - A program that stays (the server, `listen`, `daemon`, the menus) must show at once what stands before the first `…`
 *   line, and the rest until the document ends.
 */
import { expect } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AtTerminal } from "./at-terminal.ts";
import { CHEAP_HASHES } from "./cheap-hash.ts";
import { ClientHere, PASSWORD } from "./cli-process.ts";
import { ROOT, type Typed } from "./document.ts";

/** Wide enough that no line of JSON is wrapped. */
const [COLUMNS, ROWS] = [500, 100];
const SERVER = /^(?:bun run server\.ts|paloma-server)(?! admin)/;
const STAYING_CLIENT = /^(?:bun run client\.ts|paloma)(?: (?:listen|daemon)\b| --|$)/;
const COPIED = ["package.json", "bun.lock", "bunfig.toml"];
const LINKED = ["src", "client.ts", "server.ts"];
const SERVER_NAME = "paloma.example";
const PEOPLE = ["ana", "benito"];

/** What differs from run to run, and what stands for it. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/localhost:\d+|paloma\.example:\d+/g, "<server>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<id>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?Z?)?/g, "<time>"],
  [/\b\d\d:\d\d:\d\d\b/g, "<time>"],
  [/\bpid=\d+/g, "<pid>"],
  [/\b[0-9a-f]{4} [0-9a-f]{4}\b/g, "<digits>"],
  [/\b[a-z0-9]{5}(?:-[a-z0-9]{5}){3}\b/g, "<password>"],
  [/\b\d{5} \d{5}\b/g, "<digits>"],
  [/(?<=:|port |puerto )\d{4,5}\b/g, "<port>"],
];

export class DocumentSession {
  readonly #folder = mkdtempSync(join(tmpdir(), "paloma-document-"));
  readonly #place = join(this.#folder, "paloma");
  readonly #locale: string;
  readonly #cache: string;
  /** What each person has exported. */
  readonly #exported = new Map<string, { [name: string]: string }>();
  readonly #staying: { readonly terminal: AtTerminal; readonly typed: Typed }[] = [];
  #server: AtTerminal | undefined;

  /** @param locale of the document's readers */
  constructor(locale: "en_US.UTF-8" | "es_ES.UTF-8") {
    this.#locale = locale;
    mkdirSync(join(this.#folder, "programs"));
    symlinkSync(process.execPath, join(this.#folder, "programs", "bun"));
    mkdirSync(this.#place);
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.#place, name));
    for (const name of LINKED) symlinkSync(join(ROOT, name), join(this.#place, name));
    this.#cache = Bun.spawnSync([process.execPath, "pm", "cache"], { cwd: ROOT }).stdout.toString().trim();
  }

  /** Makes an account for everybody, unless the document does so itself. */
  async introduce(): Promise<void> {
    await this.#needServer();
    for (const person of PEOPLE) {
      const account = ["--user", person, "--server", `localhost:${this.#serverPort}`];
      const environment = { HOME: this.#home(person), PALOMA_PASSWORD: PASSWORD };
      for (const command of ["register", "users"]) {
        const { code, stderr } = await new ClientHere({ args: [command, ...account], environment }).ended;
        expect({ code, stderr }).toMatchObject({ code: 0 });
      }
    }
  }

  /** Types one line, and compares what it prints. @throws when that differs */
  async type(typed: Typed): Promise<void> {
    const [, name, value] = /^export (\w+)=(\S+)$/.exec(typed.command) ?? [];
    if (name !== undefined && value !== undefined) {
      this.#environment(typed.person)[name] = value;
      return;
    }
    const isServer = SERVER.test(typed.command);
    if (typed.person !== "" || typed.command.includes(SERVER_NAME)) await this.#needServer();
    const terminal = this.#start(typed);
    if (isServer) this.#server = terminal;
    if (isServer || STAYING_CLIENT.test(typed.command)) {
      this.#staying.push({ terminal, typed });
      const pause = typed.printed.indexOf("…");
      await this.#shows(terminal, pause < 0 ? typed.printed : typed.printed.slice(0, pause));
      return;
    }
    const code = await terminal.ended();
    const printed = textOf(terminal);
    terminal.close();
    if (typed.printed.length > 0) expect(printed).toMatch(patternOf(typed.printed, "all"));
    expect({ command: typed.command, code, printed }).toMatchObject({ code: 0 });
  }

  /** What stays has shown everything now, and ends as it should. */
  async finish(): Promise<void> {
    for (const { terminal, typed } of this.#staying) await this.#shows(terminal, typed.printed);
    for (const { terminal, typed } of this.#staying.toReversed()) {
      expect({ ...typed, hasEnded: terminal.hasEnded, shows: textOf(terminal) }).toMatchObject({
        hasEnded: false,
      });
      terminal.signal("SIGTERM");
      await terminal.ended();
    }
  }

  /** Leaves nothing behind. */
  close(): void {
    for (const { terminal } of this.#staying) terminal.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #environment(person: string): { [name: string]: string } {
    const environment = this.#exported.get(person) ?? {};
    this.#exported.set(person, environment);
    return environment;
  }

  async #needServer(): Promise<void> {
    if (this.#server === undefined)
      await this.type({ person: "", command: "bun run server.ts", printed: [] });
    await this.#server?.until(() => this.#serverPort !== undefined, "the server's port");
  }

  /** Undefined: no server is ready. */
  get #serverPort(): string | undefined {
    const [, port, last] = /TLS \w+ [\d.]+:(\d+), .+\s+(.+)\s/.exec(this.#server?.text ?? "") ?? [];
    return last === undefined ? undefined : port;
  }

  async #shows(terminal: AtTerminal, lines: readonly string[]): Promise<void> {
    const pattern = lines.length === 0 ? /\S/ : patternOf(lines, "so far");
    await terminal.until(() => pattern.test(textOf(terminal)), `what the document shows, as ${pattern},`);
  }

  #home(person: string): string {
    const home = join(this.#folder, person === "" ? "nobody" : person);
    mkdirSync(home, { recursive: true });
    return home;
  }

  #start({ person, command }: Typed): AtTerminal {
    const withServer = (text: string) => text.replaceAll(SERVER_NAME, `localhost:${this.#serverPort}`);
    const line = withServer(command);
    const exported = Object.entries(this.#environment(person)).map(([name, value]) => [
      name,
      withServer(value),
    ]);
    return new AtTerminal([], {
      program: { line: ["sh", "-c", line.includes("|") ? line : `exec ${line}`] },
      folder: this.#place,
      cols: COLUMNS,
      rows: ROWS,
      environment: {
        PATH: [join(this.#folder, "programs"), join(this.#folder, "bun", "bin"), process.env["PATH"]].join(
          ":",
        ),
        HOME: this.#home(person),
        LC_ALL: this.#locale,
        NO_COLOR: "1",
        BUN_INSTALL: join(this.#folder, "bun"),
        BUN_INSTALL_CACHE_DIR: this.#cache,
        PALOMA_PASSWORD: PASSWORD,
        PALOMA_WHO: "requests",
        PALOMA_PORT: "0",
        PALOMA_TLS_PORT: "0",
        PALOMA_MEETING_PORT: "0",
        ...(SERVER.test(command) ? CHEAP_HASHES : {}),
        ...(Object.fromEntries(exported) as { [name: string]: string }),
      },
    });
  }
}

/** What stands on a terminal, one line for each row, masked. */
function textOf({ screen }: AtTerminal): string {
  return masked(
    screen.rows
      .map((row) => `${row.trimEnd()}\n`)
      .join("")
      .replace(/\n+$/, "\n"),
  );
}

function masked(text: string): string {
  return MASKS.reduce((sum, [pattern, name]) => sum.replaceAll(pattern, name), text);
}

function patternOf(lines: readonly string[], extent: "all" | "so far"): RegExp {
  const parts = lines.map((line) =>
    line === "…" ? "(?:.*\\n)*?" : `${masked(line).split("…").map(RegExp.escape).join(".*")}\\n`,
  );
  return new RegExp(`^${parts.join("")}${extent === "all" ? "$" : ""}`);
}
