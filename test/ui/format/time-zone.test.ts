import { expect, test } from "bun:test";

import { zoneName } from "../../../src/ui/format/time-zone.ts";

const NOW = Date.UTC(2026, 10, 30);
const SUMMER = Date.UTC(2026, 6, 1, 12);
const WINTER = Date.UTC(2026, 0, 1, 12);

function hours(zone: string | undefined, time: number): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "short" }).format(time);
}

test.each([
  ["UTC-3", "15:00", "15:00"],
  ["<-03>3", "09:00", "09:00"],
  ["XYZ-5:45", "17:45", "17:45"],
  ["CET-1CEST,M3.5.0,M10.5.0/3", "14:00", "13:00"],
  ["CET-1CEST,M3.5.0/2,M10.5.0/3", "14:00", "13:00"],
  ["EST5EDT", "08:00", "07:00"],
  ["NZST-12NZDT,M9.5.0,M4.1.0/3", "00:00", "01:00"],
  [":Europe/Madrid", "14:00", "13:00"],
  ["/usr/share/zoneinfo/Europe/Madrid", "14:00", "13:00"],
  ["", "12:00", "12:00"],
  ["UTC0", "12:00", "12:00"],
])("TZ=%s is understood as `date` does", (tz, summer, winter) => {
  const zone = zoneName(tz, NOW);
  expect([hours(zone, SUMMER), hours(zone, WINTER)]).toEqual([summer, winter]);
});

test.each(["nowhere", "/no/such/file", "CET-1CEST,nonsense,M10.5.0", "<->", "UTC-3:10"])(
  "TZ=%s is not understood",
  (tz) => {
    expect(zoneName(tz, NOW)).toBeUndefined();
  },
);
