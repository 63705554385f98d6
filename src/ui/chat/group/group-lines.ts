/** What a chat with a group says of it: how one stands to it, who came and went, and who is in it. */
import type { GroupMember, GroupNotice, SharedGroup } from "../../../client/conversation/events.ts";
import { typedName } from "../../failures.ts";
import type { Line } from "../../format/printed-line.ts";
import type { Texts } from "../../texts/texts.ts";

/** Names that one sentence lists; the others are counted. */
const MAX_NAMES = 10;

export type GroupWords = {
  readonly texts: Texts;
  /** A name as people see it. */
  readonly shown: (username: string) => string;
  readonly ownName: string;
};

/** «ana, luis y 3 más». */
export function nameList(names: readonly string[], { texts, shown }: GroupWords): string {
  const listed = names.slice(0, MAX_NAMES).map(shown);
  const rest = names.length - listed.length;
  return texts.list(rest === 0 ? listed : [...listed, texts.chatMorePeople(rest)]);
}

/** How one stands to the group, when that is more than being in it: the first lines of its chat say so. */
export function stateSentences(group: SharedGroup, words: GroupWords): readonly string[] {
  const { texts, shown } = words;
  const title = texts.groupTitle(group.title);
  switch (group.state) {
    case "invited": {
      const earlier = group.history === "none" ? texts.groupSeesNoEarlier : texts.groupSeesEarlier;
      return [texts.groupInvitation(shown(group.invited_by ?? ""), title, group.people, earlier)];
    }
    case "left":
      return [texts.groupLeft(title)];
    case "removed":
      return [texts.groupRemoved(title)];
    case "declined":
      return [texts.groupDeclined(title)];
    case "joined":
      return [
        ...(group.may_write ? [] : [cannotWrite(group, texts)]),
        ...(group.to_invite.length === 0 ? [] : [texts.groupToInvite(nameList(group.to_invite, words))]),
      ];
    default:
      return group.state satisfies never;
  }
}

/** Why nothing can be written to the group, in one sentence. */
export function cannotWrite(group: SharedGroup, texts: Texts): string {
  const title = texts.groupTitle(group.title);
  switch (group.state) {
    case "invited":
      return texts.groupInvitationWaits(title);
    case "left":
      return texts.groupLeft(title);
    case "removed":
      return texts.groupRemoved(title);
    case "declined":
      return texts.groupDeclined(title);
    case "joined":
      return group.writes === "admins" && group.role === "member"
        ? texts.groupOnlyAdminsWrite
        : texts.groupOwnFork(title);
    default:
      return group.state satisfies never;
  }
}

/** A budget of a minute holds texts back for less time, that of a day mostly for more; ms. */
const LONG = 2 * 60 * 1_000;

/** Why texts of ours that nobody has wait, if so much was written that they have to; undefined: it was not. @param now ms since 1970 */
export function whyHeldBack(
  { held_until: until }: SharedGroup,
  now: number,
  texts: Texts,
): string | undefined {
  if (until === null) return undefined;
  return Date.parse(until) - now > LONG ? texts.groupHeldBackForLong : texts.groupHeldBack;
}

/** Whether it is said together with others of its kind. */
function isGathered({ kind }: GroupNotice): boolean {
  return kind === "joined" || kind === "left" || kind === "removed" || kind === "added";
}

/** What has happened in a group: who came and went in one line, the rest in a line each. */
export function noticeSentences(notices: readonly GroupNotice[], words: GroupWords): readonly string[] {
  const gathered = Map.groupBy(notices.filter(isGathered), ({ kind, by }) =>
    kind === "removed" || kind === "added" ? `${kind} ${by}` : kind,
  );
  const comings = [...gathered.values()].map((all) => {
    const names = [...new Set(all.flatMap((each) => each.names))];
    return sentence({ ...(all[0] as GroupNotice), names }, words);
  });
  const rest = notices.filter((each) => !isGathered(each)).map((each) => sentence(each, words));
  return comings.length === 0 ? rest : [comings.join(" · "), ...rest];
}

function sentence({ kind, by, names, number, title: bare }: GroupNotice, words: GroupWords): string {
  const { texts, shown, ownName } = words;
  const [title, list, who] = [texts.groupTitle(bare), nameList(names, words), shown(by ?? "")];
  const [first = ""] = names;
  switch (kind) {
    case "joined":
      return texts.groupTheyJoined(list, names.length);
    case "left":
      return texts.groupTheyLeft(list, names.length);
    case "removed":
      return texts.groupTheyRemoved(who, list);
    case "added":
      return texts.groupTheyAdded(who, list);
    case "readmitted":
      return names.includes(ownName)
        ? texts.groupYouReadmitted(who, title)
        : texts.groupTheyReadmitted(who, list);
    case "admin":
      return names.includes(ownName) ? texts.groupYouAdmin(title) : texts.groupTheyAdmin(list, names.length);
    case "renamed":
      return texts.groupTheyRenamed(who, title);
    case "removed_self":
      return by === null ? texts.groupRemoved(title) : texts.groupRemovedBy(who, title);
    case "dropped_out":
      return texts.groupDroppedOut(who, list, names.length);
    case "missing":
      return texts.groupMissing(list, number ?? 1);
    case "one_admin":
      return texts.groupOneAdmin(title);
    case "fork":
      return first === ownName
        ? texts.groupOwnFork(title)
        : texts.groupFork(list, typedName(first, texts), number ?? 1);
    default:
      return kind satisfies never;
  }
}

/** The answer of `/group members`: a row for each. */
export function membersLine(group: SharedGroup, members: readonly GroupMember[], words: GroupWords): Line {
  const { texts } = words;
  const rows = members.map((member) => memberRow(member, words));
  const hasOtherKey = members.some(({ key }) => key === "other");
  const title = texts.groupMembers(texts.groupTitle(group.title), group.people);
  return { name: "notice", text: [title, ...rows, ...(hasOtherKey ? [texts.groupOtherKey] : [])].join("\n") };
}

/** A line about one of a group. */
export function memberRow(member: GroupMember, { texts, shown }: GroupWords): string {
  const { username, role, state, online, invited_by: by, key, missing, is_self: isSelf } = member;
  const notes = [
    ...(isSelf ? [texts.groupMemberYou] : []),
    ...(role === "member" ? [] : [role === "founder" ? texts.groupFounder : texts.groupAdmin]),
    ...(state === "invited" ? [texts.groupMemberInvited] : []),
    ...(state === "to_invite" ? [texts.groupMemberToInvite] : []),
    ...(online === true && !isSelf ? [texts.groupMemberOnline] : []),
    ...(by === null ? [] : [texts.groupMemberBy(shown(by))]),
    ...(missing === 0 ? [] : [texts.groupMemberMissing(missing)]),
  ];
  const name = key === "other" ? `${shown(username)} (?)` : shown(username);
  return [name, ...notes].join(" · ");
}

/** The answer of `/info` without a number. */
export function groupInfoLine(group: SharedGroup, texts: Texts): Line {
  const { adds, group: id, keep_days: days, name, people, title, writes } = group;
  const rows = [
    texts.groupInfo(texts.groupTitle(title), name, people),
    texts.groupInfoId(id),
    texts.groupInfoAdds(adds === "all"),
    ...(writes === "admins" ? [texts.groupOnlyAdminsWrite] : []),
    texts.groupInfoKeep(days),
  ];
  return { name: "notice", text: rows.join("\n") };
}
