/** The names of chats as they are typed: a person's name, or `#` and the title or the id of a group. */
import type { SharedGroup } from "../../../client/conversation/events.ts";
import { groupsNamed } from "../../../client/group-names.ts";
import { typedName } from "../../failures.ts";
import { nameFault, shownName, type NameBook } from "../../format/name-book.ts";
import type { Texts } from "../../texts/texts.ts";

/** Letters of an id by which a group is typed. */
const ID_SHOWN = 8;

type KnownChats = {
  /** By the names of their chats. */
  readonly groups: ReadonlyMap<string, SharedGroup>;
  readonly names: NameBook;
  readonly texts: Texts;
};

/** The name of the chat that somebody means, or why there is none. @param typed a person's name, or `#` and the title or id of a group */
export function chatMeant(
  typed: string,
  { groups, names, ownName, texts }: KnownChats & { readonly ownName: string },
): { readonly username: string } | { readonly fault: string } {
  if (!typed.startsWith("#")) {
    const fault = nameFault(typed, ownName, names, texts);
    return fault === undefined ? { username: typed } : { fault };
  }
  const found = groupsNamed(typed, [...groups.values()]);
  const [first] = found;
  if (first === undefined) return { fault: texts.groupUnknown(typed) };
  if (found.length > 1) {
    const meant = found.map(({ group }) => `#${group.slice(0, ID_SHOWN)}`);
    return { fault: texts.groupSeveral(typed, texts.list(meant)) };
  }
  return { username: `#${first.group}` };
}

/** How the name of a chat is typed: of a group with a title that could be read as more than a name, by its id. */
export function typedChat(username: string, { groups, names, texts }: KnownChats): string {
  if (!groups.has(username)) return typedName(username, texts);
  const shown = shownName(names, username);
  return shown.startsWith('#"') ? username.slice(0, ID_SHOWN + 1) : shown;
}
