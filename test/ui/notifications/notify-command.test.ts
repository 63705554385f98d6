import { afterAll, afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BurstWatch } from "../../../src/ui/notifications/burst-watch.ts";
import { NotifyCommand } from "../../../src/ui/notifications/notify-command.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { incoming } from "../chat/chat-script.ts";

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "paloma-notify-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
let running: NotifyCommand | undefined;
afterEach(() => running?.close());

/** A command that is given a file to write to as $OUT, and what it has written there when it matters. */
function begins(command: string, longestRun?: number) {
  const out = join(folder, `out-${++files}`);
  const { PATH = "" } = process.env;
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const failed = (sentence: string) => {
    told.push(sentence);
    first.resolve();
  };
  const options = { command, environment: { PATH, OUT: out }, texts: textsIn("en"), failed };
  running = new NotifyCommand(options, longestRun);
  const lines = () => (existsSync(out) ? readFileSync(out, "utf8").split("\n").slice(0, -1) : []);
  const shows = async (count: number) => {
    while (lines().length < count) await Bun.sleep(5);
    return lines();
  };
  return { command: running, out, told, failure: first.promise, lines, shows };
}

const message = (from: string, text: string, count = 1) => ({ contact: 1, from, text, count });

test("remote text is in the environment alone, bounded, without control characters, and never a part of the line", async () => {
  const { command, shows, told } = begins(
    'printf "%s|%s|%s|%s\\n" "$PALOMA_FROM" "$PALOMA_TEXT" "$PALOMA_COUNT" "$#" >> "$OUT"',
  );
  command.run(message("ana; reboot", "$(touch /tmp/x) `id`\u0000\u001b[2J'\"", 3));
  expect(await shows(1)).toEqual(["ana; reboot|$(touch /tmp/x) `id`␀␛[2J'\"|3|0"]);
  command.run(message("benito", "x".repeat(1_000_000)));
  expect((await shows(2))[1]).toBe(`benito|${"x".repeat(1_024)}|1|0`);
  expect(told).toEqual([]);
});

test("one runs at a time: what comes meanwhile is gathered by person, and of at most ten", async () => {
  const { command, out, shows, lines } = begins(
    'echo "$PALOMA_FROM $PALOMA_COUNT $PALOMA_TEXT" >> "$OUT"; until [ -e "$OUT.go" ]; do sleep 0.02; done',
  );
  command.run(message("ana", "uno"));
  await shows(1);
  command.run(message("ana", "dos", 2));
  command.run(message("ana", "tres"));
  for (let stranger = 0; stranger < 10_000; stranger++) command.run(message(`x${stranger}`, "hola"));
  expect(lines()).toEqual(["ana 1 uno"]);
  writeFileSync(`${out}.go`, "");
  const all = await shows(11);
  expect(all.slice(1, 4)).toEqual(["ana 3 tres", "x0 1 hola", "x1 1 hola"]);
  command.run(message("ana", "cuatro"));
  expect((await shows(12)).slice(10)).toEqual(["x8 1 hola", "ana 1 cuatro"]);
});

test.each([
  ["exit 3", "exit code 3"],
  ["echo no >&2; no-such-command-here", "exit code 127"],
])("a failure is told once: %s", async (fault, why) => {
  const { command, told, failure, shows } = begins(`echo ran >> "$OUT"; ${fault}`);
  command.run(message("ana", "uno"));
  await failure;
  expect(told).toEqual([textsIn("en").notifyFailed(why)]);
  command.run(message("ana", "dos"));
  command.run(message("benito", "tres"));
  await shows(3);
  expect(told).toHaveLength(1);
});

test("one that is too slow is killed with what it has started, and the next one runs", async () => {
  const slow = 'echo "$PALOMA_FROM $$" >> "$OUT"; [ "$PALOMA_FROM" = ana ] && sleep 1000 & wait $!';
  const { command, told, failure, shows } = begins(slow, 0.3);
  command.run(message("ana", "uno"));
  command.run(message("benito", "dos"));
  const [first = ""] = await shows(1);
  await failure;
  expect(told).toEqual([textsIn("en").notifyFailed("it did not end within 0.3 s")]);
  expect((await shows(2))[1]).toStartWith("benito ");
  const group = first.split(" ")[1] ?? "";
  const alive = () => Bun.spawnSync(["ps", "-o", "stat=", "-g", group]).stdout.toString().trim();
  // Whoever has no parent any more is a zombie until it is collected.
  while (!/^(?:Z\S*\s*)*$/.test(alive())) await Bun.sleep(5);
});

test("without a screen it runs for each burst, but for what was read on another one meanwhile, and for who is quiet", async () => {
  const { command, shows } = begins('echo "$PALOMA_FROM $PALOMA_COUNT" >> "$OUT"');
  const watch = new BurstWatch(command, (contact) => contact === 2);
  const arrive = (from: string) => watch.onEvent({ name: "message", from, message: incoming(1, "hola") });
  for (const from of ["ana", "ana", "benito", "benito"]) arrive(from);
  watch.onEvent({ name: "message", from: "dora", message: incoming(1, "hola", { contact: 2 }) });
  watch.onEvent({ name: "read", username: "ana" });
  expect(await shows(1)).toEqual(["benito 2"]);
  arrive("ana");
  expect(await shows(2)).toEqual(["benito 2", "ana 1"]);
  watch.close();
});
