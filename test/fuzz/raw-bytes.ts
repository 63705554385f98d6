/** Bytes that a port does not expect: noise, other protocols, handshakes that are cut off or corrupted. */
import type { SeededRandom } from "../seeded-random.ts";
import { RawPeer } from "../integration/raw-peer.ts";
import { within } from "./fuzz-failure.ts";
import { cut, damaged, noise } from "./transmission.ts";

/** The first bytes of a TLS 1.3 handshake, as Bun's client sends them. */
export async function clientHello(serverName: string): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket, bytes) => {
        resolve(Buffer.from(bytes));
        socket.terminate();
      },
    },
  });
  const client = await RawPeer.dial(listener.port, { tls: { serverName } });
  listener.stop(true);
  client.terminate();
  return promise;
}

/** Connects, writes something other than a whole handshake, and leaves. */
export async function rawVisit(
  port: number,
  hello: Buffer,
  random: SeededRandom,
  deadline: number,
): Promise<number> {
  const peer = await RawPeer.dial(port, { tls: false });
  const bytes = rawBytes(hello, random);
  for (const piece of cut(bytes, random)) {
    if (peer.isClosed) break;
    peer.write(piece);
    await turn();
  }
  // Half of them wait until the other side reacts, mostly by closing.
  for (let turns = random.integer(20); turns > 0 && !peer.isClosed; turns--) await turn();
  if (random.integer(2) === 0) peer.end();
  peer.terminate();
  await within(deadline, peer.closed, () => "a raw connection does not close");
  return bytes.length;
}

function rawBytes(hello: Buffer, random: SeededRandom): Buffer {
  switch (random.integer(6)) {
    case 0:
      return hello.subarray(0, random.integer(hello.length));
    case 1:
      return damaged(hello, random);
    case 2:
      return Buffer.concat([hello, Buffer.from(random.bytes(random.integer(600)))]);
    case 3:
      // A record header with a length that is too large, or with an unknown version.
      return Buffer.from(
        random.pick(["160301ffff", "1603010000", "8080010301", "16030100020100", "15030300020228"]),
        "hex",
      );
    case 4:
      return Buffer.from(
        '{"action":"ping"}\n{"action":"hello","protocol":1,"username":"ana","features":[]}\n',
      );
    default:
      return Buffer.concat(Array.from({ length: 1 + random.integer(4) }, () => noise(random)));
  }
}

/** Lets sockets read and write. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
