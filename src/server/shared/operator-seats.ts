/** What the operator's commands do to the seats of several servers, from a process that is none of them. */
import { RemoteUser } from "./record.ts";
import { END, REVOKED, USERS } from "./scripts.ts";
import { Valkey } from "./valkey.ts";

/** How long Valkey may take for an answer, in ms. */
const PATIENCE = 2_000;

export class OperatorSeats {
  readonly #valkey: Valkey;

  /** @param url `redis://` or `rediss://` */
  constructor(url: string) {
    this.#valkey = new Valkey(url, PATIENCE);
  }

  /** @throws ValkeyBusy */
  async find(fold: string): Promise<RemoteUser | undefined> {
    const record = (await this.#valkey.send("HGET", [USERS, fold])) as string | null;
    if (record === null) return undefined;
    const [name = ""] = record.split("\t", 1);
    return new RemoteUser(fold, record, { name, push: () => undefined });
  }

  /** Every session of the name is to end, at whichever node. @throws ValkeyBusy */
  async end(fold: string, why: string): Promise<void> {
    await this.#valkey.run(END, [fold, why]);
  }

  /** Tells every node of a revocation, as JSON; before an `end`. @throws ValkeyBusy */
  async revoked(json: string): Promise<void> {
    await this.#valkey.run(REVOKED, [json]);
  }

  close(): void {
    this.#valkey.close();
  }
}
