/** What an account's email address may be (PROTOCOL 4). */
/** Longest email address (RFC 5321, 4.5.3.1.3, without the brackets). */
const MAX_EMAIL = 254;

/** Whether an email address may be registered: empty, or something on both sides of one `@`. */
export function isEmailAcceptable(email: string): boolean {
  return email === "" || (email.length <= MAX_EMAIL && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email));
}
