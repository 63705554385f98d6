/**
 * Finds out what this machine's networks let through, for `doctor`.
 *
 * 1. The gateways are asked for a port, before the login where there is none yet: the server then dials that port, too.
 * 2. The account goes online, if it is not; why it cannot is evidence as any other.
 * 3. The server is told where we are, and everything that it and the meeting port say of it is awaited.
 *
 * Nothing waits for longer than the timeouts of these questions: ten seconds where nobody answers.
 */
import { networkInterfaces } from "node:os";

import type { JsonObject } from "../../../protocol/framing.ts";
import { familyOf, isLinkLocal } from "../../../protocol/ip-address.ts";
import type { Profile } from "../../profile/profile.ts";
import type { Rendezvous } from "../../rendezvous/session.ts";
import { ownAddresses } from "../../rendezvous/surroundings.ts";
import { defaultGateways } from "../../rendezvous/gateways.ts";
import type { Reach } from "../reach.ts";
import type { Evidence } from "./report.ts";

/** What programs for a VPN call their interfaces. */
const VPN_INTERFACE = /^(?:tun|tap|wg|utun|ipsec|tailscale|zt|nordlynx|proton|gpd|vpn)/i;

type Patient = {
  readonly reach: Reach;
  readonly rendezvous: Rendezvous;
  readonly profile: Pick<Profile, "contacts" | "certificate" | "relay">;
  /** The command that this process runs. */
  readonly command: string;
  /** Whether peers may connect: the certificate is good. */
  readonly canBeReached: boolean;
};

/** @param connect goes online unless the account is. @returns undefined, or why it cannot, as JSON */
export async function examine(
  patient: Patient,
  connect: () => Promise<JsonObject | undefined>,
): Promise<Evidence> {
  const { reach, rendezvous, profile, command } = patient;
  await reach.askGateways();
  const isOnline = rendezvous.link !== undefined;
  const failure = isOnline ? undefined : await connect();
  if (isOnline) reach.tell();
  await reach.settled();
  const { view, gatewayAnswers, localNetwork } = reach;
  const { IPv4, IPv6 } = defaultGateways();
  const answers = gatewayAnswers.flatMap(({ gateway, answers: given }) =>
    given.map(({ way, answer }) => ({
      way,
      gateway,
      ...(typeof answer === "string"
        ? { code: answer }
        : { ip: answer.ip, port: answer.port, lifetime: answer.lifetime }),
    })),
  );
  return {
    server: serverEvidence(patient, failure),
    addresses: ownAddresses(),
    gateways: [IPv4, IPv6].filter((gateway) => gateway !== undefined),
    vpn: vpnInterfaces(),
    listener: { ...(reach.port !== undefined && { port: reach.port }), command, pid: process.pid },
    relay: profile.relay,
    mapping: view !== undefined && familyOf(view.observed.ip) === 4 ? view.mapping : undefined,
    router: reach.usesLan ? { answers, isOpen: gatewayAnswers.some(({ isOpen }) => isOpen) } : undefined,
    // A port that the router has opened may be the one that this machine has, too.
    checked: view?.checked?.filter(
      (each, index, all) => index === all.findIndex(({ ip, port }) => ip === each.ip && port === each.port),
    ),
    localNetwork: localNetwork && {
      interfaces: localNetwork.interfaces.map(({ via, fault }) => ({
        via: via.replace("::%", ""),
        ...(fault === undefined ? {} : { fault }),
      })),
      heard: localNetwork.heard.map((label) => profile.contacts.byLabel(label)?.username ?? label),
    },
    isCertified: patient.canBeReached,
    certificateUntil: profile.certificate?.expiresAt,
    relayBytesLeft: view?.relayBytesLeft,
    clockOffset: rendezvous.clockOffset,
  };
}

function serverEvidence({ reach, rendezvous }: Patient, failure: JsonObject | undefined): Evidence["server"] {
  const { link } = rendezvous;
  const ip = link?.remoteAddress;
  if (link === undefined || ip === undefined)
    return {
      error: failure ?? { kind: "server", code: "server_unreachable", message: "server_unreachable" },
    };
  const { observed, observedOther, hasMeetingPort = false, meeting = [] } = reach.view ?? {};
  return {
    ip,
    ms: Math.round(link.openedIn),
    has_meeting_port: hasMeetingPort,
    observed: [observed, observedOther].filter((target) => target !== undefined),
    meeting: [...meeting]
      .map(([family, answers]) => ({ family, answers }))
      .sort((a, b) => a.family - b.family),
  };
}

function vpnInterfaces(): string[] {
  return Object.entries(networkInterfaces())
    .filter(
      ([name, addresses = []]) =>
        VPN_INTERFACE.test(name) && addresses.some(({ address }) => !isLinkLocal(address)),
    )
    .map(([name]) => name);
}
