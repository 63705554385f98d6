/**
 * Tells the server where this client is (PROTOCOL 7, «Where I am»), and learns how others see it.
 *
 * 1. `reach` after each login (which follows a change of address), when a mapped port comes or goes, and every 30 minutes.
 * 2. With its ticket, a connection to the meeting port from the link's own local port shows the kind of NAT, and one over
 *    the other family proves that address.
 * 3. The server dials the addresses back; `reachable` says at which of them it has reached the peer port.
 */
import type { Target } from "../../net/dialler.ts";
import type { Clock } from "../../net/clock.ts";
import { familyOf, type Family } from "../../protocol/ip-address.ts";
import type { ResponseOf } from "../../protocol/rendezvous-messages.ts";
import type { RendezvousLink } from "../rendezvous/link.ts";
import { RefusedError, ServerFailure } from "../rendezvous/server-errors.ts";
import { ownAddresses } from "../rendezvous/surroundings.ts";
import { canConnect, meetingTargets, observe } from "./meeting-places.ts";

/** How often the server is told, in ms. */
const TELL_INTERVAL = 30 * 60_000;
/** When the server is told again that made no check, because there was one shortly before, in ms. */
const CHECK_INTERVAL = 60_000;
/** The wait after `rate_limited` or `server_busy` without `retry_after`, in ms. */
const DEFAULT_LIMIT = 10_000;
/** How long after `reach` the server's check may dial the peer port, in ms. */
const CHECK_TIME = 10_000;
/** How long the result of a check may take, in ms. */
const RESULT_TIME = 6_000;

/** How others see this client. */
export type OutsideView = {
  /** Where the server sees the rendezvous link. */
  readonly observed: Target;
  /** In the other family, as the meeting port has seen it. */
  readonly observedOther: Target | undefined;
  /** `varies`: the NAT gives each connection another port. Undefined: unknown. */
  readonly mapping: "same" | "varies" | undefined;
  /** Where the server has dialled the peer port; undefined: no check has ended. */
  readonly checked: ResponseOf<"reachable">["results"] | undefined;
  readonly hasMeetingPort: boolean;
  /** In which families the meeting port answers; to a client that is hidden: lets it connect. None yet: it was not tried. */
  readonly meeting: ReadonlyMap<Family, boolean>;
  readonly relayBytesLeft: number;
};

type AnnouncerNeeds = {
  /** The link while logged in. */
  link(): RendezvousLink | undefined;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  /** Whether nobody but the server may learn an address. */
  isHidden(): boolean;
  /** The ports that routers forward to the peer port. */
  mapped(): readonly Target[];
  /** Others see this client otherwise than before. */
  changed(): void;
  /** The server sees another address than before: what was open through the old one is dead. */
  moved(): void;
  /** The server has reached the peer port, as it had not before. */
  opened(): void;
};

export class Announcer {
  readonly #needs: AnnouncerNeeds;
  /** On the link on which it was learnt. */
  #learnt: { readonly link: RendezvousLink; readonly view: OutsideView } | undefined;
  /** Where the server last saw us, on any link. */
  #seenAt: string | undefined;
  /** Cancels the next `reach`. */
  #cancel: () => void = () => undefined;
  /** When the last check was asked for, by the monotonic clock. */
  #checkedAt = -Infinity;
  /** The server's answer, and what the meeting port then says. */
  #told: Promise<unknown> = Promise.resolve();
  /** Resolved when the check that was asked for has ended, or is late. */
  #check: PromiseWithResolvers<void> | undefined;
  /** The mapped ports that the server has dialled, or dials. */
  #mappedAtCheck: readonly Target[] = [];

  constructor(needs: AnnouncerNeeds) {
    this.#needs = needs;
  }

  /** Undefined: there is no server, or it has not answered yet. */
  get view(): OutsideView | undefined {
    if (this.#learnt === undefined || this.#learnt.link !== this.#needs.link()) return undefined;
    const { view } = this.#learnt;
    const checked = view.checked?.filter((each) => each.open || !this.#isNewlyMapped(each));
    return { ...view, checked };
  }

  /** Whether a connection from this address may be the check that we have asked for. */
  isCheck(address: string): boolean {
    const isRecent = this.#needs.clock.monotonic() - this.#checkedAt < CHECK_TIME;
    return isRecent && address === this.#needs.link()?.remoteAddress;
  }

  /** Resolves when nothing more is to be learnt of what was told: within RESULT_TIME after the server's answer. */
  async settled(): Promise<void> {
    await this.#told;
    await this.#check?.promise;
  }

  /** To be called after a login, and when the mapped ports have changed. */
  tell(): void {
    this.#cancel();
    const link = this.#needs.link();
    if (link === undefined) return;
    const check = !this.#needs.isHidden();
    if (check) this.#checkedAt = this.#needs.clock.monotonic();
    this.#tellAfter(TELL_INTERVAL);
    const told = check
      ? { addresses: ownAddresses(), mapped: this.#needs.mapped(), check }
      : { addresses: [], mapped: [], check };
    this.#told = link
      .request("reach", told)
      .then((answer) => {
        if (answer.checking) this.#mappedAtCheck = told.mapped;
        return this.#answered(link, answer, check);
      })
      .catch((error: unknown) => {
        // A lost link is followed by a login, and an older server knows no `reach`.
        if (!(error instanceof ServerFailure)) throw error;
        const limitedFor = error instanceof RefusedError ? error.limitedFor(DEFAULT_LIMIT) : undefined;
        if (limitedFor !== undefined && link === this.#needs.link()) this.#tellAfter(limitedFor);
      });
  }

  /** The server has dialled the peer port. */
  checked({ results }: ResponseOf<"reachable">): void {
    this.#check?.resolve();
    const { view } = this;
    if (view === undefined) return;
    this.#learn({ ...view, checked: results });
    if (isOpen(results) && !isOpen(view.checked)) this.#needs.opened();
  }

  close(): void {
    this.#cancel();
    this.#check?.resolve();
  }

  /** Whether a router has opened this port after the server has dialled it. */
  #isNewlyMapped({ ip, port }: Target): boolean {
    const isSame = (mapped: Target) => mapped.ip === ip && mapped.port === port;
    return this.#needs.mapped().some(isSame) && !this.#mappedAtCheck.some(isSame);
  }

  #tellAfter(ms: number): void {
    this.#cancel();
    this.#cancel = this.#needs.clock.after(ms, () => this.tell());
  }

  /** @param asksBack whether it matters how others see us */
  async #answered(
    link: RendezvousLink,
    answer: ResponseOf<"reach_response">,
    asksBack: boolean,
  ): Promise<void> {
    if (link !== this.#needs.link()) return;
    const { observed, meeting, ticket, checking, relay_bytes_left: relayBytesLeft } = answer;
    if (checking) this.#awaitCheck();
    // So it is when the router has opened a port a moment after the login.
    else if (asksBack) this.#tellAfter(CHECK_INTERVAL);
    const before = this.view;
    const view: OutsideView = {
      observed,
      observedOther: before?.observedOther,
      mapping: before?.mapping,
      checked: before?.checked,
      hasMeetingPort: meeting.length > 0,
      meeting: before?.meeting ?? new Map(),
      relayBytesLeft,
    };
    this.#learnt = { link, view };
    const hasMoved = this.#seenAt !== undefined && this.#seenAt !== observed.ip;
    this.#seenAt = observed.ip;
    if (hasMoved) this.#needs.moved();
    this.#needs.changed();
    const observing = [...meetingTargets(meeting, link)].map(async ([family, target]) => {
      const isOwnFamily = family === familyOf(observed.ip);
      const seen = asksBack && (await observe(target, isOwnFamily ? (link.localPort ?? 0) : 0, ticket));
      const answers = seen === false ? await canConnect(target) : seen !== undefined;
      if (this.#learnt?.link !== link) return;
      const { view: learnt } = this.#learnt;
      const known = { ...learnt, meeting: new Map([...learnt.meeting, [family, answers]]) };
      if (seen === false || seen === undefined) this.#learn(known);
      else if (isOwnFamily) this.#learn({ ...known, mapping: seen.mapping });
      else this.#learn({ ...known, observedOther: { ip: seen.ip, port: seen.port } });
    });
    await Promise.all(observing);
  }

  #awaitCheck(): void {
    const check = Promise.withResolvers<void>();
    this.#check = check;
    const cancel = this.#needs.clock.after(RESULT_TIME, check.resolve);
    void check.promise.then(cancel);
  }

  #learn(view: OutsideView): void {
    if (this.#learnt === undefined) return;
    this.#learnt = { link: this.#learnt.link, view };
    this.#needs.changed();
  }
}

function isOpen(checked: OutsideView["checked"]): boolean {
  return checked?.some(({ open }) => open) === true;
}
