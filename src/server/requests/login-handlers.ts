/** The handlers of `login`, `resume` and `renew` (PROTOCOL 4), which give certificates. */
import { fingerprint } from "../../identity/fingerprint.ts";
import { isKeyProven, parseSignature } from "../../identity/connection-proof.ts";
import { parsePublicKey } from "../../identity/keys.ts";
import { fold, label } from "../../identity/names.ts";
import { NO_PORT, type RequestOf } from "../../protocol/rendezvous-messages.ts";
import type { OnlineUser, OwnUser } from "../presence/online-user.ts";
import type { Claim } from "../presence/seats.ts";
import { failure, rateLimited, success, type Failure, type Response } from "../session/responses.ts";
import type { Session } from "../session/session.ts";
import { hashOfToken, newToken } from "../store/session-token.ts";
import { unchanged, type Account } from "../store/store.ts";
import { limitLogin, verifyStep } from "./password-step.ts";

/** The cost of a signature, in lookups. */
const RENEWAL_COST = 20;

const LOGGED_IN = { es: "Login exitoso", en: "Logged in" };

/** The addresses of the client that logs in, and whether it ends another session of the account. */
type Place = {
  readonly p2p_port: number;
  readonly addresses: string[] | undefined;
  readonly replace?: boolean | undefined;
  readonly relay_only: boolean | undefined;
};

export async function login(session: Session, request: RequestOf<"login">): Promise<Response | undefined> {
  if (session.user !== undefined) return failure("already_logged_in");
  const key =
    request.public_key === undefined ? undefined : await checkKey(session, request.public_key, request);
  if (key?.name === "failure") return key;
  const spki = key?.spki;
  const { seats, store } = session.services;
  // Before a hash is computed for nothing.
  if (!seats.isOpen) return failure("server_busy");
  const folded = fold(request.username);
  return claimed(session, folded, async (claim) => {
    const found = await store.account(folded, spki);
    const device = found?.isKnown === true && spki !== undefined ? fingerprint(spki) : undefined;
    const tried = { fold: folded, account: found?.account, device };
    const verified = await verifyStep(session, request.password, tried);
    if (verified.name === "ended") return verified.response;
    const account = verified.value && (await unchanged(store, verified.value));
    if (account === undefined || account.disabled) {
      // An unknown name is not recorded: it may be a password typed in the wrong field.
      const user = found?.account.username;
      return refuseLogin(session, "login_failed", user, account ? "account_disabled" : "invalid_credentials");
    }
    const made = spki && { spki, ...newToken() };
    const seat = await takeSeat(session, claim, account, request, made);
    if (seat.name === "refused") return seat.response;
    if (made === undefined) return logIn(session, seat, undefined);
    const issued = await store.issue(account, made.hash, made.spki);
    if (issued === undefined) return refuseChanged(session, account, "login_failed");
    const answer = await logIn(session, seat, { ...made, ...issued });
    // Nobody has been told of the token.
    if (answer?.name === "failure") await store.void(made.hash);
    return answer;
  });
}

export async function resume(session: Session, request: RequestOf<"resume">): Promise<Response | undefined> {
  const { attempts, revocations, store } = session.services;
  if (session.user !== undefined) return failure("already_logged_in");
  const key = await checkKey(session, request.public_key, request);
  if (key.name === "failure") return key;
  const { spki } = key;
  const token = request.session_token;
  const hash = hashOfToken(token);
  for (;;) {
    const { version } = revocations;
    const account = hash === undefined ? undefined : await store.use(hash, spki);
    // What the operator has taken back meanwhile could not end this login, whose name was not known.
    if (version !== revocations.version) continue;
    if (hash !== undefined && account !== undefined && !account.disabled) {
      return claimed(session, account.fold, async (claim) => {
        const shown: Credentials = { spki, token, hash, newKey: false, isResumed: true };
        const seat = await takeSeat(session, claim, account, request, shown);
        return seat.name === "refused" ? seat.response : logIn(session, seat, shown);
      });
    }
    const verdict = await attempts.failedResume(session.remoteAddress);
    if (verdict.name === "limited") return limitLogin(session, verdict);
    const code = account === undefined ? "invalid_credentials" : "account_disabled";
    return refuseLogin(session, "resume_failed", account?.username, code);
  }
}

/** Logs in under a claim to the name, which is given up unless the session is bound by it. */
async function claimed(
  session: Session,
  fold: string,
  attempt: (claim: Claim) => Promise<Response | undefined>,
): Promise<Response | undefined> {
  const { seats } = session.services;
  const claim = seats.claim(fold, session);
  try {
    return await attempt(claim);
  } finally {
    if (session.user === undefined) seats.leave(claim);
  }
}

/** A key, and the token that was issued for it. */
type Credentials = {
  readonly spki: Buffer;
  readonly token: string;
  readonly hash: string;
  readonly newKey: boolean;
  readonly isResumed?: true;
};

/** What a login has taken. `charge`: it counts towards the limits of sessions. */
type Seat = {
  readonly name: "taken";
  readonly claim: Claim;
  readonly account: Account;
  readonly user: OwnUser;
  readonly isReplacing: boolean;
  charge(): void;
};

/**
 * Checks that `account` may log in now, and takes its seat. Nothing is charged unless it is refused.
 * @param shown undefined for a legacy client.
 * @returns refused, without a response if the client has disconnected
 */
async function takeSeat(
  session: Session,
  claim: Claim,
  account: Account,
  place: Place,
  shown: Pick<Credentials, "spki" | "hash"> | undefined,
): Promise<Seat | { readonly name: "refused"; readonly response: Response | undefined }> {
  const { now, presence, seats, throttle } = session.services;
  if (!session.isAlive) return { name: "refused", response: undefined };
  const key = shown && { fingerprint: fingerprint(shown.spki), tokenHash: shown.hash };
  const live = presence.find(account.fold);
  const isElsewhere = live !== undefined && (key === undefined || live.key?.fingerprint !== key.fingerprint);
  const verdict = throttle.session(account.id, session.remoteAddress, isElsewhere);
  if (verdict.name === "limited") return { name: "refused", response: limitLogin(session, verdict) };
  const isRelayOnly = place.relay_only === true;
  const user: OwnUser = {
    userId: account.id,
    username: account.username,
    fold: account.fold,
    since: now(),
    ip: session.remoteAddress,
    p2pPort: isRelayOnly ? NO_PORT : place.p2p_port,
    addresses: (!isRelayOnly && place.addresses?.join(" ")) || "",
    reach: undefined,
    isRelayOnly,
    key,
    session,
  };
  const taken = await seats.take(claim, user, place.replace === true);
  switch (taken) {
    case "ok":
      return {
        name: "taken",
        claim,
        account,
        user,
        isReplacing: live !== undefined,
        charge: () => verdict.charge(),
      };
    case "already_connected":
      verdict.charge();
      return {
        name: "refused",
        response: refuseLogin(session, "login_failed", account.username, "already_connected"),
      };
    case "busy":
      return { name: "refused", response: failure("server_busy") };
    default:
      return taken satisfies never;
  }
}

/**
 * Binds the session by the seat that it has taken.
 * @param shown undefined for a legacy client.
 * @returns undefined if the client has disconnected
 */
async function logIn(
  session: Session,
  { claim, account, user, isReplacing, charge }: Seat,
  shown: Credentials | undefined,
): Promise<Response | undefined> {
  if (!session.isAlive) return undefined;
  const isResumed = shown?.isResumed === true;
  if (claim.isEnded) return refuseChanged(session, account, isResumed ? "resume_failed" : "login_failed");
  const { authority, metrics, now, revocations, security } = session.services;
  const added: { [name: string]: unknown } = {
    authority: authority.certificatePem,
    time: new Date(now()).toISOString(),
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
  charge();
  session.bind(user, claim);
  metrics.logins.add(isResumed ? "resumed" : "ok");
  security.record(isResumed ? "resumed" : "login", {
    user: account.username,
    ...originOf(session),
    p2p_port: user.p2pPort,
    fingerprint: user.key?.fingerprint,
    new_key: shown?.newKey === true ? true : undefined,
    replaced: isReplacing ? true : undefined,
  });
  return success({ message: LOGGED_IN, common: { username: account.username }, added });
}

/** Refuses a login whose account was changed, or whose sessions were ended, while it was under way. */
async function refuseChanged(
  session: Session,
  account: Account,
  event: "login_failed" | "resume_failed",
): Promise<Failure> {
  const current = await unchanged(session.services.store, account);
  if (current?.disabled === false) return failure("server_busy");
  return refuseLogin(session, event, account.username, current ? "account_disabled" : "invalid_credentials");
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
  const { authority, now, revocations, seats, store, throttle } = session.services;
  const proven = await checkKey(session, request.public_key, request);
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
  // The session may have been ended meanwhile, and its certificates with it; without a lease nobody would tell.
  if (!session.isAlive) return undefined;
  if (!seats.isOpen) return failure("server_busy");
  const { pem, expiresAt } = authority.certify(spki, user.username, revocations.since(label(user.username)));
  return success({
    added: {
      certificate: pem,
      expires_at: new Date(expiresAt).toISOString(),
      time: new Date(now()).toISOString(),
    },
  });
}

/**
 * The key (DER) of a request, once the client has proven on this connection that it has the private key (PROTOCOL 3).
 * Uses neither the store nor a password hash; a wrong proof is counted as a failed resume.
 */
async function checkKey(
  session: Session,
  publicKey: string,
  { key_proof }: { readonly key_proof: string | undefined },
): Promise<{ readonly name: "proven"; readonly spki: Buffer } | Failure> {
  const spki = parsePublicKey(publicKey);
  if (spki === undefined) return failure("bad_request", { field: "public_key" });
  const proof = key_proof === undefined ? undefined : parseSignature(key_proof);
  if (proof === undefined) return failure("bad_request", { field: "key_proof" });
  if (isKeyProven(spki, proof, session.provenConnection)) return { name: "proven", spki };
  const verdict = await session.services.attempts.failedResume(session.remoteAddress);
  if (verdict.name === "limited") return limitLogin(session, verdict);
  return refuseLogin(session, "key_not_proven", session.user?.username, "invalid_credentials");
}

/** The address and the name of the request, for the logs. */
export function originOf(session: Session): { address: string; request: string } {
  return { address: session.remoteAddress, request: session.requestName };
}
