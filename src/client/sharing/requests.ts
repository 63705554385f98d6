/**
 * What a face asks of the process that has the account online: one row for each request, with the checks of its fields
 * and the function that carries it out. The screen, the commands and the daemon use nothing else to act.
 */
import {
  boolean,
  exactText,
  integer,
  list,
  oneOf,
  optional,
  readFields,
  type Fields,
  type Read,
} from "../../protocol/fields.ts";
import { isNewName, label as labelOf } from "../../identity/names.ts";
import type { ConnectionFault } from "../../net/connection.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { DECISIONS, WHO } from "../conversation/consent.ts";
import { RELAY_USES } from "../disk/schema.ts";
import { MAX_MUTED } from "../conversation/decisions.ts";
import { errorJson, RequestError } from "../error-json.ts";
import { isoTime } from "../event-json.ts";
import { listPeople } from "../people.ts";
import { isGroup } from "../profile/contacts.ts";
import { AccountMovedError } from "../profile/profile.ts";
import { examine } from "../reach/doctor/examination.ts";
import { reportOf } from "../reach/doctor/report.ts";
import { PasswordNeededError, ServerFailure } from "../rendezvous/server-errors.ts";
import { MAX_LISTED } from "../rendezvous/watched-people.ts";
import { FILE_REQUESTS } from "./file-requests.ts";
import { GROUP_REQUESTS } from "./group-requests.ts";
import { id, message, name, person, row, secret } from "./request-row.ts";
import { checkPerson, STORED_REQUESTS } from "./stored-requests.ts";

/** Requests of one program that are carried out at once; further ones are read when some are answered. */
export const MAX_UNANSWERED = 64;

/** Most levels of lists and objects in an `id`: one that is nested too deeply to be written has no answer. */
const MAX_ID_LEVELS = 16;

/** A request throws what its method throws; its result is a JSON object. */
export const REQUESTS = {
  /** Goes online unless the account is. `password`: absent: that of the process that has the account, if it is needed. */
  connect: row({ password: optional(secret) }, async ({ account }, { password }) => {
    await account.connect(password);
    return {};
  }),
  /** From now on a lost link to the server is reconnected. */
  stay_online: row({}, ({ account }) => {
    account.keepOnline();
    return {};
  }),
  /**
   * `p2p_port`: null: only the relay is used. `reachable`: whether peers can connect. `links_until`: until when new links can
   * be opened without a server. `lan`: whether contacts on the local network are told of this client.
   */
  status: row({}, ({ account: { messenger } }) => ({
    username: messenger.username,
    p2p_port: messenger.reach.port ?? null,
    reachable: messenger.canBeReached,
    server: messenger.rendezvous.state.name,
    links_until: isoTime(messenger.linksUntil),
    lan: messenger.reach.usesLan,
  })),
  /** By which ways others reach this account, and why not by the others; goes online unless the account is. */
  doctor: row({}, async ({ account }) => {
    const connect = async () => {
      try {
        await account.connect();
        return undefined;
      } catch (error) {
        const isKnown = error instanceof ServerFailure || error instanceof PasswordNeededError;
        // After a refused first login there is no account any more.
        if (!isKnown || account.isRemoved) throw error;
        return errorJson(error);
      }
    };
    const evidence = await examine(account.messenger, connect);
    const { relayBytesLeft = null, clockOffset = null, certificateUntil } = evidence;
    return {
      ...reportOf(evidence),
      relay: evidence.relay,
      relay_bytes_left: relayBytesLeft,
      clock_offset: clockOffset,
      certificate_until: isoTime(certificateUntil),
    };
  }),
  /** What was tried to reach a person, the last time. */
  tried: row({ username: person }, ({ account: { messenger } }, { username }) => ({
    tried: messenger.reach.tried(labelOf(username)),
  })),
  users: row({}, async ({ account }) => ({ users: await account.messenger.users() })),
  /** Everybody who is online, a contact, or has a conversation; `failure`: why the server did not answer. */
  people: row({}, async ({ account: { messenger } }) => {
    const { people, failure } = await listPeople(messenger);
    return { people, ...(failure === undefined ? {} : { failure: errorJson(failure) }) };
  }),
  /** Queues a text; answered when it is on the disk. With the `message_id` of an earlier one, nothing is done. */
  send: row(
    { to: name, text: message, reply_to: optional(id), message_id: optional(id) },
    async ({ account: { messenger }, archive }, { to, text, reply_to, message_id }) => {
      // Nobody can have this name, but for the accounts of an old server that are known here.
      if (!isNewName(to) && !isGroup({ label: to }) && archive.conversation(to) === undefined)
        throw new RequestError("bad_request", "to");
      const sent = messenger.outbox.send(to, text, reply_to, message_id);
      await messenger.outbox.committed();
      return { message_id: sent };
    },
  ),
  /**
   * `action`: the id of the change that is sent; absent: the text had not been sent, and is sent in its new form. As `withdraw`
   * and `cancel` answered after the events that it causes.
   */
  edit: row(
    { to: name, message_id: id, text: message },
    async ({ account: { messenger } }, { to, message_id, text }) => {
      const action = messenger.outbox.edit(to, message_id, text);
      await messenger.outbox.committed();
      return { action };
    },
  ),
  /** `action`: as for `edit`; absent: the text had not been sent, and is cancelled. */
  withdraw: row({ to: name, message_id: id }, async ({ account: { messenger } }, { to, message_id }) => {
    const action = messenger.outbox.withdraw(to, message_id);
    await messenger.outbox.committed();
    return { action };
  }),
  /** Cancels one text that was not sent, or all of a conversation. `ids`: of those that were cancelled, oldest first. */
  cancel: row(
    { to: name, message_id: optional(id) },
    async ({ account: { messenger } }, { to, message_id }) => {
      const ids = message_id === undefined ? messenger.outbox.cancelAll(to) : [message_id];
      if (message_id !== undefined) messenger.outbox.cancel(to, message_id);
      await messenger.outbox.committed();
      return { ids };
    },
  ),
  /** Decides whether a person may write. `state`: what they are now. */
  decide: row(
    { username: person, decision: oneOf(...DECISIONS) },
    ({ account: { messenger }, archive }, { username, decision }) => {
      checkPerson(archive, username);
      return messenger.decisions.decide(username, decision);
    },
  ),
  /** Nothing of a person is announced for so long; 0: it is again. `muted_until`: null: it is. */
  mute: row(
    { username: name, seconds: integer(0, MAX_MUTED) },
    ({ account: { messenger }, archive }, { username, seconds }) => {
      const until = seconds === 0 ? undefined : Date.now() + seconds * 1_000;
      const muted_until = isoTime(until);
      if (isGroup({ label: username })) {
        messenger.groups.mute(username, until);
        return { username, muted_until };
      }
      checkPerson(archive, username);
      return { username: messenger.decisions.mute(username, until), muted_until };
    },
  ),
  /** Who may write unasked, as long as this process has the account online. */
  allow: row({ who: oneOf(...WHO) }, ({ account: { messenger } }, { who }) => {
    messenger.decisions.allow(who);
    return {};
  }),
  /** Whether contacts on the local network are told that this client is there, from now on. */
  use_lan: row({ lan: boolean }, ({ account: { messenger } }, { lan }) => {
    messenger.reach.useLan(lan);
    return {};
  }),
  /** Which ways are used, from now on. */
  use_relay: row({ relay: oneOf(...RELAY_USES) }, ({ account: { messenger } }, { relay }) => {
    messenger.reach.useRelay(relay);
    return {};
  }),
  /**
   * A link is kept open until `close_chat`. `connected`: there is one now, by this `way`, and with `seeks_direct` as in the
   * event. `verification_asked`: they wait for ours. The links of a group are not told.
   */
  open_chat: row({ username: name }, ({ face }, { username }) => {
    if (isGroup({ label: username })) {
      face.openGroup(username);
      return { username, connected: false, way: null, seeks_direct: false, verification_asked: false };
    }
    const conversation = face.openChat(username);
    const { info } = conversation.transport.shown;
    return {
      username: conversation.username,
      connected: info !== undefined,
      way: info?.way ?? null,
      seeks_direct: info?.seeksDirect === true,
      verification_asked: conversation.verification.isAsked,
    };
  }),
  /**
   * The link to a person; null: there is none. `round_trip`: ms, just measured; null: it was not answered in time. `told`:
   * our addresses as the server tells them, to everyone and to who is in the same network; null: it has said nothing yet.
   * `server` and `links_until` as of `status`.
   */
  link: row({ username: person }, async ({ account: { messenger } }, { username }) => {
    const { link, told = null } = await messenger.linkInfo(username);
    const state = { server: messenger.rendezvous.state.name, links_until: isoTime(messenger.linksUntil) };
    if (link === undefined) return { link: null, told, ...state };
    const { way, seeksDirect: seeks_direct, address = null, roundTrip } = link;
    const round_trip = roundTrip === undefined ? null : Math.round(roundTrip * 10) / 10;
    return { link: { way, seeks_direct, address, since: isoTime(link.since), round_trip }, told, ...state };
  }),
  close_chat: row({ username: name }, ({ face }, { username }) => {
    face.closeChat(username);
    return {};
  }),
  /** `watched` events tell when these people come and go, until other ones are named; none: none do. */
  watch_people: row({ usernames: list(person, MAX_LISTED) }, ({ face }, { usernames }) => {
    face.watchPeople(usernames);
    return {};
  }),
  /** Whether this face keeps up with what arrives; the links to peers are not read while no face does. */
  keeps_up: row({ keeps_up: boolean }, ({ face }, { keeps_up }) => {
    face.keepsUp(keeps_up);
    return {};
  }),
  typing: row({ username: name, active: boolean }, ({ account: { messenger } }, { username, active }) => {
    messenger.typing(username, active);
    return {};
  }),
  /** The person has read this contact's messages up to the number `seq`. */
  mark_read: row(
    { username: name, seq: integer(0, Number.MAX_SAFE_INTEGER) },
    ({ account: { messenger } }, { username, seq }) => {
      messenger.markRead(username, seq);
      return {};
    },
  ),
  /** Pins a person's pending key. @see SafetyNumbers.acceptPending */
  accept_key: row(
    { username: person, fingerprint: optional(exactText(64, 64)) },
    ({ account: { messenger } }, { username, fingerprint }) => messenger.acceptKey(username, fingerprint),
  ),
  /** Compares a code with a person; the `verification` events tell what becomes of it. Kept open until it has ended. */
  open_verification: row({ username: person }, ({ face }, { username }) => face.openVerification(username)),
  /** Whether the other person sees the same code. */
  answer_verification: row(
    { username: person, same: boolean },
    ({ account: { messenger } }, { username, same }) => ({
      result: messenger.answerVerification(username, same) ? ("answered" as const) : ("none" as const),
    }),
  ),
  /** It ends unless another face has opened it. */
  leave_verification: row({ username: person }, ({ face }, { username }) => {
    face.leaveVerification(username);
    return {};
  }),
  /** It ends wherever it was opened. */
  close_verification: row({ username: person }, ({ account: { messenger } }, { username }) => {
    messenger.closeVerification(username);
    return {};
  }),
  /** Ends the stored session. `failure`: why it was not ended at the server. */
  log_out: row({}, async ({ account }) => {
    const failure = await account.logOut();
    return failure === undefined ? {} : { failure: errorJson(failure) };
  }),
  /** Every other session of the account ends. */
  change_password: row(
    { password: secret, new_password: secret },
    async ({ account }, { password, new_password }) => {
      await account.changePassword(password, new_password);
      return {};
    },
  ),
  /** Deletes the account at the server, and ends its session; what is on this disk stays. */
  delete_account: row({ password: secret }, async ({ account }, { password }) => {
    await account.deleteAccount(password);
    return {};
  }),
  /** Ends the account in every process of this machine: one of them is about to export it. */
  leave: row({}, ({ account: { messenger } }) => {
    messenger.rendezvous.stop(new AccountMovedError(undefined));
    return {};
  }),
  ...STORED_REQUESTS,
  ...FILE_REQUESTS,
  ...GROUP_REQUESTS,
};

export type RequestName = keyof typeof REQUESTS;
export type Result<N extends RequestName> = Awaited<ReturnType<(typeof REQUESTS)[N]["run"]>>;

/** Absent is the same as undefined. */
type Given<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
};
export type Params<N extends RequestName> = Given<Read<(typeof REQUESTS)[N]["fields"]>>;

export type Request = { readonly name: RequestName; readonly params: Params<RequestName> };

/** Checks what a program has sent. @throws RequestError */
export function readRequest(command: unknown, params: JsonObject): Request {
  if (typeof command !== "string") throw new RequestError("bad_request", "command");
  if (!isRequestName(command)) throw new RequestError("unknown_command", command.slice(0, 64));
  const fields: Fields = REQUESTS[command].fields;
  const read = readFields(fields, params);
  if (!read.ok) throw new RequestError("bad_request", read.field);
  return { name: command, params: read.value as Params<RequestName> };
}

function isRequestName(value: string): value is RequestName {
  return Object.hasOwn(REQUESTS, value);
}

/** Whether `value` has at most so many levels of lists and objects. */
function isFlat(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((part) => isFlat(part, levels - 1));
}

/** The answer to what a program has sent. It has the same id; none is null. */
export async function answerTo(
  { id = null, command, ...params }: JsonObject,
  carryOut: (request: Request) => Promise<JsonObject>,
): Promise<JsonObject> {
  if (!isFlat(id, MAX_ID_LEVELS))
    return { id: null, error: errorJson(new RequestError("bad_request", "id")) };
  try {
    return { id, result: await carryOut(readRequest(command, params)) };
  } catch (error) {
    return { id, error: errorJson(error) };
  }
}

const FAULTS: { readonly [F in ConnectionFault]: string } = {
  garbage: "not a JSON object",
  tooLarge: "more than 256 KiB",
  incomplete: "not complete within 10 s",
};

/** The answer to bytes that are no request. */
export function faultAnswer(fault: ConnectionFault): JsonObject {
  return { id: null, error: errorJson(new RequestError("bad_request", FAULTS[fault])) };
}
