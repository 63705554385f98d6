/** Files that are sent and received, in words: what the chat and the commands say of them. */
import type { SharedFile } from "../../client/conversation/events.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import type { Texts } from "../texts/texts.ts";
import { mostColumns } from "./column-width.ts";
import { graphemesOf } from "./graphemes.ts";
import { ageOf } from "./local-time.ts";

/** What is said of a transfer; more is known of it. */
export type ShownFile = Omit<SharedFile, "id" | "number" | "peer" | "at">;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;
/** How many links and special files of a folder are named. */
const MAX_LEFT_OUT = 5;
/** Columns of a name in a sentence. */
const MAX_NAME = 60;
/** Columns of a progress bar, its brackets included. */
const MIN_BAR = 12;
const MAX_BAR = 42;
/** Columns of the label before a bar, at least. */
const MIN_LABEL = 8;

/** «1,4 GiB», «14 GiB», «512 B». @param bytes 0 or more */
export function sizeText(bytes: number, texts: Pick<Texts, "decimalMark">): string {
  let [value, unit] = [bytes, 0];
  // 1,000 of a unit have four digits.
  while (Math.round(value) >= 1_000 && unit < UNITS.length - 1) [value, unit] = [value / 1_024, unit + 1];
  const hasDecimal = unit > 0 && value < 9.95;
  const shown = hasDecimal ? value.toFixed(1).replace(".", texts.decimalMark) : String(Math.round(value));
  return `${shown} ${UNITS[unit]}`;
}

/** «12 MiB/s». @param rate bytes per second */
export function rateText(rate: number, texts: Pick<Texts, "decimalMark">): string {
  return `${sizeText(rate, texts)}/s`;
}

/** How much has arrived, 0–100; 100 only if all has. Undefined: the size is not known. */
export function percentOf({ done, size }: Pick<ShownFile, "done" | "size">): number | undefined {
  if (size === null) return undefined;
  return done >= size ? 100 : Math.floor((done / size) * 100);
}

/** «2 min»: how long the rest takes at this rate. Undefined: nothing is left, or nobody knows. */
export function timeLeft({
  done,
  size,
  rate,
}: Pick<ShownFile, "done" | "size" | "rate">): string | undefined {
  if (size === null || rate === null || rate <= 0) return undefined;
  const left = ((size - done) / rate) * 1_000;
  // Less than a second is one.
  return left > 0 ? ageOf(Math.max(1_000, left)) : undefined;
}

/** The name as it may stand in a sentence of ours, in quotation marks. A long one keeps its beginning and its end. */
export function fileName(name: string): string {
  return shortened(quotedText(name), MAX_NAME);
}

/** The middle of a text is left out, so that it takes at most `columns`, 2 or more. @param text visible text */
export function shortened(text: string, columns: number): string {
  if (mostColumns(text) <= columns) return text;
  const points = Array.from(graphemesOf(text), ({ segment }) => segment);
  const room = columns - 1;
  const start = fitting(points, Math.ceil(room / 2));
  const end = fitting(points.toReversed(), room - mostColumns(start.join("")));
  return `${start.join("")}…${end.toReversed().join("")}`;
}

function fitting(segments: readonly string[], columns: number): readonly string[] {
  let room = columns;
  const past = segments.findIndex((segment) => (room -= mostColumns(segment)) < 0);
  return past < 0 ? segments : segments.slice(0, past);
}

/** «informe.pdf» (1,4 GiB). */
export function fileWhat(
  { name, size, entries }: Pick<ShownFile, "name" | "size" | "entries">,
  texts: Texts,
): string {
  const shown = size === null ? texts.fileSizeUnknown : sizeText(size, texts);
  return texts.fileWhat(fileName(name), entries === null ? shown : texts.folderFacts(entries, shown));
}

/** How far it is: «43 % de 1,4 GiB, 12 MiB/s, faltan 2 min». The rate is that of a file which is running. */
export function progressText(
  file: Pick<ShownFile, "done" | "size" | "rate" | "state">,
  texts: Texts,
): string {
  const { done, size, state, rate } = file;
  const [percent, left] = [percentOf(file), timeLeft(file)];
  const isRunning = state === "running";
  return [
    percent === undefined || size === null
      ? sizeText(done, texts)
      : texts.fileProgress(percent, sizeText(size, texts)),
    ...(isRunning && rate !== null ? [rateText(rate, texts)] : []),
    ...(isRunning && left !== undefined ? [texts.fileLeft(left)] : []),
  ].join(", ");
}

/** What becomes of a file, and why, in one or two sentences. @param user the other person, as people see the name */
export function fileSentence(file: ShownFile, user: string, texts: Texts): string {
  const { state, sha256 } = file;
  const isSaid = file.reason === state || file.reason === "stopped";
  // That nobody is connected is no code of theirs.
  const reason = file.reason ?? (isHeldUp(file) ? "no_link" : undefined);
  return [
    stateSentence(file, user, texts),
    ...(reason === undefined || isSaid ? [] : [reasonSentence(reason, file, user, texts)]),
    ...(state === "done" && sha256 !== null ? [texts.fileSha256(sha256)] : []),
  ].join(" ");
}

/** Whether it has begun, and nothing comes now, although something is missing. */
export function isHeldUp({ state, done, size }: ShownFile): boolean {
  return state === "paused" || (state === "accepted" && done > 0 && (size === null || done < size));
}

function pauseSentence(file: ShownFile, user: string, texts: Texts): string {
  const sentence = file.direction === "out" ? texts.fileOutPaused : texts.fileInPaused;
  return sentence(texts.fileName(fileName(file.name)), user, progressText(file, texts));
}

function stateSentence(file: ShownFile, user: string, texts: Texts): string {
  const { direction, state, path } = file;
  const what = fileWhat(file, texts);
  const isOut = direction === "out";
  switch (state) {
    case "offered":
      return (isOut ? texts.fileOutOffered : texts.fileInOffered)(what, user);
    case "accepted":
      // Of an empty file nothing is missing.
      if (file.done === 0 && file.size !== 0)
        return (isOut ? texts.fileOutAccepted : texts.fileInAccepted)(what, user);
      return isHeldUp(file)
        ? pauseSentence(file, user, texts)
        : (isOut ? texts.fileOutSent : texts.fileInSent)(what, user);
    case "running": {
      // The size stands behind the percent.
      const name = texts.fileName(fileName(file.name));
      return (isOut ? texts.fileOutRunning : texts.fileInRunning)(name, user, progressText(file, texts));
    }
    case "paused":
      return pauseSentence(file, user, texts);
    case "done":
      return isOut ? texts.fileOutDone(what, user) : texts.fileInDone(what, user, path ?? "");
    case "declined":
      return (isOut ? texts.fileOutDeclined : texts.fileInDeclined)(what, user);
    case "cancelled":
      if (file.reason === "stopped") return texts.fileStoppedBy(what, user);
      return (isOut ? texts.fileOutCancelled : texts.fileInCancelled)(what, user);
    case "failed":
      return (isOut ? texts.fileOutFailed : texts.fileInFailed)(what, user);
    default:
      return state satisfies never;
  }
}

/** What of a folder is not sent. @param name of the folder */
export function leftOutSentence(
  name: string,
  { count, paths }: { readonly count: number; readonly paths: readonly string[] },
  texts: Texts,
): string {
  const named = paths.slice(0, MAX_LEFT_OUT).map((path) => texts.fileName(fileName(path)));
  const rest = count - named.length;
  const listed = texts.list(rest > 0 ? [...named, texts.chatMorePeople(rest)] : named);
  return texts.fileLeftOut(fileName(name), listed);
}

/** Why a transfer has stopped, or was refused: a sentence for each code. @param user as in `fileSentence` */
export function reasonSentence(
  code: string,
  { direction, state }: Pick<ShownFile, "direction" | "state">,
  user: string,
  texts: Texts,
): string {
  const isOut = direction === "out";
  switch (code) {
    case "no_link":
      return texts.fileNoLink;
    case "no_giver":
      return texts.fileNoGiver;
    case "withdrawn":
      return texts.fileWithdrawn;
    case "not_a_member":
      return texts.groupNotMember;
    case "no_space":
      if (state === "paused") return isOut ? texts.fileNoSpaceThere(user) : texts.fileNoSpaceHere;
      return isOut ? texts.fileNoRoomThere(user) : texts.fileNoRoomHere;
    case "unwritable":
      return isOut ? texts.fileUnwritableThere(user) : texts.fileUnwritableHere;
    case "stopped":
      return texts.fileStopped(user);
    case "changed":
      return isOut ? texts.fileChangedHere : texts.fileChangedThere(user);
    case "gone":
      return isOut ? texts.fileGoneHere : texts.fileGoneThere(user);
    case "too_large":
      return isOut ? texts.fileTooLargeThere(user) : texts.fileTooLargeHere;
    case "too_many_offers":
      return (isOut ? texts.fileTooManyThere : texts.fileTooManyHere)(user);
    case "damaged":
      return texts.fileDamaged;
    case "bad_listing":
      return texts.fileBadListing;
    case "not_supported":
      return texts.fileNotSupported(user);
    case "key_changed":
      return texts.fileKeyChanged(user);
    case "lost":
      return texts.fileLost;
    case "no_such_file":
      return texts.fileMissing;
    case "not_readable":
      return texts.fileNotReadable;
    case "not_a_file":
      return texts.fileNotAFile;
    case "folder_in_group":
      return texts.fileFolderInGroup;
    case "too_many_entries":
      return texts.fileTooManyEntries;
    case "no_such_transfer":
      return texts.fileNoSuchTransfer;
    case "not_possible":
      return texts.fileNotPossible;
    default:
      return texts.fileOtherReason(code);
  }
}

/** Why a request about a file was refused. @param user as in `fileSentence` */
export function refusalSentence(code: string, user: string, texts: Texts): string {
  return reasonSentence(code, { direction: "in", state: "offered" }, user, texts);
}

/** `[=====>      ]`. @param fraction 0–1 @param columns its width, 3 or more */
export function progressBar(fraction: number, columns: number): string {
  const room = columns - 2;
  const full = Math.min(room, Math.floor(fraction * room));
  const head = full < room && full > 0 ? ">" : "";
  return `[${"=".repeat(full - head.length)}${head}${" ".repeat(room - full)}]`;
}

/**
 * One row of a terminal about one transfer, or about several as one: its label, a bar, and how far it is. What does not fit
 * is left out: first the bytes, then the bar, the rate, and the time that is left.
 * @param label visible text; a long one is shortened
 * @param columns the most that the row takes
 */
export function progressRow(
  label: string,
  progress: Pick<ShownFile, "done" | "size" | "rate">,
  columns: number,
  texts: Texts,
): string {
  const { done, size } = progress;
  // Of the same width whatever their values, so that nothing moves.
  const rate = (progress.rate === null ? "" : rateText(progress.rate, texts)).padStart(10);
  const left = (timeLeft(progress) ?? "").padStart(6);
  const percent = percentOf(progress);
  if (size === null || percent === undefined) {
    const bytes = sizeText(done, texts).padStart(8);
    return fittingRow(label, [[bytes, rate], [bytes]], columns);
  }
  const first = `${percent} %`.padStart(5);
  const bytes = `${sizeText(done, texts)} / ${sizeText(size, texts)}`.padStart(19);
  const bar = (room: number) => progressBar(size === 0 ? 1 : done / size, room);
  const withBar = [
    [first, bytes, rate, left],
    [first, rate, left],
  ].find((facts) => barColumns(facts, columns) >= MIN_BAR);
  if (withBar === undefined) return fittingRow(label, [[first, rate, left], [first, left], [first]], columns);
  const shown = bar(Math.min(MAX_BAR, barColumns(withBar, columns)));
  return fittingRow(label, [[shown, ...withBar]], columns);
}

/** What a bar may take beside these facts and a label: half of the room, as far as the label has its least. */
function barColumns(facts: readonly string[], columns: number): number {
  const room = columns - facts.join("  ").length - 4;
  return room - Math.max(MIN_LABEL, Math.floor(room / 2));
}

/** A label and the first of these lists that fits beside it. */
function fittingRow(label: string, choices: readonly (readonly string[])[], columns: number): string {
  const tails = choices.map((facts) => facts.join("  "));
  const tail = tails.find((each) => MIN_LABEL + 2 + each.length <= columns);
  if (tail === undefined) return shortened(tails.at(-1)?.trim() ?? "", columns);
  return `${padded(label, columns - tail.length - 2)}  ${tail}`;
}

function padded(label: string, columns: number): string {
  const shown = shortened(label, columns);
  return shown + " ".repeat(columns - mostColumns(shown));
}
