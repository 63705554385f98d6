/** A transfer as a screen gets it. */
import type { SharedFile } from "../../../../src/client/conversation/events.ts";

export const MIB = 1_048_576;

/** Benito offers `informe.pdf`, but for these fields. */
export function sharedFile(change: Partial<SharedFile> = {}): SharedFile {
  return {
    id: "1",
    number: 3,
    peer: "benito",
    direction: "in",
    name: "informe.pdf",
    size: 100 * MIB,
    entries: null,
    done: 0,
    rate: null,
    state: "offered",
    reason: null,
    path: null,
    sha256: null,
    at: "2026-11-22T12:00:00.000Z",
    ...change,
  };
}
