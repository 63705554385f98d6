/** Times in the time zone of this machine, and durations. */

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

/** A duration in its largest unit (s, min, h or d), the same in both languages. @param ms */
export function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
