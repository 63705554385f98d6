import type { FrameFault, JsonObject } from "../protocol/framing.ts";
import type { Connection } from "./connection.ts";
import type { Handshake } from "./tls.ts";

export type CloseReason =
  /** We ended it; `code` says why. */
  | { readonly name: "local"; readonly code: string }
  /** The other side closed in good order. */
  | { readonly name: "remote" }
  /** The line broke. */
  | { readonly name: "lost"; readonly code: string }
  /** TLS failed or did not prove what it must. */
  | { readonly name: "refused"; readonly code: string };

export type ConnectionFault = FrameFault | "incomplete";

/** What the owner of a connection is told; all are called synchronously. */
export interface ConnectionHandlers {
  /** A listener has made the connection: it can be ended, and nothing be sent yet. */
  accepted?(connection: Connection): void;
  /** TLS only: the handshake is done; false ends the connection before a byte of ours. */
  secured?(connection: Connection, handshake: Handshake): boolean;
  /** Bytes may be sent from now on. */
  opened?(connection: Connection): void;
  message(object: JsonObject, connection: Connection): void;
  fault(fault: ConnectionFault, connection: Connection): void;
  /** All objects of one read were handed over. */
  readEnd?(connection: Connection): void;
  /** More than `QUEUE_LIMIT` bytes are queued; told once until the queue is empty. */
  overflow?(connection: Connection): void;
  /** The queue is empty again after the socket did not take all of it at once. */
  drained?(connection: Connection): void;
  closed(reason: CloseReason, connection: Connection): void;
}
