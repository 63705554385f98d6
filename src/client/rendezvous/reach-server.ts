/**
 * Reaches a server and verifies it by the rules of `trust.ts`. The result is a link on which `ping` has shown the
 * expected authority.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

import { hashLeaf, parseChallenge, type ProvenConnection } from "../../identity/connection-proof.ts";
import { readCertificate } from "../../identity/certificate-reader.ts";
import { lookAtServer, type Look } from "../../net/look.ts";
import { DialError, type Target } from "../../net/dialler.ts";
import { RendezvousLink, type LinkEvents } from "./link.ts";
import type { ServerStore, ServerTrust } from "./trust-store.ts";
import {
  authorityFingerprint,
  judgeDifference,
  judgeFirstContact,
  received,
  receivedAuthority,
  serverContext,
  standsBehind,
  unreachable,
  webName,
} from "./trust.ts";
import { RefusedError, ServerError } from "./server-errors.ts";

/** What the person is asked to confirm. `expected`: the pinned authority that would be replaced. */
export type AuthorityQuestion = {
  readonly found: string;
  readonly expected: string | undefined;
};

export type ReachOptions = {
  /** In its normal form (`normalHost`). */
  readonly host: string;
  readonly port: number;
  readonly servers: ServerStore;
  /** The fingerprint that the person typed for this server's authority. */
  readonly expectedFingerprint: string | undefined;
  /** Asks the person; undefined: there is no way to ask. */
  readonly confirm: ((question: AuthorityQuestion) => Promise<boolean>) | undefined;
  readonly now: () => number;
  readonly events: LinkEvents;
  readonly signal?: AbortSignal;
};

export type ReachedServer = {
  readonly link: RendezvousLink;
  /** PEM */
  readonly authority: string;
  /** The server's clock minus ours, in ms. */
  readonly clockOffset: number;
  /** What a proof of the account's key is about. */
  readonly connection: ProvenConnection;
  /** `closed`: only the operator makes accounts. */
  readonly registration: "open" | "closed";
};

/** The addresses of a host name or IP literal. @throws ServerError */
async function resolveHost(host: string, port: number): Promise<Target[]> {
  if (isIP(host) !== 0) return [{ ip: host, port }];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => ({ ip: address, port }));
  } catch {
    // Every failure of the name service means that the host was not found.
    throw new ServerError("server_unreachable", { why: "unknown_host" });
  }
}

/** @throws ServerError, RefusedError */
export async function reachServer(options: ReachOptions): Promise<ReachedServer> {
  const { host, port, servers } = options;
  const targets = await resolveHost(host, port);
  const stored = servers.get(host, port);
  const trust = stored ?? (await firstTrust(options, targets));
  try {
    return await openTrusted(options, targets, trust);
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    // `refused`: something answered and did not prove that it is this server.
    if (stored === undefined || error.code !== "refused") throw unreachable(error.lineCode);
    return settleDifference(options, targets, stored);
  }
}

/** A link verified as `trust` says. @throws DialError when the verification fails; ServerError, RefusedError */
async function openTrusted(
  options: ReachOptions,
  targets: readonly Target[],
  trust: ServerTrust,
): Promise<ReachedServer> {
  const context = serverContext(options.host, trust);
  const link = await RendezvousLink.open(targets, context, options.events, options.signal);
  return confirmAuthority(options, link, trust);
}

function look({ host, signal }: ReachOptions, targets: readonly Target[]): Promise<Look> {
  return lookAtServer(targets, webName(host), signal);
}

async function firstTrust(options: ReachOptions, targets: readonly Target[]): Promise<ServerTrust> {
  const contact = judgeFirstContact(await look(options, targets), options.now());
  if (contact.name === "web") return { kind: "web", authority: undefined };
  const { authority, fingerprint: found } = contact;
  if (options.expectedFingerprint !== undefined) {
    if (options.expectedFingerprint !== found) {
      throw new ServerError("server_changed", { expected: options.expectedFingerprint, found });
    }
  } else if (!contact.confirmed) {
    await ask(options, found, undefined);
  }
  return { kind: "pin", authority };
}

async function ask(options: ReachOptions, found: string, expected: string | undefined): Promise<void> {
  const code = expected === undefined ? "server_unconfirmed" : "server_changed";
  if (options.confirm === undefined) throw new ServerError(code, { expected, found });
  if (!(await options.confirm({ found, expected }))) {
    throw new ServerError("server_declined", { expected, found });
  }
}

/** After a failed verification: throws the reason, or connects if the rules or the person allow it. */
async function settleDifference(
  options: ReachOptions,
  targets: readonly Target[],
  stored: ServerTrust,
): Promise<ReachedServer> {
  const difference = judgeDifference(stored, await look(options, targets), options.now());
  let trust: ServerTrust;
  switch (difference.name) {
    case "error":
      throw difference.error;
    case "becameWeb":
      trust = { kind: "web", authority: stored.authority };
      break;
    case "otherAuthority":
      if (options.expectedFingerprint !== difference.found)
        await ask(options, difference.found, difference.expected);
      trust = { kind: "pin", authority: difference.authority };
      break;
    default:
      return difference satisfies never;
  }
  try {
    return await openTrusted(options, targets, trust);
  } catch (error) {
    throw error instanceof DialError ? unreachable(error.lineCode) : error;
  }
}

/** Sends `ping` first, and checks the authority in the answer, before anything else is sent. */
async function confirmAuthority(
  options: ReachOptions,
  link: RendezvousLink,
  trust: ServerTrust,
): Promise<ReachedServer> {
  try {
    const { leaf } = link;
    const pong = await link.request("ping", {});
    if (leaf === undefined) throw new ServerError("server_unreachable");
    const { authority, fingerprint: found } = receivedAuthority(pong.authority);
    const expected =
      options.expectedFingerprint ??
      (trust.authority === undefined ? undefined : authorityFingerprint(trust.authority));
    if (trust.kind === "web" && !standsBehind(authority, leaf, pong.authority_proof)) {
      // Somebody in the middle repeats the expected authority: then the key of the leaf is what differs.
      const isRepeated = expected === undefined || expected === found;
      throw new ServerError("server_changed", {
        expected: expected ?? found,
        found: isRepeated ? received(() => readCertificate(leaf)).fingerprint : found,
      });
    }
    if (expected !== undefined && expected !== found) {
      // A pin is proven by the handshake; the authority of a `web` server is replaced only when a person confirms it.
      if (trust.kind === "pin" || options.expectedFingerprint !== undefined) {
        throw new ServerError("server_changed", { expected, found });
      }
      await ask(options, found, expected);
    }
    const time = Date.parse(pong.time);
    const challenge = parseChallenge(pong.challenge);
    if (Number.isNaN(time) || challenge === undefined) throw new ServerError("server_protocol");
    options.servers.set(options.host, options.port, { kind: trust.kind, authority });
    const connection = { challenge, leafHash: hashLeaf(leaf.raw) };
    const registration = pong.registration === "closed" ? "closed" : "open";
    return { link, authority, clockOffset: time - options.now(), connection, registration };
  } catch (error) {
    link.close("not_trusted");
    if (error instanceof RefusedError && error.code === "unknown_action")
      throw new ServerError("server_not_paloma");
    throw error;
  }
}
