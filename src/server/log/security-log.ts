/**
 * Security events: logins, failed logins, and changes to accounts and sessions. Each goes to the log and to the
 * audit log, which is a file of its own. No caller passes it a password or a token.
 */
import { existsSync, realpathSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { AuditFile } from "./audit-file.ts";
import { ownerFor, type Owner } from "../database/owner.ts";
import { LimitedLog } from "./limited-log.ts";
import { jsonLine, visibleFields, type Log, type LogFields } from "./log.ts";
import type { Place } from "../place.ts";

/** UTF-16 units of events that may wait for the end of the turn; beyond it they are written at once. */
const MAX_UNWRITTEN = 1024 * 1024;
/** UTF-16 units of one field. */
const MAX_FIELD = 256;
/** Shortest time between two warnings about the audit log, in ms. */
const WARNING_INTERVAL = 60_000;

export type SecurityEvent =
  | "registered"
  | "login"
  | "login_failed"
  | "resumed"
  | "resume_failed"
  | "key_not_proven"
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
  | "backup_made"
  | "database_restored"
  | "database_moved"
  | "server_started"
  | "server_stopped";

export interface SecurityLog {
  /** Never throws: a failure of the audit log must not fail a login. */
  record(event: SecurityEvent, fields: LogFields): void;
  /** Syncs what was recorded to the disk and closes the file. */
  close(): void;
}

/** Records security events in the log alone. */
export function withoutAudit(log: Log): SecurityLog {
  return { record: (event, fields) => log.info(event, fields), close: () => undefined };
}

/**
 * The security log of a server and of its operator's commands, with the audit log at the configured path, beside the
 * database's file by default, or nowhere if the path is `off`. @throws StartError
 */
export function openSecurityLog(
  { auditPath, place }: { readonly auditPath: string | undefined; readonly place: Place },
  log: Log,
): SecurityLog {
  if (auditPath === "off") return withoutAudit(log);
  if (place.name === "cluster") {
    return auditPath === undefined ? withoutAudit(log) : new AuditedLog(auditPath, log, Date.now);
  }
  // A database that is opened through a symbolic link has the same log.
  const real = existsSync(place.path) ? realpathSync(place.path) : place.path;
  return new AuditedLog(auditPath ?? `${real}.audit.jsonl`, log, Date.now, ownerFor(real));
}

/**
 * Records security events in the log, and in a file of mode 0600 that rotates by itself. The events of one turn of
 * the event loop are gathered into one write; if that fails, a warning is logged.
 */
export class AuditedLog implements SecurityLog {
  readonly #file: AuditFile;
  readonly #log: Log;
  readonly #now: () => number;
  #lines: string[] = [];
  #size = 0;
  #isClosed = false;
  /** Events that could not be written since the last success. */
  #lost = 0;
  readonly #warnings: LimitedLog<"lost", { readonly event: string; readonly error: unknown }>;

  /** @param now ms since 1970. @param owner who owns the file if it is made here. @throws StartError */
  constructor(path: string, log: Log, now: () => number, owner?: Owner) {
    this.#log = log;
    this.#now = now;
    this.#file = new AuditFile(path, (error) => this.#warn("audit_log_not_rotated", error), owner);
    this.#warnings = new LimitedLog(WARNING_INTERVAL, now, { lost: 0 }, ({ lost }, { event, error }) => {
      log.warn(event, { path, code: errorCode(error), lost });
    });
  }

  record(event: SecurityEvent, fields: LogFields): void {
    this.#log.info(event, fields);
    if (this.#isClosed) return;
    const line = this.#line(event, fields);
    if (this.#lines.push(line) === 1) setImmediate(() => this.#write());
    this.#size += line.length;
    if (this.#size >= MAX_UNWRITTEN) this.#write();
  }

  close(): void {
    this.#write();
    this.#isClosed = true;
    try {
      this.#file.close();
    } catch (error) {
      this.#warn("audit_log_not_written", error);
    }
  }

  #write(): void {
    const lines = this.#lines;
    if (lines.length === 0 || this.#isClosed) return;
    this.#lines = [];
    this.#size = 0;
    // The file must show where events are missing.
    const gap = this.#lost === 0 ? "" : this.#line("events_lost", { count: this.#lost });
    try {
      this.#file.append(gap + lines.join(""));
      if (this.#lost > 0) this.#log.info("audit_log_written_again", { lost: this.#lost });
      this.#lost = 0;
      this.#warnings.reset();
    } catch (error) {
      this.#lost += lines.length;
      this.#warn("audit_log_not_written", error, lines.length);
    }
  }

  #warn(event: string, error: unknown, lost = 0): void {
    this.#warnings.note("lost", { event, error }, lost);
  }

  #line(event: string, fields: LogFields): string {
    const time = new Date(this.#now()).toISOString();
    return jsonLine({ time, event }, visibleFields(fields, MAX_FIELD));
  }
}
