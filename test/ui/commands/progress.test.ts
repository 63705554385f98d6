import { expect, test } from "bun:test";

import type { SharedFile } from "../../../src/client/conversation/events.ts";
import { Progress } from "../../../src/ui/commands/progress.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { MIB, sharedFile } from "../chat/files/shared-file.ts";

const texts = textsIn("en");

function file(fields: Partial<SharedFile> & { id: string }): SharedFile {
  return sharedFile({ number: 1, direction: "out", name: `${fields.id}.bin`, ...fields });
}

function following(...files: readonly SharedFile[]): Progress {
  const progress = new Progress();
  for (const each of files) progress.take(each);
  return progress;
}

test("one file has a row of its own from when it begins until it ends", () => {
  const progress = following(file({ id: "a" }));
  expect(progress.rows(70, texts)).toEqual([]);
  progress.take(file({ id: "a", state: "running", done: 43 * MIB, rate: 10 * MIB }));
  expect(progress.rows(70, texts).map((row) => row.replaceAll(/ +/g, " "))).toEqual([
    "⇡ a.bin [=======> ] 43 % 10 MiB/s 6 s",
  ]);
  progress.take(file({ id: "a", state: "done", done: 100 * MIB }));
  expect(progress.rows(70, texts)).toEqual([]);
  expect(progress.isOver).toBe(true);
});

test("a row stays where nothing comes for a while, or all was sent", () => {
  const progress = following(file({ id: "a", state: "accepted" }));
  expect(progress.rows(70, texts)).toEqual([]);
  for (const done of [43 * MIB, 100 * MIB]) {
    progress.take(file({ id: "a", state: "accepted", done }));
    expect(progress.rows(70, texts)).toHaveLength(1);
  }
});

test("several have a row for the current one and one for all, in which what was given up does not count", () => {
  const progress = following(
    file({ id: "a", state: "done", done: 100 * MIB }),
    file({ id: "b", state: "running", done: 50 * MIB, rate: 10 * MIB }),
    file({ id: "c" }),
    file({ id: "d" }),
  );
  progress.take(file({ id: "d", state: "declined" }));
  const [current, all, ...more] = progress.rows(70, texts);
  expect(more).toEqual([]);
  expect(current).toStartWith("⇡ b.bin ");
  expect(current).toContain("50 %");
  expect(all).toStartWith("  In all, 1 of 3 ");
  expect(all).toContain("50 %    10 MiB/s    15 s");
  progress.take(file({ id: "b", state: "paused", done: 50 * MIB, reason: "no_space" }));
  expect(progress.rows(70, texts)[1]).not.toContain("MiB/s");
});

test("no row is wider than the terminal, whatever the name is", () => {
  const progress = following(
    file({ id: "a", name: `${"報告".repeat(40)}\u202e.pdf`, state: "running", done: MIB, rate: MIB }),
    file({ id: "b", size: null, state: "running", done: 7 * MIB, rate: MIB }),
  );
  for (const columns of [1, 5, 20, 40, 77, 200])
    for (const row of progress.rows(columns, texts)) {
      expect(Bun.stringWidth(row)).toBeLessThanOrEqual(columns);
      expect(row).not.toContain("\u202e");
    }
});

test("each further tenth is told once, and not that nothing or all has arrived", () => {
  const progress = new Progress();
  const told = [0, 9, 10, 15, 19, 35, 35, 90, 99, 100].map((done) => {
    progress.take(file({ id: "a", state: "running", done: done * MIB, rate: 10 * MIB }));
    return progress.nextTenth("benito", texts);
  });
  const sentence = (percent: number, left: string) =>
    `Sending “a.bin” to benito: ${percent} % of 100 MiB, 10 MiB/s, ${left} left.`;
  expect(told.filter((each) => each !== undefined)).toEqual([
    sentence(10, "9 s"),
    sentence(35, "7 s"),
    sentence(90, "1 s"),
  ]);
});

test("the tenths of several are those of the whole", () => {
  const progress = following(file({ id: "a", state: "running", done: 15 * MIB }), file({ id: "b" }));
  expect(progress.nextTenth("benito", texts)).toBeUndefined();
  progress.take(file({ id: "a", state: "running", done: 20 * MIB }));
  expect(progress.nextTenth("benito", texts)).toBe("In all, 0 of 2: 10 % of 200 MiB.");
  progress.take(file({ id: "a", state: "done", done: 100 * MIB }));
  expect(progress.nextTenth("benito", texts)).toBe("In all, 1 of 2: 50 % of 200 MiB.");
  progress.take(file({ id: "b", state: "accepted", done: 100 * MIB }));
  expect(progress.nextTenth("benito", texts)).toBeUndefined();
  progress.take(file({ id: "b", state: "done", done: 100 * MIB }));
  expect(progress.nextTenth("benito", texts)).toBe("In all, 2 of 2: 100 % of 200 MiB.");
  expect(progress.nextTenth("benito", texts)).toBeUndefined();
});

test("of an unknown size there is no tenth", () => {
  const progress = following(file({ id: "a", size: null, state: "running", done: 500 * MIB }));
  expect(progress.nextTenth("benito", texts)).toBeUndefined();
  expect(progress.rows(70, texts)[0]).toContain("500 MiB");
});
