/** `contacts`: everybody whom the account has met, with state, last sign of life, unread; needs no network, password or lock. */
import { withReadableArchive, type Archive, type StoredConversation } from "../../../client/archive.ts";
import { contactJson } from "../../../client/event-json.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { localClock, localDay } from "../../format/local-time.ts";
import { namesKnownTo, shownName, type NameBook } from "../../format/name-book.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

export function contacts({ config, output }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  return withReadableArchive(config, (archive) => {
    const unread = archive.unread();
    const found = conversations(archive);
    const names = namesKnownTo(archive).book;
    for (const conversation of found) {
      const count = unread.get(conversation.contact.id)?.count ?? 0;
      output.event(
        { event: "contact", ...contactJson(conversation, count) },
        contactLine(conversation, count, names, texts),
      );
    }
    if (found.length === 0) output.notice(texts.noContacts);
    output.end(found.length);
    return EXIT.done;
  });
}

/** By name, `alumno2` before `alumno10`. */
function conversations(archive: Archive): readonly StoredConversation[] {
  const order = new Intl.Collator("es", { numeric: true });
  return archive
    .contacts()
    .map((contact) => archive.conversationWith(contact))
    .sort((a, b) => order.compare(a.username, b.username));
}

function contactLine(
  conversation: StoredConversation,
  unread: number,
  names: NameBook,
  texts: Texts,
): string {
  const heard = conversation.lastHeard();
  const facts = [
    heard === undefined ? texts.neverHeard : texts.lastHeard(`${localDay(heard)} ${localClock(heard)}`),
    ...(unread === 0 ? [] : [texts.unreadCount(unread)]),
    ...(conversation.keyState === "key_changed" ? [texts.keyChanged] : []),
  ];
  const mark = conversation.isVerified ? " ✔" : "";
  return `${shownName(names, conversation.username)}${mark}  ${facts.join("; ")}`;
}
