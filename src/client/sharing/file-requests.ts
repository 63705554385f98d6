/** The requests about files that are sent and received; the rows of `REQUESTS` that need no server. */
import { basename } from "node:path";

import { boolean, integer, nullable, optional, refine, utf8Text } from "../../protocol/fields.ts";
import { MAX_NAME_BYTES } from "../../protocol/peer-messages.ts";
import { RequestError } from "../error-json.ts";
import { isGroup } from "../profile/contacts.ts";
import { id, name, path, person, row } from "./request-row.ts";
import { checkPerson } from "./stored-requests.ts";

const fileName = refine(utf8Text(MAX_NAME_BYTES), (typed) => (typed === "" ? undefined : typed));
const bytes = integer(0, Number.MAX_SAFE_INTEGER);
/** Of a transfer. */
const transfer = id;
const newTransfer = refine(id, (typed) => (typed.includes("/") ? undefined : typed));

export const FILE_REQUESTS = {
  /** All transfers, oldest first. */
  files: row({}, ({ account: { messenger } }) => ({ files: messenger.files.list() })),
  /**
   * Offers a file, a folder or, with a name, a pipe; a file to all of a group. Answered when the offer is on the disk. With the `transfer` of an earlier
   * one, nothing is done. `left_out`: how many links and special files of a folder are not sent, and the first of them.
   */
  send_file: row(
    { to: name, path, name: optional(fileName), sha256: optional(boolean), transfer: optional(newTransfer) },
    async ({ account: { messenger }, archive }, request) => {
      const { to, path, name: given, sha256 = false, transfer: wanted } = request;
      if (!isGroup({ label: to })) checkPerson(archive, to);
      const offered = given ?? basename(path);
      if (Buffer.byteLength(offered) > MAX_NAME_BYTES || offered === "")
        throw new RequestError("bad_request", "name");
      if (isGroup({ label: to })) {
        const inGroup = await messenger.groupFiles.send(to.slice(1), path, offered, wanted);
        return { file: messenger.files.changed(inGroup), left_out: null };
      }
      const what = { path, name: offered, wantsSha256: sha256, id: wanted };
      const { file, leftOut = null } = await messenger.files.send(to, what);
      return { file, left_out: leftOut };
    },
  ),
  /** Accepts an offer: it is received in this folder. */
  accept_file: row(
    { transfer, folder: path, sha256: optional(boolean) },
    async ({ account: { messenger } }, { transfer: accepted, folder, sha256 = false }) => ({
      file: await messenger.files.accept(accepted, folder, sha256),
    }),
  ),
  decline_file: row({ transfer }, ({ account: { messenger } }, { transfer: declined }) => ({
    file: messenger.files.decline(declined),
  })),
  /** Either side stops a transfer that has not ended. */
  stop_file: row({ transfer }, ({ account: { messenger } }, { transfer: stopped }) => ({
    file: messenger.files.stop(stopped),
  })),
  /** Offers of this person up to so many bytes (null: of any size) are accepted without a question; 0: none are. */
  always_accept: row(
    { username: person, limit: nullable(bytes), folder: path },
    ({ account: { messenger }, archive }, { username, limit, folder }) => {
      checkPerson(archive, username);
      messenger.files.alwaysAccept(username, limit === 0 ? undefined : { most: limit ?? undefined, folder });
      return {};
    },
  ),
  /** As long as this face is there, every offer of a contact is accepted; one that is too large is declined. */
  accept_files: row(
    { folder: path, max_size: optional(bytes), sha256: optional(boolean) },
    ({ face }, { folder, max_size: most, sha256: wantsSha256 = false }) => {
      face.acceptFiles({ folder, most, wantsSha256 });
      return {};
    },
  ),
};
