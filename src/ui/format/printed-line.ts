/**
 * Lines as they stand on the terminal. Ours begin at column 1; nothing that somebody else wrote does, so
 * that no line of theirs can look like one of ours.
 */
import { createColors } from "picocolors";

import type { Language } from "../../protocol/language.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { MessageState } from "../../client/disk/schema.ts";
import type { Texts } from "../texts/texts.ts";
import { quotable } from "./excerpt.ts";
import { stateMark } from "./message-format.ts";
import { wrapped } from "./wrapped-text.ts";
import { localClock, localDay } from "./local-time.ts";

/** What is printed on the screen: once, above the line being edited, and never redrawn. */
export type Line =
  /** A new day begins. `at`: ms since 1970, any moment of it. */
  | { readonly name: "day"; readonly at: number }
  | {
      readonly name: "message";
      /** Of arrival for theirs, of writing for ours; ms since 1970. */
      readonly at: number;
      /** When a message of theirs was written, if that was long before it arrived. */
      readonly writtenAt: number | undefined;
      /** As it is shown. */
      readonly from: string;
      readonly isOwn: boolean;
      /** As it was received or typed: the view makes it visible. */
      readonly text: string;
      /** Of ours, where it is printed; undefined: its state stands in the prompt. */
      readonly state: MessageState | undefined;
      readonly change?: "edited" | "withdrawn";
      /** That change has not reached the other side. */
      readonly changeWaits?: boolean;
      /** What it answers: its beginning as it may be shown; undefined: it is not here any more. */
      readonly answers?: { readonly excerpt: string | undefined };
      /** Its number in a list. */
      readonly number?: number;
      /** Found by a search: the day stands there too, and to whom one of ours was, as they are shown. */
      readonly found?: { readonly to: string | undefined };
    }
  /** A sentence of our own, in the person's language; names in it are visible text already. */
  | { readonly name: "notice"; readonly text: string }
  /** As a notice, of something that went wrong. */
  | { readonly name: "failure"; readonly text: string };

export type LineViewOptions = {
  /** Of the terminal; undefined: lines stay as long as they are. */
  readonly columns: number | undefined;
  readonly language: Language;
  readonly texts: Texts;
  readonly colours: boolean;
};

const DAY = { day: "numeric", month: "long" } as const;
const FORMATS = {
  es: formatsOf("es"),
  en: formatsOf("en"),
};

function formatsOf(language: Language) {
  return {
    whole: new Intl.DateTimeFormat(language, { ...DAY, weekday: "long", year: "numeric" }),
    day: new Intl.DateTimeFormat(language, DAY),
    dayAndYear: new Intl.DateTimeFormat(language, { ...DAY, year: "numeric" }),
  };
}

/** When a late message was written, as shortly as it is clear beside the time at which it arrived. */
function writtenAt(written: Date, arrived: Date, { language, texts }: LineViewOptions): string {
  if (written.toDateString() === arrived.toDateString())
    return texts.chatWrittenAt(localClock(written.getTime()));
  const isSameYear = written.getFullYear() === arrived.getFullYear();
  const format = FORMATS[language][isSameYear ? "day" : "dayAndYear"];
  return texts.chatWrittenOn(format.format(written), localClock(written.getTime()));
}

function changeMark(change: "edited" | "withdrawn", waits: boolean, texts: Texts): string {
  if (change === "edited") return waits ? texts.chatEditedWaits : texts.chatEdited;
  return waits ? texts.chatWithdrawnWaits : texts.chatWithdrawn;
}

/** What stands between a name and its colon: nothing there is as it was received. */
function marksOf(line: Line & { readonly name: "message" }, options: LineViewOptions): string {
  const { texts } = options;
  const { answers, change, changeWaits = false, state, writtenAt: written } = line;
  const marks: string[] = [];
  if (state !== undefined && change !== "withdrawn") marks.push(stateMark(state, texts));
  if (written !== undefined) marks.push(writtenAt(new Date(written), new Date(line.at), options));
  if (change !== undefined) marks.push(changeMark(change, changeWaits, texts));
  if (answers !== undefined) {
    const { excerpt } = answers;
    marks.push(excerpt === undefined ? texts.chatAnswersGone : texts.chatAnswers(quotable(excerpt)));
  }
  return marks.map((mark) => ` ${mark}`).join("");
}

function renderMessage(line: Line & { readonly name: "message" }, options: LineViewOptions): string {
  const colours = createColors(options.colours);
  const { at, found, number } = line;
  const from = visibleText(line.from);
  const to = found?.to === undefined ? "" : ` → ${visibleText(found.to)}`;
  const numbered = number === undefined ? "" : `#${number} `;
  const time = `${numbered}${found === undefined ? "" : `${localDay(at)} `}${localClock(at)}`;
  const text = line.change === "withdrawn" ? "" : `: ${visibleText(line.text, { lines: true })}`;
  const rows = wrapped(`${time} ${from}${to}${marksOf(line, options)}${text}`, options.columns);
  const head = `${time} ${from}`;
  // A name that the terminal's edge has broken stays without colour.
  if (!rows.startsWith(head)) return rows;
  const coloured = line.isOwn ? colours.cyan(from) : colours.bold(from);
  return `${colours.dim(time)} ${coloured}${rows.slice(head.length)}`;
}

/** A line of ours, of which every row but the first is indented. */
function renderOwn(begin: string, text: string, columns: number | undefined): string {
  const rows = wrapped(`${begin} ${visibleText(text, { lines: true })}`, columns);
  // A space that no longer fits would stand before the next row's first word; nothing of ours begins with one.
  return rows.replace(/^ {5}(?=\S)/gm, "    ");
}

/** A line as it is written to the terminal, ending in a line feed. */
export function renderLine(line: Line, options: LineViewOptions): string {
  const colours = createColors(options.colours);
  const { columns, language } = options;
  switch (line.name) {
    case "day":
      return `${colours.dim(wrapped(`— ${FORMATS[language].whole.format(line.at)} —`, columns))}\n`;
    case "message":
      return `${renderMessage(line, options)}\n`;
    case "notice":
      return `${colours.dim(renderOwn("—", line.text, columns))}\n`;
    case "failure": {
      const rows = renderOwn("!", line.text, columns);
      return `${colours.red("!")}${rows.slice(1)}\n`;
    }
    default:
      return line satisfies never;
  }
}
