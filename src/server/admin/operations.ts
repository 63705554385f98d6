/**
 * What the operator's commands do to accounts and sessions: in the database, and to whoever is online. Without a
 * running server nobody is.
 */
import { fingerprint } from "../../identity/fingerprint.ts";
import { checkUsername, fold } from "../../identity/names.ts";
import { isEmailAcceptable } from "../../protocol/account-rules.ts";
import type { Account, Accounts, ListedAccount } from "../database/accounts.ts";
import { PAGE_LINES, type AdminReply, type AdminRequest, type Refusal } from "./messages.ts";
import type { SessionLine, UserLine } from "./messages.ts";
import { randomPassword } from "./random-password.ts";
import type { SecurityEvent, SecurityLog } from "../log/security-log.ts";
import { tokenId, type Tokens } from "../database/tokens.ts";

/** Accounts looked at for one reply, so that a search with few hits does not block the server. */
const SCANNED_ACCOUNTS = 500;
/** UTF-16 units shown of an email address or a date: an old database may hold any text. */
const MAX_SHOWN = 254;

/** A session that is online now. */
export type LiveSession = {
  readonly address: string;
  /** Ms since 1970. */
  readonly since: number;
  /** Of its key, in hexadecimal; undefined for a legacy client. */
  readonly fingerprint: string | undefined;
  /** SHA-256 of its token, in hexadecimal. */
  readonly tokenHash: string | undefined;
};

/** What only a running server knows. */
export interface LiveServer {
  /** The session of a user who is online, by folded name. */
  session(fold: string): LiveSession | undefined;
  /** Ends that session, if there is one; the user is offline at once. */
  end(fold: string, reason: string): void;
}

/** Where no server runs. */
export const NOBODY_ONLINE: LiveServer = { session: () => undefined, end: () => undefined };

export type OperationsOptions = {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly security: SecurityLog;
  /** Ms since 1970. */
  readonly now: () => number;
  readonly live: LiveServer;
  /** Gives the argon2id hash of a password, or why there is none. */
  readonly hash: (password: string, wanted: () => boolean) => Promise<HashResult>;
};

export type HashResult =
  { readonly name: "hash"; readonly hash: string } | { readonly name: "refused"; readonly code: Refusal };

const OPERATOR = "operator";

export class AdminOperations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /**
   * @param wanted whether someone still waits for the reply; if not, nothing is done.
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
          this.#options.accounts.delete(account, this.#options.now());
          return this.#changed("account_deleted", account, { ends: true });
        });
      case "revoke":
        return this.#of(request.name, (account) => this.#revoke(account, request.id));
      case "account":
        return this.#of(request.name, ({ username }) => ({ name: "done", username, changed: false }));
      case "backup-made":
        this.#options.security.record("backup_made", { file: request.file, by: OPERATOR });
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
          online: this.#options.live.session(account.fold) !== undefined,
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
   * Looks at accounts until there are enough lines.
   * @param look gives the number of lines so far.
   * @returns the folded name to go on after, if there are more accounts.
   */
  #scan(after: string, look: (account: ListedAccount) => number): string | undefined {
    const page = this.#options.accounts.page(after, SCANNED_ACCOUNTS);
    for (const account of page) if (look(account) >= PAGE_LINES) return account.fold;
    return page.length < SCANNED_ACCOUNTS ? undefined : page.at(-1)?.fold;
  }

  #sessions(account: Pick<Account, "id" | "username" | "fold">): SessionLine[] {
    const { tokens, live, now } = this.#options;
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
    const session = live.session(account.fold);
    if (session === undefined) return lines;
    const shown: SessionLine = {
      kind: "live",
      username,
      id: session.tokenHash === undefined ? null : tokenId(session.tokenHash),
      address: session.address,
      since: timeOf(session.since),
      last_used: null,
      fingerprint: session.fingerprint ?? null,
    };
    return [shown, ...lines];
  }

  async #add(given: string, email: string, wanted: () => boolean): Promise<AdminReply> {
    const { accounts, now } = this.#options;
    const checked = checkUsername(given);
    if (!checked.ok) return refused("invalid_username");
    if (!isEmailAcceptable(email)) return refused("invalid_email");
    const username = checked.name;
    if (accounts.isTaken(username, now())) return refused("username_taken");
    const password = randomPassword();
    const result = await this.#options.hash(password, wanted);
    if (result.name === "refused") return result;
    // Without a reader the password would be lost.
    if (!wanted()) return refused("server_busy");
    if (!accounts.add({ username, hash: result.hash, email }, now())) return refused("username_taken");
    this.#record("account_added", username);
    return { name: "password", username, password };
  }

  async #resetPassword(name: string, wanted: () => boolean): Promise<AdminReply> {
    const { accounts } = this.#options;
    const found = accounts.find(name);
    if (found === undefined) return refused("unknown_user");
    const password = randomPassword();
    const result = await this.#options.hash(password, wanted);
    if (result.name === "refused") return result;
    if (!wanted()) return refused("server_busy");
    // The account may have been deleted meanwhile.
    const account = accounts.byId(found.id);
    if (account === undefined) return refused("unknown_user");
    accounts.setPassword(account.id, result.hash, undefined);
    this.#changed("password_reset", account, { ends: true });
    return { name: "password", username: account.username, password };
  }

  #setDisabled(name: string, disabled: boolean): AdminReply {
    return this.#of(name, (account) => {
      if ((account.disabled !== 0) === disabled) {
        return { name: "done", username: account.username, changed: false };
      }
      this.#options.accounts.setDisabled(account.id, disabled);
      return this.#changed(disabled ? "account_disabled" : "account_enabled", account, { ends: disabled });
    });
  }

  #revoke(account: Account, id: string | undefined): AdminReply {
    const { tokens, live, now } = this.#options;
    const session = live.session(account.fold);
    const stored = tokens.stored(account.id, now());
    const meant = stored.filter((token) => id === undefined || tokenId(token.hash) === id.toLowerCase());
    if (id !== undefined && meant.length === 0) return refused("unknown_session");
    for (const token of meant) tokens.void(token.hash);
    const ends =
      session !== undefined &&
      (id === undefined ||
        (session.tokenHash !== undefined && tokenId(session.tokenHash) === id.toLowerCase()));
    if (meant.length === 0 && !ends) return { name: "done", username: account.username, changed: false };
    return this.#changed("session_revoked", account, { ends, tokens: meant.length });
  }

  #of(name: string, then: (account: Account) => AdminReply): AdminReply {
    const account = this.#options.accounts.find(name);
    return account === undefined ? refused("unknown_user") : then(account);
  }

  /** Records a change that is on the disk, and ends the live session if it `ends`. */
  #changed(
    event: SecurityEvent,
    { username, fold: folded }: Account,
    { ends, tokens }: { ends: boolean; tokens?: number },
  ): AdminReply {
    this.#record(event, username, tokens);
    if (ends) this.#options.live.end(folded, event);
    return { name: "done", username, changed: true };
  }

  #record(event: SecurityEvent, user: string, tokens?: number): void {
    this.#options.security.record(event, { user, by: OPERATOR, tokens });
  }
}

function refused(code: Refusal): { name: "refused"; code: Refusal } {
  return { name: "refused", code };
}

/** RFC 3339; a number that is no time gives 1970. */
function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

/** A time as SQLite writes it, in RFC 3339; anything else as it is. */
function madeAt(stored: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(stored) ?? [];
  return day === undefined ? stored.slice(0, MAX_SHOWN).toWellFormed() : `${day}T${time}Z`;
}
