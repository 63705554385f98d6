/** What our person is told of the links to one peer: nothing as long as that is a stranger whose chat is not open. */
import type { Clock } from "../../net/clock.ts";
import { showHostPort } from "../../protocol/ip-address.ts";
import type { LinkWatch } from "../peer/link-watch.ts";
import type { PeerLink } from "../peer/link.ts";
import type { LinkWay } from "../peer/proven-connection.ts";
import type { PeerLinks } from "../peer/links.ts";
import type { MessengerEvent } from "./events.ts";

/** Of a link. `seeksDirect`: it is relayed, and a direct way is looked for. */
export type ShownWay = { readonly way: LinkWay; readonly seeksDirect: boolean };

/** Where the peer is; undefined: only the server knows. */
function addressOf({ way, remoteAddress, remotePort }: PeerLink): string | undefined {
  return way === "relayed" ? undefined : showHostPort(remoteAddress, remotePort);
}

/** What is known of the current link. */
export type LinkInfo = ShownWay & {
  readonly address: string | undefined;
  /** When it was complete, ms since 1970. */
  readonly since: number;
};

type ShownLinkNeeds = {
  readonly username: () => string;
  readonly links: PeerLinks;
  readonly watch: () => LinkWatch;
  /** As of `Reaching`. */
  readonly seeksDirect: () => boolean;
  /** Whether links to this person are shown now. */
  readonly isShown: () => boolean;
  readonly clock: Pick<Clock, "monotonic" | "now">;
  readonly emit: (event: MessengerEvent) => void;
};

export class ShownLink {
  readonly #needs: ShownLinkNeeds;
  /** By which way, as was emitted last for the current links; undefined: nothing was. */
  #shown: ShownWay | undefined;

  constructor(needs: ShownLinkNeeds) {
    this.#needs = needs;
  }

  /** There is a link, or another one, or it may be shown now. One that has come by the same way is no news. */
  show(): void {
    const { username, watch, isShown, emit } = this.#needs;
    const { info } = this;
    if (info === undefined || !isShown()) return;
    const { way, seeksDirect, address } = info;
    const before = this.#shown;
    if (before?.way === way && before.seeksDirect === seeksDirect) return;
    this.#shown = { way, seeksDirect };
    emit({ name: "connected", username: username(), way, seeksDirect, address });
    const { silentSince } = watch().presence;
    if (before === undefined && silentSince !== undefined) this.silent(silentSince);
  }

  /** Undefined: there is no link. */
  get info(): LinkInfo | undefined {
    const { links, seeksDirect, clock } = this.#needs;
    const { current } = links;
    if (current === undefined) return undefined;
    const { way, completedAt = clock.monotonic() } = current;
    const since = clock.now() - (clock.monotonic() - completedAt);
    return { way, seeksDirect: seeksDirect(), address: addressOf(current), since };
  }

  /** @param since ms since 1970; undefined: the peer answers again */
  silent(since: number | undefined): void {
    const { username, emit } = this.#needs;
    if (this.#shown !== undefined) emit({ name: "silent", username: username(), since });
  }

  /** No link is left. */
  ended(bye: boolean, isRevoked: boolean): void {
    const { username, watch, emit } = this.#needs;
    if (this.#shown === undefined) return;
    this.#shown = undefined;
    const revoked = isRevoked ? { revoked: true as const } : {};
    emit({ name: "disconnected", username: username(), bye, ...revoked, heardAt: watch().heardAt });
  }
}
