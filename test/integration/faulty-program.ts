/** The menus, with a bug that the first change after SIGUSR1 meets: something that the update reads throws, once. */
import { readInvocation } from "../../src/ui/config.ts";
import { Program } from "../../src/ui/app/program.ts";
import { restoreTerminal } from "../../src/ui/terminal/raw-terminal.ts";

const invocation = readInvocation(process.argv.slice(2), process.env);
if (invocation.name !== "menus") throw new Error("the menus only");

let isFaulty = false;
const { language } = invocation.config;
const config = Object.defineProperty({ ...invocation.config }, "language", {
  get: () => {
    if (!isFaulty) return language;
    isFaulty = false;
    throw new Error("on purpose");
  },
});
process.on("exit", () => restoreTerminal(process));
process.on("SIGUSR1", () => {
  isFaulty = true;
  process.stdout.write("\u0007");
});
try {
  await Program.run({ config, host: process, signal: new AbortController().signal });
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
process.exit();
