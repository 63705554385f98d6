import { expect, test } from "bun:test";

import { nearestWord } from "../../src/protocol/nearest-word.ts";

const COMMANDS = ["register", "users", "send", "listen", "history", "search", "withdraw", "delete", "help"];

test.each([
  ["sned", "send"],
  ["SEND", "send"],
  ["sendd", "send"],
  ["snd", "send"],
  ["user", "users"],
  ["lisetn", "listen"],
  ["histroy", "history"],
  ["serach", "search"],
  ["widraw", "withdraw"],
  ["regster", "register"],
])("«%s» may stand for %s", (typed, meant) => expect(nearestWord(typed, COMMANDS)).toBe(meant));

test.each(["", "x", "fly", "hola", "ls", "sdne", "constructor", "s".repeat(100_000)])(
  "%.20s stands for none of them",
  (typed) => expect(nearestWord(typed, COMMANDS)).toBeUndefined(),
);
