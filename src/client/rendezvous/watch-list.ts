/** Whose presence the server is asked to report (PROTOCOL 4, `watch`). */
import { MAX_WATCHED } from "../../protocol/rendezvous-messages.ts";
import { label as labelOf } from "../../identity/names.ts";
import type { RendezvousLink } from "./link.ts";
import { RefusedError, ServerFailure } from "./server-errors.ts";

/** How long no list is sent after `rate_limited` or `server_busy` without `retry_after`, in ms. */
const DEFAULT_LIMIT = 5_000;
/** A list is sent this long after a change, in ms: who is linked before need not be watched to be sent to. */
const LIST_DELAY = 50;
/** After a limit, redials are spread over 2 s and come first: the list waits this much longer, in ms. */
const AFTER_REDIALS = 3_000;

/** What the server has reported of somebody. `some`: their changes on the link before, after which others may have come. */
export type Reported = "all" | "some" | "nothing";

type WatchListNeeds = {
  /** The link while logged in. */
  link(): RendezvousLink | undefined;
  /** The names to watch now. */
  wanted(): readonly string[];
  /**
   * The server has begun to report changes.
   * @param online those of the list who are online now
   * @param before what was reported of this person until now
   */
  confirmed(online: readonly string[], before: (username: string) => Reported): void;
};

export class WatchList {
  readonly #needs: WatchListNeeds;
  /** The list that was sent last, one name a line. */
  #sent = "";
  /** The labels of those whose presence the server reports now. */
  #watched: ReadonlySet<string> = new Set();
  /** The labels of those whose presence was reported on the link before. */
  #watchedBefore: ReadonlySet<string> = new Set();
  #scheduled = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(needs: WatchListNeeds) {
    this.#needs = needs;
  }

  /** The link has changed or is lost: the server no longer knows the list. */
  reset(): void {
    clearTimeout(this.#retry);
    this.#sent = "";
    if (this.#watched.size > 0) this.#watchedBefore = this.#watched;
    this.#watched = new Set();
  }

  /** Whether the server has confirmed that it reports this person's presence. */
  covers(username: string): boolean {
    return this.#watched.has(labelOf(username));
  }

  /** Sends the list soon, if it has changed then. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#send();
    }, LIST_DELAY).unref();
  }

  #send(): void {
    const link = this.#needs.link();
    if (link === undefined) return;
    const users = this.#needs.wanted().slice(0, MAX_WATCHED);
    const list = users.join("\n");
    if (list === this.#sent) return;
    this.#sent = list;
    clearTimeout(this.#retry);
    link
      .request("watch", { users })
      .then(({ online }) => {
        // A later list has been sent, or the link has changed.
        if (this.#sent !== list) return;
        const [watched, watchedBefore] = [this.#watched, this.#watchedBefore];
        this.#watched = new Set(users.map(labelOf));
        this.#watchedBefore = new Set();
        this.#needs.confirmed(online, (username) => {
          const label = labelOf(username);
          if (watched.has(label)) return "all";
          return watchedBefore.has(label) ? "some" : "nothing";
        });
      })
      .catch((error: unknown) => {
        // Redials and the next login find people without the list, and its next change sends it again.
        if (!(error instanceof ServerFailure)) throw error;
        if (this.#sent !== list) return;
        this.#sent = "";
        const limitedFor = error instanceof RefusedError ? error.limitedFor(DEFAULT_LIMIT) : undefined;
        if (limitedFor === undefined) return;
        // After a limit lookups may report people offline who come online later: only this list would notice.
        this.#retry = setTimeout(() => this.changed(), limitedFor + AFTER_REDIALS);
        this.#retry.unref();
      });
  }
}
