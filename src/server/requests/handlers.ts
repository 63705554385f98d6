/** The table from action to function (PROTOCOL 4). A handler answers at once, or calls `later` after a hash. */
import { fold, isOldNameAcceptable } from "../../identity/names.ts";
import { DEFAULT_PAGE, type Action, type RequestOf } from "../../protocol/rendezvous-messages.ts";
import { changePassword, deleteAccount, login, logout, register, renew, resume } from "./account-handlers.ts";
import type { LinkSession } from "../session/session.ts";
import { WATCH_RESPONSE_BYTES } from "../presence/user-directory.ts";
import { failure, success, written, type Response } from "../session/responses.ts";
import type { OnlineUser } from "../presence/online-user.ts";

/** Runs a later step of a handler: what it gives is the answer, what it throws is `internal_error`. */
export type Later = (step: () => Response | undefined) => void;

/** `user` is whoever is logged in on the connection. */
type Handler<A extends Action> = (
  session: LinkSession,
  request: RequestOf<A>,
  later: Later,
  user: OnlineUser,
) => Response | undefined;

const HANDLERS: { readonly [A in Action]: Handler<A> } = {
  register,
  login,
  resume,
  renew,
  logout,
  change_password: changePassword,
  delete_account: deleteAccount,

  ping({ services }) {
    const time = new Date(services.now()).toISOString();
    return success("ping", { added: { time, authority: services.authority.certificatePem } });
  },

  get_users(session, request, _later, user) {
    const limited = limitLookups(
      session,
      "get_users",
      user,
      (request.limit ?? DEFAULT_PAGE) / NAMES_A_LOOKUP,
    );
    if (limited !== undefined) return limited;
    return written("get_users", session.services.lookups.usersList(session, request, user));
  },

  request_p2p(session, { target_user }, _later, user) {
    const limited = limitLookups(session, "request_p2p", user, 1);
    if (limited !== undefined) return limited;
    const target = session.services.presence.find(fold(target_user));
    if (target === undefined || target === user)
      return failure("request_p2p", "user_offline", { target_user });
    return written("request_p2p", session.services.lookups.peerInfo(target, session));
  },

  watch(session, { users }, _later, user) {
    const limited = limitLookups(session, "watch", user, users.length / NAMES_A_LOOKUP);
    if (limited !== undefined) return limited;
    // A name that no account can have costs no place.
    const folds = users.filter(isOldNameAcceptable).map(fold);
    const online = session.services.presence.watch(user, folds);
    if (online === undefined) return failure("watch", "server_busy");
    const names: string[] = [];
    let bytes = 0;
    for (const member of online) {
      bytes += Buffer.byteLength(JSON.stringify(member.username)) + 1;
      // What one message cannot hold follows as news.
      if (bytes > WATCH_RESPONSE_BYTES) setImmediate(() => tellIfOnline(session, user, member));
      else names.push(member.username);
    }
    return success("watch", { added: { online: names } });
  },
};

/** What asks for many names counts as one lookup for this many. */
const NAMES_A_LOOKUP = 50;

function limitLookups(
  session: LinkSession,
  action: Action,
  user: OnlineUser,
  lookups: number,
): Response | undefined {
  const { throttle } = session.services;
  const verdict = throttle.lookup(user.userId, session.remoteAddress, Math.max(1, lookups));
  return verdict.name === "passes"
    ? undefined
    : failure(action, "rate_limited", { retry_after: verdict.retryAfter });
}

function tellIfOnline(session: LinkSession, watcher: OnlineUser, member: OnlineUser): void {
  const { presence } = session.services;
  if (presence.has(watcher) && presence.has(member)) session.pushPresence(member.username, true);
}

/** Handles one request whose fields were checked; gives the response, or undefined when it comes through `later`. */
export function handle(
  action: Action,
  session: LinkSession,
  fields: unknown,
  later: Later,
): Response | undefined {
  const handler = HANDLERS[action] as Handler<Action>;
  // Handlers of actions that need no login look at the state themselves.
  const user = session.state.name === "loggedIn" ? session.state.user : undefined;
  return handler(session, fields as RequestOf<Action>, later, user as OnlineUser);
}
