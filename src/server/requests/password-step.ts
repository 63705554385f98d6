/** The password hashes of a request (PROTOCOL 4): throttled, queued, and computed if the client is still there. */
import type { HashOutcome } from "../limits/password-queue.ts";
import { failure, rateLimited, type Failure, type Response } from "../session/responses.ts";
import type { Session } from "../session/session.ts";
import type { Account } from "../store/store.ts";

/** The account that a client claims to own. */
type Claim = {
  /** The folded name. */
  readonly fold: string;
  /** Undefined if there is none of that name. */
  readonly account: Account | undefined;
  /** The fingerprint of the client's key, if the account was used with it before. */
  readonly device: string | undefined;
};

export type HashStep<T> =
  | { readonly name: "done"; readonly value: T }
  /** The request ends with this response; undefined: the client has disconnected. */
  | { readonly name: "ended"; readonly response: Response | undefined };

/**
 * Compares a password with the account's hash, or with a dummy hash in the same time. The value is the account if the
 * password is right; as it may change later, the step that uses it must check it by `unchanged`.
 */
export async function verifyStep(
  session: Session,
  password: string,
  { fold, account, device }: Claim,
): Promise<HashStep<Account | undefined>> {
  const { attempts, passwords, dummyHash } = session.services;
  const verdict = await attempts.password(fold, session.remoteAddress, device);
  if (verdict.name === "limited") return { name: "ended", response: limitLogin(session, verdict) };
  const { attempt } = verdict;
  const hash = account?.password ?? dummyHash;
  const outcome = await passwords
    .verify(session.network, password, hash, () => session.isAlive)
    .catch((error: unknown) => {
      attempt.abandoned();
      throw error;
    });
  if (outcome.name !== "done") attempt.abandoned();
  else if (outcome.value && account !== undefined) attempt.succeeded();
  const step = stepOf(session, outcome);
  return step.name === "done" ? { name: "done", value: step.value ? account : undefined } : step;
}

/** Counts and answers a login that comes too often. */
export function limitLogin(session: Session, verdict: { readonly retryAfter: number }): Failure {
  session.services.metrics.logins.add("limited");
  return rateLimited(verdict);
}

/** Computes the hash of a new password. */
export async function hashStep(session: Session, password: string): Promise<HashStep<string>> {
  // The client may have disconnected while the store was used: its hash would take another's place in the queue.
  if (!session.isAlive) return { name: "ended", response: undefined };
  const { passwords } = session.services;
  return stepOf(session, await passwords.hash(session.network, password, () => session.isAlive));
}

function stepOf<T>(session: Session, outcome: HashOutcome<T>): HashStep<T> {
  if (!session.isAlive) return { name: "ended", response: undefined };
  switch (outcome.name) {
    case "done":
      return outcome;
    case "busy":
      return { name: "ended", response: failure("server_busy") };
    case "closing":
      return { name: "ended", response: failure("server_closing") };
    case "unwanted":
      return { name: "ended", response: undefined };
    default:
      return outcome satisfies never;
  }
}
