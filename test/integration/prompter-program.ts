/**
 * The prompter alone at a terminal. It asks the prompts of its first argument one after the other and prints
 * each answer as JSON. Tab knows two names. SIGUSR1 prints two notices above the open prompt, `times` times; SIGUSR2
 * opens the next of `instead` in its place.
 */
import type { HostProcess } from "../../src/ui/commands/output.ts";
import { PlainPrompter } from "../../src/ui/prompts/plain-prompter.ts";
import { InquirerPrompter } from "../../src/ui/prompts/inquirer-prompter.ts";
import type { Prompt } from "../../src/ui/prompts/prompt.ts";
import { completed } from "../../src/ui/line/completion.ts";
import { restoreTerminal } from "../../src/ui/terminal/raw-terminal.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";

type Order = {
  readonly language: "es" | "en";
  /** Asked one after the other. */
  readonly prompts: readonly Prompt[];
  /** Opened in the place of the open one. */
  readonly instead?: readonly Prompt[];
  readonly times?: number;
};

const KNOWN = ["benito", "benita"];

/** Resolves when all is answered. */
export function askPrompts([given = ""]: readonly string[], host: HostProcess): Promise<number> {
  const ended = Promise.withResolvers<number>();
  const order = JSON.parse(given) as Order;
  const texts = textsIn(order.language);
  const prompts = [...order.prompts];
  const instead = [...(order.instead ?? [])];
  let printed = 0;
  const { stdin: input, stdout: output } = host;
  const prompter = new (host.env["TERM"] === "dumb" ? PlainPrompter : InquirerPrompter)({
    input,
    output,
    texts,
    complete: (begun) =>
      completed(begun, false, { offers: KNOWN.filter((each) => each.startsWith(begun)), part: begun }),
    dropped: (count) => `${texts.noticesDropped(count)}\n`,
    answered: (answer) => {
      prompter.print([`answer ${JSON.stringify(answer)}\n`]);
      if (answer.name === "interrupted") prompts.length = 0;
      next();
    },
  });

  function next(): void {
    const prompt = prompts.shift();
    if (prompt !== undefined) prompter.open(prompt);
    else {
      prompter.close();
      output.write("closed\n");
      host.off("SIGUSR1", print).off("SIGUSR2", replace);
      ended.resolve(0);
    }
  }

  function print(): void {
    for (let time = 0; time < (order.times ?? 1); time++) {
      printed++;
      prompter.print([`one ${printed}\n`, `two ${printed}\n`]);
    }
  }

  function replace(): void {
    const prompt = instead.shift();
    if (prompt !== undefined) prompter.open(prompt);
  }

  host.on("exit", () => restoreTerminal(host));
  host.on("SIGUSR1", print).on("SIGUSR2", replace);
  next();
  return ended.promise;
}

if (import.meta.main) process.exitCode = await askPrompts(process.argv.slice(2), process);
