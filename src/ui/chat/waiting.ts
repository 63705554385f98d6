/** What an open chat knows of our messages that are on their way. */
import type { MessageState } from "../../client/disk/schema.ts";

/** A message of ours, or a change of one (`target`), and how far it has come. */
export type Mark = { readonly id: string; readonly state: MessageState; readonly target?: string };

/** A message of ours, or a change of one, that is not known to have arrived. */
export type Waiting = {
  readonly id: string;
  /** Of a change: the id of the message. */
  readonly target?: string;
  /** The beginning of its text, for the lines about it; visible text, not cut inside a grapheme. */
  readonly excerpt: string;
  /** When it was queued, ms since 1970. */
  readonly since: number;
  readonly state: MessageState;
  /** The person has been told that it waits, so they are told when it arrives. */
  readonly told: boolean;
};

/** What has come through after it was told of. */
export type Arrived = { readonly excerpt: string; readonly isChange: boolean };

/** What waits beyond MAX_WAITING, of which nothing but the number is known. */
export type Beyond = {
  readonly told: number;
  readonly untold: number;
  /** When the first of the untold was queued, ms since 1970. */
  readonly since: number;
  /** What is among them. */
  readonly texts: boolean;
  readonly changes: boolean;
  /** Told of, and arrived since the last tick. */
  readonly arrived: number;
};

/** How much is in the outbox for this person. */
export type Outstanding = { readonly texts: number; readonly changes: number };
