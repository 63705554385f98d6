/**
 * One transfer that is accepted, in this process, from then to its end.
 *
 * 1. What is on this disk decides what comes next (`work.ts`). While a stream is wanted, it is dialled: by the side that has
 *    dialled the current link at once and then 1, 2, 4 … 30 s after the last one, by the other side 5 s later.
 * 2. A stream that the other side has opened replaces ours. One thing at a time is done on the disk.
 */
import type { Clock } from "../../../net/clock.ts";
import type { StreamMessage } from "../../../protocol/peer-messages.ts";
import type { ProvenStream } from "../../peer/proven-connection.ts";
import type { Transfer } from "../../profile/transfers.ts";
import { Rate } from "./rate.ts";
import type { Progress } from "./shared-file.ts";
import { StreamGreeting, type OpenedStream, type PeerPlace } from "./streams.ts";
import { type Outcome, type Work } from "./work.ts";

/** The longest wait between two dials, and the first one, in ms. */
const LONGEST_WAIT = 30_000;
const FIRST_WAIT = 1_000;
/** How much later the side dials that has not dialled the current link, in ms. */
const SECOND_DIALLER = 5_000;
/** How often what holds a transfer up is looked at again, in ms: here, and on the other side. */
const OWN_PAUSE = 5_000;
const THEIR_PAUSE = 15_000;
/** How long the sender of what cannot come again is awaited to say why it has ended, in ms. */
const WORD_PATIENCE = 5_000;
/**
 * How long nothing moves before a stream counts as broken, in ms: after a link was lost, whose line the stream may have had,
 * and in any case. What is read once may come slowly, and cannot come again.
 */
const SILENT_AFTER_LOSS = 10_000;
const SILENT = 60_000;
/** At most one report of progress in this time, in ms. */
const REPORT_INTERVAL = 250;
/** How much has arrived is stored at most once in this time while it is running, in ms. */
const SAVE_INTERVAL = 5_000;

/** Ends of a transfer as its work has found them. */
type End = Extract<Outcome, { name: "sent" | "done" | "failed" }>;

type RunningNeeds = {
  readonly clock: Clock;
  readonly work: Work;
  /** What both sides call it on a stream. */
  wireId(): string;
  /** Where the person is, if there is a link with the key of the transfer. */
  place(): PeerPlace | undefined;
  /** Whether there is a link with another key. */
  hasOtherKey(): boolean;
  /** As `Streams.dial`. */
  dial(place: PeerPlace, attempt: number, signal: AbortSignal): Promise<OpenedStream | undefined>;
  /** It has made progress, or is held up, or nothing of that has changed. */
  changed(): void;
  /** Stores how many bytes have arrived. */
  save(done: number): void;
  /** Called after a link, or a place to be open, may be wanted or wanted no longer; `openIfOfUse` follows while there is one. */
  wantsChanged(): void;
  /** @throws SQLiteError */
  reached(end: End): void;
  failed(error: unknown): void;
};

type State =
  /** Nothing was opened in this process. */
  | { readonly name: "new" }
  /** What is on the disk is looked at. */
  | { readonly name: "looking" }
  /** A stream is wanted. */
  | { readonly name: "idle" }
  | { readonly name: "dialling"; readonly abort: AbortController }
  | { readonly name: "streaming"; readonly stream: ProvenStream }
  | { readonly name: "waiting" }
  | { readonly name: "paused" }
  | { readonly name: "over" };

export class RunningTransfer {
  readonly #needs: RunningNeeds;
  readonly #rate = new Rate();
  #transfer: Transfer;
  #state: State = { name: "new" };
  /** What is under way on the disk. */
  #tail: Promise<void> = Promise.resolve();
  #attempts = 0;
  /** Why it was paused last; undefined: it has gone on since. */
  #held: string | undefined;
  /** When something moved last on a stream, by the monotonic clock. */
  #movedAt = -Infinity;
  #cancelNext: () => void = () => undefined;
  #reportedAt = -Infinity;
  #isShownSoon = false;
  #saved: { readonly done: number; readonly at: number };

  constructor(transfer: Transfer, needs: RunningNeeds) {
    this.#transfer = transfer;
    this.#saved = { done: transfer.done, at: -Infinity };
    this.#needs = needs;
  }

  /** To be called once. */
  begin(): void {
    const { outgoing, end } = this.#transfer;
    // What was sent is asked for by the other side.
    if (end !== undefined && outgoing) this.#state = { name: "waiting" };
    this.#show();
  }

  /**
   * One more may be opened now. That is done when it is of use: all of a large file may have to be read.
   * @param isLinked whether there is a link to somebody with whom it is
   * @returns whether it is opened
   */
  openIfOfUse(isLinked: boolean): boolean {
    if (this.#state.name !== "new") return false;
    // With its end known, all may be here.
    const isOfUse = this.#transfer.end !== undefined || isLinked;
    if (isOfUse) this.#look();
    return isOfUse;
  }

  get transfer(): Transfer {
    return this.#transfer;
  }

  /** Whether a link to the person is of use. */
  get wantsLink(): boolean {
    return ["new", "idle", "dialling", "streaming"].includes(this.#state.name);
  }

  /** Whether files of it are open, and it has more to do than to wait for a word. */
  get isOpen(): boolean {
    return !["new", "waiting", "over"].includes(this.#state.name);
  }

  /** Whether it has a stream, or one is dialled. */
  get isBusy(): boolean {
    return this.#state.name === "dialling" || this.#state.name === "streaming";
  }

  /** Whether it only waits for a word, with files of it open. */
  get isKeptOpen(): boolean {
    return this.#state.name === "waiting" && this.#needs.work.isOpen;
  }

  /** Closes what is open while it only waits. */
  release(): void {
    this.#then(async () => {
      if (this.isKeptOpen) this.#needs.work.close();
    });
  }

  /** Undefined: there is none. */
  get stream(): ProvenStream | undefined {
    return this.#state.name === "streaming" ? this.#state.stream : undefined;
  }

  get progress(): Progress {
    const done = Math.max(this.#needs.work.done, this.#transfer.done);
    const state = this.#state;
    if (state.name === "streaming") {
      return { state: "running", done, rate: this.#rate.at(this.#needs.clock.monotonic()) };
    }
    const reason = this.wantsLink && this.#needs.hasOtherKey() ? "key_changed" : this.#held;
    return { state: reason === undefined ? "accepted" : "paused", reason, done, rate: undefined };
  }

  /** The stored transfer has changed: its sender has said what it was. */
  update(transfer: Transfer): void {
    this.#transfer = transfer;
    if (this.#state.name !== "looking" && this.#state.name !== "streaming") this.#look();
  }

  /** What had arrived was thrown away. */
  begunAnew(): void {
    this.#transfer = { ...this.#transfer, done: 0 };
    this.#saved = { done: 0, at: -Infinity };
    this.#needs.save(0);
  }

  /** The current link has changed; what is wanted is asked for after that. */
  linkChanged(): void {
    this.#checkSilence(SILENT_AFTER_LOSS);
    this.#leaveRelay();
    if (this.#state.name === "idle") {
      this.#attempts = 0;
      this.#dialLater();
    }
    this.#tell();
  }

  #checkSilence(most: number): void {
    const silence = this.#needs.clock.monotonic() - this.#movedAt;
    if (this.stream !== undefined && this.#transfer.size !== undefined && silence >= most)
      this.endStream("silent");
  }

  /** What is relayed goes on by the better way that was found for the link. */
  #leaveRelay(): void {
    const way = this.#needs.place()?.way ?? "relayed";
    const hasBetter = this.stream?.way === "relayed" && way !== "relayed";
    if (hasBetter && this.#transfer.size !== undefined) this.endStream("other_way");
  }

  /** They have opened a stream. */
  accept(stream: ProvenStream, asked: StreamMessage): void {
    const greeting = new StreamGreeting(stream.connection, this.#needs.clock, "asked");
    this.#serve({ ...stream, greeting }, asked);
  }

  /** A stream has come about in a meeting. */
  met(stream: OpenedStream): void {
    this.#serve(stream, undefined);
  }

  /** Ends the stream, if there is one or one is being dialled. */
  endStream(code: string): void {
    if (this.#state.name === "streaming") this.#state.stream.connection.terminate(code);
    if (this.#state.name === "dialling") this.#state.abort.abort();
  }

  /** It is left as it is, until another process goes on. Resolves when nothing is done on the disk. */
  close(): Promise<void> {
    return this.#leave("closing", () => this.#needs.work.close());
  }

  /** It has ended: what is unfinished on the disk is removed. */
  end(): Promise<void> {
    return this.#leave("ended", () => this.#needs.work.discard(this.#transfer));
  }

  #leave(code: string, work: () => void | Promise<void>): Promise<void> {
    this.endStream(code);
    this.#cancelNext();
    this.#state = { name: "over" };
    this.#then(async () => work());
    return this.#tail;
  }

  #then(work: () => Promise<void>): void {
    const done = this.#tail.then(work);
    // What follows, as closing the files, is done in any case.
    this.#tail = done.catch(() => undefined);
    done.catch((error: unknown) => {
      this.#needs.failed(error);
      // The profile's own disk may be full.
      this.#take({ name: "paused", reason: "unwritable", isOurs: true });
    });
  }

  #look(): void {
    const state: State = (this.#state = { name: "looking" });
    this.#then(async () => {
      if (this.#state !== state) return;
      const seen = this.#transfer;
      const outcome = await this.#needs.work.look(seen);
      // A stream that was opened meanwhile has looked, too.
      if (this.#state !== state) return;
      // What was waited for may have come meanwhile.
      if (outcome.name === "waiting" && seen !== this.#transfer) this.#look();
      else this.#take(outcome);
    });
  }

  /** @param outcome of a look, or of a stream */
  #take(outcome: Outcome): void {
    if (this.#state.name === "over") return;
    switch (outcome.name) {
      case "stream":
        this.#state = { name: "idle" };
        this.#dialLater();
        break;
      case "broken":
        this.#state = { name: "idle" };
        this.#attempts = Math.max(1, this.#attempts);
        this.#dialLater();
        break;
      case "waiting":
        this.#state = outcome;
        this.#held = undefined;
        break;
      case "paused":
        this.#state = { name: "paused" };
        this.#held = outcome.reason;
        this.#later(outcome.isOurs ? OWN_PAUSE : THEIR_PAUSE, () => this.#look());
        break;
      case "sent":
        this.#state = { name: "waiting" };
        this.#needs.reached(outcome);
        return;
      case "failed":
        if (outcome.reason === "lost" && !this.#transfer.outgoing) {
          this.#state = { name: "waiting" };
          this.#later(WORD_PATIENCE, () => this.#needs.reached(outcome));
          break;
        }
        this.#needs.reached(outcome);
        return;
      case "done":
        this.#needs.reached(outcome);
        return;
      default:
        outcome satisfies never;
    }
    this.#show();
  }

  #later(ms: number, run: () => void): void {
    this.#cancelNext();
    this.#cancelNext = this.#needs.clock.after(ms, run);
  }

  #dialLater(): void {
    const place = this.#needs.place();
    this.#cancelNext();
    if (place === undefined) return;
    const wait = this.#attempts === 0 ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#attempts - 1));
    this.#later(wait + (place.isFirst ? 0 : SECOND_DIALLER), () => this.#dial());
  }

  #dial(): void {
    const needs = this.#needs;
    const place = needs.place();
    if (this.#state.name !== "idle" || place === undefined) return;
    const abort = new AbortController();
    const state: State = (this.#state = { name: "dialling", abort });
    needs
      .dial(place, this.#attempts++, abort.signal)
      .then((stream) => {
        if (this.#state !== state) stream?.connection.terminate("abandoned");
        else if (stream !== undefined) this.#serve(stream, undefined);
        else this.#take({ name: "broken" });
      })
      .catch((error: unknown) => {
        if (this.#state === state) this.#take({ name: "broken" });
        // After its end the profile may be closed.
        if (this.#state.name !== "over") needs.failed(error);
      });
  }

  /** Greets, and moves bytes. */
  #serve(stream: OpenedStream, asked: StreamMessage | undefined): void {
    if (this.#state.name === "over") {
      stream.connection.terminate("ended");
      return;
    }
    this.endStream("replaced");
    this.#cancelNext();
    const state: State = (this.#state = { name: "streaming", stream });
    this.#movedAt = this.#needs.clock.monotonic();
    this.#then(async () => {
      const outcome = await this.#move(stream, asked).catch((error: unknown) => {
        stream.connection.terminate("failed");
        throw error;
      });
      if (this.#state !== state) return;
      // What was received may be all, or not as it was sent.
      if (outcome.name === "stream") this.#attempts = 0;
      if (outcome.name === "stream" || outcome.name === "waiting") this.#look();
      else this.#take(outcome);
    });
  }

  async #move(stream: OpenedStream, asked: StreamMessage | undefined): Promise<Outcome> {
    const { work } = this.#needs;
    const id = this.#needs.wireId();
    let hindrance: Outcome | undefined;
    const theirs = await stream.greeting.exchange(stream.peer.name, asked, async () => {
      const next = await work.look(this.#transfer);
      if (next.name === "stream" || next.name === "waiting" || next.name === "sent")
        return { action: "stream", transfer: id, ranges: work.ranges };
      hindrance = next;
      if (next.name === "paused") stream.connection.send({ action: "error", code: next.reason });
      return undefined;
    });
    if (hindrance !== undefined) return hindrance;
    if (theirs === undefined) return { name: "broken" };
    if (theirs.action === "error") return work.told(theirs.code);
    const { clock } = this.#needs;
    this.#held = undefined;
    this.#rate.begin(work.done, clock.monotonic());
    this.#watch(stream);
    this.#show();
    return work.run(stream.connection, theirs.ranges, this.#transfer, () => {
      this.#movedAt = clock.monotonic();
      this.#rate.moved(work.done, this.#movedAt);
      this.#showSoon();
    });
  }

  /** Tells what has moved: the last of it too, where nothing follows for a while. */
  #showSoon(): void {
    if (this.#isShownSoon) return;
    this.#isShownSoon = true;
    const wait = Math.max(0, this.#reportedAt + REPORT_INTERVAL - this.#movedAt);
    this.#needs.clock.after(wait, () => {
      this.#isShownSoon = false;
      if (this.#state.name === "streaming") this.#show();
    });
  }

  /** As long as there is this stream, something has to move on it. */
  #watch(stream: ProvenStream): void {
    this.#later(SILENT / 4, () => {
      if (this.stream !== stream) return;
      this.#checkSilence(SILENT);
      this.#watch(stream);
    });
  }

  /** Tells what has changed. */
  #show(): void {
    this.#tell();
    this.#needs.wantsChanged();
  }

  #tell(): void {
    this.#reportedAt = this.#needs.clock.monotonic();
    this.#save(this.#reportedAt);
    this.#needs.changed();
  }

  /** This process may be killed, and others ask how far it is. */
  #save(at: number): void {
    const { done } = this.#needs.work;
    const isSoon = this.stream !== undefined && at - this.#saved.at < SAVE_INTERVAL;
    if (isSoon || done <= this.#saved.done) return;
    this.#saved = { done, at };
    this.#needs.save(done);
  }
}
