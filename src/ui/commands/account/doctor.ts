/** `doctor [USER]`: by which ways others reach this account, or it reaches somebody, and why not by the others. */
import type { MessengerEvent } from "../../../client/conversation/events.ts";
import { ActionError, isTransient } from "../../../client/errors.ts";
import { errorOf } from "../../../client/error-json.ts";
import type { UnreachableReason } from "../../../client/peer/dial.ts";
import type { Verdict } from "../../../client/reach/doctor/report.ts";
import { isSamePerson } from "../../../identity/names.ts";
import { describeFailure, describeUnreachable, EXIT, type ExitCode } from "../../failures.ts";
import { checkSentence, factsSentence, hintSentence, verdictSentence } from "../../format/doctor-words.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { reachedSentence, triedSentences } from "../../format/tried-words.ts";
import { wrappedSentence } from "../../format/wrapped-text.ts";
import { textsIn } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";

/** How long a person is tried to be reached, in s. */
const PATIENCE = 25;

export function doctor(context: CommandContext): Promise<ExitCode> {
  const [user] = context.args;
  return user === undefined ? ofAccount(context) : ofPerson(context, user);
}

/** Prints events, each with its sentences, which are broken into rows on a terminal. */
function printer({ output }: CommandContext) {
  return (event: { event: string; [field: string]: unknown }, ...sentences: readonly string[]) =>
    output.event(event, sentences.map((sentence) => wrappedSentence(sentence, output.columns)).join("\n"));
}

function ofAccount(context: CommandContext): Promise<ExitCode> {
  const { config, signal } = context;
  const texts = textsIn(config.language);
  const print = printer(context);
  return withAccount(context, "doctor", async (account) => {
    const { checks, ...found } = await untilAborted(signal, account.request("doctor", {}));
    const { verdict, hint, relay, relay_bytes_left, clock_offset, certificate_until } = found;
    const names = namesKnownTo(account.archive).book;
    const shown = (name: string) => shownName(names, name);
    const problem = (error: object) =>
      hint === "network" ? texts.doctorServerElsewhere : describeFailure(errorOf(error), config).sentence;
    for (const line of checks) print({ event: "check", ...line }, checkSentence(line, texts, problem, shown));
    const until = certificate_until === null ? undefined : Date.parse(certificate_until);
    const server = checks.find((line) => line.check === "server");
    // Nothing is relayed to whoever cannot come to the meeting port.
    const bytesLeft = server?.state === "good" ? relay_bytes_left : null;
    const facts = factsSentence(relay, bytesLeft, clock_offset, until, texts);
    const port = checks.find((line) => line.check === "port")?.port ?? 0;
    print(
      { event: "doctor", ...found },
      verdictSentence(verdict, relay, texts),
      ...(facts === "" ? [] : [facts]),
      ...(hint === undefined ? [] : [hintSentence(hint, port, texts)]),
    );
    const isCut = server !== undefined && "error" in server && server.error["kind"] === "server";
    return exitOf(verdict, isCut);
  });
}

/** @param isCut the server cannot be reached */
function exitOf(verdict: Verdict, isCut: boolean): ExitCode {
  if (verdict !== "none" && verdict !== "relay_empty") return EXIT.done;
  return isCut ? EXIT.server : EXIT.notDelivered;
}

/** How an attempt to reach somebody has ended; undefined: it has not. */
type Outcome = { readonly reason: UnreachableReason | undefined } | undefined;

function ofPerson(context: CommandContext, user: string): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  const print = printer(context);
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
  const onEvent = (event: MessengerEvent) => {
    if (event.name !== "connected" && event.name !== "unreachable") return;
    if (!isSamePerson(event.username, user)) return;
    resolve({ reason: event.name === "connected" ? undefined : event.reason });
  };
  return withAccount(
    context,
    "doctor",
    async (account) => {
      if (account.archive.conversation(user)?.state === "blocked") throw new ActionError("blocked");
      const { username, connected } = await untilAborted(signal, account.openChat(user));
      await untilAborted(signal, account.connect()).catch((error: unknown) => {
        if (signal.aborted || !isTransient(error)) throw error;
        // Somebody whose address is known can be reached without the server.
        output.notice(describeFailure(error, config).sentence);
      });
      const timer = setTimeout(resolve, PATIENCE * 1_000, undefined);
      const ended: Outcome = connected
        ? { reason: undefined }
        : await untilAborted(signal, outcome).finally(() => clearTimeout(timer));
      clearTimeout(timer);
      const { tried } = await untilAborted(signal, account.request("tried", { username }));
      const { link } = await untilAborted(signal, account.request("link", { username }));
      const names = namesKnownTo(account.archive, [username]).book;
      const shown = shownName(names, username);
      const whyNot = (reason: UnreachableReason) =>
        // What was tried stands above.
        reason === "no_way"
          ? texts.doctorNoWay(shown)
          : describeUnreachable(reason, username, names, texts).sentence;
      if (output.json)
        for (const each of tried) output.event({ event: "tried", username, ...each }, undefined);
      else for (const sentence of triedSentences(tried, shown, texts)) print({ event: "tried" }, sentence);
      const reason = ended?.reason;
      const event = { event: "doctor", username, reason: reason ?? null, link };
      if (link !== null) print(event, reachedSentence(link, shown, texts));
      else if (reason === undefined) print(event, texts.doctorStillTrying(shown, PATIENCE));
      else print(event, whyNot(reason));
      const answers = link !== null && link.round_trip !== null;
      return answers ? EXIT.done : EXIT.notDelivered;
    },
    onEvent,
  );
}
