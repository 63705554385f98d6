/** The question before an account is deleted. */
import { createInterface } from "node:readline";

import type { Language } from "../../protocol/language.ts";
import { normalForm } from "../../protocol/normal-form.ts";
import { UsageError } from "../../protocol/options.ts";
import { deletionQuestion } from "./answers.ts";
import type { HostProcess } from "../host-process.ts";

/** @throws UsageError unless there is a terminal for the question */
export function requireTerminal(language: Language, { stdin, stderr }: HostProcess): void {
  if (stdin.isTTY && stderr.isTTY) return;
  throw new UsageError(
    language === "es" ? "Para borrar sin preguntar, añada --yes" : "To delete without being asked, add --yes",
  );
}

/** @param username as it is registered. */
export async function isConfirmed(
  username: string,
  language: Language,
  { stdin, stderr }: HostProcess,
): Promise<boolean> {
  stderr.write(deletionQuestion(username)[language]);
  const lines = createInterface({ input: stdin, terminal: false });
  const answer = await new Promise<string>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(""));
  });
  lines.close();
  return /^(?:s|sí|si|y|yes)$/i.test(normalForm(answer.trim()));
}
