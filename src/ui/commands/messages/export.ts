/** `export USER FILE`: writes the stored conversation to a new file; needs no network, password or lock. */
import { withReadableArchive } from "../../../client/archive.ts";
import { quotedText } from "../../../protocol/quoted-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { exportConversation, NoMessagesError } from "../../format/conversation-export.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

export function exportToFile({ config, args, output, signal }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [user = "", typed = ""] = args;
  return withReadableArchive(config, async (archive) => {
    const conversation = archive.conversation(user);
    if (conversation === undefined) throw new NoMessagesError();
    const { count, file } = await exportConversation({ archive, conversation, file: typed, texts, signal });
    const { username } = conversation;
    output.event({ event: "exported", username, file, count }, texts.exported(count, quotedText(file)));
    return EXIT.done;
  });
}
