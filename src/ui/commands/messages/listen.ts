/**
 * `listen`: stays online and prints what arrives until interrupted. `ready` comes first, then what was
 * stored and not yet printed; a message is marked as printed after it was written.
 */
import type { Account } from "../../../client/accounts.ts";
import type { Archive } from "../../../client/archive.ts";
import type { MessengerEvent } from "../../../client/conversation/events.ts";
import { FileMovedError, isDamage, isStorageFailure } from "../../../client/errors.ts";
import type { Messenger } from "../../../client/messenger.ts";
import type { StoredMessage } from "../../../client/profile/stored-message.ts";
import { label as labelOf } from "../../../identity/names.ts";
import { jsonLine } from "../../../protocol/json-line.ts";
import { quotedText } from "../../../protocol/quoted-text.ts";
import { isDiskNoticeDue, isPeerErrorDue } from "../../chat/notices.ts";
import {
  describeFailure,
  EXIT,
  failure,
  InterruptedError,
  typedName,
  type ExitCode,
} from "../../failures.ts";
import {
  deliveryEvent,
  isoTime,
  messageEvent,
  messageLine,
  peerChangeEvent,
} from "../../format/message-format.ts";
import { KnownNames, namesKnownTo, shownName } from "../../format/name-book.ts";
import { isLimiting, linksWithoutServer, serverAway } from "../../format/server-words.ts";
import { MAX_UNITS_AT_ONCE } from "../../format/wrapped-text.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";

/** How long to wait for the last write when ending, in ms. */
const LAST_WRITE = 300;
/** Most messages printed in one write. */
const BATCH = 256;
/**
 * Codes that are not reported as a refused connection: it ended by itself before the peer was proven, or its key waits
 * for the person's decision, of which `keyPending` warns.
 */
const NOT_REPORTED = /^(?:E(?!RR_)[A-Z]+|closed.*|.*timeout|stopped|key_pending)$/;

type State =
  /** The account is being opened, or cannot be reached yet: nothing is printed. */
  | { readonly name: "starting" }
  | { readonly name: "idle" }
  | { readonly name: "printing" }
  /** The disk did not accept that this batch was printed; the next message tries that again. */
  | { readonly name: "unmarked"; readonly batch: readonly StoredMessage[] }
  /** It cannot continue, for example because the profile is damaged. */
  | { readonly name: "failed" };

/** The last notice about the server; none: it is online, or nothing was printed about it. */
type ServerNotice = "none" | "lost" | "limited";

export async function listen(context: CommandContext): Promise<ExitCode> {
  const listening = new Listening(context);
  try {
    return await withAccount(
      context,
      "listen",
      (account) => listening.run(account),
      (event) => listening.onEvent(event),
    );
  } catch (error) {
    // Closing the account throws for the same damage again.
    if (listening.hasFailed && isDamage(error)) return listening.ended;
    throw error;
  }
}

class Listening {
  readonly #context: CommandContext;
  readonly #texts: Texts;
  readonly #end = Promise.withResolvers<ExitCode>();
  /** Undefined while the account is being opened. */
  #messenger: Messenger | undefined;
  #state: State = { name: "starting" };
  /** The last write of messages, and marking them as printed. */
  #written: Promise<void> = Promise.resolve();
  /** `seq` of the last message that was written. */
  #newestWritten = 0;
  #notice: ServerNotice = "none";
  /** Those of the account, once it is open, and everybody seen since. */
  #names = new KnownNames();
  /** Peers whose full disk was reported and who have acknowledged nothing since. */
  readonly #fullDisks = new Set<string>();
  /** When a failure of this disk was last printed, ms since 1970. */
  #diskFailedAt: number | undefined;
  /** When another error of a peer was last printed, ms since 1970. */
  #peerErrorAt: number | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    context.output.whenClosed(() => this.#end.resolve(EXIT.done));
  }

  get hasFailed(): boolean {
    return this.#state.name === "failed";
  }

  /** The exit code, once there is one. */
  get ended(): Promise<ExitCode> {
    return this.#end.promise;
  }

  /** Runs until the person interrupts, the output is closed, or it cannot continue. @throws as `Account.connect` */
  async run(account: Account): Promise<ExitCode> {
    const { config, output, signal } = this.#context;
    const { messenger } = account;
    const { archive } = messenger;
    this.#messenger = messenger;
    this.#names = namesKnownTo(archive);
    try {
      this.#newestWritten = (archive.history.unprinted(1)[0]?.seq ?? archive.lastSeq() + 1) - 1;
      const problem = await untilAborted(signal, account.connectOrWait());
      if (problem !== undefined) {
        output.notice(describeFailure(problem, config).sentence);
        // Peers who know our address can reach us while our certificate is valid.
        if (messenger.canBeReached) {
          this.#becomeReady(messenger, this.#texts.readyWithoutServer);
          output.notice(linksWithoutServer(messenger.linksUntil, Date.now(), this.#texts));
        }
      }
      account.keepOnline(problem);
      return await untilAborted(signal, this.ended).catch((error: unknown) => {
        if (error instanceof InterruptedError) return EXIT.done;
        throw error;
      });
    } finally {
      // Messages are marked as printed before the profile is closed; a reader that does not read is not waited for.
      await Promise.race([this.#written, Bun.sleep(LAST_WRITE)]);
    }
  }

  onEvent(event: MessengerEvent): void {
    const { output } = this.#context;
    const texts = this.#texts;
    switch (event.name) {
      case "message":
        this.#print();
        return;
      case "delivery":
        output.event(deliveryEvent(event.to, event.id, event.state, event.at), undefined);
        if (event.state === "received") this.#fullDisks.delete(event.to);
        return;
      case "changed":
        this.#onChange(event.username, event.message);
        return;
      case "silent":
        output.event({ event: "silent", username: event.username, since: isoTime(event.since) }, undefined);
        return;
      case "disconnected":
        if (event.revoked === true) output.notice(texts.peerRevoked(this.#shown(event.username)));
        return;
      case "presence": {
        const { username, online } = event;
        const user = this.#shown(username);
        const sentence = online ? texts.presenceOnline(user) : texts.presenceOffline(user);
        output.event({ event: "presence", username, online }, sentence);
        return;
      }
      case "server":
        this.#onServer(event);
        return;
      case "keyPending": {
        const { username, fingerprint } = event;
        output.event({ event: "key_changed", username, fingerprint }, undefined);
        output.notice(texts.peerKeyPending(this.#shown(username), typedName(username, texts)));
        return;
      }
      case "storageFailed":
        this.#onStorageFailure(event.error);
        return;
      case "peerError":
        this.#onPeerError(event.username, event.code);
        return;
      case "refusal":
        if (!NOT_REPORTED.test(event.code))
          output.notice(texts.refusedConnection(quotedText(event.address), quotedText(event.code)));
        return;
      default:
        return;
    }
  }

  /**
   * A file that is damaged, or is not in its place any more, ends `listen`, since every further event would meet it; a
   * disk that is full or cannot be read does not.
   */
  #onStorageFailure(error: Error): void {
    const now = Date.now();
    if (isDamage(error) || error instanceof FileMovedError) this.#fail(error);
    else if (isDiskNoticeDue(this.#diskFailedAt, now)) {
      this.#diskFailedAt = now;
      const sentence = this.#texts.storageFailed(quotedText(error.message));
      this.#context.output.failure(failure("other", "storage_failed", sentence));
    }
  }

  /** A peer has changed a message. If it was not printed yet, it is printed later with the new text. */
  #onChange(username: string, message: StoredMessage): void {
    const { output } = this.#context;
    if (message.outgoing || message.seq > this.#newestWritten || this.#messenger === undefined) return;
    const { archive } = this.#messenger;
    const change = peerChangeEvent(message, username);
    void output.write(output.json ? jsonLine(change) : this.#lineOf(message, username, archive));
  }

  #onPeerError(username: string, code: string): void {
    const { output } = this.#context;
    const user = this.#shown(username);
    if (code !== "storage_failed") {
      if (!isPeerErrorDue(this.#peerErrorAt, Date.now())) return;
      this.#peerErrorAt = Date.now();
      output.notice(this.#texts.peerToldError(user, code));
      return;
    }
    // The error comes with every attempt, and is printed once.
    if (!this.#fullDisks.has(username)) output.notice(this.#texts.peerStorageFailed(user));
    this.#fullDisks.add(username);
  }

  #onServer({ state, linksUntil }: MessengerEvent & { name: "server" }): void {
    const { output } = this.#context;
    const texts = this.#texts;
    switch (state.name) {
      case "waiting": {
        const notice = isLimiting(state) ? "limited" : "lost";
        const isNew = this.#notice === "none" || (this.#notice === "lost" && notice === "limited");
        if (!isNew) return;
        this.#notice = notice;
        if (this.#state.name === "starting") return;
        const now = Date.now();
        output.notice(`${serverAway(state, now, texts)} ${linksWithoutServer(linksUntil, now, texts)}`);
        return;
      }
      case "online":
        if (this.#notice !== "none") output.notice(texts.serverBack);
        this.#notice = "none";
        if (this.#messenger !== undefined) this.#becomeReady(this.#messenger, texts.ready);
        return;
      case "stopped":
        this.#fail(state.why);
        return;
      case "offline":
      case "connecting":
        return;
      default:
        state satisfies never;
    }
  }

  /** Ends `listen` with this error, which is printed once. */
  #fail(error: unknown): void {
    if (this.hasFailed) return;
    const { config, output } = this.#context;
    this.#state = { name: "failed" };
    this.#messenger?.archive.noteDamage(error);
    this.#end.resolve(output.failure(describeFailure(error, config)));
  }

  #becomeReady({ username, p2pPort }: Messenger, sentence: Texts["ready"]): void {
    if (this.#state.name !== "starting") return;
    this.#state = { name: "idle" };
    this.#context.output.event(
      { event: "ready", username, p2p_port: p2pPort },
      sentence(this.#shown(username), p2pPort),
    );
    this.#print();
  }

  /** Writes the messages that were not printed yet, oldest first, in batches. @throws SQLiteError */
  #print(): void {
    const { output, signal } = this.#context;
    const messenger = this.#messenger;
    if (messenger === undefined) return;
    const { archive } = messenger;
    if (this.#state.name === "unmarked") this.#mark(this.#state.batch, messenger);
    if (this.#state.name !== "idle") return;
    const batch = printedAtOnce(archive.history.unprinted(BATCH));
    const lines = batch
      .map((message) => {
        const from = archive.usernameAt(message.contact);
        return output.json ? messageEvent(message, from) : this.#lineOf(message, from, archive);
      })
      .join("");
    const last = batch.at(-1);
    if (last === undefined) return;
    this.#state = { name: "printing" };
    this.#newestWritten = last.seq;
    this.#written = output
      .write(lines)
      .then((isRead) => {
        if (!isRead) return;
        this.#mark(batch, messenger);
        if (!signal.aborted) this.#print();
      })
      // What was not printed yet is printed with the next message.
      .catch((error: unknown) =>
        isStorageFailure(error) ? this.#onStorageFailure(error) : this.#fail(error),
      );
  }

  /** Marks written messages as printed; a disk that is full does not end `listen`. @throws SQLiteError for damage */
  #mark(batch: readonly StoredMessage[], messenger: Messenger): void {
    const { config, output } = this.#context;
    try {
      messenger.archive.history.markPrinted(batch.map(({ seq }) => seq));
      // Only on a terminal can we assume that a person has read it.
      if (output.columns !== undefined) markRead(messenger, batch);
    } catch (error) {
      if (isDamage(error) || !isStorageFailure(error)) throw error;
      if (this.#state.name === "printing") output.failure(describeFailure(error, config));
      this.#state = { name: "unmarked", batch };
      return;
    }
    if (this.#state.name !== "failed") this.#state = { name: "idle" };
  }

  /** The name as shown beside all others that were seen. */
  #shown(username: string): string {
    this.#names.add([{ username, label: labelOf(username) }]);
    return shownName(this.#names.book, username);
  }

  #lineOf(message: StoredMessage, from: string, archive: Archive): string {
    this.#names.add([{ username: from, label: labelOf(from) }]);
    const { columns } = this.#context.output;
    return messageLine(message, from, {
      texts: this.#texts,
      names: this.#names.book,
      columns,
      repliedTo: archive.repliedTo(message),
    });
  }
}

/** The first of these messages, as many as can be laid out at once. */
function printedAtOnce(messages: readonly StoredMessage[]): readonly StoredMessage[] {
  let units = 0;
  const end = messages.findIndex(({ text }) => (units += text.length) > MAX_UNITS_AT_ONCE);
  return end === -1 ? messages : messages.slice(0, end);
}

/** Marks messages as read, and notifies their authors. */
function markRead(messenger: Messenger, batch: readonly StoredMessage[]): void {
  const newest = new Map(batch.map(({ contact, seq }) => [contact, seq]));
  for (const [contact, seq] of newest) messenger.markRead(messenger.archive.usernameAt(contact), seq);
}
