/**
 * The transfers with the person of a chat: what the chat says of them, and how far they are, which its prompt shows.
 *
 * Nothing is said twice. What may pass at once is said only if it lasts: an offer, that a file begins to
 * move, and that nothing comes of an accepted one.
 */
import type { SharedFile } from "../../../client/conversation/events.ts";
import { percentOf, sizeText } from "../../format/file-words.ts";
import type { Line } from "../../format/printed-line.ts";
import type { Texts } from "../../texts/texts.ts";
import { fileLine, hasEnded, isOffer, isUnderWay } from "./file-lines.ts";

type Tracked = {
  readonly file: SharedFile;
  /** Since when it has its state and reason, ms since 1970. */
  readonly since: number;
  /** The state and reason that were said last; undefined: nothing was. */
  readonly said: string | undefined;
};

/** By id: those that have not ended, and those that have ended while others in the same direction go on, since the prompt shows their sum. */
export type TrackedFiles = ReadonlyMap<string, Tracked>;

export type FilesContext = {
  /** ms since 1970 */
  readonly now: number;
  readonly texts: Texts;
  /** A name as people see it. */
  readonly shown: (username: string) => string;
  /** Why what we write waits; undefined: it does not, or that was said. */
  readonly why: string | undefined;
};

export type FilesStep = { readonly files: TrackedFiles; readonly lines: readonly Line[] };

/** What may pass at once is said after this time, in ms. */
const LASTS = 3_000;
/** An offer may be accepted without a question, and a small file is there at once; ms. */
const BEGIN_LASTS = 500;

export const NO_FILES: TrackedFiles = new Map();

function sayingOf({ state, reason, giver = null }: SharedFile): string {
  return [state, reason, state === "accepted" || state === "running" ? giver : null].join(" ");
}

/** How long a state has to last before it is said, in ms. */
function lasting(file: SharedFile): number {
  if (file.state === "accepted") return LASTS;
  return isOffer(file) || file.state === "running" ? BEGIN_LASTS : 0;
}

/** Says what has become of a file, unless that was said, or has to last before. */
function tell(
  tracked: Tracked,
  { now, texts, shown, why }: FilesContext,
): { tracked: Tracked; lines: readonly Line[] } {
  const { file, since, said } = tracked;
  const saying = sayingOf(file);
  // The text that offers a file to a group says so.
  if (file.group !== undefined && file.state === "offered") return { tracked, lines: [] };
  // Nobody knows of an offer that was taken back at once.
  if (said === undefined && file.state === "cancelled" && file.direction === "in")
    return { tracked, lines: [] };
  // The clock may have been set back.
  if (said === saying || Math.abs(now - since) < lasting(file)) return { tracked, lines: [] };
  const line = fileLine(file, shown, texts);
  const isWaiting = file.state === "offered" && file.direction === "out" && why !== undefined;
  return {
    tracked: { ...tracked, said: saying },
    lines: [isWaiting ? { ...line, text: `${line.text} ${why}` } : line],
  };
}

/** A transfer with the person of the chat has changed, or makes progress. */
export function withFile(files: TrackedFiles, file: SharedFile, context: FilesContext): FilesStep {
  const before = files.get(file.id);
  const isSame = before !== undefined && sayingOf(before.file) === sayingOf(file);
  const since = isSame ? before.since : context.now;
  const { tracked, lines } = tell({ file, since, said: before?.said }, context);
  return { files: withoutPast(new Map(files).set(file.id, tracked), file.direction), lines };
}

/** Forgets those that have ended, once none in their direction is under way. */
function withoutPast(files: TrackedFiles, direction: SharedFile["direction"]): TrackedFiles {
  const isHere = ({ file }: Tracked) => file.direction === direction;
  if (files.values().some((each) => isHere(each) && isUnderWay(each.file))) return files;
  return new Map([...files].filter(([, each]) => !isHere(each) || !hasEnded(each.file)));
}

/** Says what has lasted. To be called on each tick. */
export function tickFiles(files: TrackedFiles, context: FilesContext): FilesStep {
  const told = [...files].map(([id, before]) => ({ id, ...tell(before, context) }));
  const lines = told.flatMap((each) => each.lines);
  return lines.length === 0
    ? { files, lines }
    : { files: new Map(told.map(({ id, tracked }) => [id, tracked])), lines };
}

/** How far the files are that are under way, for the prompt: «⇡ 43 %», «⇣ 612 MiB», both or nothing. */
export function progressMark(files: TrackedFiles, texts: Texts): string {
  return (["out", "in"] as const)
    .flatMap((direction) => {
      const all = [...files.values()].map(({ file }) => file).filter((file) => file.direction === direction);
      if (!all.some(isUnderWay)) return [];
      // Of those that were stopped nothing more comes.
      const counted = all.filter((file) => isUnderWay(file) || file.state === "done");
      const done = counted.reduce((sum, file) => sum + file.done, 0);
      const size = counted.reduce<number | null>(
        (sum, file) => (sum === null || file.size === null ? null : sum + file.size),
        0,
      );
      const percent = percentOf({ done, size });
      return [
        `${direction === "out" ? "⇡" : "⇣"} ${percent === undefined ? sizeText(done, texts) : `${percent} %`}`,
      ];
    })
    .join(" ");
}
