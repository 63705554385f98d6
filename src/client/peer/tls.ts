/** Our side of the peer link's TLS, with the certificate of the moment, and what the other side's proves. */
import type { X509Certificate } from "node:crypto";

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
import { provePeer, type Proof } from "./proof.ts";

export class PeerTls {
  readonly #profile: Profile;
  readonly #ownLabel: string;
  readonly #now: () => number;
  /** PEM */
  readonly #key: string;

  /** @param now ms since 1970 */
  constructor(profile: Profile, now: () => number) {
    this.#profile = profile;
    this.#ownLabel = labelOf(profile.username);
    this.#now = now;
    this.#key = privateKeyToPem(profile.keys.privateKey);
  }

  /** Whether there is a certificate that others accept. */
  get isGood(): boolean {
    return this.#identity() !== undefined;
  }

  /** For dialling this label; undefined when our certificate is missing or has ended. */
  dialling(label: string): TlsContext | undefined {
    const identity = this.#identity();
    if (identity === undefined) return undefined;
    return diallerContext({ identity, authority: this.#profile.authority, serverName: label });
  }

  /** For accepting; undefined when our certificate is missing or has ended. */
  accepting(): TlsContext | undefined {
    const identity = this.#identity();
    return identity === undefined ? undefined : acceptorContext(identity, this.#profile.authority);
  }

  /** Steps 2 to 4 of the checklist. @param target the name that was dialled; undefined on the accepting side */
  prove(
    { certificate }: { readonly certificate: X509Certificate | undefined },
    handshake: Handshake,
    target: string | undefined,
  ): Proof {
    return provePeer(handshake, certificate, { ownLabel: this.#ownLabel, target, now: this.#now() });
  }

  #identity(): TlsIdentity | undefined {
    const { certificate } = this.#profile;
    if (certificate === undefined || certificate.expiresAt <= this.#now()) return undefined;
    return { key: this.#key, certificate: certificate.pem };
  }
}
