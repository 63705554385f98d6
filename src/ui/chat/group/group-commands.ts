/** What is typed behind `/group`. */
import type { SharedGroup } from "../../../client/conversation/events.ts";
import { isTitle } from "../../../identity/group-body.ts";
import { isNewName, isSamePerson } from "../../../identity/names.ts";
import { nearestWord } from "../../../protocol/nearest-word.ts";
import { normalForm } from "../../../protocol/normal-form.ts";
import { isBlank, visibleText } from "../../../protocol/visible-text.ts";
import { shownName, type NameBook } from "../../format/name-book.ts";
import type { Texts } from "../../texts/texts.ts";
import { cannotWrite } from "./group-lines.ts";
import type { GroupEffect } from "./model.ts";

/** Days for which texts are kept, at most. */
const MAX_DAYS = 36_500;

/** An effect, a text to be printed, why there is none, or the question whether it is really meant. */
type Typed =
  | GroupEffect
  | { readonly name: "help" }
  | { readonly name: "fault"; readonly sentence: string }
  | { readonly name: "asks"; readonly sentence: string; readonly effect: GroupEffect };

const COMMANDS = [
  "accept",
  "add",
  "admin",
  "copy",
  "decline",
  "keep",
  "leave",
  "members",
  "name",
  "new",
  "remove",
] as const;
type Command = (typeof COMMANDS)[number];

/** The words behind `/group`, and those of them that a name follows. */
export const GROUP_COMMANDS: readonly string[] = COMMANDS;
export const BEHIND_A_NAME = /^\s*\/group\s+(?:add|remove|admin)\s+(.*)$/is;

/**
 * The title that somebody types for a group, with or without `#`; undefined: we call none so, since something of it is not
 * seen, or it is typed as another one.
 */
export function newTitle(typed: string): string | undefined {
  const title = normalForm(typed.trim().replace(/^#/, "").trim());
  const isSeen = isTitle(title) && !isBlank(title) && visibleText(title) === title;
  return isSeen && !title.startsWith("#") ? title : undefined;
}

type Context = { readonly names: NameBook; readonly ownName: string; readonly texts: Texts };

/** @param group undefined: the chat is with a person @param typed the whole line */
export function groupCommand(
  argument: string,
  typed: string,
  group: SharedGroup | undefined,
  context: Context,
): Typed {
  const { texts } = context;
  const [, word = "", rest = ""] = /^(\S*)\s*([\s\S]*)$/.exec(argument) ?? [];
  const command = COMMANDS.find((each) => each === word.toLowerCase());
  if (word === "") return { name: "help" };
  if (command === undefined) return fault(texts.groupUnknownCommand(word, nearestWord(word, COMMANDS)));
  if (command === "new") {
    if (rest === "") return fault(texts.chatUsage(`/group new ${texts.titleArgument}`));
    const title = newTitle(rest);
    return title === undefined ? fault(texts.groupBadTitle) : { name: "createGroup", title, typed };
  }
  if (group === undefined) return fault(texts.groupOnlyInGroup(command));
  return inGroup(command, rest, group, context);
}

function fault(sentence: string): Typed {
  return { name: "fault", sentence };
}

function inGroup(
  command: Exclude<Command, "new">,
  rest: string,
  group: SharedGroup,
  context: Context,
): Typed {
  const { texts, names } = context;
  const title = texts.groupTitle(group.title);
  const takes = {
    add: ` ${texts.userArgument}… [nohistory]`,
    remove: ` ${texts.userArgument}`,
    admin: ` ${texts.userArgument}`,
    name: ` ${texts.titleArgument}`,
    keep: ` ${texts.groupDaysArgument}`,
  };
  const usage = command in takes ? takes[command as keyof typeof takes] : undefined;
  if (usage !== undefined && rest === "") return fault(texts.chatUsage(`/group ${command}${usage}`));
  if (usage === undefined && rest !== "") return fault(texts.chatNothingBehind(`/group ${command}`));
  const refusal = whyNot(command, rest, group, context);
  if (refusal !== undefined) return fault(refusal);
  switch (command) {
    case "members":
      return { name: "listMembers" };
    case "copy":
      return { name: "copyGroup" };
    case "add": {
      const [, people = "", without] = /^(.*?)(\s+nohistory)?$/is.exec(rest) ?? [];
      const usernames = typedPeople(people, context);
      const wrong = usernames.find((each) => !isPossible(each, context));
      if (wrong !== undefined) return fault(wrongName(wrong, texts));
      const history = without === undefined ? "all" : "none";
      return usernames.length === 0
        ? fault(texts.groupIsInAlready(title))
        : { name: "addToGroup", usernames, history };
    }
    case "admin":
      return { name: "makeAdmin", username: rest };
    case "name": {
      const renamed = newTitle(rest);
      return renamed === undefined ? fault(texts.groupBadTitle) : { name: "renameGroup", title: renamed };
    }
    case "keep": {
      if (rest.toLowerCase() === "off") return { name: "keepGroup", days: null };
      const days = /^\d{1,5}$/.test(rest) ? Number(rest) : 0;
      return days >= 1 && days <= MAX_DAYS ? { name: "keepGroup", days } : fault(texts.groupBadDays);
    }
    case "remove": {
      const effect = { name: "removeFromGroup", username: rest } as const;
      const user = shownName(names, rest);
      const question = texts.groupAskRemove(user, title);
      const sentence = group.people === 2 ? `${texts.groupRemoveRisk(user)} ${question}` : question;
      return { name: "asks", sentence, effect };
    }
    case "leave":
      return { name: "asks", sentence: texts.groupAskLeave(title), effect: { name: "leaveGroup" } };
    case "accept":
      return { name: "acceptGroup" };
    case "decline":
      return { name: "declineGroup" };
    default:
      return command satisfies never;
  }
}

/** Why this is not asked of the group, as far as it is known here; undefined: it is. */
function whyNot(
  command: Exclude<Command, "new">,
  rest: string,
  group: SharedGroup,
  context: Context,
): string | undefined {
  const { texts, ownName } = context;
  const { adds, role, state, to_invite: waiting } = group;
  if (command === "accept" || command === "decline")
    return state === "invited" ? undefined : texts.groupNoInvitation(texts.groupTitle(group.title));
  if (command === "keep") return undefined;
  if (state !== "joined") return cannotWrite(group, texts);
  if (command === "remove" || command === "admin") {
    if (!isPossible(rest, context)) return wrongName(rest, texts);
    if (command === "remove" && isSamePerson(rest, ownName)) return texts.groupRemoveSelf;
  }
  const isWaiting = command === "remove" && waiting.some((each) => isSamePerson(each, rest));
  const isOfAdmins = command === "remove" || command === "admin" || command === "name";
  const needsAdmin = (isOfAdmins && !isWaiting) || (command === "add" && adds === "admins");
  return needsAdmin && role === "member" ? texts.groupNotAdmin : undefined;
}

/** `ana, luis eva`, each once and without ourselves. The name of an old account may have a comma or a space. */
function typedPeople(typed: string, context: Context): readonly string[] {
  const names = isPossible(typed, context) ? [typed] : typed.split(/[\s,]+/).filter((each) => each !== "");
  return names.filter(
    (each, index) =>
      !isSamePerson(each, context.ownName) && names.findIndex((other) => isSamePerson(other, each)) === index,
  );
}

function isPossible(typed: string, { names }: Context): boolean {
  return isNewName(typed) || names.keys().some((name) => isSamePerson(name, typed));
}

function wrongName(typed: string, texts: Texts): string {
  return typed.startsWith("#") ? texts.groupNotPerson(typed) : texts.badName(typed);
}
