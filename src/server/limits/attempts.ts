/**
 * What strangers attempt with names that are not theirs yet: passwords, tokens, registrations. Each server limits them by
 * its own tables; several servers share failures, registrations and known networks, so that what the tables let pass is
 * taken from the shared buckets, too. Where those cannot be asked, the own tables decide.
 */
import { networkOf } from "../../protocol/ip-address.ts";
import { retryAfter } from "./rate-table.ts";
import type { SharedBucket, SharedBuckets, SharedCharge } from "./shared-buckets.ts";
import { accountKey, type AttemptVerdict, type Throttle, type Verdict } from "./throttle.ts";

type Answer<T> = T | Promise<T>;

export class Attempts {
  readonly #throttle: Throttle;
  readonly #shared: SharedBuckets | undefined;

  /** @param shared undefined: this server is alone, and every answer is given at once */
  constructor(throttle: Throttle, shared: SharedBuckets | undefined) {
    this.#throttle = throttle;
    this.#shared = shared;
  }

  /** As `Throttle.password`. */
  password(fold: string, address: string, device?: string): Answer<AttemptVerdict> {
    return this.#shared === undefined
      ? this.#throttle.password(fold, address, device)
      : this.#sharedPassword(fold, address, device, this.#shared);
  }

  /** As `Throttle.registration`. */
  registration(address: string, isTaken: boolean): Answer<Verdict> {
    const charged: SharedCharge[] = [];
    return this.#also(this.#throttle.registration(address, isTaken, charged), charged);
  }

  /** As `Throttle.failedResume`. */
  failedResume(address: string): Answer<Verdict> {
    const charged: SharedCharge[] = [];
    return this.#also(this.#throttle.failedResume(address, charged), charged);
  }

  async #sharedPassword(
    fold: string,
    address: string,
    device: string | undefined,
    shared: SharedBuckets,
  ): Promise<AttemptVerdict> {
    const [account, network] = [accountKey(fold), networkOf(address)];
    if (!this.#throttle.isKnown(account, network) && (await shared.isKnown(account, network))) {
      this.#throttle.known(account, network);
    }
    const charged: SharedCharge[] = [];
    const verdict = this.#throttle.password(fold, address, device, charged);
    if (verdict.name === "limited") return verdict;
    const { attempt } = verdict;
    const { wait, taken } = await takeAllShared(charged, shared);
    if (wait > 0) {
      attempt.abandoned();
      return { name: "limited", retryAfter: retryAfter(wait) };
    }
    let isSettled = false;
    const settle = () => {
      if (!isSettled) taken.forEach((each) => shared.refund(each));
      isSettled = true;
    };
    return {
      name: "passes",
      attempt: {
        succeeded() {
          settle();
          attempt.succeeded();
          shared.known(account, network);
        },
        abandoned() {
          settle();
          attempt.abandoned();
        },
      },
    };
  }

  #also(verdict: Verdict, charged: readonly SharedCharge[]): Answer<Verdict> {
    const shared = this.#shared;
    if (shared === undefined || verdict.name === "limited") return verdict;
    return takeAllShared(charged, shared).then(({ wait }) => {
      if (wait === 0) return verdict;
      charged.forEach((each) => each.returnHere());
      return { name: "limited", retryAfter: retryAfter(wait) };
    });
  }
}

/** Takes all or none. @returns the longest wait in ms, and what was taken, which is all if that is 0 */
async function takeAllShared(
  charged: readonly SharedCharge[],
  shared: SharedBuckets,
): Promise<{ readonly wait: number; readonly taken: readonly SharedBucket[] }> {
  const taken: SharedBucket[] = [];
  const take = async (bucket: SharedBucket, otherwise?: SharedBucket): Promise<number> => {
    const wait = await shared.take(bucket);
    if (wait > 0) return otherwise === undefined ? wait : take(otherwise);
    taken.push(bucket);
    return 0;
  };
  const waits = await Promise.all(charged.map((each) => take(each, each.otherwise)));
  const wait = Math.max(0, ...waits);
  if (wait > 0) taken.splice(0).forEach((bucket) => shared.refund(bucket));
  return { wait, taken };
}
