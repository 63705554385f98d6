/**
 * One connection to the rendezvous server: requests with their answers, notifications, and liveness.
 *
 * 1. The caller gives a verified connection's context; `open` dials and asks `ping`.
 * 2. Every request carries an `id`; its answer comes back as a checked message or a failure.
 * 3. After 30 s of silence it pings; 10 s without a byte later the link is dead.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

import { dial, DialError, type Target } from "../../net/dialler.ts";
import type { CloseReason, Connection, ConnectionHandlers } from "../../net/connection.ts";
import type { TlsContext } from "../../net/tls.ts";
import { readFields, type Fields, type Read } from "../../protocol/fields.ts";
import { RENDEZVOUS_OBJECT_LIMIT, type JsonObject } from "../../protocol/framing.ts";
import {
  RESPONSES,
  RESPONSE_ACTION,
  type Action,
  type ResponseOf,
} from "../../protocol/rendezvous-messages.ts";
import { ServerError } from "./trust.ts";

/** Silence after which the link is pinged, in ms (PROTOCOL 4). */
export const PING_AFTER = 30_000;
/** How long an answer may take, in ms: argon2id behind a full queue of the server included. */
export const REQUEST_TIMEOUT = 25_000;
const PONG_TIMEOUT = 10_000;
const CHECK_INTERVAL = 1_000;
/** Most requests under way; more are a bug of the caller. */
const MAX_PENDING = 1_000;

/** How long no question is asked after `rate_limited`, where the server does not say it and at most, in ms. */
const DEFAULT_LIMIT = 5_000;
const LONGEST_LIMIT = 60 * 60 * 1_000;

/** The server refused a request; `code` is one of PROTOCOL 4's, or one that this client does not know. */
export class RefusedError extends Error {
  readonly code: string;
  /** Seconds, with `rate_limited`. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** How long the question is not asked again, in ms; undefined: another refusal than `rate_limited`. */
  get limitedFor(): number | undefined {
    if (this.code !== "rate_limited") return undefined;
    return this.retryAfter === undefined ? DEFAULT_LIMIT : Math.min(LONGEST_LIMIT, this.retryAfter * 1_000);
  }
}

function refusal({ code, message = "", retry_after }: ResponseOf<"failure">): RefusedError {
  return new RefusedError(code, message, retry_after);
}

type ResponseFields<A extends Action> = Read<
  (typeof RESPONSES)[(typeof RESPONSE_ACTION)[A] & keyof typeof RESPONSES]
>;

export type LinkEvents = {
  presence(username: string, online: boolean): void;
  /** The server ends the session: `session_replaced` or `server_closing`. */
  notified(code: string): void;
  closed(reason: CloseReason): void;
  trace?(direction: "in" | "out", message: JsonObject): void;
};

type Pending = {
  readonly action: Action;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly resolve: (message: JsonObject) => void;
  readonly reject: (error: Error) => void;
};

/** The addresses of a host name or IP literal. @throws ServerError */
export async function resolveHost(host: string, port: number): Promise<Target[]> {
  if (isIP(host) !== 0) return [{ ip: host, port }];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => ({ ip: address, port }));
  } catch {
    // Whatever failed in the name service, the host was not found.
    throw new ServerError("server_unreachable");
  }
}

type State =
  | { readonly name: "dialling" }
  | {
      readonly name: "open";
      readonly connection: Connection;
      readonly livenessCheck: ReturnType<typeof setInterval>;
      /** Of a ping since which nothing was received. */
      pingSentAt: number | undefined;
      /** Why the link ends, as far as it is known: unanswered requests fail with it. */
      endedBy: Error | undefined;
    }
  | { readonly name: "closed" };

export class RendezvousLink {
  readonly #events: LinkEvents;
  readonly #pending = new Map<number, Pending>();
  #state: State = { name: "dialling" };
  #nextId = 1;

  private constructor(events: LinkEvents) {
    this.#events = events;
  }

  /**
   * Dials the server and verifies it by `context`; nothing is sent yet.
   * @throws DialError
   */
  static async open(
    targets: readonly Target[],
    context: TlsContext,
    events: LinkEvents,
    signal?: AbortSignal,
  ): Promise<RendezvousLink> {
    const link = new RendezvousLink(events);
    const connection = await dial({
      targets,
      tls: context,
      objectLimit: RENDEZVOUS_OBJECT_LIMIT,
      handlers: link.#handlers(),
      verify: (_connection, handshake) =>
        handshake.error === undefined && handshake.authorized && !handshake.reused
          ? true
          : (handshake.error ?? "not_authorized"),
      ...(signal === undefined ? {} : { signal }),
    });
    // It may have been closed since the handshake.
    if (link.#state.name === "dialling") {
      const livenessCheck = setInterval(() => link.#checkLiveness(), CHECK_INTERVAL);
      link.#state = { name: "open", connection, livenessCheck, pingSentAt: undefined, endedBy: undefined };
    }
    return link;
  }

  get isOpen(): boolean {
    return this.#state.name === "open" && this.#state.connection.isOpen;
  }

  /**
   * @throws RefusedError when the server refuses, ServerError when the link is lost or the answer is late or
   *   breaks the protocol.
   */
  async request<A extends Action>(action: A, fields: object): Promise<ResponseFields<A>> {
    const state = this.#state;
    if (state.name !== "open" || !state.connection.isOpen || this.#pending.size >= MAX_PENDING) {
      throw new ServerError("server_unreachable");
    }
    const { connection } = state;
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    const timer = setTimeout(() => {
      this.#pending.delete(id);
      reject(new ServerError("server_timeout"));
    }, REQUEST_TIMEOUT);
    this.#pending.set(id, { action, timer, resolve, reject });
    const message = { action, ...fields, id };
    this.#events.trace?.("out", message);
    connection.send(message);
    connection.flush();
    const response = await promise;
    try {
      return readResponse(action, response) as ResponseFields<A>;
    } catch (error) {
      // A server that breaks the protocol gets nothing more.
      if (error instanceof ServerError) connection.terminate(error.code);
      throw error;
    }
  }

  /** Pings now: after a sleep a dead link looks alive. */
  checkNow(): void {
    if (this.#state.name === "open" && this.#state.pingSentAt === undefined) this.#ping(this.#state);
  }

  close(code: string): void {
    if (this.#state.name === "open") this.#state.connection.end(code);
  }

  #handlers(): ConnectionHandlers {
    return {
      message: (object) => {
        if (this.#state.name === "open") this.#state.pingSentAt = undefined;
        this.#events.trace?.("in", object);
        this.#take(object);
      },
      fault: (fault, connection) => {
        if (this.#state.name === "open") this.#state.endedBy = new ServerError("server_protocol");
        connection.terminate(fault);
      },
      overflow: (connection) => connection.terminate("overflow"),
      closed: (reason) => {
        const state = this.#state;
        this.#state = { name: "closed" };
        if (state.name === "open") clearInterval(state.livenessCheck);
        const failure = state.name === "open" ? state.endedBy : undefined;
        for (const { timer, reject } of this.#pending.values()) {
          clearTimeout(timer);
          reject(failure ?? new ServerError("server_unreachable"));
        }
        this.#pending.clear();
        this.#events.closed(reason);
      },
    };
  }

  #take(object: JsonObject): void {
    const { id } = object;
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (pending !== undefined) {
      this.#pending.delete(id as number);
      clearTimeout(pending.timer);
      pending.resolve(object);
      return;
    }
    if (object["action"] === "presence") {
      const presence = readFields(RESPONSES.presence, object);
      if (presence.ok) this.#events.presence(presence.value.username, presence.value.online);
    } else if (object["action"] === "error") {
      const failure = readFields(RESPONSES.failure, object);
      if (!failure.ok || failure.value.request !== undefined) return;
      if (this.#state.name === "open") this.#state.endedBy = refusal(failure.value);
      this.#events.notified(failure.value.code);
    }
  }

  #checkLiveness(): void {
    const state = this.#state;
    if (state.name !== "open") return;
    const { connection, pingSentAt } = state;
    const now = performance.now();
    if (pingSentAt === undefined) {
      if (now - connection.lastReadAt >= PING_AFTER) this.#ping(state);
    } else if (now - pingSentAt >= PONG_TIMEOUT) connection.terminate("dead");
  }

  #ping(state: State & { readonly name: "open" }): void {
    state.pingSentAt = performance.now();
    this.request("ping", {}).catch((error: unknown) => {
      // A refusal is an answer too, and a lost link has reported its own reason.
      if (!(error instanceof ServerError || error instanceof RefusedError)) throw error;
    });
  }
}

function readResponse(action: Action, object: JsonObject): Read<Fields> {
  if (object["success"] === false) {
    const failure = readFields(RESPONSES.failure, object);
    throw failure.ok ? refusal(failure.value) : new ServerError("server_protocol");
  }
  const expected = RESPONSE_ACTION[action];
  const fields = new Map<string, Fields>(Object.entries(RESPONSES)).get(expected);
  if (object["action"] !== expected || fields === undefined) throw new ServerError("server_protocol");
  const read = readFields(fields, object);
  if (!read.ok) throw new ServerError("server_protocol");
  return read.value;
}

/** Whether a failed dial reached a server that did not prove who it is. */
export function wasRefused(error: unknown): boolean {
  return error instanceof DialError && error.code === "refused";
}
