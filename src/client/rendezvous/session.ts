/**
 * Being online: one account's session at the rendezvous server.
 *
 * 1. `connect` reaches the server, then resumes with the stored token, or logs in with the password.
 * 2. `keepOnline` reconnects after a lost link, as `return-schedule.ts` says, by the stored session alone.
 * 3. The certificate is renewed 12 hours after receipt, also when the machine slept meanwhile.
 */
import type { Language } from "../../protocol/language.ts";
import type { Profile } from "../profile/profile.ts";
import { checkCertificate, logIn } from "./login.ts";
import { RefusedError, type RendezvousLink, type LinkEvents } from "./link.ts";
import { ReturnSchedule } from "./return-schedule.ts";
import { contactServer, type ContactOptions } from "./reach-server.ts";
import { isStorageFailure } from "../disk/sqlite.ts";
import type { Change } from "./surroundings.ts";
import { ServerError } from "./trust.ts";

export { PasswordNeededError } from "./login.ts";

/** Age at which a certificate is renewed, in ms (PROTOCOL 3). */
export const RENEW_AFTER = 12 * 60 * 60 * 1_000;
/** How often the clock is looked at, in ms. */
const TICK = 30_000;

export type RendezvousState =
  | { readonly name: "offline" }
  | { readonly name: "connecting" }
  | { readonly name: "online" }
  /** `until`: ms since 1970. */
  | { readonly name: "waiting"; readonly until: number; readonly why: Error }
  /** It will not come back by itself. */
  | { readonly name: "stopped"; readonly why: Error };

export type RendezvousEvents = {
  state(state: RendezvousState): void;
  presence(username: string, online: boolean): void;
  /** The account is used with a key that the server had not seen. */
  newKey(): void;
  /** The disk did not take the renewed certificate. Throws what is no failure of the disk. */
  storageFailed(error: unknown): void;
  /** The server's clock less ours, in ms. */
  clockOffset(offset: number): void;
  trace?: LinkEvents["trace"];
};

export type RendezvousOptions = Omit<ContactOptions, "events"> & {
  readonly profile: Profile;
  readonly language: Language;
  readonly p2pPort: () => number;
  /** The password, asked for only when it is needed; undefined when there is none. */
  readonly password: () => Promise<string | undefined>;
  /** The password is there without a question for as long as the program runs. */
  readonly isPasswordLasting?: boolean;
  readonly random: () => number;
  readonly events: RendezvousEvents;
};

/** Answers after which trying again later is right. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "server_busy",
  "server_closing",
  "rate_limited",
  "internal_error",
]);

export function isTransient(error: unknown): boolean {
  if (error instanceof RefusedError) return TRANSIENT_CODES.has(error.code);
  return error instanceof ServerError && error.isTransient;
}

export class Rendezvous {
  readonly #options: RendezvousOptions;
  #state: RendezvousState = { name: "offline" };
  #link: RendezvousLink | undefined;
  /** A closing server still answers on it what it had begun, and ends it. */
  #leaving: RendezvousLink | undefined;
  /** Counts the attempts; what a link of an earlier one still says is nobody's news. */
  #session = 0;
  #persistent = false;
  readonly #schedule = new ReturnSchedule();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #tick: ReturnType<typeof setInterval> | undefined;
  #renewing = false;
  readonly #abort = new AbortController();
  #closed = false;
  #passwordAllowed = true;
  /** From then on nobody is asked for a password because a link was lost. */
  #wasOnline = false;

  constructor(options: RendezvousOptions) {
    this.#options = options;
  }

  get state(): RendezvousState {
    return this.#state;
  }

  /** The link while logged in. */
  get link(): RendezvousLink | undefined {
    return this.#state.name === "online" ? this.#link : undefined;
  }

  /** One attempt to be online. @throws ServerError, RefusedError, PasswordNeededError */
  connect(): Promise<void> {
    return this.#goOnline(this.#passwordAllowed);
  }

  async #goOnline(passwordAllowed: boolean): Promise<void> {
    clearTimeout(this.#retry);
    this.#become({ name: "connecting" });
    try {
      const { signal: theirs } = this.#options;
      const own = this.#abort.signal;
      const signal = theirs === undefined ? own : AbortSignal.any([theirs, own]);
      const contact = await contactServer({ ...this.#options, events: this.#linkEvents(), signal });
      this.#link = contact.link;
      if (this.#closed) throw new ServerError("server_unreachable");
      await logIn(contact.link, contact.authority, {
        ...this.#options,
        password: async () => (passwordAllowed ? this.#options.password() : undefined),
      });
      if (this.#closed || !contact.link.isOpen) throw new ServerError("server_unreachable");
      this.#options.events.clockOffset(contact.clockOffset);
    } catch (error) {
      this.#link?.close("login_failed");
      this.#link = undefined;
      this.#become({ name: "offline" });
      throw error;
    }
    this.#schedule.returned();
    this.#wasOnline = true;
    this.#leaving?.close("moved");
    this.#leaving = undefined;
    this.#tick ??= setInterval(() => this.checkClock(), TICK);
    this.#become({ name: "online" });
  }

  /** As `connect`, by the stored session alone. @throws as `connect` */
  async resume(): Promise<void> {
    this.#passwordAllowed = false;
    await this.connect();
  }

  /** From now on a lost link is reconnected. */
  keepOnline(): void {
    this.#persistent = true;
  }

  /** The next attempt follows a failure that the caller has seen. */
  retryAfter(why: Error): void {
    this.#persistent = true;
    this.#wait(why);
  }

  async logOut(): Promise<void> {
    await this.link?.request("logout", {});
    this.#options.profile.forgetToken();
    this.close();
  }

  close(): void {
    this.#closed = true;
    this.#persistent = false;
    clearTimeout(this.#retry);
    clearInterval(this.#tick);
    this.#abort.abort();
    this.#link?.close("done");
    this.#leaving?.close("done");
  }

  #become(state: RendezvousState): void {
    this.#state = state;
    this.#options.events.state(state);
  }

  #linkEvents(): LinkEvents {
    const { events } = this.#options;
    const session = ++this.#session;
    const isMine = () => session === this.#session && this.#state.name === "online";
    return {
      presence: (username, online) => {
        if (isMine()) events.presence(username, online);
      },
      news: (code) => {
        if (!isMine()) return;
        const why = new RefusedError(code, "");
        if (code === "session_replaced") {
          this.#persistent = false;
          this.#become({ name: "stopped", why });
          this.#link?.close(code);
        } else if (code === "server_closing" && this.#persistent) {
          // The next server need not wait for the last words of this one, whose end is nobody's news.
          this.#session++;
          this.#leaving = this.#link;
          this.#lost(why);
        }
      },
      closed: () => {
        if (!isMine()) return;
        const why = new ServerError("server_unreachable");
        if (this.#persistent) this.#lost(why);
        else {
          this.#link = undefined;
          this.#become({ name: "offline" });
        }
      },
      ...(events.trace === undefined ? {} : { trace: events.trace }),
    };
  }

  #lost(why: Error): void {
    this.#link = undefined;
    this.#schedule.lost(performance.now());
    this.#wait(why);
  }

  #wait(why: Error): void {
    if (this.#closed) return;
    const delay = this.#schedule.next(why, performance.now(), this.#options.random());
    this.#become({ name: "waiting", until: this.#options.now() + delay, why });
    this.#retry = setTimeout(() => this.#reconnect(), delay);
  }

  #reconnect(): void {
    const mayLogIn = !this.#wasOnline || this.#options.isPasswordLasting === true;
    this.#goOnline(this.#passwordAllowed && mayLogIn).catch((error: unknown) => {
      if (!(error instanceof Error)) throw error;
      if (isTransient(error) || isStorageFailure(error)) this.#wait(error);
      else if (!this.#closed) this.#become({ name: "stopped", why: error });
    });
  }

  /** The machine has slept, or has other addresses, which the server is told by a new login. */
  lineMayHaveChanged(change: Change): void {
    this.checkClock();
    if (this.#state.name === "waiting") {
      clearTimeout(this.#retry);
      this.#reconnect();
    } else if (change === "slept" || !this.#persistent) this.link?.checkNow();
    else if (this.#state.name === "online") {
      const link = this.#link;
      // What the old link still says, its end too, is nobody's news.
      this.#session++;
      this.#link = undefined;
      link?.close("moved");
      this.#schedule.lost(performance.now());
      this.#reconnect();
    }
  }

  /** Renews what is due; called by itself every half minute. */
  checkClock(): void {
    const now = this.#options.now();
    const certificate = this.#options.profile.certificate;
    // A clock that was set back leaves a certificate from the future; it is renewed too.
    if (certificate !== undefined && Math.abs(now - certificate.receivedAt) >= RENEW_AFTER) this.#renew();
  }

  #renew(): void {
    const link = this.link;
    if (link === undefined || this.#renewing) return;
    const { profile, now } = this.#options;
    this.#renewing = true;
    link
      .request("renew", { public_key: profile.keys.spki.toString("base64") })
      .then((renewed) =>
        profile.saveCertificate(checkCertificate(renewed.certificate, profile.username, { profile, now })),
      )
      .catch((error: unknown) => {
        // The next tick asks again; the old certificate has twelve hours left.
        if (error instanceof ServerError) link.close(error.code);
        else if (!(error instanceof RefusedError)) this.#options.events.storageFailed(error);
      })
      .finally(() => {
        this.#renewing = false;
      });
  }
}
