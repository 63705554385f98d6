/** `whoami`: which account this is, where, and with what key; needs no network, password or lock. */
import { withReadableArchive } from "../../../client/archive.ts";
import { isoTime } from "../../../client/event-json.ts";
import { serversOf } from "../../../client/local-accounts.ts";
import { showFingerprint } from "../../../identity/fingerprint.ts";
import { quotedName, quotedText } from "../../../protocol/quoted-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { localDay } from "../../format/local-time.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

export function whoami({ config, output }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  return withReadableArchive(
    config,
    ({ username, authority, hasSession, movedAt, usesLan, relay, folder, safetyNumbers }) => {
      const servers = serversOf(config.dataFolder, authority);
      const { ownFingerprint: fingerprint } = safetyNumbers;
      const user = quotedName(username);
      const lines = [
        texts.accountAt(
          user,
          servers.length === 0
            ? texts.serverForgotten
            : texts.list(servers.map((server) => quotedText(server))),
        ),
        movedAt === undefined ? texts.hasSession(hasSession) : texts.movedOn(localDay(movedAt)),
        ...(usesLan ? [] : [texts.lanOff]),
        ...(relay === "auto" ? [] : [relay === "only" ? texts.relayOnly : texts.relayNever]),
        texts.ownFingerprint(user),
        showFingerprint(fingerprint),
        texts.accountFolder(quotedText(folder)),
      ];
      const account = {
        username,
        servers,
        authority,
        fingerprint,
        has_session: hasSession,
        lan: usesLan,
        relay,
        folder,
      };
      output.event({ event: "whoami", ...account, moved_at: isoTime(movedAt) }, lines.join("\n"));
      return EXIT.done;
    },
  );
}
