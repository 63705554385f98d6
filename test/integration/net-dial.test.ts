import { afterEach, describe, expect, test } from "bun:test";

import { label } from "../../src/identity/names.ts";
import type { Connection } from "../../src/net/connection.ts";
import { dial, DialError, type DialOptions, type Target } from "../../src/net/dialler.ts";
import { listen, ListenError, type Listener } from "../../src/net/listener.ts";
import { lookAtServer } from "../../src/net/look.ts";
import { acceptorContext, diallerContext, type Handshake, type TlsIdentity } from "../../src/net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { connectPlain, connectRaw, HOUR, newAuthority, Recorder, userIdentity } from "./loopback.ts";

const authority = newAuthority();
const stranger = newAuthority();
const ana = userIdentity(authority, "ana");
const bea = userIdentity(authority, "bea");
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** What a peer's port asks of whoever dials it. */
function provenPeer(_connection: Connection, handshake: Handshake): boolean {
  return handshake.done && handshake.error === undefined && handshake.authorized && !handshake.reused;
}

/** Bea's peer port; it speaks first, as the protocol has it. */
function peerPort(identity: TlsIdentity = bea, server = new Recorder()): { port: number; server: Recorder } {
  server.onSecured = provenPeer;
  server.onOpened = (connection) => connection.send({ hello: "from the port" });
  const listener = listen({
    host: "127.0.0.1",
    port: 0,
    objectLimit: PEER_OBJECT_LIMIT,
    tls: () => ({ context: acceptorContext(identity, authority.certificatePem) }),
    accept: () => server,
  });
  cleanups.push(() => listener.stop());
  return { port: listener.port, server };
}

/** A port where TCP is accepted and nothing is ever answered; it keeps what came. */
function blackHole(): { port: number; received: Buffer[]; accepted: () => number; gone: Promise<void> } {
  const received: Buffer[] = [];
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  let accepted = 0;
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => void accepted++,
      data: (_socket, chunk) => void received.push(chunk),
      close: () => resolve(),
      error: () => undefined,
    },
  });
  cleanups.push(() => listener.stop(true));
  return { port: listener.port, received, accepted: () => accepted, gone };
}

let closedPorts = 0;

/** A port on which nothing listens: of those that are given to nobody who asks for a free one. */
function closedPort(): number {
  return ++closedPorts;
}

function at(port: number): Target {
  return { ip: "127.0.0.1", port };
}

type Dialled = { connection: Connection; client: Recorder };

async function dialBea(
  targets: readonly Target[],
  more: Partial<DialOptions> & { identity?: TlsIdentity | "none" } = {},
): Promise<Dialled> {
  const { identity = ana, ...options } = more;
  const client = new Recorder();
  const connection = await dial({
    targets,
    tls: diallerContext({
      authority: authority.certificatePem,
      serverName: label("bea"),
      ...(identity === "none" ? {} : { identity }),
    }),
    objectLimit: PEER_OBJECT_LIMIT,
    handlers: client,
    verify: (_connection, handshake) =>
      (handshake.authorized && handshake.error === undefined) || (handshake.error ?? "not_authorized"),
    ...options,
  });
  cleanups.push(() => connection.terminate("test_over"));
  return { connection, client };
}

async function failure(dialled: Promise<unknown>): Promise<DialError> {
  const error: unknown = await dialled.then(
    () => "it connected",
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DialError);
  return error as DialError;
}

describe("dialling", () => {
  test("a peer that proves itself is connected, and both ends can speak", async () => {
    const { port, server } = peerPort();
    const { connection, client } = await dialBea([at(port)]);
    await client.until(() => client.objects.length === 1);
    connection.send({ hello: "from the dialler" });
    await server.until(() => server.objects.length === 1);
    expect(connection.certificate?.subject).toBe("CN=bea");
    expect(server.connection?.certificate?.subject).toBe("CN=ana");
    expect(client.opens).toBe(1);
  });

  test("a target beyond the budget waits without delaying another one, and is dialled when it may be", async () => {
    const [first, second] = [peerPort(), peerPort()];
    const dialled: number[] = [];
    const isFree = () => dialled.includes(second.port);
    const take = ({ port }: Target): number => {
      if (port === first.port && !isFree()) return 60_000;
      dialled.push(port);
      return 0;
    };
    await dialBea([at(first.port), at(second.port)], { take });
    expect(dialled).toEqual([second.port]);
    dialled.length = 0;
    const waits = [40, 20, 0];
    await dialBea([at(first.port)], { take: () => waits.shift() ?? 0 });
    expect(waits).toEqual([]);
    const error = await failure(dialBea([at(first.port)], { take: () => 60_000, timeout: 50 }));
    expect(error).toMatchObject({ code: "timeout", failures: [] });
  });

  test("a port that never answers delays by the stagger and no more, and gets not one byte of ours", async () => {
    const hole = blackHole();
    const { port, server } = peerPort();
    const { connection } = await dialBea([at(hole.port), at(port)], { timeout: 4_000 });
    await server.until(() => server.opens === 1);
    expect(connection.isOpen).toBe(true);
    await hole.gone;
    const bytes = Buffer.concat(hole.received);
    // TLS records of type 22 are handshake messages; one of type 23 would carry what we say.
    for (let offset = 0; offset < bytes.length; offset += 5 + bytes.readUInt16BE(offset + 3)) {
      expect(bytes[offset]).toBe(22);
    }
  });

  test("the first to prove itself wins, and those who come later are not dialled or end unheard", async () => {
    const ports = [peerPort(), peerPort(), peerPort()];
    const { client } = await dialBea(ports.map(({ port }) => at(port)));
    await client.until(() => client.objects.length === 1);
    expect(ports.map(({ server }) => server.opens)).toEqual([1, 0, 0]);
    expect(client.opens).toBe(1);
    expect(client.reasons).toEqual([]);
  });

  test("what is refused makes way for the next at once, and hears nothing", async () => {
    const impostor = peerPort(userIdentity(stranger, "bea"));
    const carlos = peerPort(userIdentity(authority, "carlos"));
    const right = peerPort();
    const { client } = await dialBea([at(impostor.port), at(carlos.port), at(closedPort()), at(right.port)]);
    await client.until(() => client.objects.length === 1);
    await Promise.all([impostor.server.closing(), carlos.server.closing()]);
    expect([...impostor.server.objects, ...carlos.server.objects]).toEqual([]);
    expect(impostor.server.opens + carlos.server.opens).toBe(0);
    expect(client.reasons).toEqual([]);
  });

  test("each attempt's end is told, with its code, and the winner's without one", async () => {
    const [dead, silent, right] = [closedPort(), blackHole(), peerPort()];
    const told = new Map<number, string | undefined>();
    const { client } = await dialBea([at(dead), at(silent.port), at(right.port)], {
      ended: ({ port }, code, ms) => told.set(port, ms >= 0 ? code : "negative"),
    });
    await client.until(() => client.objects.length === 1);
    expect([...told]).toEqual([
      [dead, "ECONNREFUSED"],
      [right.port, undefined],
      [silent.port, "lost_race"],
    ]);
  });

  test("verify decides last, and its code is reported", async () => {
    const { port, server } = peerPort();
    const error = await failure(dialBea([at(port)], { verify: () => "another_key" }));
    expect(error.code).toBe("refused");
    expect(error.failures).toEqual([{ ip: "127.0.0.1", port, code: "another_key" }]);
    await server.closing();
    expect(server.objects).toEqual([]);
  });

  test("when nothing answers every target is named", async () => {
    const [first, second] = [closedPort(), closedPort()];
    const error = await failure(dialBea([at(first), at(second)]));
    expect(error.code).toBe("unreachable");
    expect(error.failures).toEqual([
      { ip: "127.0.0.1", port: first, code: "ECONNREFUSED" },
      { ip: "127.0.0.1", port: second, code: "ECONNREFUSED" },
    ]);
  });

  test("one impostor among dead ports is a refusal, not a missing network", async () => {
    const impostor = peerPort(userIdentity(stranger, "bea"));
    const error = await failure(dialBea([at(impostor.port), at(closedPort())]));
    expect(error.code).toBe("refused");
    expect(error.failures.map(({ code }) => code)).toEqual([
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "ECONNREFUSED",
    ]);
  });

  test("a name that the certificate does not carry is refused", async () => {
    const carlos = peerPort(userIdentity(authority, "carlos"));
    const error = await failure(dialBea([at(carlos.port)]));
    expect(error.failures.map(({ code }) => code)).toEqual(["ERR_TLS_CERT_ALTNAME_INVALID"]);
  });

  describe("targets that come later", () => {
    test("are not waited for long by who has answered", async () => {
      const { port } = peerPort();
      const later = Promise.withResolvers<Target[]>().promise;
      const { connection, client } = await dialBea([at(port)], { later });
      await client.until(() => client.objects.length === 1);
      expect(connection.isOpen).toBe(true);
      expect(client.opens).toBe(1);
    });

    test("decide about who has answered before: nobody is greeted elsewhere, nor verified before they are known", async () => {
      for (const isNamed of [true, false]) {
        const [known, other] = [peerPort(), peerPort()];
        const { promise: later, resolve } = Promise.withResolvers<Target[]>();
        const named = isNamed ? known : other;
        let isKnown = false;
        const dialled = dialBea([at(known.port)], { later, verify: () => isKnown || "too_early" });
        await known.server.until(() => known.server.opens === 1);
        isKnown = true;
        resolve([at(named.port)]);
        const { connection, client } = await dialled;
        await client.until(() => client.objects.length === 1);
        expect(connection.remotePort).toBe(named.port);
        expect(known.server.objects).toEqual([]);
      }
    });

    test("are dialled at once when what was known leads nowhere, of which nothing counts", async () => {
      const [dead, right] = [closedPort(), peerPort()];
      const { promise: later, resolve } = Promise.withResolvers<Target[]>();
      const ended = (_target: Target, code: string | undefined) => {
        if (code !== undefined) resolve([at(right.port)]);
      };
      const { connection } = await dialBea([at(dead)], { later, ended });
      expect(connection.remotePort).toBe(right.port);
      const none = Promise.withResolvers<Target[]>();
      const error = await failure(
        dialBea([at(closedPort())], { later: none.promise, ended: () => none.resolve([]) }),
      );
      expect(error).toMatchObject({ code: "unreachable", failures: [] });
    });

    test("do not start anew an attempt that is under way", async () => {
      const hole = blackHole();
      const later = Promise.resolve([at(hole.port)]);
      const error = await failure(dialBea([at(hole.port)], { later, timeout: 200 }));
      expect(error.failures).toMatchObject([at(hole.port)]);
      await hole.gone;
      expect(hole.accepted()).toBe(1);
    });

    test("that never come end the dial with their error", async () => {
      const hole = blackHole();
      const later = Promise.reject(new RangeError("no answer"));
      await expect(dialBea([at(hole.port)], { later })).rejects.toThrow("no answer");
      await hole.gone;
    });
  });

  test("no target at all is unreachable", async () => {
    expect((await failure(dialBea([]))).code).toBe("unreachable");
  });

  test("all together end at the timeout", async () => {
    const hole = blackHole();
    const error = await failure(dialBea([at(hole.port)], { timeout: 20 }));
    expect(error.code).toBe("timeout");
    // Who is silent may be anybody, also the one who is meant; whether the kernel has answered is told.
    expect(error.failures).toEqual([
      { ...at(hole.port), code: expect.stringMatching(/^(handshake_)?timeout$/) },
    ]);
    await hole.gone;
  });

  test("a dial is abandoned by its signal, before and during, and its sockets close", async () => {
    const hole = blackHole();
    expect((await failure(dialBea([at(hole.port)], { signal: AbortSignal.abort() }))).code).toBe("abandoned");
    expect(hole.accepted()).toBe(0);
    const abort = new AbortController();
    const dialled = failure(dialBea([at(hole.port)], { signal: abort.signal }));
    abort.abort();
    expect((await dialled).code).toBe("abandoned");
    // Given up while the kernel was still connecting, it must not stay behind.
    await hole.gone;
  });

  test("a signal that comes after the victory changes nothing", async () => {
    const { port } = peerPort();
    const abort = new AbortController();
    const { connection, client } = await dialBea([at(port)], { signal: abort.signal });
    abort.abort();
    await client.until(() => client.objects.length === 1);
    expect(connection.isOpen).toBe(true);
  });
});

describe("a look at a server", () => {
  test("takes the first address that shows a certificate, and waits for a silent one no longer than the stagger", async () => {
    const holes = [blackHole(), blackHole()];
    const { port, server } = peerPort();
    server.onSecured = () => true;
    const begun = performance.now();
    const targets = [...holes.map((hole) => hole.port), closedPort(), port].map(at);
    const look = await lookAtServer(targets, "any.test");
    expect(look.name === "certificate" ? look.leaf.subject : look.name).toBe("CN=bea");
    expect(performance.now() - begun).toBeLessThan(5_000);
    // Nothing was said to anybody.
    await Promise.all([...holes.map(({ gone }) => gone), server.closing()]);
    expect(server.objects).toEqual([]);
  });

  test("names what answers without TLS rather than what refuses", async () => {
    const web = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
        data: () => undefined,
      },
    });
    cleanups.push(() => web.stop(true));
    expect(await lookAtServer([at(closedPort()), at(web.port)], undefined)).toEqual({ name: "plain" });
    const refused = { name: "unreachable", code: "ECONNREFUSED" } as const;
    expect(await lookAtServer([at(closedPort()), at(closedPort())], undefined)).toEqual(refused);
  });
});

describe("a peer's port", () => {
  async function refusedWith(
    identity: TlsIdentity | "none",
  ): Promise<{ client: Recorder; server: Recorder }> {
    const { port, server } = peerPort();
    const { client } = await dialBea([at(port)], { identity });
    // In TLS 1.3 the dialler learns only after its handshake that its certificate was refused.
    await Promise.all([client.closing(), server.closing()]);
    expect(client.objects).toEqual([]);
    expect(server.opens).toBe(0);
    expect(server.objects).toEqual([]);
    return { client, server };
  }

  test("refuses who shows no certificate", async () => {
    const { server } = await refusedWith("none");
    expect(server.reasons).toEqual([{ name: "refused", code: "PEER_DID_NOT_RETURN_A_CERTIFICATE" }]);
  });

  test("refuses another authority's certificate", async () => {
    const { server } = await refusedWith(userIdentity(stranger, "ana"));
    expect(server.reasons).toEqual([{ name: "refused", code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }]);
  });

  test("refuses a certificate that has expired", async () => {
    const { server } = await refusedWith(userIdentity(authority, "ana", 73 * HOUR));
    expect(server.reasons).toEqual([{ name: "refused", code: "CERT_HAS_EXPIRED" }]);
  });

  test("refuses a certificate that is not yet valid", async () => {
    const { server } = await refusedWith(userIdentity(authority, "ana", -48 * HOUR));
    expect(server.reasons).toEqual([{ name: "refused", code: "CERT_NOT_YET_VALID" }]);
  });

  test("refuses a client without TLS, and hands over nothing of what it says", async () => {
    const { port, server } = peerPort();
    const { socket, received, closed } = await connectRaw(port);
    socket.write('{"message":"hola"}\n');
    await Promise.all([closed, server.closing()]);
    expect(server.reasons.map((reason) => reason.name)).toEqual(["refused"]);
    expect(server.objects).toEqual([]);
    expect(Buffer.concat(received).toString()).not.toContain("{");
  });

  test("refuses TLS 1.2", async () => {
    const { port, server } = peerPort();
    const child = Bun.spawn(["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-tls1_2"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const [said, exit] = await Promise.all([child.stderr.text(), child.exited]);
    expect(exit).not.toBe(0);
    expect(said).toContain("protocol version");
    await server.closing();
    expect(server.reasons.map((reason) => reason.name)).toEqual(["refused"]);
  });

  test("serves the next connection with the certificate of the moment", async () => {
    let identity = bea;
    const listener = listen({
      host: "127.0.0.1",
      port: 0,
      objectLimit: PEER_OBJECT_LIMIT,
      tls: () => ({ context: acceptorContext(identity, authority.certificatePem) }),
      accept: () => new Recorder(),
    });
    cleanups.push(() => listener.stop());
    const before = (await dialBea([at(listener.port)])).connection.certificate?.serialNumber;
    identity = userIdentity(authority, "bea");
    const after = (await dialBea([at(listener.port)])).connection.certificate?.serialNumber;
    expect(before).toBeDefined();
    expect(after).not.toBe(before);
  });
});

describe("a plain port", () => {
  function plainPort(server: Recorder, where: "loopback" | "everywhere" = "loopback"): Listener {
    const host = where === "loopback" ? "127.0.0.1" : undefined;
    const listener = listen({ host, port: 0, objectLimit: PEER_OBJECT_LIMIT, accept: () => server });
    cleanups.push(() => listener.stop());
    return listener;
  }

  test("takes a TLS client for garbage, and the dialler names it as no TLS", async () => {
    const server = new Recorder();
    const { port } = plainPort(server);
    const dialled = failure(dialBea([at(port)], { timeout: 4_000 }));
    await server.until(() => server.faults.length > 0);
    expect(server.faults[0]).toBe("garbage");
    server.connection?.send({ action: "error", code: "bad_json" });
    expect((await dialled).code).toBe("refused");
  });

  test("refused addresses are closed without a handler being made, and the port goes on", async () => {
    const server = new Recorder();
    let welcome = false;
    const listener = listen({
      host: "127.0.0.1",
      port: 0,
      objectLimit: PEER_OBJECT_LIMIT,
      accept: (remoteAddress) => (welcome && remoteAddress === "127.0.0.1" ? server : undefined),
    });
    cleanups.push(() => listener.stop());
    const { socket, received, closed } = await connectRaw(listener.port);
    socket.write("{}");
    await closed;
    expect(received).toEqual([]);
    welcome = true;
    const near = await connectPlain(listener.port, new Recorder());
    near.send({ n: 1 });
    await server.until(() => server.objects.length === 1);
    near.terminate("test_over");
  });

  test("a port in use is an error with a code, not a crash", () => {
    const taken = plainPort(new Recorder());
    let caught: unknown;
    try {
      listen({
        host: "127.0.0.1",
        port: taken.port,
        objectLimit: PEER_OBJECT_LIMIT,
        accept: () => undefined,
      });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ListenError);
    expect((caught as ListenError).code).toBe("EADDRINUSE");
    expect((caught as ListenError).port).toBe(taken.port);
  });

  test("without a host it listens on all addresses, and reports an IPv4 address as such", async () => {
    const server = new Recorder();
    const listener = plainPort(server, "everywhere");
    expect(listener.host).toBe("0.0.0.0");
    const near = await connectPlain(listener.port, new Recorder());
    await server.until(() => server.opens === 1);
    expect(server.connection?.remoteAddress).toBe("127.0.0.1");
    near.terminate("test_over");
  });

  test("after stop no connection is accepted, and those that are open go on", async () => {
    const server = new Recorder();
    const listener = plainPort(server);
    const near = await connectPlain(listener.port, new Recorder());
    await server.until(() => server.opens === 1);
    listener.stop();
    expect((await failure(dialBea([at(listener.port)]))).failures[0]?.code).toBe("ECONNREFUSED");
    near.send({ n: 1 });
    await server.until(() => server.objects.length === 1);
    near.terminate("test_over");
  });
});
