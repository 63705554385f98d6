/** What a password must be to be set (PROTOCOL 4); old ones of any length stay valid. */
import { countCodePoints } from "./fields.ts";

const MIN_CODE_POINTS = 8;
const MAX_CODE_POINTS = 256;

/** Whether a password may be set: 8 to 256 code points after NFC, no rule of composition. */
export function isPasswordAcceptable(password: string): boolean {
  const length = countCodePoints(password.normalize("NFC"));
  return length >= MIN_CODE_POINTS && length <= MAX_CODE_POINTS;
}
