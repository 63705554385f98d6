/**
 * Runs one pair of networks in a laboratory: a writes to b. Says by which way the text arrived, and how long it took, in
 * ms. `moving`: behind one NAT, which isolates them first, and then no more.
 * For a namespace of its own: `in-lab.ts`.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Lab, SERVER, SERVER_6, type Kind } from "./lab.ts";

type Line = { readonly text?: string; readonly way?: string; readonly online?: string };

const [pair = ""] = process.argv.slice(2);
const kinds = pair.split(":");
const lab = Lab.of(kinds.length === 2 ? (kinds as [Kind, Kind]) : pair === "same" ? "same" : "isolated");
const folder = mkdtempSync(join(tmpdir(), "paloma-lab-"));

/** Starts a program of this folder on a machine. */
function start(machine: "a" | "b" | "s", program: string, ...values: string[]) {
  const { stdin, stdout } = Bun.spawn(
    [...lab.on(machine), process.execPath, join(import.meta.dir, program), ...values],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  return { stdin, lines: lines(stdout) };
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

async function next(from: AsyncIterator<string>, isMeant: (line: Line) => boolean): Promise<Line> {
  for (;;) {
    const { value, done } = await from.next();
    if (done === true) throw new Error(`a program of ${pair} has ended`);
    const line = JSON.parse(value) as Line;
    if (isMeant(line)) return line;
  }
}

const server = start("s", "reach-server.ts", join(folder, "users.db"), `${SERVER},${SERVER_6}`);
const port = (await server.lines.next()).value as string;
const benito = start("b", "reach-client.ts", "benito", SERVER, port, join(folder, "b"), "ana");
const ana = start("a", "reach-client.ts", "ana", SERVER, port, join(folder, "a"), "benito");
await Promise.all([ana, benito].map(({ lines }) => next(lines, ({ online }) => online !== undefined)));
const since = performance.now();
ana.stdin.write("write\n");
ana.stdin.flush();
const { way } = await next(benito.lines, ({ text }) => text === "hello");
const ms = Math.round(performance.now() - since);
if (pair === "moving") {
  lab.unite();
  const writing = setInterval(() => {
    ana.stdin.write("write\n");
    ana.stdin.flush();
  }, 500);
  const moved = await next(benito.lines, (line) => line.way === "direct");
  clearInterval(writing);
  console.log(JSON.stringify({ pair, way: `${way}, then ${moved.way}`, ms }));
} else console.log(JSON.stringify({ pair, way, ms }));
process.exit(0);
