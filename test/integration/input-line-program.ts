/**
 * The input line alone at a terminal. A typed line is printed as JSON, behind `line` as it was sent and behind
 * `typed` as it stood there where both differ; a few lines are orders to this program. With the argument
 * `password`, the keys are held first until SIGUSR1 comes, and then a password is asked for.
 */
import { PlainLine } from "../../src/ui/line/plain-line.ts";
import { LineHistory } from "../../src/ui/line/history.ts";
import { LineEditor } from "../../src/ui/line/line-editor.ts";
import type { InputLine } from "../../src/ui/line/input-line.ts";
import type { LinePrompt } from "../../src/ui/line/line-prompt.ts";
import { InquirerPrompter } from "../../src/ui/prompts/inquirer-prompter.ts";
import { restoreTerminal, TypeAhead } from "../../src/ui/terminal/raw-terminal.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";

const YO: LinePrompt = { name: "yo", isAway: false, mark: "", sign: "" };
const NAMES = ["Ana", "Anastasia", "Bruno"];

const makeLine = process.env["TERM"] === "dumb" ? PlainLine : LineEditor;
const history = new LineHistory();
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
    input: process.stdin,
    output: process.stdout,
    prompt: YO,
    hasColours: true,
    pastedLines: (count) => `[${count} líneas]`,
    needs: {
      take: (event) => {
        if (event.name === "line") order(event.typed, event.expand);
        if (event.name !== "leaving") return;
        line.print("leaving\n");
        line.close();
        console.log("closed");
      },
      busy: () => undefined,
      complete: (before) => {
        const part = before.split(" ").at(-1) ?? "";
        const offers = NAMES.filter((name) => name.toLowerCase().startsWith(part.toLowerCase()));
        return { offers, shown: offers, part };
      },
      history,
    },
  });
}

/** Holds the keys until SIGUSR1 comes, and then asks. */
async function askAfterwards(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const keys = new TypeAhead(process.stdin, () => {
    console.log("interrupted");
  });
  let held = 0;
  const count = (chunk: Buffer) => {
    held += chunk.length;
    console.log(`${held} bytes held`);
  };
  process.stdin.on("data", count);
  process.on("SIGUSR1", resolve);
  console.log("working");
  await promise;
  process.stdin.off("data", count);
  keys.stop();
  const prompter = new InquirerPrompter({
    input: process.stdin,
    output: process.stdout,
    texts: textsIn("en"),
    dropped: String,
    complete: String,
    answered: (answer) => {
      prompter.close();
      console.log(`answer ${JSON.stringify(answer)}`);
      open();
    },
  });
  prompter.open({ name: "password", message: "?" });
}

process.on("exit", () => restoreTerminal(process));
if (process.argv[2] === "password") await askAfterwards();
else open();
