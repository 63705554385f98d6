import { describe, expect, test } from "bun:test";

import { completed, offersLine } from "../../../src/ui/line/completion.ts";

describe("completion", () => {
  test("puts the only offer in, with a space where nothing follows", () => {
    expect(completed("/ch", true, { offers: ["/chat"], part: "/ch" })).toBe("/chat ");
    expect(completed("/ch", false, { offers: ["/chat"], part: "/ch" })).toBe("/chat");
    expect(completed("/chat b", true, { offers: ["Bruno"], part: "b" })).toBe("/chat Bruno ");
  });

  test("goes as far as all offers agree", () => {
    expect(completed("a", true, { offers: ["Ana", "Anastasia"], part: "a" })).toBe("Ana");
    expect(completed("x", true, { offers: ["x👩‍👩‍👧", "x👩‍👩‍👦"], part: "x" }).isWellFormed()).toBe(true);
  });

  test("adds nothing where offers differ at once, or where there are none", () => {
    expect(completed("a", true, { offers: ["ana", "Abel"], part: "a" })).toBe("a");
    expect(completed("zz", true, { offers: [], part: "zz" })).toBe("zz");
  });

  test("shows a bounded number of names, which cannot move the cursor", () => {
    expect(offersLine(["a\x1b[2J", "b"], 80)).toBe("a␛[2J  b\n");
    expect(
      offersLine(
        Array.from({ length: 1_000 }, () => "x"),
        80,
      ).length,
    ).toBeLessThan(200);
  });

  test("breaks the offers between words, and indents what follows", () => {
    expect(offersLine(["/help", "/fingerprint", "/accept"], 24)).toBe("/help  /fingerprint  \n    /accept\n");
  });
});
