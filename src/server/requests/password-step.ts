/**
 * Handlers that need a password hash (PROTOCOL 4): throttled, queued, and gone on with when it is there, if
 * anyone is left to be answered.
 */
import type { Action } from "../../protocol/rendezvous-messages.ts";
import type { Account } from "../database/accounts.ts";
import type { Later } from "./handlers.ts";
import type { LinkSession } from "../session/session.ts";
import type { HashOutcome } from "../limits/password-queue.ts";
import { failure, type Response } from "../session/responses.ts";
import type { Services } from "../session/services.ts";

/**
 * Whose password is compared: the folded name that was given, the account where there is one, and the
 * fingerprint of the key that is shown where the account was used with it before.
 */
export type Who = {
  readonly fold: string;
  readonly account: Account | undefined;
  readonly device?: string | undefined;
};

/**
 * Compares a password with an account's, or with the dummy in the same time, and goes on with the
 * account as it is then: undefined when the password is wrong, or it was changed or deleted meanwhile.
 */
export function verify(
  session: LinkSession,
  action: Action,
  password: string,
  { fold, account, device }: Who,
  later: Later,
  then: (account: Account | undefined) => Response | undefined,
): Response | undefined {
  const { passwords, accounts, dummyHash, throttle, metrics }: Services = session.services;
  const verdict = throttle.password(fold, session.remoteAddress, device);
  if (verdict.name === "limited") {
    metrics.login("limited");
    return failure(action, "rate_limited", { retry_after: verdict.retryAfter });
  }
  const { attempt } = verdict;
  const isQueued = passwords.verify(
    session.network,
    password,
    account?.password ?? dummyHash,
    () => session.isAlive,
    (outcome) => {
      if (outcome.name !== "done") attempt.abandoned();
      else if (outcome.value && account !== undefined) attempt.succeeded();
      afterHash(session, action, outcome, later, (matches) => {
        const current = account === undefined ? undefined : accounts.byId(account.id);
        return then(matches && current?.password === account?.password ? current : undefined);
      });
    },
  );
  if (isQueued) return undefined;
  attempt.abandoned();
  return failure(action, "server_busy");
}

/** Makes the hash of a new password, and goes on with it. */
export function hash(
  session: LinkSession,
  action: Action,
  password: string,
  later: Later,
  then: (hash: string) => Response | undefined,
): Response | undefined {
  const queued = session.services.passwords.hash(
    session.network,
    password,
    () => session.isAlive,
    (outcome) => afterHash(session, action, outcome, later, then),
  );
  return queued ? undefined : failure(action, "server_busy");
}

function afterHash<T>(
  session: LinkSession,
  action: Action,
  outcome: HashOutcome<T>,
  later: Later,
  then: (value: T) => Response | undefined,
): void {
  // Nobody is there to be answered: nothing is done, and nobody comes online.
  if (!session.isAlive) return;
  later(() => {
    switch (outcome.name) {
      case "done":
        return then(outcome.value);
      case "displaced":
        return failure(action, "server_busy");
      case "unwanted":
        return undefined;
      case "closing":
        return failure(action, "server_closing");
      case "failed":
        throw outcome.error;
      default:
        return outcome satisfies never;
    }
  });
}
