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
