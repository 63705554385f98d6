/** The accounts of this machine, and which of them a typed name selects. Needs no network. */
import { basename } from "node:path";

import { fold, label as labelOf } from "../identity/names.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import { profileFolders } from "./disk/folders.ts";
import { Profile } from "./profile/profile.ts";
import { storedServers, storedTrust } from "./rendezvous/trust-store.ts";
import { authorityFingerprint } from "./rendezvous/trust.ts";
import { StoreError } from "./disk/sqlite.ts";

export { closeDataFolder } from "./disk/folders.ts";
export { lastServer } from "./rendezvous/trust-store.ts";

/** No account, or more than one, matches what was typed. */
export class AccountError extends Error {
  readonly code: "no_account" | "several_accounts" | "unknown_account";
  readonly names: readonly string[];

  constructor(code: AccountError["code"], names: readonly string[] = []) {
    super(code);
    this.code = code;
    this.names = names;
  }
}

/** The account is on this machine already, and was not touched. */
export class AccountExistsError extends Error {
  readonly username: string;
  readonly folder: string;
  /** When it was exported from here, ms since 1970; undefined: it lives here. */
  readonly movedAt: number | undefined;

  constructor(username: string, folder: string, movedAt: number | undefined) {
    super(`${folder}: the account is here already`);
    this.username = username;
    this.folder = folder;
    this.movedAt = movedAt;
  }
}

/** Selects an account of this machine. */
export type AccountPlace = {
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  /** Undefined: the only account. */
  readonly user: string | undefined;
};

/** An account that was registered or logged in on this machine. */
export type LocalAccount = {
  readonly username: string;
  /** Whether a stored session may log in without a password; false if the server is not known. */
  readonly hasSession: boolean;
  readonly hasBeenOnline: boolean;
};
type LocalAccounts = {
  /** Sorted by name, each name once. */
  readonly accounts: readonly LocalAccount[];
  /** How many profiles are damaged, or belong to a newer program. */
  readonly unreadable: number;
};

/**
 * The folders of the matching accounts, of one authority or of all. Other profiles are not opened, so that a damaged
 * one affects only its own account.
 */
export function localFolders(dataFolder: string, user: string | undefined, fingerprint?: string): string[] {
  return profileFolders(dataFolder, fingerprint)
    .filter((folder) => user === undefined || basename(folder) === labelOf(user))
    .filter((folder) => Profile.exists(folder));
}

/** The only matching folder. @throws AccountError, StoreError */
export function onlyFolder(folders: readonly string[], user: string | undefined): string {
  const [folder] = folders;
  if (folder === undefined) throw new AccountError(user === undefined ? "no_account" : "unknown_account");
  if (folders.length > 1) {
    const names = folders.map((each) => Profile.look(each)?.username ?? "");
    throw new AccountError("several_accounts", names);
  }
  return folder;
}

/** The fingerprint of this server's stored authority; undefined: none is stored. @throws StoreError */
function knownAuthority({ dataFolder, host, port }: Omit<AccountPlace, "user">): string | undefined {
  const authority = storedTrust(dataFolder, host, port)?.authority;
  return authority === undefined ? undefined : authorityFingerprint(authority);
}

/** The servers that this authority (a fingerprint) stands behind, as HOST:PORT. @throws StoreError */
export function serversOf(dataFolder: string, authority: string): readonly string[] {
  return storedServers(dataFolder)
    .filter((each) => each.authority !== null && authorityFingerprint(each.authority) === authority)
    .map(({ host, port }) => showHostPort(host, port));
}

/**
 * The accounts of this machine at a server: those of its authority, or of every authority if the server is not
 * known. Nothing is locked or changed, and no network is needed.
 * @throws StoreError for `servers.db`; a profile that cannot be read is only counted.
 */
export function localAccounts(place: Omit<AccountPlace, "user">): LocalAccounts {
  const authority = knownAuthority(place);
  const byLabel = new Map<string, LocalAccount>();
  let unreadable = 0;
  for (const folder of profileFolders(place.dataFolder, authority)) {
    try {
      const found = Profile.look(folder);
      // A profile whose first login failed is not an account.
      if (found === undefined || !found.isEstablished) continue;
      const { username, hasSession, hasBeenOnline } = found;
      const known = byLabel.get(basename(folder));
      byLabel.set(basename(folder), {
        username: known?.username ?? username,
        hasSession: hasSession && authority !== undefined,
        hasBeenOnline: hasBeenOnline || known?.hasBeenOnline === true,
      });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      unreadable++;
    }
  }
  const accounts = [...byLabel.values()].sort((a, b) => (fold(a.username) < fold(b.username) ? -1 : 1));
  return { accounts, unreadable };
}

/**
 * The folder of an account of this machine. If accounts at several servers have the name, the one at `host` and
 * `port` is meant. Nothing is changed.
 * @throws AccountError, StoreError
 */
export function localFolder(place: AccountPlace): string {
  const { dataFolder, user } = place;
  let folders = localFolders(dataFolder, user);
  const authority = folders.length > 1 ? knownAuthority(place) : undefined;
  if (authority !== undefined) folders = localFolders(dataFolder, user, authority);
  return onlyFolder(folders, user);
}
