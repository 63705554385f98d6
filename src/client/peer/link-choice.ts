/**
 * Which of several links to one peer is the current one (PROTOCOL 5, «Two links at once»): both sides may
 * dial at the same moment, and redial while a broken link still looks alive to one of them. Pure.
 *
 * - A link is complete for the acceptor when it has read the dialler's `hello`, for the dialler when it
 *   has written its own. Completing a link abandons one's own dial.
 * - The decider (the smaller label) that completes a link while another is complete lets the later
 *   replace the earlier: it writes on the later and reads the earlier for at most 5 s more.
 * - The other side never closes a link for being second: it writes on the one it completed last and,
 *   when that closes, on the one that is left.
 * - A link that is not the current one and silent for 30 s is ended.
 */

/** How long the decider still reads a link that it has replaced, in ms. */
export const REPLACED_LINK_TIME = 5_000;
/** Silence after which a link that is not the current one ends, in ms. */
export const SPARE_LINK_SILENCE = 30_000;

export type LinkId = number;

type SpareLink = {
  readonly id: LinkId;
  /** When the decider ends it; undefined: only silence ends it. */
  readonly endAt: number | undefined;
};

export type LinkChoice = {
  readonly decider: boolean;
  /** One's own attempt, until its link is complete. */
  readonly dial: LinkId | undefined;
  readonly current: LinkId | undefined;
  /** Complete links beside the current one, the one completed last at the end. */
  readonly spare: readonly SpareLink[];
};

export type LinkEvent =
  | { readonly name: "dialStarted"; readonly link: LinkId }
  | { readonly name: "dialFailed"; readonly link: LinkId }
  | { readonly name: "completed"; readonly link: LinkId; readonly now: number }
  | { readonly name: "closed"; readonly link: LinkId }
  /** `lastReadAt` gives when a link was last heard, on the clock of `now`. */
  | { readonly name: "time"; readonly now: number; readonly lastReadAt: (link: LinkId) => number };

export type LinkAction =
  | { readonly name: "abandonDial"; readonly link: LinkId }
  /** The current link has changed: what is unacknowledged is sent again, on this one. */
  | { readonly name: "writeOn"; readonly link: LinkId }
  | { readonly name: "end"; readonly link: LinkId }
  /** No link is left. */
  | { readonly name: "disconnected" };

export type LinkStep = { readonly choice: LinkChoice; readonly actions: readonly LinkAction[] };

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
  // It is the current one again, so its deadline no longer holds.
  return {
    choice: { ...choice, current: left.id, spare: choice.spare.slice(0, -1) },
    actions: [{ name: "writeOn", link: left.id }],
  };
}
