/** The house rules that a program can check: who may import whom, what is touched where, and how files look. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const ROOT = join(import.meta.dir, "..");
/** Source files of one folder, without those of its rooms. */
const MAX_FILES = 18;
const MAX_PROGRAM_LINES = 30;
const PROGRAMS = ["server.ts", "client.ts"];

/** Folder of src → the folders that it may import beside itself. */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ["protocol", []],
  ["identity", []],
  ["net", ["protocol"]],
  ["server", ["net", "identity", "protocol"]],
  ["client", ["net", "identity", "protocol"]],
  ["ui", ["client", "identity", "protocol"]],
]);
/**
 * The rooms of a folder of src, and its loose files, in the order in which they may import each other: each
 * only what stands before it. A room is named by its folder; «.» is every loose file that is not named itself.
 */
const ROOMS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "client",
    [
      "group-names.ts",
      "disk",
      "profile",
      "rendezvous",
      "peer/limits",
      "peer",
      "reach/lan",
      "reach/mapping",
      "reach",
      "reach/doctor",
      "conversation",
      "file",
      "file/transfer",
      "group/sync",
      "group/store",
      "group",
      "group/files",
      "local-accounts.ts",
      "locate-profile.ts",
      "safety-numbers.ts",
      "archive.ts",
      "messenger.ts",
      "accounts.ts",
      "people.ts",
      "error-json.ts",
      "event-json.ts",
      "sharing",
      "moving",
      ".",
    ],
  ],
  [
    "server",
    [
      "host-process.ts",
      "start-error.ts",
      "place.ts",
      "metrics",
      "presence",
      "database",
      "store",
      "listening.ts",
      "log",
      "limits",
      "shared",
      "config.ts",
      "help.ts",
      "meeting",
      "session",
      "requests",
      "rendezvous-server.ts",
      "admin",
      "monitor",
      "serve.ts",
      "main.ts",
    ],
  ],
  [
    "ui",
    [
      "texts",
      "terminal",
      "format",
      "config.ts",
      "help.ts",
      "failures.ts",
      "deadline.ts",
      "notifications",
      "line",
      "prompts",
      "chat/files",
      "chat/group",
      "chat",
      "commands",
      "commands/messages",
      "commands/account",
      "commands/people",
      "commands/files",
      "commands/groups",
      "app",
      "demo",
      "main.ts",
    ],
  ],
]);
const PURE = ["protocol", "identity"];
const PACKAGES = { "@inquirer/prompts": "8.8.0", "bun-types": "1.4.5", picocolors: "1.1.1" };
/** Modules that open sockets, or could. */
const SOCKET_MODULES = /^(?:node:)?(?:net|tls|dgram|http|https|http2)(?:\/|$)/;
/** The status page's files, which one module imports as text, and the declarations of these imports. */
const STATUS_PAGE = "src/server/monitor/status-page.ts";
const TEXT_FILES = ["status-chart.js", "status-page.css", "status-page.html", "status-script.js"];
/** An image and a unit of the server. */
const SHIPPING = ["Dockerfile", "Dockerfile.dockerignore", "paloma-server.service"].map(
  (name) => `src/server/${name}`,
);
const TEXT_TYPES = "src/server/monitor/text-files.d.ts";
/** The program's name and version stand in one place; every folder may read them there. */
const MANIFEST = /^(?:\.\.\/)+package\.json$/;

type Source = {
  path: string;
  folder: string;
  /** As it stands in the file. */
  text: string;
  /** Without comments, strings emptied. */
  code: string;
  imports: string[];
};

function withoutComments(text: string, keepStrings: boolean): string {
  const token = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/.*/g;
  return text.replace(token, (found: string, quoted: string | undefined) => {
    // Of a template only what is computed in it is code.
    if (found.startsWith("`")) return (found.match(/\$\{[^}]*\}/g) ?? []).join(" ");
    if (quoted === undefined) return "";
    return keepStrings ? quoted : '""';
  });
}

/** Every module named in `import`, `import type`, `import()` and `export … from`. */
function importsOf(text: string): string[] {
  const code = withoutComments(text, true);
  const written = [
    ...code.matchAll(/\b(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*["']([^"'\n]+)["']/g),
    ...code.matchAll(/\bimport\s*\(\s*["']([^"'\n]+)["']/g),
  ].map((match) => match[1] as string);
  const scanned = new Bun.Transpiler({ loader: "ts" }).scanImports(text).map(({ path }) => path);
  return [...new Set([...written, ...scanned])];
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8");
  const folder = path.split("/")[1] ?? "";
  return { path, folder, text, code: withoutComments(text, false), imports: importsOf(text) };
}

const SOURCES = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: ROOT, dot: true })].sort().map(read);

/** The files of src that a source imports. */
function importedFiles(source: Source): string[] {
  return source.imports
    .filter((name) => name.startsWith("."))
    .map((name) => normalize(join(dirname(source.path), name)))
    .filter((path) => path.startsWith("src/"));
}

/** The names that a source imports as values from the rooms of this folder of src. */
function valuesFromRooms(source: Source, folder: string): string[] {
  const statements = withoutComments(source.text, true).matchAll(
    /\b(?:import|export)\s+(?!type\b)([\w\s{},*$]*?)\bfrom\s*["'](\.[^"'\n]+)["']/g,
  );
  return [...statements].flatMap(([, names = "", module = ""]) => {
    const [, top, ...inside] = normalize(join(dirname(source.path), module)).split("/");
    if (top !== folder || inside.length === 1) return [];
    return names
      .split(/[{},]/)
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("type "));
  });
}

/** Where a file stands in the order of its folder's rooms; 0 where the folder has none, -1 outside all of them. */
function roomNumber(path: string): number {
  const [, folder = "", ...inside] = path.split("/");
  const rooms = ROOMS.get(folder);
  if (rooms === undefined) return 0;
  const named = rooms.indexOf(inside.join("/"));
  if (named !== -1) return named;
  return rooms.indexOf(inside.length === 1 ? "." : inside.slice(0, -1).join("/"));
}

/** The strongly connected files with more than one member, or with an import of themselves (Tarjan). */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file) as number);
    stack.push(file);
    for (const next of imports.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) {
        lowest.set(file, Math.min(lowest.get(file) as number, lowest.get(next) as number));
      }
    }
    if (lowest.get(file) !== order.get(file)) return;
    const members = stack.splice(stack.indexOf(file));
    if (members.length > 1 || imports.get(file)?.includes(file) === true) found.push(members.sort());
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return found.sort();
}

/** What breaks a rule, as sentences; a test expects none. */
function breaches(find: (source: Source) => readonly string[]): string[] {
  return SOURCES.flatMap((source) => find(source).map((what) => `${source.path}: ${what}`));
}

function mentions(source: Source, pattern: RegExp): string[] {
  return [...source.code.matchAll(pattern)].map((match) => match[0].trim());
}

function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

test("imports of every form are found", () => {
  const sample = [
    'import a, { type B } from "./a.ts";',
    'import type { C } from "./c.ts";',
    'import * as d from "./d.ts";',
    'import "./e.ts";',
    'export { f } from "./f.ts";',
    'export type { G } from "./g.ts";',
    'export * from "./h.ts";',
    'const i = await import("./i.ts");',
    'type J = import("./j.ts").J;',
    "import {\n  k,\n  type L,\n} from './k.ts';",
    '// import m from "./m.ts";',
    '/* export * from "./n.ts"; */',
  ].join("\n");
  expect(importsOf(sample).sort()).toEqual([..."acdefghijk"].map((letter) => `./${letter}.ts`));
});

describe("layers", () => {
  test("every source file stands in one of the six folders", () => {
    expect(breaches((source) => (MAY_IMPORT.has(source.folder) ? [] : ["unknown folder"]))).toEqual([]);
    expect(SOURCES.length).toBeGreaterThan(0);
  });

  test("a folder imports only what the table allows", () => {
    const wrong = breaches((source) =>
      source.imports
        .filter((name) => name.startsWith(".") && !MANIFEST.test(name))
        .filter((name) => {
          const [top, folder = ""] = normalize(join(dirname(source.path), name)).split("/");
          if (top !== "src") return true;
          return folder !== source.folder && !MAY_IMPORT.get(source.folder)?.includes(folder);
        })
        .map((name) => `may not import ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("ui/ takes values only from the loose files of client/, and error classes from its rooms", () => {
    const wrong = breaches((source) =>
      source.folder === "ui"
        ? valuesFromRooms(source, "client").filter((name) => !name.endsWith("Error"))
        : [],
    );
    expect(wrong).toEqual([]);
  });

  test("ui/ reaches into no profile and no session: what is stored comes through the archive", () => {
    // The name of a command is a key.
    const inside = /\bprofile\b(?!: )|\.rendezvous\b/gi;
    const reaches = (source: Source) => (source.folder === "ui" ? mentions(source, inside) : []);
    expect(breaches(reaches)).toEqual([]);
  });

  test("a room imports only itself and the rooms before it", () => {
    const wrong = breaches((source) =>
      importedFiles(source)
        .filter((path) => path.split("/")[1] === source.folder)
        .filter((path) => roomNumber(path) > roomNumber(source.path))
        .map((path) => `may not import ${path}`),
    );
    expect(wrong).toEqual([]);
    expect(breaches((source) => (roomNumber(source.path) === -1 ? ["stands in no room"] : []))).toEqual([]);
  });

  test("no files import each other in a circle, types included", () => {
    const found = circles(new Map(SOURCES.map((source) => [source.path, importedFiles(source)])));
    expect(found).toEqual([]);
  });

  test("a circle is found where there is one", () => {
    const imports = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", ["a"]],
      ["d", []],
      ["e", ["d", "e"]],
    ]);
    expect(circles(imports)).toEqual([["a", "b", "c"], ["e"]]);
  });

  test(`no folder of src holds more than ${MAX_FILES} files`, () => {
    const counts = new Map<string, number>();
    for (const { path } of SOURCES) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
  });

  test("imports of ours are relative, end in .ts but for the status page's files, and exist", () => {
    const isAllowed = (source: Source, name: string) =>
      name.endsWith(".ts") || (source.path === STATUS_PAGE && TEXT_FILES.includes(name.replace("./", "")));
    const wrong = breaches((source) =>
      source.imports
        .filter((name) => /^(?:\.|\/|src\/)/.test(name) && !MANIFEST.test(name))
        .filter((name) => !isAllowed(source, name) || !existsSync(join(ROOT, dirname(source.path), name)))
        .map((name) => `import of ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("every file of src but documents and what ships the server is TypeScript, or imported by the status page as text", () => {
    const others = [...new Bun.Glob("src/**/*").scanSync({ cwd: ROOT, dot: true })]
      .filter((path) => !/\.(?:ts|md)$/.test(path) && !SHIPPING.includes(path))
      .sort();
    expect(others).toEqual(TEXT_FILES.map((name) => join(dirname(STATUS_PAGE), name)));
    const page = SOURCES.find(({ path }) => path === STATUS_PAGE)?.text ?? "";
    for (const name of TEXT_FILES) expect(page).toContain(`from "./${name}" with { type: "text" }`);
    expect(SOURCES.filter(({ path }) => path.endsWith(".d.ts")).map(({ path }) => path)).toEqual([
      TEXT_TYPES,
    ]);
  });

  test("nothing is imported under a name that is computed", () => {
    expect(breaches((source) => mentions(source, /\bimport\s*\((?!\s*"")|\brequire\s*\(/g))).toEqual([]);
  });

  test("all else comes from Bun, Node, or the packages that we declare", () => {
    const allowed = (name: string) =>
      name.startsWith(".") || /^(?:node|bun):/.test(name) || name === "bun" || Object.hasOwn(PACKAGES, name);
    expect(breaches((source) => source.imports.filter((name) => !allowed(name)))).toEqual([]);
  });
});

describe("what is touched where", () => {
  test("only net/ opens sockets", () => {
    const elsewhere = (find: (source: Source) => readonly string[]) =>
      breaches((source) => (source.folder === "net" ? [] : find(source)));
    expect(
      elsewhere((source) =>
        mentions(source, /\bBun\s*\.\s*(?:listen|connect|udpSocket|serve)\b|\bfetch\s*\(|\bWebSocket\b/g),
      ),
    ).toEqual([]);
    // Checks of addresses, which open nothing.
    const isOnlyAddressCheck = (source: Source): boolean =>
      [
        ...withoutComments(source.text, true).matchAll(/import\s+([^;]*?)\s+from\s+["'](?:node:)?net["']/g),
      ].every(([, names = ""]) => /^\{\s*(?:(?:isIP(?:v[46])?|BlockList)\s*,?\s*)+\}$/.test(names));
    const wrong = elsewhere((source) =>
      source.imports
        .filter((name) => SOCKET_MODULES.test(name))
        .filter((name) => !(/^(?:node:)?net$/.test(name) && isOnlyAddressCheck(source))),
    );
    expect(wrong).toEqual([]);
  });

  test("only net/outgoing.ts writes to a socket", () => {
    const wrong = breaches((source) =>
      source.path === "src/net/outgoing.ts" ? [] : mentions(source, /\bsocket\s*\??\.\s*(?:write|flush)\b/g),
    );
    expect(wrong).toEqual([]);
  });

  test("verification is off in exactly one place", () => {
    const places = breaches((source) => mentions(source, /\brejectUnauthorized\s*:\s*false\b/g));
    expect(places).toEqual(["src/net/tls.ts: rejectUnauthorized: false"]);
    expect(breaches((source) => mentions(source, /NODE_TLS_REJECT_UNAUTHORIZED/g))).toEqual([]);
  });

  test("texts are normalised only where the length of their runs of marks is limited first", () => {
    const allowed = ["src/protocol/normal-form.ts", "src/identity/names.ts"];
    const wrong = breaches((source) =>
      allowed.includes(source.path) ? [] : mentions(source, /\.\s*normalize\s*\(/g),
    );
    expect(wrong).toEqual([]);
  });

  test("protocol/ and identity/ know no clock, no timer, no file and no process", () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bset(?:Timeout|Interval|Immediate)\b|\bBun\.(?:file|write|spawn|sleep)\b|\bprocess\s*\.|\bMath\.random\b|\bconsole\b/g;
    const modules = /^(?:node:)?(?:fs|os|process|child_process|timers|worker_threads|readline)(?:\/|$)|^bun:/;
    const wrong = breaches((source) =>
      PURE.includes(source.folder)
        ? [...mentions(source, impure), ...source.imports.filter((name) => modules.test(name))]
        : [],
    );
    expect(wrong).toEqual([]);
  });
});

describe("how files look", () => {
  test("no type is any, and no checker is silenced", () => {
    expect(
      breaches((source) => mentions(source, /(?:[:<|&,(=]|\bas|\bextends)\s*any\b(?!\s*[(:.])|\bany\[\]/g)),
    ).toEqual([]);
    expect(
      breaches(
        (source) =>
          source.text.match(/@ts-(?:ignore|expect-error|nocheck)|eslint-disable|biome-ignore/g) ?? [],
      ),
    ).toEqual([]);
  });

  test("no error is swallowed in an empty catch", () => {
    const empty = /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\.catch\(\s*\([^)]*\)\s*=>\s*\{\s*\}\s*\)/g;
    expect(breaches((source) => mentions(source, empty))).toEqual([]);
  });

  test("nothing is left for later", () => {
    expect(breaches((source) => source.text.match(/\b(?:TODO|FIXME|XXX|HACK)\b/g) ?? [])).toEqual([]);
  });

  test("names are kebab-case, and none of them is a drawer for everything", () => {
    const wrong = breaches((source) =>
      source.path
        .split("/")
        .slice(1)
        .filter(
          (part) =>
            !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:(?:\.d)?\.ts)?$/.test(part) || /utils?|helpers?|manager/.test(part),
        ),
    );
    expect(wrong).toEqual([]);
  });

  test.each(PROGRAMS)(`%s has at most ${MAX_PROGRAM_LINES} lines`, (program) => {
    expect(countLines(readFileSync(join(ROOT, program), "utf8"))).toBeLessThanOrEqual(MAX_PROGRAM_LINES);
  });
});

describe("the project", () => {
  test("has these three packages, in exact versions, and no others", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const { dependencies, devDependencies, ...rest } = manifest;
    expect({ ...dependencies, ...devDependencies }).toEqual(PACKAGES);
    expect(Object.keys(rest).filter((key) => /dependencies|overrides|resolutions/i.test(key))).toEqual([]);
  });

  test("has no script that would shadow a command of Bun", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    for (const name of ["check", "fmt", "test", "install"]) expect(scripts).not.toHaveProperty(name);
    expect(scripts).toHaveProperty("verify");
  });

  test("is checked as strictly as TypeScript can", () => {
    const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8"));
    for (const flag of [
      "strict",
      "noUncheckedIndexedAccess",
      "exactOptionalPropertyTypes",
      "noImplicitOverride",
      "noImplicitReturns",
      "noFallthroughCasesInSwitch",
      "noUnusedLocals",
      "noUnusedParameters",
      "noPropertyAccessFromIndexSignature",
      "verbatimModuleSyntax",
      "erasableSyntaxOnly",
    ]) {
      expect(`${flag}: ${compilerOptions[flag]}`).toBe(`${flag}: true`);
    }
  });

  test("names no path and no registry of the machine that it was written on", () => {
    // Written in two parts, so that this file does not hold what it looks for.
    const machine = new RegExp(
      [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/home/", "[a-z]"],
        ["/Use", "rs/[A-Za-z]"],
        ["https?://[^\\s\"'<>]*(?:regis", "try|artifactory|nexus|verdaccio|mirror)"],
      ]
        .map((parts) => parts.join(""))
        .join("|"),
      "g",
    );
    const wrong = projectFiles().flatMap((path) => {
      const found = readFileSync(join(ROOT, path), "latin1").match(machine) ?? [];
      return found.map((what) => `${path}: ${what}`);
    });
    expect(wrong).toEqual([]);
  });
});

/** What Git has or would take; where there is no Git, all but what is installed or made by running. */
function projectFiles(): string[] {
  const git = Bun.which("git") ?? undefined;
  if (git !== undefined && existsSync(join(ROOT, ".git"))) {
    const listed = Bun.spawnSync([git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: ROOT,
    });
    const paths = listed.stdout.toString().split("\0").filter(Boolean);
    if (listed.exitCode === 0) return paths.filter((path) => existsSync(join(ROOT, path)));
  }
  const all = [...new Bun.Glob("**/*").scanSync({ cwd: ROOT, dot: true, onlyFiles: true })];
  return all.filter(
    (path) => !/(?:^|\/)(?:node_modules|\.git|coverage)\/|\.(?:db|db-wal|db-shm|log)$/.test(path),
  );
}
