/** What a terminal sends for the keys that are no character. */
export const KEY = {
  enter: "\r",
  tab: "\t",
  backspace: "\u007f",
  escape: "\u001b",
  up: "\u001b[A",
  down: "\u001b[B",
  right: "\u001b[C",
  left: "\u001b[D",
  home: "\u001b[H",
  end: "\u001b[F",
  ctrlC: "\u0003",
  ctrlD: "\u0004",
  ctrlU: "\u0015",
  ctrlW: "\u0017",
  ctrlY: "\u0019",
} as const;

const ESC = KEY.escape;

/** What a terminal sends, once it was asked, when the keys begin or cease to go to it. */
export const FOCUS = { in: `${ESC}[I`, out: `${ESC}[O` } as const;

/** What a terminal sends that is no key of this program, with names for tests. */
export const NO_KEYS = {
  "a mouse report": `${ESC}[<0;35;12M`,
  "a mouse report of the oldest form": `${ESC}[M !!`,
  "device attributes": `${ESC}[?64;1;2;6;9;15;18;21;22c`,
  "secondary device attributes": `${ESC}[>41;354;0c`,
  "a cursor position": `${ESC}[24;80R`,
  "a mouse report of the oldest form, in a wide terminal": `${ESC}[M \u0090\u009b`,
  "a terminal status": `${ESC}[0n`,
  "a mode report (DECRPM)": `${ESC}[?2026;2$y`,
  "a letter in CSI-u": `${ESC}[97;5u`,
  "a letter of modifyOtherKeys": `${ESC}[27;5;97~`,
  "a key with a modifier of two digits": `${ESC}[1;10C`,
  "an unknown function key": `${ESC}[57~`,
  "a colour report ended by BEL": `${ESC}]11;rgb:1e1e/1e1e/2e2e\x07`,
  "a colour report ended by ST": `${ESC}]4;1;rgb:cccc/0000/0000${ESC}\\`,
  "a clipboard report": `${ESC}]52;c;ZXhpdA==\x07`,
  "a terminal's name (DCS)": `${ESC}P>|xterm(354)${ESC}\\`,
  "an answer to a graphics query (APC)": `${ESC}_Gi=1;OK${ESC}\\`,
  "a private message": `${ESC}^exit${ESC}\\`,
  "a key of the numeric keypad in application mode": `${ESC}Oj`,
  "the same with single introducers": "\u009b?1;2c\u009d11;rgb:0/0/0\u0007\u0090x\u009c",
  "the end of a string that was given up": `${ESC}\\`,
  "a string of the other kind with a single end": `${ESC}]11;rgb:0/0/0\u009c`,
  "a letter beyond the first plane behind an introducer": `${ESC}O😀`,
  "a string longer than what is kept": `${ESC}]52;c;${"QUJD".repeat(5_000)}\x07`,
} as const;

/** Enter with Shift, Ctrl or Alt, as terminals that tell it apart send it: xterm's modifyOtherKeys, and CSI-u. */
export const MODIFIED_ENTERS = ["[27;2;13~", "[27;5;13~", "[13;2u", "[13;3u", "[13;2:1u"].map(
  (rest) => ESC + rest,
);
