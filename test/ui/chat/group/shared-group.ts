import type { GroupNotice, SharedGroup } from "../../../../src/client/conversation/events.ts";

export const FAMILIA = "F".repeat(43);

export function sharedGroup(change: Partial<SharedGroup> = {}): SharedGroup {
  return {
    group: FAMILIA,
    title: "Familia",
    name: "#Familia",
    state: "joined",
    people: 5,
    role: "member",
    adds: "admins",
    writes: "all",
    may_write: true,
    invited_by: null,
    history: null,
    unread: 0,
    waiting: 0,
    held_until: null,
    unshared: 0,
    to_invite: [],
    doubtful: [],
    keep_days: null,
    muted_until: null,
    ...change,
  };
}

export function groupNotice(kind: GroupNotice["kind"], change: Partial<GroupNotice> = {}): GroupNotice {
  return { group: FAMILIA, title: "Familia", seq: 1, kind, by: null, names: [], number: null, ...change };
}
