/**
 * The local time zone. The JavaScript engine takes only the names of the IANA database from `TZ`; the other forms that
 * POSIX allows (Base Definitions, 8.3) it takes for UTC. Each is given the name of a zone with the same offsets.
 */
import { realpathSync } from "node:fs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** std offset [dst [offset] [,start[/time],end[/time]]] */
const NAME = "(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)";
const TIME = "[+-]?\\d{1,3}(?::\\d{1,2}){0,2}";
const POSIX = new RegExp(
  `^${NAME}(?<std>${TIME})(?:${NAME}(?<dst>${TIME})?(?:,(?<start>[^,]+),(?<end>[^,]+))?)?$`,
);
const HAS_SUMMER = new RegExp(`^${NAME}${TIME}${NAME}`);
const RULE = new RegExp(
  `^(?:M(?<month>\\d{1,2})\\.(?<week>[1-5])\\.(?<day>[0-6])|(?<julian>J?)(?<number>\\d{1,3}))(?:/(?<time>${TIME}))?$`,
);
/** The rule of a zone that names a summer time and no dates, as in the C library. */
const [USUAL_START, USUAL_END] = ["M3.2.0", "M11.1.0"];

/** In ms. */
function durationOf(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.replace(/^[+-]/, "").split(":").map(Number);
  return (time.startsWith("-") ? -1 : 1) * (hours * HOUR + minutes * 60_000 + seconds * 1_000);
}

/** When a rule applies in a year, in ms of local time; undefined: it is no rule. */
function momentOf(rule: string, year: number): number | undefined {
  const groups = RULE.exec(rule)?.groups;
  if (groups === undefined) return undefined;
  const time = durationOf(groups["time"] ?? "2");
  const { month, week, day, julian, number } = groups;
  if (month !== undefined) {
    const first = Date.UTC(year, Number(month) - 1, 1);
    const toDay = (Number(day) - new Date(first).getUTCDay() + 7) % 7;
    const last = Date.UTC(year, Number(month), 1);
    let date = first + (toDay + 7 * (Number(week) - 1)) * DAY;
    // Week 5 is the last one of the month.
    while (date >= last) date -= 7 * DAY;
    return date + time;
  }
  const start = Date.UTC(year, 0, 1);
  if (julian !== "J") return start + Number(number) * DAY + time;
  // Counted from 1, without 29 February.
  const isLeap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
  return start + (Number(number) - (isLeap && Number(number) >= 60 ? 0 : 1)) * DAY + time;
}

/** Moments, in ms since 1970, and the offset from UTC that a zone has then, in ms. */
type Offsets = readonly (readonly [time: number, offset: number])[];

/** Around each change of the years before and after `now`; undefined: not a POSIX form. */
function offsetsOf(zone: string, now: number): Offsets | undefined {
  const groups = POSIX.exec(zone)?.groups;
  if (groups === undefined) return undefined;
  // POSIX counts offsets westwards.
  const standard = -durationOf(groups["std"] as string);
  const year = new Date(now).getUTCFullYear();
  const years = [year - 1, year, year + 1];
  if (!HAS_SUMMER.test(zone))
    return years.flatMap((each) =>
      [0, 3, 6, 9].map((month) => [Date.UTC(each, month, 1), standard] as const),
    );
  const summer = groups["dst"] === undefined ? standard + HOUR : -durationOf(groups["dst"]);
  const offsets: [number, number][] = [];
  for (const each of years) {
    const start = momentOf(groups["start"] ?? USUAL_START, each);
    const end = momentOf(groups["end"] ?? USUAL_END, each);
    if (start === undefined || end === undefined) return undefined;
    offsets.push([start - standard - 1, standard], [start - standard, summer]);
    offsets.push([end - summer - 1, summer], [end - summer, standard]);
  }
  return offsets;
}

function offsetAt(zone: string, time: number): number {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(zone).offsetNanoseconds / 1e6;
}

function isZoneName(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The name of the zone whose file this is; undefined: it is not below a folder `zoneinfo`. */
function nameOfFile(path: string): string | undefined {
  try {
    return /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(realpathSync(path))?.[1];
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/**
 * The IANA name of what `TZ` says: `UTC-3`, `CET-1CEST,M3.5.0,M10.5.0/3`, `:Europe/Madrid`, a path.
 * @param now ms since 1970 @returns undefined if it is not understood
 */
export function zoneName(tz: string, now: number): string | undefined {
  const zone = tz.replace(/^:/, "");
  if (zone === "") return "UTC";
  if (zone.startsWith("/")) return nameOfFile(zone);
  if (/^[A-Za-z]/.test(zone) && isZoneName(zone)) return zone;
  const offsets = offsetsOf(zone, now);
  if (offsets === undefined) return undefined;
  const names = [
    ...Array.from({ length: 27 }, (_, index) => `Etc/GMT${index < 13 ? "+" : "-"}${Math.abs(index - 12)}`),
    ...Intl.supportedValuesOf("timeZone"),
  ];
  return names.find(
    (name) => isZoneName(name) && offsets.every(([time, offset]) => offsetAt(name, time) === offset),
  );
}

/** Makes `TZ` of this process a zone that the engine knows. @returns false if it is not understood: times are in UTC */
export function understandTimeZone(env: NodeJS.ProcessEnv, now: number): boolean {
  const { TZ } = env;
  if (TZ === undefined) return true;
  const name = zoneName(TZ, now);
  if (name === undefined) return false;
  if (name !== process.env["TZ"]) process.env["TZ"] = name;
  return true;
}
