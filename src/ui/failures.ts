/** Every failure as one sentence, one code for programs, and CLI's exit code. */
import { basename, dirname } from "node:path";

import { isOrdinaryName } from "../identity/names.ts";
import { showFingerprint } from "../identity/fingerprint.ts";
import type { UnreachableReason } from "../client/peer/dial.ts";
import type { UnreachableCause } from "../client/rendezvous/server-errors.ts";
import {
  AccountError,
  AccountExistsError,
  AccountMovedError,
  ActionError,
  FileMovedError,
  GroupError,
  isDamage,
  isStorageFailure,
  NewFileError,
  OtherVersionError,
  OpenToOthersError,
  PasswordNeededError,
  PortError,
  ProfileDamagedError,
  ProfileLockedError,
  RefusedError,
  SealedFileError,
  SelfError,
  ServerError,
  StoreError,
  TransferError,
  type GroupFault,
} from "../client/errors.ts";
import { isCode, sentenceFor, type Code } from "../protocol/codes.ts";
import type { Language } from "../protocol/language.ts";
import { UsageError } from "../protocol/options.ts";
import { quotedName, quotedText } from "../protocol/quoted-text.ts";
import type { Config } from "./config.ts";
import { localDay } from "./format/local-time.ts";
import { refusalSentence } from "./format/file-words.ts";
import { shownName, type NameBook } from "./format/name-book.ts";
import { NoMessagesError } from "./format/conversation-export.ts";
import { textsIn, type Texts } from "./texts/texts.ts";

export const EXIT = {
  done: 0,
  other: 1,
  usage: 2,
  server: 3,
  refused: 4,
  notDelivered: 5,
  notProven: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type Failure = {
  readonly exit: ExitCode;
  readonly code: string;
  readonly sentence: string;
  /** Whom the message was for that could not be delivered. */
  readonly to?: string;
  /** Seconds after which the server accepts another attempt, if it said so. */
  readonly retryAfter?: number | undefined;
};

/** @param retryAfter s */
export function failure(
  exit: keyof typeof EXIT,
  code: string,
  sentence: string,
  retryAfter?: number,
): Failure {
  return { exit: EXIT[exit], code, sentence, retryAfter };
}

/** UTF-16 units of the server's own message that are shown. */
const MAX_SERVER_WORDS = 300;

/** The database of one account; the only other database holds the known servers. */
const PROFILE_NAME = "profile.db";

/** The command did not end within `--timeout`. */
export class TimeoutError extends Error {}
/** The person pressed Ctrl-C at a prompt, or a signal came. */
export class InterruptedError extends Error {}

function shown(fingerprint: string | undefined): string {
  return fingerprint === undefined ? "—" : showFingerprint(fingerprint);
}

function unreachableSentence(why: UnreachableCause | undefined, texts: Texts, server: string): string {
  switch (why) {
    case "unknown_host":
      return texts.serverUnknown(server);
    case "refused":
      return texts.serverRefuses(server);
    case "no_route":
      return texts.serverNoRoute(server);
    case "no_interface":
      return texts.serverNoInterface(server);
    case undefined:
      return texts.serverUnreachable(server);
    default:
      return why satisfies never;
  }
}

function serverSentence({ code, expected, found, why }: ServerError, texts: Texts, server: string): string {
  const sentences: { readonly [C in ServerError["code"]]: string } = {
    server_unreachable: unreachableSentence(why, texts, server),
    server_timeout: texts.serverTimeout(server),
    server_plain: texts.serverPlain(server),
    server_no_tls: texts.serverNoTls(server),
    server_not_paloma: texts.serverNotPaloma(server),
    server_is_user: texts.serverIsUser(server),
    server_other_account: texts.serverOtherAccount(server),
    server_changed: texts.serverChanged(server, shown(expected), shown(found)),
    server_unconfirmed: texts.serverUnconfirmed(server, found ?? ""),
    server_not_web: texts.serverNotWeb(server),
    server_declined: texts.serverDeclined,
    server_expired: texts.serverExpired(server),
    server_protocol: texts.serverProtocol(server),
  };
  return sentences[code];
}

/** What to do about a refusal, where the code's sentence does not say it. */
const ADVICE: { readonly [C in Code]?: keyof Texts & `advice${string}` } = {
  invalid_credentials: "adviceCredentials",
  username_taken: "adviceTaken",
  invalid_email: "adviceEmail",
  session_replaced: "adviceReplaced",
  account_disabled: "adviceOperator",
  registration_closed: "adviceOperator",
  internal_error: "adviceLater",
  server_closing: "adviceLater",
};

/** A code's sentence, with what to do next. */
function codeSentence(code: Code, language: Language): string {
  const advice = ADVICE[code];
  const what = sentenceFor(code, language);
  return advice === undefined ? `${what}.` : `${what}: ${textsIn(language)[advice]}.`;
}

/** The exit of a refusal, where it is not `refused`. */
const REFUSAL_EXIT: ReadonlyMap<string, keyof typeof EXIT> = new Map([
  ["server_closing", "server"],
  ["internal_error", "other"],
]);

function refusal({ code, message, retryAfter }: RefusedError, config: Config, texts: Texts): Failure {
  // The server's own message is shown only for a code that this client does not know.
  const what = isCode(code)
    ? codeSentence(code, config.language)
    : texts.unknownRefusal(code, message.slice(0, MAX_SERVER_WORDS));
  const sentence = retryAfter === undefined ? what : `${what} ${texts.retryAfter(retryAfter)}`;
  return failure(REFUSAL_EXIT.get(code) ?? "refused", code, sentence, retryAfter);
}

function storeSentence(error: StoreError, texts: Texts): string {
  const cause = error.cause instanceof Error ? quotedText(error.cause.message) : "";
  const [file, folder] = [quotedText(error.file), quotedText(dirname(error.file))];
  const isProfile = basename(error.file) === PROFILE_NAME;
  return {
    not_ours: texts.storeNotOurs(file),
    newer: texts.storeNewer(file),
    unreadable: texts.storeUnreadable(file, cause),
    damaged: isProfile ? texts.storeDamaged(file, folder) : texts.serversDamaged(file),
    lost: texts.storeLost(file, folder),
  }[error.code];
}

function damageSentence(error: ProfileDamagedError, texts: Texts): string {
  const { rescued, count, noRoom } = error;
  const [file, folder] = [quotedText(error.file), quotedText(dirname(error.file))];
  if (noRoom) return texts.profileDamagedNoRoom(file, folder);
  const rescue =
    rescued === undefined ? texts.nothingRescued : texts.messagesRescued(count, quotedText(rescued));
  return texts.profileDamaged(file, rescue, folder);
}

/** The message of a system error or an SQLite error as visible text; it always names the error's code. */
export function systemMessage({ code, message }: Error & { code: string }): string {
  return quotedText(message.includes(code) ? message : `${message} (${code})`);
}

function accountSentence({ code, names }: AccountError, texts: Texts): string {
  return {
    no_account: texts.noAccount,
    unknown_account: texts.unknownAccount,
    several_accounts: texts.severalAccounts(texts.list(names.map(quotedName))),
  }[code];
}

function sealedFileFailure(error: SealedFileError, texts: Texts): Failure {
  const cause = error.cause instanceof Error ? (error.cause.message.split(", ")[0] ?? "") : "";
  const sentences = {
    unreadable: texts.fileUnreadable(quotedText(cause)),
    not_ours: texts.fileNotOurs,
    newer: texts.fileNewer,
    truncated: texts.fileTruncated,
    changed: texts.fileChanged,
    wrong_passphrase: texts.passphraseWrong,
  } as const satisfies { readonly [C in SealedFileError["code"]]: string };
  const isRefused = error.code === "wrong_passphrase";
  return failure(
    isRefused ? "refused" : "other",
    isRefused ? error.code : `file_${error.code}`,
    sentences[error.code],
  );
}

function existingAccountSentence({ username, folder, movedAt }: AccountExistsError, texts: Texts): string {
  const [user, where] = [quotedName(username), quotedText(folder)];
  return movedAt === undefined
    ? texts.accountHere(user, where)
    : texts.movedAccountHere(user, where, localDay(movedAt));
}

function actionFailure({ code }: ActionError, texts: Texts): Failure {
  const [exit, sentence] = (
    {
      unknown_message: ["usage", texts.unknownMessage],
      not_own: ["usage", texts.notOwnMessage],
      already_withdrawn: ["refused", texts.alreadyWithdrawn],
      not_supported: ["refused", texts.changeNotSupported],
      already_left: ["refused", texts.alreadyLeft],
      still_waiting: ["refused", texts.stillWaiting],
      blocked: ["refused", texts.isBlocked],
    } as const
  )[code];
  return failure(exit, code, sentence);
}

/** @param user the other person, as people see the name */
export function transferFailure({ code }: TransferError, user: string, texts: Texts): Failure {
  const exit = (
    {
      no_such_file: "usage",
      not_a_file: "usage",
      folder_in_group: "usage",
      too_many_entries: "usage",
      no_such_transfer: "usage",
      not_readable: "other",
      unwritable: "other",
      no_space: "other",
      not_possible: "refused",
      not_supported: "refused",
    } as const
  )[code];
  return failure(exit, code, refusalSentence(code, user, texts));
}

/** Why somebody was not invited to a group, in one sentence. */
export function notInvited(code: string, language: Language): string {
  const texts = textsIn(language);
  if (code === "not_supported") return texts.groupPeerTooOld;
  if (code === "blocked") return texts.isBlocked;
  if (isCode(code)) return `${sentenceFor(code, language)}.`;
  return groupFailure(new GroupError(code as GroupFault), texts).sentence;
}

function groupFailure({ code, title: bare = "" }: GroupError, texts: Texts): Failure {
  const title = texts.groupTitle(bare);
  const known: { readonly [C in GroupFault]: readonly [keyof typeof EXIT, string] } = {
    no_such_group: ["usage", texts.groupNoSuch],
    not_a_member: ["refused", texts.groupNotMember],
    no_such_member: ["refused", texts.groupNoSuchMember],
    not_invited: ["refused", texts.groupNotInvited],
    left: ["refused", texts.groupLeft(title)],
    removed: ["refused", texts.groupRemoved(title)],
    not_an_admin: ["refused", texts.groupNotAdmin],
    only_admins_write: ["refused", texts.groupOnlyAdminsWrite],
    not_above: ["refused", texts.groupNotAbove],
    already_member: ["refused", texts.groupAlreadyMember],
    already_admin: ["refused", texts.groupAlreadyAdmin],
    group_full: ["refused", texts.groupFull],
    too_many_invitations: ["refused", texts.groupTooManyInvitations],
    nobody_online: ["notDelivered", texts.groupNobodyThere],
    limited: ["refused", texts.groupLimited],
    forked: ["refused", texts.groupForked],
    not_supported: ["refused", texts.groupsUnavailable],
  };
  // The process that has the account online may be a later version.
  const [exit, sentence] = Object.hasOwn(known, code) ? known[code] : (["refused", code] as const);
  return failure(exit, code, sentence);
}

function newFileSentence(error: NewFileError, texts: Texts): string {
  const file = quotedText(error.file);
  return {
    file_exists: texts.exportFileExists(file),
    no_folder: texts.exportNoFolder(file),
    no_name: texts.exportNoName(file),
    not_written: texts.exportNotWritten(file, quotedText(error.why)),
  }[error.code];
}

function lockOwner({ owner }: ProfileLockedError, texts: Texts): string {
  return owner === undefined ? "" : texts.lockOwner(owner.command, owner.pid);
}

/** The sentence of `describeFailure` for the menus, where the person can log in again and no command is queued. */
export function describeInMenus(error: unknown, config: Config): string {
  const texts = textsIn(config.language);
  if (error instanceof PasswordNeededError) return texts.sessionOver;
  return describeFailure(error, config).sentence;
}

/** The code, sentence and exit code of anything that was thrown. */
export function describeFailure(error: unknown, config: Config): Failure {
  const texts = textsIn(config.language);
  if (error instanceof UsageError) return failure("usage", "usage", error.message);
  if (error instanceof InterruptedError) return failure("interrupted", "interrupted", "");
  if (error instanceof TimeoutError) return failure("server", "timeout", texts.timedOut(config.timeout));
  if (error instanceof ServerError)
    return failure("server", error.code, serverSentence(error, texts, config.server));
  if (error instanceof RefusedError) return refusal(error, config, texts);
  if (error instanceof StoreError)
    return failure("other", `store_${error.code}`, storeSentence(error, texts));
  if (error instanceof FileMovedError)
    return failure("other", "store_moved", texts.storeMoved(quotedText(error.file)));
  if (error instanceof OpenToOthersError)
    return failure("other", "open_to_others", texts.openToOthers(quotedText(error.path)));
  if (error instanceof ProfileDamagedError)
    return failure("other", "profile_damaged", damageSentence(error, texts));
  if (error instanceof AccountMovedError) {
    const sentence = error.at === undefined ? texts.accountMoving : texts.accountMoved(localDay(error.at));
    return failure("refused", error.code, sentence);
  }
  if (error instanceof AccountExistsError)
    return failure("refused", "account_exists", existingAccountSentence(error, texts));
  if (error instanceof SealedFileError) return sealedFileFailure(error, texts);
  if (error instanceof AccountError) return failure("usage", error.code, accountSentence(error, texts));
  if (error instanceof ActionError) return actionFailure(error, texts);
  if (error instanceof GroupError) return groupFailure(error, texts);
  if (error instanceof TransferError) return transferFailure(error, texts.userArgument, texts);
  if (error instanceof NoMessagesError) return failure("other", "no_messages", texts.exportNoMessages);
  if (error instanceof NewFileError) return failure("other", error.code, newFileSentence(error, texts));
  if (error instanceof SelfError) return failure("usage", "to_oneself", texts.toOneself);
  if (error instanceof PasswordNeededError) {
    if (error.tokenRefused) return failure("refused", "session_ended", texts.sessionEnded);
    return failure("usage", "password_needed", texts.passwordNeeded);
  }
  if (error instanceof ProfileLockedError)
    return failure("other", "process_silent", texts.processSilent(lockOwner(error, texts)));
  if (error instanceof OtherVersionError)
    return failure("other", "other_version", texts.otherVersion(quotedText(error.version)));
  if (error instanceof PortError)
    return error.code === "EADDRINUSE"
      ? failure("other", "port_taken", texts.portTaken(error.ports))
      : failure("other", "port_failed", texts.portFailed(error.ports, error.code));
  if (isStorageFailure(error)) {
    const why = systemMessage(error);
    return isDamage(error)
      ? failure("other", "profile_damaged", texts.damageFound(why))
      : failure("other", "disk", texts.diskFailed(why));
  }
  const what = error instanceof Error ? error.message : String(error);
  return failure("other", "internal_error", texts.internalError(quotedText(what)));
}

/** The name as a person can type it in a shell; a name with other characters than new names have is not written out. */
export function typedName(username: string, texts: Texts): string {
  return isOrdinaryName(username) ? username : texts.userArgument;
}

/**
 * Why there is no link to a person, and the exit code of a command that could not deliver its message.
 * @param retryIn ms until the next attempt, if it is known
 */
export function describeUnreachable(
  reason: UnreachableReason,
  username: string,
  names: NameBook,
  texts: Texts,
  retryIn?: number,
): Failure {
  const user = shownName(names, username);
  if (reason === "server_limits") {
    const retryAfter = retryIn === undefined ? undefined : Math.max(1, Math.ceil(retryIn / 1_000));
    return failure("refused", "rate_limited", texts.peerServerLimits(user, retryAfter), retryAfter);
  }
  const [exit, code, sentence] = (
    {
      offline: ["notDelivered", "user_offline", texts.peerOffline(user)],
      no_server: ["notDelivered", "peer_unreachable", texts.peerNoServer(user)],
      no_relay: ["notDelivered", "peer_unreachable", texts.peerNoRelay(user)],
      no_meeting: ["notDelivered", "no_meeting", texts.peerNoMeeting(user)],
      cannot_meet: ["notDelivered", "cannot_meet", texts.peerCannotMeet(user)],
      meeting_blocked: ["notDelivered", "meeting_blocked", texts.peerMeetingBlocked(user)],
      relay_full: ["notDelivered", "relay_full", texts.peerRelayFull(user)],
      relay_off: ["notDelivered", "relay_off", texts.peerRelayOff(user)],
      relay_never: ["notDelivered", "relay_never", texts.peerRelayNever(user)],
      no_way: ["notDelivered", "no_way", texts.peerNoWay(user, typedName(username, texts))],
      unreachable: ["notDelivered", "peer_unreachable", texts.peerUnreachable(user)],
      no_answer: ["notDelivered", "peer_unreachable", texts.peerNoAnswer(user)],
      not_admitted: ["notDelivered", "peer_not_admitted", texts.peerNotAdmitted(user)],
      own_key_pending: ["notDelivered", "own_key_pending", texts.peerOwnKeyPending(user)],
      greeting_refused: ["notDelivered", "peer_refused_greeting", texts.peerRefusedGreeting(user)],
      bad_greeting: ["notDelivered", "peer_bad_greeting", texts.peerBadGreeting(user)],
      no_greeting: ["notDelivered", "peer_no_greeting", texts.peerNoGreeting(user)],
      line_broke: ["notDelivered", "peer_line_broke", texts.peerLineBroke(user)],
      busy: ["notDelivered", "peer_busy", texts.peerBusy(user)],
      storage_failed: ["notDelivered", "storage_failed", texts.peerKeyNotStored(user)],
      no_certificate: ["notDelivered", "no_certificate", texts.noCertificate],
      not_in_date: ["notProven", "peer_not_in_date", texts.peerNotInDate(user)],
      revoked: ["notProven", "peer_revoked", texts.peerRevoked(user)],
      not_proven: ["notProven", "peer_not_proven", texts.peerNotProven(user)],
      key_pending: ["notProven", "peer_key_changed", texts.peerKeyPending(user, typedName(username, texts))],
      verification_needed: [
        "notProven",
        "verification_needed",
        texts.peerNotVerified(user, typedName(username, texts)),
      ],
      insecure: ["notProven", "peer_insecure", texts.peerInsecure(user)],
    } as const
  )[reason];
  return failure(exit, code, sentence);
}
