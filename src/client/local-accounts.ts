/** The accounts of this machine, found without a network: which profile is meant by what was typed. */
import { randomUUIDv7 } from "bun";
import { existsSync } from "node:fs";
import { basename } from "node:path";

import { fold, label as labelOf } from "../identity/names.ts";
import type { Contact } from "./profile/contacts.ts";
import { checkNotSelf, prepareEdit, prepareWithdrawal } from "./conversation/message-actions.ts";
import { profileFolders, serversFile } from "./disk/folders.ts";
import { Profile } from "./profile/profile.ts";
import { ServerStore } from "./rendezvous/trust-store.ts";
import { authorityFingerprint } from "./rendezvous/trust.ts";
import { StoreError } from "./disk/sqlite.ts";
import type { NewOutgoing, OutgoingContent, StoredMessage } from "./profile/stored-message.ts";

/** No account is named, or the folder holds none or several that could be meant. */
export class AccountError extends Error {
  readonly code: "no_account" | "several_accounts" | "unknown_account";
  readonly names: readonly string[];

  constructor(code: AccountError["code"], names: readonly string[] = []) {
    super(code);
    this.code = code;
    this.names = names;
  }
}

/** Where an account is looked for. */
export type AccountPlace = {
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  /** Undefined: the only account that there is. */
  readonly user: string | undefined;
};

/** An account that was registered or logged in from here. */
export type LocalAccount = {
  readonly username: string;
  /** A stored session may log it in without a password; false too while nobody knows at which server. */
  readonly hasSession: boolean;
  readonly hasBeenOnline: boolean;
};
export type LocalAccounts = {
  /** Sorted by name, each name once. */
  readonly accounts: readonly LocalAccount[];
  /** Profiles that are broken, or of a newer program. */
  readonly unreadable: number;
};

function nameIn(folder: string): string {
  const profile = Profile.open(folder);
  try {
    return profile.username;
  } finally {
    profile.close();
  }
}

/**
 * The folders of the accounts that could be meant, of one authority or of all. Nobody else's profile is
 * opened, so that a broken one stands in the way of its own account only.
 */
export function localFolders(dataFolder: string, user: string | undefined, fingerprint?: string): string[] {
  return profileFolders(dataFolder, fingerprint)
    .filter((folder) => user === undefined || basename(folder) === labelOf(user))
    .filter((folder) => Profile.exists(folder));
}

/** The one folder that is meant. @throws AccountError */
export function theOnly(folders: readonly string[], user: string | undefined): string {
  const [folder] = folders;
  if (folder === undefined) throw new AccountError(user === undefined ? "no_account" : "unknown_account");
  if (folders.length > 1) throw new AccountError("several_accounts", folders.map(nameIn));
  return folder;
}

/** The fingerprint of the authority that this server is known to have. @throws StoreError */
function knownAuthority({ dataFolder, host, port }: Omit<AccountPlace, "user">): string | undefined {
  if (!existsSync(serversFile(dataFolder))) return undefined;
  const servers = new ServerStore(dataFolder);
  try {
    const authority = servers.get(host, port)?.authority;
    return authority === undefined ? undefined : authorityFingerprint(authority);
  } finally {
    servers.close();
  }
}

/**
 * The accounts of this machine that could be meant at a server: those of its authority, or of every
 * authority while the server is not known. Nothing is locked or changed, and no network is needed.
 * @throws StoreError for `servers.db`; a profile that cannot be read is only counted.
 */
export function localAccounts(place: Omit<AccountPlace, "user">): LocalAccounts {
  const authority = knownAuthority(place);
  const byLabel = new Map<string, LocalAccount>();
  let unreadable = 0;
  for (const folder of profileFolders(place.dataFolder, authority)) {
    try {
      const found = Profile.look(folder);
      // A first login that came to nothing made no account.
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
 * The profile of an account that was registered or logged in here. Where several servers know the name,
 * the one that `host` and `port` stand for is meant.
 * @throws AccountError, StoreError
 */
export function openLocalProfile(place: AccountPlace): Profile {
  const { dataFolder, user } = place;
  let folders = localFolders(dataFolder, user);
  const authority = folders.length > 1 ? knownAuthority(place) : undefined;
  if (authority !== undefined) folders = localFolders(dataFolder, user, authority);
  return Profile.open(theOnly(folders, user));
}

/** What `queueWhileLocked` has done. */
export type Queued = {
  /** The registered spelling of the addressee, as far as it is known. */
  readonly to: string;
  /** Of what is sent; undefined: the text had not been sent, so it was changed or cancelled in its place. */
  readonly id: string | undefined;
  /** The text that this changes, as it is now; undefined: this is a new text, or that one was cancelled. */
  readonly changed: StoredMessage | undefined;
};

/**
 * Commits a text, or a change of one, to the outbox of an account that another process has online; that
 * process notices within a second or so, and sends it.
 * @throws AccountError, ActionError, StoreError, SelfError, SQLiteError
 */
export function queueWhileLocked(place: AccountPlace, to: string, content: OutgoingContent): Queued {
  const profile = openLocalProfile(place);
  try {
    checkNotSelf(profile, to);
    // A first login that fails takes its profile with it, and what was queued there.
    if (!profile.isEstablished) throw new AccountError("unknown_account");
    const contact = profile.contacts.ensure(to);
    const message = prepare(profile, contact, content);
    if (message !== undefined) profile.messages.queue([message]);
    const changed = content.kind === "text" ? undefined : profile.history.find(contact, content.target);
    return { to: contact.username, id: message?.id, changed };
  } finally {
    profile.close();
  }
}

function prepare(profile: Profile, contact: Contact, content: OutgoingContent): NewOutgoing | undefined {
  const now = Date.now();
  switch (content.kind) {
    case "text":
      return { ...content, contact, id: randomUUIDv7(), sentAt: now };
    case "edit":
      return prepareEdit(profile, contact, { id: content.target, text: content.text }, now);
    case "withdraw":
      return prepareWithdrawal(profile, contact, content.target, now);
    default:
      return content satisfies never;
  }
}
