/**
 * `listen`: stays online and prints what arrives until interrupted. `ready` comes first, then what was
 * stored and not yet printed. While a slow reader has much to catch up with, nothing is read from the links to peers.
 */
import { statSync } from "node:fs";

import type { MessengerEvent, SharedGroup } from "../../../client/conversation/events.ts";
import { FileMovedError, isDamage, isStorageFailure } from "../../../client/errors.ts";
import { deliveryJson, isoTime, verificationJson } from "../../../client/event-json.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { label as labelOf } from "../../../identity/names.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedText } from "../../../protocol/quoted-text.ts";
import { noticeSentences } from "../../chat/group/group-lines.ts";
import { isDiskNoticeDue, isPeerErrorDue, storageReason } from "../../chat/notices.ts";
import {
  describeFailure,
  EXIT,
  failure,
  InterruptedError,
  typedName,
  type ExitCode,
} from "../../failures.ts";
import { KnownNames, namesKnownTo, shownName } from "../../format/name-book.ts";
import { isLimiting, linksWithoutServer, serverGone } from "../../format/server-words.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";
import { typedGroup } from "../user-argument.ts";
import { FilePrinter } from "./file-printer.ts";
import { MessagePrinter } from "./message-printer.ts";

/** About how many bytes may wait for a slow reader, in this process and of new messages on the disk. */
const WAITING_LIMIT = 8 * 1024 * 1024;
/**
 * Codes that are not reported as a refused connection: it ended by itself before the peer was proven, or its key waits
 * for the person's decision, of which `keyPending` warns.
 */
const NOT_REPORTED = /^(?:E(?!RR_)[A-Z]+|closed.*|.*timeout|stopped|key_pending)$/;

type Opened = { readonly account: SharedAccount; readonly printer: MessagePrinter };

type State =
  /** The account is being opened. */
  | { readonly name: "opening" }
  /** Nobody could reach it yet: no message is printed. */
  | ({ readonly name: "starting" } & Opened)
  | ({ readonly name: "ready" } & Opened)
  /** It cannot continue, for example because the profile is damaged. */
  | { readonly name: "failed" };

/** `behind`: until the reader has caught up, the links are not read. `presence`: who came or went since, and is online. */
type Reader =
  { readonly name: "keepsUp" } | { readonly name: "behind"; readonly presence: Map<string, boolean> };

/** The last notice about the server; none: it is online, or nothing was printed about it. */
type ServerNotice = "none" | "lost" | "limited";

export async function listen(context: CommandContext): Promise<ExitCode> {
  const { acceptFiles, language } = context.config;
  if (acceptFiles !== undefined && statSync(acceptFiles, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(textsIn(language).noSuchFolder(acceptFiles));
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
  #state: State = { name: "opening" };
  #reader: Reader = { name: "keepsUp" };
  #notice: ServerNotice = "none";
  /** Those of the account, once it is open, and everybody seen since. */
  #names = new KnownNames();
  /** Peers whose full disk was reported and who have acknowledged nothing since. */
  readonly #fullDisks = new Set<string>();
  /** Ids of the groups to which an invitation was printed. */
  readonly #invitations = new Set<string>();
  /** Those who hold our texts, as was printed. */
  readonly #holding = new Set<string>();
  readonly #files: FilePrinter;
  /** When a failure of this disk was last printed, ms since 1970. */
  #diskFailedAt: number | undefined;
  /** When another error of a peer was last printed, ms since 1970. */
  #peerErrorAt: number | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#texts = textsIn(context.config.language);
    this.#files = new FilePrinter(context, (username) => this.#shown(username));
    context.output.whenClosed(() => this.#end.resolve(EXIT.done));
    context.output.whenTaken(() => this.#checkReader());
  }

  get hasFailed(): boolean {
    return this.#state.name === "failed";
  }

  /** The exit code, once there is one. */
  get ended(): Promise<ExitCode> {
    return this.#end.promise;
  }

  /** Runs until the person interrupts, the output is closed, or it cannot continue. @throws as `SharedAccount.connect` */
  async run(account: SharedAccount): Promise<ExitCode> {
    const { config, output, signal } = this.#context;
    const names = namesKnownTo(account.archive);
    this.#names = names;
    const printer = new MessagePrinter({
      context: this.#context,
      account,
      names,
      failed: (error) => (isStorageFailure(error) ? this.#onStorageFailure(error) : this.#fail(error)),
      caughtUp: () => this.#checkReader(),
    });
    this.#state = { name: "starting", account, printer };
    try {
      const { acceptFiles: folder, maxSize: max_size, sha256 } = config;
      if (folder !== undefined)
        await account.acceptFiles({ folder, sha256, ...(max_size === undefined ? {} : { max_size }) });
      const problem = await untilAborted(signal, account.connectOrWait());
      const { reachable, links_until, p2p_port } = await account.request("status", {});
      if (problem === undefined) this.#becomeReady(p2p_port);
      else {
        output.notice(describeFailure(problem, config).sentence);
        // Peers who know our address can reach us while our certificate is valid.
        if (reachable) {
          this.#becomeReady(p2p_port, this.#texts.readyWithoutServer);
          const until = links_until === null ? undefined : Date.parse(links_until);
          output.notice(linksWithoutServer(until, Date.now(), this.#texts));
          // It has just been said.
          this.#notice = "lost";
        }
      }
      await account.stayOnline();
      return await untilAborted(signal, this.ended).catch((error: unknown) => {
        if (error instanceof InterruptedError) return EXIT.done;
        throw error;
      });
    } finally {
      this.#files.end();
      // Messages are marked as printed before the profile is closed.
      await printer.finished();
    }
  }

  onEvent(event: MessengerEvent): void {
    this.#show(event);
    this.#checkReader();
  }

  #show(event: MessengerEvent): void {
    const { output } = this.#context;
    const texts = this.#texts;
    switch (event.name) {
      case "message":
        this.#opened?.printer.arrived(event.message);
        return;
      case "request":
        this.#onRequest(event.from, event.count);
        return;
      case "held":
        output.event({ event: "held", to: event.to }, undefined);
        // It comes with each message, and is printed once.
        if (!this.#holding.has(event.to)) output.notice(texts.chatHeld(this.#shown(event.to)));
        this.#holding.add(event.to);
        return;
      case "accepted":
        this.#holding.delete(event.username);
        output.event(
          { event: "accepted", username: event.username },
          texts.acceptedBy(this.#shown(event.username)),
        );
        return;
      case "contact":
        output.event({ event: "contact", username: event.username, state: event.state }, undefined);
        if (event.state === "contact") this.#opened?.printer.accepted();
        return;
      case "group":
        this.#onGroup(event.group);
        return;
      case "groupNotice": {
        const { notice } = event;
        const words = { texts, shown: (username: string) => this.#shown(username), ownName: this.#ownName };
        const sentence = noticeSentences([notice], words).join(" ");
        const group = shownName(this.#names.book, `#${notice.group}`);
        output.event({ event: "group_notice", ...notice }, `[${group}] ${sentence}`);
        return;
      }
      case "muted":
        output.event({ event: "muted", username: event.username, until: isoTime(event.until) }, undefined);
        return;
      case "delivery":
        output.event(deliveryJson(event.to, event.id, event.state, event.at, event.counts), undefined);
        if (event.state === "received") this.#fullDisks.delete(event.to);
        return;
      case "changed":
        this.#opened?.printer.changed(event.message, event.username);
        return;
      case "file":
        this.#files.take(event.file);
        return;
      case "silent":
        output.event({ event: "silent", username: event.username, since: isoTime(event.since) }, undefined);
        return;
      case "disconnected":
        if (event.revoked === true) output.notice(texts.peerRevoked(this.#shown(event.username)));
        return;
      case "presence":
        this.#onPresence(event.username, event.online);
        return;
      case "server":
        this.#onServer(event);
        return;
      case "keyPending": {
        const { username, fingerprint, isVerified: verified } = event;
        output.event({ event: "key_changed", username, fingerprint, verified }, undefined);
        const sentence = verified ? texts.peerNotVerified : texts.peerKeyPending;
        output.notice(sentence(this.#shown(username), typedName(username, texts)));
        return;
      }
      case "verification":
        this.#onVerification(event);
        return;
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
      const sentence = this.#texts.storageFailed(storageReason(error, this.#texts));
      this.#context.output.failure(failure("other", "storage_failed", sentence));
    }
  }

  get #ownName(): string {
    return this.#opened?.account.username ?? "";
  }

  get #opened(): Opened | undefined {
    return "account" in this.#state ? this.#state : undefined;
  }

  /** Stops reading the links when too much waits for the reader, until nothing does. */
  #checkReader(): void {
    if (this.#opened === undefined) return;
    const { account, printer } = this.#opened;
    const waiting = this.#context.output.waiting + printer.stored;
    if (this.#reader.name === "keepsUp" && waiting > WAITING_LIMIT) {
      this.#reader = { name: "behind", presence: new Map() };
      account.keepsUp(false);
    } else if (this.#reader.name === "behind" && waiting === 0) {
      const { presence } = this.#reader;
      this.#reader = { name: "keepsUp" };
      for (const [username, online] of presence) this.#onPresence(username, online);
      account.keepsUp(true);
    }
  }

  /** Nothing of it is printed as a message before the person is accepted. */
  #onRequest(from: string, count: number): void {
    // Those of before are printed once others can reach us.
    if (this.#state.name !== "ready") return;
    const texts = this.#texts;
    const sentence = texts.requestStored(this.#shown(from), count, typedName(from, texts));
    this.#context.output.event({ event: "request", from, count }, sentence);
  }

  /** An invitation is printed once; the rest of what becomes of groups is for programs. */
  #onGroup(group: SharedGroup): void {
    const { output } = this.#context;
    const texts = this.#texts;
    const { group: id, history, invited_by: by, people, state, title } = group;
    const isNew = state === "invited" && !this.#invitations.has(id);
    if (state === "invited") this.#invitations.add(id);
    else this.#invitations.delete(id);
    if (this.#opened !== undefined) this.#names.nameGroups(this.#opened.account.archive.groups());
    const earlier = history === "none" ? texts.groupSeesNoEarlier : texts.groupSeesEarlier;
    const typed = typedGroup(group);
    const sentence = isNew
      ? texts.groupInvitationHere(this.#shown(by ?? ""), texts.groupTitle(title), people, earlier, typed)
      : undefined;
    output.event({ event: "group", ...group }, sentence);
  }

  #onPresence(username: string, online: boolean): void {
    if (this.#reader.name === "behind") {
      this.#reader.presence.set(username, online);
      return;
    }
    const user = this.#shown(username);
    const sentence = online ? this.#texts.presenceOnline(user) : this.#texts.presenceOffline(user);
    this.#context.output.event({ event: "presence", username, online }, sentence);
  }

  /** Only that somebody asks for it concerns who listens; the rest is told where it was opened. */
  #onVerification({ username, ...news }: MessengerEvent & { name: "verification" }): void {
    const { output } = this.#context;
    if (news.state !== "asked") return;
    output.event(verificationJson(username, news), undefined);
    output.notice(this.#texts.verificationAsked(this.#shown(username), typedName(username, this.#texts)));
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
        if (this.#state.name !== "ready") return;
        output.notice(serverGone(state, linksUntil, Date.now(), texts));
        return;
      }
      case "online":
        if (this.#notice !== "none") output.notice(texts.serverBack);
        this.#notice = "none";
        void this.#serverIsBack();
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
    this.#stop(error);
    this.#end.resolve(output.failure(describeFailure(error, config)));
  }

  #stop(error: unknown): void {
    const opened = this.#opened;
    this.#state = { name: "failed" };
    opened?.printer.stop();
    opened?.account.archive.noteDamage(error);
  }

  /** If nobody could reach us without the server, they can now. */
  async #serverIsBack(): Promise<void> {
    if (this.#state.name !== "starting") return;
    try {
      const { p2p_port } = await this.#state.account.request("status", {});
      this.#becomeReady(p2p_port);
    } catch (error) {
      // Whoever has closed the account reports why.
      if (this.#opened !== undefined && !this.#context.signal.aborted) this.#fail(error);
    }
  }

  /** @param p2pPort null: there is none, since only the server's relay is used */
  #becomeReady(p2pPort: number | null, sentence = this.#texts.ready): void {
    if (this.#state.name !== "starting") return;
    const { account, printer } = this.#state;
    const { username } = account;
    this.#state = { name: "ready", account, printer };
    this.#context.output.event(
      { event: "ready", username, p2p_port: p2pPort },
      p2pPort === null
        ? this.#texts.readyAtRelay(this.#shown(username))
        : sentence(this.#shown(username), p2pPort),
    );
    printer.begin();
    for (const { from, count } of account.archive.requests()) this.#onRequest(from, count);
    void this.#showInvitations(account);
  }

  /** Those of before. */
  async #showInvitations(account: SharedAccount): Promise<void> {
    // Whoever has ended the account reports why.
    const { groups } = await account.request("groups", {}).catch(() => ({ groups: [] }));
    for (const each of groups) if (each.state === "invited") this.#onGroup(each);
  }

  /** The name as shown beside all others that were seen. */
  #shown(username: string): string {
    this.#names.add([{ username, label: labelOf(username) }]);
    return shownName(this.#names.book, username);
  }
}
