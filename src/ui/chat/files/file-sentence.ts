/** What is said of a transfer, be it with a person or for all of a group. */
import type { SharedFile } from "../../../client/conversation/events.ts";
import { fileSentence, fileWhat, isHeldUp } from "../../format/file-words.ts";
import type { Texts } from "../../texts/texts.ts";

/** @param shown gives a name as people see it */
export function sentenceOf(file: SharedFile, shown: (username: string) => string, texts: Texts): string {
  if (file.group === undefined) return fileSentence(file, shown(file.peer), texts);
  const { direction, from, giver = null, reason, state, title = "" } = file;
  const [what, group] = [fileWhat(file, texts), texts.groupTitle(title)];
  if (direction === "out") {
    if (state === "offered") return texts.groupFileGiven(what, group);
    return state === "cancelled" ? texts.groupFileNotGiven(what, group) : fileSentence(file, group, texts);
  }
  const author = texts.groupAuthor(shown(from ?? ""), group);
  if (state === "offered") return texts.groupFileOffered(what, shown(from ?? ""), group);
  if (state === "accepted" && giver === null && !isHeldUp(file)) return texts.groupFileWaits(what, author);
  const isGiven = state === "running" && giver !== null && giver !== from;
  const user = isGiven ? texts.groupFileGiver(author, shown(giver)) : author;
  // That nobody is connected who has it is no code of theirs.
  // The bytes were checked: nobody has to compare.
  const shownFile = { ...file, sha256: null, reason: reason ?? (isHeldUp(file) ? "no_giver" : null) };
  return fileSentence(shownFile, user, texts);
}
