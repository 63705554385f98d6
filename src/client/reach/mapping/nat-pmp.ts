/** The NAT Port Mapping Protocol (RFC 6886): the outer address, and one TCP port. */
import type { GatewayAnswer } from "./pcp.ts";

const OUTER_ADDRESS = 0;
const MAP_TCP = 2;
const RESPONSE = 0x80;

/** Result codes by their numbers (RFC 6886, 3.5). */
const RESULTS = [
  "success",
  "unsupported_version",
  "not_authorized",
  "network_failure",
  "no_resources",
  "unsupported_opcode",
] as const;

export const ADDRESS_REQUEST = Buffer.from([0, OUTER_ADDRESS]);

/** @param lifetime in s; 0 ends the mapping of this port */
export function writeMapTcp(port: number, lifetime: number): Buffer {
  const request = Buffer.alloc(12);
  request.writeUInt8(MAP_TCP, 1);
  request.writeUInt16BE(port, 4);
  request.writeUInt16BE(lifetime === 0 ? 0 : port, 6);
  request.writeUInt32BE(lifetime, 8);
  return request;
}

type Failure = GatewayAnswer & { readonly ok: false };

/** The gateway's address outside, or why it has none. Undefined: it is no answer to ADDRESS_REQUEST. */
export function readAddress(
  answer: Buffer,
): { readonly ok: true; readonly ip: string } | Failure | undefined {
  const failure = read(answer, OUTER_ADDRESS, 12);
  return failure === "success" ? { ok: true, ip: [...answer.subarray(8, 12)].join(".") } : failure;
}

/** Undefined: it is no answer to a request for this port. */
export function readMapTcp(
  answer: Buffer,
  port: number,
): { readonly ok: true; readonly port: number; readonly lifetime: number } | Failure | undefined {
  const failure = read(answer, MAP_TCP, 16);
  if (failure !== "success") return failure;
  if (answer.readUInt16BE(8) !== port) return undefined;
  return { ok: true, port: answer.readUInt16BE(10), lifetime: answer.readUInt32BE(12) };
}

function read(answer: Buffer, opcode: number, length: number): "success" | Failure | undefined {
  // A gateway that does not know the version or the opcode may send the request back with a result.
  if (answer.length < 4 || answer[0] !== 0 || (answer[1] ?? 0) !== (RESPONSE | opcode)) return undefined;
  const result = answer.readUInt16BE(2);
  if (result !== 0) return { ok: false, code: RESULTS[result] ?? `result_${result}` };
  return answer.length < length ? undefined : "success";
}
