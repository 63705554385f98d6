/** The handlers of the requests that change accounts and sessions (PROTOCOL 4). */
import { fingerprint } from "../../identity/fingerprint.ts";
import { isKeyProven, parseSignature } from "../../identity/connection-proof.ts";
import { parsePublicKey } from "../../identity/keys.ts";
import { checkUsername, fold, label } from "../../identity/names.ts";
import { NO_PORT, type RequestOf } from "../../protocol/rendezvous-messages.ts";
import { isEmailAcceptable, isPasswordAcceptable } from "../../protocol/account-rules.ts";
import type { Account } from "../database/accounts.ts";
import { retryWhileLocked } from "../database/locked-database.ts";
import { hashBytes } from "../database/tokens.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import { failure, rateLimited, success, type Failure, type Response } from "../session/responses.ts";
import type { Session } from "../session/session.ts";
import { hashStep, limitLogin, verifyStep, type HashStep } from "./password-step.ts";

/** The cost of a signature, in lookups. */
const RENEWAL_COST = 20;

const REGISTERED = { es: "Usuario registrado exitosamente", en: "User registered" };
const LOGGED_IN = { es: "Login exitoso", en: "Logged in" };

/** An id that no account has. */
const NO_ACCOUNT = 0;

/** The addresses of the client that logs in, and whether it ends another session of the account. */
type Place = {
  readonly p2p_port: number;
  readonly addresses: string[] | undefined;
  readonly replace?: boolean | undefined;
  readonly relay_only: boolean | undefined;
};

export async function register(
  session: Session,
  request: RequestOf<"register">,
): Promise<Response | undefined> {
  const { accounts, registration, security, throttle, now } = session.services;
  const name = checkUsername(request.username);
  const email = request.email ?? "";
  if (registration === "closed") return failure("registration_closed");
  if (!name.ok) return failure("invalid_username");
  if (!isPasswordAcceptable(request.password)) return failure("weak_password");
  if (!isEmailAcceptable(email)) return failure("invalid_email");
  const refused = await retryWhileLocked(session, () => {
    const isTaken = accounts.isTaken(name.name, now());
    const verdict = throttle.registration(session.remoteAddress, isTaken);
    if (verdict.name === "limited") return rateLimited(verdict);
    return isTaken ? failure("username_taken") : undefined;
  });
  if (refused !== undefined) return refused;
  const hash = await hashStep(session, request.password);
  if (hash.name === "ended") return hash.response;
  return retryWhileLocked(session, () => {
    const added = accounts.add({ username: name.name, hash: hash.value, email }, now());
    if (!added) return failure("username_taken");
    security.record("registered", { user: name.name, ...originOf(session) });
    return success({ message: REGISTERED });
  });
}

/**
 * The key (DER) of a request, once the client has proven on this connection that it has the private key (PROTOCOL 3).
 * Uses neither the database nor a password hash; a wrong proof is counted as a failed resume.
 */
function checkKey(
  session: Session,
  publicKey: string,
  { key_proof }: { readonly key_proof: string | undefined },
): { readonly name: "proven"; readonly spki: Buffer } | Failure {
  const spki = parsePublicKey(publicKey);
  if (spki === undefined) return failure("bad_request", { field: "public_key" });
  const proof = key_proof === undefined ? undefined : parseSignature(key_proof);
  if (proof === undefined) return failure("bad_request", { field: "key_proof" });
  if (isKeyProven(spki, proof, session.provenConnection)) return { name: "proven", spki };
  const verdict = session.services.throttle.failedResume(session.remoteAddress);
  if (verdict.name === "limited") return limitLogin(session, verdict);
  return refuseLogin(session, "key_not_proven", session.user?.username, "invalid_credentials");
}

export async function login(session: Session, request: RequestOf<"login">): Promise<Response | undefined> {
  if (session.user !== undefined) return failure("already_logged_in");
  const key = request.public_key === undefined ? undefined : checkKey(session, request.public_key, request);
  if (key?.name === "failure") return key;
  const spki = key?.spki;
  const { accounts, tokens } = session.services;
  const claim = await retryWhileLocked(session, () => {
    const account = accounts.find(request.username);
    // Also for an unknown name, so that it takes the same time.
    const isKnown = spki !== undefined && tokens.knows(account?.id ?? NO_ACCOUNT, spki);
    return { fold: fold(request.username), account, device: isKnown ? fingerprint(spki) : undefined };
  });
  if (claim === undefined) return undefined;
  const verified = await verifyStep(session, request.password, claim);
  if (verified.name === "ended") return verified.response;
  return retryWhileLocked(session, () => {
    const account = verified.value && accounts.unchanged(verified.value);
    if (account === undefined || account.disabled !== 0) {
      // An unknown name is not recorded: it may be a password typed in the wrong field.
      const user = claim.account?.username;
      return refuseLogin(session, "login_failed", user, account ? "account_disabled" : "invalid_credentials");
    }
    return logIn(session, account, request, spki);
  });
}

export async function resume(session: Session, request: RequestOf<"resume">): Promise<Response | undefined> {
  const { accounts, now, throttle, tokens } = session.services;
  if (session.user !== undefined) return failure("already_logged_in");
  const key = checkKey(session, request.public_key, request);
  if (key.name === "failure") return key;
  const { spki } = key;
  return retryWhileLocked(session, () => {
    const token = tokens.use(request.session_token, spki, now());
    const account = token === undefined ? undefined : accounts.byId(token.userId);
    if (token !== undefined && account !== undefined && account.disabled === 0) {
      const resumed = { token: request.session_token, hash: token.hash };
      return logIn(session, account, request, spki, resumed);
    }
    const verdict = throttle.failedResume(session.remoteAddress);
    if (verdict.name === "limited") return limitLogin(session, verdict);
    const code = account === undefined ? "invalid_credentials" : "account_disabled";
    return refuseLogin(session, "resume_failed", account?.username, code);
  });
}

/**
 * Checks that `account` may log in now, and binds it to the session, in one synchronous step. It is retried while the
 * database is locked, so nothing may be charged, counted or recorded before the token is issued.
 */
function logIn(
  session: Session,
  account: Account,
  place: Place,
  spki: Buffer | undefined,
  resumed?: { readonly token: string; readonly hash: string },
): Response {
  const { authority, metrics, presence, revocations, security, throttle, tokens } = session.services;
  const now = session.services.now();
  const live = presence.find(account.fold);
  const shown = spki === undefined ? undefined : fingerprint(spki);
  // The same key is the same device, which has reconnected before its old connection was dropped.
  const isElsewhere = live !== undefined && (shown === undefined || live.key?.fingerprint !== shown);
  const verdict = throttle.session(account.id, session.remoteAddress, isElsewhere);
  if (verdict.name === "limited") return limitLogin(session, verdict);
  if (isElsewhere && place.replace !== true) {
    verdict.charge();
    return refuseLogin(session, "login_failed", account.username, "already_connected");
  }
  const added: { [name: string]: unknown } = {
    authority: authority.certificatePem,
    time: new Date(now).toISOString(),
  };
  if (!session.isLegacy) {
    const { revoked, next } = revocations.page();
    added["revoked"] = revoked;
    added["revoked_next"] = next;
  }
  let key: OnlineUser["key"];
  if (spki !== undefined && shown !== undefined) {
    const from = revocations.since(label(account.username));
    const issued =
      resumed === undefined ? tokens.issue(account.id, spki, now) : { ...resumed, newKey: false };
    const { pem, expiresAt } = authority.certify(spki, account.username, from);
    key = { fingerprint: shown, tokenHash: issued.hash };
    added["session_token"] = issued.token;
    added["certificate"] = pem;
    added["expires_at"] = new Date(expiresAt).toISOString();
    added["new_key"] = issued.newKey;
  }
  verdict.charge();
  const isRelayOnly = place.relay_only === true;
  session.bind({
    userId: account.id,
    username: account.username,
    fold: account.fold,
    since: now,
    ip: session.remoteAddress,
    p2pPort: isRelayOnly ? NO_PORT : place.p2p_port,
    addresses: (!isRelayOnly && place.addresses?.join(" ")) || "",
    reach: undefined,
    isRelayOnly,
    key,
    session,
  });
  metrics.logins.add(resumed === undefined ? "ok" : "resumed");
  security.record(resumed === undefined ? "login" : "resumed", {
    user: account.username,
    ...originOf(session),
    p2p_port: place.p2p_port,
    fingerprint: key?.fingerprint,
    new_key: added["new_key"] === true ? true : undefined,
    replaced: live === undefined ? undefined : true,
  });
  return success({ message: LOGGED_IN, common: { username: account.username }, added });
}

/** Counts and records a login or resume that is refused. */
function refuseLogin(
  session: Session,
  event: "login_failed" | "resume_failed" | "key_not_proven",
  user: string | undefined,
  code: "invalid_credentials" | "account_disabled" | "already_connected",
): Failure {
  const { metrics, security } = session.services;
  metrics.logins.add(code === "invalid_credentials" ? "wrong" : "refused");
  security.record(event, { user, ...originOf(session), why: code });
  return failure(code);
}

export async function renew(
  session: Session,
  request: RequestOf<"renew">,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { authority, now, revocations, throttle, tokens } = session.services;
  const proven = checkKey(session, request.public_key, request);
  if (proven.name === "failure") return proven;
  const { spki } = proven;
  // A new key needs the password.
  const { key } = user;
  if (key?.fingerprint !== fingerprint(spki)) return failure("invalid_credentials");
  const verdict = throttle.lookup(user.userId, session.network, RENEWAL_COST);
  if (verdict.name === "limited") return rateLimited(verdict);
  return retryWhileLocked(session, () => {
    const { pem, expiresAt } = authority.certify(
      spki,
      user.username,
      revocations.since(label(user.username)),
    );
    tokens.renewed(key.tokenHash, now());
    return success({
      added: {
        certificate: pem,
        expires_at: new Date(expiresAt).toISOString(),
        time: new Date(now()).toISOString(),
      },
    });
  });
}

/** The connection is ended after the answer. */
export async function logout(
  session: Session,
  _request: unknown,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { security, tokens } = session.services;
  return retryWhileLocked(session, () => {
    if (user.key !== undefined) tokens.voidKey(user.userId, user.key.fingerprint);
    security.record("logout", { user: user.username, ...originOf(session) });
    return success();
  });
}

export async function changePassword(
  session: Session,
  request: RequestOf<"change_password">,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { accounts, revocations, security } = session.services;
  if (!isPasswordAcceptable(request.new_password)) return failure("weak_password");
  const verified = await verifyOwnPassword(session, request.password, user);
  if (verified.name === "ended") return verified.response;
  const account = verified.value;
  if (account === undefined) {
    security.record("password_change_failed", { user: user.username, ...originOf(session) });
    return failure("invalid_credentials");
  }
  const hash = await hashStep(session, request.new_password);
  if (hash.name === "ended") return hash.response;
  return retryWhileLocked(session, () => {
    if (accounts.unchanged(account) === undefined) return failure("invalid_credentials");
    const { key } = user;
    revocations.revoke(account, { name: "password", key: key?.fingerprint }, () =>
      accounts.setPassword(account.id, hash.value, key && hashBytes(key.tokenHash)),
    );
    security.record("password_changed", { user: user.username, ...originOf(session) });
    return success();
  });
}

export async function deleteAccount(
  session: Session,
  request: RequestOf<"delete_account">,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { accounts, revocations, security, now } = session.services;
  const verified = await verifyOwnPassword(session, request.password, user);
  if (verified.name === "ended") return verified.response;
  return retryWhileLocked(session, () => {
    const account = verified.value && accounts.unchanged(verified.value);
    if (account === undefined) {
      security.record("account_deletion_failed", { user: user.username, ...originOf(session) });
      return failure("invalid_credentials");
    }
    revocations.revoke(account, { name: "deletion" }, () => accounts.delete(account, now()));
    session.unbind();
    security.record("account_deleted", { user: account.username, ...originOf(session) });
    return success();
  });
}

/** `verifyStep` for the user who is logged in. */
async function verifyOwnPassword(
  session: Session,
  password: string,
  user: OnlineUser,
): Promise<HashStep<Account | undefined>> {
  const { accounts } = session.services;
  const account = await retryWhileLocked(session, () => accounts.byId(user.userId));
  return verifyStep(session, password, { fold: user.fold, account, device: user.key?.fingerprint });
}

/** The address and the name of the request, for the logs. */
function originOf(session: Session): { address: string; request: string } {
  return { address: session.remoteAddress, request: session.requestName };
}
