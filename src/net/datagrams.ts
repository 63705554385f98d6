/** UDP: a port on which what is sent to groups of the local network is heard, and questions of one datagram. */

import { wildcardOf } from "../protocol/ip-address.ts";
import { errorCode } from "./error-code.ts";

/** Flags of Bun's, which its types do not name: other processes may have the port too. */
const SHARED = 4;
const SHARED_IPV6 = 5;

/** A port for groups, which other processes of this machine may have too. */
export class Multicast {
  readonly #socket: Bun.udp.Socket<"buffer">;

  private constructor(socket: Bun.udp.Socket<"buffer">) {
    this.#socket = socket;
  }

  /**
   * @param received is called with the address that has sent a datagram, with its zone if it is link-local
   * @throws system errors, as EADDRINUSE for a port that another user's process has
   */
  static async open(
    family: "IPv4" | "IPv6",
    port: number,
    received: (datagram: Buffer, from: string) => void,
  ): Promise<Multicast> {
    const options: Bun.udp.SocketOptions<"buffer"> & { flags: number } = {
      hostname: family === "IPv4" ? "0.0.0.0" : "::",
      port,
      flags: family === "IPv4" ? SHARED : SHARED_IPV6,
      socket: {
        data: (_socket, datagram, _port, from) => received(datagram, from),
        // As an ICMP message says that a datagram has not arrived: nobody waits for an answer.
        error: () => undefined,
      },
    };
    const socket = await Bun.udpSocket(options);
    // No router passes it on.
    socket.setMulticastTTL(1);
    return new Multicast(socket);
  }

  /** @param via an IPv4 address of the interface, or «::%» and its name. @throws system errors */
  join(group: string, via: string): void {
    this.#socket.addMembership(group, via);
  }

  /** @param via as for `join`. @throws system errors, as ENETUNREACH on an interface without a carrier */
  send(datagram: Buffer, group: string, via: string): void {
    this.#socket.setMulticastInterface(via);
    this.#socket.send(datagram, this.#socket.port, group);
  }

  close(): void {
    this.#socket.close();
  }
}

export type DatagramQuestion<T> = {
  /** Whom to ask. */
  readonly ip: string;
  readonly port: number;
  /** Only what comes from there is an answer, and that nobody listens there is known at once. A group has many. */
  readonly isGroup?: boolean;
  /** This machine's address to send from; undefined: the system chooses. */
  readonly from?: string;
  /** @param local this machine's address */
  request(local: string): Buffer;
  /** Undefined: it is no answer. */
  read(datagram: Buffer, from: string): T | undefined;
  /** When it is sent again, in ms after the first time. */
  readonly repeats: readonly number[];
  /** In ms. */
  readonly timeout: number;
};

/** @returns the answer, or the code of why there is none: `no_answer`, or a system error as ECONNREFUSED */
export async function askByDatagram<T extends object>(question: DatagramQuestion<T>): Promise<T | string> {
  const { promise, resolve } = Promise.withResolvers<T | string>();
  const { ip, port, from, isGroup = false } = question;
  const hostname = from ?? wildcardOf(ip);
  const data = (datagram: Buffer, sender: string) => {
    const answer = question.read(datagram, sender);
    if (answer !== undefined) resolve(answer);
  };
  const timers: ReturnType<typeof setTimeout>[] = [];
  let close = () => {};
  try {
    let send: () => void;
    if (isGroup) {
      const socket = await Bun.udpSocket({
        hostname,
        socket: {
          data: (_socket, datagram, _port, sender) => data(datagram, sender),
          error: () => undefined,
        },
      });
      close = () => socket.close();
      if (from !== undefined) socket.setMulticastInterface(from);
      const request = question.request(socket.address.address);
      send = () => void socket.send(request, port, ip);
    } else {
      const socket = await Bun.udpSocket({
        hostname,
        connect: { hostname: ip, port },
        socket: {
          data: (_socket, datagram, _port, sender) => data(datagram, sender),
          error: (...args: unknown[]) => resolve(errorCode(args.at(-1))),
        },
      });
      close = () => socket.close();
      const request = question.request(socket.address.address);
      send = () => void socket.send(request);
    }
    const attempt = () => {
      try {
        send();
      } catch (error) {
        resolve(errorCode(error));
      }
    };
    attempt();
    for (const after of question.repeats) timers.push(setTimeout(attempt, after));
    timers.push(setTimeout(() => resolve("no_answer"), question.timeout));
    return await promise;
  } catch (error) {
    return errorCode(error);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    close();
  }
}
