/** The texts of this account in a group: those that are not signed yet, and how far the others have the rest. */
import type { GroupFile } from "../../../identity/group-body.ts";
import type { GroupCounts } from "../../conversation/events.ts";
import { KIND } from "../../disk/schema.ts";
import type { Contact } from "../../profile/contacts.ts";
import type { Profile } from "../../profile/profile.ts";
import {
  MESSAGE_COLUMNS,
  messageOf,
  type MessageRow,
  type OutboxMessage,
  type StoredMessage,
} from "../../profile/stored-message.ts";
import type { Receipt } from "../sync/log.ts";
import { people } from "../sync/members.ts";
import type { Membership } from "../sync/membership.ts";

/** Of how many texts it is told at once that somebody has them: of the newest. */
const TOLD_AT_ONCE = 256;

/** Up to which number of a feed somebody has the texts, and has read them. */
type Progress = { readonly received: number; readonly read: number };

/** Of the others, by term. */
type Progresses = ReadonlyMap<string, Progress>;

/** Every method throws SQLiteError when the disk fails. */
export class OwnTexts {
  readonly #profile: Profile;
  readonly #contact: Contact;
  /** The label of this account. */
  readonly #own: string;
  #mayHaveDrafts = true;
  #followed: { readonly feed: string; readonly progress: Progresses } = { feed: "", progress: new Map() };

  constructor(profile: Profile, contact: Contact, own: string) {
    this.#profile = profile;
    this.#contact = contact;
    this.#own = own;
  }

  /** There may be texts again that are not signed. */
  written(): void {
    this.#mayHaveDrafts = true;
  }

  /** What is not signed, oldest first. */
  drafts(limit: number): readonly OutboxMessage[] {
    if (!this.#mayHaveDrafts) return [];
    const drafts = this.#profile.messages.unclaimed(this.#contact, limit);
    this.#mayHaveDrafts = drafts.length > 0;
    return drafts;
  }

  /** As it is signed; undefined: what it is about has to be signed first. */
  entryOf(draft: OutboxMessage): { readonly kind: string; readonly body: object } | undefined {
    const placeOf = (id: string) => this.#profile.history.find(this.#contact, id)?.entry;
    switch (draft.kind) {
      case "text": {
        const replied = draft.replyTo === undefined ? undefined : placeOf(draft.replyTo);
        const reply_to = replied === undefined ? undefined : [replied.feed, replied.number];
        const file = this.#fileOf(draft.id);
        return {
          kind: "text",
          body: { text: draft.text, ...(reply_to && { reply_to }), ...(file && { file }) },
        };
      }
      case "edit": {
        const target = placeOf(draft.target)?.number;
        return target === undefined ? undefined : { kind: "edit", body: { target, text: draft.text } };
      }
      case "withdraw": {
        const target = placeOf(draft.target)?.number;
        return target === undefined ? undefined : { kind: "withdraw", body: { target } };
      }
      default:
        return undefined;
    }
  }

  /** The file that is given with a text. */
  #fileOf(id: string): GroupFile | undefined {
    const { name, size, sha256 } = this.#profile.transfers.find(id) ?? {};
    if (name === undefined || size === undefined || sha256 === undefined) return undefined;
    return { name, size, sha256: Buffer.from(sha256, "hex").toString("base64url") };
  }

  /** This is the feed that we write. */
  follow(feed: string): void {
    const rows = this.#profile.database
      .query<Progress & { term: string }, [number, string]>(
        `SELECT term.feed AS term, received, group_peers.read AS read
         FROM group_peers JOIN group_feeds AS own ON own.id = group_peers.own
         JOIN group_feeds AS term ON term.id = group_peers.term WHERE own.contact = ? AND own.feed = ?`,
      )
      .all(this.#contact.id, feed);
    const progress = new Map(rows.map(({ term, received, read }) => [term, { received, read }]));
    this.#followed = { feed, progress };
  }

  /** Up to which number of the feed that we write somebody has the texts. */
  get received(): number {
    return Math.max(0, ...[...this.#followed.progress.values()].map((each) => each.received));
  }

  /** These receipts for the feed that we write are stored. @returns the texts of which more people have, or have read, them now */
  takeReceipts(
    feed: string,
    receipts: readonly Receipt[],
    membership: Membership,
  ): { readonly id: string; readonly counts: GroupCounts; readonly isFirst: boolean }[] {
    const before: Progresses = this.#followed.feed === feed ? this.#followed.progress : new Map();
    let [from, to] = [Infinity, 0];
    for (const { own, term, received, read } of receipts) {
      if (own !== feed) continue;
      const known = before.get(term) ?? { received: 0, read: 0 };
      if (received > known.received)
        [from, to] = [Math.min(from, known.received + 1), Math.max(to, received)];
      if (read > known.read) [from, to] = [Math.min(from, known.read + 1), Math.max(to, read)];
    }
    this.follow(feed);
    const { progress: after } = this.#followed;
    return this.#between(feed, Math.max(from, to - TOLD_AT_ONCE), to).flatMap(({ id, entry }) => {
      if (entry === undefined) return [];
      const counts = countsOf(membership, after, entry.number, this.#own);
      const earlier = countsOf(membership, before, entry.number, this.#own);
      const isNew = counts.received !== earlier.received || counts.read !== earlier.read;
      return counts.received > 0 && isNew ? [{ id, counts, isFirst: earlier.received === 0 }] : [];
    });
  }

  /** Up to which number the texts of each feed were read here. */
  readHere(): readonly { readonly feed: string; readonly read: number }[] {
    return this.#profile.database
      .query<{ feed: string; read: number }, [number]>(
        "SELECT feed, read FROM group_feeds WHERE contact = ? AND read > 0 AND is_own = 0",
      )
      .all(this.#contact.id);
  }

  /** Those of these numbers, both included, that are not withdrawn, and the edits and withdrawals among them. */
  #between(feed: string, from: number, to: number): StoredMessage[] {
    return this.#profile.database
      .query<MessageRow, [number, string, number, number]>(
        `SELECT ${MESSAGE_COLUMNS} FROM messages
         WHERE feed = (SELECT id FROM group_feeds WHERE contact = ? AND feed = ?) AND number BETWEEN ? AND ?
           AND kind IN (${KIND.text}, ${KIND.edit}, ${KIND.withdraw}) AND withdrawn_at IS NULL ORDER BY number`,
      )
      .all(this.#contact.id, feed, from, to)
      .map(messageOf);
  }
}

/** How many people have a text of this number, and have read it. @param own the label of its author */
function countsOf(membership: Membership, progress: Progresses, number: number, own: string): GroupCounts {
  const others = people(membership).filter(({ label, state }) => label !== own && state === "member");
  const count = (has: (progress: Progress) => number) =>
    others.filter(({ terms }) =>
      terms.some(({ feed }) => {
        const known = progress.get(feed);
        return known !== undefined && has(known) >= number;
      }),
    ).length;
  return { received: count(({ received }) => received), read: count(({ read }) => read), of: others.length };
}
