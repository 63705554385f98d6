/**
 * The receiver's side of one file of a group, which may come from several members, one after the other.
 *
 * 1. The SHA-256 of the whole is all that its author has signed. Where it is another one, and all bytes are from one
 *    member, that member is not asked again; what is here is thrown away.
 * 2. Where the bytes are from several, nobody knows whose are wrong: from then on all have to be from one, and a change of
 *    the giver begins anew. So every further difference names a liar.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Range } from "../../file/leaves.ts";
import { Download } from "../../file/transfer/download.ts";
import type { Outcome, Work } from "../../file/transfer/work.ts";
import type { Transfer } from "../../profile/transfers.ts";

/** Who has given what is here; keys by their fingerprints. */
type Givers = {
  /** Whose bytes are here. */
  readonly of: readonly string[];
  /** Whose bytes were not those of the file. */
  readonly liars: readonly string[];
  /** Whether all bytes have to be from one. */
  readonly isSole: boolean;
};

type GroupDownloadNeeds = {
  /** The present giver does not give it: another one is to be asked. */
  refused(code: string): void;
  /** What had arrived was thrown away. */
  emptied(): void;
};

const NOBODY: Givers = { of: [], liars: [], isSole: false };

export class GroupDownload implements Work {
  readonly #folder: string;
  readonly #download: Download;
  readonly #needs: GroupDownloadNeeds;
  #givers: Givers;

  /**
   * @param folder of this transfer, in the profile's folder
   * @param sha256 of the whole, in hexadecimal
   * @throws system errors
   */
  constructor(folder: string, sha256: string, needs: GroupDownloadNeeds) {
    this.#folder = folder;
    this.#download = new Download(folder, sha256);
    this.#needs = needs;
    this.#givers = existsSync(this.#path) ? readGivers(this.#path) : NOBODY;
  }

  get ranges(): readonly Range[] {
    return this.#download.ranges;
  }

  get done(): number {
    return this.#download.done;
  }

  get isOpen(): boolean {
    return this.#download.isOpen;
  }

  /** Whether the member with this key has given what the file is not. */
  isLiar(key: string): boolean {
    return this.#givers.liars.includes(key);
  }

  /** What comes next comes from this member. To be called before the greeting of its stream. */
  async from(key: string, transfer: Transfer): Promise<void> {
    const { of, isSole } = this.#givers;
    if (of.includes(key)) return;
    if (isSole && of.length > 0) await this.#empty(transfer);
    this.#save({ ...this.#givers, of: [...this.#givers.of, key] });
  }

  async look(transfer: Transfer): Promise<Outcome> {
    const outcome = await this.#download.look(transfer);
    if (outcome.name !== "failed" || outcome.reason !== "damaged") return outcome;
    const { of, liars } = this.#givers;
    const [only] = of;
    const isSole = of.length !== 1 || this.#givers.isSole;
    await this.#empty(transfer);
    this.#save({ of: [], isSole, liars: of.length === 1 && only !== undefined ? [...liars, only] : liars });
    return { name: "broken" };
  }

  run(...stream: Parameters<Work["run"]>): Promise<Outcome> {
    return this.#download.run(...stream);
  }

  told(code: string): Outcome {
    this.#needs.refused(code);
    return { name: "broken" };
  }

  close(): void {
    this.#download.close();
  }

  discard(transfer: Transfer): Promise<void> {
    return this.#download.discard(transfer);
  }

  /** Throws away what is here. */
  async #empty(transfer: Transfer): Promise<void> {
    await this.#download.discard(transfer);
    this.#save({ ...this.#givers, of: [] });
    this.#needs.emptied();
  }

  get #path(): string {
    return join(this.#folder, "givers");
  }

  // After a loss of power it may be from before: then nobody is blamed for what several gave.
  #save(givers: Givers): void {
    this.#givers = givers;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const unfinished = `${this.#path}.new`;
    writeFileSync(unfinished, JSON.stringify(givers), { mode: 0o600 });
    renameSync(unfinished, this.#path);
  }
}

/** @returns nobody where a loss of power has left nothing of it: then nobody is blamed for what is here. @throws system errors */
function readGivers(path: string): Givers {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text) as Givers;
  } catch {
    return NOBODY;
  }
}
