/** The Port Control Protocol (RFC 6887): the request MAP for one TCP port, and its answer. */
import { isIPv6 } from "node:net";

import { addressOfHex, ipv6Groups, normalizeAddress, wildcardOf } from "../../../protocol/ip-address.ts";

/** Port of the gateway, of PCP and of NAT-PMP. */
export const PCP_PORT = 5_351;
/** In bytes. */
export const NONCE_LENGTH = 12;

const VERSION = 2;
const MAP = 1;
const RESPONSE = 0x80;
const TCP = 6;
const HEADER = 24;
const LENGTH = HEADER + 36;
const NONCE_AT = HEADER;
const PROTOCOL_AT = NONCE_AT + NONCE_LENGTH;
const INTERNAL_AT = PROTOCOL_AT + 4;
const EXTERNAL_AT = INTERNAL_AT + 2;
const ADDRESS_AT = EXTERNAL_AT + 2;

/** Result codes by their numbers (RFC 6887, 7.4). */
const RESULTS = [
  "success",
  "unsupported_version",
  "not_authorized",
  "malformed_request",
  "unsupported_opcode",
  "unsupported_option",
  "malformed_option",
  "network_failure",
  "no_resources",
  "unsupported_protocol",
  "user_exceeds_quota",
  "cannot_provide_external",
  "address_mismatch",
  "excessive_remote_peers",
] as const;

/** A port that a gateway has opened, or why it has not. */
export type GatewayAnswer =
  | {
      readonly ok: true;
      /** Outside. */
      readonly ip: string;
      /** Outside. */
      readonly port: number;
      /** In s; 0: it is closed. */
      readonly lifetime: number;
    }
  | { readonly ok: false; readonly code: string };

export type MapRequest = {
  /** This machine's address towards the gateway. */
  readonly client: string;
  /** NONCE_LENGTH bytes; only with the same one the mapping can be ended. */
  readonly nonce: Buffer;
  /** On which this machine listens, and which is wanted outside. */
  readonly port: number;
  /** In s; 0 ends the mapping. */
  readonly lifetime: number;
};

export function writeMap({ client, nonce, port, lifetime }: MapRequest): Buffer {
  const request = Buffer.alloc(LENGTH);
  request.writeUInt8(VERSION, 0);
  request.writeUInt8(MAP, 1);
  request.writeUInt32BE(lifetime, 4);
  addressBytes(client).copy(request, 8);
  nonce.copy(request, NONCE_AT);
  request.writeUInt8(TCP, PROTOCOL_AT);
  request.writeUInt16BE(port, INTERNAL_AT);
  request.writeUInt16BE(lifetime === 0 ? 0 : port, EXTERNAL_AT);
  addressBytes(wildcardOf(client)).copy(request, ADDRESS_AT);
  return request;
}

/** Undefined: it is no answer to this request. */
export function readMapAnswer(
  answer: Buffer,
  { nonce, port }: Pick<MapRequest, "nonce" | "port">,
): GatewayAnswer | undefined {
  if (answer.length < 4) return undefined;
  // A gateway of NAT-PMP alone says its version.
  if (answer[0] !== VERSION) return { ok: false, code: "unsupported_version" };
  if (answer[1] !== (RESPONSE | MAP) || answer.length < HEADER) return undefined;
  const result = answer.readUInt8(3);
  if (result !== 0) return { ok: false, code: RESULTS[result] ?? `result_${result}` };
  const isOurs =
    answer.length >= LENGTH &&
    answer.subarray(NONCE_AT, PROTOCOL_AT).equals(nonce) &&
    answer[PROTOCOL_AT] === TCP &&
    answer.readUInt16BE(INTERNAL_AT) === port;
  if (!isOurs) return undefined;
  return {
    ok: true,
    ip: addressOfHex(answer.toString("hex", ADDRESS_AT, LENGTH)),
    port: answer.readUInt16BE(EXTERNAL_AT),
    lifetime: answer.readUInt32BE(4),
  };
}

/** 16 bytes; IPv4 as IPv4-mapped IPv6. */
function addressBytes(address: string): Buffer {
  const plain = normalizeAddress(address);
  if (!isIPv6(plain))
    return Buffer.from([...Array<number>(10).fill(0), 255, 255, ...plain.split(".").map(Number)]);
  const groups = ipv6Groups(plain).map((group) => group.padStart(4, "0"));
  return Buffer.from(groups.join(""), "hex");
}
