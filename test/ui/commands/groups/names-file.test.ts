import { expect, test } from "bun:test";

import { namesIn } from "../../../../src/ui/commands/groups/names-file.ts";
import { textsIn } from "../../../../src/ui/texts/texts.ts";

const read = (text: string) => namesIn(text, "clase.txt", textsIn("en"));

test("names stand one a line; blank lines and comments do not count, and nobody counts twice", () => {
  const text =
    "\ufeff# La clase de 2.º\r\nana\r\n\r\n  benito  # delegado\r\nÑandú\nANA\n#carla\n\nñandú".normalize(
      "NFD",
    );
  expect(read(text).map((name) => name.normalize("NFC"))).toEqual(["ana", "benito", "Ñandú"]);
});

test("a list of accounts, with their emails, is one of names", () => {
  expect(read("ana,ana@example.org\nbenito,\tb@example.org\ncarla\n")).toEqual(["ana", "benito", "carla"]);
});

test("each wrong line is named, up to five, and nobody is invited", () => {
  const lines = ["ana", "José María", "ana,benito", "x", "\u001b[2J", "..", "a b", "y"];
  expect(() => read(lines.join("\n"))).toThrow(
    [
      "clase.txt: nobody was invited.",
      "Line 2: “José María” is not a valid user name.",
      "Line 3: “ana,benito” is not a valid user name.",
      "Line 4: “x” is not a valid user name.",
      "Line 5: “␛[2J” is not a valid user name.",
      "Line 6: “..” is not a valid user name.",
      "And 2 more lines.",
    ].join("\n"),
  );
});

test("a list without names, or with more than a group holds, is refused", () => {
  expect(() => read("# nobody yet\n")).toThrow("clase.txt: there are no names.");
  const many = Array.from({ length: 257 }, (_, index) => `alumno${index}`);
  expect(read(many.slice(1).join("\n"))).toHaveLength(256);
  expect(() => read(many.join("\n"))).toThrow("These are 257 names: a group holds 256 people.");
});
