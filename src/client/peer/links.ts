/** The links to one person and the current attempt; carries out the decisions of `link-choice.ts`. */
import {
  noLinks,
  stepLinks,
  type LinkAction,
  type LinkChoice,
  type LinkEvent,
  type LinkId,
} from "./link-choice.ts";
import type { PeerLink } from "./link.ts";
import type { ProvenPeer } from "./proof.ts";

export class PeerLinks {
  readonly #currentChanged: (link: PeerLink | undefined) => void;
  readonly #links = new Map<LinkId, PeerLink>();
  #choice: LinkChoice;
  #nextId: LinkId = 1;
  #dialAbort: AbortController | undefined;
  #completion = new AbortController();

  /** @param currentChanged receives the new current link; undefined: none is left */
  constructor(decider: boolean, currentChanged: (link: PeerLink | undefined) => void) {
    this.#choice = noLinks(decider);
    this.#currentChanged = currentChanged;
  }

  get isConnected(): boolean {
    return this.#choice.current !== undefined;
  }

  /** The link that is written on. */
  get current(): PeerLink | undefined {
    return this.#choice.current === undefined ? undefined : this.#links.get(this.#choice.current.id);
  }

  /** Whether there are links, and none of them was read since it was doubted, some seconds ago. */
  get isDoubtful(): boolean {
    return this.#choice.current?.isDoubtful === true;
  }

  /** Addresses of one side have changed: every link is pinged. @param now by the monotonic clock */
  doubt(now: number): void {
    this.#step({ name: "doubted", now, lastReadAt: this.#lastReadAt });
  }

  /** How many links there are, including those in their greeting. */
  get count(): number {
    return this.#links.size;
  }

  /** When something was last received on a complete link, by the monotonic clock. */
  get lastReadAt(): number {
    return Math.max(
      ...[...this.#links.values()].filter((link) => link.isComplete).map((link) => link.lastReadAt),
    );
  }

  /** Aborted when a link is complete, or no link is wanted any more. */
  get untilComplete(): AbortSignal {
    return this.#completion.signal;
  }

  #renewCompletion(): void {
    this.#completion.abort();
    this.#completion = new AbortController();
  }

  /** Begins an attempt. @returns its signal is aborted when it is abandoned or has failed, and when a link is complete */
  startDial(): { id: LinkId; signal: AbortSignal } {
    const id = this.#nextId++;
    this.#dialAbort = new AbortController();
    this.#step({ name: "dialStarted", link: id });
    return { id, signal: AbortSignal.any([this.#dialAbort.signal, this.untilComplete]) };
  }

  dialFailed(id: LinkId): void {
    if (this.#choice.dial === id) this.#dialAbort?.abort();
    this.#step({ name: "dialFailed", link: id });
  }

  /** Abandons the current attempt; its outcome is ignored. */
  abandonDial(): void {
    const { dial } = this.#choice;
    this.#dialAbort?.abort();
    if (dial === undefined) return;
    this.dialFailed(dial);
    this.#links.get(dial)?.terminate("abandoned");
  }

  /** A link of another purpose is complete: the current attempt has led to it, or is abandoned. */
  completedAside(link: PeerLink): void {
    if (this.#choice.dial === link.id) this.dialFailed(link.id);
    else this.abandonDial();
  }

  /** An id for a link that the peer has dialled. */
  newId(): LinkId {
    return this.#nextId++;
  }

  /** Adds a link before its greeting. */
  add(link: PeerLink): void {
    this.#links.set(link.id, link);
  }

  /** @param now by the monotonic clock */
  completed(link: PeerLink, now: number): void {
    const isRelayed = link.way === "relayed";
    this.#step({ name: "completed", link: link.id, isRelayed, now, lastReadAt: this.#lastReadAt });
    this.#renewCompletion();
  }

  /** @returns whether it was the last complete link */
  closed(link: PeerLink): boolean {
    this.#links.delete(link.id);
    return this.#step({ name: "closed", link: link.id }).some(({ name }) => name === "disconnected");
  }

  /** Checks the deadlines of links. @param now by the monotonic clock. @param isPaused nothing is read of any link now */
  tick(now: number, isPaused: boolean): void {
    if (!this.isConnected) return;
    this.#step({ name: "time", now, lastReadAt: isPaused ? () => now : this.#lastReadAt });
  }

  readonly #lastReadAt = (id: LinkId): number => this.#links.get(id)?.lastReadAt ?? 0;

  /** The complete links on which may be written. */
  get open(): readonly PeerLink[] {
    return [...this.#links.values()].filter((each) => each.isComplete && each.isOpen);
  }

  /** Says `bye` on every complete link, and ends the others. */
  endAll(code: string): void {
    this.endThose(() => true, code);
  }

  /** As `endAll`, for the links that are meant; no attempt goes on. */
  endThose(isMeant: (link: PeerLink) => boolean, code: string): void {
    this.#renewCompletion();
    for (const link of [...this.#links.values()]) if (isMeant(link)) link.bye(code);
  }

  /** Terminates the links to the peers that are meant. */
  terminateThose(isMeant: (peer: ProvenPeer) => boolean, code: string): void {
    for (const link of [...this.#links.values()]) if (isMeant(link.peer)) link.terminate(code);
  }

  /** Terminates all links; queued messages are sent again on a later link. */
  terminateAll(code: string): void {
    this.#renewCompletion();
    for (const link of [...this.#links.values()]) link.terminate(code);
  }

  #step(event: LinkEvent): readonly LinkAction[] {
    const { choice, actions } = stepLinks(this.#choice, event);
    this.#choice = choice;
    for (const action of actions) this.#act(action);
    return actions;
  }

  #act(action: LinkAction): void {
    switch (action.name) {
      case "abandonDial":
        this.#dialAbort?.abort();
        this.#links.get(action.link)?.terminate("abandoned");
        return;
      case "writeOn":
        this.#currentChanged(this.#links.get(action.link));
        return;
      case "ping": {
        const link = this.#links.get(action.link);
        link?.send({ action: "ping" });
        link?.flush();
        return;
      }
      case "end":
        this.#links.get(action.link)?.end("replaced");
        return;
      case "disconnected":
        this.#currentChanged(undefined);
        return;
      default:
        action satisfies never;
    }
  }
}
