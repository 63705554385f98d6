import { describe, expect, test } from "bun:test";

import { begunWhole, begunWord, typedFolder, typedPaths } from "../../../../src/ui/chat/files/typed-path.ts";

const PLACE = { cwd: "/media/eva", home: "/media/casa" };
const THERE = new Set([
  "/media/eva/informe.pdf",
  "/media/eva/mi informe.pdf",
  "/media/eva/a",
  "/media/eva/~x",
  "/media/casa/notas.txt",
  '/media/eva/it\'s "it"',
  "/tmp/á b.txt",
]);

function paths(typed: string): readonly string[] {
  return typedPaths(typed, PLACE, (path) => THERE.has(path));
}

describe("the files that are typed", () => {
  test.each([
    ["informe.pdf", ["/media/eva/informe.pdf"]],
    ["./informe.pdf ", ["/media/eva/informe.pdf"]],
    ["mi informe.pdf", ["/media/eva/mi informe.pdf"]],
    [String.raw`mi\ informe.pdf`, ["/media/eva/mi informe.pdf"]],
    ["'mi informe.pdf'", ["/media/eva/mi informe.pdf"]],
    ['"mi informe.pdf"', ["/media/eva/mi informe.pdf"]],
    ['mi" "informe.pdf', ["/media/eva/mi informe.pdf"]],
    [`"it's \\"it\\""`, ['/media/eva/it\'s "it"']],
    ["~/notas.txt", ["/media/casa/notas.txt"]],
    ["~", ["/media/casa"]],
    ["'~x'", ["/media/eva/~x"]],
    ["/tmp/á b.txt", ["/tmp/á b.txt"]],
    ["file:///tmp/%C3%A1%20b.txt", ["/tmp/á b.txt"]],
    ["file:///a%2Fb", ["/media/eva/file:/a%2Fb"]],
    // As dropped, several at once.
    [`'/media/eva/mi informe.pdf' /media/eva/a `, ["/media/eva/mi informe.pdf", "/media/eva/a"]],
    [String.raw`a mi\ informe.pdf nada`, ["/media/eva/a", "/media/eva/mi informe.pdf", "/media/eva/nada"]],
    // Neither is there: what was meant was one file.
    ["mi informa.pdf", ["/media/eva/mi informa.pdf"]],
    ["'nada'", ["/media/eva/nada"]],
    ["trailing\\", ["/media/eva/trailing\\"]],
  ])("%j", (typed, expected) => {
    expect(paths(typed)).toEqual(expected);
  });

  test("a folder need not be there", () => {
    expect(typedFolder("~/fotos de ana", PLACE)).toBe("/media/casa/fotos de ana");
    expect(typedFolder("'~/fotos de ana'", PLACE)).toBe("/media/eva/~/fotos de ana");
    expect(typedFolder(String.raw`fotos\ de\ ana/`, PLACE)).toBe("/media/eva/fotos de ana");
  });
});

describe("a path that was begun", () => {
  test.each([
    ["", "/media/eva", "", "", "it's\\ a"],
    ["inf", "/media/eva", "inf", "inf", "it's\\ a"],
    ["a b", "/media/eva", "b", "b", "it's\\ a"],
    ["a ", "/media/eva", "", "", "it's\\ a"],
    ["~/fo", "/media/casa", "fo", "fo", "it's\\ a"],
    ["/tmp/", "/tmp", "", "", "it's\\ a"],
    [String.raw`/tmp/mi\ f`, "/tmp", "mi f", String.raw`mi\ f`, "it's\\ a"],
    [String.raw`mi\ `, "/media/eva", "mi ", String.raw`mi\ `, "it's\\ a"],
    ['"mi f', "/media/eva", "mi f", '"mi f', `"it's a"`],
    ['"/tmp/mi f', "/tmp", "mi f", "mi f", `it's a"`],
    ["'mi f", "/media/eva", "mi f", "'mi f", "'it'\\''s a'"],
    ['"mi f"', "/media/eva", "mi f", '"mi f"', "it's\\ a"],
  ])("%j", (typed, folder, begun, part, offer) => {
    const path = begunWord(typed, PLACE);
    expect(path).toMatchObject({ folder, begun, part });
    // The only quotation mark that a shell needs is not needed here.
    expect(path?.typed("it's a", false)).toBe(offer.replace("it's\\", "it\\'s\\"));
    expect(path?.typed("b", true)).toEndWith("b/");
  });

  test("is not one where a quotation mark was closed, or opened in a name", () => {
    expect(begunWord('"/tmp/mi f"', PLACE)).toBeUndefined();
    expect(begunWord('mi"f', PLACE)).toBeUndefined();
  });

  test("may be the whole text", () => {
    expect(begunWhole("/tmp/mi f", PLACE)).toMatchObject({ folder: "/tmp", begun: "mi f", part: "mi f" });
    expect(begunWhole("mi f", PLACE).typed("mi fe", true)).toBe("mi fe/");
  });

  test("is typed so that it is read again as the same name", () => {
    for (const name of ["a b", "it's", 'a"b', "a\\b", "~x", "~", "a\\ 'b\" c", "á$`!#&"])
      for (const begun of ["", '"', "'"]) {
        const path = begunWord(begun, PLACE);
        expect(typedPaths(path?.typed(name, false) ?? "", PLACE, () => false)).toEqual([
          `/media/eva/${name}`,
        ]);
      }
  });
});
