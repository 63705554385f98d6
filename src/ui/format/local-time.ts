/** Times as clocks and calendars of this machine show them, in figures. */

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** `YYYY-MM-DD` in local time. @param time ms since 1970 */
export function localDay(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `HH:MM:SS` in local time. @param time ms since 1970 */
export function localClockSeconds(time: number): string {
  return `${localClock(time)}:${two(new Date(time).getSeconds())}`;
}

/** `HH:MM` in local time. @param time ms since 1970 */
export function localClock(time: number): string {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}
