/**
 * The terminal program: holds the model, shows its view, and carries out its effects.
 *
 * 1. Input, the messenger's events and ticks are events of one queue.
 * 2. `updateApp` takes an event and gives the next model and effects; effects are carried out in order.
 * 3. When the queue is empty, the renderer shows the view of the model.
 */
import { localAccounts, type LocalAccount } from "../../client/local-accounts.ts";
import type { MessengerEvent, SharedGroup } from "../../client/conversation/events.ts";
import { isDamage, isStorageFailure } from "../../client/errors.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { Config } from "../config.ts";
import type { HostProcess } from "../commands/output.ts";
import { describeInMenus, type ExitCode } from "../failures.ts";
import { textsIn } from "../texts/texts.ts";
import { AccountEffects } from "./effects.ts";
import type { AppEffect, AppEvent, AppModel } from "./model.ts";
import { MAX_NUMBERED, watchedIn } from "./people.ts";
import { accountOf, usedServer } from "./steps.ts";
import { firstModel, updateApp } from "./update.ts";
import { titleOf, viewApp } from "./view.ts";
import { complete } from "../chat/commands.ts";
import { ChatEffects } from "../chat/effects.ts";
import { here } from "../chat/files/file-effects.ts";
import { completePath, entriesOf } from "../chat/files/path-completion.ts";
import { storageReason } from "../chat/notices.ts";
import type { Offered } from "../line/completion.ts";
import { LineHistory } from "../line/history.ts";
import { onAttention, type TerminalSign } from "../terminal/attention.ts";
import { Renderer } from "./renderer.ts";
import { shownName } from "../format/name-book.ts";
import { NotifyCommand } from "../notifications/notify-command.ts";
import { isSamePerson, label as labelOf } from "../../identity/names.ts";

/** Time between two ticks, in ms. */
const TICK = 1_000;
/** A menu in which only a number changes is shown again after this time, in ms. */
const REFRESH = 250;

/** What says how far the other person can be reached. */
const LINK_EVENTS: ReadonlySet<MessengerEvent["name"]> = new Set([
  "presence",
  "connected",
  "disconnected",
  "silent",
  "unreachable",
  "keyPending",
]);

/** After these events other messages may be unread, or other people quiet. */
const COUNT_EVENTS: ReadonlySet<MessengerEvent["name"]> = new Set(["read", "muted", "contact"]);

export type ProgramOptions = {
  readonly config: Config;
  /** Its standard input and output must be a terminal. */
  readonly host: HostProcess;
  /** Aborted by a signal that ends the process. */
  readonly signal: AbortSignal;
};

export class Program {
  /** As the program was started. */
  readonly #started: Config;
  readonly #texts;
  readonly #renderer: Renderer;
  readonly #account: AccountEffects;
  /** The accounts of this machine when the program started. */
  readonly #accounts: readonly LocalAccount[];
  readonly #unreadable: number;
  #chat: ChatEffects | undefined;
  /** Events of links while a chat is being opened, for that chat: what is online in another process may tell them before. */
  #early: MessengerEvent[] | undefined;
  #model: AppModel;
  readonly #events: AppEvent[] = [];
  /** `ended`: by a bug. Nothing is taken or shown any more, since the model may be half changed. */
  #state: "idle" | "taking" | "ended" = "idle";
  /** The failure to store a draft was reported. */
  #isDraftLost = false;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  readonly #notifyCommand: NotifyCommand | undefined;
  readonly #ended = Promise.withResolvers<ExitCode>();

  private constructor({ config, host, signal }: ProgramOptions) {
    this.#started = config;
    const texts = (this.#texts = textsIn(config.language));
    const { accounts, unreadable } = localAccounts(config);
    this.#accounts = accounts;
    this.#unreadable = unreadable;
    this.#model = firstModel(
      this.#accounts.map(({ username }) => username),
      config.user ?? "",
      { host: config.host, port: config.port, server: config.server, serverFrom: config.serverFrom },
    );
    this.#renderer = new Renderer({
      host,
      language: config.language,
      texts,
      answered: this.#take,
      names: (begun) => this.#complete(`/chat ${begun}`),
      line: () => ({
        take: this.#take,
        busy: () => this.#chat?.changing,
        complete: (before) => this.#complete(before),
        history: this.#account.opened?.typed ?? new LineHistory(),
        draft: this.#chat?.draft ?? [],
      }),
    });
    const { notifyCommand: command } = config;
    if (command !== undefined) {
      const failed = (text: string) => this.#renderer.print([{ name: "failure", text }]);
      this.#notifyCommand = new NotifyCommand({ command, environment: host.env, texts, failed });
    }
    this.#account = new AccountEffects({
      config: () => this.#config,
      dispatch: this.#take,
      messengerEvent: this.#onMessenger,
      describe: (error) => this.#describe(error),
    });
    signal.addEventListener("abort", () => this.#take({ name: "signalled" }), { once: true });
  }

  /** With the server that is used now, which may have been typed. */
  get #config(): Config {
    return { ...this.#started, ...usedServer(this.#model) };
  }

  /** Runs the menus until the person leaves. @throws StoreError */
  static async run(options: ProgramOptions): Promise<ExitCode> {
    const program = new Program(options);
    const { host } = options;
    const { stdin: input, stdout: output } = host;
    const gone = () => program.#take({ name: "signalled" });
    const tick = setInterval(() => program.#take({ name: "tick" }), TICK);
    onAttention(input, (sign) => program.#onAttention(sign));
    input.once("end", gone);
    input.on("error", gone);
    output.on("error", gone);
    // An error in a callback is printed, and the program continues.
    const fault = (error: unknown) => program.#printFault(error);
    host.on("uncaughtException", fault);
    host.on("unhandledRejection", fault);
    try {
      program.#start();
      return await program.#ended.promise;
    } finally {
      clearInterval(tick);
      clearTimeout(program.#refresh);
      program.#notifyCommand?.close();
      program.#closeChat();
      program.#renderer.close();
      await program.#account.end();
    }
  }

  /** Logs in without a question if exactly one account matches and it has a stored session. */
  #start(): void {
    if (this.#unreadable > 0) {
      const text = this.#texts.accountsUnreadable(this.#unreadable);
      this.#renderer.print([{ name: "failure", text }]);
    }
    const { user } = this.#started;
    const matching = this.#accounts.filter(
      ({ username }) => user === undefined || isSamePerson(username, user),
    );
    const [account] = matching;
    if (account?.hasSession === true && matching.length === 1) {
      this.#take({ name: "resumed", username: account.username });
    } else this.#show();
    this.#renderer.askForFocus();
  }

  #onAttention(sign: TerminalSign): void {
    if (sign === "suspending") {
      this.#renderer.entitle(undefined);
      return;
    }
    if (sign === "continued") this.#renderer.askForFocus();
    // Whether somebody types matters only to what a chat shows.
    if (sign !== "key" || this.#chat !== undefined) this.#take({ name: "attention", sign });
  }

  #printFault(error: unknown): void {
    this.#renderer.print([{ name: "failure", text: this.#describe(error) }]);
  }

  #describe(error: unknown): string {
    if (!isDamage(error)) return describeInMenus(error, this.#config);
    this.#account.opened?.account.archive.noteDamage(error);
    return this.#texts.chatFileDamaged;
  }

  readonly #onMessenger = (event: MessengerEvent): void => {
    if (LINK_EVENTS.has(event.name)) this.#early?.push(event);
    const known = this.#chat?.know(event) ?? {};
    if (event.name === "message" || event.name === "request") this.#meet(event.from);
    if (event.name === "group") this.#nameGroup(event.group);
    this.#take({ name: "messenger", event, known });
    const isPeerChange = event.name === "changed" && !event.message.outgoing;
    if (isPeerChange || COUNT_EVENTS.has(event.name)) this.#recount();
  };

  /** Counts the unread messages again, after some were read or withdrawn or somebody was refused, and reads who is quiet. */
  #recount(): void {
    const account = this.#account.opened?.account;
    if (account === undefined) return;
    try {
      const { archive } = account;
      this.#take({ name: "recounted", unread: archive.unread(), muted: archive.muted() });
    } catch (error) {
      // The counts stay as they were; opening the chat will report the error.
      if (!isStorageFailure(error)) throw error;
    }
  }

  #complete(before: string): Offered {
    const account = accountOf(this.#model);
    const { names = new Map(), username = "", numbered } = account ?? {};
    return complete(before, names, username, numbered, (typed, wanted) =>
      completePath(typed, wanted, here(), entriesOf),
    );
  }

  /** Adds a name to the account's name book. */
  #meet(username: string): void {
    const { opened } = this.#account;
    if (opened?.names.add([{ username, label: labelOf(username) }]) !== true) return;
    this.#take({ name: "named", names: opened.names.book });
  }

  /** Names a group that is new, or has another title: others of the same title get other names. */
  #nameGroup(group: SharedGroup | undefined): void {
    const { opened } = this.#account;
    if (group === undefined || opened === undefined) return;
    const known = accountOf(this.#model)?.groups.values() ?? [];
    opened.names.nameGroups([...known.filter((each) => each.group !== group.group), group]);
    this.#take({ name: "named", names: opened.names.book });
  }

  readonly #take = (event: AppEvent): void => {
    if (this.#state === "ended") return;
    this.#events.push(event);
    if (this.#state === "taking") return;
    const screen = this.#model.screen;
    this.#orEnd(() => {
      this.#state = "taking";
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const { model, effects } = updateApp(this.#model, next, this.#context());
        this.#model = model;
        for (const effect of effects) this.#carryOut(effect);
      }
      this.#state = "idle";
    });
    const mayOnlyCount = event.name === "messenger" && screen.name === this.#model.screen.name;
    if (mayOnlyCount && screen.name !== "chat") this.#showSoon();
    else this.#show();
  };

  /** Works on the model. An error in update, view or an effect is a bug: it ends the program, which would be stuck. */
  #orEnd(work: () => void): void {
    if (this.#state === "ended") return;
    try {
      work();
    } catch (error) {
      this.#state = "ended";
      this.#ended.reject(error);
    }
  }

  #context() {
    const { language } = this.#started;
    return {
      now: Date.now(),
      texts: this.#texts,
      language,
      describe: (error: unknown) => this.#describe(error),
    };
  }

  #showSoon(): void {
    this.#refresh ??= setTimeout(() => this.#show(), REFRESH);
  }

  #show(): void {
    clearTimeout(this.#refresh);
    this.#refresh = undefined;
    this.#orEnd(() => {
      this.#renderer.show(viewApp(this.#model, this.#context()));
      this.#renderer.entitle(titleOf(this.#model, Date.now()));
      this.#account.watch(watchedIn(this.#model));
    });
    if (this.#model.screen.name === "ended") this.#ended.resolve(this.#model.screen.exit);
  }

  #carryOut(effect: AppEffect): void {
    switch (effect.name) {
      case "print":
        this.#renderer.print(effect.lines);
        return;
      case "giveBack":
        this.#giveBack(effect.text);
        return;
      case "keepDraft":
        this.#keepDraft();
        return;
      case "bell":
        this.#renderer.bell();
        return;
      case "notify":
        this.#renderer.notify(effect.shown, effect.excerpt);
        this.#notifyCommand?.run(effect.gathered);
        return;
      case "contact":
        this.#account.contact();
        return;
      case "logIn":
        this.#account.logIn(effect.username);
        return;
      case "register":
        this.#account.register(effect);
        return;
      case "answerPassword":
        this.#account.answerPassword(effect.password);
        return;
      case "answerAuthority":
        this.#account.answerAuthority(effect.trusted);
        return;
      case "answerReplace":
        this.#account.answerReplace();
        return;
      case "giveUp":
        this.#account.giveUp();
        return;
      case "myAccount":
        this.#account.myAccount(effect.task);
        return;
      case "listPeople":
        this.#account.listPeople();
        return;
      case "searchAll":
        this.#account.searchAll(effect.words);
        return;
      case "foundGroup":
        this.#account.foundGroup(effect.title);
        return;
      case "openChat":
        // The line closes, and opens again if the other chat cannot be opened.
        this.#keepDraft();
        void this.#openChat(effect.username);
        return;
      case "closeChat":
        this.#closeChat();
        return;
      case "logOut":
        this.#account.logOut();
        return;
      case "closeAccount":
        this.#closeChat();
        void this.#account.close();
        return;
      default:
        // An effect of the open chat.
        this.#chat?.run(effect);
    }
  }

  async #openChat(username: string): Promise<void> {
    const account = this.#account.opened?.account;
    if (account === undefined) return;
    const isOpen = () => this.#account.opened?.account === account;
    let chat: ChatEffects | undefined;
    const early: MessengerEvent[] = (this.#early = []);
    try {
      chat = await ChatEffects.open(account, username, {
        dispatch: (event) => this.#take({ name: "chat", event }),
        describe: (error) => this.#describe(error),
        copy: (text) => this.#renderer.copy(text),
        shown: (name) => shownName(accountOf(this.#model)?.names ?? new Map(), name),
        downloads: this.#started.downloads,
        texts: this.#texts,
      });
      // Meanwhile the person may have left.
      if (!isOpen()) return;
      // Read the messages first: if that fails, the chat is not opened.
      const events = chat.begin();
      this.#closeChat();
      this.#chat = chat;
      if (chat.group === undefined) this.#meet(chat.username);
      const { contact, group, isStranger } = chat;
      const recent = account.archive.recent(MAX_NUMBERED).map((each) => each.username);
      this.#nameGroup(group);
      this.#take({ name: "chatOpened", username: chat.username, contact, group, isStranger, recent });
      for (const event of events) this.#take({ name: "chat", event });
      for (const event of early) this.#take({ name: "chat", event: { name: "messenger", event } });
    } catch (error) {
      if (!isOpen()) return;
      chat?.close();
      this.#take({ name: "failed", sentence: this.#describe(error) });
    } finally {
      if (this.#early === early) this.#early = undefined;
    }
  }

  /** Stores what stands in the input line. A failure is reported once, until it succeeds again. */
  #keepDraft(): void {
    const { draft } = this.#renderer;
    if (draft === undefined || this.#chat === undefined) return;
    try {
      this.#chat.keepDraft(draft);
      this.#isDraftLost = false;
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      const text = this.#texts.draftNotKept(storageReason(error, this.#texts));
      if (!this.#isDraftLost) this.#renderer.print([{ name: "failure", text }]);
      this.#isDraftLost = true;
    }
  }

  #closeChat(): void {
    this.#keepDraft();
    this.#chat?.close();
    this.#chat = undefined;
  }

  #giveBack(text: string): void {
    if (this.#renderer.offer(text)) return;
    // Another text is being typed: print this one, so that it can be copied.
    this.#renderer.print([{ name: "notice", text: visibleText(text, { lines: true }) }]);
  }
}
