/** The groups of one profile: what this side has decided about each, and where their entries are. */
import { groupNames, type NamedGroup } from "../../group-names.ts";
import { CONSENT } from "../../disk/schema.ts";
import { label as labelOf } from "../../../identity/names.ts";
import type { Contact } from "../../profile/contacts.ts";
import type { Profile } from "../../profile/profile.ts";
import {
  MESSAGE_COLUMNS,
  messageOf,
  type MessageRow,
  type StoredMessage,
} from "../../profile/stored-message.ts";
import type { GroupEntry, RawEntry } from "../../../identity/group-entry.ts";
import type { GroupBatch, GroupLog } from "../sync/log.ts";
import { people } from "../sync/members.ts";
import { membership } from "../sync/membership.ts";
import { GroupError } from "./group-error.ts";
import { StoredLog } from "./stored-log.ts";

/** What is kept of an invitation. */
export type StoredInvitation = {
  /** Who added us, as a person is told. */
  readonly by: string;
  /** Who said so, by label and by registered name. */
  readonly byLabel: string;
  readonly from: string;
  readonly history: "all" | "none";
  readonly people: number;
  readonly adds: "admins" | "all";
  readonly writes: "admins" | "all";
  /** The founding entry, as it travels. */
  readonly create: RawEntry;
};

/** A group on this disk. */
export type StoredGroup = NamedGroup & {
  /** Its conversation. */
  readonly contact: Contact;
  /** By which it alone is meant where one types it. */
  readonly name: string;
  /** The feed that this account writes, or would write if it accepted. */
  readonly ownFeed: string;
  /** The last one; undefined: none. */
  readonly invitation: StoredInvitation | undefined;
  /** For how many days texts are kept; undefined: for ever. */
  readonly keepDays: number | undefined;
  /** The person was told of the control entries up to this `seq`. */
  readonly noticed: number;
};

/** What this side decides, or learns, about a group. */
type GroupDecisions = Pick<
  StoredGroup,
  "title" | "state" | "ownFeed" | "invitation" | "keepDays" | "noticed"
>;
const COLUMNS: { readonly [K in keyof GroupDecisions]: string } = {
  title: "title",
  state: "state",
  ownFeed: "own_feed",
  invitation: "invitation",
  keepDays: "keep_days",
  noticed: "noticed",
};

const NOTHING: GroupBatch = {
  ...{ entries: [], bodies: [], withdrawn: [], forks: [], receipts: [], restarted: [] },
};

/** Somebody who is to be invited once their key is known. */
export type Invitee = { readonly label: string; readonly name: string; readonly history: "all" | "none" };

/** Of how many people (`of`) the text is on the disk, and how many have read it; this account is not among them. */
export type TextCounts = { readonly received: number; readonly read: number; readonly of: number };

type GroupRow = Contact & {
  title: string;
  state: StoredGroup["state"];
  own_feed: string;
  invitation: string | null;
  keep_days: number | null;
  noticed: number;
};

/**
 * Every method throws SQLiteError when the disk fails. `group` is an id. What was read is kept: only the messenger that
 * has the profile changes it, by one object.
 */
export class GroupStore {
  readonly #profile: Profile;
  readonly #now: () => number;
  /** The labels of a group's other people, as of its last control entry and the number of its forks. */
  readonly #others = new Map<number, { readonly asOf: string; readonly labels: readonly string[] }>();
  /** As stored; undefined: to be read. */
  #all: readonly StoredGroup[] | undefined;
  readonly #invitees = new Map<string, readonly Invitee[]>();

  /** @param now ms since 1970 */
  constructor(profile: Profile, now = Date.now) {
    this.#profile = profile;
    this.#now = now;
  }

  /** In the order in which they came. */
  all(): readonly StoredGroup[] {
    this.#all ??= this.#readAll();
    return this.#all;
  }

  #readAll(): readonly StoredGroup[] {
    const rows = this.#profile.database
      .query<GroupRow, []>(
        "SELECT groups.*, id, label, username FROM groups JOIN contacts ON id = contact ORDER BY id",
      )
      .all();
    const groups = rows.map((row) => ({
      contact: { id: row.id, label: row.label, username: row.username },
      group: row.label.slice(1),
      title: row.title,
      state: row.state,
      ownFeed: row.own_feed,
      // This program has written it.
      invitation: row.invitation === null ? undefined : (JSON.parse(row.invitation) as StoredInvitation),
      keepDays: row.keep_days ?? undefined,
      noticed: row.noticed,
    }));
    const names = groupNames(groups);
    return groups.map((each) => ({ ...each, name: names.get(each.group) ?? `#${each.group}` }));
  }

  find(group: string): StoredGroup | undefined {
    return this.all().find((each) => each.group === group);
  }

  /** @throws GroupError: there is no such group */
  existing(group: string): StoredGroup {
    const stored = this.find(group);
    if (stored === undefined) throw new GroupError("no_such_group");
    return stored;
  }

  /**
   * Stores what is given, all or nothing, and entries with it. A new group needs a title, a state and an own feed.
   * @param entries of one that is founded or accepted: the founding entry, and the own `join`
   */
  save(group: string, decisions: Partial<GroupDecisions>, entries: readonly GroupEntry[] = []): void {
    const { consents, contacts, database } = this.#profile;
    this.#all = undefined;
    const values = { ...decisions, invitation: asJson(decisions.invitation) };
    consents.inOneCommit(() => {
      const { id } = contacts.ensure(`#${group}`);
      database.run(`UPDATE contacts SET consent = ${CONSENT.contact} WHERE id = ?`, [id]);
      database.run(
        "INSERT INTO groups (contact, title, state, own_feed) VALUES (?, '', 'invited', '') ON CONFLICT DO NOTHING",
        [id],
      );
      for (const key of Object.keys(decisions) as (keyof GroupDecisions)[]) {
        database.run(`UPDATE groups SET ${COLUMNS[key]} = ? WHERE contact = ?`, [values[key] ?? null, id]);
      }
      const batch = entries.map((entry) => ({ entry, draft: undefined }));
      if (batch.length > 0) this.log(group).write({ ...NOTHING, entries: batch });
    });
  }

  /** @throws Error if there is no such group */
  log(group: string): GroupLog {
    return new StoredLog(this.#profile, group, this.#id(group), this.#now);
  }

  /** The text that an entry is. */
  message(group: string, feed: string, number: number): StoredMessage | undefined {
    const row = this.#profile.database
      .query<MessageRow, [number, string, number]>(
        `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE kind = 0 AND number = ?3
           AND feed = (SELECT id FROM group_feeds WHERE contact = ?1 AND feed = ?2)`,
      )
      .get(this.#id(group), feed, number);
    return row === null ? undefined : messageOf(row);
  }

  /** The feeds of forks that the person was not told of. */
  unshownForks(group: string): ReadonlySet<string> {
    const rows = this.#profile.database
      .query<{ feed: string }, [number]>(
        `SELECT group_feeds.feed FROM group_forks JOIN group_feeds ON id = group_forks.feed
         WHERE contact = ? AND shown = 0`,
      )
      .all(this.#id(group));
    return new Set(rows.map(({ feed }) => feed));
  }

  forksShown(group: string): void {
    this.#profile.database.run(
      "UPDATE group_forks SET shown = 1 WHERE shown = 0 AND feed IN (SELECT id FROM group_feeds WHERE contact = ?)",
      [this.#id(group)],
    );
  }

  /** Who is to be invited, in no order. */
  invitees(group: string): readonly Invitee[] {
    const known = this.#invitees.get(group);
    if (known !== undefined) return known;
    const invitees = this.#profile.database
      .query<Invitee, [number]>("SELECT label, name, history FROM group_invitees WHERE contact = ?")
      .all(this.#id(group));
    this.#invitees.set(group, invitees);
    return invitees;
  }

  invite(group: string, name: string, history: Invitee["history"]): void {
    this.#invitees.delete(group);
    this.#profile.database.run("INSERT OR REPLACE INTO group_invitees VALUES (?, ?, ?, ?)", [
      ...[this.#id(group), labelOf(name), name, history],
    ]);
  }

  uninvite(group: string, label: string): void {
    this.#invitees.delete(group);
    this.#profile.database.run("DELETE FROM group_invitees WHERE contact = ? AND label = ?", [
      this.#id(group),
      label,
    ]);
  }

  /** Who has a text of ours; undefined: it is not ours, or not signed. */
  counts({ contact, outgoing, entry }: StoredMessage): TextCounts | undefined {
    if (!outgoing || entry === undefined) return undefined;
    const others = this.#othersIn(contact);
    const { received, read } = this.#profile.database
      .query<Omit<TextCounts, "of">, [number, string, number, string]>(
        `SELECT count(DISTINCT label) FILTER (WHERE received >= ?3) AS received,
           count(DISTINCT label) FILTER (WHERE group_peers.read >= ?3) AS read
         FROM group_peers JOIN group_feeds ON id = term
         WHERE own = (SELECT id FROM group_feeds WHERE contact = ?1 AND feed = ?2)
           AND label IN (SELECT value FROM json_each(?4))`,
      )
      .get(contact, entry.feed, entry.number, JSON.stringify(others)) ?? { received: 0, read: 0 };
    return { received, read, of: others.length };
  }

  /** The labels of who has joined, without this account's. */
  #othersIn(contact: number): readonly string[] {
    const { asOf } = this.#profile.database
      .query<{ asOf: string }, [number]>(
        `SELECT (SELECT max(seq) FROM group_entries WHERE contact = ?1 AND lane = 'c') || ' ' ||
           (SELECT total(number) || ' ' || count(*) FROM group_forks
            WHERE feed IN (SELECT id FROM group_feeds WHERE contact = ?1)) AS asOf`,
      )
      .get(contact) ?? { asOf: "" };
    const known = this.#others.get(contact);
    if (known?.asOf === asOf) return known.labels;
    const group = this.#profile.contacts.byId(contact)?.username.slice(1) ?? "";
    const { control, forks } = new StoredLog(this.#profile, group, contact, this.#now).basis();
    const belonging = membership(control, forks);
    const own = labelOf(this.#profile.username);
    const labels = (belonging === undefined ? [] : people(belonging))
      .filter(({ state, label }) => state === "member" && label !== own)
      .map(({ label }) => label);
    this.#others.set(contact, { asOf, labels });
    return labels;
  }

  #id(group: string): number {
    const contact = this.#profile.contacts.find(`#${group}`);
    if (contact === undefined) throw new Error(`there is no group ${group}`);
    return contact.id;
  }
}

function asJson(value: object | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
