/**
 * One connection to the rendezvous server: requests with their answers, notifications, and liveness.
 *
 * 1. `open` dials the server and verifies it.
 * 2. Every request carries an `id`; its answer comes back as a checked message or a failure.
 * 3. After 30 s of silence it pings; 10 s without a byte later the link is dead. Where the connection itself is gone, as
 *    after our router got another address, the kernel notices it after 2 s.
 */
import type { X509Certificate } from "node:crypto";

import { dial, type Target } from "../../net/dialler.ts";
import type { CloseReason, Connection, ConnectionHandlers } from "../../net/connection.ts";
import type { TlsContext } from "../../net/tls.ts";
import type { Revocation } from "../../identity/revocation.ts";
import { readFields, type Fields, type Read } from "../../protocol/fields.ts";
import { RENDEZVOUS_OBJECT_LIMIT, type JsonObject } from "../../protocol/framing.ts";
import {
  RESPONSES,
  RESPONSE_ACTION,
  type Action,
  type ResponseOf,
} from "../../protocol/rendezvous-messages.ts";
import { RefusedError, ServerError, ServerFailure } from "./server-errors.ts";

/** Silence after which the link is pinged, in ms (PROTOCOL 4). */
export const PING_AFTER = 30_000;
/** How long an answer may take, in ms: the server may compute argon2id after a full queue of others. */
const REQUEST_TIMEOUT = 25_000;
const PONG_TIMEOUT = 10_000;
/** How long the answer may take to a ping that asks whether the link is still there, in ms. */
const PROBE_TIMEOUT = 2_000;
/** Silence after which the kernel asks, in s. */
const KEEPALIVE = 2;
const CHECK_INTERVAL = 1_000;
const FEWEST_CHECKS = 2;
/** Limit of unanswered requests; only a bug of the caller exceeds it. */
const MAX_PENDING = 1_000;

const REACH_PUSHES = ["reachable", "meet_request", "go", "gone"] as const;

function refusal({ code, message = "", retry_after }: ResponseOf<"failure">): RefusedError {
  return new RefusedError(code, message, retry_after);
}

type ResponseFields<A extends Action> = Read<
  (typeof RESPONSES)[(typeof RESPONSE_ACTION)[A] & keyof typeof RESPONSES]
>;

/** What the server pushes of section 7. */
export type ReachPush = {
  [A in (typeof REACH_PUSHES)[number]]: { readonly action: A } & ResponseOf<A>;
}[(typeof REACH_PUSHES)[number]];

export type LinkEvents = {
  /** @param moved they are still online, at other addresses: links to them may be dead */
  presence(username: string, online: boolean, moved: boolean): void;
  reach(push: ReachPush): void;
  /** The server has taken certificates back. */
  revoked(revocations: readonly Revocation[]): void;
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

type State =
  | { readonly name: "dialling" }
  | {
      readonly name: "open";
      readonly connection: Connection;
      readonly livenessCheck: ReturnType<typeof setInterval>;
      /**
       * A ping was sent, and nothing was received after it. `due`: until when it must be, and `checks` more of the liveness
       * must have found nothing: after this process was stalled its timers run before what has arrived is read.
       */
      awaited: { readonly due: number; checks: number } | undefined;
      /** Why the link ends, if known: unanswered requests fail with this error. */
      endedBy: Error | undefined;
    }
  | { readonly name: "closed" };

export class RendezvousLink {
  /** All known addresses of the server. */
  readonly targets: readonly Target[];
  readonly #events: LinkEvents;
  readonly #pending = new Map<number, Pending>();
  #state: State = { name: "dialling" };
  #nextId = 1;
  #openedIn = 0;

  private constructor(targets: readonly Target[], events: LinkEvents) {
    this.targets = targets;
    this.#events = events;
  }

  /**
   * Dials the server and verifies it by `context`. Sends nothing.
   * @throws DialError
   */
  static async open(
    targets: readonly Target[],
    context: TlsContext,
    events: LinkEvents,
    signal?: AbortSignal,
  ): Promise<RendezvousLink> {
    const link = new RendezvousLink(targets, events);
    const begun = performance.now();
    const connection = await dial({
      targets,
      tls: context,
      objectLimit: RENDEZVOUS_OBJECT_LIMIT,
      handlers: link.#handlers(),
      verify: (_connection, handshake) =>
        handshake.error === undefined && handshake.authorized && !handshake.reused
          ? true
          : (handshake.error ?? "not_authorized"),
      sharesLocalPort: true,
      ...(signal === undefined ? {} : { signal }),
    });
    link.#openedIn = performance.now() - begun;
    // The connection may have closed since the handshake.
    if (link.#state.name === "dialling") {
      const livenessCheck = setInterval(() => link.#checkLiveness(), CHECK_INTERVAL);
      link.#state = { name: "open", connection, livenessCheck, awaited: undefined, endedBy: undefined };
      connection.setKeepAlive(KEEPALIVE);
    }
    return link;
  }

  /** How long the dials and the TLS handshake took, in ms. */
  get openedIn(): number {
    return this.#openedIn;
  }

  /** The server's address; undefined: the link is closed. */
  get remoteAddress(): string | undefined {
    return this.#state.name === "open" ? this.#state.connection.remoteAddress : undefined;
  }

  /** From which the meeting port can be dialled, too; undefined: the link is closed. */
  get localPort(): number | undefined {
    return this.#state.name === "open" ? this.#state.connection.localPort : undefined;
  }

  get isOpen(): boolean {
    return this.#state.name === "open" && this.#state.connection.isOpen;
  }

  /** The certificate that the server showed on this connection; undefined once it has closed. */
  get leaf(): X509Certificate | undefined {
    return this.#state.name === "open" ? this.#state.connection.certificate : undefined;
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
      if (error instanceof ServerError) connection.terminate(error.code);
      throw error;
    }
  }

  /** Pings at once: after a sleep of the machine a dead link looks alive. */
  checkNow(): void {
    if (this.#state.name === "open") this.#ping(this.#state, PROBE_TIMEOUT);
  }

  close(code: string): void {
    if (this.#state.name === "open") this.#state.connection.end(code);
  }

  #handlers(): ConnectionHandlers {
    return {
      message: (object) => {
        if (this.#state.name === "open") this.#state.awaited = undefined;
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
      if (!presence.ok) return;
      const { username, online, moved = false } = presence.value;
      this.#events.presence(username, online, moved);
    } else if (object["action"] === "revoked") {
      const told = readFields(RESPONSES.revoked, object);
      if (told.ok) this.#events.revoked(told.value.revoked);
    } else if (isReachPush(object["action"])) {
      const { action } = object;
      const push = readFields(RESPONSES[action], object);
      if (push.ok) this.#events.reach({ action, ...push.value } as ReachPush);
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
    const { connection, awaited } = state;
    const now = performance.now();
    if (awaited === undefined) {
      if (now - connection.lastReadAt >= PING_AFTER) this.#ping(state, PONG_TIMEOUT);
    } else if (--awaited.checks <= 0 && now >= awaited.due) connection.terminate("dead");
  }

  #ping(state: State & { readonly name: "open" }, timeout: number): void {
    state.awaited = { due: performance.now() + timeout, checks: FEWEST_CHECKS };
    this.request("ping", {}).catch((error: unknown) => {
      // A refusal is an answer too, and `closed` reports a lost link.
      if (!(error instanceof ServerFailure)) throw error;
    });
  }
}

function isReachPush(action: unknown): action is ReachPush["action"] {
  return REACH_PUSHES.some((each) => each === action);
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
