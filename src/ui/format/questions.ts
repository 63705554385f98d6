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
export function isYes(answer: string, texts: Texts): boolean {
  return yesOrNo(answer, texts) === true;
}

/** Undefined: the answer is neither «yes» nor «no» in the language of the texts. */
export function yesOrNo(answer: string, { yesWords, noWords }: Texts): boolean | undefined {
  const word = normalForm(answer.trim()).toLowerCase();
  if (yesWords.split(" ").includes(word)) return true;
  return noWords.split(" ").includes(word) ? false : undefined;
}
