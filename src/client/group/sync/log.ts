/**
 * What the synchronisation of one group needs of the disk. Lanes' ends and all control entries are in memory; texts are
 * read when somebody lacks them.
 */
import type { Fork, GroupEntry } from "../../../identity/group-entry.ts";

/** `seq`: the place in this side's order of arrival, from 1; it grows, and may have gaps. */
export type StoredEntry = GroupEntry & { readonly seq: number };

/** The times and sizes that count for a budget: at most 2,000 entries within 24 h of the end of the lane. */
export type Spent = readonly (readonly [at: number, size: number])[];

/** The two ends of a lane of texts that is not empty. From `first` to `last` nothing is missing. */
export type TextLane = {
  readonly feed: string;
  /** The number of the entry with which the lane began here; those before it came later than those after it. */
  readonly base: number;
  readonly first: { readonly number: number; readonly prev: string; readonly at: number };
  readonly last: { readonly number: number; readonly id: string; readonly at: number };
  /** Of the first entries, in the order of their numbers. May be read from the disk when it is asked for. */
  readonly early: Spent;
  /** Of the last entries, in the order of their numbers. May be read likewise. */
  readonly recent: Spent;
};

export type TextPlace = { readonly feed: string; readonly number: number };

/** Up to which number of a feed of ours, `own`, a term has the texts, and has read them. */
export type Receipt = {
  readonly own: string;
  readonly term: string;
  readonly received: number;
  readonly read: number;
  /** Whether that term has said so itself. Hearsay never lowers what was said. */
  readonly isDirect: boolean;
};

export type GroupContents = {
  /** In order of arrival. */
  readonly control: readonly StoredEntry[];
  readonly texts: readonly TextLane[];
  readonly forks: readonly Fork[];
  /** Entries that came without a body, and of which none was dropped here. */
  readonly bodiless: readonly TextPlace[];
  /** Up to which number the person has read each lane of texts; feeds that are missing: nothing. */
  readonly read: ReadonlyMap<string, number>;
  /** Texts from before this time (ms since 1970) are not wanted: they were trimmed or deleted here. 0: all are. */
  readonly since: number;
  /** Of the last entry; 0: there is none. */
  readonly seq: number;
};

/** What one read of a link, or one decision of the person, has brought; it is stored whole or not at all. */
export type GroupBatch = {
  /** In order. `draft`: the id of the own text that this is, and that is a draft no longer. */
  readonly entries: readonly { readonly entry: GroupEntry; readonly draft: string | undefined }[];
  /** Bodies of stored entries that had come without one. */
  readonly bodies: readonly GroupEntry[];
  /** Withdrawn texts: their bodies and those of their edits are dropped. */
  readonly withdrawn: readonly TextPlace[];
  /** Each takes the place of a stored one of the same feed and lane. */
  readonly forks: readonly Fork[];
  readonly receipts: readonly Receipt[];
  /** Lanes that begin anew with an entry of this batch, behind a hole: what lies before it is no longer of the lane. */
  readonly restarted: readonly TextPlace[];
};

/** What a step of trimming has done. */
export type Trimmed = {
  /** The lanes that have changed. */
  readonly lanes: readonly TextLane[];
  readonly isMore: boolean;
};

/** Every method may throw SQLiteError. */
export interface GroupLog {
  load(): GroupContents;
  /**
   * Stores all in one transaction. A text of which the withdrawal came first, and an edit of it, is stored without body.
   * @returns the `seq` of each entry, in order */
  write(batch: GroupBatch): number[];
  /** The entries that came after `seq`, in order of arrival, at most `limit`. */
  after(seq: number, limit: number): StoredEntry[];
  /** The texts of a lane from one number to another, both included, in the order of their numbers. */
  texts(feed: string, from: number, to: number): StoredEntry[];
  /**
   * Deletes texts from before `since` (ms since 1970) at the front of each lane, and remembers `since`. Of those in the 24
   * hours before the last one of their lane only the body goes, since budgets count them. It does a part only; to be called again while there is more.
   */
  trim(since: number): Trimmed;
}
