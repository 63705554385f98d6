/**
 * The messenger's events as JSON, for programs and for other processes of the same account, and back. Names and fields
 * are those of the commands' `--json`; `src/ui/SCRIPTING.md` describes them.
 */
import type { JsonObject } from "../protocol/framing.ts";
import type { StoredConversation } from "./archive.ts";
import type {
  GroupCounts,
  GroupNotice,
  MessengerEvent,
  SharedGroup,
  SharedFile,
  VerificationEnding,
  VerificationNews,
} from "./conversation/events.ts";
import type { MessageState } from "./disk/schema.ts";
import { errorJson, errorOf } from "./error-json.ts";
import type { UnreachableReason } from "./peer/dial.ts";
import type { LinkWay } from "./peer/proven-connection.ts";
import type { ContactState } from "./profile/consents.ts";
import type { StoredMessage } from "./profile/stored-message.ts";
import type { RendezvousState } from "./rendezvous/session.ts";

/** RFC 3339, in UTC; null for an unknown time. @param time ms since 1970 */
export function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function timeOf(value: unknown): number | undefined {
  return typeof value === "string" ? Date.parse(value) : undefined;
}

function contentOf({ text, id, replyTo, file }: StoredMessage) {
  const { number, name, size } = file ?? {};
  return {
    ...{ text, id },
    ...(file === undefined ? {} : { file: { number, name, size } }),
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
  };
}

/** Who wrote a stored message, and to whom. @param other the other person of the conversation, or `#` and the id of the group */
export function partiesOf(
  { author, outgoing }: Pick<StoredMessage, "author" | "outgoing">,
  own: string,
  other: string,
): readonly [from: string, to: string] {
  if (outgoing) return [own, other];
  return [author ?? other, other.startsWith("#") ? other : own];
}

/** Of a conversation of two nothing. @param conversation the other person, or `#` and the id of the group */
function groupFields(
  conversation: string,
  entry?: StoredMessage["entry"],
): { readonly group?: string; readonly feed?: string; readonly number?: number } {
  return conversation.startsWith("#") ? { group: conversation.slice(1), ...entry } : {};
}

/** A received message. @param group to which it was written */
export function messageJson(
  message: StoredMessage,
  from: string,
  group?: { readonly group: string; readonly title: string },
) {
  const [sent_at, received_at] = [isoTime(message.sentAt), isoTime(message.receivedAt)];
  const { group: id, title } = group ?? {};
  const of = id === undefined ? {} : { group: id, title, ...message.entry };
  return { event: "message", from, ...of, ...contentOf(message), sent_at, received_at };
}

/** A stored message of either side; only our own have `left_at`, `read_at` and `change_pending`. */
export function storedMessageJson(message: StoredMessage, from: string, to: string) {
  const { outgoing } = message;
  return {
    event: "message",
    from,
    to,
    ...groupFields(to, message.entry),
    ...contentOf(message),
    sent_at: isoTime(message.sentAt),
    ...(outgoing ? { left_at: isoTime(message.leftAt) } : {}),
    received_at: isoTime(message.receivedAt),
    ...(outgoing ? { read_at: isoTime(message.readAt) } : {}),
    edited_at: isoTime(message.editedAt),
    withdrawn_at: isoTime(message.withdrawnAt),
    ...(outgoing ? { change_pending: message.changeWaits } : {}),
    state: message.state,
  };
}

/** Somebody whom the account has met, and how many of their messages were not shown here. */
export function contactJson(conversation: StoredConversation, unread: number) {
  const { username, state, keyState: key, isVerified: verified } = conversation;
  const [last_seen, muted_until] = [isoTime(conversation.lastHeard()), isoTime(conversation.mutedUntil)];
  return { username, state, key, verified, last_seen, unread, muted_until };
}

/** The state of a message or change of ours. @param at ms since 1970 @param counts of a text for a group */
export function deliveryJson(to: string, id: string, state: MessageState, at: number, counts?: GroupCounts) {
  return { event: "delivery", to, ...groupFields(to), id, state, at: isoTime(at), ...counts };
}

/** The name and the fields of an `edited` or `withdrawn` event, from the message after the change. */
function changeFields(message: StoredMessage) {
  const { id, text, withdrawnAt, editedAt } = message;
  if (withdrawnAt !== undefined) return { event: "withdrawn", change: { id, at: isoTime(withdrawnAt) } };
  return { event: "edited", change: { id, text, at: isoTime(editedAt) } };
}

/** A message that a peer has edited or withdrawn. @param conversation the peer, or `#` and the id of the group */
export function peerChangeJson(message: StoredMessage, conversation: string) {
  const { event, change } = changeFields(message);
  return { event, from: message.author ?? conversation, ...groupFields(conversation), ...change };
}

/** A message that we have edited or withdrawn. @param action id of the change that is sent; undefined: none is */
export function ownChangeJson(message: StoredMessage, to: string, action: string | undefined) {
  const { event, change } = changeFields(message);
  return { event, to, ...groupFields(to), ...change, action: action ?? null };
}

/** What becomes of the verification of a person. */
export function verificationJson(username: string, news: VerificationNews) {
  return {
    event: "verification",
    username,
    state: news.state,
    ...("code" in news ? { code: news.code } : {}),
    ...("retryAt" in news ? { retry_at: isoTime(news.retryAt) } : {}),
  };
}

function serverJson(state: RendezvousState, linksUntil: number | undefined): JsonObject {
  return {
    event: "server",
    state: state.name,
    ...("until" in state ? { until: isoTime(state.until) } : {}),
    ...("why" in state ? { error: errorJson(state.why) } : {}),
    links_until: isoTime(linksUntil),
  };
}

/** An event for other processes; undefined: it is about this process only. `seq` is the message's number in the store. */
export function eventJson(event: MessengerEvent): JsonObject | undefined {
  switch (event.name) {
    case "message": {
      const { from, group, message, title = "" } = event;
      const json = messageJson(message, from, group === undefined ? undefined : { group, title });
      return { ...json, seq: message.seq };
    }
    case "group":
      return { event: "group", ...event.group };
    case "groupNotice":
      return { event: "group_notice", ...event.notice };
    case "request":
      return { event: "request", from: event.from, count: event.count };
    case "held":
      return { event: "held", to: event.to };
    case "accepted":
      return { event: "accepted", username: event.username };
    case "contact":
      return { event: "contact", username: event.username, state: event.state };
    case "muted":
      return { event: "muted", username: event.username, until: isoTime(event.until) };
    case "changed": {
      const { message, username, action } = event;
      const change = message.outgoing
        ? ownChangeJson(message, username, action)
        : peerChangeJson(message, username);
      return { ...change, seq: message.seq };
    }
    case "cancelled":
      return { event: "cancelled", to: event.to, id: event.id, ...(event.kept && { kept: true }) };
    case "delivery":
      return deliveryJson(event.to, event.id, event.state, event.at, event.counts);
    case "read":
      return { event: "read", username: event.username };
    case "presence":
    case "watched":
      return { event: event.name, username: event.username, online: event.online };
    case "connected":
      return {
        event: "connected",
        username: event.username,
        way: event.way,
        seeks_direct: event.seeksDirect,
        address: event.address ?? null,
      };
    case "disconnected": {
      const { username, bye, revoked = false, heardAt } = event;
      return { event: "disconnected", username, bye, revoked, heard_at: isoTime(heardAt) };
    }
    case "silent":
      return { event: "silent", username: event.username, since: isoTime(event.since) };
    case "unreachable": {
      const { username, reason, retryIn = null, heardAt } = event;
      return { event: "unreachable", username, reason, retry_in: retryIn, heard_at: isoTime(heardAt) };
    }
    case "keyPending":
      return {
        event: "key_changed",
        username: event.username,
        fingerprint: event.fingerprint,
        verified: event.isVerified,
      };
    case "verification":
      return verificationJson(event.username, event);
    case "file":
      return { event: "file", ...event.file };
    case "typing":
      return { event: "typing", username: event.username, active: event.active };
    case "peerError":
      return { event: "peer_error", username: event.username, code: event.code };
    case "refusal":
      return { event: "refusal", address: event.address, code: event.code };
    case "storageFailed":
      return { event: "storage_failed", error: errorJson(event.error) };
    case "server":
      return serverJson(event.state, event.linksUntil);
    case "clockOffset":
      return { event: "clock_offset", offset: event.offset };
    case "newKey":
      return { event: "new_key" };
    case "profileHealth":
    case "wire":
      return undefined;
    default:
      return event satisfies never;
  }
}

function serverStateOf({ state, until, error }: JsonObject): RendezvousState {
  if (state === "waiting") return { name: state, until: timeOf(until) ?? 0, why: errorOf(error) };
  if (state === "stopped") return { name: state, why: errorOf(error) };
  return { name: state === "online" || state === "connecting" ? state : "offline" };
}

function newsOf({ state, code, retry_at }: JsonObject): VerificationNews {
  if (state === "asked" || state === "withdrawn" || state === "waiting") return { state };
  if (state === "code") return { state, code: String(code) };
  return { state: state as VerificationEnding, retryAt: timeOf(retry_at) };
}

/**
 * The event of `eventJson`. The other process is one of ours, so its fields are not checked again.
 * @param messageAt reads the stored message of this number
 * @returns undefined: it is unknown here, or its message is not stored any more
 */
export function eventOf(
  json: JsonObject,
  messageAt: (seq: number) => StoredMessage | undefined,
): MessengerEvent | undefined {
  const text = (name: string) => String(json[name] ?? "");
  const username = text("username");
  switch (json["event"]) {
    case "message": {
      const message = messageAt(Number(json["seq"]));
      const group = typeof json["group"] === "string" ? { group: json["group"], title: text("title") } : {};
      return message && { name: "message", from: text("from"), message, ...group };
    }
    case "group": {
      const { event: _, ...group } = json;
      return { name: "group", group: group as unknown as SharedGroup };
    }
    case "group_notice": {
      const { event: _, ...notice } = json;
      return { name: "groupNotice", notice: notice as unknown as GroupNotice };
    }
    case "request":
      return { name: "request", from: text("from"), count: Number(json["count"]) };
    case "held":
      return { name: "held", to: text("to") };
    case "accepted":
      return { name: "accepted", username };
    case "contact":
      return { name: "contact", username, state: text("state") as ContactState };
    case "muted":
      return { name: "muted", username, until: timeOf(json["until"]) };
    case "edited":
    case "withdrawn": {
      const message = messageAt(Number(json["seq"]));
      const action = typeof json["action"] === "string" ? json["action"] : undefined;
      const { group } = json;
      const username =
        typeof group === "string" ? `#${group}` : text(message?.outgoing === true ? "to" : "from");
      return message && { name: "changed", username, message, action };
    }
    case "cancelled":
      return {
        ...{ name: "cancelled", to: text("to"), id: text("id") },
        ...(json["kept"] === true ? { kept: true } : {}),
      };
    case "delivery": {
      const at = timeOf(json["at"]) ?? 0;
      const { received, read, of } = json;
      const counts = typeof of === "number" ? { counts: { received, read, of } as GroupCounts } : {};
      const [to, id, state] = [text("to"), text("id"), text("state") as MessageState];
      return { name: "delivery", to, id, state, at, ...counts };
    }
    case "read":
      return { name: "read", username };
    case "presence":
    case "watched":
      return { name: json["event"], username, online: json["online"] === true };
    case "connected":
      return {
        name: "connected",
        username,
        way: text("way") as LinkWay,
        seeksDirect: json["seeks_direct"] === true,
        address: typeof json["address"] === "string" ? json["address"] : undefined,
      };
    case "disconnected": {
      const revoked = json["revoked"] === true ? { revoked: true as const } : {};
      const heardAt = timeOf(json["heard_at"]);
      return { name: "disconnected", username, bye: json["bye"] === true, ...revoked, heardAt };
    }
    case "silent":
      return { name: "silent", username, since: timeOf(json["since"]) };
    case "unreachable": {
      const retryIn = typeof json["retry_in"] === "number" ? json["retry_in"] : undefined;
      const reason = text("reason") as UnreachableReason;
      return { name: "unreachable", username, reason, retryIn, heardAt: timeOf(json["heard_at"]) };
    }
    case "key_changed":
      return {
        name: "keyPending",
        username,
        fingerprint: text("fingerprint"),
        isVerified: json["verified"] === true,
      };
    case "verification":
      return { name: "verification", username, ...newsOf(json) };
    case "file": {
      const { event: _, ...file } = json;
      return { name: "file", file: file as unknown as SharedFile };
    }
    case "typing":
      return { name: "typing", username, active: json["active"] === true };
    case "peer_error":
      return { name: "peerError", username, code: text("code") };
    case "refusal":
      return { name: "refusal", address: text("address"), code: text("code") };
    case "storage_failed":
      return { name: "storageFailed", error: errorOf(json["error"]) };
    case "server":
      return { name: "server", state: serverStateOf(json), linksUntil: timeOf(json["links_until"]) };
    case "clock_offset":
      return { name: "clockOffset", offset: Number(json["offset"]) };
    case "new_key":
      return { name: "newKey" };
    default:
      return undefined;
  }
}
