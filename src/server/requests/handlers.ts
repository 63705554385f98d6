/**
 * The requests of the rendezvous link (PROTOCOL 4), one row each: its checks, the form of its failure, and its handler.
 * A handler that uses the store or a password hash is an async function; any other answers at once, so that a lookup
 * needs no promise.
 */
import { fold, isOldNameAcceptable } from "../../identity/names.ts";
import type { Fields } from "../../protocol/fields.ts";
import {
  ACTIONS,
  DEFAULT_PAGE,
  MAX_REVOKED,
  RESPONSE_ACTION,
  type Action,
  type RequestOf,
} from "../../protocol/rendezvous-messages.ts";
import type { OwnUser } from "../presence/online-user.ts";
import { WATCH_RESPONSE_BYTES } from "../presence/user-directory.ts";
import {
  failure,
  rateLimited,
  success,
  written,
  type Response,
  type ResponseActions,
} from "../session/responses.ts";
import type { Session } from "../session/session.ts";
import { connect, reach } from "./reach-handlers.ts";
import { changePassword, deleteAccount, logout, register } from "./account-handlers.ts";
import { login, renew, resume } from "./login-handlers.ts";

/** Undefined: the client has disconnected. */
type Answer = Response | Promise<Response | undefined>;

type Handling<A extends Action> =
  | { readonly needsLogin: false; handle(session: Session, request: RequestOf<A>): Answer }
  /** `user`: who is logged in. */
  | { readonly needsLogin: true; handle(session: Session, request: RequestOf<A>, user: OwnUser): Answer };

type Row<A extends Action> = Handling<A> & {
  /** It carries a secret, or needs what only TLS binds, so that it is refused on the plain link, from loopback too (PROTOCOL 2). */
  readonly neverPlain?: true;
  /** Its failures are an `error`, because its response type has no form for them. */
  readonly failsAsError?: true;
};

/** A row with the protocol's data of the action. */
export type RequestRow = {
  readonly action: Action;
  readonly fields: Fields;
  /** Whether legacy clients send it. */
  readonly legacy: boolean;
  /** The fields that legacy clients do not know. */
  readonly added: readonly string[];
  readonly needsLogin: boolean;
  readonly neverPlain: boolean;
  readonly responses: ResponseActions;
  handle(session: Session, fields: unknown, user: OwnUser): Answer;
};

const ROWS: { readonly [A in Action]: Row<A> } = {
  register: { needsLogin: false, handle: register },
  login: { needsLogin: false, handle: login },
  resume: { needsLogin: false, neverPlain: true, handle: resume },
  ping: { needsLogin: false, handle: ping },
  revocations: { needsLogin: true, handle: revocations },
  renew: { needsLogin: true, neverPlain: true, handle: renew },
  get_users: { needsLogin: true, failsAsError: true, handle: getUsers },
  request_p2p: { needsLogin: true, failsAsError: true, handle: requestPeer },
  watch: { needsLogin: true, handle: watch },
  change_password: { needsLogin: true, neverPlain: true, handle: changePassword },
  delete_account: { needsLogin: true, neverPlain: true, handle: deleteAccount },
  reach: { needsLogin: true, neverPlain: true, handle: reach },
  connect: { needsLogin: true, neverPlain: true, handle: connect },
  logout: { needsLogin: true, handle: logout },
};

/** By action. */
export const REQUESTS: ReadonlyMap<string, RequestRow> = new Map(
  (Object.keys(ROWS) as Action[]).map((action) => {
    const row: Row<Action> = ROWS[action];
    const { fields, legacy, added } = ACTIONS.get(action) as NonNullable<ReturnType<typeof ACTIONS.get>>;
    const response = RESPONSE_ACTION[action];
    return [
      action,
      {
        action,
        fields,
        legacy,
        added,
        needsLogin: row.needsLogin,
        neverPlain: row.neverPlain === true,
        responses: { success: response, failure: row.failsAsError === true ? "error" : response },
        handle: row.handle as RequestRow["handle"],
      },
    ];
  }),
);

/** Names that count as one lookup in a request for many. */
const NAMES_PER_LOOKUP = 50;

function ping({ challenge, isPlain, services: { authority, now, registration } }: Session): Response {
  return success({
    added: {
      time: new Date(now()).toISOString(),
      authority: authority.certificatePem,
      challenge,
      registration,
      authority_proof: isPlain ? undefined : authority.proof,
    },
  });
}

function getUsers(session: Session, request: RequestOf<"get_users">, user: OwnUser): Response {
  const lookups = (request.limit ?? DEFAULT_PAGE) / NAMES_PER_LOOKUP;
  return (
    limitLookups(session, user, lookups) ??
    written(session.services.directory.usersList(session, request, user))
  );
}

function requestPeer(session: Session, { target_user }: RequestOf<"request_p2p">, user: OwnUser): Response {
  const limited = limitLookups(session, user, 1);
  if (limited !== undefined) return limited;
  const target = session.services.presence.find(fold(target_user));
  if (target === undefined || target === user || (target.isRelayOnly && session.isLegacy)) {
    return failure("user_offline", { target_user });
  }
  return written(session.services.directory.peerInfo(target, session));
}

function watch(session: Session, { users }: RequestOf<"watch">, user: OwnUser): Response {
  const limited = limitLookups(session, user, users.length / NAMES_PER_LOOKUP);
  if (limited !== undefined) return limited;
  const { presence } = session.services;
  // Names that no account can have are not watched.
  const online = presence.watch(user, users.filter(isOldNameAcceptable).map(fold));
  if (online === undefined) return failure("server_busy");
  const names: string[] = [];
  let bytes = 0;
  for (const member of online) {
    bytes += Buffer.byteLength(JSON.stringify(member.username)) + 1;
    if (bytes <= WATCH_RESPONSE_BYTES) {
      names.push(member.username);
      continue;
    }
    // Names that do not fit follow as notifications.
    setImmediate(() => {
      if (presence.has(user) && presence.has(member)) session.pushPresence(member.username, true);
    });
  }
  return success({ added: { online: names } });
}

function revocations(session: Session, { after }: RequestOf<"revocations">, user: OwnUser): Response {
  const limited = limitLookups(session, user, MAX_REVOKED / NAMES_PER_LOOKUP);
  if (limited !== undefined) return limited;
  const { revoked, next } = session.services.revocations.page(after);
  return success({ added: { revoked, next } });
}

function limitLookups(session: Session, user: OwnUser, lookups: number): Response | undefined {
  const { throttle } = session.services;
  const verdict = throttle.lookup(user.userId, session.network, Math.max(1, lookups));
  return verdict.name === "passes" ? undefined : rateLimited(verdict);
}
