/** How far several transfers are, one by one and together, and the rows of a terminal about them. */
import type { SharedFile } from "../../client/conversation/events.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import {
  isHeldUp,
  percentOf,
  progressRow,
  progressText,
  fileSentence,
  type ShownFile,
} from "../format/file-words.ts";
import type { Texts } from "../texts/texts.ts";
import type { Output } from "./output.ts";

/** ms between two drawings, at least. */
const INTERVAL = 100;

/** How long nothing has to come before that is told, in ms: a stream may be replaced, or a transfer be about to end. */
const CUT_LASTS = 2_000;

export class Progress {
  /** Those that were not given up, in the order in which they were first seen. */
  readonly #files = new Map<string, SharedFile>();
  /** Of ten, of the whole, as it was last told. */
  #tenths = 0;

  /** What has become of a transfer. */
  take(file: SharedFile): void {
    const isGivenUp = ["declined", "cancelled", "failed"].includes(file.state);
    if (isGivenUp) this.#files.delete(file.id);
    else this.#files.set(file.id, file);
  }

  /** It is not shown until there is news of it. */
  forget(id: string): void {
    this.#files.delete(id);
  }

  /** Whether all of them have ended. */
  get isOver(): boolean {
    return [...this.#files.values()].every(({ state }) => state === "done");
  }

  /** Begins with other ones. */
  clear(): void {
    this.#files.clear();
    this.#tenths = 0;
  }

  /** The transfer that is shown by itself; undefined: none has begun. */
  get #current(): SharedFile | undefined {
    const files = [...this.#files.values()];
    const hasBegun = ({ state, done }: SharedFile) =>
      state === "paused" || (state === "accepted" && done > 0);
    return files.find(({ state }) => state === "running") ?? files.find(hasBegun);
  }

  /** All of them as one. */
  get #whole(): Pick<ShownFile, "done" | "size" | "rate" | "state"> {
    const files = [...this.#files.values()];
    const sum = (of: (file: SharedFile) => number | null) =>
      files.reduce<number | null>((total, file) => {
        const value = of(file);
        return total === null || value === null ? null : total + value;
      }, 0);
    const running = files.filter(({ state }) => state === "running");
    const rates = running.map(({ rate }) => rate).filter((rate) => rate !== null);
    return {
      done: sum(({ done }) => done) ?? 0,
      size: sum(({ size }) => size),
      rate: rates.length === 0 ? null : rates.reduce((total, rate) => total + rate, 0),
      state: running.length === 0 ? "paused" : "running",
    };
  }

  #count(texts: Texts): string {
    const files = [...this.#files.values()];
    return texts.filesInAll(files.filter(({ state }) => state === "done").length, files.length);
  }

  /** The rows of a terminal about them: of the current one and, if there are several, of all. @param columns of each row */
  rows(columns: number, texts: Texts): readonly string[] {
    const current = this.#current;
    if (current === undefined) return [];
    const label = `${current.direction === "out" ? "⇡" : "⇣"} ${quotedText(current.name)}`;
    return [
      progressRow(label, current, columns, texts),
      ...(this.#files.size > 1 ? [progressRow(`  ${this.#count(texts)}`, this.#whole, columns, texts)] : []),
    ];
  }

  /** A sentence where another tenth of the whole has arrived, and where all of several are done. @param user the other person, as people see the name */
  nextTenth(user: string, texts: Texts): string | undefined {
    const current = this.#current;
    const whole = this.#whole;
    const tenths = Math.floor((percentOf(whole) ?? 0) / 10);
    if (tenths <= this.#tenths) return undefined;
    if (this.#files.size > 1) {
      if (tenths === 10 && !this.isOver) return undefined;
      this.#tenths = tenths;
      return `${this.#count(texts)}: ${progressText(whole, texts)}.`;
    }
    // Its end is told by itself.
    if (current?.state !== "running" || tenths === 10) return undefined;
    this.#tenths = tenths;
    return fileSentence(current, user, texts);
  }
}

/** Draws the rows, below everything else that the command prints. */
export class ProgressDisplay {
  readonly #output: Output;
  readonly #texts: Texts;
  readonly progress = new Progress();
  /** When it was drawn last, by `performance.now()`. */
  #drawnAt = -INTERVAL;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Events come until the account is closed. */
  #hasEnded = false;

  constructor(output: Output, texts: Texts) {
    this.#output = output;
    this.#texts = texts;
  }

  take(file: SharedFile): void {
    this.progress.take(file);
    this.drawSoon();
  }

  drawSoon(): void {
    if (this.#hasEnded || this.#output.statusColumns === undefined) return;
    this.#timer ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawnAt + INTERVAL - performance.now()));
  }

  #draw(): void {
    this.#timer = undefined;
    this.#drawnAt = performance.now();
    this.#output.status(this.progress.rows(this.#output.statusColumns ?? 0, this.#texts));
  }

  /** Nothing is left of it. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#output.status([]);
  }
}

/** Tells that a transfer was cut off, if that lasts. */
export class Cuts {
  readonly #tell: (file: SharedFile) => void;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #hasEnded = false;

  constructor(tell: (file: SharedFile) => void) {
    this.#tell = tell;
  }

  take(file: SharedFile): void {
    const isCut = !this.#hasEnded && file.state === "accepted" && isHeldUp(file);
    if (isCut && this.#timers.has(file.id)) return;
    clearTimeout(this.#timers.get(file.id));
    this.#timers.delete(file.id);
    if (isCut)
      this.#timers.set(
        file.id,
        setTimeout(() => this.#tell(file), CUT_LASTS),
      );
  }

  end(): void {
    this.#hasEnded = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
