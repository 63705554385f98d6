/**
 * `verify USER`: both people see a code, and say whether it is the same.
 *
 * 1. The other person is waited for, until they open the verification too.
 * 2. The code is printed, and the person is asked. They may answer as long as the link lasts.
 * 3. What both have answered decides.
 */
import type { MessengerEvent, VerificationEnding } from "../../../client/conversation/events.ts";
import { isTransient } from "../../../client/errors.ts";
import { verificationJson } from "../../../client/event-json.ts";
import type { UnreachableReason } from "../../../client/peer/dial.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { isSamePerson } from "../../../identity/names.ts";
import { UsageError } from "../../../protocol/options.ts";
import {
  describeFailure,
  describeUnreachable,
  EXIT,
  failure,
  InterruptedError,
  type ExitCode,
  type Failure,
} from "../../failures.ts";
import { ageOf } from "../../format/local-time.ts";
import { namesKnownTo, shownName, type NameBook } from "../../format/name-book.ts";
import { endingSentence, shownCode } from "../../format/people-words.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { untilAborted, withAccount, withLocalAccount, type CommandContext } from "../online-account.ts";
import { askYesOrNo, canAsk } from "../password.ts";

/** Exit and code of a verification that has not verified. */
const FAILURES: {
  readonly [E in Exclude<VerificationEnding, "verified">]: readonly [keyof typeof EXIT, string];
} = {
  wrong: ["notProven", "codes_differ"],
  ended: ["notDelivered", "verification_ended"],
  closed: ["interrupted", "interrupted"],
  lost: ["notDelivered", "verification_lost"],
  not_supported: ["refused", "not_supported"],
  storage_failed: ["other", "storage_failed"],
};

/** Why somebody cannot be reached, as long as neither side does something about it. */
const LASTING: ReadonlySet<UnreachableReason> = new Set([
  "insecure",
  "no_certificate",
  "not_in_date",
  "not_proven",
]);

export async function verify(context: CommandContext): Promise<ExitCode> {
  const { args, config, process } = context;
  const [user = ""] = args;
  if (config.off) return withdraw(context, user);
  if (!canAsk(process)) throw new UsageError(textsIn(config.language).verificationNeedsTerminal);
  const verifying = new Verifying(context, user);
  return withAccount(
    context,
    "verify",
    (account) => verifying.run(account),
    (event) => verifying.onEvent(event),
  );
}

function withdraw(context: CommandContext, user: string): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  return withLocalAccount(context, "verify", async (account) => {
    const shown = shownName(namesKnownTo(account.archive, [user]).book, user);
    const { result } = await account.request("withdraw_verification", { username: user });
    if (result === "none") return output.failure(failure("other", "not_verified", texts.notVerified(shown)));
    output.notice(texts.verificationOff(shown));
    return EXIT.done;
  });
}

class Verifying {
  readonly #context: CommandContext;
  readonly #texts: Texts;
  readonly #user: string;
  readonly #outcome = Promise.withResolvers<ExitCode>();
  /** Aborted when there is an outcome: then nothing is asked any more. */
  readonly #settled = new AbortController();
  #account: SharedAccount | undefined;
  #names: NameBook = new Map();
  /** The code about which the person is asked. */
  #code: string | undefined;
  /** The last reason that was printed why the person cannot be reached yet. */
  #reason: UnreachableReason | undefined;

  constructor(context: CommandContext, user: string) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    this.#user = user;
  }

  /** @throws as `SharedAccount.open` and `openVerification`, InterruptedError, TimeoutError */
  async run(account: SharedAccount): Promise<ExitCode> {
    const { config, output, signal } = this.#context;
    this.#account = account;
    this.#names = namesKnownTo(account.archive, [account.archive.nameOf(this.#user)]).book;
    const opened = await untilAborted(signal, account.openVerification(this.#user));
    if (opened.result === "too_soon") {
      const { retry_after } = opened;
      const sentence = this.#texts.verificationTooSoon(ageOf(retry_after * 1_000));
      return output.failure(failure("refused", "verification_too_soon", sentence, retry_after));
    }
    try {
      await untilAborted(signal, account.connect()).catch((error: unknown) => {
        if (error instanceof InterruptedError || !isTransient(error)) throw error;
        // Somebody whose address is known can be reached without the server.
        output.notice(describeFailure(error, config).sentence);
      });
      return await untilAborted(signal, this.#outcome.promise);
    } finally {
      this.#settled.abort();
      account.leaveVerification(this.#user);
    }
  }

  onEvent(event: MessengerEvent): void {
    if (event.name === "verification" && isSamePerson(event.username, this.#user))
      this.#onVerification(event);
    else if (event.name === "unreachable" && isSamePerson(event.username, this.#user))
      this.#onUnreachable(event);
  }

  #onVerification({ username, ...news }: MessengerEvent & { name: "verification" }): void {
    const { output } = this.#context;
    const texts = this.#texts;
    const json = verificationJson(username, news);
    switch (news.state) {
      case "asked":
      case "withdrawn":
        output.event(json, undefined);
        return;
      case "waiting":
        output.event(json, undefined);
        output.notice(texts.verificationWaiting(this.#shown));
        return;
      case "code":
        // It is told again when another face opens the verification.
        if (news.code === this.#code) return;
        this.#code = news.code;
        output.event(json, texts.verificationCode(shownCode(news.code)));
        output.notice(texts.verificationHow);
        this.#ask().catch((error: unknown) => this.#outcome.reject(error));
        return;
      case "verified":
        output.event(json, endingSentence(news.state, this.#shown, undefined, 0, texts));
        this.#end(EXIT.done);
        return;
      default: {
        output.event(json, undefined);
        const { state, retryAt } = news;
        const sentence = endingSentence(state, this.#shown, retryAt, Date.now(), texts);
        this.#fail(failure(...FAILURES[state], sentence));
      }
    }
  }

  async #ask(): Promise<void> {
    const { output } = this.#context;
    const question = this.#texts.verificationQuestion(this.#shown);
    let same: boolean;
    try {
      same = await askYesOrNo(this.#context, question, this.#settled.signal);
    } catch (error) {
      if (this.#settled.signal.aborted) return;
      throw error;
    }
    await this.#account?.request("answer_verification", { username: this.#user, same });
    if (!this.#settled.signal.aborted) output.notice(this.#texts.verificationAnswered(this.#shown));
  }

  /** The other person, who has to type the same at their terminal, is waited for, unless waiting does not help. */
  #onUnreachable({ username, reason, retryIn }: MessengerEvent & { name: "unreachable" }): void {
    const problem = describeUnreachable(reason, username, this.#names, this.#texts, retryIn);
    if (LASTING.has(reason)) this.#fail(problem);
    else if (reason !== this.#reason) this.#context.output.notice(problem.sentence);
    this.#reason = reason;
  }

  #fail(problem: Failure): void {
    if (!this.#settled.signal.aborted) this.#end(this.#context.output.failure(problem));
  }

  #end(exit: ExitCode): void {
    this.#settled.abort();
    this.#outcome.resolve(exit);
  }

  /** The registered spelling once it is known. */
  get #shown(): string {
    return shownName(this.#names, this.#account?.archive.nameOf(this.#user) ?? this.#user);
  }
}
