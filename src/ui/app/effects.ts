/**
 * The effects of the menus: registering, logging in and out, and listing people. One task runs at a time; its
 * questions and its end are dispatched as events.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

import { registerAccount } from "../../client/accounts.ts";
import { localAccounts } from "../../client/local-accounts.ts";
import { contactServer, type ServerOptions } from "../../client/locate-profile.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { errorOf } from "../../client/error-json.ts";
import { isTransient, RefusedError, ServerError } from "../../client/errors.ts";
import { SharedAccount } from "../../client/shared-account.ts";
import type { AuthorityQuestion } from "../../client/rendezvous/reach-server.ts";
import { normalForm } from "../../protocol/normal-form.ts";
import { serverOptions, untilAborted } from "../commands/online-account.ts";
import { findMessages } from "../chat/history-effects.ts";
import { storedOffers } from "../chat/files/offers.ts";
import { checkPeerPort, type Config } from "../config.ts";
import { namesKnownTo, type KnownNames } from "../format/name-book.ts";
import { LineHistory } from "../line/history.ts";
import type { AppEvent, NewAccount } from "./model.ts";
import { carryOut, type MyAccountTask } from "./my-account-model.ts";

/** Names added to the name book in one turn of the event loop: they take about 15 ms. */
const NAMES_AT_ONCE = 1_000;

/** The answer for a new account that a refusal is about. */
const REFUSED_ANSWERS: ReadonlyMap<string, keyof NewAccount> = new Map([
  ["username_taken", "username"],
  ["invalid_username", "username"],
  ["weak_password", "password"],
  ["invalid_email", "email"],
]);

/** Messages that a search lists. */
const MAX_FOUND = 50;

export type AccountNeeds = {
  /** With the server that is used now. */
  readonly config: () => Config;
  readonly dispatch: (event: AppEvent) => void;
  readonly messengerEvent: (event: MessengerEvent) => void;
  /** Describes an error in one sentence. */
  readonly describe: (error: unknown) => string;
};

/** The last question of a task, which continues with the answer. */
type Question =
  | { readonly name: "none" }
  | { readonly name: "authority"; readonly answer: PromiseWithResolvers<boolean> }
  /** The answer is undefined if the person goes back. */
  | { readonly name: "password"; readonly answer: PromiseWithResolvers<string | undefined> }
  | { readonly name: "replace"; readonly answer: PromiseWithResolvers<boolean> };

type Task = { readonly abort: AbortController; question: Question };

/** The person gave up the running task, or closed its account; this is not reported as a failure. */
class GivenUpError extends Error {}

/** The open account, and what this run remembers only for it. */
export type OpenedAccount = {
  readonly account: SharedAccount;
  readonly names: KnownNames;
  /** What was typed in its chats. */
  readonly typed: LineHistory;
  /** The people whose presence is watched. */
  watched: readonly string[];
};

export class AccountEffects {
  readonly #needs: AccountNeeds;
  #opened: OpenedAccount | undefined;
  /** The running task; only this one may ask the person. */
  #task: Task | undefined;
  /** The password that is tried first, until an account is open; if it is wrong, the person is asked. */
  #givenPassword: string | undefined;
  /** Settles when the last account is closed; the next one is opened after that. */
  #closing: Promise<void> = Promise.resolve();
  /** Settles when the last login has ended: one that was given up still removes its files. */
  #login: Promise<unknown> = Promise.resolve();

  constructor(needs: AccountNeeds) {
    this.#needs = needs;
    this.#givenPassword = needs.config().password;
  }

  /** Undefined: no account is open. */
  get opened(): OpenedAccount | undefined {
    return this.#opened;
  }

  answerPassword(password: string): void {
    if (this.#task?.question.name === "password") this.#task.question.answer.resolve(password);
  }

  answerAuthority(trusted: boolean): void {
    if (this.#task?.question.name === "authority") this.#task.question.answer.resolve(trusted);
  }

  /** The session of the other machine is to end. */
  answerReplace(): void {
    if (this.#task?.question.name === "replace") this.#task.question.answer.resolve(true);
  }

  /** Gives up the running task, if there is one; nothing is heard of it any more. */
  giveUp(): void {
    if (this.#task === undefined) return;
    const { abort, question } = this.#task;
    const error = new GivenUpError();
    abort.abort(error);
    // Without a password, or with a no, the login fails, and removes its files.
    if (question.name === "replace") question.answer.resolve(false);
    else if (question.name === "password") question.answer.resolve(undefined);
    else if (question.name === "authority") question.answer.reject(error);
  }

  #begin(work: (task: Task) => Promise<AppEvent>): void {
    const task: Task = { abort: new AbortController(), question: { name: "none" } };
    const { signal } = task.abort;
    this.#task = task;
    work(task)
      .finally(() => {
        if (this.#task === task) this.#task = undefined;
      })
      .then((event) => {
        if (!signal.aborted) this.#needs.dispatch(event);
      })
      .catch((error: unknown) => {
        if (error instanceof GivenUpError || signal.aborted) return;
        this.#needs.dispatch({ name: "failed", sentence: this.#needs.describe(error) });
      });
  }

  #mayAsk(task: Task): boolean {
    return this.#task === task && !task.abort.signal.aborted;
  }

  #serverOptions(task: Task): ServerOptions {
    return serverOptions(
      this.#needs.config(),
      (question) => this.#askAuthority(question, task),
      task.abort.signal,
    );
  }

  async #askAuthority({ found, expected }: AuthorityQuestion, task: Task): Promise<boolean> {
    // No question about a server that changes while the account is in use.
    if (!this.#mayAsk(task)) throw new ServerError("server_changed", { expected, found });
    const answer = Promise.withResolvers<boolean>();
    task.question = { name: "authority", answer };
    const asked = { server: this.#needs.config().server, found, expected };
    this.#needs.dispatch({ name: "authorityAsked", asked });
    return answer.promise;
  }

  async #askPassword(username: string, task: Task): Promise<string | undefined> {
    if (!this.#mayAsk(task)) return undefined;
    const given = this.#givenPassword;
    this.#givenPassword = undefined;
    if (given !== undefined) return given;
    const answer = Promise.withResolvers<string | undefined>();
    task.question = { name: "password", answer };
    this.#needs.dispatch({ name: "passwordAsked", username });
    return answer.promise;
  }

  async #askReplace(username: string, task: Task): Promise<boolean> {
    if (!this.#mayAsk(task)) return false;
    const answer = Promise.withResolvers<boolean>();
    task.question = { name: "replace", answer };
    this.#needs.dispatch({ name: "replaceAsked", username });
    return answer.promise;
  }

  /** Contacts the server, which may have to be trusted first. */
  contact(): void {
    this.#begin(async (task) => {
      const config = this.#needs.config();
      checkPeerPort(config);
      const answered = contactServer(this.#serverOptions(task));
      const { registration } = await untilAborted(task.abort.signal, answered);
      const accounts = localAccounts(config).accounts.map(({ username }) => username);
      return { name: "contacted", registration, accounts };
    });
  }

  /** Registers an account and logs in to it. */
  register(account: Required<NewAccount>): void {
    this.#begin(async (task) => {
      const username = normalForm(account.username);
      const email = account.email === "" ? undefined : account.email;
      const registered = registerAccount(this.#serverOptions(task), { ...account, username, email });
      try {
        await untilAborted(task.abort.signal, registered);
      } catch (error) {
        const answer = error instanceof RefusedError ? REFUSED_ANSWERS.get(error.code) : undefined;
        if (answer === undefined) throw error;
        return { name: "answerRefused", answer, sentence: this.#needs.describe(error) };
      }
      this.#needs.dispatch({ name: "registered", username });
      this.#givenPassword = account.password;
      try {
        return await this.#logIn(username, task);
      } finally {
        // It is not meant for another login.
        this.#givenPassword = undefined;
      }
    });
  }

  logIn(username: string): void {
    this.#begin((task) => this.#logIn(username, task));
  }

  #logIn(username: string, task: Task): Promise<AppEvent> {
    const login = this.#login.then(() => this.#openOrOther(username, task));
    this.#login = login.catch(() => undefined);
    return login;
  }

  async #openOrOther(username: string, task: Task): Promise<AppEvent> {
    try {
      return await this.#open(username, task);
    } catch (error) {
      const isOther = error instanceof ServerError && error.code === "server_other_account";
      if (!isOther || task.abort.signal.aborted) throw error;
      // The person has just accepted a new authority. Its accounts are separate, so open the one there.
      return await this.#open(username, task);
    }
  }

  async #open(username: string, task: Task): Promise<AppEvent> {
    const { signal } = task.abort;
    await this.#closing;
    if (signal.aborted) throw signal.reason;
    const { messengerEvent } = this.#needs;
    const config = this.#needs.config();
    try {
      // The signal aborts dialling before the account is open; afterwards closing the account does.
      const account = await SharedAccount.open({
        ...this.#serverOptions(task),
        user: username,
        language: config.language,
        p2pPort: config.p2pPort,
        who: config.who,
        lan: config.lan,
        relay: config.relay,
        evenIfMoved: config.force,
        command: "client.ts",
        password: (name) => this.#askPassword(name, task),
        replaceOther: () => this.#askReplace(username, task),
        onEvent: messengerEvent,
      });
      const opened = { account, names: namesKnownTo(account.archive), typed: new LineHistory(), watched: [] };
      this.#opened = opened;
      if (signal.aborted) throw signal.reason;
      return await this.#goOnline(opened, task);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #goOnline({ account, names }: OpenedAccount, task: Task): Promise<AppEvent> {
    const { username, archive } = account;
    const failure = await this.#connect(account, task);
    // Without a stored session it could reconnect only with a password.
    if (failure !== undefined && !account.hasSession) throw failure;
    await account.stayOnline();
    const { links_until: until } = await account.request("status", {});
    const { files } = await account.request("files", {});
    const { groups } = await account.request("groups", {});
    names.nameGroups(groups);
    // It is not meant for another account.
    this.#givenPassword = undefined;
    return {
      name: "loggedIn",
      username,
      failure: failure && {
        sentence: this.#needs.describe(failure),
        linksUntil: until === null ? undefined : Date.parse(until),
      },
      unread: archive.unread(),
      muted: archive.muted(),
      offers: storedOffers(files),
      groups,
      names: names.book,
    };
  }

  /**
   * As `SharedAccount.connectOrWait`. If the link is lost while the person types the password, connects once more with
   * that password.
   */
  async #connect(account: SharedAccount, task: Task): Promise<Error | undefined> {
    try {
      await account.connect();
      return undefined;
    } catch (error) {
      const { question } = task;
      const typed = question.name === "password" ? await question.answer.promise : undefined;
      if (typed !== undefined && isTransient(error)) {
        this.#givenPassword = typed;
        return account.connectOrWait();
      }
      if (account.canWaitAfter(error)) return error;
      throw error;
    }
  }

  listPeople(): void {
    if (this.#opened === undefined) return;
    const { account, names } = this.#opened;
    this.#begin(async () => {
      const { people, failure } = await account.request("people", {});
      for (let start = 0; start < people.length; start += NAMES_AT_ONCE) {
        if (start > 0) await nextTurn();
        names.add(people.slice(start, start + NAMES_AT_ONCE));
      }
      if (this.#opened?.account !== account) throw new GivenUpError();
      return {
        name: "people",
        people,
        unread: account.archive.unread(),
        names: names.book,
        failure: failure === undefined ? undefined : this.#needs.describe(errorOf(failure)),
      };
    });
  }

  foundGroup(title: string): void {
    const account = this.#opened?.account;
    if (account === undefined) return;
    this.#begin(async () => {
      const { group } = await account.request("create_group", { title });
      return { name: "groupFounded", username: `#${group.group}` };
    });
  }

  /** The people in the open list; empty: none is open. */
  watch(usernames: readonly string[]): void {
    if (this.#opened === undefined || Bun.deepEquals(this.#opened.watched, usernames)) return;
    this.#opened.watched = usernames;
    this.#opened.account.watchPeople(usernames);
  }

  searchAll(words: string): void {
    if (this.#opened === undefined) return;
    const { archive } = this.#opened.account;
    this.#begin(async (task) => {
      const tell = (percent: number) => this.#needs.dispatch({ name: "indexing", percent });
      const found = await findMessages(archive, words, MAX_FOUND, task.abort.signal, tell);
      return { name: "found", ...found };
    });
  }

  myAccount(work: MyAccountTask): void {
    const account = this.#opened?.account;
    if (account === undefined) return;
    this.#begin(async () => ({ name: "myAccount", event: await carryOut(account, work) }));
  }

  logOut(): void {
    const account = this.#opened?.account;
    if (account === undefined) return;
    this.#begin(async () => {
      const failure = await account.logOut();
      await this.close();
      return { name: "loggedOut", isServerNotified: failure === undefined };
    });
  }

  /** Closes the account, which takes up to a second; the stored session stays. */
  close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) this.#closing = opened.account.close();
    return this.#closing;
  }

  /** Gives up the running task, and closes the account. */
  async end(): Promise<void> {
    this.giveUp();
    await this.close();
  }
}
