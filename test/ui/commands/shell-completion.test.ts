import { expect, test } from "bun:test";

import { COMMAND_NAMES } from "../../../src/ui/config.ts";
import { offered } from "../../../src/ui/commands/shell-completion.ts";

/** The words that are offered after these, and the options of the account whose people were asked for. */
async function after(...words: string[]): Promise<{ readonly words: string[]; readonly account: string[] }> {
  const account: string[] = [];
  const lines = await offered(words, "en", async (options) => {
    account.push("asked", ...options);
    const groups = ["#Clase", "#Mi Familia", "#Clase $(reboot)", "#it's", "#q3Xb_7"];
    return { people: ["ana", "benito", "José María", "$(reboot)"], groups };
  });
  return { words: lines.map((line) => line.split("\t")[0] ?? ""), account };
}

test("the first word is a command, and options may stand before it", async () => {
  expect((await after("")).words).toEqual([...COMMAND_NAMES]);
  expect((await after("--json", "--user", "ana", "regi")).words).toEqual(["register"]);
  expect((await after("fly", "x")).words).toEqual([]);
});

test("a command has its own options and the common ones", async () => {
  expect((await after("send", "--wa")).words).toEqual(["--wait"]);
  expect((await after("history", "--wa")).words).toEqual([]);
  expect((await after("send", "--", "--w")).words).toEqual([]);
  expect((await after("--no")).words).toEqual(["--notify-command"]);
  expect((await after("send", "--no")).words).toEqual([]);
  expect((await after("daemon", "--notify-command", "")).words).toEqual([]);
  expect((await after("--s")).words).toEqual(["--server", "--server-fingerprint"]);
});

test("a value is one of those that the option takes, or a file", async () => {
  expect((await after("--lang", "")).words).toEqual(["es", "en"]);
  expect((await after("send", "--wait=r")).words).toEqual(["--wait=received"]);
  expect((await after("--data", "x")).words).toEqual([":files"]);
  expect((await after("--timeout", "")).words).toEqual([]);
  expect((await after("completion", "")).words).toEqual(["bash", "zsh", "fish"]);
  expect((await after("contacts", "un")).words).toEqual(["unblock"]);
  expect((await after("contacts", "block", "b")).words).toEqual(["benito"]);
});

test("people are those of the account that was named, and no name that a shell would read as more than a word", async () => {
  const options = ["--data", "~/d", "--user=ana"];
  expect(await after(...options, "verify", "")).toEqual({
    words: ["ana", "benito"],
    account: ["asked", "--data=~/d", "--user=ana"],
  });
  expect((await after("fingerprint", "b")).words).toEqual(["benito"]);
  expect((await after("send", "ana,b")).words).toEqual(["ana,benito"]);
  expect((await after("send", "ana", "")).words).toEqual([]);
  expect((await after("export", "ana", "")).words).toEqual([":files"]);
  expect((await after("edit", "ana", "")).words).toEqual([]);
  expect((await after("send-file", "b")).words).toEqual(["benito"]);
  expect((await after("send-file", "ana", "x")).words).toEqual([":files"]);
  expect((await after("send-file", "ana", "x", "y")).words).toEqual([":files"]);
  expect((await after("listen", "--accept-files", "")).words).toEqual([":files"]);
  expect((await after("files", "d")).words).toEqual(["decline"]);
});

test("groups stand where a conversation does, but for titles that a shell would read as more than a word", async () => {
  expect((await after("send", "")).words).toEqual(["ana", "benito", "#Clase", "#Mi Familia", "#q3Xb_7"]);
  expect((await after("history", "#")).words).toEqual(["#Clase", "#Mi Familia", "#q3Xb_7"]);
  expect((await after("export", "#q")).words).toEqual(["#q3Xb_7"]);
  expect((await after("send-file", "#C")).words).toEqual(["#Clase"]);
  expect((await after("send", "ana,#C")).words).toEqual(["ana,#Clase"]);
  expect((await after("contacts", "mute", "#")).words).toEqual(["#Clase", "#Mi Familia", "#q3Xb_7"]);
  expect((await after("contacts", "mute", "")).words).toContain("benito");
  expect((await after("contacts", "block", "#")).words).toEqual([]);
  expect((await after("verify", "#")).words).toEqual([]);
});

test("a group's commands are followed by a group, and some of them by a person", async () => {
  expect((await after("group", "a")).words).toEqual(["add", "accept", "admin"]);
  expect((await after("group", "add", "#Mi")).words).toEqual(["#Mi Familia"]);
  expect((await after("group", "new", "#")).words).toEqual([]);
  expect((await after("group", "add", "#Clase", "b")).words).toEqual(["benito"]);
  expect((await after("group", "add", "#Clase", "ana", "b")).words).toEqual(["benito"]);
  expect((await after("group", "add", "#Clase", "ana,b")).words).toEqual(["ana,benito"]);
  expect((await after("group", "remove", "#Clase", "ana", "b")).words).toEqual([]);
  expect((await after("group", "leave", "#Clase", "")).words).toEqual([]);
  expect((await after("group", "--adds", "")).words).toEqual(["all", "admins"]);
  expect((await after("group", "add", "#Clase", "--from", "")).words).toEqual([":files"]);
});
