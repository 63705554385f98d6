/**
 * The process that has the account online serves the other processes of the same account on this machine:
 *
 * 1. Another process connects to the socket, and receives `hello` with the number of this protocol.
 * 2. It sends requests, `{"id", "command", …}`; each is answered, `{"id", "result"}` or `{"id", "error"}`.
 * 3. In between it receives the messenger's events, which have the name `event`; answers have none.
 */
import { existsSync } from "node:fs";

import { version } from "../../../package.json" with { type: "json" };
import type { Connection, ConnectionFault, ConnectionHandlers } from "../../net/connection.ts";
import { listenLocal, LocalSocketError } from "../../net/local-socket.ts";
import { QUEUE_LIMIT } from "../../net/outgoing.ts";
import { encodeFrame, type JsonObject } from "../../protocol/framing.ts";
import type { Account } from "../accounts.ts";
import type { MessengerEvent } from "../conversation/events.ts";
import { profileFile } from "../disk/folders.ts";
import { isStorageFailure } from "../disk/sqlite.ts";
import { eventJson } from "../event-json.ts";
import { answerTo, faultAnswer, MAX_UNANSWERED } from "./requests.ts";
import { Seat } from "./seat.ts";
import { OpenFolderError, preparePlace, SHARING_PROTOCOL, socketPlaces } from "./socket-place.ts";

/** Largest request, in bytes. */
export const MAX_REQUEST = 256 * 1024;
/** A process that has not read this many bytes of events is dropped. */
export const MAX_UNREAD = 8 * 1024 * 1024;
/** How often the process looks whether its socket is still there, in ms. */
const LOOK_INTERVAL = 1_000;
/** Processes at once. */
const MAX_PROCESSES = 256;

/** The first line that a process reads. */
export function helloJson(username: string): JsonObject {
  return { event: "hello", protocol: SHARING_PROTOCOL, version, username };
}

type Listening = { readonly path: string; readonly listener: { stop(): void } };

export class Service {
  readonly #account: Account;
  readonly #connections = new Set<ServedProcess>();
  #listening: Listening | undefined;
  #look: ReturnType<typeof setInterval> | undefined;
  /** Resolved when the next process has left. */
  #left = Promise.withResolvers<void>();

  constructor(account: Account) {
    this.#account = account;
  }

  /** Opens the socket, unless it is open. Where no place takes one, the account is online without. */
  listen(): void {
    this.#listening ??= this.#listen();
    this.#look ??= setInterval(() => this.#listenAgain(), LOOK_INTERVAL);
  }

  /** A socket may be deleted, as what cleans folders for temporary files does. */
  #listenAgain(): void {
    const isThere = this.#listening !== undefined && existsSync(this.#listening.path);
    // A profile that was moved or deleted does not get a new folder.
    if (isThere || !existsSync(profileFile(this.#account.messenger.profile.folder))) return;
    this.#listening?.listener.stop();
    this.#listening = this.#listen();
  }

  #listen(): Listening | undefined {
    for (const place of socketPlaces(this.#account.messenger.profile.folder)) {
      try {
        preparePlace(place);
        // An existing socket was left by a crash: this process holds the profile's lock.
        const listener = listenLocal({
          path: place.path,
          objectLimit: MAX_REQUEST,
          accept: () => new ServedProcess(this.#account, this.#connections, () => this.#left.resolve()),
        });
        return { path: place.path, listener };
      } catch (error) {
        const isKnown = error instanceof LocalSocketError || error instanceof OpenFolderError;
        if (!isKnown && !isStorageFailure(error)) throw error;
      }
    }
    return undefined;
  }

  /** Passes an event to every process. It is written once, however many there are. */
  event(event: MessengerEvent): void {
    if (this.#connections.size === 0) return;
    const json = eventJson(event);
    if (json === undefined) return;
    const line = encodeFrame(json);
    for (const connection of this.#connections) connection.event(line);
  }

  /** Resolves when no other process needs this one: none is attached, or one stays online, and takes the account next. */
  async unneeded(): Promise<void> {
    while (this.#connections.size > 0 && ![...this.#connections].some(({ staysOnline }) => staysOnline)) {
      this.#left = Promise.withResolvers();
      await this.#left.promise;
    }
  }

  /** Ends the connections, and lets nobody connect any more: the others find out who has the account next. */
  close(): void {
    clearInterval(this.#look);
    this.#listening?.listener.stop();
    this.#listening = undefined;
    for (const connection of [...this.#connections]) connection.end();
  }
}

class ServedProcess implements ConnectionHandlers {
  readonly #account: Account;
  readonly #all: Set<ServedProcess>;
  readonly #seat: Seat;
  readonly #onLeft: () => void;
  #connection: Connection | undefined;
  #unanswered = 0;
  /** Bytes of the answers since everything was read last. A process that does not read them asks for no more. */
  #answered = 0;

  constructor(account: Account, all: Set<ServedProcess>, onLeft: () => void) {
    this.#account = account;
    this.#all = all;
    this.#onLeft = onLeft;
    this.#seat = new Seat(account);
  }

  get staysOnline(): boolean {
    return this.#seat.staysOnline;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    if (this.#all.size >= MAX_PROCESSES) {
      connection.terminate("too_many");
      return;
    }
    this.#all.add(this);
    connection.send(helloJson(this.#account.messenger.username));
  }

  message(object: JsonObject, connection: Connection): void {
    this.#unanswered++;
    void answerTo(object, ({ name, params }) => this.#seat.request(name, params)).then((answer) => {
      this.#unanswered--;
      const line = encodeFrame(answer);
      this.#answered = line.length + (connection.queuedBytes === 0 ? 0 : this.#answered);
      connection.sendText(line);
      this.#readOn(connection);
    });
    if (this.#isBusy(connection)) connection.pauseReading();
  }

  drained(connection: Connection): void {
    this.#readOn(connection);
  }

  /** Whether it has to read answers, or to wait for some, before its next request is carried out. */
  #isBusy({ queuedBytes }: Connection): boolean {
    return this.#unanswered >= MAX_UNANSWERED || queuedBytes > QUEUE_LIMIT;
  }

  #readOn(connection: Connection): void {
    if (!this.#isBusy(connection)) connection.resumeReading();
  }

  fault(fault: ConnectionFault, connection: Connection): void {
    connection.send(faultAnswer(fault));
    // Where the next request begins cannot be found.
    if (fault !== "garbage") connection.end("bad_request");
  }

  closed(): void {
    this.#all.delete(this);
    this.#seat.leave();
    this.#onLeft();
  }

  /** It is not waited for: who does not read is dropped. */
  event(line: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (connection.queuedBytes === 0) this.#answered = 0;
    if (connection.queuedBytes - this.#answered > MAX_UNREAD) connection.terminate("too_slow");
    else connection.sendText(line);
  }

  end(): void {
    this.#connection?.end("closing");
  }
}
