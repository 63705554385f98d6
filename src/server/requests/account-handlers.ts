/** The handlers of the requests that change accounts and sessions (PROTOCOL 4). */
import { fingerprint } from "../../identity/fingerprint.ts";
import { isKeyProven, parseSignature } from "../../identity/connection-proof.ts";
import { parsePublicKey } from "../../identity/keys.ts";
import { checkUsername, fold, label } from "../../identity/names.ts";
import { NO_PORT, type RequestOf } from "../../protocol/rendezvous-messages.ts";
import { isEmailAcceptable, isPasswordAcceptable } from "../../protocol/account-rules.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import { failure, rateLimited, success, type Failure, type Response } from "../session/responses.ts";
import type { Session } from "../session/session.ts";
import { hashOfToken, newToken } from "../store/session-token.ts";
import { unchanged, type Account } from "../store/store.ts";
import { hashStep, limitLogin, verifyStep, type HashStep } from "./password-step.ts";

/** The cost of a signature, in lookups. */
const RENEWAL_COST = 20;

const REGISTERED = { es: "Usuario registrado exitosamente", en: "User registered" };
const LOGGED_IN = { es: "Login exitoso", en: "Logged in" };

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
  const { registration, security, store, throttle } = session.services;
  const name = checkUsername(request.username);
  const email = request.email ?? "";
  if (registration === "closed") return failure("registration_closed");
  if (!name.ok) return failure("invalid_username");
  if (!isPasswordAcceptable(request.password)) return failure("weak_password");
  if (!isEmailAcceptable(email)) return failure("invalid_email");
  const isTaken = await store.isTaken(fold(name.name));
  const verdict = throttle.registration(session.remoteAddress, isTaken);
  if (verdict.name === "limited") return rateLimited(verdict);
  if (isTaken) return failure("username_taken");
  const hash = await hashStep(session, request.password);
  if (hash.name === "ended") return hash.response;
  const added = await store.add({ username: name.name, password: hash.value, email });
  if (!added) return failure("username_taken");
  security.record("registered", { user: name.name, ...originOf(session) });
  return success({ message: REGISTERED });
}

/**
 * The key (DER) of a request, once the client has proven on this connection that it has the private key (PROTOCOL 3).
 * Uses neither the store nor a password hash; a wrong proof is counted as a failed resume.
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
  const { revocations, store } = session.services;
  const folded = fold(request.username);
  const found = await store.account(folded, spki);
  const device = found?.isKnown === true && spki !== undefined ? fingerprint(spki) : undefined;
  const claim = { fold: folded, account: found?.account, device };
  const verified = await verifyStep(session, request.password, claim);
  if (verified.name === "ended") return verified.response;
  for (;;) {
    const { version } = revocations;
    const account = verified.value && (await unchanged(store, verified.value));
    if (account === undefined || account.disabled) {
      // An unknown name is not recorded: it may be a password typed in the wrong field.
      const user = claim.account?.username;
      return refuseLogin(session, "login_failed", user, account ? "account_disabled" : "invalid_credentials");
    }
    // What the operator has taken back meanwhile cannot have ended this session, which did not exist.
    if (version !== revocations.version) continue;
    return spki === undefined
      ? logIn(session, account, request, undefined)
      : logInWithNewToken(session, account, request, spki);
  }
}

/** As `logIn`, with a token that it makes. It is void again unless the account is still as it was. */
async function logInWithNewToken(
  session: Session,
  account: Account,
  place: Place,
  spki: Buffer,
): Promise<Response | undefined> {
  const { revocations, store } = session.services;
  const admitted = admit(session, account, place, fingerprint(spki));
  if (admitted.name === "failure") return admitted;
  const made = newToken();
  const issued = await store.issue(account, made.hash, spki);
  for (;;) {
    const { version } = revocations;
    const current = issued && (await store.use(made.hash, spki));
    if (version !== revocations.version) continue;
    if (issued !== undefined && current !== undefined && !current.disabled) {
      const answer = logIn(session, current, place, { spki, ...made, ...issued });
      if (answer?.name !== "failure") return answer;
      // Another session of the name has begun meanwhile.
      await store.void(made.hash);
      return answer;
    }
    const isDisabled = (await store.byId(account.id))?.disabled === true;
    const code = isDisabled ? "account_disabled" : "invalid_credentials";
    return refuseLogin(session, "login_failed", account.username, code);
  }
}

export async function resume(session: Session, request: RequestOf<"resume">): Promise<Response | undefined> {
  const { revocations, store, throttle } = session.services;
  if (session.user !== undefined) return failure("already_logged_in");
  const key = checkKey(session, request.public_key, request);
  if (key.name === "failure") return key;
  const { spki } = key;
  const token = request.session_token;
  const hash = hashOfToken(token);
  for (;;) {
    const { version } = revocations;
    const account = hash === undefined ? undefined : await store.use(hash, spki);
    // As in `login`.
    if (version !== revocations.version) continue;
    if (hash !== undefined && account !== undefined && !account.disabled) {
      return logIn(session, account, request, { spki, token, hash, newKey: false, isResumed: true });
    }
    const verdict = throttle.failedResume(session.remoteAddress);
    if (verdict.name === "limited") return limitLogin(session, verdict);
    const code = account === undefined ? "invalid_credentials" : "account_disabled";
    return refuseLogin(session, "resume_failed", account?.username, code);
  }
}

/** Whether `account` may log in now, with the key of this fingerprint, if any. Nothing is charged unless it is refused. */
function admit(session: Session, account: Account, place: Place, shown: string | undefined): Admission {
  const { presence, throttle } = session.services;
  const live = presence.find(account.fold);
  // The same key is the same device, which has reconnected before its old connection was dropped.
  const isElsewhere = live !== undefined && (shown === undefined || live.key?.fingerprint !== shown);
  const verdict = throttle.session(account.id, session.remoteAddress, isElsewhere);
  if (verdict.name === "limited") return limitLogin(session, verdict);
  if (isElsewhere && place.replace !== true) {
    verdict.charge();
    return refuseLogin(session, "login_failed", account.username, "already_connected");
  }
  return { name: "admitted", isReplacing: live !== undefined, charge: () => verdict.charge() };
}

type Admission = { readonly name: "admitted"; readonly isReplacing: boolean; charge(): void } | Failure;

/** A key, and the token that was issued for it. */
type Credentials = {
  readonly spki: Buffer;
  readonly token: string;
  readonly hash: string;
  readonly newKey: boolean;
  readonly isResumed?: true;
};

/**
 * Checks that `account` may log in now, and binds it to the session, in one synchronous step.
 * @param shown undefined for a legacy client.
 * @returns undefined if the client has disconnected.
 */
function logIn(
  session: Session,
  account: Account,
  place: Place,
  shown: Credentials | undefined,
): Response | undefined {
  if (!session.isAlive) return undefined;
  const { authority, metrics, revocations, security } = session.services;
  const now = session.services.now();
  const key = shown && { fingerprint: fingerprint(shown.spki), tokenHash: shown.hash };
  const admitted = admit(session, account, place, key?.fingerprint);
  if (admitted.name === "failure") return admitted;
  const added: { [name: string]: unknown } = {
    authority: authority.certificatePem,
    time: new Date(now).toISOString(),
  };
  if (!session.isLegacy) {
    const { revoked, next } = revocations.page();
    added["revoked"] = revoked;
    added["revoked_next"] = next;
  }
  if (shown !== undefined) {
    const from = revocations.since(label(account.username));
    const { pem, expiresAt } = authority.certify(shown.spki, account.username, from);
    added["session_token"] = shown.token;
    added["certificate"] = pem;
    added["expires_at"] = new Date(expiresAt).toISOString();
    added["new_key"] = shown.newKey;
  }
  admitted.charge();
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
  const isResumed = shown?.isResumed === true;
  metrics.logins.add(isResumed ? "resumed" : "ok");
  security.record(isResumed ? "resumed" : "login", {
    user: account.username,
    ...originOf(session),
    p2p_port: place.p2p_port,
    fingerprint: key?.fingerprint,
    new_key: shown?.newKey === true ? true : undefined,
    replaced: admitted.isReplacing ? true : undefined,
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
  const { authority, now, revocations, store, throttle } = session.services;
  const proven = checkKey(session, request.public_key, request);
  if (proven.name === "failure") return proven;
  const { spki } = proven;
  // A new key needs the password.
  const { key } = user;
  if (key?.fingerprint !== fingerprint(spki)) return failure("invalid_credentials");
  const verdict = throttle.lookup(user.userId, session.network, RENEWAL_COST);
  if (verdict.name === "limited") return rateLimited(verdict);
  const account = await store.use(key.tokenHash, spki);
  if (account === undefined) return failure("invalid_credentials");
  if (account.disabled) return failure("account_disabled");
  // The session may have been ended meanwhile, and its certificates with it.
  if (!session.isAlive) return undefined;
  const { pem, expiresAt } = authority.certify(spki, user.username, revocations.since(label(user.username)));
  return success({
    added: {
      certificate: pem,
      expires_at: new Date(expiresAt).toISOString(),
      time: new Date(now()).toISOString(),
    },
  });
}

/** The connection is ended after the answer. */
export async function logout(
  session: Session,
  _request: unknown,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { security, store } = session.services;
  if (user.key !== undefined) await store.voidKey(user.userId, user.key.fingerprint);
  security.record("logout", { user: user.username, ...originOf(session) });
  return success();
}

export async function changePassword(
  session: Session,
  request: RequestOf<"change_password">,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { revocations, security, store } = session.services;
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
  const { key } = user;
  const change = { id: account.id, was: account.password, hash: hash.value, kept: key?.tokenHash };
  const changed = await store.setPassword(change, { name: "password", key: key?.fingerprint });
  if (changed === undefined) return failure("invalid_credentials");
  revocations.changed(changed);
  security.record("password_changed", { user: user.username, ...originOf(session) });
  return success();
}

export async function deleteAccount(
  session: Session,
  request: RequestOf<"delete_account">,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { presence, revocations, security, store } = session.services;
  const verified = await verifyOwnPassword(session, request.password, user);
  if (verified.name === "ended") return verified.response;
  const account = verified.value;
  const deleted = account && (await store.delete(account.id, account.password, { name: "deletion" }));
  if (deleted === undefined) {
    security.record("account_deletion_failed", { user: user.username, ...originOf(session) });
    return failure("invalid_credentials");
  }
  revocations.changed(deleted);
  // Another session may have replaced this one meanwhile.
  const live = presence.find(user.fold);
  if (live === user) session.unbind();
  else live?.session.end("account_deleted");
  security.record("account_deleted", { user: user.username, ...originOf(session) });
  return success();
}

/** `verifyStep` for the user who is logged in. */
async function verifyOwnPassword(
  session: Session,
  password: string,
  user: OnlineUser,
): Promise<HashStep<Account | undefined>> {
  const account = await session.services.store.byId(user.userId);
  return verifyStep(session, password, { fold: user.fold, account, device: user.key?.fingerprint });
}

/** The address and the name of the request, for the logs. */
function originOf(session: Session): { address: string; request: string } {
  return { address: session.remoteAddress, request: session.requestName };
}
