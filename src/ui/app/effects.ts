/**
 * What the menus do: registering, logging in and out, and the list of people. One work is under way at a
 * time; what it asks and how it ended are events.
 */
import { Account, registerAccount, type ServerOptions } from "../../client/accounts.ts";
import { isTransient, ServerError } from "../../client/errors.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { label as labelOf } from "../../identity/names.ts";
import { listPeople } from "../../client/people.ts";
import type { AuthorityQuestion } from "../../client/rendezvous/reach-server.ts";
import { showHostPort } from "../../protocol/ip-address.ts";
import type { Config } from "../config.ts";
import { serverOptions, untilAborted } from "../commands/online-account.ts";
import type { AppEvent } from "./model.ts";
import { KnownNames } from "../format/name-book.ts";

export type AccountWorkHost = {
  readonly config: Config;
  readonly dispatch: (event: AppEvent) => void;
  readonly messengerEvent: (event: MessengerEvent) => void;
  /** A failure as one sentence. */
  readonly describe: (error: unknown) => string;
  /** Said where the session ended here, and the server could not be told. */
  readonly loggedOutHere: string;
};

/** The person gave up what was under way; nothing is said of it. */
class GivenUpError extends Error {}

export class AccountWork {
  readonly names = new KnownNames();
  readonly #host: AccountWorkHost;
  #account: Account | undefined;
  #abort = new AbortController();
  /** What the work under way asks; it goes on with the answer. */
  #password: PromiseWithResolvers<string | undefined> | undefined;
  #authority: PromiseWithResolvers<boolean> | undefined;
  /** From the environment, for one attempt: when it is wrong the person is asked. */
  #givenPassword: string | undefined;
  /** Of the login under way: only it may ask. */
  #loggingIn: AbortSignal | undefined;
  /** The account that is being closed; the next one waits for it. */
  #closing: Promise<void> = Promise.resolve();
  /** Ends when the last login has, well or not: one that was given up is still clearing away what it made. */
  #login: Promise<unknown> = Promise.resolve();

  constructor(host: AccountWorkHost) {
    this.#host = host;
    this.#givenPassword = host.config.password;
  }

  get messenger(): Messenger | undefined {
    return this.#account?.messenger;
  }

  /** @param password undefined: the person went back. */
  answerPassword(password: string | undefined): void {
    if (password === undefined) this.#giveUp();
    this.#password?.resolve(password);
  }

  /** @param trusted undefined: the person went back. */
  answerAuthority(trusted: boolean | undefined): void {
    if (trusted === undefined) this.#giveUp();
    else this.#authority?.resolve(trusted);
  }

  #giveUp(): void {
    const error = new GivenUpError();
    this.#abort.abort(error);
    // Without a password the login ends as it does elsewhere, and leaves nothing behind.
    this.#password?.resolve(undefined);
    this.#authority?.reject(error);
  }

  #work(work: (signal: AbortSignal) => Promise<AppEvent>): void {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#password = this.#authority = undefined;
    work(signal)
      .then((event) => {
        if (!signal.aborted) this.#host.dispatch(event);
      })
      .catch((error: unknown) => {
        if (error instanceof GivenUpError || signal.aborted) return;
        this.#host.dispatch({ name: "failed", sentence: this.#host.describe(error) });
      });
  }

  #serverOptions(signal: AbortSignal): ServerOptions {
    return serverOptions(this.#host.config, (question) => this.#askAuthority(question), signal);
  }

  async #askAuthority({ host, port, found, expected }: AuthorityQuestion): Promise<boolean> {
    // A server that changes while a conversation is open is no matter for a question in between.
    if (this.#abort.signal.aborted || (this.#account !== undefined && this.#loggingIn === undefined)) {
      throw new ServerError("server_changed", { expected, found });
    }
    this.#authority = Promise.withResolvers();
    this.#host.dispatch({
      name: "authorityAsked",
      asked: { server: showHostPort(host, port), found, expected },
    });
    return this.#authority.promise;
  }

  async #askPassword(username: string, login: AbortSignal): Promise<string | undefined> {
    if (this.#loggingIn !== login || login.aborted) return undefined;
    const given = this.#givenPassword;
    this.#givenPassword = undefined;
    if (given !== undefined) return given;
    this.#password = Promise.withResolvers();
    this.#host.dispatch({ name: "passwordAsked", username });
    return this.#password.promise;
  }

  register(account: { username: string; password: string; email: string }): void {
    this.#work(async (signal) => {
      const username = account.username.normalize("NFC");
      const email = account.email === "" ? undefined : account.email;
      await untilAborted(
        signal,
        registerAccount(this.#serverOptions(signal), { ...account, username, email }),
      );
      return { name: "registered", username };
    });
  }

  logIn(username: string): void {
    this.#work((signal) => {
      const login = this.#logIn(username, signal);
      this.#login = login.catch(() => undefined);
      return login;
    });
  }

  async #logIn(username: string, signal: AbortSignal): Promise<AppEvent> {
    await this.#login;
    try {
      return await this.#open(username, signal);
    } catch (error) {
      const isOther = error instanceof ServerError && error.code === "server_other_account";
      if (!isOther || signal.aborted) throw error;
      // The person has just taken another authority in the old one's place: accounts there are others.
      return await this.#open(username, signal);
    }
  }

  async #open(username: string, signal: AbortSignal): Promise<AppEvent> {
    await this.#closing;
    if (signal.aborted) throw signal.reason;
    const { config, messengerEvent } = this.#host;
    this.#loggingIn = signal;
    try {
      // The signal ends what is dialled before the account is open; later the account's own end does.
      const account = await Account.open({
        ...this.#serverOptions(signal),
        user: username,
        language: config.language,
        p2pPort: config.p2pPort,
        command: "client.ts",
        password: () => this.#askPassword(username, signal),
        onEvent: messengerEvent,
      });
      this.#account = account;
      if (signal.aborted) throw signal.reason;
      return await this.#connect(account);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      this.#loggingIn = undefined;
    }
  }

  /** A link may be lost while the person types the password: with that, the server is tried once more. */
  async #connectOnceMore(account: Account): Promise<Error | undefined> {
    try {
      await account.connect();
      return undefined;
    } catch (error) {
      const typed = await this.#password?.promise;
      if (typed !== undefined && isTransient(error)) {
        this.#givenPassword = typed;
        return account.connectOrWait();
      }
      if (account.canWaitAfter(error)) return error;
      throw error;
    }
  }

  async #connect(account: Account): Promise<AppEvent> {
    const { username, archive } = account.messenger;
    const failure = await this.#connectOnceMore(account);
    // Without a stored session only a password that is typed would bring it back.
    if (failure !== undefined && !account.hasSession) throw failure;
    account.keepOnline(failure);
    // Whoever looks like oneself is told apart, too.
    this.names.add([{ username, label: labelOf(username) }, ...archive.contacts()]);
    return {
      name: "loggedIn",
      username,
      isOnline: failure === undefined,
      sentence: failure === undefined ? undefined : this.#host.describe(failure),
      unread: archive.unread(),
      names: this.names.book,
    };
  }

  listPeople(): void {
    const { messenger } = this;
    if (messenger === undefined) return;
    this.#work(async () => {
      const { people, failure } = await listPeople(messenger);
      this.names.add(people);
      const sentence = failure === undefined ? undefined : this.#host.describe(failure);
      const listed = people.map((person) => ({
        ...person,
        linkPresence: messenger.linkPresence(person.username),
      }));
      return {
        name: "people",
        people: listed,
        unread: messenger.archive.unread(),
        names: this.names.book,
        sentence,
      };
    });
  }

  logOut(): void {
    const account = this.#account;
    if (account === undefined) return;
    this.#work(async () => {
      const failure = await account.logOut();
      const sentence = failure === undefined ? undefined : this.#host.loggedOutHere;
      await this.close();
      return { name: "loggedOut", sentence };
    });
  }

  /** Closes the account in good order, which takes up to a second; the stored session stays. */
  close(): Promise<void> {
    const account = this.#account;
    this.#account = undefined;
    if (account !== undefined) this.#closing = account.close();
    return this.#closing;
  }

  /** Gives up what is under way, and closes the account. */
  async end(): Promise<void> {
    this.#giveUp();
    await this.close();
  }
}
