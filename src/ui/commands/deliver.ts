/**
 * Delivers one message, or one change of a message, to the peer.
 *
 * 1. It is committed to the outbox before the network is touched.
 * 2. It is sent on a link to the peer; the peer's acknowledgement is success.
 * 3. If that fails it stays queued, and the person reads when it will be sent.
 *
 * If another process has the account online, that process sends it.
 */
import type { Account } from "../../client/accounts.ts";
import { withArchive } from "../../client/archive.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { AccountError, ActionError, isTransient, ProfileLockedError } from "../../client/errors.ts";
import { queueWhileLocked, type Queued } from "../../client/local-accounts.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { OutgoingContent } from "../../client/profile/stored-message.ts";
import { isSamePerson } from "../../identity/names.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import {
  describeFailure,
  describeUnreachable,
  EXIT,
  failure,
  InterruptedError,
  TimeoutError,
  type ExitCode,
  type Failure,
} from "../failures.ts";
import { deliveryEvent, ownChangeEvent } from "../format/message-format.ts";
import { textsIn, type Texts } from "../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "./online-account.ts";

/** Time that the attempt after a server's limit needs, in ms; with less left, the command does not wait for it. */
const ATTEMPT_TIME = 2_000;

/** The beginning of a sentence about what is queued. */
function subjectOf({ kind }: OutgoingContent, texts: Texts): string {
  return kind === "text" ? texts.theMessage : texts.theChange;
}

/** Whether it is still queued after a failure, and when it will be sent. @param code of the failure */
function queuedSentence(account: Account, to: string, what: string, texts: Texts, code?: string): string {
  if (account.isRemoved) return texts.notKept;
  const user = visibleText(account.messenger.archive.nameOf(to));
  if (code === "peer_insecure") return texts.queuedWhileInsecure(what, user);
  return code === "peer_key_changed" ? texts.queuedUntilAccepted(what, user) : texts.queued(what, user);
}

/**
 * Checks that the message to reply to, edit or withdraw is stored, before the account is opened.
 * @returns why it cannot be replied to, if so. @throws ActionError if it is not stored
 */
async function checkTarget(
  { config }: CommandContext,
  to: string,
  content: OutgoingContent,
): Promise<Failure | undefined> {
  const target = content.kind === "text" ? content.replyTo : content.target;
  if (target === undefined) return undefined;
  return withArchive(config, (archive) => {
    const found = archive.conversation(to)?.find(target);
    if (found === undefined) throw new ActionError("unknown_message");
    if (content.kind !== "text" || found.withdrawnAt === undefined) return undefined;
    return failure("refused", "already_withdrawn", textsIn(config.language).replyToWithdrawn);
  });
}

function queued(
  { config }: CommandContext,
  to: string,
  content: OutgoingContent,
  locked: ProfileLockedError,
): Queued {
  try {
    return queueWhileLocked(config, to, content);
  } catch (error) {
    // The other process is logging in for the first time: there is no outbox yet.
    throw error instanceof AccountError ? locked : error;
  }
}

/** Puts it into the outbox of an account that another process has online. */
function deliverElsewhere(
  context: CommandContext,
  typed: string,
  content: OutgoingContent,
  locked: ProfileLockedError,
): ExitCode {
  const { config, output } = context;
  const texts = textsIn(config.language);
  const { to, id, changed } = queued(context, typed, content, locked);
  if (changed !== undefined) output.event(ownChangeEvent(changed, to, id), undefined);
  if (content.kind === "withdraw" && id === undefined) {
    output.event({ event: "cancelled", to, id: content.target }, undefined);
    output.notice(texts.cancelled(visibleText(to)));
    return EXIT.done;
  }
  if (id !== undefined) output.event(deliveryEvent(to, id, "queued", Date.now()), undefined);
  const problem = describeFailure(locked, config);
  if (config.wait === "received") output.failure(problem);
  const what = id === undefined ? texts.theMessage : subjectOf(content, texts);
  output.notice(texts.queuedElsewhere(what, visibleText(to)));
  return config.wait === "queued" ? EXIT.done : problem.exit;
}

/** @returns the id of what will be sent; undefined: an unsent message was cancelled, so nothing will be. */
function put(messenger: Messenger, to: string, content: OutgoingContent): string | undefined {
  switch (content.kind) {
    case "text":
      return messenger.send(to, content.text, content.replyTo);
    case "edit":
      // A message that was not sent yet is sent under its own id with the new text.
      return messenger.edit(to, content.target, content.text) ?? content.target;
    case "withdraw":
      return messenger.withdraw(to, content.target);
    default:
      return content satisfies never;
  }
}

/**
 * Runs `send`, `edit` or `withdraw`: ends when the peer has acknowledged, or with `--wait queued` when it is in
 * the outbox.
 * @param to the name as it was typed
 * @throws as `Account.open`, ActionError, SelfError, SQLiteError, InterruptedError, TimeoutError
 */
export async function deliver(
  context: CommandContext,
  to: string,
  content: OutgoingContent,
): Promise<ExitCode> {
  const { config, output, signal, deadline } = context;
  const texts = textsIn(config.language);
  const obstacle = await checkTarget(context, to, content);
  if (obstacle !== undefined) return output.failure(obstacle);
  const outcome = Promise.withResolvers<Failure | undefined>();
  let id: string | undefined;
  let serverProblem: Failure | undefined;
  let diskProblem: Failure | undefined;
  const onEvent = (event: MessengerEvent) => {
    switch (event.name) {
      case "delivery":
        if (event.id !== id) return;
        output.event(deliveryEvent(event.to, id, event.state, event.at), undefined);
        if (event.state === "received") outcome.resolve(undefined);
        return;
      case "changed":
        if (!event.message.outgoing) return;
        output.event(ownChangeEvent(event.message, event.username, event.action), undefined);
        return;
      case "cancelled":
        output.event({ event: "cancelled", to: event.to, id: event.id }, undefined);
        return;
      case "unreachable": {
        if (!isSamePerson(event.username, to)) return;
        const problem = describeUnreachable(event.reason, event.username, texts, event.retryIn);
        const { reason, retryIn = Infinity } = event;
        if (reason === "server_limits" && retryIn + ATTEMPT_TIME <= deadline.left) {
          output.notice(`${problem.sentence} ${texts.limitWaitedOut}`);
          return;
        }
        // Without the server the peer could not be looked up, so its failure is the reason to report.
        const isForLackOfServer = serverProblem !== undefined && problem.exit === EXIT.notDelivered;
        outcome.resolve(isForLackOfServer ? serverProblem : problem);
        return;
      }
      case "peerError": {
        if (!isSamePerson(event.username, to)) return;
        const user = visibleText(event.username);
        if (event.code !== "storage_failed")
          output.notice(texts.peerToldError(user, visibleText(event.code)));
        else if (diskProblem === undefined) {
          const sentence = texts.peerStorageFailed(user);
          diskProblem = failure("notDelivered", "peer_storage_failed", sentence);
          output.notice(sentence);
        }
        return;
      }
      default:
        return;
    }
  };
  const send = async (account: Account): Promise<ExitCode> => {
    const { messenger } = account;
    id = put(messenger, to, content);
    messenger.commit();
    const user = () => visibleText(messenger.archive.nameOf(to));
    if (id === undefined) {
      output.notice(texts.cancelled(user()));
      return EXIT.done;
    }
    const isUnsentEdit = content.kind === "edit" && id === content.target;
    const what = isUnsentEdit ? texts.theMessage : subjectOf(content, texts);
    if (config.wait === "queued") {
      output.notice(texts.queued(what, user()));
      return EXIT.done;
    }
    const acknowledged = async (online: Promise<void>): Promise<Failure | undefined> => {
      try {
        await untilAborted(signal, online);
      } catch (error) {
        if (error instanceof InterruptedError) throw error;
        if (!isTransient(error)) return describeFailure(error, config);
        serverProblem = describeFailure(error, config);
      }
      return untilAborted(signal, outcome.promise).catch((error: unknown) => {
        if (!(error instanceof TimeoutError)) throw error;
        return diskProblem ?? failure("notDelivered", "not_acknowledged", texts.notAcknowledged(user()));
      });
    };
    const problem = await acknowledged(account.connect()).catch((error: unknown) => {
      if (error instanceof InterruptedError) output.notice(queuedSentence(account, to, what, texts));
      throw error;
    });
    if (problem === undefined) {
      output.notice(texts.received(user()));
      return EXIT.done;
    }
    const exit = output.failure(problem);
    output.notice(queuedSentence(account, to, what, texts, problem.code));
    return exit;
  };
  try {
    const command = content.kind === "text" ? "send" : content.kind;
    return await withAccount(context, command, send, onEvent);
  } catch (error) {
    // Thrown only when the account is opened, so nothing was queued yet.
    if (error instanceof ProfileLockedError) return deliverElsewhere(context, to, content, error);
    throw error;
  }
}
