/** `users`: who is online. */
import { showHostPort } from "../../../protocol/ip-address.ts";
import { NO_ADDRESS } from "../../../protocol/rendezvous-messages.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";

export function users(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  return withAccount(context, "users", async (account) => {
    await untilAborted(signal, account.connect());
    const { users: online } = await untilAborted(signal, account.request("users", {}));
    const names = namesKnownTo(
      account.archive,
      online.map(({ username }) => username),
    ).book;
    for (const { username, ip, p2p_port, secure } of online) {
      const kind = secure === false ? `  (${texts.legacyOnly})` : "";
      const place = ip === NO_ADDRESS ? texts.noAddress : visibleText(showHostPort(ip, p2p_port));
      output.event(
        { event: "user", username, ip, p2p_port, secure: secure !== false },
        `${shownName(names, username)}  ${place}${kind}`,
      );
    }
    if (online.length === 0) output.notice(texts.nobodyOnline);
    output.end(online.length);
    return EXIT.done;
  });
}
