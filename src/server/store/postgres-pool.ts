/**
 * Connections to PostgreSQL by Bun's own client, with a timer of ours around each use: a server from which nothing comes
 * any more leaves queries pending for ever, and the client's pool stuck even when it is back. A few such timeouts in a
 * row replace the pool.
 */
import { SQL, type TransactionSQL } from "bun";

import { errorCode } from "../../net/error-code.ts";
import { StoreBusy } from "./store.ts";

const POOL_SIZE = 8;
/** In s. */
const CONNECT_TIMEOUT = 3;
/** In ms: PostgreSQL's own limit of a statement, of a pause within a transaction, and ours of one use of the pool. */
const STATEMENT_TIMEOUT = 3_000;
const TRANSACTION_PAUSE = 5_000;
export const OWN_TIMEOUT = 3_500;
/** Until a read is tried once again, in ms: by then it is known which other connections were ended too. */
const RETRY_DELAY = 50;
/** Own timeouts in a row after which the pool is replaced. */
const TIMEOUTS_TO_REPLACE = 3;

const CONNECTION_LOST =
  /^ERR_POSTGRES_(?:CONNECTION_|TLS_|TIMEOUT$|IDLE_TIMEOUT$|LIFETIME_TIMEOUT$|QUERY_CANCELLED$)/;
const CERTIFICATE_REFUSED = /^(?:CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_|ERR_TLS_)/;

type PoolOptions = {
  /** A use was done, which took so many ms. */
  readonly observe?: (took: number) => void;
  /** The pool was replaced, because nothing came from the server for a while. */
  readonly replaced?: () => void;
};

class Timeout extends Error {
  readonly code = "ERR_POSTGRES_TIMEOUT";
}

export class PostgresPool {
  readonly #url: string;
  readonly #options: PoolOptions;
  #sql: SQL;
  #timeouts = 0;

  /** Connects when it is first used. */
  constructor(url: string, options: PoolOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#sql = connect(url);
  }

  /** Reads, once again if the connection broke. @throws StoreBusy, errors of PostgreSQL */
  async read<T>(query: (sql: SQL) => Promise<T>): Promise<T> {
    try {
      return await this.#use(query);
    } catch (error) {
      if (!isBroken(error)) throw error;
      await Bun.sleep(RETRY_DELAY);
      return this.#use(query);
    }
  }

  /**
   * Writes with one statement. If its answer does not come, it may have been carried out all the same.
   * @throws StoreBusy, errors of PostgreSQL
   */
  write<T>(query: (sql: SQL) => Promise<T>): Promise<T> {
    return this.#use(query);
  }

  /** As `write`, with several statements of one transaction, of which each sees what is there when it begins. */
  transaction<T>(change: (transaction: TransactionSQL) => Promise<T>): Promise<T> {
    return this.#use((sql) => sql.begin(change) as Promise<T>);
  }

  async close(): Promise<void> {
    await this.#sql.close({ timeout: 0 });
  }

  async #use<T>(query: (sql: SQL) => Promise<T>): Promise<T> {
    const sql = this.#sql;
    const begun = performance.now();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Timeout("PostgreSQL did not answer")), OWN_TIMEOUT);
    try {
      const value = await Promise.race([query(sql), late.promise]);
      this.#timeouts = 0;
      return value;
    } catch (error) {
      if (!(error instanceof Timeout)) this.#timeouts = 0;
      else if (sql === this.#sql && ++this.#timeouts >= TIMEOUTS_TO_REPLACE) this.#replace();
      throw isBusy(error) ? new StoreBusy(error) : error;
    } finally {
      clearTimeout(timer);
      this.#options.observe?.(performance.now() - begun);
    }
  }

  #replace(): void {
    const old = this.#sql;
    this.#sql = connect(this.#url);
    this.#timeouts = 0;
    // What waits in it fails.
    void old.close({ timeout: 0 });
    this.#options.replaced?.();
  }
}

function connect(url: string): SQL {
  return new SQL(url, {
    max: POOL_SIZE,
    connectionTimeout: CONNECT_TIMEOUT,
    connection: {
      application_name: "paloma-server",
      statement_timeout: String(STATEMENT_TIMEOUT),
      idle_in_transaction_session_timeout: String(TRANSACTION_PAUSE),
    },
  });
}

/** Whether an error says that the server cannot be used now, and may be soon, or when its operator has mended it. */
function isBusy(error: unknown): boolean {
  const code = errorCode(error);
  // SQLSTATE: no connection, not let in, no such database, rolled back, no resources, ended or not ready, read only,
  // a lock not to be had, the disk.
  const isRefused = /^(?:08|28|3D|40|53|57|58)|^25006$|^55P03$/.test(code);
  return isRefused || CONNECTION_LOST.test(code) || CERTIFICATE_REFUSED.test(code);
}

/** Whether a read can be tried once again. */
function isBroken(error: unknown): boolean {
  if (!(error instanceof StoreBusy)) return false;
  return error.code.startsWith("ERR_POSTGRES_CONNECTION_") || /^57P0[123]$/.test(error.code);
}
