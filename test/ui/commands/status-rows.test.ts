import { expect, test } from "bun:test";

import { Output } from "../../../src/ui/commands/output.ts";
import { StatusRows } from "../../../src/ui/commands/status-rows.ts";
import { Collected } from "../../integration/collected.ts";
import { TerminalScreen } from "../../integration/terminal-screen.ts";

/** Both streams of a command on one terminal of 40 columns. */
function onTerminal(json = false, TERM = "xterm") {
  const screen = new TerminalScreen(40, 10);
  const written = new Collected();
  const stream = Object.assign(written.stream(), { isTTY: true, columns: 40, rows: 10 });
  const streams = { stdout: stream, stderr: stream } as unknown as Pick<NodeJS.Process, "stdout" | "stderr">;
  const output = new Output(json, { env: { TERM }, ...streams });
  const rows = () => {
    screen.feed(written.text.slice(fed).replaceAll("\n", "\r\n"));
    fed = written.text.length;
    return screen.rows.filter((row) => row !== "");
  };
  let fed = 0;
  return { output, rows };
}

test("the rows of a status stay below what is printed, and nothing is left of them", async () => {
  const { output, rows } = onTerminal();
  output.notice("Before.");
  output.status(["one 1 %", "all 1 %"]);
  expect(rows()).toEqual(["Before.", "one 1 %", "all 1 %"]);
  output.event({ event: "user" }, "A result.");
  output.notice("A notice that is longer than one row of this terminal.");
  output.status(["one 2 %", "all 2 %"]);
  const printed = ["Before.", "A result.", "A notice that is longer than one row of", "    this terminal."];
  expect(rows()).toEqual([...printed, "one 2 %", "all 2 %"]);
  output.status(["one 3 %"]);
  expect(rows()).toEqual([...printed, "one 3 %"]);
  await output.flushed();
  expect(rows()).toEqual(printed);
});

test("there is no status where nothing can be drawn twice, or a program reads", () => {
  for (const { output, rows } of [onTerminal(true), onTerminal(false, "dumb")]) {
    expect(output.statusColumns).toBeUndefined();
    output.status(["one"]);
    expect(rows()).toEqual([]);
  }
  expect(onTerminal().output.statusColumns).toBe(37);
});

test("rows that a narrower terminal has broken are erased whole", () => {
  const status = new StatusRows();
  status.replaced(["x".repeat(37), "y".repeat(20)], 40);
  for (const [columns, above] of [
    [40, 1],
    [20, 2],
    [10, 5],
  ] as const)
    expect(status.erased(columns)).toBe(`\r\x1b[K${"\x1b[A\x1b[K".repeat(above)}`);
});
