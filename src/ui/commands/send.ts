/**
 * `send`: one message.
 *
 * 1. The text is committed to the outbox before the network is touched.
 * 2. It goes out over a link to the peer; `delivered` from there is success.
 * 3. Whatever stops it, the text stays queued, and the person hears when it will leave.
 *
 * While another process has the account online, that one sends it.
 */
import { AccountError, openLocalProfile, queueWhileLocked, type Account } from "../../client/accounts.ts";
import { Profile } from "../../client/profile.ts";
import { ProfileLockedError } from "../../client/profile-lock.ts";
import { isTransient } from "../../client/rendezvous.ts";
import type { MessengerEvent } from "../../client/messenger-events.ts";
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { UsageError } from "../../protocol/options.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { Config } from "../config.ts";
import {
  describeFailure,
  describeUnreachable,
  EXIT,
  InterruptedError,
  TimeoutError,
  type ExitCode,
  type Failure,
} from "../failures.ts";
import { closeAccount, openAccount, untilAborted, type CommandContext } from "../session.ts";
import { textsIn, type Texts } from "../texts.ts";

/** The text on standard input, less one final line feed. @throws UsageError */
async function readText(config: Config): Promise<string> {
  const texts = textsIn(config.language);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes = chunk as Uint8Array;
    length += bytes.length;
    if (length > MAX_TEXT_BYTES + 1) throw new UsageError(texts.textTooLong);
    chunks.push(bytes);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    return text.replace(/\n$/, "");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(texts.textNotUnicode);
  }
}

async function obtainText(context: CommandContext, argument: string | undefined): Promise<string> {
  const { config, deadline, output } = context;
  const texts = textsIn(config.language);
  const read = () => {
    if (!process.stdin.isTTY) return readText(config);
    output.tell(texts.typeText);
    return deadline.asking(() => readText(config));
  };
  if (argument === undefined && config.passwordStdin) throw new UsageError(texts.stdinTaken);
  const text = argument ?? (await read());
  if (!text.isWellFormed()) throw new UsageError(texts.textNotUnicode);
  if (text === "") throw new UsageError(texts.textEmpty);
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) throw new UsageError(texts.textTooLong);
  return text;
}

/** The name as it is registered, once that is known here; as it was typed before. */
function nameOf(profile: Profile, typed: string): string {
  return profile.contacts.find(typed)?.username ?? typed;
}

/** Where the message is now, after something has stopped it. */
function whatBecameOfIt(profile: Profile, to: string, texts: Texts, code?: string): string {
  // An account that was new here and was refused has left nothing behind, nor has its outbox.
  if (!Profile.exists(profile.folder)) return texts.notKept;
  const user = visibleText(nameOf(profile, to));
  if (code === "peer_insecure") return texts.queuedWhileInsecure(user);
  return code === "peer_key_changed" ? texts.queuedUntilAccepted(user) : texts.queued(user);
}

/** The text goes to the outbox of the account that another process has online. */
function sendElsewhere(
  { config, output }: CommandContext,
  to: string,
  text: string,
  locked: ProfileLockedError,
): ExitCode {
  const texts = textsIn(config.language);
  let id: string;
  try {
    id = queueWhileLocked(config, to, text);
  } catch (error) {
    // Its first login is under way there: there is no outbox yet.
    if (!(error instanceof AccountError)) throw error;
    throw locked;
  }
  const profile = openLocalProfile(config);
  const name = nameOf(profile, to);
  profile.close();
  output.event({ event: "delivery", id, to: name, state: "queued" }, undefined);
  const failure = describeFailure(locked, config);
  if (config.wait === "received") output.failure(failure.code, failure.sentence);
  output.tell(texts.queuedElsewhere(visibleText(name)));
  return config.wait === "queued" ? EXIT.done : failure.exit;
}

export async function send(context: CommandContext): Promise<ExitCode> {
  const { config, args, output, signal } = context;
  const texts = textsIn(config.language);
  const [to = "", argument] = args;
  const text = await untilAborted(signal, obtainText(context, argument));
  const outcome = Promise.withResolvers<Failure | undefined>();
  let id = "";
  let serverProblem: Failure | undefined;
  const onEvent = (event: MessengerEvent) => {
    if (event.name === "delivery" && event.id === id) {
      output.event({ event: "delivery", id, to: event.to, state: event.state }, undefined);
      if (event.state === "received") outcome.resolve(undefined);
    } else if (event.name === "unreachable" && isSamePerson(account, event.username, to)) {
      const failure = describeUnreachable(event.reason, event.username, texts);
      // Where only the server could have helped, its failure is the reason.
      outcome.resolve(
        serverProblem !== undefined && failure.exit === EXIT.notDelivered ? serverProblem : failure,
      );
    } else if (event.name === "peerError" && isSamePerson(account, event.username, to)) {
      output.tell(texts.peerToldError(visibleText(event.username), visibleText(event.code)));
    }
  };
  let account: Account | undefined;
  try {
    account = await untilAborted(signal, openAccount(context, "send", onEvent));
  } catch (error) {
    if (error instanceof ProfileLockedError) return sendElsewhere(context, to, text, error);
    throw error;
  }
  try {
    const { messenger } = account;
    const { profile } = messenger;
    id = messenger.send(to, text);
    messenger.commit();
    if (config.wait === "queued") {
      output.tell(texts.queued(visibleText(nameOf(profile, to))));
      return EXIT.done;
    }
    const deliver = async (online: Promise<void>): Promise<Failure | undefined> => {
      try {
        await untilAborted(signal, online);
      } catch (error) {
        if (error instanceof InterruptedError) throw error;
        if (!isTransient(error)) return describeFailure(error, config);
        serverProblem = describeFailure(error, config);
      }
      return untilAborted(signal, outcome.promise).catch((error: unknown) => {
        if (!(error instanceof TimeoutError)) throw error;
        const sentence = texts.notAcknowledged(visibleText(nameOf(profile, to)));
        return { exit: EXIT.notDelivered, code: "not_acknowledged", sentence };
      });
    };
    const failure = await deliver(account.connect()).catch((error: unknown) => {
      if (error instanceof InterruptedError) output.tell(whatBecameOfIt(profile, to, texts));
      throw error;
    });
    if (failure === undefined) {
      output.tell(texts.received(visibleText(nameOf(profile, to))));
      return EXIT.done;
    }
    output.failure(failure.code, failure.sentence);
    output.tell(whatBecameOfIt(profile, to, texts, failure.code));
    return failure.exit;
  } finally {
    await closeAccount(context, account);
  }
}

function isSamePerson(account: Account | undefined, username: string, typed: string): boolean {
  const { contacts } = account?.messenger.profile ?? {};
  return contacts?.find(typed)?.label === contacts?.find(username)?.label;
}
