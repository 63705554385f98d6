import { expect, test } from "bun:test";

import { MeetingRun } from "../../../src/client/reach/meeting-run.ts";
import type { dialForLines } from "../../../src/net/line-socket.ts";

const PLACE = { ip: "198.51.100.2", port: 8_444 };
const GO = { family: 4, ip: "203.0.113.7", port: 40_000, in_ms: 0, rtt_ms: 20 } as const;

test("who is hidden dials nobody, although the server names an address, and says at once that it takes the relay", () => {
  const dialled: object[] = [];
  const said: object[] = [];
  const dial: typeof dialForLines = (target, _localPort, events) => {
    dialled.push(target);
    events.opened({ localPort: 50_000, send: (line: object) => said.push(line) } as never);
  };
  const clock = { monotonic: () => 0, after: () => () => undefined };
  const end = { role: "dialler", context: () => undefined, handlers: () => undefined } as const;
  const places = new Map([[4, PLACE] as const]);
  const mayDial = () => true;
  const plan = { ticket: "t", purpose: "chat", places, mayRelay: true, isRelayOnly: true, mayDial } as const;
  const run = new MeetingRun({ clock, dialForLines: dial }, plan, end);
  run.begin();
  run.go(GO);
  expect(dialled).toEqual([PLACE]);
  expect(said).toEqual([{ action: "meet", ticket: "t", relay: true }, { action: "relay" }]);
});
