/** What two people compare: their keys' fingerprints and the safety number between them. */
import { fingerprint, safetyNumber } from "../identity/fingerprint.ts";
import type { Contact, ContactKey } from "./profile/contacts.ts";
import type { Profile } from "./profile/profile.ts";

export { parseFingerprint, showFingerprint } from "../identity/fingerprint.ts";

/** The fingerprint of this account's key on this machine: 64 hexadecimal digits. */
export function ownFingerprint(profile: Profile): string {
  return fingerprint(profile.keys.spki);
}

/** The safety number with a contact under one of their keys: twelve groups of five digits. */
export function safetyNumberWith(profile: Profile, contact: Contact, key: ContactKey): string {
  return safetyNumber(
    { name: profile.username, spki: profile.keys.spki },
    { name: contact.username, spki: key.spki },
  );
}
