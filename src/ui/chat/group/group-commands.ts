/** What is typed behind `/group`. */
import type { SharedGroup } from "../../../client/conversation/events.ts";
import { isTitle } from "../../../identity/group-body.ts";
import { isBlank, visibleText } from "../../../protocol/visible-text.ts";
import type { GroupWords } from "./group-lines.ts";
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

/** Whether a group may be called this by us: nothing in it that cannot be seen. */
export function isNewTitle(title: string): boolean {
  return isTitle(title) && !isBlank(title) && visibleText(title) === title;
}

/** @param group undefined: the chat is with a person @param typed the whole line */
export function groupCommand(
  argument: string,
  typed: string,
  group: SharedGroup | undefined,
  words: GroupWords,
): Typed {
  const { texts } = words;
  const [, word = "", rest = ""] = /^(\S*)\s*([\s\S]*)$/.exec(argument) ?? [];
  const command = COMMANDS.find((each) => each === word.toLowerCase());
  if (word === "") return { name: "help" };
  if (command === undefined) return fault(texts.groupUnknownCommand(word));
  if (command === "new")
    return isNewTitle(rest) ? { name: "createGroup", title: rest, typed } : fault(texts.groupBadTitle);
  if (group === undefined) return fault(texts.groupOnlyInGroup(command));
  return inGroup(command, rest, group, words);
}

function fault(sentence: string): Typed {
  return { name: "fault", sentence };
}

function inGroup(
  command: Exclude<Command, "new">,
  rest: string,
  group: SharedGroup,
  { texts, shown }: GroupWords,
): Typed {
  const title = texts.groupTitle(group.title);
  const takes = {
    add: ` ${texts.userArgument} [nohistory]`,
    remove: ` ${texts.userArgument}`,
    admin: ` ${texts.userArgument}`,
    name: ` ${texts.titleArgument}`,
    keep: ` ${texts.groupDaysArgument}`,
  };
  const usage = command in takes ? takes[command as keyof typeof takes] : undefined;
  if (usage !== undefined && rest === "") return fault(texts.chatUsage(`/group ${command}${usage}`));
  if (usage === undefined && rest !== "") return fault(texts.chatNothingBehind(`/group ${command}`));
  switch (command) {
    case "members":
      return { name: "listMembers" };
    case "copy":
      return { name: "copyGroup" };
    case "add": {
      const [, username = "", without] = /^(.*?)(\s+nohistory)?$/is.exec(rest) ?? [];
      return { name: "addToGroup", username, history: without === undefined ? "all" : "none" };
    }
    case "admin":
      return { name: "makeAdmin", username: rest };
    case "name":
      return isNewTitle(rest) ? { name: "renameGroup", title: rest } : fault(texts.groupBadTitle);
    case "keep": {
      if (rest.toLowerCase() === "off") return { name: "keepGroup", days: null };
      const days = /^\d{1,5}$/.test(rest) ? Number(rest) : 0;
      return days >= 1 && days <= MAX_DAYS ? { name: "keepGroup", days } : fault(texts.groupBadDays);
    }
    case "remove": {
      const effect = { name: "removeFromGroup", username: rest } as const;
      const question = texts.groupAskRemove(shown(rest), title);
      const sentence = group.people === 2 ? `${texts.groupRemoveRisk(shown(rest))} ${question}` : question;
      return { name: "asks", sentence, effect };
    }
    case "leave":
      return { name: "asks", sentence: texts.groupAskLeave(title), effect: { name: "leaveGroup" } };
    case "accept":
    case "decline":
      if (group.state !== "invited") return fault(texts.groupNoInvitation(title));
      return { name: command === "accept" ? "acceptGroup" : "declineGroup" };
    default:
      return command satisfies never;
  }
}
