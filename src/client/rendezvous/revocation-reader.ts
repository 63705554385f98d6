/**
 * Reads the revocations of other people's certificates, and of our own (PROTOCOL 3): the newest with the login, the
 * rest page by page after it, and later ones as they are pushed.
 */
import type { Revocation } from "../../identity/revocation.ts";
import { MAX_REVOKED, type ResponseOf } from "../../protocol/rendezvous-messages.ts";
import { MAX_REVOCATIONS, type RevocationStore } from "../profile/revocations.ts";
import type { RendezvousLink } from "./link.ts";
import { ServerFailure } from "./server-errors.ts";

/** Pages that are read after a login: as many as are kept. */
const MAX_PAGES = Math.ceil(MAX_REVOCATIONS / MAX_REVOKED);

/** A page of revocations, the newest first. `next`: where the next page begins; undefined: it is the last. */
export type ToldRevocations = ResponseOf<"revocations_response">;

type Link = Pick<RendezvousLink, "request">;

type Unread = {
  readonly link: Link;
  /** Where the next page begins. */
  after: string;
  /** How many may still be read. */
  pages: number;
  /** Whether a page with nothing new ends the reading: everything older was read before. */
  readonly endsAtKnown: boolean;
  isReading: boolean;
};

export class RevocationReader {
  readonly #store: RevocationStore;
  readonly #changed: () => void;
  /** All were read to the last page, so that at the next login a page with nothing new ends the reading. */
  #hasAll = false;
  /** The pages that are left; undefined: none. */
  #unread: Unread | undefined;

  /** @param changed called when the server has told a new one */
  constructor(store: RevocationStore, changed: () => void) {
    this.#store = store;
    this.#changed = changed;
  }

  /** Takes the page of a login. @param now ms since 1970, by the server's clock */
  loggedIn(link: Link, { revoked, next }: ToldRevocations, now: number): void {
    this.#store.forgetOver(now);
    const isNew = this.take(revoked);
    const endsAtKnown = this.#hasAll;
    this.#hasAll = next === undefined || (endsAtKnown && !isNew);
    this.#unread =
      next === undefined || this.#hasAll
        ? undefined
        : { link, after: next, pages: MAX_PAGES, endsAtKnown, isReading: false };
  }

  /** @returns whether one of them is new */
  take(revocations: readonly Revocation[]): boolean {
    const isNew = this.#store.add(revocations);
    if (isNew) this.#changed();
    return isNew;
  }

  /** Reads the pages that are left. If the server refuses one, the next call goes on there. */
  async readRest(): Promise<void> {
    const unread = this.#unread;
    if (unread === undefined || unread.isReading) return;
    unread.isReading = true;
    try {
      for (; unread.pages > 0; unread.pages--) {
        const page: ToldRevocations = await unread.link.request("revocations", { after: unread.after });
        const isNew = this.take(page.revoked);
        if (page.next === undefined || (unread.endsAtKnown && !isNew)) break;
        unread.after = page.next;
      }
      if (this.#unread !== unread) return;
      this.#hasAll = true;
      this.#unread = undefined;
    } catch (error) {
      if (!(error instanceof ServerFailure)) throw error;
      unread.isReading = false;
    }
  }
}
