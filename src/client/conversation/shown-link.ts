/** What our person is told of the links to one peer: nothing as long as that is a stranger whose chat is not open. */
import type { LinkWatch } from "../peer/link-watch.ts";
import type { PeerLinks } from "../peer/links.ts";
import type { MessengerEvent } from "./events.ts";

type ShownLinkNeeds = {
  readonly username: () => string;
  readonly links: PeerLinks;
  readonly watch: () => LinkWatch;
  /** Whether links to this person are shown now. */
  readonly isShown: () => boolean;
  readonly emit: (event: MessengerEvent) => void;
};

export class ShownLink {
  readonly #needs: ShownLinkNeeds;
  /** Whether `connected` was emitted for the current links. */
  #isConnected = false;

  constructor(needs: ShownLinkNeeds) {
    this.#needs = needs;
  }

  /** There is a link, or it may be shown now. */
  show(): void {
    const { username, links, watch, isShown, emit } = this.#needs;
    if (this.#isConnected || links.current === undefined || !isShown()) return;
    this.#isConnected = true;
    emit({ name: "connected", username: username(), address: links.current.remoteAddress });
    const { silentSince } = watch().presence;
    if (silentSince !== undefined) this.silent(silentSince);
  }

  /** @param since ms since 1970; undefined: the peer answers again */
  silent(since: number | undefined): void {
    const { username, emit } = this.#needs;
    if (this.#isConnected) emit({ name: "silent", username: username(), since });
  }

  /** No link is left. */
  ended(bye: boolean, isRevoked: boolean): void {
    const { username, watch, emit } = this.#needs;
    if (!this.#isConnected) return;
    this.#isConnected = false;
    const revoked = isRevoked ? { revoked: true as const } : {};
    emit({ name: "disconnected", username: username(), bye, ...revoked, heardAt: watch().heardAt });
  }
}
