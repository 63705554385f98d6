/**
 * How groups are named where a person types one. A title is another person's text: two groups may have the same one, or
 * one that looks the same, so each group has a name by which it alone is meant.
 */
import { fold } from "../identity/names.ts";
import { normalForm, skeleton } from "../protocol/normal-form.ts";
import { isBlank, visibleText } from "../protocol/visible-text.ts";

/** Fewest letters of an id that name a group. */
const MIN_TYPED = 4;
/** Fewest letters of an id that are shown as a name. */
const MIN_SHOWN = 6;

export type NamedGroup = {
  /** The id: 43 letters. */
  readonly group: string;
  readonly title: string;
  /** A title means a group that was joined, even if another one that was not has it too. */
  readonly state: "invited" | "joined" | "left" | "removed" | "declined";
};

/** The form in which titles are the same: as names, and without the spaces that are not seen. */
function comparable(title: string): string {
  return fold(normalForm(title).replace(/\s+/g, " ").trim());
}

/**
 * The groups that somebody may mean: none, the one, or all between which they have to choose.
 * @param typed a title or an id, or the first letters of an id; with or without `#`
 */
export function groupsNamed<G extends NamedGroup>(typed: string, groups: readonly G[]): readonly G[] {
  const bare = typed.replace(/^#/, "");
  const exact = groups.find(({ group }) => group === bare);
  if (exact !== undefined) return [exact];
  const [whole, title] = [comparable(typed), comparable(bare)];
  const titled = groups.filter((each) => [whole, title].includes(comparable(each.title)));
  const joined = titled.filter(({ state }) => state === "joined");
  const hasId = (each: G) => bare.length >= MIN_TYPED && each.group.startsWith(bare);
  return [...new Set([...(joined.length > 0 ? joined : titled), ...groups.filter(hasId)])];
}

/**
 * What each group is called, by its id: `#Title`, or `#` and the first letters of its id where the title is not its own
 * alone, looks like another one, or cannot be typed. `groupsNamed` of a name is its group alone.
 */
export function groupNames(groups: readonly NamedGroup[]): ReadonlyMap<string, string> {
  const owners = new Map<string, NamedGroup[]>();
  for (const each of groups) {
    const bare = skeleton(each.title);
    owners.set(bare, [...(owners.get(bare) ?? []), each]);
  }
  const isAlone = (each: NamedGroup) => {
    const alike = owners.get(skeleton(each.title)) ?? [];
    return alike.every((other) => other === each || (each.state === "joined" && other.state !== "joined"));
  };
  return new Map(groups.map((each) => [each.group, nameOf(each, isAlone(each), groups)]));
}

function nameOf({ group, title }: NamedGroup, isAlone: boolean, groups: readonly NamedGroup[]): string {
  const means = (name: string) => {
    const found = groupsNamed(name, groups);
    return found.length === 1 && found[0]?.group === group;
  };
  const normal = normalForm(title);
  const canBeTyped = !isBlank(normal) && visibleText(normal) === normal && normal.trim() === normal;
  if (isAlone && canBeTyped && means(`#${normal}`)) return `#${normal}`;
  let letters = MIN_SHOWN;
  while (letters < group.length && !means(`#${group.slice(0, letters)}`)) letters++;
  return `#${group.slice(0, letters)}`;
}
