/**
 * The command of `--notify-command`, which a shell runs for each burst of messages. What others have written is only in
 * its environment, never in the command line. One runs at a time; what comes meanwhile is gathered by person.
 */
import { isStorageFailure } from "../../client/errors.ts";
import type { Environment } from "../../protocol/environment.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { systemMessage } from "../failures.ts";
import type { Texts } from "../texts/texts.ts";
import type { Told } from "./bursts.ts";

/** How long it may run, in s. */
const LONGEST_RUN = 10;
/** People whose messages wait for it; those of more are dropped, since they are counted as unread anyway. */
const MAX_WAITING = 10;
/** UTF-16 units of a variable. */
const MAX_VALUE = 1_024;

type NotifyOptions = {
  readonly command: string;
  readonly environment: Environment;
  readonly texts: Texts;
  /** Called with one sentence at the first failure. */
  readonly failed: (sentence: string) => void;
};

export class NotifyCommand {
  readonly #options: NotifyOptions;
  /** By who has written, and the group, in the order in which they came. */
  readonly #waiting = new Map<string, Told>();
  #state:
    | { readonly name: "idle" }
    | { readonly name: "running"; readonly child: Bun.Subprocess }
    | { readonly name: "closed" } = { name: "idle" };
  #hasFailed = false;
  readonly #longestRun: number;

  /** @param longestRun s, after which it is killed with what it has started */
  constructor(options: NotifyOptions, longestRun = LONGEST_RUN) {
    this.#options = options;
    this.#longestRun = longestRun;
  }

  /** Runs it now, or when those before have ended. */
  run(gathered: Told): void {
    const key = JSON.stringify([gathered.title, gathered.from]);
    const before = this.#waiting.get(key);
    if (before === undefined && this.#waiting.size >= MAX_WAITING) return;
    const count = gathered.count + (before?.count ?? 0);
    this.#waiting.set(key, { ...gathered, count });
    this.#next();
  }

  /** Ends a running one; no other is started. */
  close(): void {
    if (this.#state.name === "running") kill(this.#state.child);
    this.#state = { name: "closed" };
  }

  #next(): void {
    const [waiting] = this.#waiting;
    if (this.#state.name !== "idle" || waiting === undefined) return;
    const [key, next] = waiting;
    this.#waiting.delete(key);
    try {
      const child = this.#spawn(next);
      this.#state = { name: "running", child };
      void this.#ended(child);
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      this.#fail(systemMessage(error));
    }
  }

  #spawn({ from, title, text, count }: Told): Bun.Subprocess {
    const { command, environment } = this.#options;
    return Bun.spawn(["sh", "-c", command], {
      env: {
        ...environment,
        PALOMA_FROM: harmless(from),
        PALOMA_GROUP: harmless(title ?? ""),
        PALOMA_TEXT: harmless(text),
        PALOMA_COUNT: String(count),
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      // A group of its own, so that no Ctrl-C reaches it, and a session without this terminal.
      detached: true,
    });
  }

  async #ended(child: Bun.Subprocess): Promise<void> {
    const { texts } = this.#options;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      kill(child);
    }, this.#longestRun * 1_000);
    const code = await child.exited;
    clearTimeout(timer);
    if (this.#state.name === "closed") return;
    this.#state = { name: "idle" };
    if (isLate) this.#fail(texts.notifyTooSlow(this.#longestRun));
    else if (code !== 0) this.#fail(texts.notifyExitCode(code));
    this.#next();
  }

  #fail(why: string): void {
    if (!this.#hasFailed) this.#options.failed(this.#options.texts.notifyFailed(why));
    this.#hasFailed = true;
  }
}

/** Ends the command with all that it has started. */
function kill({ pid }: Bun.Subprocess): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has just ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Without control characters, so without NUL too, which no variable can hold. */
function harmless(text: string): string {
  return visibleText(text.slice(0, MAX_VALUE), { lines: true });
}
