/** `export USER FILE`: the whole stored conversation as a new file; needs no network, password or lock. */
import { visibleText } from "../../../protocol/visible-text.ts";
import { exportConversation, ExportError } from "../../format/conversation-export.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import type { CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalProfile } from "../local-profile.ts";

export function exportToFile({ config, args, output, signal }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [user = "", typed = ""] = args;
  return withLocalProfile(config, async (profile) => {
    const contact = profile.contacts.find(user);
    if (contact === undefined) throw new ExportError("no_messages", typed);
    const { count, file } = await exportConversation({ profile, contact, file: typed, texts, signal });
    const { username } = contact;
    output.event({ event: "exported", username, file, count }, texts.exported(count, visibleText(file)));
    return EXIT.done;
  });
}
