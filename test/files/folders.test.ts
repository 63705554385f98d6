/** Folders through `send-file` and `listen --accept-files`: hostile names, crashes, and many small files. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { safePart, twinKey } from "../../src/client/file/safe-names.ts";
import { crash, FileScene, until } from "./file-scene.ts";

let scene: FileScene;
beforeAll(async () => {
  scene = await FileScene.open();
});
afterEach(() => scene.endProcesses());
afterAll(() => scene.close());

/** Names that this disk takes, and that another system, a shell or a terminal takes for something else. */
const HOSTILE = [
  "-rf",
  "~",
  "..\\..\\evil",
  "C:\\evil",
  "a:stream",
  "CON",
  "con.txt",
  "NUL.tar.gz",
  "COM¹",
  "trailing dots...",
  "trailing spaces   ",
  " leading",
  "$(reboot)",
  "`reboot`",
  "%SYSTEMROOT%",
  "line\nbreak",
  "bell\u0007",
  "\u001b]0;title\u0007",
  "\u202egpj.exe",
  "zero\u200bwidth",
  "e\u0301",
  "\u00e9",
  "E\u0301",
  "readme",
  "README",
  "ReadMe",
  '*?<>|"',
  "x".repeat(255),
  `${"y".repeat(251)}.txt`,
  "😀".repeat(63),
  ".bashrc",
  ".paloma-0.part",
];
const COUNT = 2_000;

test(`of ${COUNT} files some have hostile names: all arrive, each once, within the folder, with names for every system`, async () => {
  const folder = join(scene.outgoing, "hostile");
  const names = [...HOSTILE];
  while (names.length < COUNT) names.push(`plain ${names.length}.txt`);
  mkdirSync(join(folder, "deep", "CON", "..."), { recursive: true });
  mkdirSync(join(folder, "empty. "));
  for (const [index, name] of names.entries()) {
    const within = index % 10 === 0 ? join(folder, "deep", "CON", "...") : folder;
    writeFileSync(join(within, name), `${index}\n${name}`);
    utimesSync(join(within, name), 1_000_000_000 + index, 1_000_000_000 + index);
  }
  symlinkSync("/etc/passwd", join(folder, "passwd"));
  // Not UTF-8.
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]), "no name");

  await scene.receive();
  const sending = scene.send(folder);
  expect(await sending.ended).toMatchObject({ code: 0 });
  expect(readdirSync(scene.incoming)).toEqual(["hostile"]);
  const received = tree(join(scene.incoming, "hostile"));
  expect(received.folders).toHaveLength(4);
  const contents = received.files.map((path) => readFileSync(path, "utf8"));
  expect(contents.toSorted()).toEqual(names.map((name, index) => `${index}\n${name}`).toSorted());
  for (const path of received.files) {
    const status = statSync(path);
    expect(status.mode & 0o111).toBe(0);
    expect(status.mtimeMs).toBe((1_000_000_000 + Number.parseInt(readFileSync(path, "utf8"), 10)) * 1_000);
  }
  for (const { names: siblings } of received.all) {
    expect(siblings.filter((name) => safePart(name) !== name)).toEqual([]);
    expect(new Set(siblings.map(twinKey)).size).toBe(siblings.length);
  }
});

type Tree = { files: string[]; folders: string[]; all: { names: string[] }[] };

/** What is below a folder, links not followed. */
function tree(root: string): Tree {
  const found: Tree = { files: [], folders: [], all: [] };
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const entries = readdirSync(folder, { withFileTypes: true });
    found.all.push({ names: entries.map(({ name }) => name) });
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        found.folders.push(path);
        pending.push(path);
      } else if (entry.isFile()) found.files.push(path);
      else throw new Error(`${path} is neither file nor folder`);
    }
  }
  return found;
}

test("a folder whose receiver is killed while it comes is complete in the end, and there once", async () => {
  const folder = join(scene.outgoing, "killed");
  mkdirSync(folder);
  const bytes = new Uint8Array(100_000);
  const count = 3_000;
  for (let index = 0; index < count; index++) {
    new DataView(bytes.buffer).setUint32(0, index);
    writeFileSync(join(folder, `${index}`), bytes);
  }
  const received = join(scene.incoming, "killed");
  let receiving = await scene.receive();
  const sending = scene.send(folder);
  for (const part of [100, 1_000, 2_000]) {
    await until(() => existsSync(received) || sizeOf(partialTree()) >= part);
    await crash(receiving);
    receiving = await scene.receive();
  }
  expect(await sending.ended).toMatchObject({ code: 0 });
  expect(scene.partial()).toBeUndefined();
  expect(Bun.spawnSync(["diff", "--recursive", "--brief", folder, received]).stdout.toString()).toBe("");
});

/** Where the files of the folder that is coming are; undefined: nowhere yet. */
function partialTree(): string | undefined {
  const partial = scene.partial();
  return partial === undefined ? undefined : join(partial, "tree");
}

function sizeOf(folder: string | undefined): number {
  return folder !== undefined && existsSync(folder) ? readdirSync(folder).length : 0;
}
