/** `group WORD '#TITLE' …`: what is done with one group. Nothing is asked: whoever types it here means it. */
import type { SharedGroup } from "../../../client/conversation/events.ts";
import { GroupError } from "../../../client/errors.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { isSamePerson } from "../../../identity/names.ts";
import { nearestWord } from "../../../protocol/nearest-word.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedText } from "../../../protocol/quoted-text.ts";
import { newTitle } from "../../chat/group/group-commands.ts";
import { memberRow } from "../../chat/group/group-lines.ts";
import { describeFailure, EXIT, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { AwaitedPeer } from "../awaited-peer.ts";
import { untilAborted, withAccount, withLocalAccount, type CommandContext } from "../online-account.ts";
import { readPeople, theGroup, typedGroup } from "../user-argument.ts";
import { add } from "./add.ts";

/** Days for which texts are kept, at most (`keep_group`). */
const MAX_DAYS = 36_500;

/** How much follows the title. */
type Behind = "nothing" | "one" | "several";

const WORDS = {
  new: "nothing",
  add: "several",
  remove: "one",
  members: "nothing",
  leave: "nothing",
  accept: "nothing",
  decline: "nothing",
  admin: "one",
  name: "one",
  keep: "one",
  copy: "nothing",
} as const satisfies { readonly [word: string]: Behind };
type Word = keyof typeof WORDS;

/** @throws UsageError, GroupError, and as `withAccount` */
export async function group(context: CommandContext): Promise<ExitCode> {
  const { config, args } = context;
  const texts = textsIn(config.language);
  const [typedWord = "", typed = "", ...others] = args;
  const [behind, more] = others;
  const word = (Object.keys(WORDS) as Word[]).find((each) => each === typedWord);
  if (word === undefined)
    throw new UsageError(texts.unknownGroupWord(typedWord, nearestWord(typedWord, Object.keys(WORDS))));
  checkOptions(word, context);
  const extra = { nothing: behind, one: more, several: undefined }[WORDS[word]];
  if (extra !== undefined) throw new UsageError(texts.tooManyArguments(extra));
  switch (word) {
    case "new":
      return found(context, titleOf(typed, texts));
    case "add":
      return add(context, typed, others);
    case "members":
      return members(context, typed);
    case "keep":
      return keep(context, typed, behind);
    case "copy":
      return copy(context, typed);
    case "decline":
      return decline(context, typed);
    case "leave":
      return change(context, typed, async (account, { group: id, title }) => ({
        ...(await account.request("leave_group", { group: id })),
        sentence: texts.groupLeft(texts.groupTitle(title)),
      }));
    case "accept":
      return change(context, typed, async (account, { group: id }) => {
        const answer = await account.request("accept_group", { group: id });
        return { ...answer, sentence: texts.groupJoined(titleOfOne(answer.group, texts)) };
      });
    case "name": {
      if (behind === undefined) throw new UsageError(texts.missingArgument(texts.titleArgument));
      const title = titleOf(behind, texts);
      return change(context, typed, async (account, { group: id }) => ({
        ...(await account.request("rename_group", { group: id, title })),
        sentence: texts.groupRenamed(texts.groupTitle(title)),
      }));
    }
    case "remove":
    case "admin": {
      if (behind === undefined) throw new UsageError(texts.missingArgument(texts.userArgument));
      const [username = behind] = await readPeople(behind, false, config);
      const request = word === "remove" ? "remove_from_group" : "make_admin";
      const sentence = word === "remove" ? texts.groupIsRemoved : texts.groupIsAdmin;
      return change(context, typed, async (account, { group: id, title, to_invite: waiting }) => {
        const answer = await account.request(request, { group: id, username });
        const user = shownName(namesKnownTo(account.archive, [username]).book, username);
        // The others have not heard of them.
        const isLocal = waiting.some((each) => isSamePerson(each, username));
        if (isLocal) return { ...answer, sentence: texts.groupIsNotInvited(user), isLocal };
        return { ...answer, sentence: sentence(user, texts.groupTitle(title)) };
      });
    }
    default:
      return word satisfies never;
  }
}

/** Options of one word are refused by the others: they would do nothing. @throws UsageError */
function checkOptions(word: Word, { config }: CommandContext): void {
  const texts = textsIn(config.language);
  const given = [
    ["adds", "new", config.adds !== undefined],
    ["writes", "new", config.writes !== undefined],
    ["from", "add", config.from !== undefined],
    ["no-history", "add", config.noHistory],
  ] as const;
  for (const [flag, owner, isGiven] of given)
    if (isGiven && owner !== word) throw new UsageError(texts.notItsOption(`group ${word}`, flag));
}

/** A title as it is typed, with or without `#`. @throws UsageError */
function titleOf(typed: string, texts: Texts): string {
  const title = newTitle(typed);
  if (title === undefined) throw new UsageError(texts.groupBadTitle);
  return title;
}

/** The title in quotation marks, or, of a group that does not have it alone, what it is called by here. */
function titleOfOne({ title, name }: SharedGroup, texts: Texts): string {
  return texts.groupTitle(name === `#${title}` ? title : name);
}

/** The group of this account that somebody means. @param isMeant which groups can be meant, if any of them is */
async function chosen(
  account: SharedAccount,
  typed: string,
  texts: Texts,
  isMeant: (group: SharedGroup) => boolean = () => true,
): Promise<SharedGroup> {
  const { groups: all } = await account.request("groups", {});
  const meant = all.filter(isMeant);
  return theGroup(typed, meant.length > 0 ? meant : all, texts);
}

function found(context: CommandContext, title: string): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  return withLocalAccount(context, "group", async (account) => {
    const { adds, writes } = config;
    const { group: founded } = await account.request("create_group", {
      title,
      ...(adds === undefined ? {} : { adds }),
      ...(writes === undefined ? {} : { writes }),
    });
    output.event({ event: "group", ...founded }, texts.groupFounded(quotedText(founded.name)));
    if (founded.name !== `#${title}`) output.notice(texts.groupTitleTaken(quotedText(founded.name)));
    return EXIT.done;
  });
}

function members(context: CommandContext, typed: string): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  return withLocalAccount(context, "group", async (account) => {
    const meant = await chosen(account, typed, texts);
    const { group: id, state } = meant;
    if (state === "left" || state === "removed") throw new GroupError(state, meant.title);
    if (state === "invited") {
      const { invited_by: by, title, people, history } = meant;
      const inviter = shownName(namesKnownTo(account.archive, [by ?? ""]).book, by ?? "");
      const earlier = history === "none" ? texts.groupSeesNoEarlier : texts.groupSeesEarlier;
      output.notice(
        texts.groupInvitationHere(inviter, texts.groupTitle(title), people, earlier, typedGroup(meant)),
      );
    }
    const { members: all } = await account.request("group_members", { group: id });
    const known = all.flatMap(({ username, invited_by: by }) => (by === null ? [username] : [username, by]));
    const names = namesKnownTo(account.archive, known).book;
    const words = {
      texts,
      shown: (username: string) => shownName(names, username),
      ownName: account.username,
    };
    for (const each of all) output.event({ event: "member", group: id, ...each }, memberRow(each, words));
    output.end(all.length);
    return EXIT.done;
  });
}

/** Without days it says how it is. */
function keep(context: CommandContext, typed: string, behind: string | undefined): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  const days = behind === "off" || behind === undefined ? null : Number(/^\d{1,5}$/.exec(behind)?.[0] ?? 0);
  if (days !== null && (days < 1 || days > MAX_DAYS)) throw new UsageError(texts.groupBadDays);
  return withLocalAccount(context, "group", async (account) => {
    const before = await chosen(account, typed, texts);
    const { group: after } =
      behind === undefined
        ? { group: before }
        : await account.request("keep_group", { group: before.group, days });
    const { keep_days: kept } = after;
    output.event(
      { event: "group", ...after },
      kept === null ? texts.groupKeptForever : texts.groupKept(kept),
    );
    return EXIT.done;
  });
}

function copy(context: CommandContext, typed: string): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  return withAccount(context, "group", async (account) => {
    const { group: id } = await chosen(account, typed, texts);
    const problem = await untilAborted(signal, account.connectOrWait());
    if (problem !== undefined) output.notice(describeFailure(problem, config).sentence);
    const { group: copied } = await account.request("copy_group", { group: id });
    output.event({ event: "group", ...copied }, texts.groupCopied(quotedText(copied.name)));
    return EXIT.done;
  });
}

function decline(context: CommandContext, typed: string): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  return withLocalAccount(context, "group", async (account) => {
    const { group: id, title } = await chosen(account, typed, texts, ({ state }) => state === "invited");
    const { group: after } = await account.request("decline_group", { group: id });
    output.event({ event: "group", ...after }, texts.groupDeclined(texts.groupTitle(title)));
    return EXIT.done;
  });
}

/** `isLocal`: the others have nothing to learn. */
type Change = { readonly group: SharedGroup; readonly sentence: string; readonly isLocal?: boolean };

/**
 * Writes something to the group that others have to learn, and ends when one of them has it, or with `--wait queued`
 * when it is on this disk. What changes the group is signed only beside another member, whose copy is compared first.
 */
async function change(
  context: CommandContext,
  typed: string,
  write: (account: SharedAccount, group: SharedGroup) => Promise<Change>,
): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  const isInvitation = context.args[0] === "accept";
  const isOffline = isInvitation && config.wait === "queued";
  let awaited: { readonly id: string; readonly peer: AwaitedPeer } | undefined;
  return withAccount(
    context,
    "group",
    async (account) => {
      const meant = await chosen(account, typed, texts, ({ state }) => !isInvitation || state === "invited");
      if (isInvitation && meant.state === "joined") {
        output.event({ event: "group", ...meant }, texts.groupIsInAlready(titleOfOne(meant, texts)));
        return EXIT.done;
      }
      const peer = new AwaitedPeer(context, `#${meant.group}`);
      peer.know(account);
      awaited = { id: meant.group, peer };
      const problem = isOffline ? undefined : await untilAborted(signal, account.connectOrWait());
      if (problem !== undefined) output.notice(describeFailure(problem, config).sentence);
      const {
        group: after,
        sentence,
        isLocal,
      } = await write(account, meant).catch((error: unknown) => {
        // Without the server nobody was looked up.
        throw error instanceof GroupError && error.code === "nobody_online" ? (problem ?? error) : error;
      });
      output.event({ event: "group", ...after }, sentence);
      if (after.unshared === 0 || isLocal === true || config.wait === "queued") return EXIT.done;
      const obstacle = await peer.awaited(account, () => account.connect());
      if (obstacle === undefined) return EXIT.done;
      const exit = output.failure({ ...obstacle, to: meant.name });
      output.notice(texts.groupChangeWaits);
      return exit;
    },
    (event) => {
      const isOfGroup = event.name === "group" && event.group.group === awaited?.id;
      if (isOfGroup && event.group.unshared === 0) awaited?.peer.resolve();
      else awaited?.peer.onEvent(event);
    },
  );
}
