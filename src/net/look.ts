/**
 * Looks at the certificate of a server that is not trusted yet, or whose certificate no longer fits
 * (PROTOCOL 3), over a connection with verification off, on which nothing is ever written.
 */
import type { X509Certificate } from "node:crypto";

import { READS_NOTHING } from "./connection.ts";
import { dial, DialError, isLineFailure, type Target } from "./dialler.ts";
import { unverifiedContext } from "./tls.ts";

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

/**
 * Dials all addresses of a server; the first that shows a certificate is looked at.
 * @param serverName the host, undefined for an IP literal
 */
export function lookAtServer(
  targets: readonly Target[],
  serverName: string | undefined,
  signal?: AbortSignal,
): Promise<Look> {
  const { promise, resolve, reject } = Promise.withResolvers<Look>();
  dial({
    targets,
    tls: unverifiedContext(serverName),
    objectLimit: 1,
    handlers: {
      ...READS_NOTHING,
      opened: (connection) => connection.terminate("looked"),
      closed: () => undefined,
    },
    verify(connection, handshake) {
      const { certificate: leaf, issuer, remoteAddress: address } = connection;
      if (leaf === undefined) return "no_certificate";
      const valid = handshake.error === undefined && handshake.authorized;
      resolve({ name: "certificate", valid, leaf, issuer, address });
      return true;
    },
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (error instanceof DialError) resolve(lookOf(error));
    else reject(error);
  });
  return promise;
}

/** An address that answers without TLS says more about the server than one that does not answer. */
function lookOf(error: DialError): Look {
  const answers = error.failures.map(({ code }) => code).filter((code) => !isLineFailure(code));
  const [code] = answers;
  if (code === undefined) return { name: "unreachable", code: error.lineCode };
  return answers.some((each) => NOT_TLS.test(each)) ? { name: "plain" } : { name: "noTls", code };
}
