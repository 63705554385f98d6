/** A UDP port on which what is sent to multicast groups of the local network is heard, beside other processes of this machine. */
type Socket = Bun.udp.Socket<"buffer">;

/** Bun's own numbers, which its types do not name: other processes may have the port too; IPv6 only. */
const SHARED = 4;
const SHARED_IPV6 = 5;

export class Multicast {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
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
