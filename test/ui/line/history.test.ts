import { describe, expect, test } from "bun:test";

import { MAX_HISTORY, LineHistory } from "../../../src/ui/line/history.ts";

function historyOf(...texts: readonly string[]): LineHistory {
  const history = new LineHistory();
  for (const text of texts) history.add(text);
  return history;
}

/** Everything that the arrow keys recall, newest first. */
function recalled(history: LineHistory): string[] {
  const texts: string[] = [];
  for (let text = history.older(""); text !== undefined; text = history.older(text)) texts.push(text);
  return texts;
}

describe("what was typed", () => {
  test("comes back newest first, and what is being typed last", () => {
    const history = historyOf("uno", "dos");
    expect([history.older("tr"), history.older("dos"), history.older("uno")]).toEqual([
      "dos",
      "uno",
      undefined,
    ]);
    expect([history.newer(), history.newer(), history.newer()]).toEqual(["dos", "tr", undefined]);
  });

  test("is kept once in a row, without empty and very long texts, and bounded", () => {
    const history = historyOf("a", "a", "  ", "", "x".repeat(5_000));
    expect(recalled(history)).toEqual(["a"]);
    for (let count = 0; count < MAX_HISTORY; count++) history.add(`${count}`);
    const texts = recalled(history);
    expect(texts).toHaveLength(MAX_HISTORY);
    expect(texts[0]).toBe(`${MAX_HISTORY - 1}`);
  });

  test("can be forgotten by a part, also while it is shown", () => {
    const history = historyOf("c", "a [1] b");
    history.older("");
    history.forget("[1]");
    expect(history.newer()).toBeUndefined();
    expect(recalled(history)).toEqual(["c"]);
  });

  test("stays for the next line, without pasted texts and without what was being typed", () => {
    const history = historyOf("uno", "a [1] b");
    history.older("a draft");
    history.leave(["[1]"]);
    expect(history.newer()).toBeUndefined();
    expect(recalled(history)).toEqual(["uno"]);
  });
});
