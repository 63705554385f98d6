/** TIME as a person types it: RFC 3339, a date, or how long ago; and durations. */

/** ms */
const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(?<count>\d{1,9})(?<unit>[mhd])$/;
/** Without an offset it is local time, as what is printed is; a date alone is its beginning. */
const MOMENT =
  /^(?<day>\d{4}-\d\d-\d\d)(?:[Tt ](?<clock>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?<offset>[Zz]|[+-]\d\d:\d\d)?)?$/;

/** A duration that was typed: `90m`, `8h`, `7d`. @returns ms; undefined: it is none */
export function parseDuration(typed: string): number | undefined {
  const { count, unit } = (DURATION.exec(typed)?.groups ?? {}) as {
    count?: string;
    unit?: keyof typeof UNITS;
  };
  return unit === undefined ? undefined : Number(count) * UNITS[unit];
}

/**
 * The time that was typed: `2026-11-30T12:50:00Z`, `2026-11-30 12:50`, `2026-11-30`, or `90m`, `8h`, `7d` ago.
 * @param now ms since 1970
 * @returns ms since 1970; undefined: it is no time
 */
export function parsePastTime(typed: string, now: number): number | undefined {
  const ago = parseDuration(typed);
  if (ago !== undefined) return now - ago;
  const { day, clock = "00:00", offset = "" } = MOMENT.exec(typed)?.groups ?? {};
  // A day that its month does not have would be one of the next month.
  const midnight = new Date(`${day}T00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(`${day}T`)) return undefined;
  const time = Date.parse(`${day}T${clock}${offset.toUpperCase()}`);
  return Number.isNaN(time) ? undefined : time;
}
