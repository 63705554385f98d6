/** The links to one person and the attempt under way; carries out what `link-choice.ts` decides. */
import {
  noLinks,
  stepLinks,
  type LinkAction,
  type LinkChoice,
  type LinkEvent,
  type LinkId,
} from "./link-choice.ts";
import type { PeerLink } from "./link.ts";

export class PeerLinks {
  readonly #currentChanged: (link: PeerLink | undefined) => void;
  readonly #links = new Map<LinkId, PeerLink>();
  #choice: LinkChoice;
  #nextId: LinkId = 1;
  #dialAbort: AbortController | undefined;

  /** @param currentChanged gets the link that is current from now on; undefined: none is left */
  constructor(decider: boolean, currentChanged: (link: PeerLink | undefined) => void) {
    this.#choice = noLinks(decider);
    this.#currentChanged = currentChanged;
  }

  get isConnected(): boolean {
    return this.#choice.current !== undefined;
  }

  /** The link that is written on. */
  get current(): PeerLink | undefined {
    return this.#choice.current === undefined ? undefined : this.#links.get(this.#choice.current);
  }

  /** Links, complete or under way. */
  get count(): number {
    return this.#links.size;
  }

  /** When any complete link was last heard, on the monotonic clock. */
  get lastReadAt(): number {
    return Math.max(
      ...[...this.#links.values()].filter((link) => link.isComplete).map((link) => link.lastReadAt),
    );
  }

  /** Begins an attempt; the signal says when it is given up. */
  startDial(): { id: LinkId; signal: AbortSignal } {
    const id = this.#nextId++;
    this.#dialAbort = new AbortController();
    this.#step({ name: "dialStarted", link: id });
    return { id, signal: this.#dialAbort.signal };
  }

  dialFailed(id: LinkId): void {
    this.#step({ name: "dialFailed", link: id });
  }

  /** Gives up the attempt under way; its outcome does not matter any more. */
  abandonDial(): void {
    const { dial } = this.#choice;
    this.#dialAbort?.abort();
    if (dial === undefined) return;
    this.dialFailed(dial);
    this.#links.get(dial)?.terminate("abandoned");
  }

  /** A number for a link that the other side has dialled. */
  newId(): LinkId {
    return this.#nextId++;
  }

  /** A link whose peer is proven, before its greeting. */
  add(link: PeerLink): void {
    this.#links.set(link.id, link);
  }

  /** @param now of the monotonic clock */
  completed(link: PeerLink, now: number): void {
    this.#step({ name: "completed", link: link.id, now });
  }

  /** @returns whether it was the last complete one. */
  closed(link: PeerLink): boolean {
    this.#links.delete(link.id);
    return this.#step({ name: "closed", link: link.id }).some(({ name }) => name === "disconnected");
  }

  /** Deadlines of links that are not current. @param now of the monotonic clock */
  tick(now: number): void {
    this.#step({ name: "time", now, lastReadAt: (id) => this.#links.get(id)?.lastReadAt ?? 0 });
  }

  /** Says `bye` on every complete link, and ends all. */
  endAll(code: string): void {
    for (const link of [...this.#links.values()]) link.bye(code);
  }

  /** Ends all at once; what is queued is sent again another time. */
  terminateAll(code: string): void {
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
