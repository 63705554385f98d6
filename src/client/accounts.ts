/**
 * The accounts of this machine: which profile is meant, making one, and registering at a server.
 */
import { rmSync } from "node:fs";

import { fold, label as labelOf } from "../identity/names.ts";
import { Messenger, type MessengerOptions } from "./messenger.ts";
import { Profile } from "./profile.ts";
import { profileFolder, profileFolders } from "./profile-folders.ts";
import { RefusedError, type LinkEvents } from "./rendezvous-link.ts";
import { PasswordNeededError } from "./rendezvous.ts";
import { contactServer, type ContactOptions } from "./server-contact.ts";
import { ServerStore } from "./server-store.ts";
import { authorityFingerprint, ServerError } from "./server-trust.ts";

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

export type ServerOptions = Omit<ContactOptions, "events" | "servers" | "now"> & {
  readonly dataFolder: string;
  readonly now?: () => number;
};

type Trace = NonNullable<LinkEvents["trace"]>;

const SILENT = { presence: () => undefined, news: () => undefined, closed: () => undefined };

async function withServers<T>(dataFolder: string, use: (servers: ServerStore) => Promise<T> | T): Promise<T> {
  const servers = new ServerStore(dataFolder);
  try {
    return await use(servers);
  } finally {
    servers.close();
  }
}

/**
 * Makes an account at the server, and its profile here; does not log in.
 * @throws ServerError, RefusedError, StoreError
 */
export async function registerAccount(
  options: ServerOptions & { readonly trace?: Trace },
  account: { username: string; password: string; email: string | undefined },
): Promise<void> {
  await withServers(options.dataFolder, async (servers) => {
    const now = options.now ?? Date.now;
    const { link, authority } = await contactServer({
      ...options,
      servers,
      now,
      events: { ...SILENT, ...(options.trace === undefined ? {} : { trace: options.trace }) },
    });
    const { username, password, email } = account;
    const folder = profileFolder(options.dataFolder, authorityFingerprint(authority), labelOf(username));
    try {
      // First the key's place on this disk: a full one must not leave an account that nobody can use.
      const isNew = !Profile.exists(folder);
      Profile.open(folder, {
        username: username.normalize("NFC"),
        authority,
        registeredHere: true,
      }).close();
      try {
        await link.request("register", { username, password, ...(email === undefined ? {} : { email }) });
      } catch (error) {
        if (isNew) rmSync(folder, { recursive: true });
        throw error;
      }
    } finally {
      link.close("done");
    }
  });
}

type LocalAccount = { readonly folder: string; readonly username: string };

function localAccounts(dataFolder: string, fingerprint?: string): LocalAccount[] {
  // A folder whose making was cut short holds no account yet.
  const folders = profileFolders(dataFolder, fingerprint).filter((folder) => Profile.exists(folder));
  return folders.map((folder) => {
    const profile = Profile.open(folder);
    try {
      return { folder, username: profile.username };
    } finally {
      profile.close();
    }
  });
}

/** The one account that is meant. @throws AccountError */
function choose(accounts: readonly LocalAccount[], user: string | undefined): LocalAccount {
  const meant =
    user === undefined ? accounts : accounts.filter(({ username }) => fold(username) === fold(user));
  const [account] = meant;
  if (account === undefined) throw new AccountError(user === undefined ? "no_account" : "unknown_account");
  if (meant.length > 1)
    throw new AccountError(
      "several_accounts",
      meant.map(({ username }) => username),
    );
  return account;
}

/**
 * The profile of an account that was registered or logged in here; needs no network. Where several
 * servers know the name, the one that `host` and `port` stand for is meant.
 * @throws AccountError, StoreError
 */
export async function openLocalProfile(options: {
  dataFolder: string;
  host: string;
  port: number;
  user: string | undefined;
}): Promise<Profile> {
  const { dataFolder, user } = options;
  const trusted = await withServers(
    dataFolder,
    (servers) => servers.get(options.host, options.port)?.authority,
  );
  try {
    return Profile.open(choose(localAccounts(dataFolder), user).folder);
  } catch (error) {
    if (!(error instanceof AccountError) || error.code !== "several_accounts" || trusted === undefined)
      throw error;
    return Profile.open(choose(localAccounts(dataFolder, authorityFingerprint(trusted)), user).folder);
  }
}

export type OpenOptions = ServerOptions &
  Omit<MessengerOptions, keyof ContactOptions | "profile"> & { readonly user: string | undefined };

/** A messenger and what it stands on; `close` ends both. */
export class Account {
  readonly messenger: Messenger;
  readonly #servers: ServerStore;
  readonly #isNew: boolean;

  private constructor(messenger: Messenger, servers: ServerStore, isNew: boolean) {
    this.messenger = messenger;
    this.#servers = servers;
    this.#isNew = isNew;
  }

  /**
   * Opens the account's messenger; the network is touched only when nothing is known here of the
   * server or of the account.
   * @throws ServerError, AccountError, ProfileLockedError, PortError, StoreError
   */
  static async open(options: OpenOptions): Promise<Account> {
    const servers = new ServerStore(options.dataFolder);
    try {
      const { profile, isNew } = await locateProfile(options, servers);
      try {
        return new Account(Messenger.open({ ...options, profile, servers }), servers, isNew);
      } catch (error) {
        profile.close();
        throw error;
      }
    } catch (error) {
      servers.close();
      throw error;
    }
  }

  /**
   * Logs in, once.
   * @throws ServerError, RefusedError, PasswordNeededError
   */
  async connect(): Promise<void> {
    try {
      await this.messenger.rendezvous.connect();
    } catch (error) {
      const unknown = error instanceof RefusedError || error instanceof PasswordNeededError;
      if (this.#isNew && unknown) {
        // A mistyped name leaves no account behind.
        const { folder } = this.messenger.profile;
        await this.close();
        rmSync(folder, { recursive: true });
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.messenger.close();
    this.#servers.close();
  }
}

async function locateProfile(
  options: OpenOptions,
  servers: ServerStore,
): Promise<{ profile: Profile; isNew: boolean }> {
  const { dataFolder, host, port, user } = options;
  let authority = servers.get(host, port)?.authority;
  // Who names another fingerprint than the pinned one means the account at that authority.
  const named = options.expectedFingerprint;
  const isOther = authority !== undefined && named !== undefined && named !== authorityFingerprint(authority);
  if (authority === undefined || isOther) {
    try {
      const contact = await contactServer({
        ...options,
        servers,
        now: options.now ?? Date.now,
        events: SILENT,
      });
      contact.link.close("done");
      authority = contact.authority;
    } catch (error) {
      // An account of this name may have its outbox here all the same.
      if (!(error instanceof ServerError) || !error.isTransient) throw error;
      const known = localAccounts(dataFolder).filter(
        ({ username }) => user === undefined || fold(username) === fold(user),
      );
      if (known.length !== 1) throw error;
      return { profile: Profile.open(choose(known, user).folder), isNew: false };
    }
  }
  const fingerprint = authorityFingerprint(authority);
  try {
    return {
      profile: Profile.open(choose(localAccounts(dataFolder, fingerprint), user).folder),
      isNew: false,
    };
  } catch (error) {
    if (!(error instanceof AccountError) || error.code !== "unknown_account" || user === undefined)
      throw error;
    const folder = profileFolder(dataFolder, fingerprint, labelOf(user));
    return {
      profile: Profile.open(folder, {
        username: user.normalize("NFC"),
        authority,
        registeredHere: false,
      }),
      isNew: true,
    };
  }
}
