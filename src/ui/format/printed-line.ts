/**
 * Lines as they stand on the terminal. Ours begin at column 1 and nothing that somebody else wrote does, so that
 * it cannot look like one of ours.
 */
import { createColors } from "picocolors";

import type { Language } from "../../protocol/language.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { Texts } from "../texts/texts.ts";
import { remarks, type Remarked } from "./message-format.ts";
import { wrapped } from "./wrapped-text.ts";
import { localClock, localDay } from "./local-time.ts";

/** What is printed on the screen: once, above the line being edited, and never redrawn. */
export type Line =
  /** A new day begins. `at`: ms since 1970, any moment of it. */
  | { readonly name: "day"; readonly at: number }
  | (Omit<Remarked, "written"> & {
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
      /** Its number in a list. */
      readonly number?: number;
      /** Found by a search: the day stands there too, and to whom one of ours was, as they are shown. */
      readonly found?: { readonly to: string | undefined };
    })
  /** A sentence of our own, in the person's language; names in it are visible text already. */
  | { readonly name: "notice"; readonly text: string }
  /** A notice of something that went wrong. */
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

/** When a late message was written, as briefly as is clear beside the time of its arrival. */
function writtenWhen(written: Date, arrived: Date, { language, texts }: LineViewOptions): string {
  if (written.toDateString() === arrived.toDateString())
    return texts.chatWrittenAt(localClock(written.getTime()));
  const isSameYear = written.getFullYear() === arrived.getFullYear();
  const format = FORMATS[language][isSameYear ? "day" : "dayAndYear"];
  return texts.chatWrittenOn(format.format(written), localClock(written.getTime()));
}

function renderMessage(line: Line & { readonly name: "message" }, options: LineViewOptions): string {
  const colours = createColors(options.colours);
  const { at, found, number } = line;
  const from = visibleText(line.from);
  const to = found?.to === undefined ? "" : ` → ${visibleText(found.to)}`;
  const numbered = number === undefined ? "" : `#${number} `;
  const time = `${numbered}${found === undefined ? "" : `${localDay(at)} `}${localClock(at)}`;
  const text = line.change === "withdrawn" ? "" : `: ${visibleText(line.text, { lines: true })}`;
  const { writtenAt } = line;
  const written =
    writtenAt === undefined ? undefined : writtenWhen(new Date(writtenAt), new Date(at), options);
  const remarked = remarks({ ...line, written }, options.texts);
  const rows = wrapped(`${time} ${from}${to}${remarked}${text}`, options.columns);
  const head = `${time} ${from}`;
  // A name that is broken at the right edge stays without colour.
  if (!rows.startsWith(head)) return rows;
  const coloured = line.isOwn ? colours.cyan(from) : colours.bold(from);
  return `${colours.dim(time)} ${coloured}${rows.slice(head.length)}`;
}

/** A line of ours, of which every row but the first is indented. */
function renderOwn(begin: string, text: string, columns: number | undefined): string {
  const rows = wrapped(`${begin} ${visibleText(text, { lines: true })}`, columns);
  // A space that no longer fits would stand before the first word of the next row.
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
