/** A connection whose other side is proven, and how it came about. */
import type { Connection } from "../../net/connection.ts";
import type { ProvenPeer } from "./proof.ts";

/** The parts of a connection that a link uses. */
export type LinkConnection = Pick<
  Connection,
  | "handOverTo"
  | "isOpen"
  | "remoteAddress"
  | "remotePort"
  | "lastReadAt"
  | "handledBytes"
  | "heldBytes"
  | "queuedBytes"
  | "send"
  | "flush"
  | "pauseReading"
  | "resumeReading"
  | "endRead"
  | "end"
  | "terminate"
  | "exportKey"
  | "sendBytes"
  | "readBytes"
  | "shutdown"
>;

/**
 * How a connection came about, as far as this side knows: dialled by either side, or so at a port that the router of the
 * other forwards; dialled by both at once through their NATs; or by way of the server, which passes the sealed bytes on.
 */
export type LinkWay = "direct" | "mapped" | "punched" | "relayed";

/** A connection for the bytes of a transfer, whose other side is proven. */
export type ProvenStream = {
  readonly connection: LinkConnection;
  readonly peer: ProvenPeer;
  readonly way: LinkWay;
};
