/** What each message of a complete link does (PROTOCOL 5). */
import type { Delivery } from "./delivery.ts";
import type { MessengerEvent } from "./events.ts";
import type { ConversationMessage, PeerLink } from "../peer/link.ts";

/** Handles one message that `username` sent on `link`; texts and acknowledgements wait for the end of the read. */
export function handlePeerMessage(
  message: ConversationMessage,
  link: PeerLink,
  delivery: Delivery,
  username: string,
  emit: (event: MessengerEvent) => void,
): void {
  switch (message.action) {
    case "chat":
    case "edit":
    case "withdraw":
      delivery.take(message);
      return;
    case "delivered":
      delivery.takeAcknowledgement(message.ids);
      return;
    case "ping":
      link.send({ action: "pong" });
      return;
    case "typing":
      emit({ name: "typing", username, active: message.active });
      return;
    case "read":
      delivery.takeRead(message.id);
      return;
    case "error":
      emit({ name: "peerError", username, code: message.code });
      return;
    case "pong":
    case "bye":
      return;
    default:
      message satisfies never;
  }
}
