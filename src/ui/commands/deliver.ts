/**
 * Delivers one message, or one change of a message, to a peer, or a message to several.
 *
 * 1. It is committed to the outbox before the network is touched.
 * 2. It is sent on a link to the peer; the peer's acknowledgement is success.
 * 3. If that fails it stays queued, and the person reads when it will be sent.
 */
import { randomUUIDv7 } from "bun";

import { withArchive } from "../../client/archive.ts";
import type { GroupCounts, MessengerEvent } from "../../client/conversation/events.ts";
import { ActionError, SelfError } from "../../client/errors.ts";
import { deliveryJson, ownChangeJson } from "../../client/event-json.ts";
import type { OutgoingContent } from "../../client/profile/stored-message.ts";
import type { SharedAccount } from "../../client/shared-account.ts";
import { isSamePerson } from "../../identity/names.ts";
import { EXIT, failure, InterruptedError, type ExitCode, type Failure } from "../failures.ts";
import { textsIn, type Texts } from "../texts/texts.ts";
import { AwaitedPeer } from "./awaited-peer.ts";
import { untilAborted, withAccount, type CommandContext } from "./online-account.ts";

type State =
  /** It is being queued. `early`: events of the account meanwhile, among them the first ones about it. */
  | { readonly name: "queueing"; readonly early: MessengerEvent[] }
  | { readonly name: "sending"; readonly id: string }
  /** An unsent message was cancelled, so nothing is sent. */
  | { readonly name: "cancelled" };

/** The beginning of a sentence about what is queued. */
function subjectOf({ kind }: OutgoingContent, texts: Texts): string {
  return kind === "text" ? texts.theMessage : texts.theChange;
}

/** When what is queued will be sent. @param code of the failure; undefined: there was none */
export function queuedSentence(what: string, user: string, texts: Texts, code?: string): string {
  switch (code) {
    case "peer_insecure":
      return texts.queuedWhileInsecure(what, user);
    case "peer_key_changed":
      return texts.queuedUntilAccepted(what, user);
    case "verification_needed":
      return texts.queuedUntilVerified(what, user);
    case "not_accepted":
      return texts.queuedUntilTaken(what, user);
    case "peer_storage_failed":
      return texts.queuedUntilRoom(what, user);
    case "no_meeting":
    case "cannot_meet":
    case "relay_off":
    case "relay_never":
      return texts.queuedUntilChanged(what, user);
    // Both are online, and yet it does not arrive.
    case "meeting_blocked":
    case "relay_full":
    case "no_way":
    case "peer_unreachable":
    case "peer_not_admitted":
    case "own_key_pending":
    case "peer_refused_greeting":
    case "peer_bad_greeting":
    case "peer_no_greeting":
    case "peer_line_broke":
    case "peer_busy":
    case "rate_limited":
    case "not_acknowledged":
      return texts.queuedAndTried(what, user);
    default:
      return texts.queued(what, user);
  }
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

/** Queues it. @returns the id of what will be sent; undefined: an unsent message was cancelled, so nothing will be. */
async function put(
  account: SharedAccount,
  to: string,
  content: OutgoingContent,
): Promise<string | undefined> {
  switch (content.kind) {
    case "text": {
      const { text, replyTo } = content;
      // With an id of ours it can be asked for again if the process that is online ends.
      const message_id = randomUUIDv7();
      await account.request("send", { to, text, message_id, ...(replyTo && { reply_to: replyTo }) });
      return message_id;
    }
    case "edit": {
      const { target, text } = content;
      // A message that was not sent yet is sent under its own id with the new text.
      return (await account.request("edit", { to, message_id: target, text })).action ?? target;
    }
    case "withdraw":
      return (await account.request("withdraw", { to, message_id: content.target })).action;
    default:
      return content satisfies never;
  }
}

/**
 * Runs `send`, `edit` or `withdraw`: ends when the peer has acknowledged, or with `--wait queued` when it is in
 * the outbox.
 * @param people their names as they were typed; each gets a message of its own
 * @returns the highest exit code of all
 * @throws as `SharedAccount.open`, ActionError, SelfError, SQLiteError, InterruptedError, TimeoutError
 */
export async function deliver(
  context: CommandContext,
  people: readonly string[],
  content: OutgoingContent,
): Promise<ExitCode> {
  for (const to of people) {
    const obstacle = await checkTarget(context, to, content);
    if (obstacle !== undefined) return context.output.failure(obstacle);
  }
  const deliveries = people.map((to) => new Delivery(context, to, content));
  return withAccount(
    context,
    content.kind === "text" ? "send" : content.kind,
    async (account) => {
      // Nothing is sent to anybody if one of them cannot be sent to.
      if (people.some((to) => isSamePerson(to, account.username))) throw new SelfError();
      const ids: (string | undefined)[] = [];
      for (const delivery of deliveries) ids.push(await delivery.queue(account));
      // One attempt for all: after a second one each would report another failure.
      let online: Promise<void> | undefined;
      const connect = () => (online ??= account.connect());
      const exits = await Promise.all(
        deliveries.map((each, index) => each.run(account, ids[index], connect)),
      );
      return Math.max(...exits) as ExitCode;
    },
    (event) => deliveries.forEach((delivery) => delivery.onEvent(event)),
  );
}

class Delivery {
  readonly #context: CommandContext;
  readonly #texts: Texts;
  readonly #to: string;
  readonly #content: OutgoingContent;
  readonly #peer: AwaitedPeer;
  #state: State = { name: "queueing", early: [] };
  /** How many of a group have it, as was said last. */
  #counts: GroupCounts | undefined;

  constructor(context: CommandContext, to: string, content: OutgoingContent) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    this.#to = to;
    this.#content = content;
    this.#peer = new AwaitedPeer(context, to);
  }

  /** Puts it into the outbox. @returns as `put` @throws as `deliver` */
  async queue(account: SharedAccount): Promise<string | undefined> {
    this.#peer.know(account);
    const id = await untilAborted(this.#context.signal, put(account, this.#to, this.#content));
    const early = this.#state.name === "queueing" ? this.#state.early : [];
    this.#state = id === undefined ? { name: "cancelled" } : { name: "sending", id };
    for (const event of early) this.onEvent(event);
    return id;
  }

  /** Sends what `queue` has put into the outbox. @param connect goes online @throws as `deliver` */
  async run(account: SharedAccount, id: string | undefined, connect: () => Promise<void>): Promise<ExitCode> {
    const { config, output } = this.#context;
    const texts = this.#texts;
    const peer = this.#peer;
    if (id === undefined) {
      output.notice(texts.cancelled(peer.shown));
      return EXIT.done;
    }
    const isUnsentEdit = this.#content.kind === "edit" && id === this.#content.target;
    const what = isUnsentEdit ? texts.theMessage : subjectOf(this.#content, texts);
    if (config.wait === "queued") {
      output.notice(this.#queuedSentence(account, what));
      if (peer.isStranger) output.notice(texts.neverAnswered(peer.shown));
      return EXIT.done;
    }
    const problem = await peer.awaited(account, connect).catch((error: unknown) => {
      if (error instanceof InterruptedError) output.notice(this.#queuedSentence(account, what));
      throw error;
    });
    if (problem === undefined) {
      const isText = this.#content.kind === "text";
      output.notice(this.#doneSentence(texts[isText ? "received" : "changed"](peer.shown)));
      return EXIT.done;
    }
    const exit = output.failure({ ...problem, to: peer.username });
    output.notice(this.#queuedSentence(account, what, problem.code));
    return exit;
  }

  onEvent(event: MessengerEvent): void {
    const { config, output } = this.#context;
    const state = this.#state;
    if (state.name === "queueing") {
      state.early.push(event);
      return;
    }
    // Other processes of this account may send and change messages too.
    const id = "id" in state ? state.id : undefined;
    const target = this.#content.kind === "text" ? undefined : this.#content.target;
    switch (event.name) {
      case "delivery":
        // What another process goes on to do with it is not waited for.
        if (event.id !== id || (config.wait === "queued" && event.state !== "queued")) return;
        output.event(deliveryJson(event.to, event.id, event.state, event.at, event.counts), undefined);
        this.#counts = event.counts ?? this.#counts;
        if (event.state === "received" || event.state === "read") this.#peer.resolve();
        return;
      case "changed":
        if (event.message.id !== target || (event.action ?? target) !== id) return;
        output.event(ownChangeJson(event.message, event.username, event.action), undefined);
        return;
      case "cancelled":
        if (event.id === target) output.event({ event: "cancelled", to: event.to, id: event.id }, undefined);
        return;
      default:
        this.#peer.onEvent(event);
    }
  }

  #doneSentence(sentence: string): string {
    if (this.#counts === undefined) return sentence;
    const { received, read, of } = this.#counts;
    return `${this.#peer.shown}: ${this.#texts.groupMark(received, read, of)}`;
  }

  /** Whether it is still queued, and when it will be sent. @param code of the failure, if there was one */
  #queuedSentence(account: SharedAccount, what: string, code?: string): string {
    if (account.isRemoved) return this.#texts.notKept;
    const { isGroup, shown } = this.#peer;
    if (!isGroup) return queuedSentence(what, shown, this.#texts, code);
    // Without a failure nobody was looked for; somebody may be online, and yet not have it in time.
    const isTold = code !== undefined && code !== "not_acknowledged";
    return this.#texts[isTold ? "groupQueued" : "groupQueuedFor"](what, shown);
  }
}
