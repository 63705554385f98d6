/** Opens the place of what is received. */
import type { Transfer } from "../../profile/transfers.ts";
import { FileSink, temporaryName, type Place } from "../file-sink.ts";
import { FolderSink } from "../folder-sink.ts";
import { SinkError, type Sink } from "../source.ts";
import { TargetFolder } from "../target-folder.ts";

/** @param notes a folder of the sink's own, in the profile's folder */
export function placeOf(transfer: Transfer, notes: string): Place {
  const { folder = "", stamp: key = "", name } = transfer;
  const time = transfer.modified === undefined ? NaN : Date.parse(transfer.modified);
  return { folder, key, name, notes, modified: Number.isNaN(time) ? undefined : time };
}

/** @param notes as of `placeOf` @throws SinkError */
export async function openSink(transfer: Transfer, notes: string): Promise<Sink> {
  const { size, entries } = transfer;
  const place = placeOf(transfer, notes);
  if (entries === undefined) return FileSink.open(place, size);
  // Every listing has a length.
  if (size === undefined) throw new SinkError("bad_listing");
  return FolderSink.open(place, { size, entries });
}

/** Removes what has no name yet, without opening it. @throws SinkError */
export async function removePart({ folder = "", stamp: key = "" }: Transfer): Promise<void> {
  const target = await TargetFolder.open(folder);
  await target.remove(temporaryName(key)).finally(() => target.close());
}
