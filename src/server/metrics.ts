/** What the server counts and times of itself, for `/metrics` and the status page. */
import type { Code } from "../protocol/codes.ts";
import type { Action } from "../protocol/rendezvous-messages.ts";

export type LoginResult = "ok" | "resumed" | "wrong" | "limited" | "refused";

export class Metrics {
  /** A request was answered; `took` in ms from its reading on, its hash included. */
  request(_action: Action | undefined, _code: Code, _took: number): void {}

  login(_result: LoginResult): void {}

  /** A hash was done; ms. */
  hash(_waited: number, _took: number): void {}

  /** A statement or transaction was done; ms. */
  database(_took: number): void {}

  /** A connection was refused or dropped. */
  dropped(_why: "too_many" | "rate" | "slow_reader" | "slow_writer" | "idle"): void {}
}
