/** Password hashes (PROTOCOL 4): argon2id, with OWASP's second recommendation of 19 MiB and two passes. */
import { randomBytes } from "node:crypto";

const PARAMETERS = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** Stands for the empty password, which old accounts may have and the library refuses; no client can set it. */
const EMPTY = "\0";

/** The hash, in PHC form, of a password in NFC. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password === "" ? EMPTY : password, PARAMETERS);
}

/** Whether a password in NFC has this hash. @throws if the text is not a hash. */
export function verifyPassword(password: string, hash: string): Promise<boolean> {
  return Bun.password.verify(password === "" ? EMPTY : password, hash);
}

/** A hash that no password has: to verify it takes as long as to verify another. */
export function hashOfNone(): string {
  const { algorithm, memoryCost, timeCost } = PARAMETERS;
  const random = () => randomBytes(32).toString("base64").replace("=", "");
  return `$${algorithm}$v=19$m=${memoryCost},t=${timeCost},p=1$${random()}$${random()}`;
}
