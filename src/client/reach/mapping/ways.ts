/** The three protocols in which a gateway is asked to let the peer port be reached from outside (PROTOCOL 7). */
import { isIPv6 } from "node:net";

import { askByDatagram } from "../../../net/datagrams.ts";
import { askHttp } from "../../../net/http-question.ts";
import { localInterfaces, onLink } from "../lan/interfaces.ts";
import { ownAddresses } from "../../rendezvous/surroundings.ts";
import { isLinkLocal, isPrivate } from "../../../protocol/ip-address.ts";
import {
  addRequest,
  CONFLICT,
  deleteRequest,
  ONLY_PERMANENT,
  outerAddressRequest,
  readError,
  readLocation,
  readOuterAddress,
  readService,
  SEARCH,
  SSDP_GROUP,
  SSDP_PORT,
  type IgdService,
  type SoapRequest,
} from "./igd.ts";
import { ADDRESS_REQUEST, readAddress, readMapTcp, writeMapTcp } from "./nat-pmp.ts";
import { PCP_PORT, readMapAnswer, writeMap, type MapRequest } from "./pcp.ts";

/** The lease that is asked for, in s. */
export const WANTED_LIFETIME = 3_600;
/** When a datagram is sent again, and how long a protocol may take, in ms. */
const REPEATS: readonly number[] = [250, 750];
const TIMEOUT = 1_000;
/** How long UPnP may take, in ms. */
const UPNP_TIMEOUT = 2_000;
/** Ports that are tried where a gateway has given the wanted one to another machine. */
const UPNP_PORTS = 4;

/** A port that a gateway has opened. */
export type Mapped = {
  /** Outside. */
  readonly ip: string;
  /** Outside. */
  readonly port: number;
  /** In s. */
  readonly lifetime: number;
  /** Ends it at the gateway, if that answers. */
  readonly release: () => Promise<unknown>;
};

/** @param nonce of this account. @returns the port, or the code of why there is none */
export type Way = (gateway: string, port: number, nonce: Buffer) => Promise<Mapped | string>;

const gatewayQuestion = (ip: string) => ({ ip, port: PCP_PORT, repeats: REPEATS, timeout: TIMEOUT });

/** PCP opens a port of an IPv4 router, and lets an IPv6 address through its firewall. */
export const mapByPcp: Way = async (gateway, port, nonce) => {
  // Only what comes from the address itself opens it; otherwise the system would choose a link-local one.
  const from = isLinkLocal(gateway) ? ownAddresses().find(isGlobalIPv6) : undefined;
  if (isLinkLocal(gateway) && from === undefined) return "no_address";
  const ask = (lifetime: number) =>
    askByDatagram({
      ...gatewayQuestion(gateway),
      ...(from === undefined ? {} : { from }),
      request: (client) => writeMap({ client, nonce, port, lifetime } satisfies MapRequest),
      read: (datagram) => readMapAnswer(datagram, { nonce, port }),
    });
  const answer = await ask(WANTED_LIFETIME);
  if (typeof answer === "string") return answer;
  return answer.ok ? { ...answer, release: () => ask(0) } : answer.code;
};

function isGlobalIPv6(address: string): boolean {
  return isIPv6(address) && !isPrivate(address);
}

export const mapByNatPmp: Way = async (gateway, port) => {
  const question = gatewayQuestion(gateway);
  const outer = await askByDatagram({ ...question, request: () => ADDRESS_REQUEST, read: readAddress });
  if (typeof outer === "string") return outer;
  if (!outer.ok) return outer.code;
  const ask = (lifetime: number) =>
    askByDatagram({
      ...question,
      request: () => writeMapTcp(port, lifetime),
      read: (datagram) => readMapTcp(datagram, port),
    });
  const answer = await ask(WANTED_LIFETIME);
  if (typeof answer === "string") return answer;
  return answer.ok ? { ...answer, ip: outer.ip, release: () => ask(0) } : answer.code;
};

export const mapByUpnp: Way = async (gateway, port) => {
  // A gateway lets a machine open ports for itself only.
  const client = localInterfaces()?.find((each) => each.family === "IPv4" && onLink([each])(gateway))?.via;
  if (client === undefined) return "no_address";
  const signal = AbortSignal.timeout(UPNP_TIMEOUT);
  const service = await findService(gateway, client, signal);
  if (typeof service === "string") return service;
  const outer = await askService(service, outerAddressRequest(service), signal);
  if (!outer.ok) return outer.code;
  const ip = readOuterAddress(outer.text);
  if (ip === undefined) return "no_outer_address";
  let [lifetime, code] = [WANTED_LIFETIME, ""];
  for (let tried = 0; tried < UPNP_PORTS; tried++) {
    const mapped = Math.min(port + tried, 65_535);
    const add = () => addRequest(service, { outer: mapped, inner: port, client, lifetime });
    let answer = await askService(service, add(), signal);
    if (!answer.ok && answer.code === ONLY_PERMANENT) {
      lifetime = 0;
      answer = await askService(service, add(), signal);
    }
    const release = () => askService(service, deleteRequest(service, mapped), AbortSignal.timeout(TIMEOUT));
    // One that is for ever is asked for again as any other: the gateway may have been restarted.
    if (answer.ok) return { ip, port: mapped, lifetime: WANTED_LIFETIME, release };
    ({ code } = answer);
    if (code !== CONFLICT) break;
  }
  return code;
};

async function findService(
  gateway: string,
  client: string,
  signal: AbortSignal,
): Promise<IgdService | string> {
  const location = await askByDatagram({
    ip: SSDP_GROUP,
    port: SSDP_PORT,
    isGroup: true,
    from: client,
    request: () => SEARCH,
    // Anybody on the network can answer.
    read: (datagram, sender) => (sender === gateway ? readLocation(datagram, gateway) : undefined),
    repeats: REPEATS,
    timeout: UPNP_TIMEOUT,
  });
  if (typeof location === "string") return location;
  const description = await askHttp(location, signal);
  if (typeof description === "string") return description;
  if (description.status !== 200) return `http_${description.status}`;
  return readService(description.text, location, gateway) ?? "no_service";
}

type ServiceAnswer =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly code: string };

async function askService(
  { url }: IgdService,
  { action, body }: SoapRequest,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const headers = { "Content-Type": 'text/xml; charset="utf-8"', SOAPAction: action };
  const answer = await askHttp(url, signal, { headers, body });
  if (typeof answer === "string") return { ok: false, code: answer };
  if (answer.status === 200) return { ok: true, text: answer.text };
  return { ok: false, code: answer.status === 500 ? readError(answer.text) : `http_${answer.status}` };
}
