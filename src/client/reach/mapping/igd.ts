/**
 * The texts of a UPnP Internet Gateway Device: the search (SSDP), its description, and the requests of the service that
 * opens ports (SOAP). What a gateway says is taken apart by patterns: no more of its XML counts than a few short values.
 */
import { isIP } from "node:net";

import { parseDialableAddress } from "../../../protocol/ip-address.ts";

export const SSDP_GROUP = "239.255.255.250";
export const SSDP_PORT = 1_900;

/** The search for gateways of any version. */
export const SEARCH = Buffer.from(
  [
    "M-SEARCH * HTTP/1.1",
    `HOST: ${SSDP_GROUP}:${SSDP_PORT}`,
    'MAN: "ssdp:discover"',
    "MX: 1",
    "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "\r\n",
  ].join("\r\n"),
);

/** Where the description of a gateway is, from its answer to the search. Undefined: not at the gateway, or no answer. */
export function readLocation(answer: Buffer, gateway: string): URL | undefined {
  const text = answer.toString("latin1");
  if (!text.startsWith("HTTP/1.1 200")) return undefined;
  const [, location = ""] = /^location:[ \t]*(\S{1,512})[ \t]*\r?$/im.exec(text) ?? [];
  return urlAt(gateway, location);
}

/** A URL of the gateway itself, by its address; everything else could lead the client anywhere. */
function urlAt(gateway: string, text: string, base?: URL): URL | undefined {
  const url = URL.parse(text, base?.href);
  if (url === null || url.protocol !== "http:" || url.hostname !== gateway) return undefined;
  return url.username === "" && url.password === "" ? url : undefined;
}

/** The service that opens ports: where it takes requests, and its type, which each request names. */
export type IgdService = { readonly url: URL; readonly type: string };

/** Services that open ports, in the order in which they are preferred. */
const SERVICES = /^urn:schemas-upnp-org:service:(WANIPConnection:[12]|WANPPPConnection:1)$/;

/** From a description that was read at `location`. Undefined: it names no such service at the gateway. */
export function readService(description: string, location: URL, gateway: string): IgdService | undefined {
  const base = urlAt(gateway, valueOf(description, "URLBase") ?? "") ?? location;
  const services = [...description.matchAll(/<service>([\s\S]{0,4096}?)<\/service>/g)].flatMap(
    ([, service = ""]) => {
      const type = valueOf(service, "serviceType") ?? "";
      const url = urlAt(gateway, valueOf(service, "controlURL") ?? "", base);
      return SERVICES.test(type) && url !== undefined ? [{ url, type }] : [];
    },
  );
  return services.find(({ type }) => type.includes("WANIP")) ?? services[0];
}

export type SoapRequest = { readonly action: string; readonly body: string };

function soap(
  type: string,
  action: string,
  values: readonly (readonly [string, string | number])[],
): SoapRequest {
  const inside = values.map(([name, value]) => `<${name}>${value}</${name}>`).join("");
  const body =
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action} xmlns:u="${type}">${inside}</u:${action}></s:Body></s:Envelope>`;
  return { action: `"${type}#${action}"`, body };
}

export function outerAddressRequest({ type }: IgdService): SoapRequest {
  return soap(type, "GetExternalIPAddress", []);
}

/** @param client this machine's address. @param lifetime in s; 0: for ever */
export function addRequest(
  { type }: IgdService,
  mapping: {
    readonly outer: number;
    readonly inner: number;
    readonly client: string;
    readonly lifetime: number;
  },
): SoapRequest {
  return soap(type, "AddPortMapping", [
    ["NewRemoteHost", ""],
    ["NewExternalPort", mapping.outer],
    ["NewProtocol", "TCP"],
    ["NewInternalPort", mapping.inner],
    ["NewInternalClient", mapping.client],
    ["NewEnabled", 1],
    ["NewPortMappingDescription", "Paloma"],
    ["NewLeaseDuration", mapping.lifetime],
  ]);
}

export function deleteRequest({ type }: IgdService, outer: number): SoapRequest {
  return soap(type, "DeletePortMapping", [
    ["NewRemoteHost", ""],
    ["NewExternalPort", outer],
    ["NewProtocol", "TCP"],
  ]);
}

/** Errors of a gateway (WANIPConnection, 2.4.16). */
export const CONFLICT = "upnp_718";
export const ONLY_PERMANENT = "upnp_725";

/** The code of an error that a gateway reports. */
export function readError(answer: string): string {
  const code = valueOf(answer, "errorCode");
  return code !== undefined && /^\d{1,3}$/.test(code) ? `upnp_${code}` : "bad_answer";
}

/** Undefined: there is none in it. */
export function readOuterAddress(answer: string): string | undefined {
  const address = valueOf(answer, "NewExternalIPAddress") ?? "";
  return isIP(address) === 4 ? parseDialableAddress(address) : undefined;
}

/** The text of the first element of this name, whatever its prefix. */
function valueOf(xml: string, name: string): string | undefined {
  return new RegExp(`<(?:\\w+:)?${name}(?:\\s[^<>]*)?>\\s*([^<>\\s]{1,512})\\s*</`).exec(xml)?.[1];
}
