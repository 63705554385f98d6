/** The time that a command may take; it is paused while a prompt waits for the person. */
import { InterruptedError, TimeoutError } from "./failures.ts";

export class Deadline {
  readonly #abort: AbortController;
  readonly #whole: number;
  /** ms left when the clock last started; Infinity: unbounded. */
  #left: number;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param seconds undefined: unbounded. */
  constructor(abort: AbortController, seconds: number | undefined) {
    this.#abort = abort;
    this.#whole = this.#left = seconds === undefined ? Infinity : seconds * 1_000;
    this.#run();
  }

  #run(): void {
    if (this.#left === Infinity) return;
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#abort.abort(new TimeoutError()), Math.max(0, this.#left));
  }

  /** ms left; Infinity: unbounded. */
  get left(): number {
    return this.#left === Infinity ? Infinity : this.#left - (performance.now() - this.#since);
  }

  /**
   * Runs a prompt while the clock is paused: the person may have to look at another machine first. A signal
   * aborts the prompt, which restores the terminal.
   * @throws InterruptedError
   */
  async asking<T>(prompt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    this.stop();
    this.#left -= performance.now() - this.#since;
    try {
      return await prompt(signal);
    } catch (error) {
      if (error instanceof Error && ["ExitPromptError", "AbortPromptError"].includes(error.name)) {
        throw signal.aborted ? signal.reason : new InterruptedError();
      }
      throw error;
    } finally {
      this.#run();
    }
  }

  /** There was progress: the time begins again. */
  renew(): void {
    this.stop();
    this.#left = this.#whole;
    this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
