/**
 * `profile export FILE`: writes the account into one encrypted file, after which it goes online here only with `--force`.
 * `profile import FILE`: puts it onto this machine. Neither needs the network.
 */
import { exportAccount } from "../../../client/account-export.ts";
import { importAccount } from "../../../client/account-import.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedName, quotedText } from "../../../protocol/quoted-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { textsIn } from "../../texts/texts.ts";
import { healthSentence, type CommandContext } from "../online-account.ts";
import { obtainPassphrase } from "../password.ts";

export async function moveAccount(context: CommandContext): Promise<ExitCode> {
  const { config, args, output, signal } = context;
  const texts = textsIn(config.language);
  const [what = "", typed = ""] = args;
  /** What happens next is told at a terminal: with many messages it takes a while. */
  const passphrase = (isNew: boolean, next: string) => async () => {
    const given = await obtainPassphrase(context, isNew);
    if (context.process.stderr.isTTY) output.notice(next);
    return given;
  };
  switch (what) {
    case "export": {
      const { username, file, bytes } = await exportAccount({
        place: config,
        typed,
        passphrase: passphrase(true, texts.exporting),
        signal,
        onEvent: ({ health }) => output.notice(healthSentence(health, texts)),
      });
      const sentence = texts.accountExported(quotedName(username), quotedText(file));
      output.event({ event: "profile_exported", username, file, bytes }, sentence);
      output.notice(texts.afterExport);
      return EXIT.done;
    }
    case "import": {
      const { username, folder, servers } = await importAccount({
        dataFolder: config.dataFolder,
        typed,
        passphrase: passphrase(false, texts.importing),
        replaceMoved: config.force,
        signal,
      });
      const sentence = texts.accountImported(quotedName(username), quotedText(folder));
      output.event({ event: "profile_imported", username, folder, servers }, sentence);
      output.notice(texts.afterImport);
      return EXIT.done;
    }
    default:
      throw new UsageError(texts.exportOrImport(what));
  }
}
