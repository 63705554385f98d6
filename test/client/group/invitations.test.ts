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

const nobody = () => false;
const everybody = () => true;

test("sixteen invitations wait, and four of one person", () => {
  const eva = () => "eva";
  expect(judgeInvitation(of(15, String), NEW, "eva", everybody)).toBe("keep");
  expect(judgeInvitation(of(16, String), NEW, "eva", everybody)).toBe("ignore");
  expect(judgeInvitation(of(3, eva), NEW, "eva", nobody)).toBe("keep");
  expect(judgeInvitation(of(4, eva), NEW, "eva", nobody)).toBe("ignore");
  expect(judgeInvitation(of(4, eva), NEW, "ana", nobody)).toBe("keep");
});

test("strangers fill half of the places", () => {
  const isContact = (label: string) => label === "ana";
  expect(judgeInvitation(of(7, String), NEW, "eva", isContact)).toBe("keep");
  expect(judgeInvitation(of(8, String), NEW, "eva", isContact)).toBe("ignore");
  expect(judgeInvitation(of(8, String), NEW, "ana", isContact)).toBe("keep");
});

test("of two invitations to one group the first one stays, but that a contact's takes a stranger's place", () => {
  const isContact = (label: string) => label !== "eva";
  const second = (first: string, by: string) =>
    judgeInvitation([stored("g", "invited", first, "old")], { group: "g", feed: "new" }, by, isContact);
  expect(second("ana", "eva")).toBe("ignore");
  expect(second("ana", "luis")).toBe("ignore");
  expect(second("eva", "luis")).toBe("keep");
  expect(second("eva", "eva")).toBe("keep");
});

test("an invitation that was answered is not asked about again; a new one to the same group is", () => {
  const answered = (state: StoredGroup["state"], feed: string) =>
    judgeInvitation([stored("g", state, "eva", "old")], { group: "g", feed }, "eva", nobody);
  expect(answered("joined", "new")).toBe("ignore");
  expect(answered("declined", "old")).toBe("decline");
  expect(answered("removed", "old")).toBe("ignore");
  for (const state of ["declined", "removed", "left", "invited"] as const)
    expect(answered(state, "new")).toBe("keep");
});

test("only who has said an invitation says what is new of it", () => {
  const again = (by: string) =>
    judgeInvitation([stored("g", "invited", "eva")], { group: "g", feed: "feed" }, by, nobody);
  expect(again("eva")).toBe("renew");
  expect(again("ana")).toBe("ignore");
});
