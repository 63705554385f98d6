/** Carries out a client's side of a meeting: its sockets, its timers, and what the server says of it. */
import type { Clock } from "../../net/clock.ts";
import type { Connection, ConnectionHandlers } from "../../net/connection.ts";
import type { Target } from "../../net/dialler.ts";
import type { dialForLines, LineSocket } from "../../net/line-socket.ts";
import type { TlsContext } from "../../net/tls.ts";
import { readFields } from "../../protocol/fields.ts";
import { PEER_OBJECT_LIMIT, type JsonObject } from "../../protocol/framing.ts";
import type { Family } from "../../protocol/ip-address.ts";
import { MEETING_ANSWERS } from "../../protocol/meeting-messages.ts";
import type { Tried } from "../peer/attempts.ts";
import type { LinkWay } from "../peer/proven-connection.ts";
import { Meeting, type Go, type MeetingEffect, type MeetingFailure, type Purpose } from "./meeting.ts";

/** What becomes of the connections of a meeting. */
export type MeetingEnd = {
  /** The decider is the acceptor. */
  readonly role: "acceptor" | "dialler";
  /** Undefined: we have no good certificate. */
  context(): TlsContext | undefined;
  /** The handlers of a connection that begins its handshake; undefined: there is no place for it. */
  handlers(way: LinkWay, address: string): ConnectionHandlers | undefined;
};

export type MeetingPlan = {
  readonly ticket: string;
  readonly purpose: Purpose;
  /** The meeting port. */
  readonly places: ReadonlyMap<Family, Target>;
  readonly mayRelay: boolean;
  /** Neither side is told the other's address. */
  readonly isRelayOnly: boolean;
  /** Takes a dial to the address of a `go`. @returns whether it may be made */
  mayDial(target: Target): boolean;
};

type MeetingRunNeeds = {
  /** Takes note of each step. */
  tried?(tried: Tried): void;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly dialForLines: typeof dialForLines;
};

export class MeetingRun {
  readonly #needs: MeetingRunNeeds;
  readonly #plan: MeetingPlan;
  readonly #end: MeetingEnd;
  readonly #meeting: Meeting;
  readonly #seats = new Map<Family, LineSocket>();
  /** The local port of each seat, from which is dialled. */
  readonly #localPorts = new Map<Family, number>();
  /** Those whose handshake is under way. */
  readonly #unproven = new Set<Connection>();
  readonly #result = Promise.withResolvers<MeetingFailure | undefined>();
  #cancelWake: () => void = () => undefined;

  constructor(needs: MeetingRunNeeds, plan: MeetingPlan, end: MeetingEnd) {
    this.#needs = needs;
    this.#plan = plan;
    this.#end = end;
    this.#meeting = new Meeting({
      isDecider: end.role === "acceptor",
      purpose: plan.purpose,
      mayRelay: plan.mayRelay,
      families: [...plan.places.keys()],
      now: needs.clock.monotonic(),
    });
  }

  /** Resolves to undefined when a connection was proven, or `leave` was called. */
  get ended(): Promise<MeetingFailure | undefined> {
    return this.#result.promise;
  }

  begin(): void {
    for (const [family, place] of this.#plan.places) this.#takeSeat(family, place);
    this.#wakeLater();
  }

  go({ ip, port, ...go }: Go): void {
    // The server may be hostile, and name an address nevertheless.
    const target = this.#plan.isRelayOnly || ip === undefined || port === undefined ? {} : { ip, port };
    const { family, rtt_ms } = go;
    this.#needs.tried?.({ way: "meeting", step: "go", family, rtt_ms, ...target });
    this.#apply(this.#meeting.go({ ...go, ...target }, this.#needs.clock.monotonic()));
  }

  gone(): void {
    this.#apply(this.#meeting.gone());
  }

  /** No connection is wanted any more; those that were proven are not touched. */
  leave(): void {
    this.#apply(this.#meeting.leave());
    for (const connection of [...this.#unproven]) connection.terminate("abandoned");
  }

  #takeSeat(family: Family, place: Target): void {
    const took = this.#stopwatch();
    const closed = () => {
      this.#seats.delete(family);
      this.#apply(this.#meeting.seatClosed(family));
    };
    this.#needs.dialForLines(place, 0, {
      opened: (socket) => {
        if (this.#meeting.isOver) {
          socket.terminate();
          return;
        }
        this.#needs.tried?.({ way: "meeting", step: "seat", family, ms: took() });
        this.#seats.set(family, socket);
        this.#localPorts.set(family, socket.localPort);
        const { ticket, isRelayOnly } = this.#plan;
        socket.send({ action: "meet", ticket, ...(isRelayOnly && { relay: true }) });
        this.#apply(this.#meeting.seated(family));
      },
      failed: (code) => {
        this.#needs.tried?.({ way: "meeting", step: "seat", family, ms: took(), code });
        closed();
      },
      line: (object) => this.#takeLine(family, object),
      closed,
    });
  }

  #takeLine(family: Family, object: JsonObject): void {
    switch (object["action"]) {
      case "ping": {
        const ping = readFields(MEETING_ANSWERS.ping, object);
        if (ping.ok) this.#apply(this.#meeting.ping(family, ping.value.n));
        return;
      }
      case "spliced":
        this.#apply(this.#meeting.spliced(family));
        return;
      case "error":
        this.#apply(this.#meeting.relayFull());
        return;
      default:
      // A later server may say more.
    }
  }

  #apply(effects: readonly MeetingEffect[]): void {
    for (const effect of effects) {
      switch (effect.name) {
        case "say":
          this.#seats.get(effect.family)?.send(effect.line);
          break;
        case "dial":
          this.#dial(effect.family, effect);
          break;
        case "secureSeat": {
          const seat = this.#seats.get(effect.family);
          this.#seats.delete(effect.family);
          if (seat === undefined) break;
          this.#needs.tried?.({ way: "relayed", family: effect.family });
          this.#secure(seat, "relayed", () => this.#apply(this.#meeting.relayClosed()));
          break;
        }
        case "closeSeat":
          this.#seats.get(effect.family)?.end();
          break;
        case "ended":
          if (effect.failure !== undefined)
            this.#needs.tried?.({ way: "meeting", step: "end", code: effect.failure });
          this.#result.resolve(effect.failure);
          break;
        default:
          effect satisfies never;
      }
    }
    this.#wakeLater();
  }

  #dial(family: Family, target: Target): void {
    const took = this.#stopwatch();
    const { ip, port } = target;
    const ended = (code?: string) =>
      this.#needs.tried?.({ way: "punched", family, ip, port, ms: took(), code });
    const failed = (code: string) => {
      ended(code);
      this.#apply(this.#meeting.dialFailed(family, this.#needs.clock.monotonic()));
    };
    if (!this.#plan.mayDial(target)) {
      failed("too_many_dials");
      return;
    }
    this.#needs.dialForLines(target, this.#localPorts.get(family) ?? 0, {
      opened: (socket) => {
        if (!this.#meeting.dialOpened(family)) {
          socket.terminate();
          return;
        }
        ended();
        this.#secure(socket, "punched", () =>
          this.#apply(this.#meeting.openClosed(family, this.#needs.clock.monotonic())),
        );
      },
      failed,
      line: () => undefined,
      closed: () => undefined,
    });
  }

  /** @param closed it has closed before it was proven */
  #secure(socket: LineSocket, way: LinkWay, closed: () => void): void {
    const context = this.#end.context();
    const handlers = context === undefined ? undefined : this.#end.handlers(way, socket.ip);
    if (context === undefined || handlers === undefined) {
      socket.terminate();
      closed();
      return;
    }
    socket.secure(this.#end.role, context, PEER_OBJECT_LIMIT, {
      ...handlers,
      accepted: (connection) => {
        this.#unproven.add(connection);
        handlers.accepted?.(connection);
      },
      secured: (secured, handshake) => {
        this.#unproven.delete(secured);
        if (handlers.secured?.(secured, handshake) !== true) {
          closed();
          return false;
        }
        this.#apply(this.#meeting.leave());
        return true;
      },
      closed: (reason, gone) => {
        handlers.closed(reason, gone);
        if (this.#unproven.delete(gone)) closed();
      },
    });
  }

  /** @returns how long ago it was called, in ms */
  #stopwatch(): () => number {
    const begun = this.#needs.clock.monotonic();
    return () => Math.round(this.#needs.clock.monotonic() - begun);
  }

  #wakeLater(): void {
    this.#cancelWake();
    const { wakeAt } = this.#meeting;
    if (wakeAt === Infinity) return;
    const wait = Math.max(0, wakeAt - this.#needs.clock.monotonic());
    this.#cancelWake = this.#needs.clock.after(wait, () =>
      this.#apply(this.#meeting.checkDeadlines(this.#needs.clock.monotonic())),
    );
  }
}
