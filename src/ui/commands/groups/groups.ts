/** `groups`: the groups of the account, invitations first. Needs no network and no password. */
import type { SharedGroup } from "../../../client/conversation/events.ts";
import { quotedText } from "../../../protocol/quoted-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { untilText } from "../../chat/other-chats.ts";
import { nameOrder, namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { withLocalAccount, type CommandContext } from "../online-account.ts";

/** The order of the list. */
const STATES: readonly SharedGroup["state"][] = ["invited", "joined", "removed", "left"];

/** @throws as `withLocalAccount` */
export function groups(context: CommandContext): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  return withLocalAccount(context, "groups", async (account) => {
    const { groups: all } = await account.request("groups", {});
    const compare = nameOrder(config.language);
    const listed = STATES.flatMap((state) =>
      all.filter((each) => each.state === state).sort((a, b) => compare(a.title, b.title)),
    );
    const inviters = listed.flatMap(({ invited_by: by }) => (by === null ? [] : [by]));
    const names = namesKnownTo(account.archive, inviters).book;
    for (const each of listed)
      output.event(
        { event: "group", ...each },
        groupLine(each, (username) => shownName(names, username), texts),
      );
    if (listed.length === 0) output.notice(texts.menuNoGroups);
    output.end(listed.length);
    return EXIT.done;
  });
}

/** `#Familia  «Familia»; 5 personas; administra; 3 sin leer`: the title stands there if it is not the name. */
export function groupLine(group: SharedGroup, shown: (username: string) => string, texts: Texts): string {
  const { invited_by: by, muted_until: until, name, people, role, state, title, unread, waiting } = group;
  const called = quotedText(name);
  const notes = [
    ...(name === `#${title}` ? [] : [texts.groupTitle(title)]),
    ...(state === "invited" ? [texts.groupInvitedNote(shown(by ?? ""))] : []),
    ...(state === "left" ? [texts.groupLeftNote] : []),
    ...(state === "removed" ? [texts.groupRemovedNote] : []),
    texts.groupPeopleNote(people),
    ...(role === "founder" ? [texts.groupFounder] : role === "admin" ? [texts.groupAdmin] : []),
    ...(unread === 0 ? [] : [texts.unreadCount(unread)]),
    ...(waiting === 0 ? [] : [texts.groupWaitingNote(waiting)]),
    ...(until === null ? [] : [texts.mutedNote(untilText(Date.parse(until), Date.now(), texts))]),
  ];
  return `${called}  ${notes.join("; ")}`;
}
