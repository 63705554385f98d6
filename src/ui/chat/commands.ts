/** The commands of a chat, in one table with their functions and help texts; and their completion. */
import { isSamePerson } from "../../identity/names.ts";
import { nearestWord } from "../../protocol/nearest-word.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { folded } from "../../protocol/normal-form.ts";
import { shownName, type NameBook } from "../format/name-book.ts";
import type { Offered } from "../line/completion.ts";
import type { Texts } from "../texts/texts.ts";
import { get, stop } from "./files/file-commands.ts";
import { accept, block, decline } from "./consent.ts";
import {
  effects,
  info,
  list,
  onTarget,
  print,
  remove,
  withText,
  type CommandResult,
  type Run,
} from "./message-commands.ts";
import type { ChatContext, ChatModel, PersonChat } from "./model.ts";
import { notice } from "./notices.ts";
import { BEHIND_A_NAME, GROUP_COMMANDS } from "./group/group-commands.ts";
import { group, more } from "./group-update.ts";
import { goToChat, goToNumber, goToUnread, mute } from "./other-chats.ts";
import { verify } from "./verification.ts";

/** Completions that Tab offers at most. */
const MAX_OFFERS = 50;
/** UTF-16 units of an unknown command that the notice shows. */
const MAX_WORD_SHOWN = 24;

/** The folder of a `/get`, behind a number, or `always` and perhaps a size. */
const BEHIND_GET = /^\s*\/get\s+(?:#?\d+\s+|always\s+(?:\d\S*\s+)?)?(.*)$/is;

type Command = {
  readonly name: string;
  /** Its argument as shown in the help; undefined: it takes none. */
  readonly argument: ((texts: Texts) => string) | undefined;
  /** The argument may be missing. */
  readonly isOptional?: boolean;
  /** The command that the help lists in the same row; with it no argument of this one. */
  readonly alongside?: string;
  /** Undefined: the help does not list it, or not in a row of its own. */
  readonly help: ((texts: Texts) => string) | undefined;
} & ({ readonly run: Run } | { readonly runWithPerson: Run<PersonChat> });

/** The result of a command on files. */
function ofTyped(result: ReturnType<typeof get>): CommandResult {
  return result.name === "fault" ? result : effects(result);
}

/** `/get`: what a whole group offers is never accepted without a question. */
function getFile(argument: string, { kind }: ChatModel, { texts }: ChatContext): CommandResult {
  const typed = get(argument, texts);
  return kind === "group" && typed.name === "getAlways"
    ? { name: "fault", sentence: texts.groupOnlyWithPerson("/get always") }
    : ofTyped(typed);
}

const COMMANDS: readonly Command[] = [
  {
    name: "help",
    argument: undefined,
    help: undefined,
    run: (_argument, chat, { texts }) => print(notice(helpText(chat, texts))),
  },
  {
    name: "more",
    argument: undefined,
    alongside: "list",
    help: (texts) => texts.chatHelpMore,
    run: more,
  },
  {
    name: "list",
    argument: () => "[N]",
    isOptional: true,
    help: undefined,
    run: list,
  },
  {
    name: "search",
    argument: (texts) => texts.wordsArgument,
    help: (texts) => texts.chatHelpSearch,
    run: (words) => effects({ name: "search", words }),
  },
  {
    name: "info",
    argument: () => "[#N]",
    isOptional: true,
    help: (texts) => texts.chatHelpInfo,
    run: info,
  },
  {
    name: "copy",
    argument: () => "[#N]",
    isOptional: true,
    help: (texts) => texts.chatHelpCopy,
    run: onTarget("copy"),
  },
  {
    name: "reply",
    argument: (texts) => `[#N] ${texts.chatArgumentText}`,
    help: (texts) => texts.chatHelpReply,
    run: withText("reply"),
  },
  {
    name: "edit",
    argument: (texts) => `[#N] ${texts.chatArgumentText}`,
    help: (texts) => texts.chatHelpEdit,
    run: withText("edit"),
  },
  {
    name: "withdraw",
    argument: () => "[#N]",
    isOptional: true,
    alongside: "cancel",
    help: (texts) => texts.chatHelpWithdraw,
    run: onTarget("withdraw"),
  },
  {
    name: "cancel",
    argument: () => "[#N]",
    isOptional: true,
    help: undefined,
    run: onTarget("cancel"),
  },
  {
    name: "delete",
    argument: () => "#N|chat",
    help: (texts) => texts.chatHelpDelete,
    run: remove,
  },
  {
    name: "export",
    argument: (texts) => texts.fileArgument,
    help: (texts) => texts.chatHelpExport,
    run: (file) => effects({ name: "export", file }),
  },
  {
    name: "send",
    argument: (texts) => `${texts.fileArgument}…`,
    help: (texts) => texts.chatHelpSend,
    // A list of files may be pasted.
    run: (paths) => ({
      name: "text",
      text: paths,
      effect: (text, typed) => ({ name: "sendFiles", paths: text, typed }),
    }),
  },
  {
    name: "files",
    argument: undefined,
    alongside: "stop",
    help: (texts) => texts.chatHelpFiles,
    run: () => effects({ name: "listFiles" }),
  },
  {
    name: "get",
    argument: (texts) => `[#N] [${texts.folderArgument}]`,
    isOptional: true,
    help: (texts) => texts.chatHelpGet,
    run: getFile,
  },
  {
    name: "stop",
    argument: () => "[#N]",
    isOptional: true,
    help: undefined,
    run: (argument, _chat, { texts }) => ofTyped(stop(argument, texts)),
  },
  {
    name: "say",
    argument: (texts) => texts.chatArgumentText,
    help: (texts) => texts.chatHelpSay,
    run: (text) => ({ name: "message", text }),
  },
  {
    name: "chat",
    argument: (texts) => `[${texts.userArgument}]`,
    isOptional: true,
    help: (texts) => texts.chatHelpChat,
    run: goToChat,
  },
  {
    name: "unread",
    argument: undefined,
    help: undefined,
    run: goToUnread,
  },
  {
    name: "mute",
    argument: () => "[8h|off]",
    isOptional: true,
    help: (texts) => texts.chatHelpMute,
    run: mute,
  },
  {
    name: "group",
    argument: () => "…",
    isOptional: true,
    help: (texts) => texts.chatHelpGroup,
    run: group,
  },
  {
    name: "users",
    argument: undefined,
    alongside: "unread",
    help: (texts) => texts.chatHelpUsers,
    run: () => effects({ name: "listOnline" }),
  },
  {
    name: "verify",
    argument: () => "[off]",
    isOptional: true,
    alongside: "fingerprint",
    help: (texts) => texts.chatHelpVerify,
    runWithPerson: verify,
  },
  {
    name: "fingerprint",
    argument: undefined,
    help: undefined,
    runWithPerson: () => effects({ name: "showSafetyNumber" }),
  },
  {
    name: "accept",
    argument: undefined,
    help: (texts) => texts.chatHelpAccept,
    runWithPerson: accept,
  },
  {
    name: "decline",
    argument: undefined,
    alongside: "block",
    help: (texts) => texts.chatHelpDecline,
    runWithPerson: decline,
  },
  {
    name: "block",
    argument: undefined,
    help: undefined,
    runWithPerson: block,
  },
  {
    name: "exit",
    argument: undefined,
    help: (texts) => texts.chatHelpExit,
    run: () => effects({ name: "leave", to: undefined }),
  },
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [command.name, command]));

function usageOf({ name, argument }: Command, texts: Texts): string {
  return argument === undefined ? `/${name}` : `/${name} ${argument(texts)}`;
}

function rowOf(command: Command, texts: Texts): string {
  const other = command.alongside === undefined ? undefined : BY_NAME.get(command.alongside);
  return other === undefined ? usageOf(command, texts) : `/${command.name} ${usageOf(other, texts)}`;
}

/** As few rows as possible: the last message stays in view. */
function helpText({ kind }: ChatModel, texts: Texts): string {
  const listed = COMMANDS.flatMap((command) =>
    command.help === undefined || (kind === "group" && "runWithPerson" in command)
      ? []
      : [[rowOf(command, texts), command.help(texts)] as const],
  );
  const width = Math.max(...listed.map(([usage]) => usage.length));
  return [texts.chatHelp, ...listed.map(([usage, help]) => `${usage.padEnd(width)}  ${help}`)].join("\n");
}

/** Runs a command. An unknown command, or one with a wrong number of arguments, only prints a notice. */
export function runCommand(
  word: string,
  argument: string,
  chat: ChatModel,
  context: ChatContext,
): CommandResult {
  const { texts } = context;
  if (/^[1-9]$/.test(word) && argument === "") return goToNumber(Number(word), chat, context);
  const command = BY_NAME.get(word.toLowerCase());
  if (command === undefined) {
    const shown = quotedText(word.length > MAX_WORD_SHOWN ? `${word.slice(0, MAX_WORD_SHOWN)}…` : word);
    return print(notice(texts.chatUnknownCommand(`/${shown}`, nearestWord(word, [...BY_NAME.keys()]))));
  }
  const takesOne = command.argument !== undefined;
  if (takesOne && command.isOptional !== true && argument === "")
    return print(notice(texts.chatUsage(usageOf(command, texts))));
  if (!takesOne && argument !== "") return print(notice(texts.chatNothingBehind(`/${command.name}`)));
  if ("run" in command) return command.run(argument, chat, context);
  if (chat.kind === "person") return command.runWithPerson(argument, chat, context);
  return print(notice(texts.groupOnlyWithPerson(`/${command.name}`)));
}

/** Whether this is a group, by a title that is typed as it is shown. */
function isTypable(name: string, shown: string): boolean {
  return name.startsWith("#") && !shown.startsWith('#"');
}

/** Names with this beginning, without those that would put invisible characters into the line. */
function namesFrom(begun: string, names: readonly string[]): string[] {
  const start = folded(begun);
  const offers: string[] = [];
  for (const name of names) {
    if (offers.length === MAX_OFFERS) break;
    if (folded(name).startsWith(start) && visibleText(name) === name) offers.push(name);
  }
  return offers;
}

/**
 * The completions of the text before the cursor: commands and numbers of chats after a leading slash, names after `/chat`, paths
 * after `/send`, folders after `/get`, words after `/group`, and names for any other word that was begun.
 * @param names of all known people and groups; `ownName` is not offered
 * @param numbered the people who are reached by numbers
 * @param paths completes the last path of a text
 */
export function complete(
  before: string,
  names: NameBook,
  ownName: string,
  numbered: readonly string[] = [],
  paths: (typed: string, wanted: "files" | "folders") => Offered = () => ({
    offers: [],
    shown: [],
    part: "",
  }),
): Offered {
  if (/^\s*\/\S*$/.test(before)) {
    const part = before.trimStart();
    const commands = COMMANDS.map(({ name }) => [`/${name}`, `/${name}`] as const);
    const chats = numbered.map(
      (name, index) => [`/${index + 1}`, `/${index + 1} ${shownName(names, name)}`] as const,
    );
    const found = [...commands, ...chats].filter(([offer]) => offer.startsWith(part.toLowerCase()));
    return { offers: found.map(([offer]) => offer), shown: found.map(([, shown]) => shown), part };
  }
  const sent = /^\s*\/send\s+(.*)$/is.exec(before)?.[1];
  if (sent !== undefined) return paths(sent, "files");
  const folder = BEHIND_GET.exec(before)?.[1];
  if (folder !== undefined) return paths(folder, "folders");
  const word = /^\s*\/group\s+(\S*)$/is.exec(before)?.[1];
  if (word !== undefined) {
    const found = GROUP_COMMANDS.filter((each) => each.startsWith(word.toLowerCase()));
    return { offers: found, shown: found, part: word };
  }
  const addressee = (/^\/chat\s+(.*)$/i.exec(before) ?? BEHIND_A_NAME.exec(before))?.[1];
  if (addressee?.startsWith("#") === true) {
    const titles = [...names].flatMap(([name, shown]) => (isTypable(name, shown) ? [shown] : []));
    const offers = namesFrom(addressee, titles);
    return { offers, shown: offers, part: addressee };
  }
  const part = addressee ?? before.split(/\s/).at(-1) ?? "";
  const isBegun = addressee !== undefined || part !== "";
  const others = [...names.keys()].filter((name) => !name.startsWith("#") && !isSamePerson(name, ownName));
  const offers = isBegun ? namesFrom(part, others) : [];
  return { offers, shown: offers.map((name) => shownName(names, name)), part };
}
