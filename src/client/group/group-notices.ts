/** What this person is told of the people of one group: as it happens, and what they have missed (GROUPS 13). */
import type { Clock } from "../../net/clock.ts";
import type { GroupNotice, MessengerEvent } from "../conversation/events.ts";
import { Gaps } from "./gaps.ts";
import { noticesBetween } from "./notices.ts";
import type { GroupStore } from "./store/group-store.ts";
import { membership, type Membership } from "./sync/membership.ts";
import type { GroupSync } from "./sync/sync.ts";

export type NoticeNeeds = {
  readonly store: GroupStore;
  readonly clock: Clock;
  readonly emit: (event: MessengerEvent) => void;
  /** The label of this account. */
  readonly own: string;
  readonly isBlocked: (label: string) => boolean;
};

export class GroupNotices {
  readonly #needs: NoticeNeeds;
  readonly #group: string;
  readonly #gaps = new Gaps();

  constructor(needs: NoticeNeeds, group: string) {
    this.#needs = needs;
    this.#group = group;
  }

  /** Control entries up to this `seq` have changed who belongs. */
  tell({ control }: GroupSync, before: Membership, after: Membership, seq: number): void {
    this.#emit(this.#between(before, after, control, seq));
  }

  /** Tells what is missing for long. To be called about once a second. */
  tellGaps(held: GroupSync): void {
    if (held.own?.state !== "member") return;
    this.#emit(this.#ofGaps(held, this.#gaps.look(held.gaps, this.#needs.clock.monotonic())));
  }

  #emit(notices: readonly GroupNotice[]): void {
    for (const notice of notices) this.#needs.emit({ name: "groupNotice", notice });
  }

  /** What has happened since the control entry of this `seq`, and what else the person was not told of. @throws SQLiteError */
  since(held: GroupSync, seq: number): GroupNotice[] {
    const { control, forks } = held;
    const unshown = this.#needs.store.unshownForks(this.#group);
    const before = membership(
      control.filter((entry) => entry.seq <= seq),
      forks.filter(({ feed }) => !unshown.has(feed)),
    );
    const happened =
      before === undefined ? [] : this.#between(before, held.membership, control, lastSeq(held));
    return [...happened, ...this.#ofGaps(held, this.#gaps.unshown)];
  }

  /** The person was told of all forks and gaps. @throws SQLiteError */
  shown(): void {
    this.#gaps.shown();
    this.#needs.store.forksShown(this.#group);
  }

  #between(before: Membership, after: Membership, control: GroupSync["control"], seq: number): GroupNotice[] {
    const of = { group: this.#group, title: after.title, seq };
    return noticesBetween(before, after, control, this.#needs.own).map((content) => ({ ...of, ...content }));
  }

  #ofGaps(held: GroupSync, feeds: readonly string[]): GroupNotice[] {
    const { own, isBlocked } = this.#needs;
    const { gaps, membership: current } = held;
    return feeds.flatMap((feed) => {
      const term = current.terms.get(feed);
      if (term === undefined || term.label === own || isBlocked(term.label)) return [];
      const of = { group: this.#group, title: current.title, seq: lastSeq(held) };
      return [{ ...of, kind: "missing", by: null, names: [term.name], number: gaps.get(feed) ?? 1 }];
    });
  }
}

/** The `seq` of the control entry that came last. */
export function lastSeq({ control }: GroupSync): number {
  return Math.max(...control.map(({ seq }) => seq));
}
