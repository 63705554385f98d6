/**
 * What the encrypted file of an account holds: four bytes with the length of a JSON object, that object, and the account's
 * `profile.db` to the end. The object has the `servers` of its authority, that which was used last first, so that the import needs no network.
 */
import { integer, INVALID, list, object, oneOf, refine, text, type Check } from "../../protocol/fields.ts";
import { normalHost } from "../../protocol/host-name.ts";
import { SealedFileError } from "./sealed-format.ts";

/** More servers than this have no room before the database in the first chunk. */
export const MAX_SERVERS = 100;

const PREFIX = 4;

/** A server, and how it is trusted. */
export type MovedServer = { readonly host: string; readonly port: number; readonly kind: "web" | "pin" };

const HEAD: Check<{ servers: MovedServer[] }> = object({
  servers: list(
    object({ host: refine(text(1, 255), normalHost), port: integer(1, 65_535), kind: oneOf("web", "pin") }),
    MAX_SERVERS,
  ),
});

/** What stands before the database. @param servers at most MAX_SERVERS */
export function headOf(servers: readonly MovedServer[]): Buffer {
  const json = Buffer.from(JSON.stringify({ servers }));
  const length = Buffer.alloc(PREFIX);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

/** Reads what stands before the database. @param part the first chunk's contents @throws SealedFileError */
export function readHead(part: Buffer): { servers: readonly MovedServer[]; database: Buffer } {
  try {
    const end = PREFIX + part.readUInt32BE();
    const head = HEAD(JSON.parse(part.toString("utf8", PREFIX, end)));
    if (head === INVALID) throw new Error("not the beginning of an account");
    return { servers: head.servers, database: part.subarray(end) };
  } catch (error) {
    throw new SealedFileError("changed", error);
  }
}
