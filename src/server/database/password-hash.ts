/** Password hashes (PROTOCOL 4): argon2id, with OWASP's second recommendation of 19 MiB and two passes. */
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
