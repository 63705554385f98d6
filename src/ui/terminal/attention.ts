/**
 * Whether somebody looks at a terminal. The terminals that know report where the keys go (DECSET 1004, «focus events»);
 * at the others only a key says that somebody is there.
 */

/** `unknown`: the terminal has reported nothing. `away`: the keys go to another window. */
export type Attention = "unknown" | "focused" | "away";

/** `key`: one was typed. `continued`: a shell had the terminal, which must be asked again. */
export type AttentionSign = "focused" | "away" | "key" | "continued";
/** `suspending`: a shell gets the terminal. */
export type TerminalSign = AttentionSign | "suspending";

export const FOCUS_REPORTS_ON = "\x1b[?1004h";
export const FOCUS_REPORTS_OFF = "\x1b[?1004l";

const REPORTS: ReadonlyMap<string, AttentionSign> = new Map([
  ["\x1b[I", "focused"],
  ["\x1b[O", "away"],
]);
const ALL_REPORTS = /\x1b\[[IO]/g;

const EVENT = "attention";

/** Whoever reads the keys of this terminal has seen a sign. As the `keypress` of `node:readline`, it is an event of the input. */
export function emitAttention(input: NodeJS.ReadStream, sign: TerminalSign): void {
  input.emit(EVENT, sign);
}

export function onAttention(input: NodeJS.ReadStream, listener: (sign: TerminalSign) => void): void {
  input.on(EVENT, listener);
}

/** What a sequence reports; undefined: it is no report. */
export function reportOf(sequence: string): AttentionSign | undefined {
  return REPORTS.get(sequence);
}

/** What was typed without the reports in it, of which each is passed to `report`. */
export function withoutReports(typed: string, report: (sign: AttentionSign) => void): string {
  return typed.replace(ALL_REPORTS, (sequence) => {
    const sign = reportOf(sequence);
    if (sign !== undefined) report(sign);
    return "";
  });
}
