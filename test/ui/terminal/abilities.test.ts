import { describe, expect, test } from "bun:test";

import { abilitiesOf } from "../../../src/ui/terminal/abilities.ts";

const NONE = { links: false, clipboard: false, notifications: undefined };
const LINKS = { ...NONE, links: true };
const BOTH = { ...LINKS, clipboard: true };
const ALL = { ...BOTH, notifications: "osc9" } as const;

describe("a terminal can do", () => {
  test.each([
    ["nothing that is not known", {}, NONE],
    ["nothing that xterm's name alone tells", { TERM: "xterm-256color" }, NONE],
    ["nothing as dumb, whatever else is set", { TERM: "dumb", VTE_VERSION: "7600", WT_SESSION: "x" }, NONE],
    ["nothing as the console of Linux", { TERM: "linux", TERM_PROGRAM: "WezTerm" }, NONE],
    [
      "links and notifications with VTE",
      { TERM: "xterm-256color", VTE_VERSION: "7600" },
      { ...LINKS, notifications: "osc777" },
    ],
    ["nothing with a VTE that is too old", { VTE_VERSION: "4803" }, NONE],
    ["nothing with a version that is no number", { VTE_VERSION: "new" }, NONE],
    ["nothing with an empty variable", { WT_SESSION: "" }, NONE],
    ["both in Windows Terminal", { WT_SESSION: "0f1e" }, BOTH],
    ["all in kitty, also through ssh", { TERM: "xterm-kitty" }, ALL],
    ["all in kitty with another TERM", { TERM: "xterm-256color", KITTY_WINDOW_ID: "1" }, ALL],
    ["all in foot", { TERM: "foot-extra" }, { ...ALL, notifications: "osc777" }],
    ["all in iTerm2", { TERM: "xterm-256color", TERM_PROGRAM: "iTerm.app" }, ALL],
    ["notifications in urxvt", { TERM: "rxvt-unicode-256color" }, { ...NONE, notifications: "osc777" }],
    ["no notifications in Alacritty", { TERM: "alacritty" }, BOTH],
    ["links in VS Code", { TERM_PROGRAM: "vscode" }, LINKS],
    ["nothing in the Terminal of macOS", { TERM_PROGRAM: "Apple_Terminal" }, NONE],
    ["links in Konsole", { KONSOLE_VERSION: "230805" }, LINKS],
    ["both in a newer Konsole", { KONSOLE_VERSION: "241203" }, BOTH],
    [
      "links in tmux",
      {
        TERM: "tmux-256color",
        TMUX: "/tmp/x,1,0",
        TERM_PROGRAM: "tmux",
        TERM_PROGRAM_VERSION: "3.4",
        WT_SESSION: "x",
      },
      LINKS,
    ],
    ["nothing in an older tmux", { TMUX: "x", TERM_PROGRAM: "tmux", TERM_PROGRAM_VERSION: "3.3a" }, NONE],
    ["nothing in screen", { TERM: "screen.xterm-256color", STY: "1.pts", VTE_VERSION: "7600" }, NONE],
    ["nothing in a tmux on another machine", { TERM: "screen-256color", VTE_VERSION: "7600" }, NONE],
  ] as const)("%s", (_what, environment, abilities) => {
    expect(abilitiesOf(environment)).toEqual(abilities);
  });
});
