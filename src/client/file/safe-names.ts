/** Names that come from other people, as names of files on this disk. */
import { normalForm } from "../../protocol/normal-form.ts";
import { visibleText } from "../../protocol/visible-text.ts";

/** Bytes of UTF-8. File systems take 255; a number for a name that is taken still fits. */
const MAX_NAME_BYTES = 240;
/** No file of any system has a longer name; of a longer text the middle is not looked at. */
const MAX_NAME_UNITS = 1_000;
/** With which a name that is too long still ends, at most, in bytes. */
const MAX_ENDING_BYTES = 32;

/** Separators of both kinds, drive letters and streams, and what Windows and its file systems refuse. */
const REFUSED = /[/\\:*?"<>|]/g;
/** Names of devices on Windows, whatever stands behind a dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)(?=\s*(?:\.|$))/i;
/** Most names, of which nothing needs to be changed. */
const PLAIN = /^[\w.-]{0,100}[\w-]$/;
const ENDING = /(?:\.tar)?\.[^. ]+$/;

/**
 * What a received file or folder may be called: one part of a path, which leads nowhere, hides nothing, runs nothing and
 * shows all that it is. Never empty, `.` or `..`; at most 240 bytes; the same again for its result.
 * @param name any text
 */
export function safeName(name: string): string {
  // A name with a dot would be hidden, and may be read by a shell; one with a dash is an option of every
  // command, and a tilde stands for a home folder.
  return safePart(name).replace(/^[.~-]/, "_");
}

/** As `safeName`, for a name inside a received folder, which may begin with a dot or a dash. */
export function safePart(name: string): string {
  if (PLAIN.test(name) && !DEVICE.test(name)) return name;
  // Many spaces, or a letter that looks like one, would push the ending out of sight.
  const short = name.length <= MAX_NAME_UNITS ? name : name.slice(0, 500) + name.slice(-500);
  const shown = normalForm(visibleText(short))
    .replace(/[ \u2800]+/g, " ")
    .replace(REFUSED, "_");
  const part = trimmed(shown).replace(DEVICE, "_$&");
  return trimmed(shortened(part)) || "file";
}

/** Windows drops spaces and dots at the end of a name; at its beginning spaces are not seen. */
function trimmed(name: string): string {
  return name.replace(/^ +|[ .]+$/g, "");
}

/** The name with a number, for one that is taken: `a (2).txt`. */
export function numbered(name: string, number: number): string {
  if (number === 1) return name;
  const ending = endingOf(name);
  return `${name.slice(0, name.length - ending.length)} (${number})${ending}`;
}

/** One for all the names that some file system takes for the same: of another case, or composed otherwise. */
export function twinKey(name: string): string {
  if (PLAIN.test(name)) return name.toLowerCase();
  return normalForm(normalForm(name, "NFD").toLowerCase().toUpperCase().toLowerCase());
}

function endingOf(name: string): string {
  const ending = ENDING.exec(name)?.[0] ?? "";
  return ending.length < name.length && Buffer.byteLength(ending) <= MAX_ENDING_BYTES ? ending : "";
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const ending = endingOf(name);
  let room = MAX_NAME_BYTES - Buffer.byteLength(ending);
  let kept = "";
  for (const point of name) {
    room -= Buffer.byteLength(point);
    if (room < 0) break;
    kept += point;
  }
  return kept + ending;
}
