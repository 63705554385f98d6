/**
 * `group add '#TITLE' USER…` and `group add '#TITLE' --from FILE`: invites people, a line for each, and tells how many
 * were invited, wait until they are reached, or could not be. Nobody is invited if one of the names is impossible.
 */
import type { AddedPeople } from "../../../client/group/group-actions.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { isSamePerson } from "../../../identity/names.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedText } from "../../../protocol/quoted-text.ts";
import type { Config } from "../../config.ts";
import { describeFailure, EXIT, notInvited, TimeoutError, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";
import { readPeople, theGroup } from "../user-argument.ts";
import { readNames } from "./names-file.ts";

type Result =
  | { readonly state: "invited" | "waiting" | "member" }
  | { readonly state: "failed"; readonly code: string; readonly sentence: string };

/** @throws UsageError, GroupError, and as `withAccount` */
export async function add(
  context: CommandContext,
  typed: string,
  people: readonly string[],
): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  const names = await namesToAdd(context, people);
  return withAccount(context, "group", async (account) => {
    const { groups } = await account.request("groups", {});
    const { group, title, name } = theGroup(typed, groups, texts);
    const problem = await untilAborted(signal, account.connectOrWait());
    const others = names.filter((each) => !isSamePerson(each, account.username));
    const answer = others.length === 0 ? NOBODY : await invite(context, account, group, others);
    const { members: all } = await account.request("group_members", { group });
    const joined = all.filter(({ state, is_self: isSelf }) => state === "member" && !isSelf);
    const isAlone = joined.length > 0 && joined.every(({ online }) => online !== true);
    const book = namesKnownTo(account.archive, names).book;
    const results = names.map((username) => [username, resultOf(username, answer, config)] as const);
    for (const [username, result] of results) {
      const { state } = result;
      const code = state === "failed" ? { code: result.code } : {};
      const event = { event: "invitation", group, title, username, state, ...code };
      // Where nobody was there to compare with, nothing is known of whoever waits.
      const isStranger = !isAlone && account.archive.conversation(username)?.isStranger !== false;
      output.event(event, lineOf(shownName(book, username), result, isStranger, texts));
    }
    const count = (state: Result["state"]) => results.filter(([, each]) => each.state === state).length;
    const [invited, waiting] = [count("invited"), count("waiting")];
    const [members, failed] = [count("member"), count("failed")];
    output.event({ event: "end", count: names.length, invited, waiting, members, failed }, undefined);
    if (names.length > 1)
      output.notice(texts.groupAddSum(quotedText(name), invited, waiting, members, failed));
    if (waiting > 0) output.notice(isAlone ? texts.groupAddNeedsMember : texts.groupWhoWaits(waiting));
    const exits = [...(failed > 0 ? [EXIT.refused] : []), ...(waiting > 0 ? [EXIT.notDelivered] : [])];
    // Without the server nobody was looked up.
    if (waiting > 0 && problem !== undefined) return output.failure(describeFailure(problem, config));
    return Math.max(EXIT.done, ...exits) as ExitCode;
  });
}

const NOBODY: Pick<AddedPeople, "added" | "waiting" | "failed"> = { added: [], waiting: [], failed: [] };

/** @throws UsageError */
async function namesToAdd(context: CommandContext, people: readonly string[]): Promise<readonly string[]> {
  const { config } = context;
  const texts = textsIn(config.language);
  const [user] = people;
  if (config.from === undefined) {
    if (user === undefined) throw new UsageError(texts.missingArgument(texts.userArgument));
    const names: string[] = [];
    // «ana, benito» is two arguments, the first of which ends with a comma.
    for (const each of people) names.push(...(await readPeople(each.replace(/,$/, ""), true, config)));
    return names.filter((each, index) => names.findIndex((other) => isSamePerson(other, each)) === index);
  }
  if (user !== undefined) throw new UsageError(texts.tooManyArguments(user));
  return readNames(context, config.from);
}

/** Whoever was not reached when the time is over waits as those do who are offline. */
async function invite(
  { config, signal }: CommandContext,
  account: SharedAccount,
  group: string,
  usernames: readonly string[],
): Promise<typeof NOBODY> {
  const history = config.noHistory ? "none" : "all";
  try {
    return await untilAborted(
      signal,
      account.request("add_to_group", { group, usernames: [...usernames], history }),
    );
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const { members } = await account.request("group_members", { group });
    const added = members.filter(({ state }) => state !== "to_invite").map(({ username }) => username);
    return { added, waiting: usernames, failed: [] };
  }
}

function resultOf(username: string, { added, waiting, failed }: typeof NOBODY, config: Config): Result {
  const isAmong = (names: readonly string[]) => names.some((each) => isSamePerson(each, username));
  if (isAmong(added)) return { state: "invited" };
  if (isAmong(waiting)) return { state: "waiting" };
  const fault = failed.find((each) => isSamePerson(each.username, username));
  // A list that was added before has members in it, and perhaps oneself.
  if (fault === undefined || fault.code === "already_member") return { state: "member" };
  return { state: "failed", code: fault.code, sentence: notInvited(fault.code, config.language) };
}

/** @param isStranger nobody has ever answered to this name here, so that it may be misspelt */
function lineOf(user: string, result: Result, isStranger: boolean, texts: Texts): string {
  switch (result.state) {
    case "invited":
      return texts.groupInvitedLine(user);
    case "waiting":
      return isStranger ? texts.groupWaitsStrangerLine(user) : texts.groupWaitsLine(user);
    case "member":
      return texts.groupMemberLine(user);
    case "failed":
      return `${user}: ${result.sentence}`;
    default:
      return result satisfies never;
  }
}
