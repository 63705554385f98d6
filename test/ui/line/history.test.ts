import { describe, expect, test } from "bun:test";

import { MAX_HISTORY, LineHistory } from "../../../src/ui/line/history.ts";

describe("what was typed", () => {
  test("comes back newest first, and what is being typed last", () => {
    const history = new LineHistory(["uno"]);
    history.add("dos");
    expect([history.older("tr"), history.older("dos"), history.older("uno")]).toEqual([
      "dos",
      "uno",
      undefined,
    ]);
    expect([history.newer(), history.newer(), history.newer()]).toEqual(["dos", "tr", undefined]);
  });

  test("is kept once in a row, without empty and very long texts, and bounded", () => {
    const history = new LineHistory(["a"]);
    for (const text of ["a", "  ", "", "x".repeat(5_000)]) history.add(text);
    expect(history.without([])).toEqual(["a"]);
    for (let count = 0; count < MAX_HISTORY; count++) history.add(`${count}`);
    expect(history.without([])).toHaveLength(MAX_HISTORY);
    expect(history.without([])[0]).toBe(`${MAX_HISTORY - 1}`);
  });

  test("can be forgotten by a part, also while it is shown", () => {
    const history = new LineHistory(["a [1] b", "c"]);
    history.older("");
    history.forget("[1]");
    expect(history.newer()).toBeUndefined();
    expect(history.without([])).toEqual(["c"]);
  });
});
