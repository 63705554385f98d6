/** The effects of the open chat: a table from each effect to the function that carries it out. */
import type { StoredConversation } from "../../client/archive.ts";
import type {
  GroupNotice,
  MessengerEvent,
  SharedFile,
  SharedGroup,
} from "../../client/conversation/events.ts";
import { errorOf } from "../../client/error-json.ts";
import { ActionError, GroupError, isDamage, isStorageFailure } from "../../client/errors.ts";
import type { Draft } from "../../client/profile/drafts.ts";
import type { MessagePage } from "../../client/profile/message-history.ts";
import type { SharedAccount } from "../../client/shared-account.ts";
import { fileEffects } from "./files/file-effects.ts";
import { hasEnded } from "./files/file-lines.ts";
import { groupEffects } from "./group/group-effects.ts";
import { historyEffects, shownAtOnce, shownPage } from "./history-effects.ts";
import { MessageEffects, RefusalError } from "./message-effects.ts";
import type { ChatEvent, ChatNeeds, EffectName, EffectOf, EffectTable, Known } from "./model.ts";
import { storageReason } from "./notices.ts";
import { asTyped } from "./typed-line.ts";
import { isSamePerson } from "../../identity/names.ts";

/** What is known of a chat before it is opened. */
type Before = {
  /** What the messenger has said of the link. */
  readonly link: Awaited<ReturnType<SharedAccount["openChat"]>>;
  /** The transfers that have not ended. */
  readonly files: readonly SharedFile[];
  /** Undefined: the chat is with a person. `notices`: what has happened since the group was shown last. */
  readonly group: { readonly group: SharedGroup; readonly notices: readonly GroupNotice[] } | undefined;
};

/** Effects whose outcome comes before the next line that was typed ahead: a refusal stops that line, and a decision may leave the chat. */
const CHANGES: ReadonlySet<EffectName> = new Set(["edit", "withdraw", "cancel", "acceptKey", "decide"]);
/** Stored messages shown on opening, and by `/more`. */
const PAGE = 20;
/** Unread messages shown on opening at most; `/more` shows the others. */
const MAX_UNREAD_SHOWN = 500;

/**
 * Which of the newest messages are shown on opening: a page, or all unread ones, as many as can be laid out at once.
 * @param unreadFrom `seq` of the first unread one
 */
export function shownOnOpening(newest: MessagePage, unreadFrom: number | undefined): MessagePage {
  const { messages, isMore } = newest;
  const unread = unreadFrom === undefined ? -1 : messages.findIndex(({ seq }) => seq >= unreadFrom);
  const page = Math.max(0, messages.length - PAGE);
  const from = unread < 0 ? page : Math.min(page, unread);
  return shownAtOnce({ messages: messages.slice(from), isMore: isMore || from > 0 });
}

export class ChatEffects {
  readonly #needs: ChatNeeds;
  readonly #account: SharedAccount;
  readonly #before: Before;
  readonly #stored: StoredConversation;
  readonly #messages: MessageEffects;
  readonly #table: EffectTable<EffectName>;
  readonly #left = new AbortController();
  #changing: Promise<void> | undefined;
  /** What is marked at the end of this turn of the event loop: messages that were shown, and up to which they were seen. */
  readonly #shown: number[] = [];
  #seen: number | undefined;
  #marking: NodeJS.Immediate | undefined;
  /** Fingerprint of the pending key whose safety number this chat has shown last. */
  #shownKey: string | undefined;
  /** What is stored of the input line, as far as this process knows. */
  #draft: Draft;

  private constructor(account: SharedAccount, stored: StoredConversation, before: Before, needs: ChatNeeds) {
    this.#needs = needs;
    this.#account = account;
    this.#stored = stored;
    this.#before = before;
    this.#draft = stored.draft;
    const { archive } = account;
    const dispatch = (event: ChatEvent) => this.#dispatch(event);
    this.#messages = new MessageEffects(account, stored, { dispatch, copy: needs.copy });
    this.#table = {
      ...this.#messages.table,
      ...fileEffects({
        account,
        username: stored.username,
        shown: () => needs.shown(stored.username),
        downloads: needs.downloads,
        texts: needs.texts,
        dispatch,
      }),
      ...groupEffects({ account, stored, dispatch }),
      ...historyEffects(archive, stored, this.#left.signal, { dispatch, texts: needs.texts }),
      markShown: ({ sequences }) => {
        this.#shown.push(...sequences);
        this.#marking ??= setImmediate(() => this.#mark());
      },
      markSeen: ({ seq }) => {
        this.#seen = seq;
        this.#marking ??= setImmediate(() => this.#mark());
      },
      typing: async ({ active }) => {
        await account.request("typing", { username: this.username, active });
      },
      page: ({ before }) =>
        dispatch({ name: "page", ...shownPage(archive, stored, stored.before(before, PAGE)) }),
      listOnline: () => this.#listOnline(),
      showSafetyNumber: () => {
        const { numbers } = archive.safetyNumbers.with(this.username, { markShown: true });
        this.#shownKey = numbers.find(({ pending }) => pending)?.fingerprint;
        dispatch({ name: "safetyNumber", numbers });
      },
      takeUpDraft: () => {
        const { draft } = stored;
        // Of several texts the first event has told of all.
        if (Bun.deepEquals(draft, this.#draft)) return;
        this.#draft = draft;
        dispatch({ name: "unsent", text: draft.join("") });
      },
      listChats: () => {
        const drafts = [...archive.drafts()];
        dispatch({
          name: "chats",
          drafts: new Map(drafts.map(([id, text]) => [archive.usernameAt(id), text])),
        });
      },
      mute: async ({ seconds }) => {
        await account.request("mute", { username: this.username, seconds });
      },
      linkInfo: async () => {
        const { link, told, server, links_until } = await account.request("link", {
          username: this.username,
        });
        const shown = link && {
          way: link.way,
          seeksDirect: link.seeks_direct,
          address: link.address ?? undefined,
          since: Date.parse(link.since ?? ""),
          roundTrip: link.round_trip ?? undefined,
        };
        dispatch({
          name: "linkInfo",
          link: shown ?? undefined,
          told: told ?? undefined,
          hasServer: server === "online",
          linksUntil: links_until === null ? undefined : Date.parse(links_until),
        });
      },
      acceptKey: () => this.#acceptKey(),
      decide: async ({ decision }) => {
        const { state } = await account.request("decide", { username: this.username, decision });
        dispatch({ name: "decided", state });
      },
      openVerification: async () => {
        const opened = await account.openVerification(this.username);
        if (opened.result === "too_soon")
          dispatch({ name: "verificationTooSoon", seconds: opened.retry_after });
      },
      answerVerification: async ({ same }) => {
        await account.request("answer_verification", { username: this.username, same });
        dispatch({ name: "verificationAnswered" });
      },
      closeVerification: () => account.closeVerification(this.username),
      withdrawVerification: async () => {
        const { result } = await account.request("withdraw_verification", { username: this.username });
        dispatch({ name: "verificationOff", wasVerified: result === "withdrawn" });
      },
    };
  }

  /** Opens the chat: a link is kept until `close`. @throws SelfError, SQLiteError, and as `SharedAccount.request` */
  static async open(account: SharedAccount, typed: string, needs: ChatNeeds): Promise<ChatEffects> {
    const link = await account.openChat(typed);
    const stored = account.archive.conversation(link.username);
    if (stored === undefined) throw new Error(`${link.username} is not stored`);
    const { files } = await account.request("files", {});
    const left = files.filter((file) => isSamePerson(file.peer, stored.username) && !hasEnded(file));
    const group = await openedGroup(account, stored.username);
    return new ChatEffects(account, stored, { link, files: left, group }, needs);
  }

  /** Undefined: the chat is with a person. */
  get group(): SharedGroup | undefined {
    return this.#before.group?.group;
  }

  /** The registered spelling, if it is known, otherwise the typed one. */
  get username(): string {
    return this.#stored.username;
  }

  /** The contact's row number. */
  get contact(): number {
    return this.#stored.contact.id;
  }

  /** Whether there was never a proven link with a person of this name, and no message was stored. */
  get isStranger(): boolean {
    return this.#stored.isStranger;
  }

  /** The first events of the chat: the newest messages with the unread ones, and what is known of the link and the peer. @throws SQLiteError */
  begin(): readonly ChatEvent[] {
    const { text, edit, withdraw } = this.#stored.outboxCounts();
    const unreadFrom = this.#stored.unreadFrom();
    const newest = this.#stored.before(undefined, unreadFrom === undefined ? PAGE : MAX_UNREAD_SHOWN);
    const page = shownPage(this.#account.archive, this.#stored, shownOnOpening(newest, unreadFrom));
    this.#messages.opened(page.messages);
    const opened: ChatEvent = {
      name: "opened",
      ...page,
      notices: this.#before.group?.notices ?? [],
      unreadFrom,
      waiting: text + edit + withdraw,
      isVerified: this.#stored.isVerified,
      isKeyPending: this.#stored.keyState === "key_changed",
      hasDraft: this.#draft.length > 0,
      state: this.#stored.state,
      fingerprint: this.#stored.fingerprint,
    };
    // The messenger emits no event for what was so before.
    const { username } = this;
    const before: MessengerEvent[] = [];
    const { link, files } = this.#before;
    const { way, seeks_direct: seeksDirect } = link;
    if (way !== null) before.push({ name: "connected", username, way, seeksDirect, address: undefined });
    if (link.verification_asked) before.push({ name: "verification", username, state: "asked" });
    if (this.#stored.isHeld) before.push({ name: "held", to: username });
    for (const file of files) before.push({ name: "file", file });
    return [opened, ...before.map((event) => ({ name: "messenger", event }) as const)];
  }

  /** What stands in the input line when it opens. */
  get draft(): Draft {
    return this.#draft;
  }

  /** Stores what stands in the input line, if it has changed. @throws SQLiteError */
  keepDraft(draft: Draft): void {
    if (Bun.deepEquals(draft, this.#draft)) return;
    this.#stored.keepDraft(draft);
    this.#draft = draft;
  }

  /** The change of a message or key that is under way; resolves when its outcome was dispatched. */
  get changing(): Promise<void> | undefined {
    return this.#changing;
  }

  /** Carries out an effect. If it fails, that is reported, and the typed line is given back. */
  run<N extends EffectName>(effect: EffectOf<N>): void {
    const carryOut: (effect: EffectOf<N>) => Promise<void> | void = this.#table[effect.name as N];
    try {
      const work = carryOut(effect);
      if (!(work instanceof Promise)) return;
      const done = work.catch((error: unknown) => this.#failed(error, effect));
      if (!CHANGES.has(effect.name)) return;
      this.#changing = done;
      void done.finally(() => {
        if (this.#changing === done) this.#changing = undefined;
      });
    } catch (error) {
      this.#failed(error, effect);
    }
  }

  /** What the update needs to know about an event beyond its fields. To be called before the update takes it. */
  know(event: MessengerEvent): Known {
    try {
      return this.#messages.know(event);
    } catch (error) {
      // The message is shown without it.
      this.#failed(error);
      return {};
    }
  }

  /** Dispatches the answer to an effect, unless the chat in which it was asked for was left: another one may be open. */
  #dispatch(event: ChatEvent): void {
    if (!this.#left.signal.aborted) this.#needs.dispatch(event);
  }

  /** Reports that an effect has failed; the typed line is given back. */
  #failed(error: unknown, effect?: EffectOf<EffectName>): void {
    const typed = effect === undefined ? {} : typedLine(effect);
    if (error instanceof ActionError || error instanceof RefusalError) {
      this.#dispatch({ name: "refused", code: error.code, ...typed });
      return;
    }
    const isUnsaved = effect?.name === "send" && isStorageFailure(error) && !isDamage(error);
    const sentence = isUnsaved
      ? this.#needs.texts.chatNotSaved(storageReason(error, this.#needs.texts))
      : this.#needs.describe(error);
    this.#dispatch({ name: "failed", sentence, ...typed });
  }

  async #listOnline(): Promise<void> {
    const { people, failure } = await this.#account.request("people", {});
    if (failure !== undefined) return this.#failed(errorOf(failure));
    const online = people.filter((person) => person.online === true);
    const silent = new Map<string, number>();
    for (const { username, silent_since: since } of online)
      if (since !== undefined) silent.set(username, Date.parse(since));
    this.#dispatch({ name: "online", people: online.map(({ username }) => username), silent });
  }

  async #acceptKey(): Promise<void> {
    const shown = this.#shownKey === undefined ? {} : { fingerprint: this.#shownKey };
    const { result } = await this.#account.request("accept_key", { username: this.username, ...shown });
    this.#dispatch({ name: "keyAccepted", result });
  }

  #mark(): void {
    clearImmediate(this.#marking);
    this.#marking = undefined;
    const shown = this.#shown.splice(0);
    const seen = this.#seen;
    this.#seen = undefined;
    try {
      const isRead = this.#stored.markShown(shown, seen);
      if (seen !== undefined && isRead) this.#sendRead(seen);
    } catch (error) {
      // They stay unread, and are shown again next time.
      if (!isStorageFailure(error)) throw error;
      this.#failed(error);
    }
  }

  #sendRead(seq: number): void {
    this.#account
      .request("mark_read", { username: this.username, seq })
      .catch((error: unknown) => this.#failed(error));
  }

  /** Leaves the chat. Shown messages are marked first, since the profile may be closed next. */
  close(): void {
    this.#mark();
    this.#left.abort();
    this.#account.leaveVerification(this.username);
    this.#account.closeChat(this.username);
  }
}

/** The group of a chat, and what has happened in it; undefined: the chat is with a person. */
async function openedGroup(account: SharedAccount, username: string): Promise<Before["group"]> {
  if (!username.startsWith("#")) return undefined;
  const { groups } = await account.request("groups", {});
  const group = groups.find((each) => `#${each.group}` === username);
  if (group === undefined) throw new GroupError("no_such_group");
  return { group, ...(await account.request("group_notices", { group: group.group })) };
}

/** What was typed for an effect, to be given back when it fails. */
function typedLine(effect: EffectOf<EffectName>): { readonly typed?: string } {
  if ("typed" in effect) return { typed: effect.typed };
  return effect.name === "send" ? { typed: asTyped(effect.text) } : {};
}
