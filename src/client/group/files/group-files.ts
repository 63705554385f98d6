/**
 * Files that are given to all of a group: a signed text names one by name, size and SHA-256, and whoever has it gives it to
 * members. A transfer of a group's contact stands for it; its id is that of the text's message. Nothing goes to, or comes
 * from, anybody else but members, by their keys.
 */
import { randomUUIDv7 } from "bun";

import { label as labelOf } from "../../../identity/names.ts";
import type { FileOfGroup } from "../../conversation/events.ts";
import type { Outbox } from "../../conversation/outbox.ts";
import type { ActiveNeeds } from "../../file/transfer/active-transfers.ts";
import { Streams } from "../../file/transfer/streams.ts";
import { TransferError } from "../../file/transfer/transfer-error.ts";
import type { ProvenStream } from "../../peer/proven-connection.ts";
import type { Profile } from "../../profile/profile.ts";
import type { Transfer } from "../../profile/transfers.ts";
import type { Groups } from "../groups.ts";
import type { Term } from "../sync/membership.ts";
import { Fetching, type FetchingNeeds } from "./fetching.ts";
import { Giving } from "./giving.ts";
import { summedFile } from "./summed-file.ts";

type GroupFilesNeeds = Omit<FetchingNeeds, "membersFor" | "mayBeThere" | "entryOf" | "profile"> & {
  readonly profile: Profile;
  readonly groups: Pick<Groups, "memberKeys" | "mayBeThere" | "wake" | "titleOf" | "actions">;
  readonly outbox: Pick<Outbox, "send" | "commit">;
  readonly connect: ActiveNeeds["connect"];
};

export class GroupFiles {
  readonly fetching: Fetching;
  readonly giving: Giving;
  readonly #needs: GroupFilesNeeds;

  constructor(needs: GroupFilesNeeds) {
    this.#needs = needs;
    const { profile, clock, connect } = needs;
    const streams = new Streams({
      ownName: () => profile.username,
      ownLabel: labelOf(profile.username),
      relay: () => profile.relay,
      clock,
      connect,
    });
    const membersFor = (transfer: Transfer) => this.#membersFor(transfer);
    const mayBeThere = (username: string) => needs.groups.mayBeThere(username);
    const entryOf = (transfer: Transfer) => this.#entryOf(transfer);
    this.fetching = new Fetching({ ...needs, membersFor, mayBeThere, entryOf }, streams);
    this.giving = new Giving({ ...needs, membersFor }, streams);
  }

  /** Goes on with what earlier processes have left. @throws SQLiteError */
  begin(): void {
    for (const transfer of this.#needs.profile.transfers.underWay())
      if (this.#groupOf(transfer) !== undefined) this.fetching.start(transfer);
  }

  /**
   * Gives a file to all of a group, with a text that is its name.
   * @param path absolute
   * @param wanted the id of both; undefined: a new one. If a transfer has it already, nothing is done
   * @throws TransferError, GroupError, SQLiteError
   */
  async send(group: string, path: string, name: string, wanted: string | undefined): Promise<Transfer> {
    const { profile, outbox, clock, groups } = this.#needs;
    const { transfers } = profile;
    const live = groups.actions.joined(group);
    live.checkWrites();
    const id = wanted ?? randomUUIDv7();
    const before = transfers.find(id);
    if (before !== undefined) return before;
    const { sha256, size, stamp } = await summedFile(path);
    transfers.inOneCommit(() => {
      const of = { entries: undefined, modified: undefined, wantsSha256: false, at: clock.now() };
      transfers.offer(live.contact, { ...of, id, name, path, size, stamp }, sha256);
      outbox.send(live.name, name, undefined, id);
      outbox.commit();
    });
    const offered = transfers.find(id);
    if (offered === undefined) throw new TransferError("not_possible");
    return offered;
  }

  /** What is said of a file of a group. @throws SQLiteError */
  about(transfer: Transfer): FileOfGroup {
    const { profile, groups } = this.#needs;
    const group = this.#groupOf(transfer) ?? "";
    return {
      group,
      title: groups.titleOf(group),
      from: profile.transfers.authorOf(transfer) ?? null,
      giver: this.fetching.giverOf(transfer),
    };
  }

  /** Whether it is a contact who gives it, by a key of theirs that is known. @throws SQLiteError */
  isOfContact(transfer: Transfer): boolean {
    const { groups, profile } = this.#needs;
    const { feed } = this.#entryOf(transfer);
    const all = [...groups.memberKeys(this.#groupOf(transfer) ?? "")];
    const [key, author] = all.find(([, term]) => term.feed === feed) ?? [];
    if (key === undefined || author === undefined) return false;
    return profile.consents.isContact(author.label) && profile.contacts.isPinned(author.label, key);
  }

  /** The entry that names a file. */
  #entryOf({ contact, id }: Transfer): { readonly feed: string; readonly number: number } {
    const [feed = "", number] = id.split("/");
    const entry = this.#needs.profile.history.find({ id: contact }, id)?.entry;
    return entry ?? { feed, number: Number(number) };
  }

  /** To be called about once a second. */
  tick(): void {
    // Somebody who has it may come.
    for (const transfer of this.fetching.wanted) this.#needs.groups.wake(this.#groupOf(transfer) ?? "");
    this.fetching.tick();
    this.giving.tick();
  }

  /** The members of the group of a file who are not blocked here, by key. */
  #membersFor(transfer: Transfer): ReadonlyMap<string, Term> {
    const { groups, profile } = this.#needs;
    const group = this.#groupOf(transfer);
    const members = group === undefined ? [] : [...groups.memberKeys(group)];
    return new Map(members.filter(([, { label }]) => !profile.consents.isBlocked(label)));
  }

  #groupOf({ contact }: Transfer): string | undefined {
    const name = this.#needs.profile.contacts.byId(contact)?.label ?? "";
    return name.startsWith("#") ? name.slice(1) : undefined;
  }

  /** As of `ActiveTransfers`. */
  endStreams(isMeant: (stream: ProvenStream) => boolean, code: string): void {
    this.fetching.endStreams(isMeant, code);
    this.giving.endStreams(isMeant, code);
  }

  /** Everything is left as it is. Resolves when nothing is done on the disk. */
  async close(): Promise<void> {
    this.giving.close();
    await this.fetching.close();
  }
}
