/** `doctor`: by which ways others reach this account, and why not by the others. */
import { errorOf } from "../../../client/error-json.ts";
import type { Verdict } from "../../../client/reach/doctor/report.ts";
import { describeFailure, EXIT, type ExitCode } from "../../failures.ts";
import { checkSentence, factsSentence, hintSentence, verdictSentence } from "../../format/doctor-words.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { wrapped } from "../../format/wrapped-text.ts";
import { textsIn } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";

export function doctor(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  const say = (event: { event: string }, sentence: string) =>
    output.event(event, wrapped(sentence, output.columns));
  return withAccount(context, "doctor", async (account) => {
    const found = await untilAborted(signal, account.request("doctor", {}));
    const { checks, verdict, hint, relay, relay_bytes_left, clock_offset, certificate_until } = found;
    const names = namesKnownTo(account.archive).book;
    const problem = (error: object) => describeFailure(errorOf(error), config).sentence;
    for (const line of checks)
      say(
        { event: "check", ...line },
        checkSentence(line, texts, problem, (name) => shownName(names, name)),
      );
    const until = certificate_until === null ? undefined : Date.parse(certificate_until);
    const port = checks.find((line) => line.check === "port");
    const lines = [
      verdictSentence(verdict, relay, texts),
      factsSentence(relay, relay_bytes_left, clock_offset, until, texts),
      ...(hint === undefined ? [] : [hintSentence(hint, port?.port ?? 0, texts)]),
    ].filter((line) => line !== "");
    const { checks: _, ...rest } = found;
    const event = { event: "doctor", ...rest };
    output.event(event, lines.map((line) => wrapped(line, output.columns)).join("\n"));
    const isCut = checks.some(
      (line) => line.check === "server" && "error" in line && line.error["kind"] === "server",
    );
    return exitOf(verdict, isCut);
  });
}

/** @param isCut the server cannot be reached */
function exitOf(verdict: Verdict, isCut: boolean): ExitCode {
  if (verdict !== "none") return EXIT.done;
  return isCut ? EXIT.server : EXIT.notDelivered;
}
