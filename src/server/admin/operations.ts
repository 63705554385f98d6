/** Carries out the operator's commands on accounts and sessions, in the database and on the users online. */
import { fingerprint } from "../../identity/fingerprint.ts";
import { checkUsername, fold } from "../../identity/names.ts";
import { isEmailAcceptable } from "../../protocol/account-rules.ts";
import type { Account, ListedAccount } from "../database/accounts.ts";
import { tokenId } from "../database/tokens.ts";
import type { PasswordQueue } from "../limits/password-queue.ts";
import type { SecurityEvent } from "../log/security-log.ts";
import type { Services } from "../session/services.ts";
import {
  PAGE_LINES,
  type AdminReply,
  type AdminRequest,
  type Refusal,
  type SessionLine,
  type UserLine,
} from "./messages.ts";
import { randomPassword } from "./random-password.ts";

/** Accounts searched for one reply, so that a search with few hits does not block the server. */
const SCANNED_ACCOUNTS = 500;
/** UTF-16 units shown of an email address or a date: an old database may hold any text. */
const MAX_SHOWN = 254;

/** The parts of the server that the commands use. */
export type AdminServices = Pick<
  Services,
  "accounts" | "tokens" | "revocations" | "security" | "now" | "presence"
> & {
  readonly passwords: Pick<PasswordQueue, "hash">;
};

/** Who made a change, in the security log; also the owner of the operator's hashes in their queue. */
const OPERATOR = "operator";

export class AdminOperations {
  readonly #services: AdminServices;

  constructor(services: AdminServices) {
    this.#services = services;
  }

  /**
   * @param wanted whether the reply is still wanted; if not, nothing is changed.
   * @throws errors of the database
   */
  async run(request: AdminRequest, wanted: () => boolean = () => true): Promise<AdminReply> {
    if (!wanted()) return refused("server_busy");
    switch (request.command) {
      case "users":
        return this.#users(request.search, request.after);
      case "sessions":
        if (request.name === undefined) return this.#allSessions(request.after);
        return this.#of(request.name, (account) => ({
          name: "sessions",
          sessions: this.#sessions(account),
          next: undefined,
        }));
      case "add":
        return this.#add(request.name, request.email, wanted);
      case "reset-password":
        return this.#resetPassword(request.name, wanted);
      case "disable":
        return this.#setDisabled(request.name, true);
      case "enable":
        return this.#setDisabled(request.name, false);
      case "delete":
        return this.#of(request.name, (account) => {
          const { accounts, now } = this.#services;
          this.#revokeWith(account, () => accounts.delete(account, now()));
          return this.#changed("account_deleted", account, { ends: true });
        });
      case "revoke":
        return this.#of(request.name, (account) => this.#revoke(account, request.id));
      case "account":
        return this.#of(request.name, ({ username }) => ({ name: "done", username, changed: false }));
      case "backup-made":
        this.#services.security.record("backup_made", { file: request.file, by: OPERATOR });
        return { name: "done", username: "", changed: true };
      default:
        return request satisfies never;
    }
  }

  #users(search: string, after: string): AdminReply {
    const wanted = fold(search);
    const users: UserLine[] = [];
    const next = this.#scan(after, (account) => {
      const email = account.email ?? "";
      if (account.fold.includes(wanted) || fold(email).includes(wanted)) {
        users.push({
          username: account.username,
          email: email.slice(0, MAX_SHOWN).toWellFormed(),
          made: account.created_at === null ? null : madeAt(account.created_at),
          online: this.#services.presence.find(account.fold) !== undefined,
          disabled: account.disabled !== 0,
        });
      }
      return users.length;
    });
    return { name: "users", users, next };
  }

  #allSessions(after: string): AdminReply {
    const sessions: SessionLine[] = [];
    const next = this.#scan(after, (account) => sessions.push(...this.#sessions(account)));
    return { name: "sessions", sessions, next };
  }

  /**
   * Passes accounts to `look` until there are enough lines.
   * @param look returns the number of lines so far.
   * @returns the folded name after which to continue, if there are more accounts
   */
  #scan(after: string, look: (account: ListedAccount) => number): string | undefined {
    const page = this.#services.accounts.page(after, SCANNED_ACCOUNTS);
    for (const account of page) if (look(account) >= PAGE_LINES) return account.fold;
    return page.length < SCANNED_ACCOUNTS ? undefined : page.at(-1)?.fold;
  }

  #sessions(account: Pick<Account, "id" | "username" | "fold">): SessionLine[] {
    const { tokens, presence, now } = this.#services;
    const { username } = account;
    const lines: SessionLine[] = tokens.stored(account.id, now()).map((token) => ({
      kind: "token",
      username,
      id: tokenId(token.hash),
      address: null,
      since: timeOf(token.madeAt),
      last_used: timeOf(token.lastUsed),
      fingerprint: fingerprint(Buffer.from(token.publicKey)),
    }));
    const user = presence.find(account.fold);
    if (user === undefined) return lines;
    const live: SessionLine = {
      kind: "live",
      username,
      id: user.key === undefined ? null : tokenId(user.key.tokenHash),
      address: user.ip,
      since: timeOf(user.since),
      last_used: null,
      fingerprint: user.key?.fingerprint ?? null,
    };
    return [live, ...lines];
  }

  async #add(given: string, email: string, wanted: () => boolean): Promise<AdminReply> {
    const { accounts, now } = this.#services;
    const checked = checkUsername(given);
    if (!checked.ok) return refused("invalid_username");
    if (!isEmailAcceptable(email)) return refused("invalid_email");
    const username = checked.name;
    if (accounts.isTaken(username, now())) return refused("username_taken");
    return this.#withNewPassword(wanted, (password, hash) => {
      if (!accounts.add({ username, hash, email }, now())) return refused("username_taken");
      this.#record("account_added", username);
      return { name: "password", username, password };
    });
  }

  async #resetPassword(name: string, wanted: () => boolean): Promise<AdminReply> {
    const { accounts } = this.#services;
    const found = accounts.find(name);
    if (found === undefined) return refused("unknown_user");
    return this.#withNewPassword(wanted, (password, hash) => {
      // It may have been deleted while the hash was computed.
      const account = accounts.byId(found.id);
      if (account === undefined) return refused("unknown_user");
      this.#revokeWith(account, () => accounts.setPassword(account.id, hash, undefined));
      this.#changed("password_reset", account, { ends: true });
      return { name: "password", username: account.username, password };
    });
  }

  /** Makes a password and its hash, and sets it by `change` unless the reply is no longer wanted. */
  async #withNewPassword(
    wanted: () => boolean,
    change: (password: string, hash: string) => AdminReply,
  ): Promise<AdminReply> {
    const password = randomPassword();
    const outcome = await this.#services.passwords.hash(OPERATOR, password, wanted);
    if (outcome.name === "closing") return refused("server_closing");
    // The reply is the only place where the password can be read.
    if (outcome.name !== "done" || !wanted()) return refused("server_busy");
    return change(password, outcome.value);
  }

  #setDisabled(name: string, disabled: boolean): AdminReply {
    return this.#of(name, (account) => {
      if ((account.disabled !== 0) === disabled) {
        return { name: "done", username: account.username, changed: false };
      }
      const change = () => this.#services.accounts.setDisabled(account.id, disabled);
      if (disabled) this.#revokeWith(account, change);
      else change();
      return this.#changed(disabled ? "account_disabled" : "account_enabled", account, { ends: disabled });
    });
  }

  #revoke(account: Account, id: string | undefined): AdminReply {
    const { tokens, presence, now } = this.#services;
    const isNamed = (hash: string | undefined) =>
      id === undefined || (hash !== undefined && tokenId(hash) === id.toLowerCase());
    const revoked = tokens.stored(account.id, now()).filter(({ hash }) => isNamed(hash));
    if (id !== undefined && revoked.length === 0) return refused("unknown_session");
    // Also without a session: the certificate of one that has ended may still be valid.
    this.#revokeWith(account, () => revoked.forEach(({ hash }) => tokens.void(hash)));
    const user = presence.find(account.fold);
    const ends = user !== undefined && isNamed(user.key?.tokenHash);
    if (revoked.length === 0 && !ends) return { name: "done", username: account.username, changed: false };
    return this.#changed("session_revoked", account, { ends, tokens: revoked.length });
  }

  #revokeWith(account: Account, change: () => void): void {
    this.#services.revocations.revoke(account, { name: "operator" }, change);
  }

  #of(name: string, then: (account: Account) => AdminReply): AdminReply {
    const account = this.#services.accounts.find(name);
    return account === undefined ? refused("unknown_user") : then(account);
  }

  /** Records a change that was made, and ends the live session if `ends`. */
  #changed(
    event: SecurityEvent,
    { username, fold: folded }: Account,
    { ends, tokens }: { ends: boolean; tokens?: number },
  ): AdminReply {
    this.#record(event, username, tokens);
    if (ends) this.#services.presence.find(folded)?.session.end(event);
    return { name: "done", username, changed: true };
  }

  #record(event: SecurityEvent, user: string, tokens?: number): void {
    this.#services.security.record(event, { user, by: OPERATOR, tokens });
  }
}

function refused(code: Refusal): { name: "refused"; code: Refusal } {
  return { name: "refused", code };
}

/** A time in RFC 3339; an invalid one gives 1970. */
function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

/** A time of SQLite in RFC 3339; any other text unchanged. */
function madeAt(stored: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(stored) ?? [];
  return day === undefined ? stored.slice(0, MAX_SHOWN).toWellFormed() : `${day}T${time}Z`;
}
