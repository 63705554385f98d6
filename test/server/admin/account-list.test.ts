import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { UsageError } from "../../../src/protocol/options.ts";
import { readAccountList } from "../../../src/server/admin/account-list.ts";
import { StartError } from "../../../src/server/start-error.ts";
import { folderForEachTest } from "../../integration/folder-for-each-test.ts";

let file = "";
folderForEachTest((path) => {
  file = join(path, "class.csv");
});

function read(content: string | Uint8Array): string[] {
  writeFileSync(file, content);
  return readAccountList(file, "en").map(({ line, request }) => `${line} ${request.name} <${request.email}>`);
}

function refusal(content: string | Uint8Array, language: "es" | "en" = "en"): string {
  writeFileSync(file, content);
  try {
    readAccountList(file, language);
  } catch (error) {
    if (error instanceof UsageError) return error.message.replace(file, "FILE");
    throw error;
  }
  return "";
}

test("a line is a name and perhaps an email address", () => {
  expect(read("ana,ana@example.org\nbenito\ncarla,\n")).toEqual([
    "1 ana <ana@example.org>",
    "2 benito <>",
    "3 carla <>",
  ]);
});

test("what spreadsheets write is understood: a header, quotes, semicolons, tabs, empty columns, CR LF and a BOM", () => {
  expect(
    read('\ufeffNombre;Correo electrónico\r\n"ana";"ana@example.org";;\r\n\r\n benito ;b@x.org\r\n'),
  ).toEqual(["2 ana <ana@example.org>", "4 benito <b@x.org>"]);
  expect(read("name\temail\nana\ta@b.org\n")).toEqual(["2 ana <a@b.org>"]);
  expect(read("name,name@example.org\n")).toEqual(["1 name <name@example.org>"]);
});

test("a file with anything else is refused as a whole, with its line", () => {
  expect(refusal("ana,a@b.org\nbenito,b@b.org,extra\n")).toBe("FILE:2: expected NAME,EMAIL");
  expect(refusal('ana,"a@b.org\n', "es")).toBe("FILE:1: se esperaba NOMBRE,CORREO");
  expect(refusal(",a@b.org\n")).toBe("FILE:1: expected NAME,EMAIL");
  expect(refusal(`${" ".repeat(100_000)}x,y,z\n`)).toBe("FILE:1: expected NAME,EMAIL");
  expect(refusal("\n \n")).toBe("FILE: there is no account in it");
  expect(refusal("name,email\n", "es")).toBe("FILE: no hay ninguna cuenta");
  expect(refusal(Buffer.from("jos\xe9,a@b.org\n", "latin1"))).toBe(
    "FILE: is not UTF-8: save it as “CSV UTF-8”",
  );
  expect(refusal("ana\n".repeat(300_000))).toBe("FILE: exceeds 1 MiB");
  expect(() => readAccountList(`${file}.none`, "en")).toThrow(StartError);
});
