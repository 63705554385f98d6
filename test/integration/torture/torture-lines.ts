/** What a torture client and the run say to each other: one JSON value on each line. */
import type { MessageState } from "../../../src/client/disk/schema.ts";
import type { Writer } from "./torture-text.ts";

/** Moments at which a client kills itself; nothing else can hit them. */
export const FAILPOINTS = [
  /** Texts are committed here, and not written on a link. */
  "queued",
  /** Texts were taken out of the outbox, and not written on a link. */
  "claimed",
  /** What arrived is committed, and not acknowledged. */
  "stored",
  /** An acknowledgement was read, and not committed. */
  "acknowledged",
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

export type ClientOptions = {
  readonly writer: Writer;
  readonly user: string;
  readonly peer: string;
  /** Of the proxy before the server. */
  readonly serverPort: number;
  /** Of the proxy before this client. */
  readonly announcedPort: number;
  readonly dataFolder: string;
  readonly seed: number;
  /** How many processes of this client there were before. */
  readonly life: number;
};

export type ClientCommand =
  /** Texts may be written until there are so many. */
  | { readonly name: "quota"; readonly texts: number }
  /** Dies at the failpoint's nth time from now on, `after` ≥ 1; `at` undefined: does not. */
  | { readonly name: "failAt"; readonly at?: Failpoint; readonly after: number }
  | { readonly name: "end" };

export type ClientLine =
  /** `written`: texts that stand on this disk already. */
  | readonly [name: "up", peerPort: number, written: number]
  /** A text or an action is committed here. */
  | readonly [name: "committed", id: string]
  | readonly [name: "delivery", id: string, state: MessageState]
  /** The client showed a text that arrived; `number` is undefined when it is not one of the other's, whole. */
  | readonly [name: "shown", id: string, number: number | null]
  | readonly [name: "edited", id: string, edition: number]
  | readonly [name: "withdrawn", id: string]
  | readonly [name: "cancelled", id: string]
  | readonly [name: "duplicates", count: number]
  | readonly [name: "outbox", written: number, waiting: number]
  | readonly [name: "failpoint", at: Failpoint]
  /** How the links are; for whoever looks for the reason of a failure. */
  | readonly [name: "note", text: string]
  /** What must not happen. */
  | readonly [name: "fault", text: string];

/** Calls `take` with each whole line of `stream`, until it ends; a last line without its end is dropped. */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() as string;
    parts.forEach(take);
  }
}
