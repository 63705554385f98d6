import { expect, test } from "bun:test";

import { judgeInvitation } from "../../../src/client/group/invitations.ts";
import type { StoredGroup, StoredInvitation } from "../../../src/client/group/store/group-store.ts";

function stored(group: string, state: StoredGroup["state"], byLabel: string, ownFeed = "feed"): StoredGroup {
  const invitation = { byLabel } as StoredInvitation;
  const contact = { id: 1, label: `#${group}`, username: `#${group}` };
  const nothing = { keepDays: undefined, noticed: 0 };
  return { group, contact, title: group, state, name: `#${group}`, ownFeed, invitation, ...nothing };
}

const NEW = { group: "new", feed: "feed" };
const of = (count: number, byLabel: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => stored(`g${index}`, "invited", byLabel(index)));

test("sixteen invitations wait, and four of one person", () => {
  expect(judgeInvitation(of(15, String), NEW, "eva")).toBe("keep");
  expect(judgeInvitation(of(16, String), NEW, "eva")).toBe("ignore");
  expect(
    judgeInvitation(
      of(3, () => "eva"),
      NEW,
      "eva",
    ),
  ).toBe("keep");
  expect(
    judgeInvitation(
      of(4, () => "eva"),
      NEW,
      "eva",
    ),
  ).toBe("ignore");
  expect(
    judgeInvitation(
      of(4, () => "eva"),
      NEW,
      "ana",
    ),
  ).toBe("keep");
});

test("an invitation that was answered is not asked about again; a new one to the same group is", () => {
  const answered = (state: StoredGroup["state"], feed: string) =>
    judgeInvitation([stored("g", state, "eva", "old")], { group: "g", feed }, "eva");
  expect(answered("joined", "new")).toBe("ignore");
  expect(answered("declined", "old")).toBe("decline");
  expect(answered("removed", "old")).toBe("ignore");
  for (const state of ["declined", "removed", "left", "invited"] as const)
    expect(answered(state, "new")).toBe("keep");
});

test("only who has said an invitation says what is new of it", () => {
  const again = (by: string) =>
    judgeInvitation([stored("g", "invited", "eva")], { group: "g", feed: "feed" }, by);
  expect(again("eva")).toBe("renew");
  expect(again("ana")).toBe("ignore");
});
