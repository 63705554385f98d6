import { expect, test } from "bun:test";

import { expandHome, variable } from "../../src/protocol/environment.ts";

test.each(["\n", "\r\n", "\r"])("a variable loses one final line end: %j", (end) => {
  expect(variable({ PALOMA_USER: `ana${end}` }, "PALOMA_USER")).toBe("ana");
  expect(variable({ PALOMA_PASSWORD: `a${end}b ${end}${end}` }, "PALOMA_PASSWORD")).toBe(`a${end}b ${end}`);
  expect(variable({ PALOMA_USER: end }, "PALOMA_USER")).toBeUndefined();
  expect(variable({}, "PALOMA_USER")).toBeUndefined();
});

test("a leading ~ is the home folder, and nothing else is", () => {
  expect(expandHome("~/a/~", "/home/$&")).toBe("/home/$&/a/~");
  expect(expandHome("~", "/h")).toBe("/h");
  for (const path of ["~ana/a", "a/~/b", "./~", "/~", "~~"]) expect(expandHome(path, "/h")).toBe(path);
  for (const unknown of [undefined, ""]) expect(expandHome("~/a", unknown)).toBe("~/a");
});
