import { expect, test } from "bun:test";

import { describeUnreachable } from "../../../src/ui/failures.ts";
import { queuedSentence } from "../../../src/ui/commands/deliver.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { UNREACHABLE_REASONS } from "../chat/chat-script.ts";

const PARTS = {
  "when benito is online": [
    "offline",
    "no_certificate",
    "not_in_date",
    "revoked",
    "not_proven",
    "storage_failed",
  ],
  "once that has changed": ["no_meeting", "cannot_meet", "relay_off", "relay_never"],
  "until you accept the key": ["key_pending"],
  "until the key of benito is verified": ["verification_needed"],
  "as long as benito uses that client": ["insecure"],
} as const satisfies { readonly [words: string]: readonly (typeof UNREACHABLE_REASONS)[number][] };

test.each(UNREACHABLE_REASONS)("what is queued after %s is said to be sent when it will be", (reason) => {
  const texts = textsIn("en");
  const { code } = describeUnreachable(reason, "benito", new Map(), texts);
  const words = Object.entries(PARTS).find(([, reasons]) => reasons.some((each) => each === reason))?.[0];
  const said = queuedSentence("The message", "benito", texts, code);
  expect(said).toContain(words ?? "until benito has received it");
});

test("what was not acknowledged is tried again, and what is only queued is sent when both are online", () => {
  const texts = textsIn("es");
  expect(queuedSentence("El mensaje", "ana", texts, "not_acknowledged")).toBe(
    "El mensaje queda en cola y se volverá a intentar, mientras usted esté en línea (menús, listen o el próximo send), hasta que lo reciba ana.",
  );
  expect(queuedSentence("El mensaje", "ana", texts)).toContain("cuando ana y usted estén en línea");
});
