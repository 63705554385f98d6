/** TLS of peer links: our side with the current certificate, and the proof of the other side's. */
import { X509Certificate } from "node:crypto";

import { privateKeyToPem } from "../../identity/keys.ts";
import { label as labelOf } from "../../identity/names.ts";
import {
  acceptorContext,
  diallerContext,
  type Handshake,
  type TlsContext,
  type TlsIdentity,
} from "../../net/tls.ts";
import type { Profile } from "../profile/profile.ts";
import { provePeer, type Proof, type ProvenPeer } from "./proof.ts";

export class PeerTls {
  readonly #profile: Profile;
  readonly #authority: X509Certificate;
  readonly #ownLabel: string;
  readonly #now: () => number;
  /** PEM */
  readonly #key: string;

  /** @param now ms since 1970 */
  constructor(profile: Profile, now: () => number) {
    this.#profile = profile;
    this.#authority = new X509Certificate(profile.authority);
    this.#ownLabel = labelOf(profile.username);
    this.#now = now;
    this.#key = privateKeyToPem(profile.keys.privateKey);
  }

  /** Whether there is a certificate that has not expired and was not revoked. */
  get isGood(): boolean {
    return this.#identity() !== undefined;
  }

  /** The context to dial this label; undefined: we have no good certificate. */
  dialling(label: string): TlsContext | undefined {
    const identity = this.#identity();
    if (identity === undefined) return undefined;
    return diallerContext({ identity, authority: this.#profile.authority, serverName: label });
  }

  /** The context to accept peers; undefined: we have no good certificate. */
  accepting(): TlsContext | undefined {
    const identity = this.#identity();
    return identity === undefined ? undefined : acceptorContext(identity, this.#profile.authority);
  }

  /** Steps 2 to 4 of the checklist. @param target the dialled name; undefined: we accept */
  prove(
    { certificate }: { readonly certificate: X509Certificate | undefined },
    handshake: Handshake,
    target: string | undefined,
  ): Proof {
    return provePeer(handshake, certificate, {
      authority: this.#authority,
      ownLabel: this.#ownLabel,
      target,
      now: this.#now(),
      isRevoked: (each) => this.#profile.revocations.isRevoked(each),
    });
  }

  /** Whether the certificate of a peer that was proven was taken back since. */
  isRevoked(peer: ProvenPeer): boolean {
    return this.#profile.revocations.isRevoked(peer);
  }

  #identity(): TlsIdentity | undefined {
    const { certificate, isCertificateRevoked } = this.#profile;
    if (certificate === undefined || certificate.expiresAt <= this.#now() || isCertificateRevoked) {
      return undefined;
    }
    return { key: this.#key, certificate: certificate.pem };
  }
}
