/** Opens the place of what is received. */
import type { Transfer } from "../../profile/transfers.ts";
import { FileSink } from "../file-sink.ts";
import { FolderSink } from "../folder-sink.ts";
import { SinkError, type Sink } from "../source.ts";

/** @param notes a folder of the sink's own, in the profile's folder. @throws SinkError */
export async function openSink(transfer: Transfer, notes: string): Promise<Sink> {
  const { folder = "", stamp: key = "", name, size, entries } = transfer;
  const time = transfer.modified === undefined ? NaN : Date.parse(transfer.modified);
  const modified = Number.isNaN(time) ? undefined : time;
  const place = { folder, key, name, notes, modified };
  if (entries === undefined) return FileSink.open(place, size);
  // Every listing has a length.
  if (size === undefined) throw new SinkError("bad_listing");
  return FolderSink.open(place, { size, entries });
}
