/**
 * `files`: what was offered, sent and received, oldest first; or, with a word and a transfer, accepts, declines or stops
 * it. Needs no network and no password: what was decided takes effect while the account is online.
 */
import { mkdirSync } from "node:fs";

import { TransferError } from "../../../client/errors.ts";
import type { SharedFile } from "../../../client/conversation/events.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { UsageError } from "../../../protocol/options.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { localClock, localDay } from "../../format/local-time.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import { sentenceOf } from "../../chat/files/file-sentence.ts";
import { withLocalAccount, type CommandContext } from "../online-account.ts";

const WORDS = ["accept", "decline", "stop"] as const;

/** @throws UsageError, TransferError, and as `withLocalAccount` */
export function files(context: CommandContext): Promise<ExitCode> {
  const { config, args, output } = context;
  const texts = textsIn(config.language);
  const [typed, which] = args;
  const word = WORDS.find((each) => each === typed);
  if (typed !== undefined && word === undefined) throw new UsageError(texts.unknownFileWord(typed));
  if (typed !== undefined && which === undefined) throw new UsageError(texts.missingArgument("ID"));
  return withLocalAccount(context, "files", async (account) => {
    const { files: found } = await account.request("files", {});
    if (word === undefined) {
      for (const file of found) show(context, account, file);
      if (found.length === 0) output.notice(texts.noFiles);
      output.end(found.length);
      return EXIT.done;
    }
    const chosen = found.find(
      ({ id, number }) => which === id || which?.replace(/^#/, "") === String(number),
    );
    if (chosen === undefined) throw new TransferError("no_such_transfer");
    show(context, account, await decided(context, account, word, chosen.id));
    return EXIT.done;
  });
}

async function decided(
  { config }: CommandContext,
  account: SharedAccount,
  word: (typeof WORDS)[number],
  transfer: string,
): Promise<SharedFile> {
  switch (word) {
    case "accept": {
      mkdirSync(config.downloads, { recursive: true });
      const sha256 = config.sha256 ? { sha256: true } : {};
      return (await account.request("accept_file", { transfer, folder: config.downloads, ...sha256 })).file;
    }
    case "decline":
      return (await account.request("decline_file", { transfer })).file;
    case "stop":
      return (await account.request("stop_file", { transfer })).file;
    default:
      return word satisfies never;
  }
}

function show({ config, output }: CommandContext, { archive }: SharedAccount, file: SharedFile): void {
  const texts = textsIn(config.language);
  const { book } = namesKnownTo(archive, [file.peer, file.from ?? "", file.giver ?? ""]);
  const at = Date.parse(file.at);
  const sentence = sentenceOf(file, (username) => shownName(book, username), texts);
  output.event({ event: "file", ...file }, `#${file.number}  ${localDay(at)} ${localClock(at)}  ${sentence}`);
}
