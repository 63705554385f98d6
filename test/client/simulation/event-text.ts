/** An event of a program, as one line of a history. */
import type { MessengerEvent } from "../../../src/client/conversation/events.ts";

export function eventText(event: MessengerEvent): string {
  switch (event.name) {
    case "message":
      return `is shown ${event.message.id}`;
    case "delivery":
      return `${event.id} is ${event.state}`;
    case "wire":
      return `${event.direction === "in" ? "<" : ">"} ${JSON.stringify(event.message)}`;
    case "storageFailed":
      return `storageFailed ${event.error.message}`;
    default:
      return JSON.stringify(event);
  }
}
