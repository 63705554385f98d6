import { describe, expect, test } from "bun:test";

import { listLayout } from "../../../src/ui/prompts/list-layout.ts";

const calm = { news: "", question: "Who?", refusal: "", keys: "Esc: back" };
const refusing = { ...calm, refusal: "That is not\nin the list." };

test("a list has all rows that its question, the keys and a free row leave, and no more than twenty", () => {
  expect(listLayout(24, calm)).toEqual({ news: "", question: "Who?", tip: "Esc: back", pageSize: 20 });
  expect(listLayout(12, calm).pageSize).toBe(8);
  expect(listLayout(12, refusing)).toEqual({
    news: "",
    question: "Who?",
    tip: "That is not\nin the list.\nEsc: back",
    pageSize: 6,
  });
});

describe("on a low screen", () => {
  test("the news go first", () => {
    const telling = { ...calm, news: "— ana: 1 new message" };
    expect(listLayout(8, telling)).toMatchObject({ news: telling.news, tip: "Esc: back", pageSize: 3 });
    expect(listLayout(7, telling)).toMatchObject({ news: "", tip: "Esc: back", pageSize: 3 });
  });

  test("then the keys", () => {
    expect(listLayout(7, calm)).toMatchObject({ tip: "Esc: back", pageSize: 3 });
    expect(listLayout(6, calm)).toMatchObject({ tip: "", pageSize: 4 });
    expect(listLayout(8, refusing)).toMatchObject({ tip: refusing.refusal, pageSize: 3 });
  });

  test("then a refusal stands in the place of the question", () => {
    expect(listLayout(6, refusing)).toEqual({ news: "", question: refusing.refusal, tip: "", pageSize: 3 });
  });

  test("then the question keeps its last rows, so that two rows are left for the marked choice", () => {
    const long = { ...calm, question: "one\ntwo\nthree\nfour" };
    expect(listLayout(5, long)).toEqual({ news: "", question: "three\nfour", tip: "", pageSize: 2 });
    expect(listLayout(2, long)).toEqual({ news: "", question: "four", tip: "", pageSize: 2 });
  });
});
