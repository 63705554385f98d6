/** Opens the place of what is received. */
import type { Transfer } from "../../profile/transfers.ts";
import { FileSink } from "../file-sink.ts";
import type { Sink } from "../source.ts";

/** @param notes a folder of the sink's own, in the profile's folder. @throws SinkError */
export function openSink(transfer: Transfer, notes: string): Promise<Sink> {
  const { folder = "", stamp: key = "", name, size } = transfer;
  const time = transfer.modified === undefined ? NaN : Date.parse(transfer.modified);
  const modified = Number.isNaN(time) ? undefined : time;
  return FileSink.open({ folder, key, name, notes, modified }, size);
}
