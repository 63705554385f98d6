/** The server's directory: who is online, and the addresses of one person. */
import type { Target } from "../../net/dialler.ts";
import { parseDialableAddress } from "../../protocol/ip-address.ts";
import {
  MAX_CANDIDATES,
  MAX_PAGE,
  type ResponseOf,
  type UserEntry,
} from "../../protocol/rendezvous-messages.ts";
import type { RendezvousLink } from "./link.ts";
import { RefusedError, ServerError } from "./server-errors.ts";

/** How long the answer to a lookup may take, in ms (PROTOCOL 3, step 5). */
const LOOKUP_TIMEOUT = 5_000;
/** How long no lookup is sent after `rate_limited` or `server_busy` without `retry_after`, in ms. */
const DEFAULT_LIMIT = 1_000;
/** Pages of one list of users: more than any server fills, so that a faulty one cannot keep the client reading. */
const MAX_PAGES = 200;

/** Where somebody may be dialled. `isMapped`: it is a port that their router forwards. */
export type PeerTarget = Target & { readonly isMapped?: true };

/** The server's answer to a lookup of one person. */
export type Whereabouts =
  | {
      readonly name: "online";
      readonly username: string;
      readonly targets: readonly PeerTarget[];
      /** Whether the server has reached one of them itself. */
      readonly isOpen: boolean;
      readonly fingerprint: string | undefined;
      readonly secure: boolean;
    }
  | { readonly name: "offline" }
  /** There is no server, or it did not answer in time or refused. */
  | { readonly name: "noServer" }
  /** The server accepts no lookups for a while. */
  | { readonly name: "limited" };

export class Directory {
  readonly #link: () => RendezvousLink | undefined;
  readonly #monotonic: () => number;
  /** No lookup is sent before this time of `#monotonic`. */
  #limitedUntil = -Infinity;

  /** @param link gives the link while logged in. @param monotonic ms, never set back */
  constructor(link: () => RendezvousLink | undefined, monotonic = () => performance.now()) {
    this.#link = link;
    this.#monotonic = monotonic;
  }

  /** How long the server will accept no lookups, in ms; 0: it accepts them now, or there is no link to it. */
  get limitedFor(): number {
    return this.#link() === undefined ? 0 : Math.max(0, this.#limitedUntil - this.#monotonic());
  }

  /** Everyone online but oneself, sorted by name. @throws ServerError, RefusedError */
  async users(): Promise<UserEntry[]> {
    const users: UserEntry[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const link = this.#link();
      if (link === undefined) throw new ServerError("server_unreachable");
      const page: ResponseOf<"users_list"> = await link.request("get_users", {
        limit: MAX_PAGE,
        ...(after === undefined ? {} : { after }),
      });
      for (const { secure, ...user } of page.users) {
        users.push(secure === undefined ? user : { ...user, secure });
      }
      if (page.next === undefined) return users;
      after = page.next;
    }
    throw new ServerError("server_protocol");
  }

  /** Resolves within five seconds. */
  async lookUp(username: string): Promise<Whereabouts> {
    const { promise: late, resolve } = Promise.withResolvers<Whereabouts>();
    const timer = setTimeout(() => resolve({ name: "noServer" }), LOOKUP_TIMEOUT);
    try {
      return await Promise.race([this.#ask(username), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(username: string): Promise<Whereabouts> {
    const link = this.#link();
    if (link === undefined) return { name: "noServer" };
    // Otherwise each typed line would send another lookup.
    if (this.limitedFor > 0) return { name: "limited" };
    try {
      return whereaboutsOf(await link.request("request_p2p", { target_user: username }));
    } catch (error) {
      if (error instanceof ServerError) return { name: "noServer" };
      if (!(error instanceof RefusedError)) throw error;
      if (error.code === "user_offline") return { name: "offline" };
      const limitedFor = error.limitedFor(DEFAULT_LIMIT);
      if (limitedFor === undefined) return { name: "noServer" };
      this.#limitedUntil = this.#monotonic() + limitedFor;
      return { name: "limited" };
    }
  }
}

/** The addresses of candidates that we know how to dial, each once. */
export function candidateTargets(
  candidates: NonNullable<ResponseOf<"p2p_info">["candidates"]>,
): PeerTarget[] {
  const targets = new Map<string, PeerTarget>();
  for (const { kind, ip, port } of candidates) {
    const address = ip === undefined ? undefined : parseDialableAddress(ip);
    if ((kind !== "direct" && kind !== "mapped") || address === undefined || port === undefined) continue;
    const key = `${address} ${port}`;
    const isMapped = kind === "mapped" || targets.get(key)?.isMapped === true;
    targets.set(key, { ip: address, port, ...(isMapped && { isMapped }) });
  }
  return [...targets.values()].slice(0, MAX_CANDIDATES);
}

function whereaboutsOf(info: ResponseOf<"p2p_info">): Whereabouts {
  const { candidates = [], fingerprint } = info;
  const seen = { kind: "direct", ip: info.target_ip, port: info.target_port, open: undefined };
  return {
    name: "online",
    username: info.target_user,
    targets: candidateTargets([...candidates, seen]),
    isOpen: candidates.some(({ open }) => open === true),
    fingerprint,
    secure: info.secure !== false,
  };
}
