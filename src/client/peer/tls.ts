/** The TLS contexts of the peer link, with the certificate of the moment. */
import { privateKeyToPem } from "../../identity/keys.ts";
import { acceptorContext, diallerContext, type TlsContext, type TlsIdentity } from "../../net/tls.ts";
import type { Profile } from "../profile/profile.ts";

export class PeerContexts {
  readonly #profile: Profile;
  readonly #now: () => number;
  /** PEM */
  readonly #key: string;

  /** @param now ms since 1970 */
  constructor(profile: Profile, now: () => number) {
    this.#profile = profile;
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

  #identity(): TlsIdentity | undefined {
    const { certificate } = this.#profile;
    if (certificate === undefined || certificate.expiresAt <= this.#now()) return undefined;
    return { key: this.#key, certificate: certificate.pem };
  }
}
