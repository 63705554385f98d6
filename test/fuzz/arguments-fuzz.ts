/**
 * The fuzz of what the programs are started with, as bytes. Each step starts one process of the client or the server with
 * random bytes in an argument or a variable. What is not UTF-8 is refused with exit 2 and a sentence; everything else
 * passes as it is: a message is stored with these bytes, a file gets this name. No stack trace is printed.
 */
import { readdirSync, rmSync, mkdirSync } from "node:fs";
import { isUtf8 } from "node:buffer";
import { join } from "node:path";

import { MAX_TEXT_BYTES } from "../../src/protocol/peer-messages.ts";
import { isBlank } from "../../src/protocol/visible-text.ts";
import { PASSWORD, World, type Person } from "../integration/cli-process.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { mustHold, randomOfStep } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";

const ROOT = join(import.meta.dir, "../..");
/** The longest name of a file, in bytes. */
const MAX_NAME = 255;
const NOT_UTF8 = /^(?:Not valid UTF-8: |PALOMA_\w+: not valid UTF-8$)/m;
const TRACE = /^\s+at .*:\d+|\.ts:\d+|panic|unexpected error/im;

const VALID = [
  ..."aZ09 -=~'\"\\$`*%;&|<>()[]{}#!?,.:@\t\n\r",
  "ñ",
  "日",
  "😀",
  "\ufffd",
  "\ufeff",
  "\u202e",
  "\u0301",
  "\x1b[31m",
  "\x07",
  "\u0085",
  "--json",
  "%s",
].map((text) => Buffer.from(text));
/** A lone byte, an overlong form, half a surrogate pair, a character that is cut off, one beyond U+10FFFF. */
const INVALID = ["ff", "80", "c3", "c0af", "eda080", "f09f95", "e697", "f4908080"].map((hex) =>
  Buffer.from(hex, "hex"),
);

/** @throws FuzzStepFailure */
export async function fuzzArguments(options: FuzzOptions): Promise<FuzzFigures> {
  const figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  const world = new World();
  let ana: Person | undefined;
  try {
    figures.steps = await runSteps("arguments", options, {
      begin: async () => {
        ana = await account(world);
      },
      // Every other step is not UTF-8.
      step: (step) =>
        startOnce(randomOfStep(options.seed, step), step % 2 === 0, ana as Person, world.folder, figures),
      end: () => Promise.resolve(),
      memory: () => process.memoryUsage.rss(),
    });
  } finally {
    await world.close();
  }
  return figures;
}

/** Somebody with a conversation, whose server is gone. */
async function account(world: World): Promise<Person> {
  const server = await world.server();
  const ana = world.person("ana", server.tlsPort);
  await ana.register();
  const { code, stderr } = await ana.run(["send", "--wait", "queued", "beto", "hola"], {
    password: PASSWORD,
  });
  mustHold(code === 0, "no conversation", code, stderr);
  server.kill("SIGTERM");
  await server.exited;
  return ana;
}

/** Random bytes without a zero, which no argument can hold. @param isValid whether they are UTF-8 */
function randomBytes(random: SeededRandom, most: number, isValid: boolean): Buffer {
  const length = random.integer(random.pick([2, 8, 8, 30, most]));
  const pieces = isValid ? [] : [random.pick(INVALID)];
  for (let size = 0; size < length;) {
    const kind = isValid ? 0 : random.integer(6);
    const piece =
      kind < 4
        ? random.pick(VALID)
        : kind === 4
          ? random.pick(INVALID)
          : Buffer.from(random.bytes(1 + random.integer(6)).map((byte) => byte || 1));
    pieces.push(piece);
    size += piece.length;
  }
  return Buffer.concat(pieces);
}

/** Bytes that can name a file. */
function randomName(random: SeededRandom, isValid: boolean): Buffer {
  const bytes = randomBytes(random, 200, isValid).map((byte) => (byte === 0x2f ? 0x61 : byte));
  const name = Buffer.concat([Buffer.from("x"), bytes]);
  return name.length <= MAX_NAME ? name : Buffer.from("x");
}

type Start = {
  readonly program: "client.ts" | "server.ts";
  readonly args: readonly (string | Buffer)[];
  readonly variables?: { readonly [name: string]: Buffer };
};
type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** A word of the shell that stands for these bytes. It would drop line feeds at the end, so something stands behind them. */
function assigned(name: string, bytes: Buffer): string {
  const octal = Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  return `${name}=$(printf '${octal}x'); ${name}=\${${name}%x}`;
}

/** Starts the program by a shell, since arguments from here would be UTF-8. */
async function run({ program, args, variables = {} }: Start, folder: string): Promise<Ended> {
  const set = [
    ...args.map((arg, index) => assigned(`a${index}`, Buffer.from(arg as string))),
    ...Object.entries(variables).map(([name, bytes]) => `${assigned(name, bytes)}; export ${name}`),
    `exec "$RUNTIME" run "$PROGRAM" ${args.map((_, index) => `"$a${index}"`).join(" ")}`,
  ].join("\n");
  const child = Bun.spawn(["sh"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      PALOMA_LANG: "en",
      RUNTIME: process.execPath,
      PROGRAM: join(ROOT, program),
    },
    stdin: Buffer.from(set),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, stdout, stderr };
}

async function startOnce(
  random: SeededRandom,
  mayBeValid: boolean,
  ana: Person,
  folder: string,
  figures: FuzzFigures,
): Promise<void> {
  const kind = random.pick(["message", "export", "backup", "anything", "anything", "variable"]);
  const flags = ["--user", "ana", "--data", ana.data, "--server", ana.server, "--timeout", "5"];
  const bytes = kind === "message" ? randomBytes(random, 3_000, mayBeValid) : randomName(random, mayBeValid);
  const inFolder = Buffer.concat([Buffer.from(`${folder}/files/`), bytes]);
  rmSync(join(folder, "files"), { recursive: true, force: true });
  mkdirSync(join(folder, "files"));
  const start = startOf(kind, flags, bytes, inFolder, random);
  const given = [...start.args, ...Object.values(start.variables ?? {})].map((each) =>
    Buffer.from(each as string),
  );
  const isValid = given.every((each) => isUtf8(each));
  figures.writes++;
  figures.bytes += given.reduce((sum, each) => sum + each.length, 0);
  count(figures.seen, `${kind}${isValid ? "" : " not UTF-8"}`);
  const ended = await run(start, folder);
  const shown = { ...start, hex: given.map((each) => each.toString("hex")), ...ended };
  mustHold(!TRACE.test(ended.stderr + ended.stdout), "a stack trace", shown);
  mustHold([0, 1, 2, 3, 4, 5, 6].includes(ended.code), "another exit code", shown);
  if (!isValid) {
    mustHold(ended.code === 2 && NOT_UTF8.test(ended.stderr), "what is not UTF-8 was not refused", shown);
    const isForProgram = given.some((each) => each.toString() === "--json");
    mustHold(ended.stdout === "" || isForProgram, "it was not only refused", shown);
    mustHold(readdirSync(join(folder, "files")).length === 0, "a file was made", shown);
    return;
  }
  mustHold(!NOT_UTF8.test(ended.stderr), "UTF-8 was refused", shown);
  if (kind === "message") await expectStored(bytes.toString(), ana, ended, shown);
  else if (kind === "export" || kind === "backup") {
    const [name, ...others] = readdirSync(join(folder, "files"), { encoding: "buffer" });
    const isNamed = name !== undefined && bytes.equals(name) && others.length === 0;
    mustHold(ended.code === 0 && isNamed, "another file", name?.toString("hex"), shown);
  }
}

function startOf(
  kind: string,
  flags: readonly string[],
  bytes: Buffer,
  path: Buffer,
  random: SeededRandom,
): Start {
  switch (kind) {
    case "message":
      return {
        program: "client.ts",
        args: [...flags, "send", "--wait", "queued", "--", "beto", bytes],
      };
    case "export":
      return { program: "client.ts", args: [...flags, "export", "beto", path] };
    case "backup":
      return { program: "server.ts", args: ["admin", "--db", "users.db", "backup", path] };
    case "variable":
      return random.integer(2) === 0
        ? {
            program: "client.ts",
            args: ["fingerprint"],
            variables: { [random.pick(["PALOMA_USER", "PALOMA_DATA", "PALOMA_SERVER"])]: bytes },
          }
        : { program: "server.ts", args: ["--log", "x"], variables: { PALOMA_DB: bytes } };
    default: {
      const more = Array.from({ length: 1 + random.integer(3) }, () =>
        randomBytes(random, 200, random.integer(2) === 0),
      );
      // A server that starts would not end.
      if (random.integer(3) === 0) return { program: "server.ts", args: ["--log", "x", ...more] };
      const commands = ["fly", "history", "search", "fingerprint", "cancel", "delete", "edit", "export"];
      const words = [...commands, "--lang", "--json", "--user", "--last", "--"];
      return { program: "client.ts", args: [random.pick(words), ...more] };
    }
  }
}

async function expectStored(text: string, ana: Person, ended: Ended, shown: object): Promise<void> {
  if (isBlank(text) || Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    mustHold(ended.code === 2, "a text that cannot be sent was not refused", shown);
    return;
  }
  const last = (await ana.states("beto")).at(-1)?.[0];
  mustHold(last === text, "another text is stored", last, text, shown);
}
