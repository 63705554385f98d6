/**
 * A process that receives a file or folder from this disk, goes on where an earlier one was killed, and kills itself.
 * Arguments: source, target folder, notes, leaf in whose writing it dies (as many as there are: while it gets its name;
 * more: never), and turns of the event loop until then.
 */
import { statSync } from "node:fs";

import { FileSink, namedPath } from "../../src/client/file/file-sink.ts";
import { FileSource } from "../../src/client/file/file-source.ts";
import { FolderSink } from "../../src/client/file/folder-sink.ts";
import { FolderSource } from "../../src/client/file/folder-source.ts";

const LEAF = 256 * 1024;
const [path = "", folder = "", notes = "", dyingLeaf = "", turns = ""] = Bun.argv.slice(2);

async function dieSoon(): Promise<void> {
  for (let turn = 0; turn < Number(turns); turn++) await new Promise(setImmediate);
  process.kill(process.pid, "SIGKILL");
}

const place = { folder, key: "k1", name: "received", notes, modified: undefined };
const named = await namedPath(place);
if (named !== undefined) {
  console.log(named);
  process.exit();
}
const isFolder = statSync(path).isDirectory();
const source = isFolder ? await FolderSource.open(path) : await FileSource.open(path);
const sink =
  source instanceof FolderSource
    ? await FolderSink.open(place, { size: source.size, entries: source.entries })
    : await FileSink.open(place, source.size);
const [sent, there] = [Buffer.alloc(LEAF), Buffer.alloc(LEAF)];
let index = 0;
for (let offset = 0; offset < source.size; offset += LEAF, index++) {
  const count = await source.read(offset, sent);
  const leaf = sent.subarray(0, count);
  const known = await sink.read(offset, there);
  if (leaf.equals(there.subarray(0, known))) continue;
  console.log(`written ${index}`);
  const written = sink.write(offset, leaf);
  if (index === Number(dyingLeaf)) await dieSoon();
  await written;
}
const finished = sink.finish();
if (index === Number(dyingLeaf)) await dieSoon();
console.log(await finished);
sink.close();
source.close();
