/** Whose coming and going the server is asked to tell (PROTOCOL 4, `watch`). */
import { MAX_WATCHED } from "../../protocol/rendezvous-messages.ts";
import { label as labelOf } from "../../identity/names.ts";
import { RefusedError, type RendezvousLink } from "./link.ts";
import { ServerError } from "./trust.ts";

/** A server that says not when it takes a list again is asked after so long, and after no more than the other, in ms. */
const DEFAULT_LIMIT = 5_000;
const LONGEST_LIMIT = 60 * 60 * 1_000;
/** The first answer behind a limit is for the redials, which come spread over 2 s: a list waits longer, in ms. */
const BEHIND_REDIALS = 3_000;

export interface WatchListHost {
  /** The link while logged in. */
  link(): RendezvousLink | undefined;
  /** The names that matter now. */
  wanted(): readonly string[];
  /** This person is online already. */
  online(username: string): void;
}

export class WatchList {
  readonly #host: WatchListHost;
  /** What the server was told last, one name a line. */
  #told = "";
  /** The labels of those of whom the server now tells. */
  #answered: ReadonlySet<string> = new Set();
  #scheduled = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(host: WatchListHost) {
    this.#host = host;
  }

  /** There is another link, or none: the server there knows nothing of us. */
  forget(): void {
    clearTimeout(this.#retry);
    this.#told = "";
    this.#answered = new Set();
  }

  /** Whether the server has answered that it tells of this person. */
  covers(username: string): boolean {
    return this.#answered.has(labelOf(username));
  }

  /** Tells the server at the end of this turn, after its lookups and texts, if anything has changed. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#tell();
    });
  }

  #tell(): void {
    const link = this.#host.link();
    if (link === undefined) return;
    const users = this.#host.wanted().slice(0, MAX_WATCHED);
    const told = users.join("\n");
    if (told === this.#told) return;
    this.#told = told;
    clearTimeout(this.#retry);
    link
      .request("watch", { users })
      .then(({ online }) => {
        // A later one, or another link, has taken its place.
        if (this.#told !== told) return;
        this.#answered = new Set(users.map(labelOf));
        for (const username of online) this.#host.online(username);
      })
      .catch((error: unknown) => {
        // Without the server's news, redials and the next login find people; the next change asks again.
        if (!(error instanceof ServerError || error instanceof RefusedError)) throw error;
        if (this.#told !== told) return;
        this.#told = "";
        // But for a limit: the lookups behind it may say that somebody is offline, and nobody would ask again.
        if (error instanceof RefusedError && error.code === "rate_limited") this.#later(error.retryAfter);
      });
  }

  /** @param retryAfter seconds */
  #later(retryAfter: number | undefined): void {
    const wait = retryAfter === undefined ? DEFAULT_LIMIT : Math.min(LONGEST_LIMIT, retryAfter * 1_000);
    this.#retry = setTimeout(() => this.changed(), wait + BEHIND_REDIALS);
    this.#retry.unref();
  }
}
