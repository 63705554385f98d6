/** Every failure as one sentence, one code for programs, and CLI's exit code. */
import { basename, dirname } from "node:path";

import { showFingerprint } from "../identity/fingerprint.ts";
import type { UnreachableReason } from "../client/peer/dial.ts";
import {
  AccountError,
  ActionError,
  isDamage,
  isStorageFailure,
  PasswordNeededError,
  PortError,
  ProfileDamagedError,
  ProfileLockedError,
  RefusedError,
  SelfError,
  ServerError,
  StoreError,
  type ActionFault,
} from "../client/errors.ts";
import { isCode, sentenceFor, type Code } from "../protocol/codes.ts";
import type { Language } from "../protocol/language.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import { UsageError } from "../protocol/options.ts";
import { visibleText } from "../protocol/visible-text.ts";
import type { Config } from "./config.ts";
import { ExportError } from "./format/conversation-export.ts";
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
  /** Seconds after which the server takes it again, where it has said so. */
  readonly retryAfter?: number | undefined;
};

/** The file that a person's account is in; the other one that is opened holds the known servers. */
const PROFILE_NAME = "profile.db";

/** The command did not end in the time that it was given. */
export class TimeoutError extends Error {}
/** The person pressed Ctrl-C at a prompt, or a signal came. */
export class InterruptedError extends Error {}

function shown(fingerprint: string | undefined): string {
  return fingerprint === undefined ? "—" : showFingerprint(fingerprint);
}

function serverFailure(error: ServerError, texts: Texts, server: string): Failure {
  const expected = shown(error.expected);
  const found = shown(error.found);
  const sentences: { readonly [C in ServerError["code"]]: string } = {
    server_unreachable: texts.serverUnreachable(server),
    server_timeout: texts.serverTimeout(server),
    server_plain: texts.serverPlain(server),
    server_no_tls: texts.serverNoTls(server),
    server_not_paloma: texts.serverNotPaloma(server),
    server_is_user: texts.serverIsUser(server),
    server_other_account: texts.serverOtherAccount(server),
    server_changed: texts.serverChanged(server, expected, found),
    server_unconfirmed: texts.serverUnconfirmed(server, error.found ?? ""),
    server_not_web: texts.serverNotWeb(server),
    server_declined: texts.serverDeclined,
    server_expired: texts.serverExpired(server),
    server_protocol: texts.serverProtocol(server),
  };
  return { exit: EXIT.server, code: error.code, sentence: sentences[error.code] };
}

/** What to do about a refusal whose own sentence does not say it. */
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

function refusal(error: RefusedError, config: Config, texts: Texts): Failure {
  // The server's own words only for a code that this client does not know.
  const sentence = isCode(error.code)
    ? codeSentence(error.code, config.language)
    : texts.unknownRefusal(visibleText(error.code), visibleText(error.message));
  const retry = error.retryAfter === undefined ? "" : ` ${texts.retryAfter(error.retryAfter)}`;
  const exit =
    error.code === "server_closing"
      ? EXIT.server
      : error.code === "internal_error"
        ? EXIT.other
        : EXIT.refused;
  return { exit, code: error.code, sentence: sentence + retry, retryAfter: error.retryAfter };
}

function storeFailure(error: StoreError, texts: Texts): Failure {
  const cause = error.cause instanceof Error ? visibleText(error.cause.message) : "";
  const [file, folder] = [visibleText(error.file), visibleText(dirname(error.file))];
  const isProfile = basename(error.file) === PROFILE_NAME;
  const sentence = {
    not_ours: texts.storeNotOurs(file),
    newer: texts.storeNewer(file),
    unreadable: texts.storeUnreadable(file, cause),
    damaged: isProfile ? texts.storeDamaged(file, folder) : texts.serversDamaged(file),
    lost: texts.storeLost(file, folder),
  }[error.code];
  return { exit: EXIT.other, code: `store_${error.code}`, sentence };
}

function damageFailure(error: ProfileDamagedError, texts: Texts): Failure {
  const { rescued, count, noRoom } = error;
  const [file, folder] = [visibleText(error.file), visibleText(dirname(error.file))];
  const rescue =
    rescued === undefined ? texts.nothingRescued : texts.messagesRescued(count, visibleText(rescued));
  const sentence = noRoom
    ? texts.profileDamagedNoRoom(file, folder)
    : texts.profileDamaged(file, rescue, folder);
  return { exit: EXIT.other, code: "profile_damaged", sentence };
}

/** What the system says of a failure, for a terminal; its sentence begins with its code, SQLite's lacks it. */
export function systemWords({ code, message }: Error & { code: string }): string {
  return visibleText(message.includes(code) ? message : `${message} (${code})`);
}

function accountFailure(error: AccountError, texts: Texts): Failure {
  const sentence = {
    no_account: texts.noAccount,
    unknown_account: texts.unknownAccount,
    several_accounts: texts.severalAccounts(texts.list(error.names.map((name) => visibleText(name)))),
  }[error.code];
  return { exit: EXIT.usage, code: error.code, sentence };
}

function actionFailure({ code }: ActionError, texts: Texts): Failure {
  const { usage, refused } = EXIT;
  const table: { readonly [F in ActionFault]: readonly [ExitCode, string] } = {
    unknown_message: [usage, texts.unknownMessage],
    not_own: [usage, texts.notOwnMessage],
    already_withdrawn: [refused, texts.alreadyWithdrawn],
    not_supported: [refused, texts.changeNotSupported],
    already_left: [refused, texts.alreadyLeft],
    still_waiting: [refused, texts.stillWaiting],
  };
  const [exit, sentence] = table[code];
  return { exit, code, sentence };
}

function exportFailure(error: ExportError, texts: Texts): Failure {
  const file = visibleText(error.file);
  const why = visibleText(error.why);
  const sentence = {
    no_messages: texts.exportNoMessages,
    file_exists: texts.exportFileExists(file),
    no_folder: texts.exportNoFolder(file),
    no_name: texts.exportNoName(file),
    not_written: texts.exportNotWritten(file, why),
  }[error.code];
  return { exit: EXIT.other, code: error.code, sentence };
}

function lockOwner({ owner }: ProfileLockedError, texts: Texts): string {
  return owner === undefined ? "" : texts.lockOwner(visibleText(owner.command), owner.pid);
}

/** As `describeFailure` gives it, in the words of the menus, where passwords are typed and nothing is queued. */
export function describeInMenus(error: unknown, config: Config): string {
  const texts = textsIn(config.language);
  if (error instanceof PasswordNeededError) return texts.sessionOver;
  if (error instanceof ProfileLockedError) return texts.accountOpenElsewhere(lockOwner(error, texts));
  return describeFailure(error, config).sentence;
}

/** Whatever was thrown, as what a person is told. */
export function describeFailure(error: unknown, config: Config): Failure {
  const texts = textsIn(config.language);
  if (error instanceof UsageError) return { exit: EXIT.usage, code: "usage", sentence: error.message };
  if (error instanceof InterruptedError) return { exit: EXIT.interrupted, code: "interrupted", sentence: "" };
  if (error instanceof ServerError)
    return serverFailure(error, texts, showHostPort(config.host, config.port));
  if (error instanceof RefusedError) return refusal(error, config, texts);
  if (error instanceof StoreError) return storeFailure(error, texts);
  if (error instanceof ProfileDamagedError) return damageFailure(error, texts);
  if (error instanceof AccountError) return accountFailure(error, texts);
  if (error instanceof ActionError) return actionFailure(error, texts);
  if (error instanceof ExportError) return exportFailure(error, texts);
  if (error instanceof SelfError) return { exit: EXIT.usage, code: "to_oneself", sentence: texts.toOneself };
  if (error instanceof PasswordNeededError) {
    return error.tokenRefused
      ? { exit: EXIT.refused, code: "session_ended", sentence: texts.sessionEnded }
      : { exit: EXIT.usage, code: "password_needed", sentence: texts.passwordNeeded };
  }
  if (error instanceof ProfileLockedError) {
    const sentence = texts.accountLocked(lockOwner(error, texts));
    return { exit: EXIT.refused, code: "account_locked", sentence };
  }
  if (error instanceof PortError)
    return { exit: EXIT.other, code: "port_taken", sentence: texts.portTaken(error.ports) };
  if (error instanceof TimeoutError) {
    return { exit: EXIT.server, code: "timeout", sentence: texts.timedOut(config.timeout) };
  }
  if (isStorageFailure(error)) {
    const why = systemWords(error);
    return isDamage(error)
      ? { exit: EXIT.other, code: "profile_damaged", sentence: texts.damageFound(why) }
      : { exit: EXIT.other, code: "disk", sentence: texts.diskFailed(why) };
  }
  return {
    exit: EXIT.other,
    code: "internal_error",
    sentence: texts.internalError(visibleText(error instanceof Error ? error.message : String(error))),
  };
}

/**
 * Why there is no link to a person, and the exit code that a message to them ends with.
 * @param retryIn ms until the next attempt, where it is known
 */
export function describeUnreachable(
  reason: UnreachableReason,
  username: string,
  texts: Texts,
  retryIn?: number,
): Failure {
  const user = visibleText(username);
  const { notDelivered, notProven, refused } = EXIT;
  if (reason === "server_limits") {
    const retryAfter = retryIn === undefined ? undefined : Math.max(1, Math.ceil(retryIn / 1_000));
    return {
      exit: refused,
      code: "rate_limited",
      sentence: texts.peerServerLimits(user, retryAfter),
      retryAfter,
    };
  }
  const table: {
    readonly [R in Exclude<UnreachableReason, "server_limits">]: readonly [ExitCode, string, string];
  } = {
    offline: [notDelivered, "user_offline", texts.peerOffline(user)],
    no_server: [notDelivered, "peer_unreachable", texts.peerNoServer(user)],
    unreachable: [notDelivered, "peer_unreachable", texts.peerUnreachable(user)],
    not_admitted: [notDelivered, "peer_not_admitted", texts.peerNotAdmitted(user)],
    no_certificate: [notDelivered, "no_certificate", texts.noCertificate],
    not_in_date: [notProven, "peer_not_in_date", texts.peerNotInDate(user)],
    not_proven: [notProven, "peer_not_proven", texts.peerNotProven(user)],
    key_pending: [notProven, "peer_key_changed", texts.peerKeyPending(user)],
    insecure: [notProven, "peer_insecure", texts.peerInsecure(user)],
  };
  const [exit, code, sentence] = table[reason];
  return { exit, code, sentence };
}
