/**
 * Chooses the current one of several links to one peer (PROTOCOL 5, «Two links at once»): both sides may dial at
 * the same time, or redial while a broken link still looks alive to one of them. Pure.
 *
 * - A link is complete for the acceptor when it has read the dialler's `hello`, and for the dialler when it has
 *   written its own. A side that completes a link abandons its own dial.
 * - If the decider (the side with the smaller label) completes a second link, the later link replaces the earlier
 *   one: it writes on the later link, and reads the earlier one for 5 s at most.
 * - The other side never closes a second link: it writes on the link that it completed last and, when that closes,
 *   on the remaining one.
 * - A link that is not current is ended after 30 s of silence.
 */

/** How long the decider still reads a replaced link, in ms. */
export const REPLACED_LINK_TIME = 5_000;
/** Silence after which a link that is not current is ended, in ms. */
export const SPARE_LINK_SILENCE = 30_000;

export type LinkId = number;

type SpareLink = {
  readonly id: LinkId;
  /** When the decider ends it; undefined: only silence ends it. */
  readonly endAt: number | undefined;
};

export type LinkChoice = {
  readonly decider: boolean;
  /** Our own attempt, until its link is complete. */
  readonly dial: LinkId | undefined;
  readonly current: LinkId | undefined;
  /** The other complete links, in the order of their completion. */
  readonly spare: readonly SpareLink[];
};

export type LinkEvent =
  | { readonly name: "dialStarted"; readonly link: LinkId }
  | { readonly name: "dialFailed"; readonly link: LinkId }
  | { readonly name: "completed"; readonly link: LinkId; readonly now: number }
  | { readonly name: "closed"; readonly link: LinkId }
  /** `lastReadAt`: when something was last received on a link, by the clock of `now`. */
  | { readonly name: "time"; readonly now: number; readonly lastReadAt: (link: LinkId) => number };

export type LinkAction =
  | { readonly name: "abandonDial"; readonly link: LinkId }
  /** This is the current link now: all unacknowledged messages are sent on it. */
  | { readonly name: "writeOn"; readonly link: LinkId }
  | { readonly name: "end"; readonly link: LinkId }
  /** No link is left. */
  | { readonly name: "disconnected" };

type LinkStep = { readonly choice: LinkChoice; readonly actions: readonly LinkAction[] };

export function noLinks(decider: boolean): LinkChoice {
  return { decider, dial: undefined, current: undefined, spare: [] };
}

export function stepLinks(choice: LinkChoice, event: LinkEvent): LinkStep {
  switch (event.name) {
    case "dialStarted":
      return { choice: { ...choice, dial: event.link }, actions: [] };
    case "dialFailed":
      return { choice: choice.dial === event.link ? { ...choice, dial: undefined } : choice, actions: [] };
    case "completed":
      return complete(choice, event.link, event.now);
    case "closed":
      return close(choice, event.link);
    case "time": {
      const over = choice.spare.filter(
        ({ id, endAt }) =>
          (endAt !== undefined && endAt <= event.now) ||
          event.now - event.lastReadAt(id) >= SPARE_LINK_SILENCE,
      );
      return {
        choice: { ...choice, spare: choice.spare.filter((link) => !over.includes(link)) },
        actions: over.map(({ id }) => ({ name: "end", link: id })),
      };
    }
    default:
      return event satisfies never;
  }
}

function complete(choice: LinkChoice, link: LinkId, now: number): LinkStep {
  const actions: LinkAction[] = [];
  if (choice.dial !== undefined && choice.dial !== link)
    actions.push({ name: "abandonDial", link: choice.dial });
  actions.push({ name: "writeOn", link });
  const spare =
    choice.current === undefined
      ? choice.spare
      : [
          ...choice.spare,
          { id: choice.current, endAt: choice.decider ? now + REPLACED_LINK_TIME : undefined },
        ];
  return { choice: { ...choice, dial: undefined, current: link, spare }, actions };
}

function close(choice: LinkChoice, link: LinkId): LinkStep {
  if (choice.dial === link) return { choice: { ...choice, dial: undefined }, actions: [] };
  if (choice.current !== link) {
    return { choice: { ...choice, spare: choice.spare.filter(({ id }) => id !== link) }, actions: [] };
  }
  const left = choice.spare.at(-1);
  if (left === undefined)
    return { choice: { ...choice, current: undefined }, actions: [{ name: "disconnected" }] };
  // It is current again, so it has no deadline any more.
  return {
    choice: { ...choice, current: left.id, spare: choice.spare.slice(0, -1) },
    actions: [{ name: "writeOn", link: left.id }],
  };
}
