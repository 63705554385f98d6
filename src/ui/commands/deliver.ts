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
import { withArchive, type Archive } from "../../client/archive.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { AccountError, ActionError, isTransient, ProfileLockedError } from "../../client/errors.ts";
import { queueWhileLocked, type Queued } from "../../client/local-accounts.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { OutgoingContent } from "../../client/profile/stored-message.ts";
import { isSamePerson } from "../../identity/names.ts";
import { quotedName } from "../../protocol/quoted-text.ts";
import { isPeerErrorDue } from "../chat/notices.ts";
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
import { namesKnownTo, shownName, type NameBook } from "../format/name-book.ts";
import { textsIn, type Texts } from "../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "./online-account.ts";

/** Time that the attempt after a server's limit needs, in ms; with less left, the command does not wait for it. */
const ATTEMPT_TIME = 2_000;

type State =
  /** The account is being opened: nothing is queued. */
  | { readonly name: "opening" }
  | { readonly name: "sending"; readonly id: string }
  /** The server was not reached, so only a peer whose address is known can be sent to. */
  | { readonly name: "withoutServer"; readonly id: string; readonly problem: Failure };

/** The beginning of a sentence about what is queued. */
function subjectOf({ kind }: OutgoingContent, texts: Texts): string {
  return kind === "text" ? texts.theMessage : texts.theChange;
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

/** Whether nobody has ever answered to this name here, so that it may be misspelt. */
function isStranger(archive: Archive, name: string): boolean {
  return archive.conversation(name)?.isStranger !== false;
}

/** Puts it into the outbox of an account that another process has online. */
async function deliverElsewhere(
  context: CommandContext,
  typed: string,
  content: OutgoingContent,
  locked: ProfileLockedError,
): Promise<ExitCode> {
  const { config, output } = context;
  const texts = textsIn(config.language);
  const { to, id, changed } = queued(context, typed, content, locked);
  if (changed !== undefined) output.event(ownChangeEvent(changed, to, id), undefined);
  if (content.kind === "withdraw" && id === undefined) {
    output.event({ event: "cancelled", to, id: content.target }, undefined);
    output.notice(texts.cancelled(quotedName(to)));
    return EXIT.done;
  }
  if (id !== undefined) output.event(deliveryEvent(to, id, "queued", Date.now()), undefined);
  const problem = describeFailure(locked, config);
  if (config.wait === "received") output.failure(problem);
  const what = id === undefined ? texts.theMessage : subjectOf(content, texts);
  output.notice(texts.queuedElsewhere(what, quotedName(to)));
  if (await withArchive(config, (archive) => isStranger(archive, to)))
    output.notice(texts.neverAnswered(quotedName(to)));
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
  const obstacle = await checkTarget(context, to, content);
  if (obstacle !== undefined) return context.output.failure(obstacle);
  const delivery = new Delivery(context, to, content);
  try {
    return await withAccount(
      context,
      content.kind === "text" ? "send" : content.kind,
      (account) => delivery.run(account),
      (event) => delivery.onEvent(event),
    );
  } catch (error) {
    // Thrown only when the account is opened, so nothing was queued yet.
    if (error instanceof ProfileLockedError) return deliverElsewhere(context, to, content, error);
    throw error;
  }
}

class Delivery {
  readonly #context: CommandContext;
  readonly #texts: Texts;
  readonly #to: string;
  readonly #content: OutgoingContent;
  /** Undefined: the peer has acknowledged. */
  readonly #outcome = Promise.withResolvers<Failure | undefined>();
  #state: State = { name: "opening" };
  #names: NameBook = new Map();
  #isStranger = false;
  /** The peer's full disk, once it was reported: the reason if the peer does not acknowledge in time. */
  #fullDisk: Failure | undefined;
  /** A failure of this disk was printed. */
  #hasStorageFailed = false;
  /** When another error of the peer was last printed, ms since 1970. */
  #peerErrorAt: number | undefined;

  constructor(context: CommandContext, to: string, content: OutgoingContent) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    this.#to = to;
    this.#content = content;
  }

  /** Queues and sends it. @throws as `deliver` */
  async run(account: Account): Promise<ExitCode> {
    const { config, output } = this.#context;
    const texts = this.#texts;
    const { messenger } = account;
    this.#names = namesKnownTo(messenger.archive, [messenger.archive.nameOf(this.#to)]).book;
    this.#isStranger = isStranger(messenger.archive, this.#to);
    const id = put(messenger, this.#to, this.#content);
    if (id !== undefined) this.#state = { name: "sending", id };
    messenger.commit();
    if (id === undefined) {
      output.notice(texts.cancelled(this.#userIn(account)));
      return EXIT.done;
    }
    const isUnsentEdit = this.#content.kind === "edit" && id === this.#content.target;
    const what = isUnsentEdit ? texts.theMessage : subjectOf(this.#content, texts);
    if (config.wait === "queued") {
      output.notice(texts.queued(what, this.#userIn(account)));
      if (this.#isStranger) output.notice(texts.neverAnswered(this.#userIn(account)));
      return EXIT.done;
    }
    const problem = await this.#acknowledged(account, id).catch((error: unknown) => {
      if (error instanceof InterruptedError) output.notice(this.#queuedSentence(account, what));
      throw error;
    });
    if (problem === undefined) {
      output.notice(texts.received(this.#userIn(account)));
      return EXIT.done;
    }
    const exit = output.failure(problem);
    output.notice(this.#queuedSentence(account, what, problem.code));
    return exit;
  }

  onEvent(event: MessengerEvent): void {
    const { config, output } = this.#context;
    switch (event.name) {
      case "delivery":
        if (this.#state.name === "opening" || event.id !== this.#state.id) return;
        output.event(deliveryEvent(event.to, event.id, event.state, event.at), undefined);
        if (event.state === "received") this.#outcome.resolve(undefined);
        return;
      case "changed":
        if (!event.message.outgoing) return;
        output.event(ownChangeEvent(event.message, event.username, event.action), undefined);
        return;
      case "cancelled":
        output.event({ event: "cancelled", to: event.to, id: event.id }, undefined);
        return;
      case "unreachable":
        if (isSamePerson(event.username, this.#to)) this.#onUnreachable(event);
        return;
      case "storageFailed":
        // It comes with every attempt, and is printed once.
        if (!this.#hasStorageFailed) output.notice(describeFailure(event.error, config).sentence);
        this.#hasStorageFailed = true;
        return;
      case "peerError":
        if (isSamePerson(event.username, this.#to)) this.#onPeerError(event.username, event.code);
        return;
      default:
        return;
    }
  }

  #onUnreachable({ username, reason, retryIn }: MessengerEvent & { name: "unreachable" }): void {
    const { output, deadline } = this.#context;
    const isPerhapsNobody = reason === "offline" && this.#isStranger;
    const problem = isPerhapsNobody
      ? failure("notDelivered", "user_offline", this.#texts.perhapsNobody(shownName(this.#names, username)))
      : describeUnreachable(reason, username, this.#names, this.#texts, retryIn);
    if (reason === "server_limits" && (retryIn ?? Infinity) + ATTEMPT_TIME <= deadline.left) {
      output.notice(`${problem.sentence} ${this.#texts.limitWaitedOut}`);
      return;
    }
    // Without the server the peer could not be looked up, so its failure is the reason to report.
    const state = this.#state;
    const isForLackOfServer = state.name === "withoutServer" && problem.exit === EXIT.notDelivered;
    this.#outcome.resolve(isForLackOfServer ? state.problem : problem);
  }

  #onPeerError(username: string, code: string): void {
    const { output } = this.#context;
    const user = shownName(this.#names, username);
    if (code !== "storage_failed") {
      if (!isPeerErrorDue(this.#peerErrorAt, Date.now())) return;
      this.#peerErrorAt = Date.now();
      output.notice(this.#texts.peerToldError(user, code));
      return;
    }
    // The error comes with every attempt, and is printed once.
    if (this.#fullDisk !== undefined) return;
    this.#fullDisk = failure("notDelivered", "peer_storage_failed", this.#texts.peerStorageFailed(user));
    output.notice(this.#fullDisk.sentence);
  }

  /** Goes online until the peer acknowledges. @returns why it has not, if so. @throws InterruptedError */
  async #acknowledged(account: Account, id: string): Promise<Failure | undefined> {
    const { config, signal } = this.#context;
    try {
      await untilAborted(signal, account.connect());
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      const problem = describeFailure(error, config);
      if (!isTransient(error)) return problem;
      this.#state = { name: "withoutServer", id, problem };
    }
    return untilAborted(signal, this.#outcome.promise).catch((error: unknown) => {
      if (!(error instanceof TimeoutError)) throw error;
      if (this.#fullDisk !== undefined) return this.#fullDisk;
      const sentence = this.#texts.notAcknowledged(this.#userIn(account));
      return failure("notDelivered", "not_acknowledged", sentence);
    });
  }

  /** Whether it is still queued after a failure, and when it will be sent. @param code of the failure */
  #queuedSentence(account: Account, what: string, code?: string): string {
    if (account.isRemoved) return this.#texts.notKept;
    const user = this.#userIn(account);
    if (code === "peer_insecure") return this.#texts.queuedWhileInsecure(what, user);
    const { queued, queuedUntilAccepted } = this.#texts;
    return code === "peer_key_changed" ? queuedUntilAccepted(what, user) : queued(what, user);
  }

  /** The peer's name as shown: the registered spelling once it is known. */
  #userIn({ messenger }: Account): string {
    return shownName(this.#names, messenger.archive.nameOf(this.#to));
  }
}
