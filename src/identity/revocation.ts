/** Certificates that were taken back before they expired (PROTOCOL 3, «Revocation»). */
import { BACKDATING, USER_CERTIFICATE_LIFETIME } from "./certificate.ts";

/** Certificates of `label` that were made before `before` no longer count. */
export type Revocation = {
  readonly label: string;
  /** Whole seconds since 1970. */
  readonly before: number;
  /** The fingerprint of a key whose certificates still count. */
  readonly except?: string | undefined;
};

/** How long a revocation is kept after its `before`, in ms: by then all certificates that it concerns have expired. */
export const REVOCATION_LIFETIME = BACKDATING + USER_CERTIFICATE_LIFETIME;

/** What a revocation looks at in a certificate. */
export type DatedCertificate = {
  readonly label: string;
  /** ms since 1970 */
  readonly notBefore: number;
  /** Of its key. */
  readonly fingerprint: string;
};

/** Whether this revocation takes back this certificate. */
export function revokes({ label, before, except }: Revocation, certificate: DatedCertificate): boolean {
  return (
    certificate.label === label &&
    certificate.notBefore + BACKDATING < before * 1_000 &&
    certificate.fingerprint !== except
  );
}

/**
 * Those revocations of one label that decide alone: the newest, and the newest that takes certificates of the key back
 * which the first one excepts. So a later exception makes nothing good that was taken back before it.
 * @returns the newest first
 */
export function decisive<R extends Revocation>(revocations: readonly R[]): R[] {
  const [newest, ...earlier] = revocations.toSorted((one, other) => other.before - one.before);
  if (newest === undefined) return [];
  const other =
    newest.except === undefined ? undefined : earlier.find(({ except }) => except !== newest.except);
  return other === undefined ? [newest] : [newest, other];
}

/**
 * Whether a revocation is kept at `now`, ms since 1970 by the server's clock. One that is as far in the future was made
 * while the server's clock was wrong: it would lock the account out until then.
 */
export function isKept({ before }: Revocation, now: number): boolean {
  const age = now - before * 1_000;
  return age < REVOCATION_LIFETIME && age >= -REVOCATION_LIFETIME;
}
