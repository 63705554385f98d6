/**
 * The input line alone at a terminal. A typed line is printed as JSON, behind `line` as it was sent and behind
 * `typed` as it stood there where both differ; a few lines are orders to this program. With the argument
 * `password`, the keys are held first until SIGUSR1 comes, and then a password is asked for.
 */
import type { HostProcess } from "../../src/ui/commands/output.ts";
import { PlainLine } from "../../src/ui/line/plain-line.ts";
import { LineHistory } from "../../src/ui/line/history.ts";
import { LineEditor } from "../../src/ui/line/line-editor.ts";
import type { InputLine } from "../../src/ui/line/input-line.ts";
import type { LinePrompt } from "../../src/ui/line/line-prompt.ts";
import { InquirerPrompter } from "../../src/ui/prompts/inquirer-prompter.ts";
import { restoreTerminal, TypeAhead } from "../../src/ui/terminal/raw-terminal.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";

const YO: LinePrompt = { name: "yo", isAway: false, mark: "", waiting: 0, sign: "" };
const NAMES = ["Ana", "Anastasia", "Bruno"];

/** Resolves when the line was left. */
export async function editLines([first]: readonly string[], host: HostProcess): Promise<number> {
  const { stdin: input, stdout: output } = host;
  const makeLine = host.env["TERM"] === "dumb" ? PlainLine : LineEditor;
  const history = new LineHistory();
  const left = Promise.withResolvers<number>();
  let line: InputLine;

  function order(typed: string, expand: (text: string) => string): void {
    const [word = "", rest = ""] = typed.split(/ (.*)/);
    if (word === "/prompt") line.setPrompt({ ...YO, name: rest });
    else if (word === "/sign") line.setPrompt({ ...YO, sign: rest });
    else if (word === "/again") {
      line.close();
      open();
    } else if (word === "/offer") line.offer("dos\nlíneas");
    else if (word === "/throw") throw new Error("on purpose");
    else if (word === "/flood") flood(Number(rest));
    else {
      line.print(`line ${JSON.stringify(expand(typed))}\n`);
      if (expand(typed) !== typed) line.print(`typed ${JSON.stringify(typed)}\n`);
    }
  }

  /** Messages that come one by one while the line is edited. */
  function flood(count: number, number = 1): void {
    line.print(`message ${number} 👩‍👩‍👧 ${"ñ".repeat(number)}\n`);
    if (number < count) setImmediate(() => flood(count, number + 1));
  }

  function open(): void {
    line = new makeLine({
      input,
      output,
      prompt: YO,
      hasColours: true,
      pastedLines: (count) => `[${count} líneas]`,
      needs: {
        take: (event) => {
          if (event.name === "line") order(event.typed, event.expand);
          if (event.name !== "leaving") return;
          line.print("leaving\n");
          line.close();
          output.write("closed\n");
          left.resolve(0);
        },
        busy: () => undefined,
        complete: (before) => {
          const part = before.split(" ").at(-1) ?? "";
          const offers = NAMES.filter((name) => name.toLowerCase().startsWith(part.toLowerCase()));
          return { offers, shown: offers, part };
        },
        history,
        draft: [],
      },
    });
  }

  /** Holds the keys until SIGUSR1 comes, and then asks. */
  async function askAfterwards(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const interrupted = () => output.write("interrupted\n");
    const keys = new TypeAhead(input, interrupted, () => false);
    let held = 0;
    const count = (chunk: Buffer) => {
      held += chunk.length;
      output.write(`${held} bytes held\n`);
    };
    input.on("data", count);
    host.on("SIGUSR1", resolve);
    output.write("working\n");
    await promise;
    input.off("data", count);
    keys.stop();
    const prompter = new InquirerPrompter({
      input,
      output,
      texts: textsIn("en"),
      dropped: String,
      complete: String,
      answered: (answer) => {
        prompter.close();
        output.write(`answer ${JSON.stringify(answer)}\n`);
        open();
      },
    });
    prompter.open({ name: "password", message: "?" });
  }

  host.on("exit", () => restoreTerminal(host));
  if (first === "password") await askAfterwards();
  else open();
  return left.promise;
}

if (import.meta.main) void editLines(process.argv.slice(2), process);
