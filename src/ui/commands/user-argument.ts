/** The people and groups whom an argument names. */
import { withReadableArchive, type Archive } from "../../client/archive.ts";
import { AccountError } from "../../client/errors.ts";
import { groupNames, groupsNamed, type NamedGroup } from "../../client/group-names.ts";
import { isNewName, isOldNameAcceptable, label } from "../../identity/names.ts";
import { UsageError } from "../../protocol/options.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import type { Config } from "../config.ts";
import { textsIn, type Texts } from "../texts/texts.ts";

/** The group that an argument means, with or without `#`. @throws UsageError if it is none, or one of several */
export function theGroup<G extends NamedGroup>(typed: string, groups: readonly G[], texts: Texts): G {
  const found = groupsNamed(typed, groups);
  const [first] = found;
  if (first === undefined) throw new UsageError(texts.groupUnknown(typed));
  if (found.length === 1) return first;
  const names = groupNames(groups);
  const choices = found.map(({ group }) => quotedText(names.get(group) ?? ""));
  throw new UsageError(texts.groupSeveral(typed, texts.list(choices)));
}

/** What a shell inserts as it is, in quotation marks or with backslashes, and reads as nothing but a word. */
export const HARMLESS_GROUP = /^#[\p{L}\p{M}\p{N} ._,+-]+$/u;
/** Letters of an id by which another group is typed. */
const ID_TYPED = 8;

/** A group as it may be typed in a shell, in quotation marks. */
export function typedGroup({ group, name }: { readonly group: string; readonly name: string }): string {
  return HARMLESS_GROUP.test(name) ? name : `#${group.slice(0, ID_TYPED)}`;
}

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
  for (const name of names.values()) if (!isNewName(name)) await checkName(name, config);
  return [...names.values()];
}

/**
 * As `readPeople`, where groups may stand among them, `ana,#Clase`: of a group the name is `#` and its id.
 * @throws UsageError also for a group that is not known here, or one of several, and as `readPeople`
 */
export async function readConversations(
  typed: string,
  several: boolean,
  config: Config,
): Promise<readonly string[]> {
  if (!typed.includes("#")) return readPeople(typed, several, config);
  const texts = textsIn(config.language);
  const groups = (await fromArchive(config, (archive) => archive.groups())) ?? [];
  // A title may have a comma.
  const isWhole = typed.startsWith("#") && groupsNamed(typed, groups).length > 0;
  const names = new Map<string, string>();
  for (const name of several && !isWhole ? typed.split(",").map((each) => each.trim()) : [typed]) {
    const isGroup = name.startsWith("#");
    if (!isGroup && !isNewName(name)) await checkName(name, config);
    names.set(isGroup ? name : label(name), isGroup ? `#${theGroup(name, groups, texts).group}` : name);
  }
  return [...new Set(names.values())];
}

/** @throws UsageError for a name that nobody can have, unless it is that of an old account that is known here */
async function checkName(name: string, config: Config): Promise<void> {
  if (await isKnownHere(name, config)) return;
  const texts = textsIn(config.language);
  if (name.startsWith("#")) throw new UsageError(texts.groupNotPerson(name));
  const groups = (await fromArchive(config, (archive) => archive.groups())) ?? [];
  const [group] = groupsNamed(name, groups);
  if (group !== undefined) throw new UsageError(texts.groupNeedsSign(name, typedGroup(group)));
  if (isNewName(quotedText(name))) throw new UsageError(texts.unseenInName(name));
  throw new UsageError(isOldNameAcceptable(name) ? texts.oldName(name) : texts.badName(name));
}

/** Whether the account has met a person of this name. @throws as `fromArchive` */
async function isKnownHere(user: string, config: Config): Promise<boolean> {
  return (await fromArchive(config, (archive) => archive.conversation(user) !== undefined)) ?? false;
}

/** What is stored, if the account is known here. @throws as `withReadableArchive`, but for AccountError */
async function fromArchive<T>(config: Config, read: (archive: Archive) => T): Promise<T | undefined> {
  try {
    return await withReadableArchive(config, read);
  } catch (error) {
    if (error instanceof AccountError) return undefined;
    throw error;
  }
}
