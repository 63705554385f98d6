/** Why something that was asked of transfers is not done. */
export type TransferFault =
  | "no_such_file"
  | "not_readable"
  | "not_a_file"
  /** Folders are not given to all of a group. */
  | "folder_in_group"
  | "too_many_entries"
  /** Of a folder into which something is to be received: it is none, or nothing can be written there. */
  | "unwritable"
  | "no_space"
  /** Nothing was offered under this id, here or by others. */
  | "no_such_transfer"
  /** It has ended, was answered already, or is not for this side to answer. */
  | "not_possible"
  /** Their client knows no files. */
  | "not_supported";

export class TransferError extends Error {
  readonly code: TransferFault;

  constructor(code: TransferFault) {
    super(code);
    this.code = code;
  }
}
