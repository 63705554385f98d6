import { expect, test } from "bun:test";
import { homedir } from "node:os";

import { UsageError } from "../../../src/protocol/options.ts";
import { readTask } from "../../../src/server/admin/command.ts";

const said = (words: string[], language: "es" | "en" = "en"): string => {
  try {
    return JSON.stringify(readTask(words, language));
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
};

test("every command reads its arguments into a request", () => {
  const request = (words: string[]) => {
    const task = readTask(words, "en");
    return task.name === "request" ? task.request : task;
  };
  expect(request(["users"])).toEqual({ command: "users", search: "", after: "" });
  expect(request(["users", "an"])).toEqual({ command: "users", search: "an", after: "" });
  expect(request(["add", "ana"])).toEqual({ command: "add", name: "ana", email: "" });
  expect(request(["add", "ana", "a@b"])).toEqual({ command: "add", name: "ana", email: "a@b" });
  expect(request(["sessions"])).toEqual({ command: "sessions", name: undefined, after: "" });
  expect(request(["revoke", "ana", "12ab"])).toEqual({ command: "revoke", name: "ana", id: "12ab" });
  expect(request(["backup", "f"])).toEqual({ name: "backup", file: "f" });
  expect(request(["restore", "~/f"])).toEqual({ name: "restore", file: `${homedir()}/f` });
  for (const command of ["disable", "enable", "delete", "reset-password"] as const) {
    expect(request([command, "ana"])).toEqual({ command, name: "ana" });
  }
});

test("unknown commands, names of Object members and wrong arguments are refused in one sentence", () => {
  for (const command of ["nada", "constructor", "__proto__", "toString", ""]) {
    expect(said([command])).toStartWith(`Unknown command: “${command}”;`);
    expect(said([command], "es")).toStartWith(`Orden desconocida: «${command}»;`);
  }
  expect(said(["usres"])).toStartWith("Unknown command: “usres”; did you mean users? “admin --help”");
  expect(said(["usres"], "es")).toStartWith("Orden desconocida: «usres»; ¿quiere decir users? Las hay");
  expect(said(["disable"])).toBe("Expected: admin disable NAME");
  expect(said(["disable"], "es")).toBe("Se esperaba: admin disable NOMBRE");
  expect(said(["revoke", "a", "b", "c"])).toBe("Expected: admin revoke NAME [ID]");
  expect(said(["users", "a", "b"])).toBe("Expected: admin users [TEXT]");
  expect(said(["backup"])).toBe("Expected: admin backup FILE");
  expect(said(["backup", ""])).toBe("Expected: admin backup FILE");
  expect(said(["disable", ""])).toBe("Expected: admin disable NAME");
  expect(said(["disable", "x".repeat(1_000)])).toBe("Expected: admin disable NAME");
});

test("a list of accounts goes with add alone", () => {
  expect(readTask(["add"], "en", { from: "class.csv" })).toEqual({ name: "addList", file: "class.csv" });
  for (const words of [["add", "ana"], ["users"], ["disable", "ana"]]) {
    expect(() => readTask(words, "en", { from: "class.csv" })).toThrow(
      "--from goes with add alone: admin add --from FILE",
    );
    expect(() => readTask(words, "es", { from: "class.csv" })).toThrow(
      "--from va solo con add: admin add --from ARCHIVO",
    );
  }
  expect(said(["add"])).toBe("Expected: admin add NAME [EMAIL], or --from FILE");
});

test("only move takes --to, and needs it", () => {
  const to = "postgres://h/d";
  expect(readTask(["move"], "en", { to })).toEqual({ name: "move", to });
  for (const [words, flags] of [
    [["move"], {}],
    [["move", "x"], { to }],
    [["users"], { to }],
  ] as const) {
    expect(() => readTask(words, "en", flags)).toThrow("Expected: admin move --to postgres://…");
  }
  expect(said(["mvoe"])).toContain("did you mean move?");
});
