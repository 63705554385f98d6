/**
 * `listen`: stays online and prints what arrives until interrupted. `ready` comes first, then what was
 * stored and not yet printed; a message is marked as printed after it was written.
 */
import type { MessengerEvent } from "../../client/messenger-events.ts";
import type { StoredMessage } from "../../client/message-store.ts";
import type { RendezvousState } from "../../client/rendezvous.ts";
import { isTransient } from "../../client/rendezvous.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { describeFailure, EXIT, InterruptedError, type ExitCode } from "../failures.ts";
import { messageEvent, messageLine } from "../message-format.ts";
import { openAccount, untilAborted, type CommandContext } from "../session.ts";
import { textsIn } from "../texts.ts";

/** How long the last write may take at the end, in ms. */
const LAST_WRITE = 300;
/** Messages printed in one write. */
const BATCH = 256;

export async function listen(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  const ended = Promise.withResolvers<ExitCode>();
  let ready = false;
  let printing = false;
  let printed: Promise<void> = Promise.resolve();
  let wasLost = false;

  const account = await untilAborted(
    signal,
    openAccount(context, "listen", (event) => onEvent(event)),
  );
  const { messenger } = account;
  const { messages, contacts } = messenger.profile;
  output.whenClosed(() => ended.resolve(EXIT.done));

  function onEvent(event: MessengerEvent): void {
    switch (event.name) {
      case "message":
        print();
        return;
      case "delivery":
        output.event({ event: "delivery", id: event.id, to: event.to, state: event.state }, undefined);
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
        onServer(event.state);
        return;
      case "keyPending":
        output.event(
          { event: "key_changed", username: event.username, fingerprint: event.fingerprint },
          undefined,
        );
        output.tell(texts.peerKeyPending(visibleText(event.username)));
        return;
      case "storageFailed":
        output.failure("storage_failed", texts.storageFailed(event.error.message));
        return;
      case "peerError":
        output.tell(texts.peerToldError(visibleText(event.username), visibleText(event.code)));
        return;
      case "refusal":
        output.tell(texts.refusedConnection(event.address, event.code));
        return;
      default:
        return;
    }
  }

  function onServer(state: RendezvousState): void {
    if (state.name === "waiting") {
      // The first attempt's own failure has been told already.
      if (!wasLost && ready) output.tell(texts.serverLost(Math.ceil((state.until - Date.now()) / 1_000)));
      wasLost = true;
    } else if (state.name === "online") {
      if (wasLost) output.tell(texts.serverBack);
      wasLost = false;
      becomeReady();
    } else if (state.name === "stopped") {
      const failure = describeFailure(state.why, config);
      output.failure(failure.code, failure.sentence);
      ended.resolve(failure.exit);
    }
  }

  function becomeReady(): void {
    if (ready) return;
    ready = true;
    const { username, p2pPort } = messenger;
    output.event(
      { event: "ready", username, p2p_port: p2pPort },
      texts.ready(visibleText(username), p2pPort),
    );
    print();
  }

  /** Writes what was not printed yet, oldest first, one batch after the other. */
  function print(): void {
    if (!ready || printing) return;
    const batch = messages.unprinted(BATCH);
    if (batch.length === 0) return;
    printing = true;
    printed = output
      .write(batch.map((message) => format(message)).join(""))
      .then((written) => {
        if (!written) return;
        messages.markPrinted(batch.map(({ seq }) => seq));
        printing = false;
        if (!signal.aborted) print();
      })
      .catch((error: unknown) => ended.reject(error));
  }

  function format(message: StoredMessage): string {
    const from = contacts.byId(message.contact)?.username ?? "";
    return output.json ? messageEvent(message, from) : messageLine(message, from, output.columns);
  }

  try {
    try {
      await untilAborted(signal, account.connect());
    } catch (error) {
      if (!isTransient(error) || !messenger.profile.hasBeenOnline) throw error;
      output.tell(describeFailure(error, config).sentence);
      // Whoever knows our address can reach us while the certificate lasts.
      if (messenger.canBeReached) becomeReady();
      messenger.rendezvous.retryAfter(error as Error);
    }
    messenger.rendezvous.keepOnline();
    return await untilAborted(signal, ended.promise).catch((error: unknown) => {
      if (error instanceof InterruptedError) return EXIT.done;
      throw error;
    });
  } finally {
    // What was written is marked while the profile is open; a reader that takes nothing is not waited for.
    await Promise.race([printed, Bun.sleep(LAST_WRITE)]);
    await account.close();
  }
}
