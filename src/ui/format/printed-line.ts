/**
 * Lines as they are printed on the terminal. Only our own text starts at column 1, so that no remote text can look
 * like a line of ours.
 */
import { createColors } from "picocolors";

import type { Language } from "../../protocol/language.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { Texts } from "../texts/texts.ts";
import { withLinks } from "./addresses.ts";
import { remarks, type Remarked } from "./message-format.ts";
import { hasWholeAddresses, wrapped, wrappedMessage, wrappedSentence } from "./wrapped-text.ts";
import { localClock, localDay } from "./local-time.ts";

/** Printed once, above the line being edited, and never redrawn. */
export type Line =
  /** A new day begins. `at`: ms since 1970, any moment of it. */
  | { readonly name: "day"; readonly at: number }
  /** The messages that follow were not read before. */
  | { readonly name: "unread" }
  | (Omit<Remarked, "written"> & {
      readonly name: "message";
      /** When a message of the peer arrived, or one of ours was written; ms since 1970. */
      readonly at: number;
      /** When a message of the peer was written, if it arrived much later; ms since 1970. */
      readonly writtenAt: number | undefined;
      /** The author's name as shown. */
      readonly from: string;
      readonly isOwn: boolean;
      /** As received or typed; made visible when it is rendered. With `offer` it may be empty. */
      readonly text: string;
      /** As of `offerOf`. */
      readonly offer?: string | undefined;
      /** Its number in a list. */
      readonly number?: number;
      /** Found by a search: the line also shows the day and, if it is ours, `to`, the receiver's name as shown. */
      readonly found?: { readonly to: string | undefined };
    })
  /** A sentence of our own; names in it are visible text already. */
  | { readonly name: "notice"; readonly text: string }
  /** A notice of something that went wrong. */
  | { readonly name: "failure"; readonly text: string };

export type LineViewOptions = {
  /** Width of the terminal; undefined: lines are not broken. */
  readonly columns: number | undefined;
  readonly language: Language;
  readonly texts: Texts;
  readonly colours: boolean;
  /** The terminal knows links. */
  readonly links: boolean;
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

/** When a late message was written; without the parts of the date that it shares with its arrival. */
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
  const to = [
    ...(found?.to === undefined ? [] : [` → ${visibleText(found.to)}`]),
    ...(line.offer === undefined ? [] : [` ${line.offer}`]),
  ].join("");
  const numbered = number === undefined ? "" : `#${number} `;
  const time = `${numbered}${found === undefined ? "" : `${localDay(at)} `}${localClock(at)}`;
  const isSaid = line.change === "withdrawn" || (line.offer !== undefined && line.text === "");
  const text = isSaid ? "" : `: ${visibleText(line.text, { lines: true })}`;
  const { writtenAt } = line;
  const written =
    writtenAt === undefined ? undefined : writtenWhen(new Date(writtenAt), new Date(at), options);
  const remarked = remarks({ ...line, written }, options.texts);
  const rows = wrappedMessage(`${time} ${from}${to}${remarked}${text}`, options.columns);
  const head = `${time} ${from}`;
  const marked = head + to + remarked;
  const linked = options.links && hasWholeAddresses(options.columns) ? withLinks : (part: string) => part;
  // A name that is broken at the right edge is not coloured.
  if (!rows.startsWith(head)) return linked(rows);
  const coloured = line.isOwn ? colours.cyan(from) : colours.bold(from);
  const begin = `${colours.dim(time)} ${coloured}`;
  if (remarked === "" || !rows.startsWith(marked)) return begin + linked(rows.slice(head.length));
  return begin + to + colours.dim(remarked) + linked(rows.slice(marked.length));
}

/** A notice or failure; every row but the first is indented. */
function renderOwn(begin: string, text: string, columns: number | undefined): string {
  const rows = wrappedSentence(`${begin} ${visibleText(text, { lines: true })}`, columns);
  // Remove a space at the break, which would indent the next row by one more column.
  return rows.replace(/^ {5}(?=\S)/gm, "    ");
}

/** Renders a line for the terminal, with a line feed at its end. */
export function renderLine(line: Line, options: LineViewOptions): string {
  const colours = createColors(options.colours);
  const { columns, language, texts } = options;
  const divider = (text: string) => `${colours.dim(wrapped(`— ${text} —`, columns))}\n`;
  switch (line.name) {
    case "day":
      return divider(FORMATS[language].whole.format(line.at));
    case "unread":
      return divider(texts.chatNewMessages);
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
