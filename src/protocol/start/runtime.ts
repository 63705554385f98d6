/** The runtime that both programs need. */
export const REQUIRED_BUN = "1.4.5";

/**
 * One sentence when this is not Bun, or too old a Bun: before 1.4.5 `rejectUnauthorized` was not enforced on
 * its sockets, so that no identity would be proven. Otherwise undefined.
 */
export function runtimeRefusal(): string | undefined {
  const version: string | undefined = (globalThis as { Bun?: { version: string } }).Bun?.version;
  if (version !== undefined && compareVersions(version, REQUIRED_BUN) >= 0) return undefined;
  const found = version === undefined ? "" : ` (${version})`;
  return `Paloma necesita Bun ${REQUIRED_BUN} o posterior${found} / Paloma needs Bun ${REQUIRED_BUN} or later${found}: npm install -g bun`;
}

/** Negative, zero or positive, by the three numbers; a canary counts as its release. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string) =>
    version.split(/[.+-]/, 3).map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
