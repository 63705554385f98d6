/** A process's connection to the one that has the account online. */
import type { Connection, ConnectionHandlers } from "../../net/connection.ts";
import { connectLocal, LocalSocketError } from "../../net/local-socket.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { isStorageFailure } from "../disk/sqlite.ts";
import { errorOf } from "../error-json.ts";
import type { Params, RequestName, Result } from "./requests.ts";
import { checkOwnFolder, OpenFolderError, SHARING_PROTOCOL, socketPlaces } from "./socket-place.ts";

/** Largest answer, in bytes: the list of a hundred thousand people is 20 MiB. */
const MAX_ANSWER = 64 * 1024 * 1024;
/** How long the other process may take for its first line, in ms. */
const HELLO_TIMEOUT = 25_000;

/** The process that has the account online is of another version of this program, whose protocol differs. */
export class OtherVersionError extends Error {
  readonly version: string;

  constructor(version: string) {
    super(`the account is online in a process of version ${version}`);
    this.version = version;
  }
}

/** The other process has ended, or does not answer. */
export class ServingEndedError extends Error {}

export type AttachmentEvents = {
  event(json: JsonObject): void;
  /** The connection has ended after the greeting; nothing follows. */
  ended(): void;
};

export class Attachment implements ConnectionHandlers {
  readonly #events: AttachmentEvents;
  readonly #hello = Promise.withResolvers<void>();
  readonly #requests = new Map<number, PromiseWithResolvers<JsonObject>>();
  #nextId = 1;
  #connection: Connection | undefined;
  /** It has greeted. */
  #isAttached = false;

  private constructor(events: AttachmentEvents) {
    this.#events = events;
  }

  /**
   * Connects to the process that serves this profile.
   * @returns undefined: no process listens
   * @throws OtherVersionError; ServingEndedError if a process listens and does not greet
   */
  static async to(profileFolder: string, events: AttachmentEvents): Promise<Attachment | undefined> {
    for (const { folder, path } of socketPlaces(profileFolder)) {
      const attachment = new Attachment(events);
      try {
        checkOwnFolder(folder);
        await connectLocal(path, MAX_ANSWER, attachment);
      } catch (error) {
        const isNobody = error instanceof LocalSocketError || error instanceof OpenFolderError;
        if (!isNobody && !isStorageFailure(error)) throw error;
        continue;
      }
      const timer = setTimeout(() => attachment.#connection?.terminate("no_hello"), HELLO_TIMEOUT);
      await attachment.#hello.promise.finally(() => clearTimeout(timer));
      return attachment;
    }
    return undefined;
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
  }

  message(object: JsonObject, connection: Connection): void {
    const { event, id } = object;
    if (event === "hello") {
      if (object["protocol"] === SHARING_PROTOCOL) {
        this.#isAttached = true;
        this.#hello.resolve();
      } else {
        this.#hello.reject(new OtherVersionError(String(object["version"])));
        connection.terminate("other_version");
      }
    } else if (event !== undefined) this.#events.event(object);
    else if (typeof id === "number") {
      const request = this.#requests.get(id);
      this.#requests.delete(id);
      if ("error" in object) request?.reject(errorOf(object["error"]));
      else request?.resolve(object["result"] as JsonObject);
    }
  }

  fault(fault: string, connection: Connection): void {
    connection.terminate(fault);
  }

  closed(): void {
    const error = new ServingEndedError("ended");
    this.#hello.reject(error);
    // Nobody waits for the greeting of a connection that is over.
    this.#hello.promise.catch(() => undefined);
    for (const request of this.#requests.values()) request.reject(error);
    this.#requests.clear();
    if (this.#isAttached) this.#events.ended();
  }

  /** @throws ServingEndedError if the other process ends first, and as the request */
  async request<N extends RequestName>(command: N, params: Params<N>): Promise<Result<N>> {
    const connection = this.#connection;
    if (connection?.isOpen !== true) throw new ServingEndedError("ended");
    const id = this.#nextId++;
    const answer = Promise.withResolvers<JsonObject>();
    this.#requests.set(id, answer);
    connection.send({ id, command, ...params });
    return (await answer.promise) as Result<N>;
  }

  close(): void {
    this.#connection?.end("done");
  }
}
