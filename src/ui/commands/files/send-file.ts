/**
 * `send-file USER PATH…`: offers files and folders to a person, and ends when they have them; or files to all of a group,
 * and ends when one of them has the offers.
 *
 * 1. Each is offered. The offers are on this disk before the network is touched.
 * 2. The person accepts, or their `listen --accept-files` does, and the bytes go.
 * 3. What is cut, by Ctrl-C too, goes on by itself when both are online again; standard input does not.
 */
import { basename } from "node:path";

import { randomUUIDv7 } from "bun";

import type { MessengerEvent, SharedFile } from "../../../client/conversation/events.ts";
import { SelfError, TransferError } from "../../../client/errors.ts";
import { deliveryJson } from "../../../client/event-json.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { isSamePerson } from "../../../identity/names.ts";
import {
  EXIT,
  failure,
  InterruptedError,
  transferFailure,
  type ExitCode,
  type Failure,
} from "../../failures.ts";
import { isLongToCount } from "../../chat/files/file-effects.ts";
import { sentenceOf } from "../../chat/files/file-sentence.ts";
import { fileName, leftOutSentence } from "../../format/file-words.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { AwaitedPeer } from "../awaited-peer.ts";
import { queuedSentence } from "../deliver.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";
import { Cuts, ProgressDisplay } from "../progress.ts";
import { readPeople } from "../user-argument.ts";
import { placeOf, readSources, type SourceArgument } from "./sources.ts";

/** How long the other side may take to hear that standard input has ended early, in ms. */
const FAREWELL = 500;

/** @throws UsageError, SelfError, and as `withAccount` */
export async function sendFile(context: CommandContext): Promise<ExitCode> {
  const [typed = "", ...paths] = context.args;
  const [to = typed] = typed.startsWith("#") ? [typed] : await readPeople(typed, false, context.config);
  const sending = new FileSending(context, to, readSources(context, paths, to.startsWith("#")));
  return withAccount(
    context,
    "send-file",
    (account) => sending.run(account),
    (event) => sending.onEvent(event),
  );
}

class FileSending {
  readonly #context: CommandContext;
  readonly #texts: Texts;
  readonly #to: string;
  readonly #sources: readonly SourceArgument[];
  readonly #peer: AwaitedPeer;
  readonly #display: ProgressDisplay;
  readonly #cuts: Cuts;
  /** The source of each transfer that was asked for, by its id. */
  readonly #asked = new Map<string, SourceArgument>();
  /** What has become of them, by id. */
  readonly #files = new Map<string, SharedFile>();
  /** Of a group: those of which somebody has the offer. */
  readonly #arrived = new Set<string>();
  #areAllOffered = false;
  #exit: ExitCode = EXIT.done;

  constructor(context: CommandContext, to: string, sources: readonly SourceArgument[]) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    this.#to = to;
    this.#sources = sources;
    this.#peer = new AwaitedPeer(context, to);
    this.#display = new ProgressDisplay(context.output, this.#texts);
    this.#cuts = new Cuts((file) => context.output.notice(this.#sentence(file)));
  }

  /** @throws SelfError, InterruptedError, and as the requests */
  async run(account: SharedAccount): Promise<ExitCode> {
    const { config, output } = this.#context;
    const texts = this.#texts;
    const peer = this.#peer;
    if (isSamePerson(this.#to, account.username)) throw new SelfError();
    peer.know(account);
    try {
      for (const source of this.#sources) await this.#offer(account, source);
      this.#areAllOffered = true;
      if (config.wait === "queued") {
        const queued = peer.isGroup ? texts.groupQueuedFor : texts.queued;
        if (this.#isOpen) output.notice(queued(texts.theOffer, peer.shown));
        return this.#exit;
      }
      if (!this.#isOpen) return this.#exit;
      const problem = await peer.awaited(account, async () => {
        await account.connect();
        // A transfer may outlast the link to the server.
        await account.stayOnline();
      });
      if (this.#arrived.size > 0) output.notice(texts.groupFileArrived);
      if (problem === undefined) return this.#exit;
      await this.#lookAgain(account);
      if (!this.#isOpen) return this.#exit;
      await this.#giveUpPipes(account);
      this.#fail(output.failure({ ...problem, to: peer.username }));
      if (this.#isOpen) output.notice(this.#openSentence(account, problem.code));
      return this.#exit;
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
      await this.#giveUpPipes(account);
      if (this.#isOpen) output.notice(this.#openSentence(account, undefined));
      throw error;
    } finally {
      this.#display.end();
      this.#cuts.end();
    }
  }

  /** What cannot be read is named, and the others are offered. @throws as the request, but for TransferError */
  async #offer(account: SharedAccount, source: SourceArgument): Promise<void> {
    const { config, output, signal } = this.#context;
    // With an id of ours it can be asked for again if the process that is online ends.
    const transfer = randomUUIDv7();
    this.#asked.set(transfer, source);
    try {
      const place = await placeOf(source, account, this.#texts);
      if (isLongToCount(this.#to, place.path))
        output.notice(this.#texts.fileCounting(fileName(basename(place.path))));
      const request = { to: this.#to, ...place, sha256: config.sha256, transfer };
      const { file, left_out } = await untilAborted(signal, account.request("send_file", request));
      if (left_out !== null) output.notice(leftOutSentence(file.name, left_out, this.#texts));
      // An event has told it already, unless the process that is online has changed.
      if (!this.#files.has(transfer)) this.#onFile(file);
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      const problem = transferFailure(error, this.#peer.shown, this.#texts);
      const sentence = this.#texts.fileAbout(fileName(source.typed), problem.sentence);
      this.#fail(output.failure({ ...problem, sentence, to: this.#peer.username }));
    }
  }

  #fail(exit: ExitCode): void {
    this.#exit = Math.max(this.#exit, exit) as ExitCode;
  }

  onEvent(event: MessengerEvent): void {
    if (event.name === "file") {
      if (this.#asked.has(event.file.id)) this.#onFile(event.file);
      return;
    }
    if (event.name === "delivery" && this.#peer.isGroup) {
      this.#onDelivery(event);
      return;
    }
    // Once they have accepted, a lost link is a pause.
    const isAccepted = [...this.#files.values()].some(
      ({ state }) => !["offered", "declined"].includes(state),
    );
    if (event.name !== "unreachable" || !isAccepted) this.#peer.onEvent(event);
  }

  /** Of a group: the text that offers a file has reached somebody. */
  #onDelivery({ id, to, state, at, counts }: MessengerEvent & { name: "delivery" }): void {
    if (!this.#asked.has(id)) return;
    this.#context.output.event(deliveryJson(to, id, state, at, counts), undefined);
    if (state !== "received" && state !== "read") return;
    this.#arrived.add(id);
    if (this.#areAllOffered && !this.#isOpen) this.#peer.resolve();
  }

  get #open(): readonly SharedFile[] {
    return [...this.#files.values()].filter((file) => isOpen(file) && !this.#arrived.has(file.id));
  }

  get #isOpen(): boolean {
    return this.#open.length > 0;
  }

  #sentence(file: SharedFile): string {
    return sentenceOf(file, () => this.#peer.shown, this.#texts);
  }

  #onFile(file: SharedFile): void {
    const { config, deadline, output } = this.#context;
    const before = this.#files.get(file.id);
    if (before !== undefined && !isOpen(before)) return;
    this.#files.set(file.id, file);
    output.event({ event: "file", ...file }, undefined);
    if (config.wait === "queued") return;
    deadline.renew();
    this.#display.take(file);
    this.#cuts.take(file);
    this.#tell(file, before);
    if (this.#areAllOffered && !this.#isOpen) this.#peer.resolve();
  }

  /** Prints what a person should know of a change. */
  #tell(file: SharedFile, before: SharedFile | undefined): void {
    const { output } = this.#context;
    const user = this.#peer.shown;
    const isNew = file.state !== before?.state || file.reason !== before.reason;
    switch (file.state) {
      case "running":
        this.#tellTenth(user);
        return;
      case "accepted":
        return;
      case "offered":
      case "paused":
        if (isNew) output.notice(this.#sentence(file));
        return;
      case "done":
        output.notice(this.#sentence(file));
        this.#tellTenth(user);
        return;
      case "declined":
      case "cancelled":
      case "failed":
        this.#fail(output.failure({ ...endedFailure(file, this.#sentence(file)), to: file.peer }));
        return;
      default:
        file.state satisfies never;
    }
  }

  /** In a pipe: how far all of them are, once that is known. */
  #tellTenth(user: string): void {
    const { output } = this.#context;
    if (!this.#areAllOffered || output.statusColumns !== undefined || output.json) return;
    const tenth = this.#display.progress.nextTenth(user, this.#texts);
    if (tenth !== undefined) output.notice(tenth);
  }

  /** What ended with the process that had the account online may have been told to nobody. */
  async #lookAgain(account: SharedAccount): Promise<void> {
    if (account.isRemoved) return;
    const { files } = await account.request("files", {});
    for (const file of files.filter(({ id }) => isOpen(this.#files.get(id))))
      if (!isOpen(file)) this.#onFile(file);
  }

  /** What is read from standard input ends with this command, whoever has the account online. */
  async #giveUpPipes(account: SharedAccount): Promise<void> {
    const pipes = [...this.#asked].filter(
      ([id, { kind }]) => kind === "stdin" && isOpen(this.#files.get(id)),
    );
    const stopped = pipes.map(([transfer]) => account.request("stop_file", { transfer }));
    await Promise.race([Promise.allSettled(stopped), Bun.sleep(FAREWELL)]);
  }

  /** What becomes of that which they do not have yet. @param code of the failure; undefined: there was none */
  #openSentence(account: SharedAccount, code: string | undefined): string {
    const texts = this.#texts;
    if (account.isRemoved) return texts.notKept;
    const user = this.#peer.shown;
    const states = this.#open.map(({ state }) => state);
    if (this.#peer.isGroup) return texts.groupQueued(texts.theOffer, user);
    if (states.some((state) => state !== "offered")) return texts.fileGoesOn(user);
    if (code === undefined || code === "not_acknowledged") return texts.offerStands(user);
    return queuedSentence(texts.theOffer, user, texts, code);
  }
}

function isOpen(file: SharedFile | undefined): boolean {
  return file !== undefined && ["offered", "accepted", "running", "paused"].includes(file.state);
}

/** Of a transfer that has ended, and was not done. */
function endedFailure(file: SharedFile, sentence: string): Failure {
  const code = file.reason ?? file.state;
  if (code === "key_changed") return failure("notProven", code, sentence);
  const isRefused = file.state !== "failed" || code === "not_supported";
  return failure(isRefused ? "refused" : "other", code, sentence);
}
