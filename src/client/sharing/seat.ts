/**
 * One face's place at the process that has the account online: its requests, its events and its open chats. A face in
 * the same process has one, and so has every connection to the socket.
 */
import { label as labelOf } from "../../identity/names.ts";
import type { Account } from "../accounts.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { OpenedVerification } from "../conversation/verification.ts";
import { isGroup } from "../profile/contacts.ts";
import type { FaceOffers } from "../profile/transfers.ts";
import { REQUESTS, type Params, type RequestName, type Result } from "./requests.ts";

export class Seat {
  readonly #account: Account;
  /** Names of the open chats, by label. */
  readonly #chats = new Map<string, string>();
  /** Names of those with whom it has compared codes, or does. */
  readonly #verified = new Set<string>();

  /** It has asked to stay online. */
  staysOnline = false;

  constructor(account: Account) {
    this.#account = account;
    account.messenger.reading.set(this, true);
  }

  /** Carries a request out; the caller knows that its fields are valid. @throws as the request */
  async request<N extends RequestName>(name: N, params: Params<N>): Promise<Result<N>> {
    const { run } = REQUESTS[name] as unknown as {
      run: (context: object, params: Params<N>) => Result<N> | Promise<Result<N>>;
    };
    if (name === "stay_online") this.staysOnline = true;
    const { messenger } = this.#account;
    const { archive } = messenger;
    try {
      return await run({ account: this.#account, archive, face: this }, params);
    } catch (error) {
      archive.noteDamage(error);
      throw error;
    }
  }

  openChat(username: string): Conversation {
    const conversation = this.#account.messenger.openChat(username);
    this.#opened(username);
    return conversation;
  }

  openGroup(name: string): void {
    this.#account.messenger.groups.openChat(name);
    this.#opened(name);
  }

  /** It counts once for each face. */
  #opened(username: string): void {
    this.closeChat(username);
    this.#chats.set(labelOf(username), username);
  }

  closeChat(username: string): void {
    if (!this.#chats.delete(labelOf(username))) return;
    const { messenger } = this.#account;
    if (isGroup({ label: username })) messenger.groups.closeChat(username);
    else messenger.closeChat(username);
  }

  watchPeople(usernames: readonly string[]): void {
    this.#account.messenger.watchPeople(this, usernames);
  }

  openVerification(username: string): OpenedVerification {
    this.#verified.add(username);
    return this.#account.messenger.openVerification(username, this);
  }

  leaveVerification(username: string): void {
    this.#account.messenger.leaveVerification(username, this);
  }

  acceptFiles(offers: FaceOffers): void {
    this.#account.messenger.files.acceptAll(this, offers);
  }

  keepsUp(keepsUp: boolean): void {
    this.#account.messenger.reading.set(this, keepsUp);
  }

  /** Closes its chats and verifications, and ends what it watches. */
  leave(): void {
    this.#account.messenger.reading.leave(this);
    this.#account.messenger.files.leave(this);
    this.watchPeople([]);
    for (const username of this.#verified) this.leaveVerification(username);
    for (const username of this.#chats.values()) this.closeChat(username);
  }
}
