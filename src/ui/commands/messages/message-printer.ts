/**
 * Prints the stored messages that were not printed yet, oldest first, in batches: one is read from the profile when
 * the one before was written, so that a slow reader leaves them on the disk. A message is marked as printed after it
 * was written.
 */
import { isDamage, isStorageFailure } from "../../../client/errors.ts";
import { messageJson, peerChangeJson } from "../../../client/event-json.ts";
import type { StoredGroup } from "../../../client/archive.ts";
import type { StoredMessage } from "../../../client/profile/stored-message.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { label as labelOf } from "../../../identity/names.ts";
import { jsonLine } from "../../../protocol/visible-text.ts";
import { describeFailure } from "../../failures.ts";
import { messageLine } from "../../format/message-format.ts";
import type { KnownNames } from "../../format/name-book.ts";
import { MAX_UNITS_AT_ONCE } from "../../format/wrapped-text.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

/** How long to wait for the last write when ending, in ms. */
const LAST_WRITE = 300;
/** Most messages printed in one write. */
const BATCH = 256;
/** About how many bytes a line has besides its text. */
const LINE_FRAME = 256;

type State =
  /** Nothing is printed before `begin`. */
  | { readonly name: "waiting" }
  | { readonly name: "idle" }
  | { readonly name: "printing" }
  /** The disk did not accept that this batch was printed; the next message tries that again. */
  | { readonly name: "unmarked"; readonly batch: readonly StoredMessage[] }
  | { readonly name: "stopped" };

type PrinterOptions = {
  readonly context: CommandContext;
  readonly account: SharedAccount;
  readonly names: KnownNames;
  /** Called with a failure of storage and with a fault of ours, after a write. */
  readonly failed: (error: unknown) => void;
  /** Called when everything that was stored is written. */
  readonly caughtUp: () => void;
};

export class MessagePrinter {
  readonly #options: PrinterOptions;
  #state: State = { name: "waiting" };
  /** The last write of messages, and marking them as printed. */
  #written: Promise<void> = Promise.resolve();
  /** `seq` of the last message that was written. */
  #newestWritten: number;
  /** `seq` of the last message that was stored before this began: a later one is printed, whoever else prints it. */
  #before: number;
  /** Somebody was accepted: their messages, stored before others that were written, can be printed now. */
  #isBehind = false;
  #stored = 0;

  /** @throws SQLiteError */
  constructor(options: PrinterOptions) {
    this.#options = options;
    const { archive } = options.account;
    this.#before = archive.lastSeq();
    this.#newestWritten = (archive.history.unprinted(1)[0]?.seq ?? this.#before + 1) - 1;
  }

  /** About how many bytes of messages have arrived while others were being written; they wait on the disk. */
  get stored(): number {
    return this.#stored;
  }

  /** @throws SQLiteError */
  begin(): void {
    this.#state = { name: "idle" };
    this.#print();
  }

  stop(): void {
    this.#state = { name: "stopped" };
  }

  /** Resolves when messages that were written are marked; a reader that does not read is not waited for. */
  async finished(): Promise<void> {
    await Promise.race([this.#written, Bun.sleep(LAST_WRITE)]);
  }

  /** A message was stored. @throws SQLiteError */
  arrived({ text }: StoredMessage): void {
    this.#stored += Buffer.byteLength(text) + LINE_FRAME;
    this.#print();
  }

  /** Somebody who had asked was accepted: the texts of their request are messages now. @throws SQLiteError */
  accepted(): void {
    this.#isBehind = true;
    this.#print();
  }

  /** A peer has changed a message. If it was not printed yet, it is printed later with the new text. */
  changed(message: StoredMessage, username: string): void {
    const { output } = this.#options.context;
    if (message.outgoing || message.seq > this.#newestWritten) return;
    // A request is shown as one.
    if (this.#options.account.archive.conversation(username)?.state === "request") return;
    void output.write(
      output.json ? jsonLine(peerChangeJson(message, username)) : this.#lineOf(message, username),
    );
  }

  /** @throws SQLiteError */
  #print(): void {
    const { context, account, failed } = this.#options;
    const { archive } = account;
    const { output, signal } = context;
    if (this.#state.name === "unmarked") this.#mark(this.#state.batch);
    if (this.#state.name !== "idle") return;
    if (this.#isBehind) this.#goBack();
    const batch = archive.history.arrived(this.#newestWritten, this.#before, BATCH, MAX_UNITS_AT_ONCE);
    let groups: readonly StoredGroup[] | undefined;
    const lines = batch
      .map((message) => {
        const chat = archive.usernameAt(message.contact);
        if (!output.json) return this.#lineOf(message, chat);
        if (!chat.startsWith("#")) return jsonLine(messageJson(message, chat));
        groups ??= archive.groups();
        const title = groups.find(({ group }) => chat === `#${group}`)?.title ?? "";
        return jsonLine(messageJson(message, message.author ?? "", { group: chat.slice(1), title }));
      })
      .join("");
    const last = batch.at(-1);
    if (last === undefined) {
      this.#caughtUp();
      return;
    }
    this.#state = { name: "printing" };
    this.#newestWritten = last.seq;
    this.#written = output
      .write(lines)
      .then((isRead) => {
        if (!isRead) return;
        this.#mark(batch);
        if (!signal.aborted) this.#print();
      })
      .catch((error: unknown) => {
        failed(error);
        // What was not printed yet is printed with the next message, which must be able to arrive.
        this.#caughtUp();
      });
  }

  /** Goes on with the first message that was not printed; of those that were written, none is again. @throws SQLiteError */
  #goBack(): void {
    const { history } = this.#options.account.archive;
    this.#isBehind = false;
    this.#before = Math.max(this.#before, this.#newestWritten);
    const first = history.unprinted(1)[0]?.seq ?? this.#newestWritten + 1;
    this.#newestWritten = Math.min(this.#newestWritten, first - 1);
  }

  /** Marks written messages as printed; a disk that is full does not end `listen`. @throws SQLiteError for damage */
  #mark(batch: readonly StoredMessage[]): void {
    const { context, account } = this.#options;
    const { config, output } = context;
    try {
      account.archive.history.markPrinted(batch.map(({ seq }) => seq));
    } catch (error) {
      if (isDamage(error) || !isStorageFailure(error)) throw error;
      if (this.#state.name === "stopped") return;
      if (this.#state.name === "printing") output.failure(describeFailure(error, config));
      this.#state = { name: "unmarked", batch };
      // The next message must be able to arrive.
      this.#caughtUp();
      return;
    }
    if (this.#state.name !== "stopped") this.#state = { name: "idle" };
  }

  #caughtUp(): void {
    this.#stored = 0;
    this.#options.caughtUp();
  }

  /** @param chat who wrote it, or `#` and the id of the group */
  #lineOf(message: StoredMessage, chat: string): string {
    const { context, account, names } = this.#options;
    const from = message.author ?? chat;
    names.add([{ username: from, label: labelOf(from) }]);
    return messageLine(message, from, {
      texts: textsIn(context.config.language),
      names: names.book,
      chat: chat === from ? undefined : chat,
      columns: context.output.columns,
      repliedTo: account.archive.repliedTo(message),
    });
  }
}
