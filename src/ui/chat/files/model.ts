/** The effects of a chat on files, and their answers. */
import type { SharedFile } from "../../../client/conversation/events.ts";

/** Paths and folders are as they were typed. */
export type FileEffect =
  /** `typed`: the line, which is given back if this fails. */
  | { readonly name: "sendFiles"; readonly paths: string; readonly typed: string }
  /** `number`: undefined: the only offer of the peer. `folder`: undefined: that for downloads. */
  | { readonly name: "getFile"; readonly number: number | undefined; readonly folder: string | undefined }
  /** From now on the peer's offers are accepted without a question. `limit`: bytes; null: of any size; 0: they are not. */
  | { readonly name: "getAlways"; readonly limit: number | null; readonly folder: string | undefined }
  /** `number`: undefined: the only transfer with the peer. */
  | { readonly name: "stopFile"; readonly number: number | undefined }
  | { readonly name: "listFiles" };

export type FileEvent =
  /** The SHA-256 of a large file is counted, before a group is offered it. */
  | { readonly name: "counting"; readonly file: string }
  /** What of a folder that is sent is not sent. `folder`: its name. */
  | {
      readonly name: "leftOut";
      readonly folder: string;
      readonly count: number;
      readonly paths: readonly string[];
    }
  /** The transfers of the account, oldest first. `asked`: the command that needs the number of one of them. */
  | { readonly name: "files"; readonly files: readonly SharedFile[]; readonly asked?: "/get" | "/stop" }
  | { readonly name: "getsAlways"; readonly limit: number | null; readonly folder: string };
