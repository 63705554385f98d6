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
 *
 * With links of two classes (PROTOCOL 7, «Two links with classes»):
 *
 * - A direct link replaces a relayed one. Where a relayed one is completed beside direct ones, these are pinged: one that
 *   is not read within 2 s is ended by the decider; if one is read, the decider ends the relayed one.
 * - Doubted links are pinged. One that is not read within 2 s is doubtful until it is read. So are a better one that is
 *   completed beside another, since the other side may not have completed it, and one that is silent for 2 s while the
 *   other side writes on another.
 * - Everyone writes on the best link: not doubtful, then direct, then completed last.
 */

/** How long the decider still reads a replaced link, in ms. */
export const REPLACED_LINK_TIME = 5_000;
/** Silence after which a link that is not current is ended, in ms. */
export const SPARE_LINK_SILENCE = 30_000;
/** How long a link that was pinged because it is doubted may take to be read, in ms. */
export const DOUBT_TIME = 2_000;

export type LinkId = number;

type CompleteLink = {
  readonly id: LinkId;
  readonly isRelayed: boolean;
  /** Grows from link to link in the order of their completion. */
  readonly order: number;
  /** When the decider ends it; undefined: only silence ends it. */
  readonly endAt: number | undefined;
  readonly probe: Probe | undefined;
  readonly isDoubtful: boolean;
};

/** A link was pinged at `since`, and not read after it. */
type Probe = {
  readonly since: number;
  /** When it is doubtful: a further ping gives it no more time. */
  readonly doubtfulAt: number;
  /** The relayed link that was completed beside it. */
  readonly rival: LinkId | undefined;
};

export type LinkChoice = {
  readonly decider: boolean;
  /** Our own attempt, until its link is complete. */
  readonly dial: LinkId | undefined;
  /** The best of the complete links. */
  readonly current: CompleteLink | undefined;
  /** The other complete links, in the order of their completion. */
  readonly spare: readonly CompleteLink[];
};

/** When something was last received on a link, by the clock of `now`. */
type LastReadAt = (link: LinkId) => number;

export type LinkEvent =
  | { readonly name: "dialStarted"; readonly link: LinkId }
  | { readonly name: "dialFailed"; readonly link: LinkId }
  | {
      readonly name: "completed";
      readonly link: LinkId;
      readonly isRelayed: boolean;
      readonly now: number;
      readonly lastReadAt: LastReadAt;
    }
  | { readonly name: "closed"; readonly link: LinkId }
  /** One side's addresses have changed: the links may be dead. */
  | { readonly name: "doubted"; readonly now: number; readonly lastReadAt: LastReadAt }
  | { readonly name: "time"; readonly now: number; readonly lastReadAt: LastReadAt };

export type LinkAction =
  | { readonly name: "abandonDial"; readonly link: LinkId }
  /** This is the current link now: all unacknowledged messages are sent on it. */
  | { readonly name: "writeOn"; readonly link: LinkId }
  | { readonly name: "ping"; readonly link: LinkId }
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
      return complete(choice, event);
    case "closed":
      if (choice.dial === event.link) return { choice: { ...choice, dial: undefined }, actions: [] };
      return choose(
        choice,
        linksOf(choice).filter(({ id }) => id !== event.link),
      );
    case "doubted": {
      const links = linksOf(choice).map((link) => probed(link, event, link.probe?.rival));
      return choose(choice, links, links.map(pinged));
    }
    case "time":
      return pass(choice, event.now, event.lastReadAt);
    default:
      return event satisfies never;
  }
}

/** All complete links, in the order of their completion. */
function linksOf({ spare, current }: LinkChoice): readonly CompleteLink[] {
  return current === undefined ? spare : [...spare, current].sort((a, b) => a.order - b.order);
}

/** @param links in the order of their completion */
function choose(
  before: LinkChoice,
  links: readonly CompleteLink[],
  actions: readonly LinkAction[] = [],
): LinkStep {
  const rank = ({ isDoubtful, isRelayed }: CompleteLink) => (isDoubtful ? 0 : 2) + (isRelayed ? 0 : 1);
  let best = links.at(-1);
  for (const link of links.toReversed()) if (best !== undefined && rank(link) > rank(best)) best = link;
  // What is current again has no deadline any more.
  const current = best === undefined ? undefined : { ...best, endAt: undefined };
  const choice = { ...before, current, spare: links.filter((link) => link !== best) };
  if (current?.id === before.current?.id) return { choice, actions };
  if (current === undefined) return { choice, actions: [...actions, { name: "disconnected" }] };
  // Those to whom the better link seems alive see by the ping that we write on this one.
  const isOlder = before.spare.some(({ id }) => id === current.id);
  const change: LinkAction = { name: "writeOn", link: current.id };
  return { choice, actions: [...actions, ...(isOlder ? [pinged(current)] : []), change] };
}

function isRead({ id }: CompleteLink, { since }: Probe, lastReadAt: LastReadAt): boolean {
  return lastReadAt(id) > since;
}

function probed(
  link: CompleteLink,
  { now, lastReadAt }: { readonly now: number; readonly lastReadAt: LastReadAt },
  rival: LinkId | undefined,
): CompleteLink {
  const open = link.probe === undefined || isRead(link, link.probe, lastReadAt) ? undefined : link.probe;
  const doubtfulAt = open?.doubtfulAt ?? now + DOUBT_TIME;
  const isDoubtful = open !== undefined && link.isDoubtful;
  return { ...link, probe: { since: now, doubtfulAt, rival }, isDoubtful };
}

function pinged({ id }: CompleteLink): LinkAction {
  return { name: "ping", link: id };
}

function complete(before: LinkChoice, event: Extract<LinkEvent, { name: "completed" }>): LinkStep {
  const { link: id, isRelayed, now } = event;
  const abandoned: LinkAction[] =
    before.dial !== undefined && before.dial !== id ? [{ name: "abandonDial", link: before.dial }] : [];
  const choice = { ...before, dial: undefined };
  const others = linksOf(choice);
  const order = (others.at(-1)?.order ?? 0) + 1;
  const newcomer = { id, isRelayed, order, endAt: undefined, probe: undefined, isDoubtful: false };
  const replaced = (link: CompleteLink) =>
    choice.decider ? { ...link, endAt: link.endAt ?? now + REPLACED_LINK_TIME } : link;
  const better = isRelayed ? others.filter((link) => !link.isRelayed) : [];
  const kept = others.map((link) => (better.includes(link) ? probed(link, event, id) : replaced(link)));
  // They may not have completed it; then nothing is read of it, and they write on another one.
  const isTried = others.length > better.length;
  const tried = isTried ? probed(newcomer, event, undefined) : newcomer;
  const asked = isTried ? [...better, newcomer] : better;
  return choose(choice, [...kept, tried], [...abandoned, ...asked.map(pinged)]);
}

function pass(choice: LinkChoice, now: number, lastReadAt: LastReadAt): LinkStep {
  const links = linksOf(choice);
  const isThere = (id: LinkId | undefined) => links.some((link) => link.id === id);
  const ended = new Set<LinkId>();
  const checked = links.map((link) => {
    // It was current for a time, while the other one was doubtful.
    const isReplaced = choice.decider && link.id !== choice.current?.id && link.endAt === undefined;
    if (link.probe === undefined) return isReplaced ? { ...link, endAt: now + REPLACED_LINK_TIME } : link;
    const { since, doubtfulAt, rival } = link.probe;
    const decides = choice.decider && isThere(rival);
    if (isRead(link, link.probe, lastReadAt)) {
      if (decides) ended.add(rival as LinkId);
      return { ...link, probe: undefined, isDoubtful: false };
    }
    if (decides && now - since >= DOUBT_TIME) ended.add(link.id);
    return { ...link, isDoubtful: now >= doubtfulAt };
  });
  // What was replaced may be needed again while the current one has not answered.
  const isCertain = checked.some(({ id, probe }) => id === choice.current?.id && probe === undefined);
  const isOver = ({ id, endAt }: CompleteLink) =>
    ended.has(id) ||
    (id !== choice.current?.id &&
      ((isCertain && endAt !== undefined && endAt <= now) || now - lastReadAt(id) >= SPARE_LINK_SILENCE));
  const over = checked.filter(isOver).map(({ id }): LinkAction => ({ name: "end", link: id }));
  const step = choose(
    choice,
    checked.filter((link) => !isOver(link)),
    over,
  );
  const { current, spare } = step.choice;
  // They write on another link: this one may be dead for them alone.
  const isAvoided =
    current !== undefined &&
    current.probe === undefined &&
    now - lastReadAt(current.id) >= DOUBT_TIME &&
    spare.some(({ id }) => lastReadAt(id) > lastReadAt(current.id));
  if (!isAvoided) return step;
  const asked = probed(current, { now, lastReadAt }, undefined);
  return { choice: { ...step.choice, current: asked }, actions: [...step.actions, pinged(current)] };
}
