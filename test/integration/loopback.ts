/** Two ends on one machine for the tests of net/: certificates, recorded handlers, real loopback sockets. */
import {
  createAuthority,
  issueServerCertificate,
  issueUserCertificate,
  loadAuthority,
  type Authority,
} from "../../src/identity/certificate.ts";
import { certificateToPem, issueCertificate, SERIAL_BYTES } from "../../src/identity/certificate-template.ts";
import { generateKeyPair, privateKeyToPem } from "../../src/identity/keys.ts";
import {
  Connection,
  SOCKET_HANDLERS,
  type CloseReason,
  type ConnectionFault,
  type ConnectionHandlers,
} from "../../src/net/connection.ts";
import type { Handshake, TlsIdentity } from "../../src/net/tls.ts";
import { PEER_OBJECT_LIMIT, type JsonObject } from "../../src/protocol/framing.ts";

export const HOUR = 3_600_000;

export function newAuthority(): Authority {
  const { certificatePem, privateKeyPem } = createAuthority(Date.now());
  return loadAuthority(certificatePem, privateKeyPem);
}

/** A user's key and certificate, issued `age` ms ago (negative: in the future). */
export function userIdentity(authority: Authority, name: string, age = 0): TlsIdentity {
  const keys = generateKeyPair();
  const { pem } = issueUserCertificate(authority, keys.spki, name, Date.now() - age);
  return { key: privateKeyToPem(keys.privateKey), certificate: pem };
}

/** The server's key and certificate with the authority's behind it. */
export function serverIdentity(authority: Authority): TlsIdentity {
  const keys = generateKeyPair();
  const { pem } = issueServerCertificate(authority, keys.spki, Date.now());
  return { key: privateKeyToPem(keys.privateKey), certificate: pem + authority.certificatePem };
}

/** Handlers that keep what they were told, and let a test wait until it holds. */
export class Recorder implements ConnectionHandlers {
  connection: Connection | undefined;
  readonly handshakes: Handshake[] = [];
  readonly objects: JsonObject[] = [];
  readonly faults: ConnectionFault[] = [];
  readonly reasons: CloseReason[] = [];
  opens = 0;
  readEnds = 0;
  overflows = 0;
  /** What a test does on the way, after it was recorded. */
  onSecured: ((connection: Connection, handshake: Handshake) => boolean) | undefined;
  onOpened: ((connection: Connection) => void) | undefined;
  onMessage: ((object: JsonObject, connection: Connection) => void) | undefined;
  onBytes: ((chunk: Uint8Array, connection: Connection) => void) | undefined;
  onDrained: ((connection: Connection) => void) | undefined;
  #waiting: { holds: () => boolean; resolve: () => void }[] = [];

  /** Resolves once `holds` does; it is asked after every event. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }

  closing(): Promise<void> {
    return this.until(() => this.reasons.length > 0);
  }

  secured(connection: Connection, handshake: Handshake): boolean {
    this.connection = connection;
    this.handshakes.push(handshake);
    const kept = this.onSecured?.(connection, handshake) ?? handshake.done;
    this.#changed();
    return kept;
  }

  opened(connection: Connection): void {
    this.connection = connection;
    this.opens++;
    this.onOpened?.(connection);
    this.#changed();
  }

  message(object: JsonObject, connection: Connection): void {
    this.objects.push(object);
    this.onMessage?.(object, connection);
    this.#changed();
  }

  bytes(chunk: Uint8Array, connection: Connection): void {
    this.onBytes?.(chunk, connection);
    this.#changed();
  }

  fault(fault: ConnectionFault): void {
    this.faults.push(fault);
    this.#changed();
  }

  readEnd(): void {
    this.readEnds++;
    this.#changed();
  }

  overflow(): void {
    this.overflows++;
    this.#changed();
  }

  drained(connection: Connection): void {
    this.onDrained?.(connection);
    this.#changed();
  }

  closed(reason: CloseReason): void {
    this.reasons.push(reason);
    this.#changed();
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wait of waiting) {
      if (wait.holds()) wait.resolve();
      else this.#waiting.push(wait);
    }
  }
}

/** A connection of ours without TLS to a port of this machine. */
export async function connectPlain(
  port: number,
  handlers: ConnectionHandlers,
  objectLimit = PEER_OBJECT_LIMIT,
): Promise<Connection> {
  const connection = new Connection(handlers, { objectLimit, tls: false });
  await Bun.connect<Connection>({ hostname: "127.0.0.1", port, data: connection, socket: SOCKET_HANDLERS });
  return connection;
}

/** A client that knows nothing of our framing: raw bytes out, raw bytes in, until it is closed. */
export async function connectRaw(port: number): Promise<{
  socket: Bun.Socket<undefined>;
  received: Buffer[];
  closed: Promise<void>;
}> {
  const received: Buffer[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const socket = await Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_socket, chunk) => void received.push(chunk),
      close: () => resolve(),
      error: () => undefined,
    },
  });
  return { socket, received, closed };
}

/** A certificate for another name than a rendezvous server's, with its authority's behind it. */
export function leafOf(root: Authority, commonName: string, dnsName: string): TlsIdentity {
  const keys = generateKeyPair();
  const certificate = issueCertificate(root, {
    role: "server",
    commonName,
    dnsName,
    spki: keys.spki,
    notBefore: Date.now() - HOUR,
    notAfter: Date.now() + HOUR,
    random: crypto.getRandomValues(new Uint8Array(SERIAL_BYTES)),
  });
  return {
    key: privateKeyToPem(keys.privateKey),
    certificate: certificateToPem(certificate) + root.certificatePem,
  };
}
