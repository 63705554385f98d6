/** `unread`: how many messages of whom, and of which groups, were neither printed nor shown here; needs no network, password or lock. */
import { withReadableArchive } from "../../../client/archive.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

export function unread({ config, output }: CommandContext): Promise<ExitCode> {
  return withReadableArchive(config, (archive) => {
    const found = [...archive.unread().values()];
    const names = namesKnownTo(archive).book;
    for (const { username, count } of found) {
      const group = username.startsWith("#") ? { group: username.slice(1) } : {};
      output.event({ event: "unread", username, ...group, count }, `${shownName(names, username)}  ${count}`);
    }
    if (found.length === 0) output.notice(textsIn(config.language).nothingUnread);
    output.end(found.length);
    return EXIT.done;
  });
}
