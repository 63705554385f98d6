/** Handlers of what changes accounts and who is logged in (PROTOCOL 4). */
import { fingerprint } from "../../identity/fingerprint.ts";
import { parsePublicKey } from "../../identity/keys.ts";
import { checkUsername, fold } from "../../identity/names.ts";
import type { RequestOf } from "../../protocol/rendezvous-messages.ts";
import { isEmailAcceptable } from "../../protocol/email-rule.ts";
import { isPasswordAcceptable } from "../../protocol/password-rule.ts";
import type { Account } from "../database/accounts.ts";
import type { Later } from "./handlers.ts";
import type { LinkSession } from "../session/session.ts";
import { hash, verify } from "./password-step.ts";
import { failure, success, type Response } from "../session/responses.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import { hashBytes } from "../database/tokens.ts";

/** A signature costs what so many lookups do. */
const RENEWAL_COST = 20;

const REGISTERED = { es: "Usuario registrado exitosamente", en: "User registered" };
const LOGGED_IN = { es: "Login exitoso", en: "Logged in" };

/** The id of no account. */
const NOBODY = 0;

/** Where a client that logs in can be reached. */
type Place = { readonly p2p_port: number; readonly addresses: string[] | undefined };

export function register(
  session: LinkSession,
  request: RequestOf<"register">,
  later: Later,
): Response | undefined {
  const { services } = session;
  const { accounts } = services;
  const name = checkUsername(request.username);
  const email = request.email ?? "";
  if (services.registration === "closed") return failure("register", "registration_closed");
  if (!name.ok) return failure("register", "invalid_username");
  if (!isPasswordAcceptable(request.password)) return failure("register", "weak_password");
  if (!isEmailAcceptable(email)) return failure("register", "invalid_email");
  const isTaken = accounts.isTaken(name.name, services.now());
  const verdict = services.throttle.registration(session.remoteAddress, isTaken);
  if (verdict.name === "limited") {
    return failure("register", "rate_limited", { retry_after: verdict.retryAfter });
  }
  if (isTaken) return failure("register", "username_taken");
  return hash(session, "register", request.password, later, (hashed) => {
    const added = accounts.add({ username: name.name, hash: hashed, email }, services.now());
    if (!added) return failure("register", "username_taken");
    services.security.record("registered", { user: name.name, ...originOf(session) });
    return success("register", { message: REGISTERED });
  });
}

export function login(session: LinkSession, request: RequestOf<"login">, later: Later): Response | undefined {
  if (session.state.name === "loggedIn") return failure("login", "already_logged_in");
  const spki = request.public_key === undefined ? undefined : parsePublicKey(request.public_key);
  if (request.public_key !== undefined && spki === undefined) {
    return failure("login", "bad_request", { field: "public_key" });
  }
  const { accounts, metrics, security, tokens } = session.services;
  const account = accounts.find(request.username);
  // Asked for a name that nobody has too: it takes the same time.
  const isKnown = spki !== undefined && tokens.knows(account?.id ?? NOBODY, spki);
  const who = {
    fold: fold(request.username),
    account,
    device: isKnown ? fingerprint(spki) : undefined,
  };
  return verify(session, "login", request.password, who, later, (account) => {
    if (account === undefined || account.disabled !== 0) {
      const code = account === undefined ? "invalid_credentials" : "account_disabled";
      metrics.login(account === undefined ? "wrong" : "refused");
      // A name that nobody has may be a password in the wrong field.
      const user = who.account?.username;
      security.record("login_failed", { user, ...originOf(session), why: code });
      return failure("login", code);
    }
    if (session.state.name === "loggedIn") return failure("login", "already_logged_in");
    return logIn(session, "login", account, request, spki, undefined);
  });
}

export function resume(session: LinkSession, request: RequestOf<"resume">): Response {
  const { services } = session;
  if (session.state.name === "loggedIn") return failure("resume", "already_logged_in");
  const spki = parsePublicKey(request.public_key);
  if (spki === undefined) return failure("resume", "bad_request", { field: "public_key" });
  const token = services.tokens.use(request.session_token, spki, services.now());
  const account = token === undefined ? undefined : services.accounts.byId(token.userId);
  if (token === undefined || account === undefined || account.disabled !== 0) {
    const verdict = services.throttle.failedResume(session.remoteAddress);
    if (verdict.name === "limited") {
      services.metrics.login("limited");
      return failure("resume", "rate_limited", { retry_after: verdict.retryAfter });
    }
    const code = account === undefined ? "invalid_credentials" : "account_disabled";
    services.metrics.login(account === undefined ? "wrong" : "refused");
    services.security.record("resume_failed", {
      user: account?.username,
      ...originOf(session),
      why: code,
    });
    return failure("resume", code);
  }
  return logIn(session, "resume", account, request, spki, { token: request.session_token, hash: token.hash });
}

/** Who has proven to be `account` is bound to the connection, in one step with the check that he may. */
function logIn(
  session: LinkSession,
  request: "login" | "resume",
  account: Account,
  place: Place,
  spki: Buffer | undefined,
  resumed: { token: string; hash: string } | undefined,
): Response {
  const { services } = session;
  const now = services.now();
  const live = services.presence.find(account.fold);
  const shown = spki === undefined ? undefined : fingerprint(spki);
  // The same key is the same device, back again before its old connection was missed.
  const isElsewhere = live !== undefined && (shown === undefined || live.key?.fingerprint !== shown);
  const verdict = services.throttle.session(account.id, session.remoteAddress, isElsewhere);
  if (verdict.name === "limited") {
    services.metrics.login("limited");
    return failure(request, "rate_limited", { retry_after: verdict.retryAfter });
  }
  if (isElsewhere) {
    services.metrics.login("refused");
    services.security.record("login_failed", {
      user: account.username,
      ...originOf(session),
      why: "already_connected",
    });
    return failure(request, "already_connected");
  }
  const added: { [name: string]: unknown } = {
    authority: services.authority.certificatePem,
    time: new Date(now).toISOString(),
  };
  let key: OnlineUser["key"];
  if (spki !== undefined && shown !== undefined) {
    const { pem, expiresAt } = services.authority.certify(spki, account.username);
    const issued =
      resumed === undefined
        ? services.tokens.issue(account.id, spki, now)
        : { token: resumed.token, hash: resumed.hash, newKey: false };
    key = { fingerprint: shown, tokenHash: issued.hash };
    added["session_token"] = issued.token;
    added["certificate"] = pem;
    added["expires_at"] = new Date(expiresAt).toISOString();
    added["new_key"] = issued.newKey;
  }
  session.bind({
    userId: account.id,
    username: account.username,
    fold: account.fold,
    since: now,
    ip: session.remoteAddress,
    p2pPort: place.p2p_port,
    addresses: place.addresses?.join(" ") ?? "",
    key,
    session,
  });
  services.metrics.login(request === "login" ? "ok" : "resumed");
  services.security.record(request === "login" ? "login" : "resumed", {
    user: account.username,
    ...originOf(session),
    p2p_port: place.p2p_port,
    fingerprint: key?.fingerprint,
    new_key: added["new_key"] === true ? true : undefined,
    replaced: live === undefined ? undefined : true,
  });
  return success(request, { message: LOGGED_IN, seed: { username: account.username }, added });
}

export function renew(
  session: LinkSession,
  request: RequestOf<"renew">,
  _later: Later,
  user: OnlineUser,
): Response {
  const { authority, now } = session.services;
  const spki = parsePublicKey(request.public_key);
  if (spki === undefined) return failure("renew", "bad_request", { field: "public_key" });
  // A key that is new needs the password.
  if (user.key?.fingerprint !== fingerprint(spki)) return failure("renew", "invalid_credentials");
  const verdict = session.services.throttle.lookup(user.userId, session.remoteAddress, RENEWAL_COST);
  if (verdict.name === "limited") {
    return failure("renew", "rate_limited", { retry_after: verdict.retryAfter });
  }
  const { pem, expiresAt } = authority.certify(spki, user.username);
  return success("renew", {
    added: {
      certificate: pem,
      expires_at: new Date(expiresAt).toISOString(),
      time: new Date(now()).toISOString(),
    },
  });
}

/** The session ends the connection after the answer. */
export function logout(session: LinkSession, _request: unknown, _later: Later, user: OnlineUser): Response {
  if (user.key !== undefined) session.services.tokens.voidKey(user.userId, user.key.fingerprint);
  session.services.security.record("logout", { user: user.username, ...originOf(session) });
  return success("logout");
}

export function changePassword(
  session: LinkSession,
  request: RequestOf<"change_password">,
  later: Later,
  user: OnlineUser,
): Response | undefined {
  const { accounts, security } = session.services;
  if (!isPasswordAcceptable(request.new_password)) return failure("change_password", "weak_password");
  const who = { fold: user.fold, account: accounts.byId(user.userId), device: user.key?.fingerprint };
  return verify(session, "change_password", request.password, who, later, (account) => {
    if (account === undefined) {
      security.record("password_change_failed", { user: user.username, ...originOf(session) });
      return failure("change_password", "invalid_credentials");
    }
    return hash(session, "change_password", request.new_password, later, (hashed) => {
      if (accounts.byId(account.id)?.password !== account.password) {
        return failure("change_password", "invalid_credentials");
      }
      accounts.setPassword(account.id, hashed, user.key && hashBytes(user.key.tokenHash));
      security.record("password_changed", { user: user.username, ...originOf(session) });
      return success("change_password");
    });
  });
}

export function deleteAccount(
  session: LinkSession,
  request: RequestOf<"delete_account">,
  later: Later,
  user: OnlineUser,
): Response | undefined {
  const { accounts, security, now } = session.services;
  const who = { fold: user.fold, account: accounts.byId(user.userId), device: user.key?.fingerprint };
  return verify(session, "delete_account", request.password, who, later, (account) => {
    if (account === undefined) {
      security.record("account_deletion_failed", { user: user.username, ...originOf(session) });
      return failure("delete_account", "invalid_credentials");
    }
    accounts.delete(account, now());
    session.unbind();
    security.record("account_deleted", { user: account.username, ...originOf(session) });
    return success("delete_account");
  });
}

/** Where a request came from, and which it was, for the logs. */
function originOf(session: LinkSession): { address: string; request: string } {
  return { address: session.remoteAddress, request: session.requestName };
}
