/** «Groups»: their list with the invitations on top, founding one, and what is announced of them. */
import type { GroupNotice, SharedGroup } from "../../client/conversation/events.ts";
import { mutedUntil } from "../chat/other-chats.ts";
import { newTitle } from "../chat/group/group-commands.ts";
import { noticeSentences } from "../chat/group/group-lines.ts";
import { typedChat } from "../chat/group/group-names.ts";
import { nameOrder, shownName } from "../format/name-book.ts";
import type { Choice } from "../prompts/prompt.ts";
import type { AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import { asking, list, type View } from "./prompt-views.ts";
import {
  CHOICE,
  failure,
  inAccount,
  isChatOpen,
  notice,
  openingChat,
  step,
  to,
  type AppContext,
} from "./steps.ts";

/** How many texts of a group nobody has read here. */
function unreadIn({ unread }: OpenAccount, username: string): number {
  return unread.values().find((each) => each.username === username)?.count ?? 0;
}

/** The same; none of a group that is quiet. */
function newIn(account: OpenAccount, username: string, now: number): number {
  return mutedUntil(account.muted, username, now) === undefined ? unreadIn(account, username) : 0;
}

/** Invitations first, then those with new texts, then the others one is in, and last those that one has left. */
function rank(account: OpenAccount, username: string, { state }: SharedGroup, now: number): number {
  if (state === "invited") return 0;
  if (state !== "joined") return 3;
  return newIn(account, username, now) > 0 ? 1 : 2;
}

/** Opens the list. While it is open, groups keep their rows. @param left the group whose chat was left for it */
export function openGroups(
  model: AppModel,
  account: OpenAccount,
  { language, now }: AppContext,
  left?: string,
): AppStep {
  const compare = nameOrder(language);
  const listed = [...account.groups]
    .filter(([, { state }]) => state !== "declined")
    .sort(
      ([one, a], [other, b]) =>
        rank(account, one, a, now) - rank(account, other, b, now) || compare(a.title, b.title),
    )
    .map(([username]) => username);
  return to(model, { name: "groups", account, listed, left });
}

export function answerGroups(
  model: AppModel,
  { account, listed }: Screen & { name: "groups" },
  value: string,
): AppStep {
  if (value === CHOICE.back) return to(model, { name: "home", account });
  if (value === CHOICE.newGroup) return to(model, { name: "groupTitle", account, typed: "" });
  return listed.includes(value) ? openingChat(model, account, value) : step(model);
}

export function answerGroupTitle(
  model: AppModel,
  screen: Screen & { name: "groupTitle" },
  value: string,
  context: AppContext,
): AppStep {
  const { account } = screen;
  if (value === "") return openGroups(model, account, context);
  const title = newTitle(value);
  if (title === undefined)
    return to(model, { ...screen, typed: value.trim() }, failure(context.texts.groupBadTitle));
  return to(model, { name: "working", work: "openingChat", account }, { name: "foundGroup", title });
}

/** The entry of the menu, with what waits. */
export function groupsEntry(account: OpenAccount, { now, texts }: AppContext): Choice {
  const groups = [...account.groups];
  const invitations = groups.filter(([, { state }]) => state === "invited").length;
  const count = groups.reduce((sum, [username]) => sum + newIn(account, username, now), 0);
  const notes = [
    ...(invitations === 0 ? [] : [texts.menuInvitations(invitations)]),
    ...(count === 0 ? [] : [texts.menuNew(count)]),
  ];
  const note = notes.length === 0 ? {} : { note: `(${notes.join(", ")})` };
  return { value: CHOICE.groups, name: texts.menuGroups, ...note };
}

function groupRow(username: string, account: OpenAccount, { texts, now }: AppContext): Choice | undefined {
  const group = account.groups.get(username);
  if (group === undefined) return undefined;
  const { names } = account;
  const count = unreadIn(account, username);
  const notes = [
    ...(group.state === "invited" ? [texts.groupInvitedNote(shownName(names, group.invited_by ?? ""))] : []),
    ...(count > 0 ? [texts.menuNew(count)] : []),
    ...(group.waiting > 0 ? [texts.groupWaitingNote(group.waiting)] : []),
    ...(group.state === "left" ? [texts.groupLeftNote] : []),
    ...(group.state === "removed" ? [texts.groupRemovedNote] : []),
    ...(mutedUntil(account.muted, username, now) === undefined ? [] : [texts.quietNote]),
  ];
  return {
    value: username,
    name: shownName(names, username),
    ...(notes.length === 0 ? {} : { note: notes.map((each) => `(${each})`).join(" ") }),
    aside: texts.groupPeopleNote(group.people),
  };
}

export function groupList(screen: Screen & { name: "groups" }, context: AppContext): View {
  const { texts } = context;
  const { account, listed, left } = screen;
  const choices = listed.flatMap((username) => groupRow(username, account, context) ?? []);
  const entries = [{ value: CHOICE.newGroup, name: texts.menuNewGroup }];
  const message = listed.length === 0 ? texts.menuNoGroups : texts.menuGroupsAsk;
  const prompt = list(message, choices, context, { entries });
  return asking(left !== undefined && listed.includes(left) ? { ...prompt, marked: left } : prompt);
}

/** A group has changed. An invitation is announced once; its own chat says it, too. */
export function onGroup(
  model: AppModel,
  account: OpenAccount,
  group: SharedGroup,
  { texts, now }: AppContext,
): AppStep {
  const username = `#${group.group}`;
  const before = account.groups.get(username);
  const groups = new Map(account.groups).set(username, group);
  const next = withListed(inAccount(model, { groups }), username);
  const isNew = group.state === "invited" && before?.state !== "invited";
  const by = group.invited_by ?? "";
  if (!isNew || isChatOpen(model, username) || mutedUntil(account.muted, by, now) !== undefined)
    return step(next);
  const { names } = account;
  const title = texts.groupTitle(group.title);
  const sentence = texts.groupInvited(shownName(names, by), title, group.people);
  const how = model.screen.name === "chat" ? ` (/chat ${typedChat(username, { groups, names, texts })})` : "";
  return step(next, { name: "bell" }, notice(sentence + how));
}

/** An open list with a group that is new in it. */
function withListed(model: AppModel, username: string): AppModel {
  const { screen } = model;
  if (screen.name !== "groups" || screen.listed.includes(username)) return model;
  return { ...model, screen: { ...screen, listed: [...screen.listed, username] } };
}

/** Only what ends something is announced outside the chat of the group. */
export function onGroupNotice(
  model: AppModel,
  { names, username }: OpenAccount,
  said: GroupNotice,
  { texts }: AppContext,
): AppStep {
  if (said.kind !== "removed_self" || isChatOpen(model, `#${said.group}`)) return step(model);
  const words = { texts, ownName: username, shown: (name: string) => shownName(names, name) };
  return step(model, ...noticeSentences([said], words).map(notice));
}
