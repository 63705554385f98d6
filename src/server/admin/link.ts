/** The operator's program reaches a database through the running server or, if none runs, directly. */
import { SQLiteError } from "bun:sqlite";

import { READS_NOTHING } from "../../net/connection.ts";
import { errorCode } from "../../net/error-code.ts";
import { connectLocal, MAX_LOCAL_PATH } from "../../net/local-socket.ts";
import { cannotOpen, InUseError } from "../database/database-errors.ts";
import { LOCK_PATIENCE } from "../database/database-lock.ts";
import { openOwnDatabase, requireOurs } from "../database/database.ts";
import { PasswordQueue } from "../limits/password-queue.ts";
import type { SecurityLog } from "../log/security-log.ts";
import type { OnlineUser, OwnUser } from "../presence/online-user.ts";
import { Presence } from "../presence/presence.ts";
import { OwnSeats } from "../presence/seats.ts";
import { Revocations } from "../store/revocations.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { StoreBusy } from "../store/store.ts";
import { StartError } from "../start-error.ts";
import { ADMIN_OBJECT_LIMIT, isRead, readReply, type AdminReply, type AdminRequest } from "./messages.ts";
import { AdminOperations } from "./operations.ts";
import { adminSocketPath } from "./socket.ts";
import { quotedText } from "../../protocol/quoted-text.ts";

/** How long a server may take to answer, in ms: a password may have to wait for its hash. */
const REPLY_TIMEOUT = 25_000;
/** The server must begin this long before the timeout, in ms. */
const LATEST_BEGINNING = 2_000;
/** How often a server that is starting or stopping is tried again, in ms. */
const RETRY_INTERVAL = 100;
/** Errors of a socket on which no server listens. */
const NO_SERVER: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED", "ENAMETOOLONG"]);

export interface AdminLink {
  /** @throws StartError if there is no answer, or the database cannot be used. */
  ask(request: AdminRequest): Promise<AdminReply>;
  close(): Promise<void>;
}

/**
 * Reaches the database at this path. Waits a few seconds for a server that starts or stops.
 * @param openSecurity opens the log in which changes without a server are recorded.
 * @param patience ms to wait.
 * @throws StartError if the database is in use and no server answers for it.
 */
export async function reachDatabase(
  path: string,
  openSecurity: () => SecurityLog,
  patience = LOCK_PATIENCE,
): Promise<AdminLink> {
  requireOurs(path);
  const socket = adminSocketPath(path);
  // No server can listen on such a path.
  const isTooLong = Buffer.byteLength(socket) > MAX_LOCAL_PATH;
  const end = performance.now() + (isTooLong ? 0 : patience);
  for (;;) {
    if (await isServed(socket))
      return { ask: (request) => askServer(socket, request), close: async () => undefined };
    try {
      return await openDirectly(path, openSecurity);
    } catch (error) {
      if (!(error instanceof InUseError)) throw error;
      if (performance.now() >= end) throw noServerAnswers(path, socket, error);
    }
    await Bun.sleep(RETRY_INTERVAL);
  }
}

/** Whether a server listens on the socket. @throws StartError if that cannot be found out */
async function isServed(socket: string): Promise<boolean> {
  try {
    const handlers = { ...READS_NOTHING, closed: () => undefined };
    const connection = await connectLocal(socket, ADMIN_OBJECT_LIMIT, handlers);
    connection.terminate("found");
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (NO_SERVER.has(code)) return false;
    throw noAnswer(code, true, error);
  }
}

async function openDirectly(path: string, openSecurity: () => SecurityLog): Promise<AdminLink> {
  const now = Date.now;
  const store = new SqliteStore(await openOwnDatabase(path, 0), { now });
  const explain = (error: unknown) => {
    throw error instanceof SQLiteError || error instanceof StoreBusy ? cannotOpen(path, error) : error;
  };
  let security: SecurityLog | undefined;
  try {
    const revocations = new Revocations(await store.revocations(), { now });
    security = openSecurity();
    const presence = new Presence<OnlineUser, OwnUser>();
    const operations = new AdminOperations({
      store,
      revocations,
      security,
      presence,
      seats: new OwnSeats(presence, () => undefined),
      passwords: new PasswordQueue({ limit: 1 }),
    });
    return {
      ask: (request) => operations.run(request).catch(explain),
      async close() {
        security?.close();
        await store.close();
      },
    };
  } catch (error) {
    security?.close();
    await store.close();
    throw error;
  }
}

async function askServer(socket: string, request: AdminRequest): Promise<AdminReply> {
  const { promise, resolve, reject } = Promise.withResolvers<AdminReply>();
  const failed = (code: string) => reject(noAnswer(code, isRead(request.command)));
  const timer = setTimeout(() => failed("timeout"), REPLY_TIMEOUT);
  const until = Date.now() + REPLY_TIMEOUT - LATEST_BEGINNING;
  const connection = await connectLocal(socket, ADMIN_OBJECT_LIMIT, {
    opened: (opened) => opened.send({ ...request, until }),
    message(object) {
      const reply = readReply(object);
      if (reply === undefined) failed("bad_reply");
      else resolve(reply);
    },
    fault: (fault) => failed(fault),
    closed: () => failed("closed"),
  }).catch((error: unknown) => reject(noAnswer(errorCode(error), true, error)));
  return promise.finally(() => {
    clearTimeout(timer);
    // An open connection would keep the process from ending.
    connection?.terminate("answered");
  });
}

/** @param isUnchanged whether nothing can have been changed. */
export function noAnswer(code: string, isUnchanged: boolean, cause?: unknown): StartError {
  const sentence = isUnchanged
    ? { es: `El servidor no ha respondido (${code})`, en: `The server did not answer (${code})` }
    : {
        es: `El servidor no ha respondido (${code}); compruebe con «admin users» si el cambio se hizo`,
        en: `The server did not answer (${code}); check with “admin users” whether the change was made`,
      };
  return new StartError(sentence, cause, "no_answer");
}

function noServerAnswers(path: string, socket: string, cause: unknown): StartError {
  if (Buffer.byteLength(socket) > MAX_LOCAL_PATH) {
    return new StartError(
      {
        es: `El servidor está en marcha, pero la ruta «${quotedText(socket)}» supera los ${MAX_LOCAL_PATH} bytes que admite un socket: ponga la base de datos en una ruta más corta`,
        en: `The server is running, but the path “${quotedText(socket)}” exceeds the ${MAX_LOCAL_PATH} bytes that a socket path may have: put the database at a shorter path`,
      },
      cause,
      "in_use",
    );
  }
  return new StartError(
    {
      es: `Otro programa tiene ocupada la base de datos «${quotedText(path)}», y nadie atiende en «${quotedText(socket)}»`,
      en: `Another program is using the database “${quotedText(path)}”, and nobody answers at “${quotedText(socket)}”`,
    },
    cause,
    "in_use",
  );
}
