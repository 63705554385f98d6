/** Registers an account at a server, or opens the messenger of one. */
import { renameSync, rmSync } from "node:fs";

import { label as labelOf } from "../identity/names.ts";
import { normalForm } from "../protocol/normal-form.ts";
import { locateProfile, SILENT_LINK, withServers, type ServerOptions } from "./locate-profile.ts";
import { Messenger, type MessengerOptions } from "./messenger.ts";
import { Profile, type NewAccount } from "./profile/profile.ts";
import type { RelayUse } from "./disk/schema.ts";
import { makeFolderBeside, profileFolder } from "./disk/folders.ts";
import type { LinkEvents } from "./rendezvous/link.ts";
import { reachServer, type ReachOptions } from "./rendezvous/reach-server.ts";
import { ServerStore } from "./rendezvous/trust-store.ts";
import { authorityFingerprint } from "./rendezvous/trust.ts";
import { isTransient, PasswordNeededError, RefusedError, ServerError } from "./rendezvous/server-errors.ts";

type Trace = NonNullable<LinkEvents["trace"]>;

/**
 * Registers an account at the server and makes its profile here; does not log in. `relay` is kept for the logins to come.
 * @throws ServerError, RefusedError, StoreError
 */
export async function registerAccount(
  options: ServerOptions & { readonly trace?: Trace; readonly relay?: RelayUse | undefined },
  account: { username: string; password: string; email: string | undefined },
): Promise<void> {
  await withServers(options.dataFolder, async (servers) => {
    const now = options.now ?? Date.now;
    const { link, authority } = await reachServer({
      ...options,
      servers,
      now,
      events: { ...SILENT_LINK, ...(options.trace === undefined ? {} : { trace: options.trace }) },
    });
    const { username, password, email } = account;
    const folder = profileFolder(options.dataFolder, authorityFingerprint(authority), labelOf(username));
    const register = () =>
      link.request("register", { username, password, ...(email === undefined ? {} : { email }) });
    try {
      if (Profile.exists(folder)) await register();
      else {
        const profile = { username: normalForm(username), authority, registeredHere: true };
        await withPreparedProfile(folder, profile, register);
      }
      if (options.relay !== undefined) keepRelay(folder, options.relay);
      servers.used(options.host, options.port);
    } finally {
      link.close("done");
    }
  });
}

/** @throws StoreError */
function keepRelay(folder: string, relay: RelayUse): void {
  const profile = Profile.open(folder);
  try {
    profile.useRelay(relay);
  } finally {
    profile.close();
  }
}

/**
 * Makes a profile, and once the server has registered its account, makes it that of `folder`. Before, so that with a full
 * disk no account without a key stays at the server; and elsewhere, because another process may register the same
 * name: only the one that succeeds gets to `folder`.
 */
async function withPreparedProfile(
  folder: string,
  account: NewAccount,
  register: () => Promise<unknown>,
): Promise<void> {
  const prepared = makeFolderBeside(folder);
  try {
    Profile.make(prepared, account);
    await register();
    // If another process has logged in there in the meantime, its profile stays.
    Profile.place(prepared, folder);
  } finally {
    rmSync(prepared, { recursive: true, force: true });
  }
}

export type OpenOptions = ServerOptions &
  Omit<MessengerOptions, keyof ReachOptions | "profile"> & { readonly user: string | undefined };

/** A messenger and the store of servers that it uses. */
export class Account {
  readonly messenger: Messenger;
  readonly #servers: ServerStore;
  /** `new`: the first login has not succeeded yet. `kept`: it has, now or earlier. `removed`: it was refused. */
  #state: "new" | "kept" | "closed" | "removed";

  private constructor(messenger: Messenger, servers: ServerStore, isNew: boolean) {
    this.messenger = messenger;
    this.#servers = servers;
    // Another process may have logged in while this one waited for the profile.
    this.#state = isNew && !messenger.profile.isEstablished ? "new" : "kept";
  }

  /**
   * Locates the account and takes it. Uses the network only if the server or the account is not known on this machine.
   * @throws as `locateProfile` and `take`
   */
  static async open(options: OpenOptions): Promise<Account> {
    const { folder, create } = await locateProfile(options);
    const profile = Profile.open(folder, create);
    try {
      return Account.take(options, profile, create !== undefined);
    } catch (error) {
      profile.close();
      throw error;
    }
  }

  /**
   * Opens the messenger of a profile, which is closed with it.
   * @param isNew the first login makes the account here
   * @throws ProfileLockedError, ProfileDamagedError, PortError, StoreError
   */
  static take(options: OpenOptions, profile: Profile, isNew: boolean): Account {
    const servers = new ServerStore(options.dataFolder);
    try {
      return new Account(Messenger.open({ ...options, profile, servers }), servers, isNew);
    } catch (error) {
      servers.close();
      throw error;
    }
  }

  /** Whether the first login was refused: then the profile and its outbox are deleted. */
  get isRemoved(): boolean {
    return this.#state === "removed";
  }

  /** Whether a stored session may log in without a password. */
  get hasSession(): boolean {
    return this.messenger.profile.sessionToken !== undefined;
  }

  /**
   * Makes one attempt to log in. @param password as for `Session.connect`
   * @throws ServerError, RefusedError, PasswordNeededError
   */
  async connect(password?: string): Promise<void> {
    // Read first, because the account may be closed during the attempt; it is removed nevertheless.
    const isNew = this.#state === "new";
    try {
      await this.messenger.rendezvous.connect(password);
      this.#state = "kept";
    } catch (error) {
      const isRefused = error instanceof RefusedError || error instanceof PasswordNeededError;
      if (isNew && isRefused && !isTransient(error) && !this.isRemoved) {
        // A mistyped name must not leave an account behind.
        const { folder } = this.messenger.profile;
        this.#state = "removed";
        // Moved while this process has the account locked: another one that logs in now makes its own profile.
        const removed = makeFolderBeside(folder);
        renameSync(folder, removed);
        await this.close();
        rmSync(removed, { recursive: true });
      }
      throw error;
    }
  }

  /** From now on a lost link is reconnected. If the last attempt failed, another one is scheduled. */
  keepOnline(): void {
    this.messenger.rendezvous.keepOnline();
  }

  /**
   * Ends the stored session: always on this machine, and at the server if it can be reached.
   * @returns why it was not ended at the server; undefined: it was
   * @throws ServerError, RefusedError if waiting does not help; then the session stays
   */
  async logOut(): Promise<Error | undefined> {
    const { rendezvous } = this.messenger;
    try {
      await rendezvous.resume();
      if (rendezvous.link === undefined) throw new ServerError("server_unreachable");
      await rendezvous.logOut();
      return undefined;
    } catch (error) {
      if (!isTransient(error) || this.#state === "closed") throw error;
      rendezvous.loggedOut();
      return error;
    }
  }

  /**
   * Changes the password. Every other session of the account ends; this one goes on.
   * @throws ServerError (then it may have been changed), RefusedError, PasswordNeededError
   */
  async changePassword(password: string, newPassword: string): Promise<void> {
    await this.#ask("change_password", { password, new_password: newPassword });
  }

  /**
   * Deletes the account at the server, and ends its session. The profile stays, with the messages.
   * @throws ServerError (then it may have been deleted), RefusedError, PasswordNeededError
   */
  async deleteAccount(password: string): Promise<void> {
    await this.#ask("delete_account", { password });
    this.messenger.rendezvous.loggedOut();
  }

  async #ask(action: "change_password" | "delete_account", fields: object): Promise<void> {
    await this.connect();
    const { link } = this.messenger.rendezvous;
    if (link === undefined) throw new ServerError("server_unreachable");
    await link.request(action, fields);
  }

  async close(): Promise<void> {
    if (this.#state !== "removed") this.#state = "closed";
    await this.messenger.close();
    this.#servers.close();
  }
}
