import { expect, test } from "bun:test";

import {
  deliveryJson,
  messageJson,
  ownChangeJson,
  peerChangeJson,
  storedMessageJson,
} from "../../src/client/event-json.ts";
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
