/** Tells everybody whose session is here of new revocations (PROTOCOL 3), gathered for a moment. */
import type { Revocation } from "../../identity/revocation.ts";
import { encodeFrame } from "../../protocol/framing.ts";
import { MAX_REVOKED } from "../../protocol/rendezvous-messages.ts";
import type { Seats } from "../presence/seats.ts";

/** How long revocations are gathered after the first, in ms; a full message is sent at once. */
export const GATHERING_TIME = 500;

/** Calls `run` once after `ms`. @returns a function that cancels the call. */
type After = (ms: number, run: () => void) => () => void;

export class RevocationPush {
  readonly #seats: Pick<Seats, "own">;
  readonly #after: After;
  #gathered: { readonly revoked: Revocation[]; readonly cancel: () => void } | undefined;

  constructor(seats: Pick<Seats, "own">, after: After) {
    this.#seats = seats;
    this.#after = after;
  }

  add(revocation: Revocation): void {
    this.#gathered ??= { revoked: [], cancel: this.#after(GATHERING_TIME, () => this.flush()) };
    const { revoked } = this.#gathered;
    revoked.push(revocation);
    if (revoked.length >= MAX_REVOKED) this.flush();
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#gathered === undefined) return;
    const { revoked, cancel } = this.#gathered;
    this.#gathered = undefined;
    cancel();
    const line = encodeFrame({ action: "revoked", revoked });
    for (const { session } of this.#seats.own()) session.pushLine(line);
  }
}
