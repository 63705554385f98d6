/** Why a meeting has led to no link, or there was none, as the person is told. Pure. */
import type { UnreachableReason } from "../peer/dial.ts";
import type { RelayUse } from "../disk/schema.ts";
import type { MeetingFailure } from "./meeting.ts";

/** @param code with which the server has refused to arrange it. @returns undefined: that says nothing about the person */
export function notMetBecause(code: string): UnreachableReason | undefined {
  switch (code) {
    case "rate_limited":
    case "server_busy":
      return "server_limits";
    case "user_offline":
      return "offline";
    case "cannot_meet":
      return "cannot_meet";
    case "no_meeting":
    // An older server.
    case "unknown_action":
      return "no_meeting";
    default:
      return undefined;
  }
}

/** @param relayBytesLeft as the server has said it; undefined: it has not */
export function unmetBecause(
  failure: MeetingFailure,
  relay: RelayUse,
  relayBytesLeft: number | undefined,
): UnreachableReason {
  switch (failure) {
    case "no_seat":
      return "meeting_blocked";
    case "relay_full":
      return relayBytesLeft === 0 ? "relay_off" : "relay_full";
    case "no_way":
      return relay === "never" ? "relay_never" : "no_way";
    case "alone":
    case "gone":
    case "not_proven":
      return "no_way";
    default:
      return failure satisfies never;
  }
}
