/** The server as a certificate authority (PROTOCOL 3): its key in the database, its own certificate in memory. */
import { X509Certificate } from "node:crypto";

import {
  BACKDATING,
  issueServerCertificate,
  issueUserCertificate,
  loadAuthority,
  SERVER_CERTIFICATE_LIFETIME,
  type Authority,
  type IssuedCertificate,
} from "../../identity/certificate.ts";
import { hashLeaf, proveAuthority } from "../../identity/connection-proof.ts";
import { generateKeyPair, privateKeyToPem } from "../../identity/keys.ts";
import { acceptorContext, type Acceptance, type TlsIdentity } from "../../net/tls.ts";
import { StartError } from "../start-error.ts";
import type { StoredAuthority } from "./store.ts";

/** The server's own certificate is replaced this long before it expires, in ms: a third of its lifetime. */
const RENEWAL_MARGIN = SERVER_CERTIFICATE_LIFETIME / 3;

export class ServerAuthority {
  readonly #authority: Authority;
  readonly #now: () => number;
  /** The operator's certificate, and the proof that our authority stands behind it. */
  readonly #operators: { readonly acceptance: Acceptance; readonly proof: string } | undefined;
  /** Our own certificate, and the time in which it is used. */
  #own: { readonly acceptance: Acceptance; readonly from: number; readonly to: number } | undefined;

  /**
   * @param operators the identity of `--tls-cert`, used instead of our own.
   * @throws StartError when the stored authority cannot be read.
   */
  constructor(stored: StoredAuthority, now: () => number, operators?: TlsIdentity) {
    this.#now = now;
    this.#authority = load(stored);
    if (operators === undefined) return;
    const { raw } = new X509Certificate(operators.certificate);
    const proof = proveAuthority(this.#authority.privateKey, raw);
    this.#operators = { acceptance: { context: acceptorContext(operators), leafHash: hashLeaf(raw) }, proof };
  }

  /** SHA-256 of the authority's public key, in hexadecimal. */
  get fingerprint(): string {
    return this.#authority.fingerprint;
  }

  get certificatePem(): string {
    return this.#authority.certificatePem;
  }

  /** The `authority_proof` for the operator's certificate; undefined: the authority has signed the one that is used. */
  get proof(): string | undefined {
    return this.#operators?.proof;
  }

  /**
   * A certificate of 72 hours for this key (DER) and registered name.
   * @param from the time from which certificates of this user count, in ms since 1970; 0: all do.
   */
  certify(publicKey: Buffer, username: string, from: number): IssuedCertificate {
    // In the second of a revocation, or after the clock was set back, `from` is in the future.
    return issueUserCertificate(this.#authority, publicKey, username, Math.max(this.#now(), from));
  }

  /** For a new connection. It renews the certificate when needed, without a timer. */
  acceptance(): Acceptance {
    if (this.#operators !== undefined) return this.#operators.acceptance;
    const now = this.#now();
    const own = this.#own;
    if (own !== undefined && now >= own.from && now < own.to) return own.acceptance;
    const keys = generateKeyPair();
    const { pem, expiresAt } = issueServerCertificate(this.#authority, keys.spki, now);
    const context = acceptorContext({
      key: privateKeyToPem(keys.privateKey),
      certificate: pem + this.#authority.certificatePem,
    });
    // Also replaced after the clock was set back: clients refuse a certificate from the future.
    const acceptance = { context, leafHash: hashLeaf(new X509Certificate(pem).raw) };
    this.#own = { acceptance, from: now - BACKDATING, to: expiresAt - RENEWAL_MARGIN };
    return acceptance;
  }
}

function load(stored: StoredAuthority): Authority {
  try {
    return loadAuthority(stored.certificate, stored.privateKey);
  } catch (error) {
    throw new StartError(
      {
        es: "La autoridad guardada en la base de datos no se puede leer",
        en: "The authority kept in the database cannot be read",
      },
      error,
    );
  }
}
