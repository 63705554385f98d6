/** The handlers of `reach` and `connect` (PROTOCOL 7). */
import { fold } from "../../identity/names.ts";
import type { RequestOf } from "../../protocol/rendezvous-messages.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import { failure, rateLimited, success, type Response } from "../session/responses.ts";
import type { Session } from "../session/session.ts";

export function reach(session: Session, request: RequestOf<"reach">, user: OnlineUser): Response {
  const { meetingPlaces, movedPush, observations, relay, throttle, tlsPort } = session.services;
  if (user.key === undefined) return failure("tls_required", { tls_port: tlsPort() });
  const verdict = throttle.reach(user.userId, session.network);
  if (verdict.name === "limited") return rateLimited(verdict);
  const observed = { ip: session.remoteAddress, port: session.remotePort };
  const seen = { ...observed, localAddress: session.localAddress };
  const { addresses, mapped, check } = request;
  const told = observations.told(user, seen, { addresses, mapped, check: check === true });
  if (told.moved) movedPush.moved(user.fold);
  return success({
    added: {
      observed,
      meeting: meetingPlaces(),
      ticket: told.ticket,
      checking: told.checking,
      relay_bytes_left: relay.bytesLeft(user.userId),
    },
  });
}

export function connect(
  session: Session,
  { target_user, purpose = "chat", transfer }: RequestOf<"connect">,
  user: OnlineUser,
): Response {
  const { directory, meetingPlaces, meetings, presence, throttle, tlsPort } = session.services;
  if (user.key === undefined) return failure("tls_required", { tls_port: tlsPort() });
  const target = presence.find(fold(target_user));
  if (target === undefined || target === user) return failure("user_offline");
  const meeting = meetingPlaces();
  if (meeting.length === 0) return failure("no_meeting");
  if (target.key === undefined || target.reach === undefined) return failure("cannot_meet");
  const verdict = throttle.connect(user.userId, target.userId, session.network);
  if (verdict.name === "limited") return rateLimited(verdict);
  const invitation = meetings.connect(user, target, purpose, transfer);
  if (invitation.name === "limited") return rateLimited(invitation);
  const { ticket, pushed } = invitation;
  if (pushed !== undefined) {
    target.session.push({
      action: "meet_request",
      username: user.username,
      ticket: pushed,
      purpose,
      transfer,
      meeting,
      ...directory.meetingInfo(user, target.session, true),
    });
  }
  return success({
    added: {
      target_user: target.username,
      ticket,
      meeting,
      ...directory.meetingInfo(target, session, false),
    },
  });
}
