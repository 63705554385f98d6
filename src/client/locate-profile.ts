/** Finds where an account is on this machine, or will be; asks a server that is not known here for its authority. */
import { label as labelOf } from "../identity/names.ts";
import { normalForm } from "../protocol/normal-form.ts";
import { profileFolder } from "./disk/folders.ts";
import { localFolders, onlyFolder } from "./local-accounts.ts";
import type { NewAccount } from "./profile/profile.ts";
import type { ReachedServer, ReachOptions } from "./rendezvous/reach-server.ts";
import { ServerError } from "./rendezvous/server-errors.ts";
import { ServerStore } from "./rendezvous/trust-store.ts";
import { authorityFingerprint } from "./rendezvous/trust.ts";

export type ServerOptions = Omit<ReachOptions, "events" | "servers" | "now"> & {
  readonly dataFolder: string;
  readonly now?: () => number;
};

/** Selects an account at a server. `user`: undefined: the only account of this machine. */
type LocateOptions = ServerOptions & { readonly user: string | undefined };

/** The events of a link that is closed once the server has answered. */
export const SILENT_LINK = {
  presence: () => undefined,
  reach: () => undefined,
  revoked: () => undefined,
  notified: () => undefined,
  closed: () => undefined,
};

export async function withServers<T>(
  dataFolder: string,
  use: (servers: ServerStore) => Promise<T> | T,
): Promise<T> {
  const servers = new ServerStore(dataFolder);
  try {
    return await use(servers);
  } finally {
    servers.close();
  }
}

/** What a server that was reached and left again has said. */
type ServerAnswer = Pick<ReachedServer, "authority" | "registration">;

/** Reaches the server, trusts it as `reachServer` does, and leaves it. @throws ServerError, RefusedError, StoreError */
export function contactServer(options: ServerOptions): Promise<ServerAnswer> {
  return withServers(options.dataFolder, (servers) => contact(options, servers));
}

async function contact(options: ServerOptions, servers: ServerStore): Promise<ServerAnswer> {
  // Imported here because an account of a known server is found without.
  const { reachServer } = await import("./rendezvous/reach-server.ts");
  const now = options.now ?? Date.now;
  const { link, authority, registration } = await reachServer({
    ...options,
    servers,
    now,
    events: SILENT_LINK,
  });
  link.close("done");
  return { authority, registration };
}

/** Where an account is on this machine. `create`: it is new here, and its first login makes it. */
export type Located = { readonly folder: string; readonly create?: NewAccount | undefined };

/**
 * Finds the account that the options select. Uses the network only if the server is not known on this machine.
 * @throws ServerError, AccountError, StoreError
 */
export function locateProfile(options: LocateOptions): Promise<Located> {
  return withServers(options.dataFolder, (servers) => locate(options, servers));
}

async function locate(options: LocateOptions, servers: ServerStore): Promise<Located> {
  const { dataFolder, host, port, user } = options;
  let authority = servers.get(host, port)?.authority;
  // A typed fingerprint that differs from the pinned one selects the account at that other authority.
  const named = options.expectedFingerprint;
  const isOther = authority !== undefined && named !== undefined && named !== authorityFingerprint(authority);
  if (authority === undefined || isOther) {
    try {
      ({ authority } = await contact(options, servers));
    } catch (error) {
      // Without the server, a stored account of this name can be used if there is only one.
      if (!(error instanceof ServerError) || !error.isTransient) throw error;
      const known = localFolders(dataFolder, user);
      if (known.length !== 1) throw error;
      return { folder: onlyFolder(known, user) };
    }
  }
  const fingerprint = authorityFingerprint(authority);
  const folders = localFolders(dataFolder, user, fingerprint);
  if (folders.length > 0 || user === undefined) return { folder: onlyFolder(folders, user) };
  const folder = profileFolder(dataFolder, fingerprint, labelOf(user));
  return { folder, create: { username: normalForm(user), authority, registeredHere: false } };
}
