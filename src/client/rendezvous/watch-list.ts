/** Whose presence the server is asked to report (PROTOCOL 4, `watch`). */
import { MAX_WATCHED } from "../../protocol/rendezvous-messages.ts";
import { label as labelOf } from "../../identity/names.ts";
import { RefusedError, type RendezvousLink } from "./link.ts";
import { ServerError } from "./trust.ts";

/** After a limit the first requests are left to the redials, which are spread over 2 s: the list waits longer, in ms. */
const BEHIND_REDIALS = 3_000;

export type WatchListNeeds = {
  /** The link while logged in. */
  link(): RendezvousLink | undefined;
  /** The names that matter now. */
  wanted(): readonly string[];
  /** This person is online already. */
  online(username: string): void;
};

export class WatchList {
  readonly #needs: WatchListNeeds;
  /** The list that was sent last, one name a line. */
  #sent = "";
  /** The labels of those whose presence the server reports now. */
  #watched: ReadonlySet<string> = new Set();
  #scheduled = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(needs: WatchListNeeds) {
    this.#needs = needs;
  }

  /** There is another link, or none: the list has to be sent again. */
  forget(): void {
    clearTimeout(this.#retry);
    this.#sent = "";
    this.#watched = new Set();
  }

  /** Whether the server has confirmed that it reports this person's presence. */
  covers(username: string): boolean {
    return this.#watched.has(labelOf(username));
  }

  /** Sends the list at the end of this turn, after its lookups and texts, if it has changed. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
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
        // A later list, or another link, has taken its place.
        if (this.#sent !== list) return;
        this.#watched = new Set(users.map(labelOf));
        for (const username of online) this.#needs.online(username);
      })
      .catch((error: unknown) => {
        // Redials and the next login find people without it; the next change sends the list again.
        if (!(error instanceof ServerError || error instanceof RefusedError)) throw error;
        if (this.#sent !== list) return;
        this.#sent = "";
        const limitedFor = error instanceof RefusedError ? error.limitedFor : undefined;
        if (limitedFor === undefined) return;
        // After a limit it is sent again by itself: a lookup may find somebody offline, and nothing else would ask.
        this.#retry = setTimeout(() => this.changed(), limitedFor + BEHIND_REDIALS);
        this.#retry.unref();
      });
  }
}
