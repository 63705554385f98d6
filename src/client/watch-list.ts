/** Whose coming and going the server is asked to tell (PROTOCOL 4, `watch`). */
import { MAX_WATCHED } from "../protocol/rendezvous-messages.ts";
import { RefusedError, type RendezvousLink } from "./rendezvous-link.ts";
import { ServerError } from "./server-trust.ts";

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
  #scheduled = false;

  constructor(host: WatchListHost) {
    this.#host = host;
  }

  /** There is another link, or none: the server there knows nothing of us. */
  forget(): void {
    this.#told = "";
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
    link
      .request("watch", { users })
      .then(({ online }) => {
        for (const username of online) this.#host.online(username);
      })
      .catch((error: unknown) => {
        // Without the server's news, redials and the next login find people; the next change asks again.
        if (!(error instanceof ServerError || error instanceof RefusedError)) throw error;
        if (this.#told === told) this.#told = "";
      });
  }
}
