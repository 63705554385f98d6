/** The errors that the client's methods throw, and how to classify them. */
export { ProfileDamagedError } from "./disk/check.ts";
export { OpenToOthersError } from "./disk/folders.ts";
export { isLowDisk } from "./disk/free-space.ts";
export { ProfileLockedError } from "./disk/lock.ts";
export { isDamage, isStorageFailure, StoreError } from "./disk/sqlite.ts";
export { FileMovedError } from "../net/open-file.ts";
export { PortError } from "./peer/port.ts";
export { AccountMovedError } from "./profile/profile.ts";
export { ActionError, SelfError, type ActionFault } from "./conversation/message-actions.ts";
export { TransferError, type TransferFault } from "./file/transfer/transfer-error.ts";
export { GroupError, type GroupFault } from "./group/store/group-error.ts";
export { AccountError, AccountExistsError } from "./local-accounts.ts";
export { SealedFileError } from "./moving/sealed-format.ts";
export { NewFileError } from "./new-file.ts";
export { isTransient, PasswordNeededError, RefusedError, ServerError } from "./rendezvous/server-errors.ts";
export { OtherVersionError } from "./sharing/attachment.ts";
