/** Limits that several servers share, in Valkey. While it cannot be asked each server's own tables decide. */
import type { SharedBucket, SharedBuckets } from "../limits/shared-buckets.ts";
import { GIVE, TAKE } from "./scripts.ts";
import type { Valkey } from "./valkey.ts";

const PREFIX = "p:l:";
/** As `KnownNetworks`: 30 days, in s. */
const KNOWN_LIFE = 30 * 24 * 3_600;
const MICROSECONDS = 1_000_000;

export class ValkeyBuckets implements SharedBuckets {
  readonly #valkey: Valkey;

  constructor(valkey: Valkey) {
    this.#valkey = valkey;
  }

  async take(bucket: SharedBucket): Promise<number> {
    if (!Number.isFinite(bucket.rate.burst)) return 0;
    return this.#valkey.run({ ...TAKE, keys: [keyOf(bucket)] }, argsOf(bucket)).then(Number, () => 0);
  }

  refund(bucket: SharedBucket): void {
    if (!Number.isFinite(bucket.rate.burst)) return;
    this.#tell(this.#valkey.run({ ...GIVE, keys: [keyOf(bucket)] }, argsOf(bucket)));
  }

  async isKnown(account: string, network: string): Promise<boolean> {
    const key = knownKey(account, network);
    return this.#valkey.send("EXISTS", [key]).then(
      (found) => found === 1,
      () => false,
    );
  }

  known(account: string, network: string): void {
    this.#tell(this.#valkey.send("SET", [knownKey(account, network), "1", "EX", String(KNOWN_LIFE)]));
  }

  /** What is not told is counted by `Valkey`, and only makes a limit less exact. */
  #tell(told: Promise<unknown>): void {
    told.catch(() => undefined);
  }
}

function keyOf({ what, key }: SharedBucket): string {
  return `${PREFIX}${what}:${key}`;
}

function knownKey(account: string, network: string): string {
  return `${PREFIX}known:${account} ${network}`;
}

function argsOf({ rate }: SharedBucket): string[] {
  return [String(Math.round(MICROSECONDS / rate.perSecond)), String(rate.burst), "1"];
}
