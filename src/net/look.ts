/**
 * Looks at the certificate of a server that is not trusted yet, or whose certificate no longer fits
 * (PROTOCOL 3), over a connection with verification off, on which nothing is ever written.
 */
import type { X509Certificate } from "node:crypto";

import { Connection, READS_NOTHING, SOCKET_HANDLERS } from "./connection.ts";
import { codeOfClose, DIAL_TIMEOUT, type Target } from "./dialler.ts";
import { dialOptions, unverifiedContext } from "./tls.ts";

export type Look =
  /** It speaks TLS 1.3 with this certificate; `issuer` if it was sent too. */
  | {
      readonly name: "certificate";
      /** Valid for Bun's roots and the server name. */
      readonly valid: boolean;
      readonly leaf: X509Certificate;
      readonly issuer: X509Certificate | undefined;
      readonly address: string;
    }
  /** It answers, but does not speak TLS. */
  | { readonly name: "plain" }
  /** It accepts connections, but not TLS 1.3. */
  | { readonly name: "noTls"; readonly code: string }
  | { readonly name: "unreachable"; readonly code: string };

const NOT_TLS = /WRONG_VERSION_NUMBER|HTTP_REQUEST|UNEXPECTED_MESSAGE|INVALID_OUTER_RECORD|DECODE_ERROR/;

/** @param serverName the typed host, undefined for an IP literal. Never rejects. */
export function lookAtServer(target: Target, serverName: string | undefined): Promise<Look> {
  const { promise, resolve } = Promise.withResolvers<Look>();
  const unanswered = setTimeout(() => connection.terminate("timeout"), DIAL_TIMEOUT);
  let reached = false;
  const connection: Connection = new Connection(
    {
      ...READS_NOTHING,
      secured(self, handshake) {
        const leaf = self.certificate;
        if (leaf !== undefined) {
          resolve({
            name: "certificate",
            valid: handshake.error === undefined && handshake.authorized,
            leaf,
            issuer: self.issuer,
            address: self.remoteAddress,
          });
        }
        return false;
      },
      closed(reason) {
        clearTimeout(unanswered);
        const code = codeOfClose(reason);
        if (!reached) resolve({ name: "unreachable", code });
        else if (NOT_TLS.test(code)) resolve({ name: "plain" });
        else resolve({ name: "noTls", code });
      },
    },
    { objectLimit: 1, tls: true },
  );
  Bun.connect<Connection>({
    hostname: target.ip,
    port: target.port,
    data: connection,
    tls: dialOptions(unverifiedContext(serverName)),
    socket: {
      ...SOCKET_HANDLERS,
      open(socket) {
        reached = true;
        connection.opened(socket);
      },
      // With verification off Bun reports `false` for an unknown chain although the handshake is done.
      handshake: (socket, done, error) =>
        connection.shookHands(done || socket.getPeerCertificate() !== undefined, error),
      connectError: (_socket, error) => connection.gone(error),
    },
  }).catch((error: Error) => connection.gone(error));
  return promise;
}
