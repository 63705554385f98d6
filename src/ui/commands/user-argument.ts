/** The people whom an argument names. */
import { withReadableArchive } from "../../client/archive.ts";
import { AccountError } from "../../client/errors.ts";
import { isNewName, isOldNameAcceptable, label } from "../../identity/names.ts";
import { UsageError } from "../../protocol/options.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import type { Config } from "../config.ts";
import { textsIn } from "../texts/texts.ts";

/**
 * The person that an argument names, or where it may name several, `ana,benito`, each once.
 * @throws UsageError for a name that nobody can have, and as `isKnownHere`
 */
export async function readPeople(
  typed: string,
  several: boolean,
  config: Config,
): Promise<readonly string[]> {
  // The name of an old account may have a comma.
  if (isNewName(typed) || (await isKnownHere(typed, config))) return [typed];
  const names = new Map(
    (several ? typed.split(",") : [typed]).map((name) => [label(name.trim()), name.trim()]),
  );
  for (const name of names.values()) {
    if (isNewName(name) || (await isKnownHere(name, config))) continue;
    const texts = textsIn(config.language);
    if (isNewName(quotedText(name))) throw new UsageError(texts.unseenInName(name));
    throw new UsageError(isOldNameAcceptable(name) ? texts.oldName(name) : texts.badName(name));
  }
  return [...names.values()];
}

/** Whether the account has met a person of this name. @throws as `withReadableArchive`, but for AccountError */
async function isKnownHere(user: string, config: Config): Promise<boolean> {
  try {
    return await withReadableArchive(config, (archive) => archive.conversation(user) !== undefined);
  } catch (error) {
    if (error instanceof AccountError) return false;
    throw error;
  }
}
