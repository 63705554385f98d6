/** How names are shown: confusable names with their labels, groups with `#` and their titles. */
import type { Archive } from "../../client/archive.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { groupNames, type NamedGroup } from "../../client/group-names.ts";
import { isNewName, isOrdinaryName, isSamePerson, label as labelOf } from "../../identity/names.ts";
import type { Language } from "../../protocol/language.ts";
import { normalForm, skeleton } from "../../protocol/normal-form.ts";
import { quotedName } from "../../protocol/quoted-text.ts";
import type { Texts } from "../texts/texts.ts";

/** Maps a registered name, or `#` and the id of a group, to the name shown. */
export type NameBook = ReadonlyMap<string, string>;

/** The name shown for a registered name; one that the book does not know is shown as beside nobody else. */
export function shownName(names: NameBook, username: string): string {
  const known = names.get(username);
  if (known !== undefined) return known;
  const { name, isOrdinary } = visibleName(username);
  return isOrdinary ? name : withLabel(name, labelOf(username), SHORT_LABEL);
}

/** The name of the chat that an event is about; undefined: it is about none. */
export function conversationOf(event: MessengerEvent): string | undefined {
  switch (event.name) {
    case "message":
      return event.group === undefined ? event.from : `#${event.group}`;
    case "group":
      return `#${event.group.group}`;
    case "groupNotice":
      return `#${event.notice.group}`;
    case "file":
      return event.file.peer;
    default:
      if ("username" in event) return event.username;
      if ("to" in event) return event.to;
      return "from" in event ? event.from : undefined;
  }
}

/** Why one cannot write to this name, in one sentence; undefined: somebody may have it. @param own the account's name */
export function nameFault(typed: string, own: string, names: NameBook, texts: Texts): string | undefined {
  if (isSamePerson(typed, own)) return texts.toOneself;
  const isPossible = isNewName(typed) || names.keys().some((name) => isSamePerson(name, typed));
  return isPossible ? undefined : texts.badName(typed);
}

/** Hexadecimal digits of a label that are shown after a name, in groups of four. */
const SHORT_LABEL = 8;
const GROUPS = /.{1,4}/g;

/** The name as it may stand in a sentence. `isOrdinary`: with no characters but those that a new name may have. */
function visibleName(username: string): { readonly name: string; readonly isOrdinary: boolean } {
  // A typed name may be decomposed (NFD).
  const normal = normalForm(username);
  const name = quotedName(normal);
  return { name, isOrdinary: name === normal && isOrdinaryName(normal) };
}

function withLabel(name: string, label: string, digits: number): string {
  const groups = label.slice(0, digits).match(GROUPS) ?? [];
  return `${name} (${groups.join(" ")})`.trimStart();
}

/** A name, and the label of whose it is. */
type Named = { readonly username: string; readonly label: string };
type Person = Named & {
  readonly name: string;
  readonly isOrdinary: boolean;
  readonly skeleton: string;
  /** `name` with the first digits of its label. */
  readonly labelled: string;
};

/** Groups of people who have something in common. Two spellings with one label are one person. */
class Groups {
  readonly #groups = new Map<string, { readonly people: Set<Person>; isMixed: boolean }>();

  /** Whether the group has held different people; it stays so when they are removed. */
  isMixed(key: string): boolean {
    return this.#groups.get(key)?.isMixed === true;
  }

  /** @returns everybody in the group, if it has become mixed */
  add(key: string, person: Person): Iterable<Person> {
    const group = this.#groups.get(key) ?? { people: new Set(), isMixed: false };
    this.#groups.set(key, group);
    const [first] = group.people;
    group.people.add(person);
    if (group.isMixed || first === undefined || first.label === person.label) return [];
    group.isMixed = true;
    return group.people;
  }

  remove(key: string, person: Person): void {
    const people = this.#groups.get(key)?.people;
    people?.delete(person);
    if (people?.size === 0) this.#groups.delete(key);
  }
}

/** Compares names, `alumno2` before `alumno10`. */
export function nameOrder(language: Language): (a: string, b: string) => number {
  return new Intl.Collator(language, { numeric: true }).compare;
}

/** With more of them the oldest are dropped. */
const MAX_OTHERS = 20_000;

/** The names that an account knows: its own, its contacts', its groups', and others that are about to be shown. */
export function namesKnownTo(
  archive: Pick<Archive, "username" | "contacts" | "groups">,
  others: readonly string[] = [],
): KnownNames {
  const names = new KnownNames([named(archive.username), ...archive.contacts()]);
  names.add(others.map(named));
  names.nameGroups(archive.groups());
  return names;
}

function named(username: string): Named {
  return { username, label: labelOf(username) };
}

/**
 * Known names, and what they are shown as. A name is shown as it is, or with the first digits of its label if it is
 * confusable with the name of another person or contains characters that no new name may contain.
 */
export class KnownNames {
  /** By name. */
  readonly #people = new Map<string, Person>();
  /** Those that may be dropped, the oldest first. */
  readonly #others = new Set<Person>();
  /** Gives them in this order: to find the first of a set anew takes long after many were removed. */
  readonly #oldest = this.#others.values();
  readonly #alike = new Groups();
  /** An attacker can find a label that begins like another one; such labels are shown in full. */
  readonly #alikeWithLabel = new Groups();
  readonly #book = new Map<string, string>();

  /** @param own people who are never dropped */
  constructor(own: readonly Named[] = []) {
    for (const each of own) this.#add(each);
  }

  /** It changes with each person who is added. */
  get book(): NameBook {
    return this.#book;
  }

  /** Adds people. @returns whether one of them is new, so that `book` has changed */
  add(people: readonly Named[]): boolean {
    let isNew = false;
    for (const each of people) {
      const person = this.#add(each);
      if (person === undefined) continue;
      isNew = true;
      this.#others.add(person);
      const oldest = this.#others.size > MAX_OTHERS ? this.#oldest.next().value : undefined;
      if (oldest !== undefined) this.#drop(oldest);
    }
    return isNew;
  }

  /** The groups of the account, all of them. Titles are others' words: with other characters than names they are quoted. */
  nameGroups(groups: readonly NamedGroup[]): void {
    for (const [id, name] of groupNames(groups)) this.#book.set(`#${id}`, `#${quotedName(name.slice(1))}`);
  }

  /** @returns undefined: the name is known, or that of a group */
  #add({ username, label }: Named): Person | undefined {
    if (this.#people.has(username) || username.startsWith("#")) return undefined;
    const visible = visibleName(username);
    const labelled = withLabel(visible.name, label, SHORT_LABEL);
    const person = { ...visible, username, label, skeleton: skeleton(username), labelled };
    this.#people.set(username, person);
    const alike = this.#alike.add(person.skeleton, person);
    const alikeWithLabel = this.#alikeWithLabel.add(labelled, person);
    for (const each of [person, ...alike, ...alikeWithLabel])
      this.#book.set(each.username, this.#shown(each));
    return person;
  }

  #shown({ name, isOrdinary, label, skeleton: bare, labelled }: Person): string {
    if (isOrdinary && !this.#alike.isMixed(bare)) return name;
    return this.#alikeWithLabel.isMixed(labelled) ? withLabel(name, label, label.length) : labelled;
  }

  #drop(person: Person): void {
    this.#others.delete(person);
    this.#people.delete(person.username);
    this.#book.delete(person.username);
    this.#alike.remove(person.skeleton, person);
    this.#alikeWithLabel.remove(person.labelled, person);
  }
}
