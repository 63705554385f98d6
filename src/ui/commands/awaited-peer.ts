/** The peer, or the group, that is to get what a command has queued: waits for them, and says why they do not get it. */
import type { MessengerEvent, SharedGroup } from "../../client/conversation/events.ts";
import { AccountMovedError, isTransient } from "../../client/errors.ts";
import type { UnreachableReason } from "../../client/peer/dial.ts";
import type { SharedAccount } from "../../client/shared-account.ts";
import { isSamePerson } from "../../identity/names.ts";
import { whyHeldBack } from "../chat/group/group-lines.ts";
import { isPeerErrorDue } from "../chat/notices.ts";
import {
  describeFailure,
  describeUnreachable,
  EXIT,
  failure,
  InterruptedError,
  TimeoutError,
  type Failure,
} from "../failures.ts";
import { namesKnownTo, shownName, type NameBook } from "../format/name-book.ts";
import { textsIn, type Texts } from "../texts/texts.ts";
import { untilAborted, type CommandContext } from "./online-account.ts";

/** Time that the attempt after a server's limit needs, in ms; with less left, the command does not wait for it. */
const ATTEMPT_TIME = 2_000;

export class AwaitedPeer {
  readonly #context: CommandContext;
  readonly #texts: Texts;
  /** Undefined: they have all of it. */
  readonly #outcome = Promise.withResolvers<Failure | undefined>();
  readonly #typed: string;
  /** Undefined: nothing is known of them yet. */
  #account: SharedAccount | undefined;
  #names: NameBook = new Map();
  #isStranger = false;
  /** Whether they may appear on the local network while there is no server; `said`: that was printed. */
  #nearby: "never" | "awaited" | "said" = "never";
  /** The peer's full disk, once it was reported: the reason if the peer does not acknowledge in time. */
  #fullDisk: Failure | undefined;
  /** So much was written to the group that what is awaited waits: the reason if it does not arrive in time. */
  #heldBack: Failure | undefined;
  /** A failure of this disk was printed. */
  #hasStorageFailed = false;
  /** When another error of the peer was last printed, ms since 1970. */
  #peerErrorAt: number | undefined;

  /** @param to as it was typed; of a group `#` and its id */
  constructor(context: CommandContext, to: string) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    this.#typed = to;
  }

  /** Looks up what is known of them. @throws SQLiteError */
  know(account: SharedAccount): void {
    const { archive } = account;
    this.#account = account;
    this.#names = namesKnownTo(archive, [this.username]).book;
    this.#isStranger = !this.isGroup && archive.conversation(this.#typed)?.isStranger !== false;
  }

  get isGroup(): boolean {
    return this.#typed.startsWith("#");
  }

  /** Whether nobody has ever answered to this name here, so that it may be misspelt. */
  get isStranger(): boolean {
    return this.#isStranger;
  }

  /** In the registered spelling once it is known. */
  get username(): string {
    const account = this.#account;
    // After a refused first login the profile is gone.
    return account === undefined || account.isRemoved ? this.#typed : account.archive.nameOf(this.#typed);
  }

  /** The name as shown. */
  get shown(): string {
    return shownName(this.#names, this.username);
  }

  /** They have all of it. */
  resolve(): void {
    this.#outcome.resolve(undefined);
  }

  /**
   * Goes online until `resolve`, or until it is clear that waiting does not help.
   * @returns why they have not got it, if so. @throws InterruptedError
   */
  async awaited(account: SharedAccount, connect: () => Promise<void>): Promise<Failure | undefined> {
    const { config, signal } = this.#context;
    const { reachable, lan } = await account.request("status", {});
    if (reachable && lan && !this.#isStranger) this.#nearby = "awaited";
    /** Why the server was not reached; then only a peer whose address is known can be sent to. */
    let serverProblem: Failure | undefined;
    try {
      await untilAborted(signal, connect());
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      const problem = describeFailure(error, config);
      if (!isTransient(error)) return problem;
      serverProblem = problem;
    }
    try {
      const outcome = await untilAborted(signal, this.#outcome.promise);
      // Without the server the peer could not be looked up, so its failure is the reason to report.
      return outcome?.exit === EXIT.notDelivered ? (serverProblem ?? outcome) : outcome;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      const problem = this.#fullDisk ?? this.#heldBack ?? serverProblem;
      if (problem !== undefined) return problem;
      const sentence = this.isGroup ? this.#texts.groupNotAcknowledged : this.#texts.notAcknowledged;
      return failure("notDelivered", "not_acknowledged", sentence(this.shown));
    }
  }

  onEvent(event: MessengerEvent): void {
    const { config, output } = this.#context;
    switch (event.name) {
      case "server":
        if (event.state.name === "stopped" && event.state.why instanceof AccountMovedError)
          this.#outcome.resolve(describeFailure(event.state.why, config));
        return;
      case "group":
        if (`#${event.group.group}` === this.#typed) this.#onGroup(event.group);
        return;
      case "held":
        if (isSamePerson(event.to, this.#typed)) this.#onHeld(event.to);
        return;
      case "unreachable":
        if (isSamePerson(event.username, this.#typed)) this.#onUnreachable(event);
        return;
      case "storageFailed":
        // It comes with every attempt, and is printed once.
        if (!this.#hasStorageFailed) output.notice(describeFailure(event.error, config).sentence);
        this.#hasStorageFailed = true;
        return;
      case "peerError":
        if (isSamePerson(event.username, this.#typed)) this.#onPeerError(event.username, event.code);
        return;
      default:
        return;
    }
  }

  #onGroup(group: SharedGroup): void {
    const why = whyHeldBack(group, Date.now(), this.#texts);
    // It is printed once.
    if (why !== undefined && this.#heldBack === undefined) this.#context.output.notice(why);
    this.#heldBack = why === undefined ? undefined : failure("notDelivered", "limited", why);
  }

  /** The peer takes nothing more until they accept. */
  #onHeld(to: string): void {
    const { config, output } = this.#context;
    if (config.wait === "queued") return;
    output.event({ event: "held", to }, undefined);
    const sentence = this.#texts.waitsForAcceptance(shownName(this.#names, to));
    this.#outcome.resolve(failure("notDelivered", "not_accepted", sentence));
  }

  #onUnreachable({ username, reason, retryIn }: MessengerEvent & { name: "unreachable" }): void {
    const { output, deadline } = this.#context;
    if (reason === "no_server" && this.#nearby !== "never") {
      if (this.#nearby === "awaited")
        output.notice(this.#texts.waitsNearby(shownName(this.#names, username)));
      this.#nearby = "said";
      return;
    }
    if (this.isGroup) {
      this.#outcome.resolve(this.#groupUnreachable(reason));
      return;
    }
    const isPerhapsNobody = reason === "offline" && this.#isStranger;
    const problem = isPerhapsNobody
      ? failure("notDelivered", "user_offline", this.#texts.perhapsNobody(shownName(this.#names, username)))
      : describeUnreachable(reason, username, this.#names, this.#texts, retryIn);
    if (reason === "server_limits" && (retryIn ?? Infinity) + ATTEMPT_TIME <= deadline.left) {
      output.notice(`${problem.sentence} ${this.#texts.limitWaitedOut}`);
      return;
    }
    this.#outcome.resolve(problem);
  }

  /** Nobody of the group is reached, for this reason. */
  #groupUnreachable(reason: UnreachableReason): Failure {
    const texts = this.#texts;
    return reason === "offline"
      ? failure("notDelivered", "user_offline", texts.groupNobodyOnline(this.shown))
      : failure("notDelivered", "peer_unreachable", texts.groupNobodyReached(this.shown));
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
}
