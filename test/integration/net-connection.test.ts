import { afterEach, describe, expect, test } from "bun:test";

import {
  CLOSE_TIMEOUT,
  Connection,
  HANDSHAKE_TIMEOUT,
  OBJECT_TIMEOUT,
  SOCKET_HANDLERS,
} from "../../src/net/connection.ts";
import { dial } from "../../src/net/dialler.ts";
import { listen, type Listener } from "../../src/net/listener.ts";
import { QUEUE_LIMIT } from "../../src/net/outgoing.ts";
import { acceptorContext, diallerContext, startTls } from "../../src/net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { connectPlain, connectRaw, newAuthority, Recorder, serverIdentity } from "./loopback.ts";

const authority = newAuthority();
const identity = serverIdentity(authority);
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

type Link = "plain" | "TLS";
type Pair = { near: Connection; client: Recorder; far: Connection; server: Recorder };

function serve(link: Link, server: Recorder | undefined): Listener {
  const listener = listen({
    host: "127.0.0.1",
    port: 0,
    objectLimit: PEER_OBJECT_LIMIT,
    ...(link === "TLS" ? { tls: () => ({ context: acceptorContext(identity) }) } : {}),
    accept: () => server,
  });
  cleanups.push(() => listener.stop());
  return listener;
}

async function connectTo(link: Link, port: number, client: Recorder): Promise<Connection> {
  if (link === "plain") return connectPlain(port, client);
  return dial({
    targets: [{ ip: "127.0.0.1", port }],
    tls: diallerContext({ authority: authority.certificatePem, serverName: "rendezvous.paloma" }),
    objectLimit: PEER_OBJECT_LIMIT,
    handlers: client,
    verify: (_connection, handshake) => handshake.authorized || "not_authorized",
  });
}

async function pair(link: Link): Promise<Pair> {
  const [client, server] = [new Recorder(), new Recorder()];
  const near = await connectTo(link, serve(link, server).port, client);
  await server.until(() => server.opens === 1);
  const far = server.connection as Connection;
  cleanups.push(
    () => near.terminate("test_over"),
    () => far.terminate("test_over"),
  );
  return { near, client, far, server };
}

const FILLER = "ñ".repeat(4_000);
const NUMBERED_BYTES = 8_000;

function sendNumbered(connection: Connection, count: number): void {
  for (let n = 0; n < count; n++) connection.send({ n, FILLER });
}

/**
 * How much the kernel takes in one turn is its own matter: it grows the buffers of a busy connection to tens of MiB.
 * @returns how many were sent
 */
function sendUntilOverflow(connection: Connection, client: Recorder): number {
  const { overflows } = client;
  let count = 0;
  while (client.overflows === overflows) connection.send({ n: count++, FILLER });
  return count;
}

function expectNumbered(recorder: Recorder, count: number): void {
  expect(recorder.objects.length).toBe(count);
  const wrong = recorder.objects.findIndex((object, n) => object["n"] !== n || object["FILLER"] !== FILLER);
  expect(wrong).toBe(-1);
}

/**
 * Counts the overflows that were relieved. A queue that stays under the limit may be blocked and drain as well,
 * as often as the kernel likes.
 */
function countReliefs(client: Recorder, relieved: (count: number, connection: Connection) => void): void {
  let count = 0;
  client.onDrained = (connection) => {
    if (client.overflows > count) relieved(++count, connection);
  };
}

describe.each<Link>(["plain", "TLS"])("a %s connection", (link) => {
  test("brings 8 MiB to a slow reader whole and in order, and reports overflow and drain once each", async () => {
    const { near, client, server } = await pair(link);
    server.onMessage = (object, connection) => {
      // Reading stops at the first object and again every hundred, each time until the sender stands still.
      if ((object["n"] as number) % 100 !== 0) return;
      connection.pauseReading();
      setImmediate(() => connection.resumeReading());
    };
    const count = Math.ceil((8 * 1024 * 1024) / NUMBERED_BYTES);
    let reliefs = 0;
    countReliefs(client, (relieved) => {
      reliefs = relieved;
    });
    sendNumbered(near, count);
    expect(client.overflows).toBe(1);
    expect(near.queuedBytes).toBeGreaterThan(QUEUE_LIMIT);
    await server.until(() => server.objects.length === count);
    await client.until(() => reliefs > 0);
    expectNumbered(server, count);
    expect(client.overflows).toBe(1);
    expect(reliefs).toBe(1);
    expect(near.queuedBytes).toBe(0);
    expect(server.faults).toEqual([]);
  });

  test("can overflow again after it drained", async () => {
    const { near, client, server } = await pair(link);
    let reliefs = 0;
    countReliefs(client, (relieved, connection) => {
      reliefs = relieved;
      if (relieved === 1) sent += sendUntilOverflow(connection, client);
    });
    let sent = sendUntilOverflow(near, client);
    await client.until(() => reliefs === 2);
    expect(client.overflows).toBe(2);
    await server.until(() => server.objects.length === sent);
  });

  test("carries bytes after an object and its one line feed, and those behind a pause before it closes", async () => {
    const { near, far, client, server } = await pair(link);
    const bytes = Buffer.from("\n{} is no object\n".repeat(100_000));
    const chunks: Uint8Array[] = [];
    server.onMessage = (_object, connection) => {
      connection.readBytes();
      connection.pauseReading();
      setImmediate(() => connection.resumeReading());
    };
    server.onBytes = (chunk, connection) => {
      if (chunks.push(chunk) % 3 === 1) connection.pauseReading();
      setImmediate(() => connection.resumeReading());
    };
    near.send({ action: "stream" });
    near.sendBytes(bytes);
    const shut = () => near.queuedBytes === 0 && near.shutdown();
    client.onDrained = shut;
    shut();
    await server.closing();
    expect(server.objects).toEqual([{ action: "stream" }]);
    expect(server.faults).toEqual([]);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(server.reasons).toEqual([{ name: "remote" }]);
    expect(far.handledBytes).toBe(bytes.length + `{"action":"stream"}\n`.length);
    await client.closing();
    expect(client.reasons).toEqual([{ name: "remote" }]);
  });

  test("reports anything but a line feed between an object and bytes", async () => {
    const { near, server } = await pair(link);
    server.onMessage = (_object, connection) => connection.readBytes();
    near.sendBytes(Buffer.from('{"action":"stream"} bytes'));
    await server.until(() => server.faults.length > 0);
    expect(server.faults).toEqual(["garbage"]);
  });

  test("still reads after it has closed its own side", async () => {
    const { near, far, client } = await pair(link);
    far.send({ action: "ping" });
    far.flush();
    near.shutdown();
    await client.until(() => client.objects.length === 1);
  });

  test("end delivers all that is queued, though the other side is sending too", async () => {
    const { near, client, far, server } = await pair(link);
    const count = 800;
    far.pauseReading();
    sendNumbered(near, count);
    near.end("finished");
    expect(near.queuedBytes).toBeGreaterThan(0);
    // What arrives after our end is read and dropped; it must not turn into a reset.
    sendNumbered(far, 50);
    far.resumeReading();
    await Promise.all([server.closing(), client.closing()]);
    expectNumbered(server, count);
    expect(server.reasons).toEqual([{ name: "remote" }]);
    expect(client.reasons).toEqual([{ name: "local", code: "finished" }]);
  });

  test("end closes at once where nothing is queued, and goes on reading nothing", async () => {
    const { near, client, server } = await pair(link);
    near.end("idle");
    expect(near.isOpen).toBe(false);
    near.send({ late: true });
    await Promise.all([server.closing(), client.closing()]);
    expect(server.objects).toEqual([]);
  });

  test("a read that its reader ends goes on in later turns, whole and in order", async () => {
    const { near, server } = await pair(link);
    const perTurn: number[] = [];
    let isNewTurn = true;
    server.onMessage = (object, connection) => {
      if (isNewTurn) {
        perTurn.push(0);
        isNewTurn = false;
        setImmediate(() => (isNewTurn = true));
      }
      perTurn[perTurn.length - 1]!++;
      if (((object["n"] as number) + 1) % 10 === 0) connection.endRead();
    };
    sendNumbered(near, 200);
    await server.until(() => server.objects.length === 200);
    expectNumbered(server, 200);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(10);
  });

  test("the time to close begins anew while the other side still takes what is queued", async () => {
    const { near, client, far, server } = await pair(link);
    const count = 1_600;
    far.pauseReading();
    sendNumbered(near, count);
    near.end("finished");
    const ended = performance.now();
    expect(near.queuedBytes).toBeGreaterThan(0);
    server.onMessage = (object, connection) => {
      if (object["n"] === count / 2) connection.pauseReading();
    };
    far.resumeReading();
    await server.until(() => server.objects.length > count / 2);
    // It took a part since; a deadline that counted from our end would cut it off here.
    near.checkDeadlines(ended + CLOSE_TIMEOUT);
    expect(client.reasons).toEqual([]);
    far.resumeReading();
    await server.closing();
    expectNumbered(server, count);
  });

  test("a side that takes nothing more after our end is cut off at the deadline", async () => {
    const { near, client, far } = await pair(link);
    far.pauseReading();
    sendNumbered(near, 1_600);
    near.end("finished");
    near.checkDeadlines(performance.now() + CLOSE_TIMEOUT + 1);
    expect(client.reasons).toEqual([{ name: "local", code: "finished" }]);
    expect(near.queuedBytes).toBe(0);
  });

  test("terminate closes at once, notifies each side once, and keeps the first reason", async () => {
    const { near, client, server } = await pair(link);
    near.send({ n: 1 });
    near.terminate("first");
    near.terminate("second");
    near.end("third");
    expect(client.reasons).toEqual([{ name: "local", code: "first" }]);
    await server.closing();
    expect(server.reasons.length).toBe(1);
    // Whatever the kernel still reports of the dead socket must not be reported again.
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.reasons.length).toBe(1);
    expect(near.isClosed).toBe(true);
  });

  test("pausing in the middle of a read loses nothing, and the end is seen after the last object", async () => {
    const { near, far, server } = await pair(link);
    server.onMessage = (_object, connection) => connection.pauseReading();
    for (let n = 0; n < 20; n++) near.send({ n });
    near.end("finished");
    for (let n = 1; n <= 20; n++) {
      await server.until(() => server.objects.length === n);
      expect(server.objects.length).toBe(n);
      expect(server.reasons).toEqual([]);
      far.resumeReading();
    }
    await server.closing();
    expect(server.objects.map((object) => object["n"])).toEqual([...Array(20).keys()]);
    expect(server.reasons).toEqual([{ name: "remote" }]);
  });

  test("calls only the handlers that it was handed over to, from the very next object on", async () => {
    const { near, server } = await pair(link);
    const next = new Recorder();
    server.onMessage = (_object, connection) => connection.handOverTo(next);
    for (let n = 0; n < 3; n++) near.send({ n });
    near.end("finished");
    await next.closing();
    expect(server.objects).toEqual([{ n: 0 }]);
    expect(next.objects).toEqual([{ n: 1 }, { n: 2 }]);
    expect(next.reasons).toEqual([{ name: "remote" }]);
    expect(server.reasons).toEqual([]);
  });

  test("nothing is handed over after a handler closed the connection", async () => {
    const { near, server } = await pair(link);
    server.onMessage = (_object, connection) => connection.terminate("enough");
    for (let n = 0; n < 5; n++) near.send({ n });
    await server.closing();
    expect(server.objects).toEqual([{ n: 0 }]);
    expect(server.readEnds).toBe(0);
  });

  test("what the two ends know of each other's address is the same, in one spelling", async () => {
    const { near, far } = await pair(link);
    expect(near.remoteAddress).toBe("127.0.0.1");
    expect(far.remoteAddress).toBe("127.0.0.1");
    expect(far.localAddress).toBe("127.0.0.1");
  });
});

async function openObject(): Promise<{ far: Connection; server: Recorder; socket: Bun.Socket<undefined> }> {
  const server = new Recorder();
  const { socket } = await connectRaw(serve("plain", server).port);
  cleanups.push(() => socket.terminate());
  socket.write('{"n":1}\n{"half":');
  await server.until(() => server.readEnds === 1);
  return { far: server.connection as Connection, server, socket };
}

describe("deadlines", () => {
  test("an object that is not complete 10 s after its brace is a fault, not before", async () => {
    const { far, server } = await openObject();
    far.checkDeadlines(far.lastReadAt + OBJECT_TIMEOUT - 1);
    expect(server.faults).toEqual([]);
    far.checkDeadlines(far.lastReadAt + OBJECT_TIMEOUT);
    expect(server.faults).toEqual(["incomplete"]);
  });

  test("an object is not late because we did not read", async () => {
    const { far, server, socket } = await openObject();
    far.pauseReading();
    far.checkDeadlines(performance.now() + 2 * OBJECT_TIMEOUT);
    expect(server.faults).toEqual([]);
    far.resumeReading();
    const resumed = performance.now();
    // The rest may wait in the kernel: the person had no chance to be late while we did not look.
    far.checkDeadlines(resumed + OBJECT_TIMEOUT - 1_000);
    expect(server.faults).toEqual([]);
    socket.write("2}");
    await server.until(() => server.objects.length === 2);
    expect(server.objects[1]).toEqual({ half: 2 });
  });

  test("a connection between objects has no deadline", async () => {
    const { near, client } = await pair("plain");
    near.checkDeadlines(performance.now() + 1_000 * OBJECT_TIMEOUT);
    expect(client.faults).toEqual([]);
    expect(near.isOpen).toBe(true);
  });

  test("a client that is silent in place of a handshake is cut off after 10 s, not before", async () => {
    const server = new Recorder();
    const { promise, resolve } = Promise.withResolvers<Connection>();
    const listener = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open(socket) {
          const connection = new Connection(server, { objectLimit: PEER_OBJECT_LIMIT, tls: true });
          startTls(socket, "acceptor", acceptorContext(identity), connection, SOCKET_HANDLERS);
          resolve(connection);
        },
        drain: () => undefined,
      },
    });
    cleanups.push(() => listener.stop(true));
    const { closed } = await connectRaw(listener.port);
    const far = await promise;
    far.checkDeadlines(far.lastReadAt + HANDSHAKE_TIMEOUT - 1);
    expect(server.reasons).toEqual([]);
    far.checkDeadlines(far.lastReadAt + HANDSHAKE_TIMEOUT);
    expect(server.reasons).toEqual([{ name: "refused", code: "handshake_timeout" }]);
    await closed;
  });
});

describe("an error of our own", () => {
  test("a handler that throws ends the program loudly, also with an error that carries a code", async () => {
    const program = `
      import { listen } from "./src/net/listener.ts";
      const listener = listen({ host: "127.0.0.1", port: 0, objectLimit: 1024, accept: () => ({
        message() { throw Object.assign(new Error("the disk is full"), { code: "SQLITE_FULL" }); },
        fault: () => undefined,
        closed: (reason) => console.log(JSON.stringify(reason)),
      }) });
      await Bun.connect({ hostname: "127.0.0.1", port: listener.port, socket: {
        open: (socket) => void socket.write("{}"), data: () => undefined } });`;
    const child = Bun.spawn([process.execPath, "-e", program], {
      cwd: `${import.meta.dir}/../..`,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [said, error, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect(said.trim()).toBe('{"name":"local","code":"internal_error"}');
    expect(error).toContain("the disk is full");
    expect(exit).not.toBe(0);
  });
});

test("both ends of a TLS session export the same bytes, and nobody else does", async () => {
  const first = await pair("TLS");
  const second = await pair("TLS");
  const exported = first.near.exportKey("EXPORTER-test", 32);
  expect(exported?.length).toBe(32);
  expect(first.far.exportKey("EXPORTER-test", 32)).toEqual(exported);
  expect(first.near.exportKey("EXPORTER-other", 32)).not.toEqual(exported);
  expect(second.near.exportKey("EXPORTER-test", 32)).not.toEqual(exported);
  first.near.terminate("test");
  expect(first.near.exportKey("EXPORTER-test", 32)).toBeUndefined();
  const { near } = await pair("plain");
  expect(near.exportKey("EXPORTER-test", 32)).toBeUndefined();
});
