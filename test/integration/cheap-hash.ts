/** Most tests register and log in, and few ask how long that takes: for the others the server's hashes are cheap. */
import { join } from "node:path";

const { hash } = Bun.password;

/** The cheapest hash that argon2id allows; the server verifies it as any other. */
export function cheapHash(password: string): Promise<string> {
  return hash(password, { algorithm: "argon2id", memoryCost: 8, timeCost: 1 });
}

/** The environment of a program that is to hash cheaply. */
export const CHEAP_HASHES = { BUN_OPTIONS: `--preload=${join(import.meta.dir, "cheap-hashes.ts")}` };
