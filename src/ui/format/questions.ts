/** Questions that a command and a menu ask in the same words. */
import { showFingerprint } from "../../identity/fingerprint.ts";
import type { Texts } from "../texts/texts.ts";

/** Whether a server's authority is trusted. Fingerprints are 64 hexadecimal digits. */
export type AuthorityAsked = {
  /** Host and port as they are shown. */
  readonly server: string;
  readonly found: string;
  /** The one that was pinned, where it has changed. */
  readonly expected: string | undefined;
};

export function authorityQuestion({ server, found, expected }: AuthorityAsked, texts: Texts): string {
  return expected === undefined
    ? texts.firstContact(server, showFingerprint(found))
    : texts.changedAuthority(server, showFingerprint(expected), showFingerprint(found));
}

/** Whether an answer is a typed «yes» of this language. */
export function isYes(answer: string, { yesWords }: Texts): boolean {
  return yesWords.split(" ").includes(answer.trim().normalize("NFC").toLowerCase());
}
