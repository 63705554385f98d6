/**
 * The beacon, one datagram with which a client says on its local network that it is there (PROTOCOL 7): «PLM1», a nonce,
 * a tag, and the port on which it listens. Only who knows the account's name can tell whose it is.
 */
import { MIN_CANDIDATE_PORT } from "../../../protocol/rendezvous-messages.ts";

/** Port to which beacons are sent. */
export const BEACON_PORT = 9_098;
/** The groups to which beacons are sent. */
export const BEACON_GROUPS = { IPv4: "239.255.42.98", IPv6: "ff12::706c:6d61" } as const;

const MAGIC = Buffer.from("PLM1");
/** In bytes. */
export const NONCE_LENGTH = 16;
const TAG_LENGTH = 16;
const TAG_AT = MAGIC.length + NONCE_LENGTH;
const PORT_AT = TAG_AT + TAG_LENGTH;
const LENGTH = PORT_AT + 2;

export type Beacon = { readonly nonce: Buffer; readonly tag: Buffer; readonly port: number };

/** @param label of the account. @param nonce NONCE_LENGTH random bytes */
export function writeBeacon(label: string, nonce: Buffer, port: number): Buffer {
  const written = Buffer.alloc(LENGTH);
  MAGIC.copy(written);
  nonce.copy(written, MAGIC.length);
  tagOf(label, nonce, port).copy(written, TAG_AT);
  written.writeUInt16BE(port, PORT_AT);
  return written;
}

/** Undefined: it is no beacon, or names a port at which no client listens. */
export function readBeacon(datagram: Buffer): Beacon | undefined {
  if (datagram.length !== LENGTH || !datagram.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const port = datagram.readUInt16BE(PORT_AT);
  if (port < MIN_CANDIDATE_PORT) return undefined;
  return { nonce: datagram.subarray(MAGIC.length, TAG_AT), tag: datagram.subarray(TAG_AT, PORT_AT), port };
}

/** Whether the account of this label has sent the beacon, or somebody who knows its name. */
export function isOf(label: string, { nonce, tag, port }: Beacon): boolean {
  return tagOf(label, nonce, port).equals(tag);
}

function tagOf(label: string, nonce: Buffer, port: number): Buffer {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  return new Bun.CryptoHasher("sha256", label)
    .update(nonce)
    .update(portBytes)
    .digest()
    .subarray(0, TAG_LENGTH);
}
