/**
 * The meeting port (PROTOCOL 7). A connection shows a ticket in its first 5 s: `observe` is answered at once, and
 * closed; `meet` takes a seat. What else comes closes it without an answer.
 */
import { LineSocket, listenForLines, type LineHandlers } from "../../net/line-socket.ts";
import { ListenError, type Listener } from "../../net/listener.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { networkOf } from "../../protocol/ip-address.ts";
import { readMeetingLine } from "../../protocol/meeting-messages.ts";
import type { MeetingConfig } from "../config.ts";
import { listenWhenFree } from "../listening.ts";
import type { Log } from "../log/log.ts";
import { Tally } from "../limits/tally.ts";
import type { Meetings, MeetingSeat } from "./meetings.ts";
import type { Observations } from "./observations.ts";

/** How long a connection may be without a seat, in ms. */
const TICKET_PATIENCE = 5_000;
/** Connections without a seat of one address, and in all. */
const MAX_UNSEATED_PER_ADDRESS = 16;
const MAX_UNSEATED = 512;
/** When all places are taken, the oldest of at least this age gives way, in ms. */
const MIN_AGE = 1_000;

type State =
  | { readonly name: "unseated" }
  | { readonly name: "seated"; readonly seat: MeetingSeat }
  | { readonly name: "closed" };

class MeetingConnection implements LineHandlers {
  readonly socket: LineSocket;
  readonly #port: MeetingPort;
  #state: State = { name: "unseated" };

  constructor(port: MeetingPort, socket: LineSocket) {
    this.#port = port;
    this.socket = socket;
  }

  line(object: JsonObject): void {
    const line = readMeetingLine(object);
    const { socket } = this;
    if (line === undefined) return socket.terminate();
    if (this.#state.name === "seated") {
      if (!this.#state.seat.line(line)) socket.terminate();
      return;
    }
    if (line.action === "observe") {
      const observed = this.#port.observations.observe(line.ticket, socket);
      if (observed === undefined) return socket.terminate();
      socket.send(observed);
      return socket.end();
    }
    const seat =
      line.action === "meet" ? this.#port.meetings.sit(line.ticket, socket, line.relay === true) : undefined;
    if (seat === undefined) return socket.terminate();
    this.#port.leave(this);
    this.#state = { name: "seated", seat };
  }

  closed(): void {
    const state = this.#state;
    this.#state = { name: "closed" };
    if (state.name === "seated") state.seat.closed();
    else this.#port.leave(this);
  }
}

/** Where clients find the port; without `ip` at the address of the rendezvous link. */
export type MeetingPlace = { readonly ip?: string; readonly port: number };

type Parts = { readonly meetings: Meetings; readonly observations: Observations };

/**
 * @param place `host`: an IP literal, or undefined for all addresses; `patience`: how long a port in use is waited for
 * @returns undefined, which the log says, if a port that nobody has asked for cannot be listened on
 * @throws StartError for another one
 */
export async function openMeetingPort(
  { port, isAsked, hosts }: MeetingConfig,
  { host, patience }: { readonly host: string | undefined; readonly patience: number },
  { log, ...parts }: Parts & { readonly log: Log },
): Promise<MeetingPort | undefined> {
  const open = () => new MeetingPort({ host, port }, hosts, parts);
  if (isAsked) {
    let opened: MeetingPort | undefined;
    await listenWhenFree(host, patience, () => (opened = open()).listener);
    return opened;
  }
  try {
    return open();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    log.warn("no_meeting_port", { port, code: error.code });
    return undefined;
  }
}

export class MeetingPort {
  readonly listener: Listener;
  /** At most one a family. */
  readonly places: readonly MeetingPlace[];
  readonly meetings: Meetings;
  readonly observations: Observations;
  /** Those without a seat, the oldest first. */
  readonly #unseated = new Set<MeetingConnection>();
  readonly #ofAddress = new Tally();

  /** @throws ListenError */
  constructor(
    place: { readonly host: string | undefined; readonly port: number },
    hosts: readonly string[],
    { meetings, observations }: Parts,
  ) {
    this.meetings = meetings;
    this.observations = observations;
    this.listener = listenForLines(place, (socket) => this.#accept(socket));
    const { port } = this.listener;
    this.places = hosts.length === 0 ? [{ port }] : hosts.map((ip) => ({ ip, port }));
  }

  /** The connection has a seat, or is closed. */
  leave(connection: MeetingConnection): void {
    if (this.#unseated.delete(connection)) this.#ofAddress.remove(networkOf(connection.socket.ip));
  }

  /** @param now of `performance.now()` */
  checkDeadlines(now: number): void {
    for (const { socket } of [...this.#unseated]) {
      if (now - socket.since < TICKET_PATIENCE) return;
      socket.terminate();
    }
  }

  stop(): void {
    this.listener.stop();
    for (const { socket } of [...this.#unseated]) socket.terminate();
  }

  #accept(socket: LineSocket): MeetingConnection | undefined {
    const network = networkOf(socket.ip);
    if (this.#ofAddress.of(network) >= MAX_UNSEATED_PER_ADDRESS) return undefined;
    if (this.#unseated.size >= MAX_UNSEATED) {
      const [oldest] = this.#unseated;
      if (oldest === undefined || socket.since - oldest.socket.since < MIN_AGE) return undefined;
      oldest.socket.terminate();
    }
    const connection = new MeetingConnection(this, socket);
    this.#unseated.add(connection);
    this.#ofAddress.add(network);
    return connection;
  }
}
