/**
 * Shows views on the terminal: one open prompt, input line or waiting text, and the lines printed above it. Reports
 * what the person does.
 */
import { createColors } from "picocolors";

import type { Draft } from "../../client/profile/drafts.ts";
import type { Language } from "../../protocol/language.ts";
import type { Texts } from "../texts/texts.ts";
import type { View } from "./prompt-views.ts";
import { PlainLine } from "../line/plain-line.ts";
import { PlainPrompter } from "../prompts/plain-prompter.ts";
import { LineEditor } from "../line/line-editor.ts";
import { completed, type Offered } from "../line/completion.ts";
import type { InputLine, LineNeeds } from "../line/input-line.ts";
import type { LinePrompt } from "../line/line-prompt.ts";
import { InquirerPrompter } from "../prompts/inquirer-prompter.ts";
import { renderLine, type Line } from "../format/printed-line.ts";
import type { Answer, Prompter } from "../prompts/prompt.ts";
import { abilitiesOf, type Abilities } from "../terminal/abilities.ts";
import { FOCUS_REPORTS_ON } from "../terminal/attention.ts";
import { copySequence, type CopyResult, MAX_COPIED_BYTES, pastableText } from "../terminal/clipboard.ts";
import { notificationSequence } from "../terminal/notification.ts";
import { restoreTerminal, sizeOf, type TerminalHost, TypeAhead } from "../terminal/raw-terminal.ts";

/** How long a task runs before the waiting text is shown, in ms. */
const QUIET = 400;

/** XTWINOPS: the terminal keeps its title, and takes it back. */
const TITLE_KEPT = "\x1b[22;2t";
/** A terminal that keeps none shows its usual one in place of an empty one. */
const TITLE_RESTORED = "\x1b]2;\x07\x1b[23;2t";

export type RendererOptions = {
  readonly host: TerminalHost;
  readonly language: Language;
  readonly texts: Texts;
  readonly answered: (answer: Answer) => void;
  /** The known names that begin so. */
  readonly names: (begun: string) => Offered;
  /** What the line of a chat needs; asked when the chat is opened, since it belongs to the account. */
  readonly line: () => LineNeeds;
};

type Open =
  | { readonly name: "nothing" }
  | { readonly name: "prompt"; readonly prompter: Prompter }
  | { readonly name: "chat"; readonly line: InputLine }
  | {
      readonly name: "working";
      readonly text: string;
      readonly back: "now" | "later";
      readonly keys: TypeAhead;
      /** The text stands in its row, or will stand there later. */
      readonly notice: "shown" | ReturnType<typeof setTimeout>;
    };

export class Renderer {
  readonly #options: RendererOptions;
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  readonly #isDumb: boolean;
  readonly #colours: boolean;
  readonly #abilities: Abilities;
  #open: Open = { name: "nothing" };
  #title: string | undefined;

  constructor(options: RendererOptions) {
    this.#options = options;
    const { env, stdin, stdout } = options.host;
    this.#input = stdin;
    this.#output = stdout;
    this.#isDumb = env["TERM"] === "dumb";
    this.#colours = createColors().isColorSupported && !this.#isDumb;
    this.#abilities = abilitiesOf(env);
  }

  /** Shows a view; a prompt or line that is already open is kept. */
  show(view: View): void {
    switch (view.name) {
      case "prompt":
        if (this.#open.name !== "prompt") {
          this.#leave();
          this.#open = { name: "prompt", prompter: this.#prompter() };
        }
        this.#open.prompter.open(view.prompt);
        return;
      case "chat":
        if (this.#open.name === "chat") this.#open.line.setPrompt(view.prompt);
        else {
          this.#leave();
          this.#open = { name: "chat", line: this.#line(view.prompt) };
        }
        return;
      case "working":
        this.#work(view);
        return;
      case "ended":
        this.#leave();
        return;
      default:
        view satisfies never;
    }
  }

  /** Shows the waiting text after a while; one task may follow another. */
  #work({ text, back }: View & { name: "working" }): void {
    const open = this.#open;
    if (open.name === "working" && open.text === text) return;
    if (open.name === "working") this.#hideWork(open);
    else this.#leave();
    const keys = open.name === "working" ? open.keys : this.#typeAhead();
    const notice = setTimeout(() => this.#showWork(), QUIET);
    this.#open = { name: "working", text, back, keys, notice };
  }

  /** Without a line feed, since it goes when the task ends. A dumb terminal keeps it. */
  #showWork(): void {
    if (this.#open.name !== "working") return;
    this.#open = { ...this.#open, notice: "shown" };
    const { text } = this.#open;
    this.#write(this.#isDumb ? `${text}\n` : text);
  }

  #hideWork({ text, notice }: Open & { name: "working" }): void {
    if (notice !== "shown") clearTimeout(notice);
    else if (!this.#isDumb) {
      const { columns } = sizeOf(this.#output);
      const above = Math.ceil(Bun.stringWidth(text) / columns) - 1;
      this.#write(`\r${above > 0 ? `\x1b[${above}A` : ""}\x1b[J`);
    }
  }

  #prompter(): Prompter {
    const { texts, answered } = this.#options;
    const dropped = (count: number) => this.#rendered({ name: "notice", text: texts.noticesDropped(count) });
    const complete = (begun: string) => completed(begun, false, this.#options.names(begun));
    const options = { input: this.#input, output: this.#output, texts, dropped, answered, complete };
    return new (this.#isDumb ? PlainPrompter : InquirerPrompter)(options);
  }

  #typeAhead(): TypeAhead {
    const { answered } = this.#options;
    const escaped = () => {
      const isTaken = this.#open.name === "working" && this.#open.back === "now";
      if (isTaken) answered({ name: "back" });
      return isTaken;
    };
    return new TypeAhead(this.#input, () => answered({ name: "interrupted" }), escaped);
  }

  #line(prompt: LinePrompt): InputLine {
    const { texts, line } = this.#options;
    return new (this.#isDumb ? PlainLine : LineEditor)({
      input: this.#input,
      output: this.#output,
      prompt,
      hasColours: this.#colours,
      pastedLines: texts.pastedLines,
      needs: line(),
    });
  }

  /** Prints whole lines above what is open. */
  print(lines: readonly Line[]): void {
    const rendered = lines.map((line) => this.#rendered(line));
    switch (this.#open.name) {
      case "prompt":
        this.#open.prompter.print(rendered);
        return;
      case "chat":
        this.#open.line.print(rendered.join(""));
        return;
      case "working": {
        const { notice } = this.#open;
        if (notice === "shown") this.#hideWork(this.#open);
        this.#write(rendered.join(""));
        if (notice === "shown" && !this.#isDumb) this.#showWork();
        return;
      }
      case "nothing":
        this.#write(rendered.join(""));
        return;
      default:
        this.#open satisfies never;
    }
  }

  #rendered(line: Line): string {
    const { language, texts } = this.#options;
    const { columns } = sizeOf(this.#output);
    const { links } = this.#abilities;
    return renderLine(line, { columns, language, texts, colours: this.#colours, links });
  }

  /** Shows the title of the terminal. @param title without control characters; undefined: the one before ours */
  entitle(title: string | undefined): void {
    const output = this.#output;
    if (title === this.#title || this.#isDumb || !output.isTTY || output.destroyed) return;
    const kept = this.#title === undefined ? TITLE_KEPT : "";
    this.#write(title === undefined ? TITLE_RESTORED : `${kept}\x1b]2;${title}\x07`);
    this.#title = title;
  }

  /**
   * Asks the terminal to report its focus until `close`, or until a shell gets it. To be called while something is open:
   * without raw mode an answer that comes at once would be shown.
   */
  askForFocus(): void {
    if (!this.#isDumb) this.#write(FOCUS_REPORTS_ON);
  }

  bell(): void {
    this.#write("\u0007");
  }

  /** Shows a notification on the desktop, if the terminal is known to do that. Both texts are made harmless. */
  notify(title: string, text: string): void {
    const { notifications } = this.#abilities;
    if (notifications !== undefined) this.#write(notificationSequence(notifications, title, text));
  }

  /** Puts a text into the clipboard, if the terminal is known to take it, made harmless and without an indent. */
  copy(text: string): CopyResult {
    if (!this.#abilities.clipboard) return { name: "unknown" };
    const copied = pastableText(text);
    if (Buffer.byteLength(copied) > MAX_COPIED_BYTES) return { name: "too_long" };
    this.#write(copySequence(copied));
    return { name: "given", lines: copied.split("\n").length };
  }

  /** What stands in the chat's input line; undefined: none is open. */
  get draft(): Draft | undefined {
    return this.#open.name === "chat" ? this.#open.line.draft : undefined;
  }

  /** Puts a text into the chat's input line; false if the line is not empty or not open. */
  offer(text: string): boolean {
    return this.#open.name === "chat" && this.#open.line.offer(text);
  }

  #write(text: string): void {
    this.#output.write(text);
  }

  /** Closes what is open; later keys go to what is opened next. */
  #leave(): void {
    const open = this.#open;
    this.#open = { name: "nothing" };
    switch (open.name) {
      case "prompt":
        open.prompter.close();
        return;
      case "chat":
        open.line.close();
        return;
      case "working":
        this.#hideWork(open);
        open.keys.stop();
        return;
      case "nothing":
        return;
      default:
        open satisfies never;
    }
  }

  /** Closes what is open and restores the terminal. */
  close(): void {
    this.#leave();
    restoreTerminal(this.#options.host);
    this.entitle(undefined);
  }
}
