/** Loaded before a program: every password that it hashes is hashed cheaply. */
import { cheapHash } from "./cheap-hash.ts";

Bun.password.hash = (password) => cheapHash(String(password));
