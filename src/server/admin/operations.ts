/** Carries out the operator's commands on accounts and sessions, in the store and on the users online. */
import { fingerprint } from "../../identity/fingerprint.ts";
import { checkUsername, fold } from "../../identity/names.ts";
import { isEmailAcceptable } from "../../protocol/account-rules.ts";
import type { PasswordQueue } from "../limits/password-queue.ts";
import type { SecurityEvent } from "../log/security-log.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import type { Seats } from "../presence/seats.ts";
import type { Services } from "../session/services.ts";
import { tokenId } from "../store/session-token.ts";
import type { Change, Revocations } from "../store/revocations.ts";
import type { Account, ListedAccount, StoredToken } from "../store/store.ts";
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

/** Somebody online as the operator sees them; with several servers, at which. */
type SeenUser = Pick<OnlineUser, "ip" | "since" | "key"> & { readonly node?: { readonly name: string } };

/** The parts of the server that the commands use. */
export type AdminServices = Pick<Services, "store" | "security"> & {
  readonly revocations: Pick<Revocations, "changed">;
  readonly presence: { find(fold: string): SeenUser | undefined | Promise<SeenUser | undefined> };
  readonly seats: Pick<Seats, "end">;
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
   * @throws errors of the store
   */
  async run(request: AdminRequest, wanted: () => boolean = () => true): Promise<AdminReply> {
    if (!wanted()) return refused("server_busy");
    switch (request.command) {
      case "users":
        return this.#users(request.search, request.after);
      case "sessions":
        if (request.name === undefined) return this.#allSessions(request.after);
        return this.#of(request.name, async (account) => ({
          name: "sessions",
          sessions: sessionsOf(
            account,
            await this.#services.presence.find(account.fold),
            await this.#services.store.tokens([account.id]),
          ),
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
        return this.#of(request.name, async (account) => {
          const deleted = await this.#services.store.delete(account.id, undefined, { name: "operator" });
          return this.#changed("account_deleted", account, deleted, { ends: true });
        });
      case "revoke":
        return this.#of(request.name, (account) => this.#revoke(account, request.id));
      case "account":
        return this.#of(request.name, async ({ username }) => ({
          name: "done",
          username,
          changed: false,
        }));
      case "backup-made":
        this.#services.security.record("backup_made", { file: request.file, by: OPERATOR });
        return { name: "done", username: "", changed: true };
      default:
        return request satisfies never;
    }
  }

  async #users(search: string, after: string): Promise<AdminReply> {
    const wanted = fold(search);
    const found: ListedAccount[] = [];
    const page = await this.#services.store.page(after, SCANNED_ACCOUNTS);
    const next = untilFull(page, (account) => {
      if (account.fold.includes(wanted) || fold(account.email ?? "").includes(wanted)) found.push(account);
      return found.length;
    });
    const online = await this.#find(found);
    const users = found.map((account, index): UserLine => ({
      username: account.username,
      email: (account.email ?? "").slice(0, MAX_SHOWN).toWellFormed(),
      made: account.created_at === null ? null : madeAt(account.created_at),
      online: online[index] !== undefined,
      disabled: account.disabled,
    }));
    return { name: "users", users, next };
  }

  async #allSessions(after: string): Promise<AdminReply> {
    const { store } = this.#services;
    const sessions: SessionLine[] = [];
    const page = await store.page(after, SCANNED_ACCOUNTS);
    const tokens = Map.groupBy(await store.tokens(page.map(({ id }) => id)), ({ userId }) => userId);
    const online = await this.#find(page);
    let at = 0;
    const next = untilFull(page, (account) =>
      sessions.push(...sessionsOf(account, online[at++], tokens.get(account.id) ?? [])),
    );
    return { name: "sessions", sessions, next };
  }

  #find(accounts: readonly ListedAccount[]): Promise<(SeenUser | undefined)[]> {
    return Promise.all(accounts.map((account) => this.#services.presence.find(account.fold)));
  }

  async #add(given: string, email: string, wanted: () => boolean): Promise<AdminReply> {
    const { store } = this.#services;
    const checked = checkUsername(given);
    if (!checked.ok) return refused("invalid_username");
    if (!isEmailAcceptable(email)) return refused("invalid_email");
    const username = checked.name;
    if (await store.isTaken(fold(username))) return refused("username_taken");
    return this.#withNewPassword(wanted, async (password, hash) => {
      if (!(await store.add({ username, password: hash, email }))) return refused("username_taken");
      this.#record("account_added", username);
      return { name: "password", username, password };
    });
  }

  async #resetPassword(name: string, wanted: () => boolean): Promise<AdminReply> {
    const { store } = this.#services;
    return this.#of(name, (account) =>
      this.#withNewPassword(wanted, async (password, hash) => {
        const { id, username } = account;
        const change = { id, was: undefined, hash, kept: undefined };
        const changed = await store.setPassword(change, { name: "operator" });
        const reply = await this.#changed("password_reset", account, changed, { ends: true });
        return reply.name === "refused" ? reply : { name: "password", username, password };
      }),
    );
  }

  /** Makes a password and its hash, and sets it by `change` unless the reply is no longer wanted. */
  async #withNewPassword(
    wanted: () => boolean,
    change: (password: string, hash: string) => Promise<AdminReply>,
  ): Promise<AdminReply> {
    const password = randomPassword();
    const outcome = await this.#services.passwords.hash(OPERATOR, password, wanted);
    if (outcome.name === "closing") return refused("server_closing");
    // The reply is the only place where the password can be read.
    if (outcome.name !== "done" || !wanted()) return refused("server_busy");
    return change(password, outcome.value);
  }

  #setDisabled(name: string, disabled: boolean): Promise<AdminReply> {
    return this.#of(name, async (account) => {
      if (account.disabled === disabled) {
        return { name: "done", username: account.username, changed: false };
      }
      const changed = await this.#services.store.setDisabled(account.id, disabled);
      const event = disabled ? "account_disabled" : "account_enabled";
      return this.#changed(event, account, changed, { ends: disabled });
    });
  }

  async #revoke(account: Account, id: string | undefined): Promise<AdminReply> {
    const { presence, store } = this.#services;
    const isNamed = (hash: string | undefined) =>
      id === undefined || (hash !== undefined && tokenId(hash) === id.toLowerCase());
    const named = (await store.tokens([account.id])).map(({ hash }) => hash).filter(isNamed);
    if (id !== undefined && named.length === 0) return refused("unknown_session");
    const user = await presence.find(account.fold);
    // Also without a session: the certificate of one that has ended may still be valid.
    const revoked = await store.revoke(account.id, named);
    const ends = user !== undefined && isNamed(user.key?.tokenHash);
    if (revoked !== undefined && named.length === 0 && !ends) {
      this.#services.revocations.changed(revoked);
      return { name: "done", username: account.username, changed: false };
    }
    return this.#changed("session_revoked", account, revoked, { ends, tokens: named.length });
  }

  async #of(name: string, then: (account: Account) => Promise<AdminReply>): Promise<AdminReply> {
    const found = await this.#services.store.account(fold(name));
    return found === undefined ? refused("unknown_user") : then(found.account);
  }

  /**
   * Tells and records a change that was made, and ends the live session if `ends`.
   * @param change undefined: the account was deleted meanwhile.
   */
  async #changed(
    event: SecurityEvent,
    { username, fold: folded }: Account,
    change: Change | undefined,
    { ends, tokens }: { ends: boolean; tokens?: number },
  ): Promise<AdminReply> {
    if (change === undefined) return refused("unknown_user");
    this.#services.revocations.changed(change);
    this.#record(event, username, tokens);
    if (ends) await this.#services.seats.end(folded, event);
    return { name: "done", username, changed: true };
  }

  #record(event: SecurityEvent, user: string, tokens?: number): void {
    this.#services.security.record(event, { user, by: OPERATOR, tokens });
  }
}

function sessionsOf(
  { username }: Pick<Account, "username">,
  user: SeenUser | undefined,
  tokens: readonly StoredToken[],
): SessionLine[] {
  const lines: SessionLine[] = tokens.map((token) => ({
    kind: "token",
    username,
    id: tokenId(token.hash),
    address: null,
    since: timeOf(token.madeAt),
    last_used: timeOf(token.lastUsed),
    fingerprint: fingerprint(Buffer.from(token.publicKey)),
    node: undefined,
  }));
  if (user === undefined) return lines;
  const live: SessionLine = {
    kind: "live",
    username,
    id: user.key === undefined ? null : tokenId(user.key.tokenHash),
    address: user.ip,
    since: timeOf(user.since),
    last_used: null,
    fingerprint: user.key?.fingerprint ?? null,
    node: user.node?.name,
  };
  return [live, ...lines];
}

/**
 * Passes accounts of a page to `look` until there are enough lines.
 * @param look returns the number of lines so far.
 * @returns the folded name after which to continue, if there are more accounts
 */
function untilFull(
  page: readonly ListedAccount[],
  look: (account: ListedAccount) => number,
): string | undefined {
  for (const account of page) if (look(account) >= PAGE_LINES) return account.fold;
  return page.length < SCANNED_ACCOUNTS ? undefined : page.at(-1)?.fold;
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
