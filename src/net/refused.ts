/**
 * Connections that were refused. They are closed a moment later, and nothing of theirs is read: who is refused and dials
 * again at once, with a few hundred connections, would otherwise take half of a core.
 */

/** In ms. */
const DELAY = 1_000;
/** Those of such a time are closed in one turn of the event loop. */
const TOGETHER = 100;
/** Beyond it they are closed at once. */
const MAX_HELD = 512;

type Refused = { readonly terminate: () => void; readonly pause: () => void };

export class RefusedConnections {
  /** The oldest first; `at`: of the monotonic clock, in ms. */
  readonly #held: { readonly socket: Refused; readonly at: number }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  add(socket: Refused): void {
    if (this.#held.length >= MAX_HELD) {
      socket.terminate();
      return;
    }
    socket.pause();
    this.#held.push({ socket, at: performance.now() });
    this.#schedule();
  }

  /** Closes all. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const { socket } of this.#held.splice(0)) socket.terminate();
  }

  #schedule(): void {
    const [oldest] = this.#held;
    if (this.#timer !== undefined || oldest === undefined) return;
    this.#timer = setTimeout(() => this.#closeOld(), Math.max(0, oldest.at + DELAY - performance.now()));
    this.#timer.unref();
  }

  /** Some at once, so that there are few timers, but no long turn. */
  #closeOld(): void {
    this.#timer = undefined;
    const end = performance.now() - (DELAY - TOGETHER);
    const young = this.#held.findIndex(({ at }) => at > end);
    for (const { socket } of this.#held.splice(0, young === -1 ? Infinity : young)) socket.terminate();
    this.#schedule();
  }
}
