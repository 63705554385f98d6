/**
 * TLS contexts, and what a handshake showed. Everything here is TLS 1.3 with verification spelled out;
 * the accepting role hands out no tickets, because a resumed session would not show its certificate
 * again (a client with a ticket outlives its certificate).
 *
 * This is the one file that patches what Bun's types lack: `minVersion` and `secureOptions` of a TLS
 * context, `upgradeTLS` in the accepting role, the local address of a dial, and a Bun socket's certificate accessors, exporter and descriptor.
 * (Files imported as text are declared in `server/monitor/text-files.d.ts`.)
 */
import { X509Certificate } from "node:crypto";

import { wildcardOf } from "../protocol/ip-address.ts";
import { errorCode } from "./error-code.ts";

const TLS_1_3 = 0x0304;
const SSL_OP_NO_TICKET = 0x4000;

/** PEM texts: a private key and its certificate, followed by the chain behind it. */
export type TlsIdentity = { readonly key: string; readonly certificate: string };

export type TlsContext = {
  readonly key?: string;
  readonly cert?: string;
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized: boolean;
  readonly minVersion: number;
  readonly secureOptions?: number;
  readonly serverName?: string;
};

/** With what a listener accepts a connection. `leafHash`: SHA-256 of the DER of its certificate, if it is needed later. */
export type Acceptance = { readonly context: TlsContext; readonly leafHash?: Uint8Array };

/** The accepting role. With `authority` (PEM) the other side must show a certificate of that authority. */
export function acceptorContext(identity: TlsIdentity, authority?: string): TlsContext {
  return {
    key: identity.key,
    cert: identity.certificate,
    ...(authority === undefined ? { requestCert: false } : { ca: authority, requestCert: true }),
    rejectUnauthorized: true,
    minVersion: TLS_1_3,
    secureOptions: SSL_OP_NO_TICKET,
  };
}

/**
 * The dialling role. `authority` (PEM) replaces Bun's roots; `serverName` is the name that the other
 * side's certificate must carry (none for an IP literal, which then must be in the certificate).
 */
export function diallerContext(options: {
  serverName?: string;
  authority?: string;
  identity?: TlsIdentity;
}): TlsContext {
  return {
    ...(options.identity === undefined
      ? {}
      : { key: options.identity.key, cert: options.identity.certificate }),
    ...(options.authority === undefined ? {} : { ca: options.authority }),
    ...(options.serverName === undefined ? {} : { serverName: options.serverName }),
    rejectUnauthorized: true,
    minVersion: TLS_1_3,
  };
}

/** For looking at the certificate of an unknown server: nothing may be written on such a connection. */
export function unverifiedContext(serverName: string | undefined): TlsContext {
  return {
    ...(serverName === undefined ? {} : { serverName }),
    rejectUnauthorized: false,
    minVersion: TLS_1_3,
  };
}

/** Members of Bun's sockets that its types lack. */
type UntypedSocket = {
  upgradeTLS(options: object): unknown;
  getPeerX509Certificate(): X509Certificate | undefined;
  getPeerCertificate(abbreviated: boolean): { issuerCertificate?: { raw?: Buffer } } | undefined;
  isSessionReused(): boolean;
  exportKeyingMaterial(length: number, label: string): Buffer | undefined;
  authorized: boolean;
  fd: number;
};

function untyped(socket: object): UntypedSocket {
  return socket as UntypedSocket;
}

/** Starts TLS on a plain socket, which may have been accepted or dialled, in either role. */
export function startTls<Data>(
  socket: Bun.Socket<unknown>,
  role: "acceptor" | "dialler",
  context: TlsContext,
  data: Data,
  handlers: Bun.SocketHandler<Data>,
): void {
  untyped(socket).upgradeTLS({ isServer: role === "acceptor", tls: context, data, socket: handlers });
}

/**
 * Options of `Bun.connect` with which further connections, to other places, can be opened from the same local port.
 * @param port 0: a free one
 */
export function fromLocalPort(ip: string, port: number): object {
  return { localAddress: wildcardOf(ip), localPort: port };
}

export function dialOptions(context: TlsContext): Bun.TLSOptions {
  return context as Bun.TLSOptions;
}

/** The number of a socket's descriptor; -1 once it is closed. */
export function descriptorOf(socket: object): number {
  return untyped(socket).fd;
}

/** What the handshake shows about the other side. */
export type Handshake = {
  /** The library's code for an error of the other side's certificate or of the handshake. */
  readonly error: string | undefined;
  /** Our side completed the handshake; it decides alone in the accepting role without client certificates. */
  readonly done: boolean;
  /** The certificate chains to the context's authority, is in date and fits the server name. */
  readonly authorized: boolean;
  readonly reused: boolean;
};

export function readHandshake(socket: object, done: boolean, error: Error | null): Handshake {
  return {
    done,
    error: error === null ? undefined : errorCode(error),
    authorized: error === null && untyped(socket).authorized,
    reused: done && untyped(socket).isSessionReused(),
  };
}

/** The other side's certificate, undefined when it showed none. */
export function peerCertificate(socket: object): X509Certificate | undefined {
  return untyped(socket).getPeerX509Certificate();
}

/** The issuer of the other side's certificate, as it was sent; Bun gives only this one. */
export function issuerCertificate(socket: object): X509Certificate | undefined {
  // The flag is inverted in Bun 1.4.5: only `false` gives the issuer.
  const raw = untyped(socket).getPeerCertificate(false)?.issuerCertificate?.raw;
  return raw === undefined ? undefined : new X509Certificate(raw);
}

/** Key material of this TLS session (RFC 8446, 7.5), of which only its two ends know; undefined once it is closed. */
export function sessionKey(socket: object, label: string, length: number): Buffer | undefined {
  return untyped(socket).exportKeyingMaterial(length, label);
}
