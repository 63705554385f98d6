import { expect, test } from "bun:test";

import {
  deliveryJson,
  eventJson,
  eventOf,
  messageJson,
  ownChangeJson,
  partiesOf,
  peerChangeJson,
  storedMessageJson,
} from "../../src/client/event-json.ts";
import { RefusedError } from "../../src/client/errors.ts";
import type { MessengerEvent } from "../../src/client/conversation/events.ts";
import type { StoredMessage } from "../../src/client/profile/stored-message.ts";

const AT = new Date(2026, 2, 4, 5, 6).getTime();
const incoming: StoredMessage = {
  seq: 1,
  contact: 1,
  outgoing: false,
  id: "id-1",
  text: "hola",
  replyTo: undefined,
  sentAt: AT - 60_000,
  leftAt: undefined,
  receivedAt: AT,
  readAt: undefined,
  editedAt: undefined,
  withdrawnAt: undefined,
  changeWaits: false,
  author: undefined,
  entry: undefined,
  isMissing: false,
  state: "received",
};

test("a program gets the fields of CLI, and null for an unknown time", () => {
  expect(messageJson({ ...incoming, sentAt: undefined }, "ana")).toEqual({
    event: "message",
    from: "ana",
    text: "hola",
    id: "id-1",
    sent_at: null,
    received_at: new Date(AT).toISOString(),
  });
  const outgoing: StoredMessage = { ...incoming, outgoing: true, receivedAt: undefined, state: "queued" };
  expect(storedMessageJson({ ...outgoing, replyTo: "id-0" }, "beto", "ana")).toEqual({
    event: "message",
    from: "beto",
    to: "ana",
    text: "hola",
    id: "id-1",
    reply_to: "id-0",
    sent_at: new Date(AT - 60_000).toISOString(),
    left_at: null,
    received_at: null,
    read_at: null,
    edited_at: null,
    withdrawn_at: null,
    change_pending: false,
    state: "queued",
  });
  const read = {
    ...outgoing,
    leftAt: AT,
    receivedAt: AT + 1,
    readAt: AT + 2,
    editedAt: AT + 3,
    state: "read",
  } as const;
  expect(storedMessageJson(read, "beto", "ana")).toMatchObject({
    left_at: new Date(AT).toISOString(),
    received_at: new Date(AT + 1).toISOString(),
    read_at: new Date(AT + 2).toISOString(),
    edited_at: new Date(AT + 3).toISOString(),
    change_pending: false,
    state: "read",
  });
  // The other side has the older text as long as this is so.
  expect(storedMessageJson({ ...read, changeWaits: true }, "beto", "ana")).toMatchObject({
    change_pending: true,
  });
  // When a message of theirs left or was read there is theirs to know.
  expect(Object.keys(storedMessageJson(incoming, "ana", "beto"))).toEqual([
    ...["event", "from", "to", "text", "id", "sent_at", "received_at", "edited_at", "withdrawn_at", "state"],
  ]);
});

test("a change names the message that it changed, and one of ours the action that is sent", () => {
  const at = new Date(AT).toISOString();
  const edited = { ...incoming, editedAt: AT, text: "adiós" };
  expect(peerChangeJson(edited, "ana")).toEqual({
    event: "edited",
    from: "ana",
    id: "id-1",
    text: "adiós",
    at,
  });
  const withdrawn = { ...edited, withdrawnAt: AT, text: "" };
  expect(peerChangeJson(withdrawn, "ana")).toEqual({ event: "withdrawn", from: "ana", id: "id-1", at });
  const own = { ...withdrawn, outgoing: true };
  const action = "id-2";
  expect(ownChangeJson(own, "ana", action)).toEqual({
    event: "withdrawn",
    to: "ana",
    id: "id-1",
    at,
    action,
  });
  expect(ownChangeJson({ ...edited, outgoing: true }, "ana", undefined)).toMatchObject({ action: null });
  expect(deliveryJson("ana", "id-1", "read", AT)).toEqual({
    event: "delivery",
    to: "ana",
    id: "id-1",
    state: "read",
    at,
  });
});

const OWN: StoredMessage = { ...incoming, seq: 2, outgoing: true, receivedAt: undefined, state: "sent" };

/** At least one of each kind that other processes are told of; each optional field absent and present. */
const EVENTS: readonly MessengerEvent[] = [
  { name: "message", from: "ana", message: incoming },
  { name: "changed", username: "ana", message: { ...incoming, editedAt: AT }, action: undefined },
  { name: "changed", username: "ana", message: { ...OWN, withdrawnAt: AT }, action: "id-9" },
  { name: "cancelled", to: "ana", id: "id-1" },
  { name: "cancelled", to: "#id", id: "id-1", kept: true },
  { name: "delivery", to: "ana", id: "id-1", state: "received", at: AT },
  { name: "read", username: "ana" },
  { name: "presence", username: "ana", online: true },
  { name: "presence", username: "ana", online: false },
  { name: "watched", username: "ana", online: true },
  { name: "connected", way: "punched", seeksDirect: false, username: "ana", address: "192.0.2.1" },
  { name: "disconnected", username: "ana", bye: true, heardAt: AT },
  { name: "disconnected", username: "ana", bye: false, revoked: true, heardAt: undefined },
  { name: "silent", username: "ana", since: AT },
  { name: "silent", username: "ana", since: undefined },
  { name: "unreachable", username: "ana", reason: "offline", retryIn: undefined, heardAt: undefined },
  { name: "unreachable", username: "ana", reason: "server_limits", retryIn: 1_500, heardAt: AT },
  { name: "keyPending", username: "ana", fingerprint: "3f".repeat(32), isVerified: false },
  { name: "keyPending", username: "ana", fingerprint: "3f".repeat(32), isVerified: true },
  { name: "verification", username: "ana", state: "asked" },
  { name: "verification", username: "ana", state: "code", code: "042917" },
  { name: "verification", username: "ana", state: "verified", retryAt: undefined },
  { name: "verification", username: "ana", state: "wrong", retryAt: AT },
  { name: "typing", username: "ana", active: true },
  { name: "peerError", username: "ana", code: "busy" },
  { name: "refusal", address: "192.0.2.1", code: "unproven" },
  { name: "storageFailed", error: Object.assign(new Error("full"), { code: "SQLITE_FULL" }) },
  { name: "server", state: { name: "offline" }, linksUntil: undefined },
  { name: "server", state: { name: "connecting" }, linksUntil: AT },
  { name: "server", state: { name: "online" }, linksUntil: AT },
  {
    name: "server",
    state: { name: "waiting", until: AT, why: new RefusedError("rate_limited", "slow", 3) },
    linksUntil: AT,
  },
  {
    name: "server",
    state: { name: "stopped", why: new RefusedError("session_replaced", "") },
    linksUntil: undefined,
  },
  { name: "clockOffset", offset: -61_000 },
  { name: "newKey" },
];

test("each event comes out of its JSON line as it went in, for another process", () => {
  for (const event of EVENTS) {
    const line = JSON.stringify(eventJson(event));
    const stored = event.name === "message" || event.name === "changed" ? event.message : undefined;
    const read = eventOf(JSON.parse(line), (seq) => (stored?.seq === seq ? stored : undefined));
    expect(read).toEqual(event);
  }
});

test("what is about one process only is told to no other", () => {
  expect(eventJson({ name: "profileHealth", health: "checking" })).toBeUndefined();
});

test("an event that is not known here, or whose message is gone, is none", () => {
  const nothing = () => undefined;
  expect(eventOf({ event: "of a later version" }, nothing)).toBeUndefined();
  expect(eventOf({ event: "constructor" }, nothing)).toBeUndefined();
  expect(eventOf({ event: "message", from: "ana", seq: 7 }, nothing)).toBeUndefined();
  expect(eventOf({ event: "edited", from: "ana", seq: 7 }, nothing)).toBeUndefined();
});

test("a text of a group names the group, its author, and where the author has signed it", () => {
  const entry = { feed: "f".repeat(43), number: 7 };
  const text: StoredMessage = { ...incoming, author: "ana", entry };
  const group = "g".repeat(43);
  const [of, to] = [{ group, ...entry }, `#${group}`];
  expect(partiesOf(text, "beto", to)).toEqual(["ana", to]);
  expect(partiesOf({ ...text, outgoing: true }, "beto", to)).toEqual(["beto", to]);
  expect(partiesOf(incoming, "beto", "ana")).toEqual(["ana", "beto"]);
  expect(messageJson(text, "ana", { group, title: "Clase" })).toMatchObject({
    from: "ana",
    title: "Clase",
    ...of,
  });
  expect(storedMessageJson(text, "ana", to)).toMatchObject({ from: "ana", to, ...of });
  const at = new Date(AT).toISOString();
  expect(peerChangeJson({ ...text, withdrawnAt: AT }, to)).toEqual({
    event: "withdrawn",
    from: "ana",
    group,
    id: "id-1",
    at,
  });
  const counts = { received: 3, read: 2, of: 5 };
  expect(deliveryJson(to, "id-1", "read", AT, counts)).toMatchObject({ to, group, ...counts });
  const changed: MessengerEvent = {
    name: "changed",
    username: to,
    message: { ...text, editedAt: AT },
    action: undefined,
  };
  expect(eventOf(eventJson(changed) ?? {}, () => changed.message)).toEqual(changed);
  const own = { ...changed, message: { ...changed.message, outgoing: true }, action: "a-1" };
  expect(eventOf(eventJson(own) ?? {}, () => own.message)).toEqual(own);
});
