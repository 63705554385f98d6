/** TLS of peer links: our side with the current certificate, and the proof of the other side's. */
import { X509Certificate } from "node:crypto";

import { readUserCertificate, type UserCertificate } from "../../identity/certificate-reader.ts";
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

/** Certificates of which is remembered what was read; beyond it the first one is forgotten. */
const MAX_READ = 256;

export class PeerTls {
  readonly #profile: Profile;
  readonly #authority: X509Certificate;
  readonly #ownLabel: string;
  readonly #now: () => number;
  /** PEM */
  readonly #key: string;
  /** What was read of certificates, by the SHA-256 of each: reading one, with its signature, is much of a new link's work. */
  readonly #read = new Map<string, UserCertificate>();

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
      read: (each) => this.#readUser(each),
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

  #readUser(certificate: X509Certificate): UserCertificate {
    const hash = certificate.fingerprint256;
    const known = this.#read.get(hash);
    if (known !== undefined) return known;
    const user = readUserCertificate(certificate, this.#authority);
    const [first] = this.#read.keys();
    if (this.#read.size === MAX_READ && first !== undefined) this.#read.delete(first);
    this.#read.set(hash, user);
    return user;
  }

  #identity(): TlsIdentity | undefined {
    const { certificate, isCertificateRevoked } = this.#profile;
    if (certificate === undefined || certificate.expiresAt <= this.#now() || isCertificateRevoked) {
      return undefined;
    }
    return { key: this.#key, certificate: certificate.pem };
  }
}
