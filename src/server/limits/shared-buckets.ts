import type { Rate } from "./limits.ts";

/** One token of a bucket that several servers share. `what`: of which kind of bucket. */
export type SharedBucket = { readonly what: string; readonly key: string; readonly rate: Rate };

/** One that was charged at this server, where `returnHere` gives it back, and is to be charged for all together. */
export type SharedCharge = SharedBucket & {
  /** What is charged in its place if it is empty. */
  readonly otherwise?: SharedBucket | undefined;
  returnHere(): void;
};

/** Buckets of several servers together, and what they know of accounts. Where nobody can be asked nothing is limited. */
export interface SharedBuckets {
  /** @returns 0 if it was taken, else how long until that is possible, in ms. Never fails. */
  take(bucket: SharedBucket): Promise<number>;
  refund(bucket: SharedBucket): void;
  /** Whether a right password has come for this account from this network, at any server. Never fails. */
  isKnown(account: string, network: string): Promise<boolean>;
  known(account: string, network: string): void;
}
