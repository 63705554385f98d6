import { describe, expect, test } from "bun:test";

import { get, stop } from "../../../../src/ui/chat/files/file-commands.ts";
import { textsIn } from "../../../../src/ui/texts/texts.ts";
import { ChatScript } from "../chat-script.ts";

const texts = textsIn("es");
const GET = { name: "getFile", number: undefined, folder: undefined };
const ALWAYS = { name: "getAlways", limit: null, folder: undefined };
const MIB = 1_048_576;

describe("/get", () => {
  test.each([
    ["", GET],
    ["#3", { ...GET, number: 3 }],
    ["3", { ...GET, number: 3 }],
    ["#3 ~/mis fotos", { ...GET, number: 3, folder: "~/mis fotos" }],
    ["fotos", { ...GET, folder: "fotos" }],
    ["./3", { ...GET, folder: "./3" }],
    ["always", ALWAYS],
    ["ALWAYS 500M", { ...ALWAYS, limit: 500 * MIB }],
    ["always 2GiB fotos de ana", { ...ALWAYS, limit: 2_048 * MIB, folder: "fotos de ana" }],
    ["always fotos", { ...ALWAYS, folder: "fotos" }],
    ["always off", { ...ALWAYS, limit: 0 }],
    ["alwaysfotos", { ...GET, folder: "alwaysfotos" }],
  ])("%j", (argument, effect) => {
    expect(get(argument, texts)).toEqual(effect as ReturnType<typeof get>);
  });

  test.each(["#x", "always 500", "always 0M", "always 5XB"])("%j is given back", (argument) => {
    expect(get(argument, texts).name).toBe("fault");
  });
});

test("/stop takes a number or nothing", () => {
  expect(stop("", texts)).toEqual({ name: "stopFile", number: undefined });
  expect(stop("#7", texts)).toEqual({ name: "stopFile", number: 7 });
  expect(stop("7", texts)).toEqual({ name: "stopFile", number: 7 });
  for (const wrong of ["x", "#7 8", "#"]) expect(stop(wrong, texts).name).toBe("fault");
});

test("a line leads to its effect, with the texts that were pasted", () => {
  const script = new ChatScript();
  const expand = (text: string) => text.replace("[2 líneas]", "'/tmp/a b'\n/tmp/c");
  const typed = "/send [2 líneas]";
  expect(script.type(typed, expand)).toEqual([{ name: "sendFiles", paths: "'/tmp/a b'\n/tmp/c", typed }]);
  expect(script.type("/files")).toEqual([{ name: "listFiles" }]);
  expect(script.type("/get #2")).toEqual([{ ...GET, number: 2 }] as never);
  expect(script.type("/stop 2")).toEqual([{ name: "stopFile", number: 2 }]);
  expect(script.type("/get always 5").map(({ name }) => name)).toEqual(["print", "giveBack"]);
});
