/**
 * The login on a link to a trusted server (PROTOCOL 3 and 4).
 *
 * 1. The server must have the profile's authority: no other server receives a token or a password.
 * 2. `resume` with the stored token; if it is refused, or none is stored, `login` with the password.
 * 3. If another machine has the account online, the person may end that session: `login` with `replace`.
 * 4. The answer must contain a certificate of that authority, for this name and this key.
 */
import { X509Certificate } from "node:crypto";

import { proveKey, type ProvenConnection } from "../../identity/connection-proof.ts";
import { readUserCertificate } from "../../identity/certificate-reader.ts";
import type { KeyPair } from "../../identity/keys.ts";
import { label } from "../../identity/names.ts";
import type { Language } from "../../protocol/language.ts";
import { NO_PORT, type ResponseOf } from "../../protocol/rendezvous-messages.ts";
import type { OwnCertificate, Profile } from "../profile/profile.ts";
import type { RendezvousLink } from "./link.ts";
import type { ToldRevocations } from "./revocation-reader.ts";
import { ownAddresses } from "./surroundings.ts";
import { authorityFingerprint, received, receivedAuthority } from "./trust.ts";
import { PasswordNeededError, RefusedError, ServerError } from "./server-errors.ts";

/** Time between two reports that the server did not know this account's key, in ms: it can say so at each login. */
const NEW_KEY_INTERVAL = 3_600_000;

type LoginOptions = {
  readonly profile: Profile;
  readonly language: Language;
  readonly p2pPort: () => number | undefined;
  /** Called only if a password is needed; resolves to undefined if none is available. */
  readonly password: () => Promise<string | undefined>;
  /** Whether to end a session of this account that another machine has; undefined: nobody can be asked. */
  readonly replaceOther: (() => Promise<boolean>) | undefined;
  readonly now: () => number;
  readonly events: {
    /** The server did not know this account's key, with which it was online before. */
    newKey(): void;
  };
};

/** The fields of a request that show the account's key, and prove on this connection that its private key is here. */
export type ProvenKey = { readonly public_key: string; readonly key_proof: string };

export function provenKey({ privateKey, spki }: KeyPair, connection: ProvenConnection): ProvenKey {
  return { public_key: spki.toString("base64"), key_proof: proveKey(privateKey, connection) };
}

/**
 * Logs in on a link whose server has shown `authority`: by the stored token, else by the password. The
 * server's answer is checked and stored in the profile.
 * @returns what the server told of revocations
 * @throws ServerError, RefusedError, PasswordNeededError
 */
export async function logIn(
  link: RendezvousLink,
  authority: string,
  key: ProvenKey,
  options: LoginOptions,
): Promise<ToldRevocations> {
  const { profile, language } = options;
  const expected = authorityFingerprint(profile.authority);
  const found = authorityFingerprint(authority);
  if (found !== expected) throw new ServerError("server_other_account", { expected, found });
  const port = options.p2pPort();
  const place =
    port === undefined
      ? { p2p_port: NO_PORT, addresses: [], relay_only: true }
      : { p2p_port: port, addresses: ownAddresses() };
  const common = { ...place, ...key, lang: language };
  const token = profile.sessionToken;
  let replace = false;
  if (token !== undefined) {
    try {
      return accept(await link.request("resume", { session_token: token, ...common }), authority, options);
    } catch (error) {
      if (isRefused(error, "invalid_credentials")) profile.forgetToken();
      else replace = await mayReplace(error, options);
    }
  }
  const password = await options.password();
  if (password === undefined) throw new PasswordNeededError(token !== undefined);
  const login = { username: profile.username, password, ...common };
  try {
    return accept(await link.request("login", replace ? { ...login, replace } : login), authority, options);
  } catch (error) {
    replace = await mayReplace(error, options);
    return accept(await link.request("login", { ...login, replace }), authority, options);
  }
}

function isRefused(error: unknown, code: string): boolean {
  return error instanceof RefusedError && error.code === code;
}

/** Asks whether to end the session of the other machine. @throws the error, if it is another one, or the answer is no */
async function mayReplace(error: unknown, { replaceOther }: LoginOptions): Promise<true> {
  if (isRefused(error, "already_connected") && (await replaceOther?.()) === true) return true;
  throw error;
}

function accept(
  login: ResponseOf<"login_response">,
  authority: string,
  options: LoginOptions,
): ToldRevocations {
  const { profile, events } = options;
  if (login.certificate === undefined || login.authority === undefined)
    throw new ServerError("server_protocol");
  const expected = authorityFingerprint(authority);
  const found = receivedAuthority(login.authority).fingerprint;
  if (found !== expected) throw new ServerError("server_changed", { expected, found });
  if (label(login.username) !== label(profile.username)) throw new ServerError("server_protocol");
  const isUnexpectedKey = login.new_key === true && profile.hasBeenOnline;
  profile.saveLogin({
    username: login.username,
    token: login.session_token,
    certificate: checkCertificate(
      { certificate: login.certificate, time: login.time },
      login.username,
      options,
    ),
  });
  const { newKeyReportedAt: last } = profile;
  const isReported = last !== undefined && Math.abs(options.now() - last) < NEW_KEY_INTERVAL;
  if (isUnexpectedKey && !isReported) {
    profile.newKeyReportedAt = options.now();
    events.newKey();
  }
  return { revoked: login.revoked ?? [], next: login.revoked_next };
}

/**
 * Checks the certificate (PEM) that the server issued for this account's key: authority, key, name and dates. Peers
 * make the same checks, so a fault of the server is reported here and not by the first peer. The dates are compared
 * with the time that the server tells: a wrong clock of this machine is reported elsewhere, and ends no login.
 * @throws ServerError
 */
export function checkCertificate(
  issued: { readonly certificate: string; readonly time: string | undefined },
  username: string,
  { profile, now }: Pick<LoginOptions, "profile" | "now">,
): OwnCertificate {
  const certificate = received(() => new X509Certificate(issued.certificate));
  const authority = new X509Certificate(profile.authority);
  const user = received(() => readUserCertificate(certificate, authority));
  const told = Date.parse(issued.time ?? "");
  const time = Number.isNaN(told) ? now() : told;
  const isInDate = user.notBefore <= time && time <= user.notAfter;
  const isOurs = user.spki.equals(profile.keys.spki) && user.name === username;
  if (!isOurs || !isInDate) throw new ServerError("server_protocol");
  // The text may contain more than the checked certificate.
  return { pem: certificate.toString(), receivedAt: now(), expiresAt: user.notAfter };
}
