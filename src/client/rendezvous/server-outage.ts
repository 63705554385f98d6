/** What is told of the server's comings and goings: that it was away for a moment is no news. */
import type { RendezvousState } from "./session.ts";

/** A server that is back sooner was never away, in ms. */
export const UNTOLD_OUTAGE = 10_000;

type State =
  /** Never online, or whoever wants to know has been told that it is not. */
  | { readonly name: "told" }
  | { readonly name: "online" }
  | { readonly name: "away"; readonly since: number; readonly last: RendezvousState };

export class ServerOutage {
  #state: State = { name: "told" };

  /** The server was lost a moment ago, and nobody was told. */
  get isUntold(): boolean {
    return this.#state.name === "away";
  }

  /** @param now ms that never go back @returns whether it is told now */
  take(state: RendezvousState, now: number): boolean {
    const before = this.#state;
    switch (state.name) {
      case "online":
        this.#state = { name: "online" };
        return before.name !== "away";
      case "waiting":
      case "connecting":
        if (before.name === "told") return true;
        this.#state = { name: "away", since: before.name === "away" ? before.since : now, last: state };
        return false;
      case "offline":
        // Between two attempts; elsewhere nobody tries to be online again.
        if (before.name === "away") this.#state = { ...before, last: state };
        else this.#state = { name: "told" };
        return before.name !== "away";
      case "stopped":
        this.#state = { name: "told" };
        return true;
      default:
        return state satisfies never;
    }
  }

  /** What is to be told now that it has taken too long; while an attempt is under way it is told after that. */
  overdue(now: number): RendezvousState | undefined {
    if (this.#state.name !== "away" || now - this.#state.since < UNTOLD_OUTAGE) return undefined;
    const { last } = this.#state;
    this.#state = { name: "told" };
    return last.name === "waiting" ? last : undefined;
  }
}
