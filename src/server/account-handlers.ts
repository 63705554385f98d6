/** Handlers of what changes accounts and who is logged in (PROTOCOL 4). */
import { fingerprint } from "../identity/fingerprint.ts";
import { parsePublicKey } from "../identity/keys.ts";
import { checkUsername } from "../identity/names.ts";
import type { Action, RequestOf } from "../protocol/rendezvous-messages.ts";
import { isEmailAcceptable } from "../protocol/email-rule.ts";
import { isPasswordAcceptable } from "../protocol/password-rule.ts";
import type { Account } from "./accounts.ts";
import type { Later } from "./handlers.ts";
import type { LinkSession } from "./link-session.ts";
import type { HashOutcome } from "./passwords.ts";
import { failure, success, type Response } from "./responses.ts";
import type { OnlineUser, Services } from "./services.ts";

const REGISTERED = { es: "Usuario registrado exitosamente", en: "User registered" };
const LOGGED_IN = { es: "Login exitoso", en: "Logged in" };

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
  if (!name.ok) return failure("register", "invalid_username");
  if (!isPasswordAcceptable(request.password)) return failure("register", "weak_password");
  if (!isEmailAcceptable(email)) return failure("register", "invalid_email");
  if (accounts.isTaken(name.name, services.now())) return failure("register", "username_taken");
  return hash(session, "register", request.password, later, (hashed) => {
    const added = accounts.add({ username: name.name, hash: hashed, email }, services.now());
    if (!added) return failure("register", "username_taken");
    services.log.info("registered", { user: name.name, address: session.remoteAddress });
    return success("register", { message: REGISTERED });
  });
}

export function login(session: LinkSession, request: RequestOf<"login">, later: Later): Response | undefined {
  if (session.state.name === "loggedIn") return failure("login", "already_logged_in");
  const spki = request.public_key === undefined ? undefined : parsePublicKey(request.public_key);
  if (request.public_key !== undefined && spki === undefined) {
    return failure("login", "bad_request", { field: "public_key" });
  }
  const found = session.services.accounts.find(request.username);
  return verify(session, "login", request.password, found, later, (account) => {
    if (account === undefined) {
      session.services.log.info("login_failed", { user: request.username, address: session.remoteAddress });
      return failure("login", "invalid_credentials");
    }
    if (account.disabled !== 0) return failure("login", "account_disabled");
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
  if (token === undefined || account === undefined) return failure("resume", "invalid_credentials");
  if (account.disabled !== 0) return failure("resume", "account_disabled");
  return logIn(session, "resume", account, request, spki, { token: request.session_token, hash: token.hash });
}

/** Who has proven to be `account` is bound to the connection, in one step with the check that he may. */
function logIn(
  session: LinkSession,
  request: "login" | "resume",
  account: Account,
  place: Place,
  spki: Buffer | undefined,
  resumed: { token: string; hash: Uint8Array } | undefined,
): Response {
  const { services } = session;
  const now = services.now();
  const live = services.presence.find(account.fold);
  // The same key is the same device, back again before its old connection was missed.
  if (live !== undefined && (spki === undefined || live.key?.spki.equals(spki) !== true)) {
    return failure(request, "already_connected");
  }
  const added: { [name: string]: unknown } = {
    authority: services.authority.certificatePem,
    time: new Date(now).toISOString(),
  };
  let key: OnlineUser["key"];
  if (spki !== undefined) {
    const { pem, expiresAt } = services.authority.certify(spki, account.username);
    const issued =
      resumed === undefined
        ? services.tokens.issue(account.id, spki, now)
        : { token: resumed.token, hash: resumed.hash, newKey: false };
    key = { spki, fingerprint: fingerprint(spki), tokenHash: issued.hash };
    added["session_token"] = issued.token;
    added["certificate"] = pem;
    added["expires_at"] = new Date(expiresAt).toISOString();
    added["new_key"] = issued.newKey;
  }
  session.bind({
    userId: account.id,
    username: account.username,
    fold: account.fold,
    ip: session.remoteAddress,
    p2pPort: place.p2p_port,
    addresses: place.addresses ?? [],
    key,
    session,
  });
  services.log.info("online", {
    user: account.username,
    address: session.remoteAddress,
    p2p_port: place.p2p_port,
    by: request,
    secure: key !== undefined,
    replaced: live !== undefined,
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
  if (user.key?.spki.equals(spki) !== true) return failure("renew", "invalid_credentials");
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
  if (user.key !== undefined) session.services.tokens.void(user.key.tokenHash);
  return success("logout");
}

export function changePassword(
  session: LinkSession,
  request: RequestOf<"change_password">,
  later: Later,
  user: OnlineUser,
): Response | undefined {
  const { accounts, log } = session.services;
  if (!isPasswordAcceptable(request.new_password)) return failure("change_password", "weak_password");
  const found = accounts.byId(user.userId);
  return verify(session, "change_password", request.password, found, later, (account) => {
    if (account === undefined) return failure("change_password", "invalid_credentials");
    return hash(session, "change_password", request.new_password, later, (hashed) => {
      if (accounts.byId(account.id)?.password !== account.password) {
        return failure("change_password", "invalid_credentials");
      }
      accounts.setPassword(account.id, hashed, user.key?.tokenHash);
      log.info("password_changed", { user: user.username });
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
  const { accounts, log, now } = session.services;
  const found = accounts.byId(user.userId);
  return verify(session, "delete_account", request.password, found, later, (account) => {
    if (account === undefined) return failure("delete_account", "invalid_credentials");
    accounts.delete(account, now());
    session.unbind();
    log.info("account_deleted", { user: account.username });
    return success("delete_account");
  });
}

/**
 * Compares a password with an account's, or with the dummy in the same time, and goes on with the
 * account as it is then: undefined when the password is wrong, or it was changed or deleted meanwhile.
 */
function verify(
  session: LinkSession,
  action: Action,
  password: string,
  account: Account | undefined,
  later: Later,
  then: (account: Account | undefined) => Response | undefined,
): Response | undefined {
  const { passwords, accounts, dummyHash }: Services = session.services;
  const queued = passwords.verify(
    password,
    account?.password ?? dummyHash,
    () => session.isAlive,
    (outcome) =>
      afterHash(session, action, outcome, later, (matches) => {
        const current = account === undefined ? undefined : accounts.byId(account.id);
        return then(matches && current?.password === account?.password ? current : undefined);
      }),
  );
  return queued ? undefined : failure(action, "server_busy");
}

function hash(
  session: LinkSession,
  action: Action,
  password: string,
  later: Later,
  then: (hash: string) => Response | undefined,
): Response | undefined {
  const queued = session.services.passwords.hash(
    password,
    () => session.isAlive,
    (outcome) => afterHash(session, action, outcome, later, then),
  );
  return queued ? undefined : failure(action, "server_busy");
}

function afterHash<T>(
  session: LinkSession,
  action: Action,
  outcome: HashOutcome<T>,
  later: Later,
  then: (value: T) => Response | undefined,
): void {
  // Nobody is there to be answered: nothing is done, and nobody comes online.
  if (!session.isAlive) return;
  later(() => {
    switch (outcome.name) {
      case "done":
        return then(outcome.value);
      case "closing":
        return failure(action, "server_closing");
      case "failed":
        throw outcome.error;
      default:
        return outcome satisfies never;
    }
  });
}
