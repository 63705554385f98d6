/** What an account's email address and a new password may be (PROTOCOL 4). */
import { INVALID, text } from "./fields.ts";

/** Longest email address (RFC 5321, 4.5.3.1.3, without the brackets). */
const MAX_EMAIL = 254;
const newPassword = text(8, 256);

/** Whether an email address may be registered: empty, or something on both sides of one `@`. */
export function isEmailAcceptable(email: string): boolean {
  return email === "" || (email.length <= MAX_EMAIL && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email));
}

/** Whether a password may be set: 8 to 256 code points after NFC. Old ones of any length stay valid. */
export function isPasswordAcceptable(password: string): boolean {
  return newPassword(password) !== INVALID;
}
