/** Facts about Bun on which src/net depends: a new Bun that changes one of them is noticed here. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { label } from "../../src/identity/names.ts";
import {
  acceptorContext,
  diallerContext,
  unverifiedContext,
  type TlsContext,
  type TlsIdentity,
} from "../../src/net/tls.ts";
import { HOUR, newAuthority, serverIdentity, userIdentity } from "./loopback.ts";

/** What this file uses of a Bun socket, untyped parts included. */
type TlsSocket = {
  authorized: boolean;
  write(text: string): number;
  end(): void;
  terminate(): void;
  isSessionReused(): boolean;
  getPeerCertificate(abbreviated: boolean): { issuerCertificate?: { raw?: Buffer } } | undefined;
  upgradeTLS(options: object): unknown;
};
type Seen = { done: boolean; code: string | undefined; authorized: boolean };

const authority = newAuthority();
const stranger = newAuthority();
const server = serverIdentity(authority);
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** An accepting end by `upgradeTLS`; gives what its handshake callback saw of the first client. */
function accepting(context: TlsContext, greeting?: string): { port: number; seen: Promise<Seen> } {
  const { promise: seen, resolve } = Promise.withResolvers<Seen>();
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(raw) {
        (raw as unknown as TlsSocket).upgradeTLS({
          isServer: true,
          tls: context,
          data: undefined,
          socket: {
            handshake(socket: TlsSocket, done: boolean, error: (Error & { code?: string }) | null) {
              resolve({ done, code: error?.code, authorized: socket.authorized });
              if (greeting === undefined) return;
              socket.write(greeting);
              socket.end();
            },
            data: () => undefined,
            error: () => undefined,
          },
        });
      },
      drain: () => undefined,
    },
  });
  cleanups.push(() => listener.stop(true));
  return { port: listener.port, seen };
}

/** A dialling end; `atOpen` and `atHandshake` are called with its socket, and it is ended after the second. */
async function dialling<T>(
  port: number,
  context: TlsContext,
  read: { atOpen?: (socket: TlsSocket) => T; atHandshake?: (socket: TlsSocket) => T },
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const socket = await Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port,
    tls: context as Bun.TLSOptions,
    socket: {
      open(opened) {
        if (read.atOpen !== undefined) resolve(read.atOpen(opened as unknown as TlsSocket));
      },
      handshake(shaken) {
        if (read.atHandshake !== undefined) resolve(read.atHandshake(shaken as unknown as TlsSocket));
      },
      data: () => undefined,
      error: () => undefined,
    },
  });
  cleanups.push(() => void socket.terminate());
  return promise;
}

describe("facts of Bun that we depend on", () => {
  test("the issuer's certificate comes with getPeerCertificate(false) and only with it", async () => {
    const { port } = accepting(acceptorContext(server));
    const issuers = await dialling(port, unverifiedContext(undefined), {
      atHandshake: (socket) =>
        [false, true].map((flag) => socket.getPeerCertificate(flag)?.issuerCertificate?.raw),
    });
    expect(issuers[0]?.equals(authority.certificate.raw)).toBe(true);
    expect(issuers[1]).toBeUndefined();
  });

  async function seenWith(identity: TlsIdentity): Promise<Seen> {
    const bea = userIdentity(authority, "bea");
    const { port, seen } = accepting(acceptorContext(bea, authority.certificatePem));
    const context = diallerContext({
      authority: authority.certificatePem,
      serverName: label("bea"),
      identity,
    });
    await dialling(port, context, { atHandshake: () => undefined });
    return seen;
  }

  test("with upgradeTLS a good client certificate is authorized without an error", async () => {
    expect(await seenWith(userIdentity(authority, "ana"))).toEqual({
      done: true,
      code: undefined,
      authorized: true,
    });
  });

  test("with upgradeTLS another authority's client certificate is «done», but not authorized", async () => {
    expect(await seenWith(userIdentity(stranger, "ana"))).toEqual({
      done: true,
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      authorized: false,
    });
  });

  test("with upgradeTLS an expired client certificate is «done», but not authorized", async () => {
    expect(await seenWith(userIdentity(authority, "ana", 73 * HOUR))).toEqual({
      done: true,
      code: "CERT_HAS_EXPIRED",
      authorized: false,
    });
  });

  test("an acceptor that asks for no certificate sees an error that says nothing about the client", async () => {
    const { port, seen } = accepting(acceptorContext(server));
    const context = diallerContext({
      authority: authority.certificatePem,
      serverName: "rendezvous.paloma",
    });
    await dialling(port, context, { atHandshake: () => undefined });
    // `done` is what counts there.
    expect(await seen).toMatchObject({ done: true, code: "UNABLE_TO_GET_ISSUER_CERT" });
  });

  test("nothing can be written before the handshake", async () => {
    const { port } = accepting(acceptorContext(server));
    const context = diallerContext({
      authority: authority.certificatePem,
      serverName: "rendezvous.paloma",
    });
    expect(await dialling(port, context, { atOpen: (socket) => socket.write("too early") })).toBe(0);
  });

  async function ticketsOf(context: TlsContext): Promise<{ said: string; session: boolean }> {
    const { port } = accepting(context, "hola\n");
    const folder = mkdtempSync(join(tmpdir(), "paloma-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "session.pem");
    const child = Bun.spawn(
      ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-tls1_3", "-ign_eof", "-sess_out", file],
      { stdin: "ignore", stdout: "pipe", stderr: "ignore" },
    );
    const [said] = await Promise.all([child.stdout.text(), child.exited]);
    return { said, session: await Bun.file(file).exists() };
  }

  test("with SSL_OP_NO_TICKET an acceptor gives out no session, without it one that would skip the certificate", async () => {
    const context = acceptorContext(server);
    const none = await ticketsOf(context);
    expect(none.said).toContain("hola");
    expect(none.said).not.toContain("New Session Ticket arrived");
    expect(none.session).toBe(false);
    const { secureOptions: _tickets, ...careless } = context;
    const some = await ticketsOf(careless);
    expect(some.said).toContain("New Session Ticket arrived");
    expect(some.session).toBe(true);
  });
});

describe("a plain socket with allowHalfOpen", () => {
  test("reports the other's end, and after our own shutdown a clean close instead", async () => {
    const events: string[] = [];
    const closed = Promise.withResolvers<void>();
    const listener = Bun.listen<{ name: string }>({
      hostname: "127.0.0.1",
      port: 0,
      allowHalfOpen: true,
      socket: {
        data: (socket, chunk) => {
          socket.data = { name: chunk.toString() };
          if (socket.data.name === "we end first") socket.shutdown();
        },
        end: (socket) => {
          events.push(`${socket.data.name}: end`);
          socket.shutdown();
        },
        close(socket, error) {
          events.push(`${socket.data.name}: close ${error?.message ?? "clean"}`);
          closed.resolve();
        },
      },
    });
    cleanups.push(() => listener.stop(true));
    const say = async (text: string): Promise<Bun.Socket> => {
      const ended = Promise.withResolvers<void>();
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port: listener.port,
        allowHalfOpen: true,
        socket: { data: () => undefined, end: () => ended.resolve(), close: () => ended.resolve() },
      });
      socket.write(text);
      if (text === "they end first") socket.shutdown();
      await ended.promise;
      return socket;
    };
    await say("they end first");
    const socket = await say("we end first");
    socket.shutdown();
    await closed.promise;
    while (!events.some((event) => event.startsWith("we end first"))) await Bun.sleep(1);
    expect(events.filter((event) => event.startsWith("they"))[0]).toBe("they end first: end");
    expect(events.filter((event) => event.startsWith("we"))).toEqual(["we end first: close clean"]);
  });

  test("a local port serves a second connection where the first named its local address", async () => {
    const ports: number[] = [];
    const listener = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: (socket) => void ports.push(socket.remotePort), data: () => undefined },
    });
    const other = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: (socket) => void ports.push(socket.remotePort), data: () => undefined },
    });
    cleanups.push(
      () => listener.stop(true),
      () => other.stop(true),
    );
    const connect = (port: number, near: object) =>
      Bun.connect({ hostname: "127.0.0.1", port, ...near, socket: { data: () => undefined } });
    const first = await connect(listener.port, { localAddress: "0.0.0.0" });
    await connect(other.port, { localAddress: "0.0.0.0", localPort: first.localPort });
    while (ports.length < 2) await Bun.sleep(1);
    expect(ports[0]).toBe(ports[1] as number);
  });
});
