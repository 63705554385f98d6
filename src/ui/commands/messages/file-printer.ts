/** Prints what becomes of files while `listen` runs: offers, and when one begins, pauses and ends. */
import type { SharedFile } from "../../../client/conversation/events.ts";
import { sentenceOf } from "../../chat/files/file-sentence.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";
import { Cuts, ProgressDisplay } from "../progress.ts";

export class FilePrinter {
  readonly #context: CommandContext;
  readonly #texts: Texts;
  readonly #shown: (username: string) => string;
  readonly #display: ProgressDisplay;
  readonly #cuts: Cuts;
  /** Of transfers that have not ended: the state and reason of each, by id. */
  readonly #states = new Map<string, string>();

  /** @param shown a name as it is shown */
  constructor(context: CommandContext, shown: (username: string) => string) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    this.#shown = shown;
    this.#display = new ProgressDisplay(context.output, this.#texts);
    this.#cuts = new Cuts((file) => this.#onCut(file));
  }

  /** A transfer has changed, or makes progress. */
  take(file: SharedFile): void {
    const state = `${file.state} ${file.reason}`;
    const isNew = this.#states.get(file.id) !== state;
    if (["done", "declined", "cancelled", "failed"].includes(file.state)) this.#states.delete(file.id);
    else this.#states.set(file.id, state);
    this.#context.output.event({ event: "file", ...file }, isNew ? this.#line(file) : undefined);
    this.#display.take(file);
    if (this.#display.progress.isOver) this.#display.progress.clear();
    this.#cuts.take(file);
  }

  /** Nothing is left of it on a terminal. */
  end(): void {
    this.#display.end();
    this.#cuts.end();
  }

  /** Its sender may be away for days. */
  #onCut(file: SharedFile): void {
    this.#context.output.notice(this.#sentence(file));
    this.#display.progress.forget(file.id);
    this.#display.drawSoon();
  }

  #sentence(file: SharedFile): string {
    return sentenceOf(file, this.#shown, this.#texts);
  }

  /** Undefined: nothing is printed. */
  #line(file: SharedFile): string | undefined {
    const { config, output } = this.#context;
    const isOfGroup = file.group !== undefined;
    // The text that offers a file to a group says so.
    const isAsked = file.direction === "in" && config.acceptFiles === undefined && !isOfGroup;
    switch (file.state) {
      case "accepted":
        return undefined;
      case "running":
        // At a terminal a row shows it.
        return output.statusColumns === undefined ? this.#sentence(file) : undefined;
      case "offered":
        return isAsked ? `${this.#sentence(file)} ${this.#texts.fileHowToAccept(file.number)}` : undefined;
      case "cancelled":
        // Nothing was said of an offer that was taken back at once.
        return isAsked || file.direction === "out" || file.done > 0 ? this.#sentence(file) : undefined;
      default:
        return this.#sentence(file);
    }
  }
}
