/** The questions that commands and menus share. */
import { showFingerprint } from "../../identity/fingerprint.ts";
import { normalForm } from "../../protocol/normal-form.ts";
import type { Texts } from "../texts/texts.ts";

/** The question whether a server's authority is trusted. Fingerprints are 64 hexadecimal digits. */
export type AuthorityAsked = {
  /** Host and port as shown to the person. */
  readonly server: string;
  readonly found: string;
  /** The pinned fingerprint, if it has changed; undefined at the first contact. */
  readonly expected: string | undefined;
};

export function authorityQuestion({ server, found, expected }: AuthorityAsked, texts: Texts): string {
  return expected === undefined
    ? texts.firstContact(server, showFingerprint(found))
    : texts.changedAuthority(server, showFingerprint(expected), showFingerprint(found));
}

/** Whether an answer is «yes» in the language of the texts. */
export function isYes(answer: string, { yesWords }: Texts): boolean {
  return yesWords.split(" ").includes(normalForm(answer.trim()).toLowerCase());
}
