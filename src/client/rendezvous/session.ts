/**
 * Being online: one account's session at the rendezvous server.
 *
 * 1. `connect` reaches the server, then resumes with the stored token, or logs in with the password.
 * 2. After `keepOnline` a lost link is reconnected with the stored session, at the times of `return-schedule.ts`.
 * 3. The certificate is renewed 12 hours after receipt, even if the machine slept in between, and at once if the
 *    server has taken it back.
 * 4. The revocations of other people's certificates are read at the login, page by page, and as they are pushed.
 */
import { isThisMachine } from "../../protocol/host-name.ts";
import type { Language } from "../../protocol/language.ts";
import type { Profile } from "../profile/profile.ts";
import { checkCertificate, logIn, provenKey, type ProvenKey } from "./login.ts";
import type { RendezvousLink, LinkEvents, ReachPush } from "./link.ts";
import { RevocationReader } from "./revocation-reader.ts";
import { ReturnSchedule } from "./return-schedule.ts";
import { reachServer, type ReachOptions } from "./reach-server.ts";
import { isStorageFailure } from "../disk/sqlite.ts";
import type { Change } from "./surroundings.ts";
import { isTransient, PasswordNeededError, RefusedError, ServerError } from "./server-errors.ts";

/** Age at which a certificate is renewed, in ms (PROTOCOL 3). */
const RENEW_AFTER = 12 * 60 * 60 * 1_000;
/** How often the age of the certificate is checked, in ms. */
const CLOCK_CHECK_INTERVAL = 30_000;

export type RendezvousState =
  | { readonly name: "offline" }
  | { readonly name: "connecting" }
  | { readonly name: "online" }
  /** `until`: ms since 1970. */
  | { readonly name: "waiting"; readonly until: number; readonly why: Error }
  /** No further attempt follows. */
  | { readonly name: "stopped"; readonly why: Error };

type RendezvousEvents = {
  state(state: RendezvousState): void;
  /** As of `LinkEvents`. */
  presence(username: string, online: boolean, moved: boolean): void;
  reach(push: ReachPush): void;
  /** Certificates of other people or of this account were taken back. */
  revoked(): void;
  /** The certificate was renewed. */
  certified(): void;
  /** The server did not know this account's key. */
  newKey(): void;
  /** What the server has answered could not be stored. Rethrows an error that is not a failure of storage. */
  storageFailed(error: unknown): void;
  /** The server's clock minus ours, in ms. */
  clockOffset(offset: number): void;
  trace?: LinkEvents["trace"];
};

export type RendezvousOptions = Omit<ReachOptions, "events"> & {
  readonly profile: Profile;
  readonly language: Language;
  /** Which others dial; undefined: nobody is to learn an address of ours. */
  readonly p2pPort: () => number | undefined;
  /** Called with the account's name, only if a password is needed; resolves to undefined if none is available. */
  readonly password: (username: string) => Promise<string | undefined>;
  /** Asks whether to end a session of this account that another machine has; undefined: nobody can be asked. */
  readonly replaceOther?: (() => Promise<boolean>) | undefined;
  /** `password` never asks the person, so it may be called at every reconnect. */
  readonly isPasswordLasting?: boolean;
  readonly random: () => number;
  readonly events: RendezvousEvents;
};

type State =
  /** `why`: the last attempt has failed, or the link was lost. */
  | { readonly name: "offline"; readonly why: Error | undefined }
  /** `link`: the link on which the login is under way; undefined: not connected yet, and `dial` abandons the attempt. */
  | { readonly name: "connecting"; link: RendezvousLink | undefined; readonly dial: AbortController }
  | {
      readonly name: "online";
      readonly link: RendezvousLink;
      readonly key: ProvenKey;
      readonly clockOffset: number;
      readonly clockCheck: ReturnType<typeof setInterval>;
      isRenewing: boolean;
    }
  | {
      readonly name: "waiting";
      readonly until: number;
      readonly why: Error;
      readonly retry: ReturnType<typeof setTimeout>;
    }
  | { readonly name: "stopped"; readonly why: Error }
  /** Final; published as offline. */
  | { readonly name: "closed" };

/** The state without its timers and links. */
function published(state: State): RendezvousState {
  if (state.name === "waiting") return { name: "waiting", until: state.until, why: state.why };
  if (state.name === "closed" || state.name === "offline") return { name: "offline" };
  return state.name === "stopped" ? state : { name: state.name };
}

export class Rendezvous {
  readonly #options: RendezvousOptions;
  #state: State = { name: "offline", why: undefined };
  /** The end of the attempt under way. */
  #attempt: { readonly ended: Promise<void>; readonly mayUsePassword: boolean } | undefined;
  /**
   * The link that is replaced by the attempt under way: a closing server still answers what it has received. While there is
   * a link the server takes us for online, and tells others where we have moved.
   */
  #leaving: RendezvousLink | undefined;
  readonly #schedule = new ReturnSchedule();
  readonly #revocations: RevocationReader;
  /** Aborted by `close`. */
  readonly #abort = new AbortController();
  // The next two span all states: each becomes true once, at any time, and stays true.
  /** `keepOnline` was called: a lost link is reconnected. */
  #isKeptOnline = false;
  /** An attempt has succeeded: the person is not asked for a password when a link is lost. */
  #wasOnline = false;

  constructor(options: RendezvousOptions) {
    this.#options = options;
    this.#revocations = new RevocationReader(options.profile.revocations, () => {
      options.events.revoked();
      this.checkClock();
    });
  }

  get state(): RendezvousState {
    return published(this.#state);
  }

  /** The link while logged in. */
  get link(): RendezvousLink | undefined {
    return this.#state.name === "online" ? this.#state.link : undefined;
  }

  /** The server's clock minus ours at the login, in ms; undefined: not logged in. */
  get clockOffset(): number | undefined {
    return this.#state.name === "online" ? this.#state.clockOffset : undefined;
  }

  /** Whether a lost link is reconnected. */
  get isKeptOnline(): boolean {
    return this.#isKeptOnline;
  }

  /** Whether the server is reached on loopback, or would be. */
  get isServerLocal(): boolean {
    return isThisMachine(this.link?.remoteAddress ?? this.#options.host);
  }

  get #isClosed(): boolean {
    return this.#state.name === "closed";
  }

  /**
   * Makes one attempt to be online, or waits for the one that is under way. Does nothing while online.
   * @param given the password; undefined: it is asked for, if it is needed
   * @throws ServerError, RefusedError, PasswordNeededError
   */
  async connect(given?: string): Promise<void> {
    // One that may not use a password would fail where this one succeeds.
    while (this.#attempt?.mayUsePassword === false) await this.settled();
    if (this.#state.name === "online") return;
    if (this.#attempt !== undefined) return this.#attempt.ended;
    const attempt = this.#goOnline(true, given);
    // It took the place of the attempt that was scheduled.
    if (this.#isKeptOnline) this.#retryAfter(attempt);
    await attempt;
  }

  /** Resolves when no attempt is under way. */
  async settled(): Promise<void> {
    // Who has begun it reports how it ended.
    await this.#attempt?.ended.catch(() => undefined);
  }

  /** As `connect`, with the stored session only. @throws as `connect` */
  async resume(): Promise<void> {
    if (this.#state.name !== "online") await (this.#attempt?.ended ?? this.#goOnline(false));
  }

  #goOnline(mayUsePassword: boolean, given?: string): Promise<void> {
    const ended = this.#tryToGoOnline(mayUsePassword, given).finally(() => {
      if (this.#attempt?.ended === ended) this.#attempt = undefined;
    });
    this.#attempt = { ended, mayUsePassword };
    return ended;
  }

  async #tryToGoOnline(mayUsePassword: boolean, given: string | undefined): Promise<void> {
    const attempt: State = { name: "connecting", link: undefined, dial: new AbortController() };
    this.#become(attempt);
    let link: RendezvousLink;
    let key: ProvenKey;
    let clockOffset: number;
    try {
      const { signal: theirs } = this.#options;
      const own = AbortSignal.any([this.#abort.signal, attempt.dial.signal]);
      const contact = await reachServer({
        ...this.#options,
        events: this.#linkEvents(() => attempt.link),
        signal: theirs === undefined ? own : AbortSignal.any([theirs, own]),
      });
      link = contact.link;
      clockOffset = contact.clockOffset;
      attempt.link = link;
      if (this.#isClosed) throw new ServerError("server_unreachable");
      const { profile, password } = this.#options;
      key = provenKey(profile.keys, contact.connection);
      const told = await logIn(link, contact.authority, key, {
        ...this.#options,
        password: async () => (mayUsePassword ? (given ?? password(profile.username)) : undefined),
        // Whom it replaced would be replaced in turn, if this were done without a person.
        replaceOther: this.#wasOnline ? undefined : this.#options.replaceOther,
      });
      const { servers, host, port } = this.#options;
      servers.used(host, port);
      if (this.#isClosed || !link.isOpen) throw new ServerError("server_unreachable");
      this.#options.events.clockOffset(clockOffset);
      this.#revocations.loggedIn(link, told, this.#options.now() + clockOffset);
    } catch (error) {
      attempt.link?.close("login_failed");
      this.#become({ name: "offline", why: error as Error });
      throw error;
    }
    this.#schedule.returned(performance.now());
    this.#wasOnline = true;
    this.#leaving?.close("moved");
    this.#leaving = undefined;
    const clockCheck = setInterval(() => this.checkClock(), CLOCK_CHECK_INTERVAL);
    this.#become({ name: "online", link, key, clockOffset, clockCheck, isRenewing: false });
    // There may be more revocations, and a push during the login may have taken the new certificate back.
    this.checkClock();
  }

  /** From now on a lost link is reconnected. If the last attempt failed, another one is scheduled. */
  keepOnline(): void {
    this.#isKeptOnline = true;
    if (this.#state.name === "offline" && this.#state.why !== undefined) this.#wait(this.#state.why);
  }

  /** Ends the session at the server. @throws ServerError, RefusedError */
  async logOut(): Promise<void> {
    await this.link?.request("logout", {});
    this.loggedOut();
  }

  /** The stored session is over; no attempt follows. */
  loggedOut(): void {
    this.#options.profile.forgetToken();
    this.stop(new PasswordNeededError(true));
  }

  /** Leaves the server; no attempt follows. */
  stop(why: Error): void {
    const link = this.link;
    this.#become({ name: "stopped", why });
    link?.close("stopped");
  }

  /** Final: what is connecting or online becomes offline, and no state follows. */
  close(): void {
    const state = this.#state;
    this.#stopTimers(state);
    this.#state = { name: "closed" };
    this.#abort.abort();
    this.#leaving?.close("done");
    if (state.name !== "connecting" && state.name !== "online") return;
    state.link?.close("done");
    this.#options.events.state(published(this.#state));
  }

  #become(state: State): void {
    if (this.#isClosed) return;
    this.#stopTimers(this.#state);
    this.#state = state;
    if (state.name === "stopped") this.#leaving?.close("stopped");
    this.#options.events.state(published(state));
  }

  #stopTimers(state: State): void {
    if (state.name === "waiting") clearTimeout(state.retry);
    if (state.name === "online") clearInterval(state.clockCheck);
  }

  /** @param own the link that these events belong to; they are ignored unless it is the current one. */
  #linkEvents(own: () => RendezvousLink | undefined): LinkEvents {
    const { events } = this.#options;
    const isCurrent = () => this.link !== undefined && this.link === own();
    const isLoggingIn = () =>
      this.#state.name === "connecting" && own() !== undefined && this.#state.link === own();
    return {
      // In the next turn of the event loop: then the answers that came before it have been taken, as that to `watch`.
      presence: (username, online, moved) => {
        setImmediate(() => {
          if (isCurrent()) events.presence(username, online, moved);
        });
      },
      reach: (push) => {
        if (isCurrent()) events.reach(push);
      },
      revoked: (revocations) => {
        // They may come right behind the answer to the login. Before it, `logIn` has compared the authority.
        if (isLoggingIn() || isCurrent()) this.#revocations.take(revocations);
      },
      notified: (code) => {
        if (!isCurrent()) return;
        const why = new RefusedError(code, "");
        if (code === "session_replaced") {
          this.#become({ name: "stopped", why });
          own()?.close(code);
        } else if (code === "server_closing" && this.#isKeptOnline) {
          // The next attempt does not wait until this server has answered everything.
          this.#leaving = own();
          this.#reconnectLater(why, false);
        }
      },
      closed: ({ name }) => {
        if (!isCurrent()) return;
        const why = new ServerError("server_unreachable");
        if (this.#isKeptOnline) this.#reconnectLater(why, name !== "remote");
        else this.#become({ name: "offline", why });
      },
      ...(events.trace === undefined ? {} : { trace: events.trace }),
    };
  }

  /** @param isAlone as for `ReturnSchedule.lost` */
  #reconnectLater(why: Error, isAlone: boolean): void {
    this.#schedule.lost(performance.now(), isAlone);
    this.#wait(why);
  }

  #wait(why: Error): void {
    if (this.#isClosed) return;
    const delay = this.#schedule.next(why, performance.now(), this.#options.random());
    const retry = setTimeout(() => this.#reconnect(), delay);
    this.#become({ name: "waiting", until: this.#options.now() + delay, why, retry });
  }

  #reconnect(): void {
    const mayUsePassword = !this.#wasOnline || this.#options.isPasswordLasting === true;
    this.#retryAfter(this.#goOnline(mayUsePassword));
  }

  /** Schedules another attempt if this one fails and a later one may succeed. */
  #retryAfter(attempt: Promise<void>): void {
    attempt.catch((error: unknown) => {
      if (!(error instanceof Error)) throw error;
      if (isStorageFailure(error)) this.#options.events.storageFailed(error);
      if (isTransient(error) || isStorageFailure(error)) this.#wait(error);
      else this.#become({ name: "stopped", why: error });
    });
  }

  /** The machine has slept, or its addresses changed: then a new login sends the server the new ones. */
  lineMayHaveChanged(change: Change): void {
    this.checkClock();
    const state = this.#state;
    if (state.name === "waiting") this.#reconnect();
    else if (state.name === "connecting") this.#beginAnew(state);
    else if (state.name !== "online") return;
    else if (change === "slept" || !this.#isKeptOnline) state.link.checkNow();
    else this.logInAgain();
  }

  /** The attempt may hang where no way leads any more. */
  #beginAnew({ link, dial }: State & { readonly name: "connecting" }): void {
    if (!this.#isKeptOnline) return;
    if (link === undefined) dial.abort();
    else link.checkNow();
    void this.settled().then(() => {
      if (this.#state.name === "waiting") this.#reconnect();
    });
  }

  /** What is said at the login has become another. */
  logInAgain(): void {
    const state = this.#state;
    // What is under way may have said it already.
    if (state.name === "connecting") void this.settled().then(() => this.logInAgain());
    if (state.name !== "online") return;
    this.#schedule.lost(performance.now());
    this.#leaving?.close("moved");
    this.#leaving = state.link;
    this.#reconnect();
  }

  /** Renews the certificate if it is due, and reads what is unread. Runs every half minute while online. */
  checkClock(): void {
    if (this.#state.name !== "online") return;
    void this.#revocations.readRest();
    const now = this.#options.now();
    const certificate = this.#options.profile.certificate;
    // If the clock was set back, the certificate seems to come from the future; it is renewed too.
    if (certificate === undefined) return;
    const isOld = Math.abs(now - certificate.receivedAt) >= RENEW_AFTER;
    if (isOld || this.#options.profile.isCertificateRevoked) this.#renew();
  }

  #renew(): void {
    const state = this.#state;
    if (state.name !== "online" || state.isRenewing) return;
    const { profile, now } = this.#options;
    state.isRenewing = true;
    state.link
      .request("renew", state.key)
      .then((renewed) => {
        profile.saveCertificate(checkCertificate(renewed, profile.username, { profile, now }));
        this.#options.events.certified();
      })
      .catch((error: unknown) => {
        // The next check tries again. The old certificate is valid for sixty more hours, unless it was revoked.
        if (error instanceof ServerError) state.link.close(error.code);
        else if (!(error instanceof RefusedError)) this.#options.events.storageFailed(error);
      })
      .finally(() => {
        state.isRenewing = false;
      });
  }
}
