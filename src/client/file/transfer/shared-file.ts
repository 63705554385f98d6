/** A transfer as screens and programs see it. */
import type { FileOfGroup, SharedFile } from "../../conversation/events.ts";
import type { Transfer } from "../../profile/transfers.ts";

/** How far a transfer that is accepted has come. Bytes; `rate` is of a second, over the last few; undefined: unknown. */
export type Progress = {
  readonly state: "accepted" | "running" | "paused";
  /** Why it is paused. */
  readonly reason?: string | undefined;
  readonly done: number;
  readonly rate: number | undefined;
};

/**
 * @param progress undefined: nothing is under way in this process
 * @param ofGroup of a file for all of a group
 */
export function sharedFile(
  transfer: Transfer,
  peer: string,
  progress: Progress | undefined,
  ofGroup?: FileOfGroup,
): SharedFile {
  const { id, number, name, entries = null, path = null, sha256 = null } = transfer;
  const now = transfer.state === "accepted" ? progress : undefined;
  const { state, reason = null, done, rate = null } = now ?? { ...transfer, rate: undefined };
  return {
    id,
    number,
    peer,
    direction: transfer.outgoing ? "out" : "in",
    name,
    size: transfer.size ?? transfer.end?.size ?? null,
    entries,
    done,
    rate,
    state,
    reason,
    path,
    sha256,
    at: new Date(transfer.at).toISOString(),
    ...ofGroup,
  };
}
