/** The profile of one account on this machine: its key, certificate, session, contacts and messages in `profile.db`. */
import type { Database } from "bun:sqlite";
import { X509Certificate } from "node:crypto";
import { closeSync, openSync, renameSync } from "node:fs";

import { readCertificate } from "../../identity/certificate-reader.ts";
import { generateKeyPair, keyPairFromPem, privateKeyToPem, type KeyPair } from "../../identity/keys.ts";
import { label as labelOf } from "../../identity/names.ts";
import type { DatedCertificate } from "../../identity/revocation.ts";
import { errorCode } from "../../net/error-code.ts";
import { OpenFile } from "../../net/open-file.ts";
import { ConsentStore } from "./consents.ts";
import { ContactStore } from "./contacts.ts";
import { DraftStore } from "./drafts.ts";
import { MessageHistory } from "./message-history.ts";
import { MessageRemoval } from "./message-removal.ts";
import { MessageSearch } from "./message-search.ts";
import { MessageStore } from "./message-store.ts";
import { PrivacyStore } from "./privacy.ts";
import { RevocationStore } from "./revocations.ts";
import { VerificationStore } from "./verifications.ts";
import { hasProfile, openDatabase, readDatabase } from "./profile-database.ts";
import { TextWipe } from "./text-wipe.ts";
import { TransferStore } from "./transfers.ts";
import { repairProfile } from "../disk/check.ts";
import { closeToOthers, damageMark, makePrivateFolder, profileFile } from "../disk/folders.ts";
import { FreeSpace } from "../disk/free-space.ts";
import { PROFILE_SCHEMA, type RelayUse } from "../disk/schema.ts";
import { whileStill } from "../disk/still-file.ts";
import {
  copyInMemory,
  isDamage,
  isStorageFailure,
  isUnwritable,
  openReadOnly,
  StoreError,
} from "../disk/sqlite.ts";
import { isSyncFailure, WriteAheadLog } from "../disk/write-ahead-log.ts";

/** The folder holds no account: a first login that was refused has removed it since it was found. */
export class ProfileRemovedError extends Error {
  constructor(folder: string) {
    super(`${folder}: no account`);
  }
}

/**
 * The account was exported to another machine, or is being exported. With its key on two machines, what is sent to it would
 * reach one or the other.
 */
export class AccountMovedError extends Error {
  readonly code: "account_moved" | "account_moving";
  /** ms since 1970; undefined: it is being exported. */
  readonly at: number | undefined;

  constructor(at: number | undefined) {
    super(at === undefined ? "the account is being exported" : "the account was exported to another machine");
    this.code = at === undefined ? "account_moving" : "account_moved";
    this.at = at;
  }
}

/** A certificate that the authority issued for this account's key; times in ms since 1970. */
export type OwnCertificate = {
  readonly pem: string;
  readonly receivedAt: number;
  readonly expiresAt: number;
};

type AccountRow = {
  username: string;
  private_key: string;
  authority: string;
  certificate: string | null;
  certificate_received_at: number | null;
  certificate_expires_at: number | null;
  session_token: string | null;
  has_been_online: number;
  registered_here: number;
  /** Absent: an older program's. */
  moved_at?: number | null;
  lan: number;
  mapping_nonce: Uint8Array | null;
  /** Absent: an older program's. */
  relay?: RelayUse;
};

export type NewAccount = {
  readonly username: string;
  /** PEM */
  readonly authority: string;
  /** Registered on this machine, not only logged in. */
  readonly registeredHere: boolean;
};

/** The facts about an account that can be read without opening it. */
type ProfileSummary = {
  readonly username: string;
  readonly hasSession: boolean;
  readonly hasBeenOnline: boolean;
  /** As `Profile.isEstablished`. */
  readonly isEstablished: boolean;
  /** As `Profile.movedAt`. */
  readonly movedAt: number | undefined;
};

/** Stores the account with a new key. Another process may do the same at the same time, and there must be one key only. */
function storeAccount(database: Database, { username, authority, registeredHere }: NewAccount): void {
  database.run(
    `INSERT INTO account (username, private_key, authority, registered_here)
     SELECT ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM account)`,
    [username, privateKeyToPem(generateKeyPair().privateKey), authority, registeredHere ? 1 : 0],
  );
}

export class Profile {
  readonly folder: string;
  /** Of the disk on which it is. */
  readonly space: FreeSpace;
  readonly contacts: ContactStore;
  readonly consents: ConsentStore;
  readonly drafts: DraftStore;
  readonly messages: MessageStore;
  readonly history: MessageHistory;
  readonly search: MessageSearch;
  readonly removal: MessageRemoval;
  readonly wipe: TextWipe;
  readonly transfers: TransferStore;
  readonly revocations: RevocationStore;
  readonly privacy: PrivacyStore;
  readonly verifications: VerificationStore;
  readonly keys: KeyPair;
  /** PEM of the authority whose certificates count for this account. */
  readonly authority: string;
  /** For the stores of rooms that stand behind this one. */
  readonly database: Database;
  #log: WriteAheadLog | undefined;
  #account: AccountRow;
  /** What was read of the certificate. */
  #dated: { readonly pem: string; readonly own: DatedCertificate } | undefined;

  private constructor(folder: string, database: Database, row: AccountRow) {
    this.folder = folder;
    this.database = database;
    this.contacts = new ContactStore(database);
    this.consents = new ConsentStore(database);
    this.drafts = new DraftStore(database);
    this.space = new FreeSpace(folder);
    this.messages = new MessageStore(database, new OpenFile(profileFile(folder)), this.space);
    this.history = new MessageHistory(database);
    this.search = new MessageSearch(database);
    this.removal = new MessageRemoval(database);
    this.wipe = new TextWipe(database);
    this.transfers = new TransferStore(database);
    this.revocations = new RevocationStore(database);
    this.privacy = new PrivacyStore(database);
    this.verifications = new VerificationStore(database, this.contacts);
    this.#account = row;
    this.keys = keyPairFromPem(row.private_key);
    this.authority = row.authority;
  }

  /** Whether `folder` holds an account, which may be unreadable. Nothing is changed. @throws StoreError if it was lost */
  static exists(folder: string): boolean {
    if (!hasProfile(folder)) return false;
    try {
      return Profile.look(folder) !== undefined;
    } catch (error) {
      // Opening the profile reports it.
      if (!(error instanceof StoreError)) throw error;
      return true;
    }
  }

  /**
   * Reads the account in `folder` without changing anything; undefined: no account is stored yet.
   * @throws StoreError
   */
  static look(folder: string): ProfileSummary | undefined {
    const file = profileFile(folder);
    const database = openReadOnly(file, PROFILE_SCHEMA);
    try {
      const row = database.query<AccountRow, []>("SELECT * FROM account").get();
      if (row === null) return undefined;
      return {
        username: row.username,
        hasSession: row.session_token !== null,
        hasBeenOnline: row.has_been_online === 1,
        isEstablished: row.registered_here === 1 || row.has_been_online === 1,
        movedAt: row.moved_at ?? undefined,
      };
    } catch (error) {
      throw new StoreError("unreadable", file, error);
    } finally {
      database.close();
    }
  }

  /** Makes a profile in `folder`, all of it in `profile.db`, and leaves it closed. @throws as `open` */
  static make(folder: string, account: NewAccount): void {
    makePrivateFolder(folder);
    const database = openDatabase(folder);
    try {
      storeAccount(database, account);
    } finally {
      database.close();
    }
  }

  /**
   * Makes the closed profile in `prepared` that of `folder`. @returns false: there is one already, which stays
   * @throws system errors, and as `exists`
   */
  static place(prepared: string, folder: string): boolean {
    try {
      renameSync(prepared, folder);
    } catch (error) {
      if (!/^(?:ENOTEMPTY|EEXIST)/.test(errorCode(error))) throw error;
      if (Profile.exists(folder)) return false;
      // Only what a lost profile has left, as rescued messages, is no profile.
      renameSync(profileFile(prepared), profileFile(folder));
    }
    return true;
  }

  /**
   * Opens the profile in `folder`, or makes it. If it is too damaged to open, it is repaired first, if possible.
   * @throws StoreError, ProfileDamagedError, ProfileLockedError
   */
  static open(folder: string, create?: NewAccount): Profile {
    try {
      return Profile.#open(folder, create);
    } catch (error) {
      if (!isDamage(error)) throw error;
      repairProfile(folder, Date.now());
      return Profile.#open(folder, create);
    }
  }

  /**
   * As `open`; a profile that cannot be written, as on a full or read-only disk, is opened for reading: every write
   * then throws an SQLiteError. @throws as `open`
   */
  static openToRead(folder: string): Profile {
    try {
      return Profile.open(folder);
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      return Profile.#read(folder);
    }
  }

  static #read(folder: string): Profile {
    const database = readDatabase(folder);
    try {
      return Profile.#of(folder, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  static #open(folder: string, create: NewAccount | undefined): Profile {
    makePrivateFolder(folder);
    closeToOthers(folder);
    const database = openDatabase(folder);
    try {
      if (create !== undefined) storeAccount(database, create);
      return Profile.#of(folder, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  static #of(folder: string, database: Database): Profile {
    const row = database.query<AccountRow, []>("SELECT * FROM account").get();
    if (row === null) throw new ProfileRemovedError(folder);
    return new Profile(folder, database, row);
  }

  /**
   * Reads everything again that this process keeps in memory: until it held the lock, another process may have logged
   * in or out. @throws SQLiteError
   */
  reload(): void {
    this.#account = this.database.query<AccountRow, []>("SELECT * FROM account").get() ?? this.#account;
    this.revocations.load();
  }

  #update(sql: string, values: (string | number | Uint8Array | null)[]): void {
    // With the new row, because a read that follows could fail.
    const query = this.database.query<AccountRow, (string | number | Uint8Array | null)[]>(
      `UPDATE account SET ${sql} RETURNING *`,
    );
    this.#account = query.get(...values) ?? this.#account;
  }

  get username(): string {
    return this.#account.username;
  }

  get sessionToken(): string | undefined {
    return this.#account.session_token ?? undefined;
  }

  /** When it was last reported that the server did not know this key, ms since 1970; undefined: not in this process. */
  newKeyReportedAt: number | undefined;

  /** Whether the account was registered or logged in on this machine; otherwise its first login may still fail. */
  get isEstablished(): boolean {
    const row = this.#account;
    return row.registered_here === 1 || row.has_been_online === 1;
  }

  /** Whether this account was ever logged in on this machine. */
  get hasBeenOnline(): boolean {
    return this.#account.has_been_online === 1;
  }

  /** When the account was exported to another machine, ms since 1970; undefined: it lives here. */
  get movedAt(): number | undefined {
    return this.#account.moved_at ?? undefined;
  }

  /** Whether the local network is told that this client is there, and its router asked for a port. */
  get usesLan(): boolean {
    return this.#account.lan === 1;
  }

  /** @throws SQLiteError */
  useLan(uses: boolean): void {
    if (uses !== this.usesLan) this.#update("lan = ?", [uses ? 1 : 0]);
  }

  get relay(): RelayUse {
    return this.#account.relay ?? "auto";
  }

  /** @throws SQLiteError */
  useRelay(relay: RelayUse): void {
    if (relay !== this.relay) this.#update("relay = ?", [relay]);
  }

  /** With which routers are asked for ports; always the same. @param make gives a new one @throws SQLiteError */
  mappingNonce(make: () => Uint8Array): Uint8Array {
    if (this.#account.mapping_nonce === null) this.#update("mapping_nonce = ?", [make()]);
    return this.#account.mapping_nonce ?? make();
  }

  get certificate(): OwnCertificate | undefined {
    const row = this.#account;
    if (row.certificate === null || row.certificate_expires_at === null) return undefined;
    return {
      pem: row.certificate,
      receivedAt: row.certificate_received_at ?? 0,
      expiresAt: row.certificate_expires_at,
    };
  }

  /** Whether the server has taken our certificate back. */
  get isCertificateRevoked(): boolean {
    const { certificate } = this;
    if (certificate === undefined) return false;
    if (this.#dated?.pem !== certificate.pem) {
      const { notBefore, fingerprint } = readCertificate(new X509Certificate(certificate.pem));
      const own = { label: labelOf(this.username), notBefore, fingerprint };
      this.#dated = { pem: certificate.pem, own };
    }
    return this.revocations.isRevoked(this.#dated.own);
  }

  /** From now on the account lives here, if it was exported before. */
  saveLogin(login: { username: string; token: string | undefined; certificate: OwnCertificate }): void {
    this.#update(
      `username = ?, session_token = ?, has_been_online = 1, moved_at = NULL,
       certificate = ?, certificate_received_at = ?, certificate_expires_at = ?`,
      [
        login.username,
        login.token ?? null,
        login.certificate.pem,
        login.certificate.receivedAt,
        login.certificate.expiresAt,
      ],
    );
  }

  saveCertificate(certificate: OwnCertificate): void {
    this.#update("certificate = ?, certificate_received_at = ?, certificate_expires_at = ?", [
      certificate.pem,
      certificate.receivedAt,
      certificate.expiresAt,
    ]);
  }

  forgetToken(): void {
    this.#update("session_token = NULL", []);
  }

  /**
   * Marks the account as exported to another machine, once `copy` has copied `profile.db`, which stands still meanwhile. The
   * copy is not marked, and has no stored session; nor has this one.
   * @param now ms since 1970
   * @throws SQLiteError, and what `copy` throws; then the account stays as it was
   */
  async moveAway<T>(copy: () => Promise<T>, now: number): Promise<T> {
    const token = this.#account.session_token;
    this.forgetToken();
    try {
      return await whileStill(this.database, async () => {
        const copied = await copy();
        this.#update("moved_at = ?", [now]);
        return copied;
      });
    } catch (error) {
      this.#update("session_token = ?", [token]);
      throw error;
    }
  }

  /** A search that indexes words in a copy in memory, because they cannot be written. @throws SQLiteError */
  searchInMemory(): MessageSearch {
    return new MessageSearch(copyInMemory(this.database, profileFile(this.folder), PROFILE_SCHEMA));
  }

  /** If the error says that the file is damaged, or that what was written to it may be lost, the next process that takes the account online checks it first. */
  noteDamage(error: unknown): void {
    if (!isDamage(error) && !isSyncFailure(error)) return;
    try {
      closeSync(openSync(damageMark(this.folder), "a", 0o600));
    } catch (failure) {
      // The damage is reported anyway, and will be met again.
      if (!isStorageFailure(failure)) throw failure;
    }
  }

  /** What light commits of this profile are in, until `close`. @throws system errors */
  openLog(): WriteAheadLog {
    return (this.#log ??= new WriteAheadLog(this.database));
  }

  /** Nothing may wait for its log any more. */
  close(): void {
    this.#log?.close();
    this.database.close();
  }
}
