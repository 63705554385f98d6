/** The one question that the operator's program asks. */
import { createInterface } from "node:readline";

import type { Language } from "../../protocol/language.ts";
import { UsageError } from "../../protocol/options.ts";
import { deletionQuestion } from "./answers.ts";

/** @throws UsageError without a terminal to ask at */
export function requireTerminal(language: Language): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new UsageError(
    language === "es" ? "Para borrar sin preguntar, añada --yes" : "To delete without being asked, add --yes",
  );
}

/** Asks at the terminal whether the account of this name, as it is registered, is to be deleted. */
export async function isConfirmed(username: string, language: Language): Promise<boolean> {
  process.stderr.write(deletionQuestion(username)[language]);
  const lines = createInterface({ input: process.stdin, terminal: false });
  const answer = await new Promise<string>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(""));
  });
  lines.close();
  return /^(?:s|sí|si|y|yes)$/i.test(answer.trim().normalize("NFC"));
}
