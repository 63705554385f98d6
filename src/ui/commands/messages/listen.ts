/**
 * `listen`: stays online and prints what arrives until interrupted. `ready` comes first, then what was
 * stored and not yet printed; a message is marked as printed after it was written.
 */
import type { MessengerEvent } from "../../../client/conversation/events.ts";
import type { StoredMessage } from "../../../client/profile/stored-message.ts";
import { isTransient } from "../../../client/rendezvous/session.ts";
import { isDamage } from "../../../client/disk/sqlite.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import { describeFailure, EXIT, InterruptedError, type ExitCode } from "../../failures.ts";
import {
  deliveryEvent,
  isoTime,
  messageEvent,
  messageLine,
  peerChangeEvent,
  repliedTo,
} from "../../format/message-format.ts";
import { jsonLine } from "../../format/json-line.ts";
import { openAccount, untilAborted, type CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";
import { noteIfDamage } from "../local-profile.ts";
import { isLimiting, linksWithoutServer, serverAway } from "../../format/server-words.ts";

/** How long the last write may take at the end, in ms. */
const LAST_WRITE = 300;
/** Messages printed in one write. */
const BATCH = 256;
/** How the line of a connection ended that had proven nothing yet: nobody was refused. */
const LINE_END = /^(?:E(?!RR_)[A-Z]+|closed.*|.*timeout|stopped)$/;

export async function listen(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  const ended = Promise.withResolvers<ExitCode>();
  let ready = false;
  let printing = false;
  let printed: Promise<void> = Promise.resolve();
  let wasLost = false;
  let limitsTold = false;
  let isOver = false;

  const account = await untilAborted(
    signal,
    openAccount(context, "listen", (event) => onEvent(event)),
  );
  const { messenger } = account;
  const { history, contacts, messages } = messenger.profile;
  /** `seq` of the last message that a reader may have seen. */
  let begun = 0;
  /** Whose disk took nothing the last time. */
  const fullDisks = new Set<string>();
  const isTerminal = output.columns !== undefined;
  output.whenClosed(() => ended.resolve(EXIT.done));

  function onEvent(event: MessengerEvent): void {
    switch (event.name) {
      case "message":
        print();
        return;
      case "delivery":
        output.event(deliveryEvent(event.to, event.id, event.state, event.at), undefined);
        // Their disk takes things again.
        if (event.state === "received") fullDisks.delete(event.to);
        return;
      case "changed":
        onChange(event.username, event.message);
        return;
      case "silent":
        output.event({ event: "silent", username: event.username, since: isoTime(event.since) }, undefined);
        return;
      case "presence": {
        const user = visibleText(event.username);
        output.event(
          { event: "presence", username: event.username, online: event.online },
          event.online ? texts.presenceOnline(user) : texts.presenceOffline(user),
        );
        return;
      }
      case "server":
        onServer(event);
        return;
      case "keyPending":
        output.event(
          { event: "key_changed", username: event.username, fingerprint: event.fingerprint },
          undefined,
        );
        output.tell(texts.peerKeyPending(visibleText(event.username)));
        return;
      case "storageFailed":
        if (isDamage(event.error)) endWith(event.error);
        else
          output.failure({
            code: "storage_failed",
            sentence: texts.storageFailed(visibleText(event.error.message)),
          });
        return;
      case "peerError":
        onPeerError(event.username, event.code);
        return;
      case "refusal":
        if (!LINE_END.test(event.code))
          output.tell(texts.refusedConnection(visibleText(event.address), visibleText(event.code)));
        return;
      default:
        return;
    }
  }

  /** A peer's change of a message that a reader has seen; one that was not printed yet is printed as it is now. */
  function onChange(username: string, message: StoredMessage): void {
    if (message.outgoing || message.seq > begun) return;
    const change = peerChangeEvent(message, username);
    void output.write(output.json ? jsonLine(change) : lineOf(message, username));
  }

  function onPeerError(username: string, code: string): void {
    const user = visibleText(username);
    if (code !== "storage_failed") output.tell(texts.peerToldError(user, visibleText(code)));
    else if (!fullDisks.has(username)) output.tell(texts.peerStorageFailed(user));
    // Told once, and not with every attempt.
    if (code === "storage_failed") fullDisks.add(username);
  }

  function onServer({ state, linksUntil }: MessengerEvent & { name: "server" }): void {
    if (state.name === "waiting") {
      const now = Date.now();
      const isNews = !wasLost || (isLimiting(state) && !limitsTold);
      if (isNews && ready)
        output.tell(`${serverAway(state, now, texts)} ${linksWithoutServer(linksUntil, now, texts)}`);
      wasLost = true;
      limitsTold ||= isLimiting(state);
    } else if (state.name === "online") {
      if (wasLost) output.tell(texts.serverBack);
      wasLost = limitsTold = false;
      becomeReady(true);
    } else if (state.name === "stopped") {
      endWith(state.why);
    }
  }

  /** A fault in a callback ends nothing but its connection; a damaged file would be met with every turn. */
  function onFault(error: unknown): void {
    if (isOver || !isDamage(error)) return;
    isOver = true;
    noteIfDamage(messenger.profile, error);
    // The program has told it, as it does of every fault.
    ended.resolve(EXIT.other);
  }

  /** What this cannot go on after is told once. */
  function endWith(error: unknown): void {
    if (isOver) return;
    isOver = true;
    noteIfDamage(messenger.profile, error);
    const failure = describeFailure(error, config);
    output.failure(failure);
    ended.resolve(failure.exit);
  }

  function becomeReady(isOnline: boolean): void {
    if (ready) return;
    ready = true;
    const { username, p2pPort } = messenger;
    const line = isOnline ? texts.ready : texts.readyWithoutServer;
    output.event({ event: "ready", username, p2p_port: p2pPort }, line(visibleText(username), p2pPort));
    print();
  }

  /** Writes what was not printed yet, oldest first, one batch after the other. */
  function print(): void {
    if (!ready || printing || isOver) return;
    let batch: readonly StoredMessage[];
    let lines: string;
    try {
      batch = history.unprinted(BATCH);
      lines = batch.map((message) => format(message)).join("");
    } catch (error) {
      if (!isDamage(error)) throw error;
      endWith(error);
      return;
    }
    if (batch.length === 0) return;
    printing = true;
    begun = batch.at(-1)?.seq ?? begun;
    printed = output
      .write(lines)
      .then((written) => {
        if (!written) return;
        history.markPrinted(batch.map(({ seq }) => seq));
        if (isTerminal) tellRead(batch);
        printing = false;
        if (!signal.aborted) print();
      })
      .catch(endWith);
  }

  function format(message: StoredMessage): string {
    const from = contacts.byId(message.contact)?.username ?? "";
    return output.json ? messageEvent(message, from) : lineOf(message, from);
  }

  function lineOf(message: StoredMessage, from: string): string {
    const contact = contacts.byId(message.contact);
    const original = contact === undefined ? undefined : repliedTo(history, contact, message);
    return messageLine(message, from, { texts, columns: output.columns, repliedTo: original });
  }

  /** A person has seen these; of what a program takes nobody knows whether anyone reads it. */
  function tellRead(batch: readonly StoredMessage[]): void {
    const newest = new Map(batch.map(({ contact, seq }) => [contact, seq]));
    for (const [id, seq] of newest) {
      const contact = contacts.byId(id);
      if (contact !== undefined) messenger.markRead(contact.username, seq);
    }
  }

  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  try {
    begun = (history.unprinted(1)[0]?.seq ?? messages.lastSeq() + 1) - 1;
    try {
      await untilAborted(signal, account.connect());
    } catch (error) {
      if (!isTransient(error) || !messenger.profile.hasBeenOnline) throw error;
      output.tell(describeFailure(error, config).sentence);
      // Whoever knows our address can reach us while the certificate lasts.
      if (messenger.canBeReached) {
        becomeReady(false);
        output.tell(linksWithoutServer(messenger.profile.certificate?.expiresAt, Date.now(), texts));
      }
      messenger.rendezvous.retryAfter(error as Error);
    }
    messenger.rendezvous.keepOnline();
    return await untilAborted(signal, ended.promise).catch((error: unknown) => {
      if (error instanceof InterruptedError) return EXIT.done;
      throw error;
    });
  } catch (error) {
    noteIfDamage(messenger.profile, error);
    throw error;
  } finally {
    // What was written is marked while the profile is open; a reader that takes nothing is not waited for.
    await Promise.race([printed, Bun.sleep(LAST_WRITE)]);
    await account.close().catch((error: unknown) => {
      if (!isOver || !isDamage(error)) throw error;
    });
    process.off("uncaughtException", onFault);
    process.off("unhandledRejection", onFault);
  }
}
