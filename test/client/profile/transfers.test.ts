/** What becomes of a stored transfer by what its other side says, and by whom. */
import { expect, test } from "bun:test";

import {
  MAX_OFFERED_TO_ALL,
  MAX_UNFINISHED,
  TransferStore,
  type TransferState,
} from "../../../src/client/profile/transfers.ts";
import type { FileMessage } from "../../../src/protocol/peer-messages.ts";
import { withStores } from "../test-profile.ts";

const DIGEST = "0".repeat(64);
const OFFER = {
  id: "t",
  name: "a file",
  size: 5,
  entries: undefined,
  modified: undefined,
  stamp: "as it was",
  wantsSha256: false,
  at: 1,
  path: "/a file",
};
const offered: FileMessage = {
  action: "file_offer",
  id: "t",
  name: "a file",
  size: 5,
  modified: undefined,
  entries: undefined,
};
const accept: FileMessage = { action: "file_accept", id: "1", transfer: "t" };
const decline: FileMessage = { action: "file_decline", id: "2", transfer: "t", reason: "declined" };
const end: FileMessage = { action: "file_end", id: "3", transfer: "t", size: 5, digest: DIGEST };
const done: FileMessage = { action: "file_done", id: "4", transfer: "t" };
const stop: FileMessage = { action: "file_cancel", id: "5", transfer: "t", reason: "stopped" };
const change: FileMessage = { action: "file_cancel", id: "6", transfer: "t", reason: "changed" };

const SENT = { size: 5, digest: DIGEST, sha256: undefined };
const PLACE = { folder: "/downloads", key: "k", wantsSha256: false };

/** What is said of a transfer of ours, or of theirs, and what it is then; null: as it was. */
const SAID: readonly [
  whose: "ours" | "theirs",
  before: readonly FileMessage[],
  said: FileMessage,
  TransferState | null,
][] = [
  ["ours", [], accept, "accepted"],
  ["ours", [], decline, "declined"],
  ["ours", [accept], decline, "declined"],
  ["ours", [], stop, "cancelled"],
  ["ours", [accept], change, "failed"],
  ["ours", [decline], accept, null],
  ["ours", [stop], accept, null],
  ["ours", [accept], done, null],
  ["ours", [], done, null],
  ["ours", [accept], end, null],
  ["theirs", [], end, null],
  ["theirs", [], accept, null],
  ["theirs", [], done, null],
  ["theirs", [], decline, null],
  ["theirs", [], stop, "cancelled"],
  ["theirs", [], change, "failed"],
  ["theirs", [stop], change, null],
];

test.each(SAID)("%s after %j: %j becomes %s", (whose, before, said, after) =>
  withStores(({ database, contacts }) => {
    const transfers = new TransferStore(database);
    const [ana, eva] = [contacts.ensure("ana"), contacts.ensure("eva")];
    if (whose === "ours") transfers.offer(ana, OFFER);
    else transfers.take(ana, offered, "key", 1);
    for (const message of before) transfers.take(ana, message, "key", 1);
    const was = transfers.find("t");
    // Nobody else can say anything of it.
    expect(transfers.take(eva, said, "key", 2)).toBeUndefined();
    expect(transfers.find("t")).toEqual(was);
    const now = transfers.take(ana, said, "key", 2);
    expect(now).toEqual(after === null ? undefined : transfers.find("t"));
    expect(transfers.find("t")?.state).toBe(after ?? was?.state);
  }),
);

test("a transfer of ours is done when its receiver says so after its end, which is said once", () =>
  withStores(({ database, contacts }) => {
    const transfers = new TransferStore(database);
    const ana = contacts.ensure("ana");
    transfers.offer(ana, OFFER);
    expect(transfers.sent("t", SENT)).toBeUndefined();
    transfers.take(ana, accept, "their key", 1);
    expect(transfers.underWay().map(({ key }) => key)).toEqual(["their key"]);
    expect(transfers.sent("t", SENT)?.end).toEqual({ size: 5, digest: DIGEST });
    expect(transfers.sent("t", SENT)).toBeUndefined();
    expect(transfers.take(ana, done, "their key", 1)).toMatchObject({ state: "done", done: 5 });
    expect(transfers.take(ana, stop, "their key", 1)).toBeUndefined();
    expect(transfers.end("t", "cancelled", "stopped")).toBeUndefined();
  }));

test("one of theirs is received after we have accepted it, and its end counts once", () =>
  withStores(({ database, contacts }) => {
    const transfers = new TransferStore(database);
    const ana = contacts.ensure("ana");
    transfers.take(ana, offered, "their key", 1);
    expect(transfers.take(ana, offered, "other key", 1)).toBeUndefined();
    expect(transfers.received("t", { path: "/x", sha256: undefined })).toBeUndefined();
    expect(transfers.accept("t", PLACE)).toMatchObject({ state: "accepted", key: "their key" });
    expect(transfers.accept("t", PLACE)).toBeUndefined();
    expect(transfers.take(ana, end, "their key", 1)).toMatchObject({ end: { size: 5, digest: DIGEST } });
    expect(transfers.take(ana, { ...end, size: 6 }, "their key", 1)).toBeUndefined();
    expect(transfers.received("t", { path: "/x", sha256: undefined })).toMatchObject({
      state: "done",
      done: 5,
    });
  }));

test("so many transfers of one contact may be unfinished, accepted ones too, and each end makes room", () =>
  withStores(({ database, contacts }) => {
    const transfers = new TransferStore(database);
    const [ana, eva] = [contacts.ensure("ana"), contacts.ensure("eva")];
    const offer = (id: string) => ({ ...offered, id });
    for (let index = 0; index < MAX_UNFINISHED; index++) transfers.take(ana, offer(`${index}`), "key", 1);
    transfers.accept("0", PLACE);
    expect(transfers.take(ana, offer("one more"), "key", 1)).toBe("refused");
    expect(transfers.take(eva, offer("another's"), "key", 1)).toMatchObject({ state: "offered" });
    transfers.end("0", "cancelled", undefined);
    expect(transfers.take(ana, offer("now"), "key", 1)).toMatchObject({ state: "offered" });
  }));

test("so many offers of a group wait, the newest; those of people end apart, and those of a text with it", () =>
  withStores(({ database, contacts }) => {
    const store = new TransferStore(database);
    const group = contacts.ensure(`#${"g".repeat(43)}`);
    const offer = (id: string) =>
      store.offeredToAll(group.id, { id, name: "a file", size: 5, at: 1, sha256: DIGEST });
    store.inOneCommit(() => {
      for (let number = 0; number < MAX_OFFERED_TO_ALL + 2; number++) offer(`f/${number}`);
    });
    expect(store.allOffers()).toHaveLength(MAX_OFFERED_TO_ALL);
    expect(store.find("f/1")).toMatchObject({ state: "cancelled", reason: "too_many_offers" });
    const person = contacts.ensure("ana");
    expect(store.endAll(person)).toEqual([]);
    store.withdrawn(person, "f/2");
    expect(store.find("f/2")?.state).toBe("offered");
    store.withdrawn(group, "f/2");
    expect(store.find("f/2")).toMatchObject({ state: "cancelled", reason: "withdrawn" });
    expect(store.endAll(group, "not_a_member")).toHaveLength(MAX_OFFERED_TO_ALL - 1);
  }));
