/**
 * An account as its faces use it (screen, commands, daemon): online in this process, or in another one of this machine.
 *
 * 1. `open` attaches to the process that has the account online; if there is none, this process takes the account,
 *    and serves the others.
 * 2. Requests and events are the same either way. The stored messages are read from the profile's file.
 * 3. When the other process ends, the next request, an open chat, or `stayOnline` makes this one attach again or take the
 *    account; requests that were not answered are repeated, and what happened in between is reported.
 */
import { existsSync } from "node:fs";

import { label as labelOf } from "../identity/names.ts";
import type { Account, OpenOptions } from "./accounts.ts";
import { Archive } from "./archive.ts";
import type { MessengerEvent } from "./conversation/events.ts";
import { profileFile } from "./disk/folders.ts";
import { isStorageFailure } from "./disk/sqlite.ts";
import { errorOf } from "./error-json.ts";
import { eventOf } from "./event-json.ts";
import { localFolder } from "./local-accounts.ts";
import { locateProfile, type Located } from "./locate-profile.ts";
import { Profile, ProfileRemovedError } from "./profile/profile.ts";
import { isTransient, PasswordNeededError, ServerError } from "./rendezvous/server-errors.ts";
import { MAX_LISTED } from "./rendezvous/watched-people.ts";
import { Attachment, ServingEndedError } from "./sharing/attachment.ts";
import { whileLocked } from "./sharing/while-locked.ts";
import type { Params, RequestName, Result } from "./sharing/requests.ts";
import { Reported } from "./sharing/reported.ts";
import type { Seat } from "./sharing/seat.ts";
import type { Service } from "./sharing/service.ts";

/** How long a process that leaves waits for the commands of others, in ms. */
const FAREWELL = 1_000;

/** Requests that are not repeated: the server refuses the old password of one that was carried out. */
const ONCE: ReadonlySet<RequestName> = new Set<RequestName>(["change_password", "delete_account"]);

type Place =
  | { readonly name: "here"; readonly account: Account; readonly service: Service; readonly seat: Seat }
  | { readonly name: "elsewhere"; readonly attachment: Attachment };

/** What this process wants of whoever is online; it is asked of the next one too. */
type Wanted = "nothing" | "connected" | "kept online";

export class SharedAccount {
  /** The stored conversations of this account. */
  readonly archive: Archive;
  readonly #options: OpenOptions;
  readonly #profile: Profile;
  /** Whether the first login makes the account here. */
  readonly #isNew: boolean;
  #place: Promise<Place>;
  #service: Service | undefined;
  #isClosed = false;
  #wanted: Wanted = "nothing";
  /** Names of the open chats. */
  readonly #chats = new Set<string>();
  /** Names of the people in the list that is shown. */
  #listed: string[] = [];
  /** Labels of those with whom a code is compared here. */
  readonly #verifications = new Set<string>();
  /** Names of those with whom a code is compared at any face of the account, by label. */
  readonly #comparing = new Map<string, string>();
  #keepsUp = true;
  /** Undefined: offers of files are not accepted here. */
  #acceptedFiles: Params<"accept_files"> | undefined;
  /** Undefined while the account is being opened. */
  #reported: Reported | undefined;

  private constructor(options: OpenOptions, profile: Profile, isNew: boolean) {
    this.#options = options;
    this.#profile = profile;
    this.#isNew = isNew;
    this.archive = new Archive(profile);
    this.#place = this.#findPlace();
  }

  /**
   * Opens the account that the options select. Uses the network only if the server or the account is not known on this
   * machine.
   * @throws ServerError, AccountError, StoreError, PortError, OtherVersionError; ProfileLockedError if a process has
   * the account and does not answer
   */
  static open(options: OpenOptions): Promise<SharedAccount> {
    return SharedAccount.#openLocated(options, () => locateProfile(options));
  }

  /** As `open`, for an account of this machine; uses no network. @throws as `open` */
  static openLocal(options: OpenOptions): Promise<SharedAccount> {
    return SharedAccount.#openLocated(options, () => ({ folder: localFolder(options) }));
  }

  static async #openLocated(
    options: OpenOptions,
    locate: () => Located | Promise<Located>,
  ): Promise<SharedAccount> {
    for (;;) {
      const { folder, create } = await locate();
      let wasThere = create === undefined;
      try {
        const profile = Profile.open(folder, create);
        wasThere = true;
        return await SharedAccount.#open(options, profile, create !== undefined);
      } catch (error) {
        // The first login of another process was refused, which may have removed the profile at any moment since it was
        // found or made: this one makes its own.
        const isGone = wasThere && isStorageFailure(error) && !existsSync(profileFile(folder));
        if (!isGone && !(error instanceof ProfileRemovedError)) throw error;
      }
    }
  }

  static async #open(options: OpenOptions, profile: Profile, isNew: boolean): Promise<SharedAccount> {
    const account = new SharedAccount(options, profile, isNew);
    try {
      await account.#place;
      // Not before: the profile may be damaged, and who takes the account checks it.
      account.#reported = new Reported(account.archive, options.onEvent);
      return account;
    } catch (error) {
      profile.close();
      throw error;
    }
  }

  get username(): string {
    return this.archive.username;
  }

  /** Whether a stored session may log in without a password. */
  get hasSession(): boolean {
    this.#profile.reload();
    return this.#profile.sessionToken !== undefined;
  }

  /** Whether the first login was refused: then the profile and its outbox are deleted. */
  get isRemoved(): boolean {
    return !existsSync(profileFile(this.#profile.folder));
  }

  /**
   * Asks whoever is online. If that process ends before it has answered, the next one is asked.
   * @throws as the request, and as `open`; ServerError `server_timeout` if one of ONCE may have been carried out
   */
  request<N extends RequestName>(name: N, params: Params<N>): Promise<Result<N>> {
    return this.#wherever(async (place): Promise<Result<N>> => {
      try {
        return await ask(place, name, params);
      } catch (error) {
        if (!(error instanceof ServingEndedError) || this.#isClosed || !ONCE.has(name)) throw error;
        throw new ServerError("server_timeout", {}, error);
      }
    });
  }

  /** Does something where the account is online; if that process ends first, where it is online next. */
  async #wherever<T>(work: (place: Place) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work(await this.#place);
      } catch (error) {
        if (!(error instanceof ServingEndedError) || this.#isClosed) throw error;
      }
    }
  }

  /** Whether this process has the account online, or would. */
  isHere(): Promise<boolean> {
    return this.#wherever((place) => Promise.resolve(place.name === "here"));
  }

  /** Goes online, unless the account is. @throws ServerError, RefusedError, PasswordNeededError */
  connect(): Promise<void> {
    if (this.#wanted === "nothing") this.#wanted = "connected";
    return this.#wherever(async (place) => {
      try {
        await ask(place, "connect", {});
      } catch (error) {
        // Who has the account online may have no password, and nobody there whom to ask.
        if (place.name === "here" || !(error instanceof PasswordNeededError)) throw error;
        const password = await this.#options.password(this.username);
        if (password === undefined) throw error;
        await ask(place, "connect", { password });
      }
    });
  }

  /**
   * As `connect`, but an account that was online on this machine before can be used without the server.
   * @returns why the server cannot be reached; undefined: logged in
   * @throws as `connect`, if waiting does not help
   */
  async connectOrWait(): Promise<Error | undefined> {
    try {
      await this.connect();
      return undefined;
    } catch (error) {
      if (!this.canWaitAfter(error)) throw error;
      return error;
    }
  }

  /** Whether the account can be used without the server after this failure, until the server is back. */
  canWaitAfter(failure: unknown): failure is Error {
    // After a refused first login the profile is closed.
    if (!isTransient(failure)) return false;
    this.#profile.reload();
    return this.#profile.hasBeenOnline;
  }

  /** From now on a lost link to the server is reconnected, by this process if no other one does. */
  async stayOnline(): Promise<void> {
    this.#wanted = "kept online";
    await this.request("stay_online", {});
  }

  /** Opens a chat: a link is kept until `closeChat`. @returns the registered name; whether there is a link @throws SelfError */
  async openChat(username: string): Promise<Result<"open_chat">> {
    const opened = await this.request("open_chat", { username });
    this.#chats.add(opened.username);
    return opened;
  }

  /** Compares a code with a person, until `verification` events say how it has ended. @throws SelfError */
  async openVerification(username: string): Promise<Result<"open_verification">> {
    // It may end before this is answered.
    this.#verifications.add(labelOf(username));
    return this.request("open_verification", { username });
  }

  /** It ends at all faces. */
  closeVerification(username: string): void {
    this.#verifications.delete(labelOf(username));
    this.#place.then((place) => ask(place, "close_verification", { username })).catch(() => undefined);
  }

  /** Whether this face keeps up with what arrives. The links to peers are not read while no face does. */
  keepsUp(keepsUp: boolean): void {
    this.#keepsUp = keepsUp;
    // Who is online next is asked again.
    this.#place.then((place) => ask(place, "keeps_up", { keeps_up: keepsUp })).catch(() => undefined);
  }

  /** Every offer of a contact is accepted, as long as this face is there. @throws as `request` */
  async acceptFiles(offers: Params<"accept_files">): Promise<void> {
    // Who is online next is asked again.
    this.#acceptedFiles = offers;
    await this.request("accept_files", offers);
  }

  /** A code is compared here no longer: it ends unless it is open at another face. */
  leaveVerification(username: string): void {
    if (!this.#verifications.delete(labelOf(username))) return;
    this.#place.then((place) => ask(place, "leave_verification", { username })).catch(() => undefined);
  }

  closeChat(username: string): void {
    this.#chats.delete(username);
    // With the process that was online its chats are closed, too.
    this.#place.then((place) => ask(place, "close_chat", { username })).catch(() => undefined);
  }

  /** `watched` events tell when these people come and go. @param usernames the first MAX_LISTED count; empty: none */
  watchPeople(usernames: readonly string[]): void {
    this.#listed = usernames.slice(0, MAX_LISTED);
    // Who is online next is asked again.
    this.#place
      .then((place) => ask(place, "watch_people", { usernames: this.#listed }))
      .catch(() => undefined);
  }

  /**
   * Ends the stored session: always on this machine, and at the server if it can be reached.
   * @returns why it was not ended at the server; undefined: it was
   * @throws ServerError, RefusedError if waiting does not help; then the session stays
   */
  async logOut(): Promise<Error | undefined> {
    const { failure } = await this.request("log_out", {});
    return failure === undefined ? undefined : errorOf(failure);
  }

  /** The folder in which everything of this account on this machine is stored. */
  get folder(): string {
    return this.#profile.folder;
  }

  /**
   * Leaves the account. If it is online here, other processes may finish what they have begun, and then one of them
   * takes it; that takes up to FAREWELL and a second.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const place = await this.#place.catch(() => undefined);
    if (place?.name === "here") {
      await this.#farewell(place.service);
      // What was just done for others is answered first: a logout ends the process that carries it out.
      await place.account.messenger.outbox.committed().catch(() => undefined);
      await Bun.sleep(0);
      place.service.close();
      await place.account.close();
      return;
    }
    place?.attachment.close();
    this.#profile.close();
  }

  /** Waits for commands that will end soon: each hand-over makes them wait for another login. */
  async #farewell(service: Service): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted === true) return;
    const interrupted = Promise.withResolvers<void>();
    signal?.addEventListener("abort", () => interrupted.resolve(), { once: true });
    await Promise.race([service.unneeded(), interrupted.promise, Bun.sleep(FAREWELL)]);
  }

  /** Attaches to the process that has the account, or takes it. @throws as `open` */
  #findPlace(): Promise<Place> {
    return whileLocked(async () => {
      this.#options.signal?.throwIfAborted();
      if (this.#isClosed) throw new ServingEndedError("closed");
      const place = await this.#attach();
      if (place !== undefined) return place;
      if (this.#reported === undefined && this.isRemoved) throw new ProfileRemovedError(this.#profile.folder);
      return this.#take();
    });
  }

  async #attach(): Promise<Place | undefined> {
    // Before, its end is no move: this attempt goes on to take the account, and two would take it at once.
    let isPlace = false;
    try {
      const attachment = await Attachment.to(this.#profile.folder, {
        event: (json) =>
          this.#attempt(() => {
            const event = eventOf(json, (seq) => this.archive.history.bySeq(seq));
            if (event !== undefined) this.#report(event);
          }),
        ended: () => {
          if (isPlace) this.#move();
        },
      });
      const { who, lan, relay } = this.#options;
      if (who !== undefined) await attachment?.request("allow", { who });
      if (lan !== undefined) await attachment?.request("use_lan", { lan });
      if (relay !== undefined) await attachment?.request("use_relay", { relay });
      if (attachment?.isOpen !== true) return undefined;
      isPlace = true;
      return { name: "elsewhere", attachment };
    } catch (error) {
      // It has just ended, or does not answer; then the lock is held.
      if (!(error instanceof ServingEndedError)) throw error;
      return undefined;
    }
  }

  async #take(): Promise<Place> {
    // Imported here because a process that attaches does not need them, and they take half of its start.
    const [{ Account }, { Service }, { Seat }] = await Promise.all([
      import("./accounts.ts"),
      import("./sharing/service.ts"),
      import("./sharing/seat.ts"),
    ]);
    const onEvent = (event: MessengerEvent) => {
      this.#report(event);
      // A first login may be refused, and then nothing stays of what others would have done.
      if (event.name === "server" && event.state.name === "online" && !this.#isClosed)
        this.#service?.listen();
      this.#service?.event(event);
    };
    const account = Account.take({ ...this.#options, onEvent }, this.#profile, this.#isNew);
    const service = (this.#service = new Service(account));
    if (this.#profile.isEstablished) service.listen();
    return { name: "here", account, service, seat: new Seat(account) };
  }

  /** The process that was online has ended. */
  #move(): void {
    if (this.#isClosed) return;
    this.#reported?.hold();
    // Their links have ended with the process.
    for (const username of this.#comparing.values())
      this.#report({ name: "verification", username, state: "lost", retryAt: undefined });
    this.#place = this.#moved();
    this.#place.catch((error: unknown) => this.#stopped(error));
  }

  async #moved(): Promise<Place> {
    const place = await this.#findPlace().finally(() => this.#attempt(() => this.#reported?.catchUp()));
    try {
      if (!this.#keepsUp) await ask(place, "keeps_up", { keeps_up: false });
      if (this.#acceptedFiles !== undefined) await ask(place, "accept_files", this.#acceptedFiles);
      for (const username of this.#chats) await ask(place, "open_chat", { username });
      if (this.#listed.length > 0) await ask(place, "watch_people", { usernames: this.#listed });
      // Texts are queued meanwhile.
      if (this.#wanted !== "nothing")
        this.#connectAgain(place).catch((error: unknown) => this.#stopped(error));
    } catch (error) {
      // If this place has ended, too, the next one is being looked for.
      if (error instanceof ServingEndedError) throw error;
      this.#stopped(error);
    }
    return place;
  }

  #stopped(error: unknown): void {
    if (this.#isClosed || error instanceof ServingEndedError) return;
    this.#report({ name: "server", state: { name: "stopped", why: error as Error }, linksUntil: undefined });
  }

  /** Without the server the account stays usable; a refusal ends it. */
  async #connectAgain(place: Place): Promise<void> {
    try {
      await ask(place, "connect", {});
    } catch (error) {
      if (!this.canWaitAfter(error)) throw error;
    }
    if (this.#wanted === "kept online") await ask(place, "stay_online", {});
  }

  #report(event: MessengerEvent): void {
    if (event.name === "verification") this.#noteVerification(event);
    if (this.#reported === undefined) this.#options.onEvent(event);
    else this.#reported.event(event);
  }

  #noteVerification(event: MessengerEvent & { name: "verification" }): void {
    const label = labelOf(event.username);
    if (event.state === "waiting" || event.state === "code") this.#comparing.set(label, event.username);
    else if ("retryAt" in event) {
      this.#comparing.delete(label);
      this.#verifications.delete(label);
    }
  }

  /** Runs what reads the store; a failure of the disk is reported. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      this.#report({ name: "storageFailed", error });
    }
  }
}

function ask<N extends RequestName>(place: Place, name: N, params: Params<N>): Promise<Result<N>> {
  return (place.name === "here" ? place.seat : place.attachment).request(name, params);
}
