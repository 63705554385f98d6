/** Runs the server, from its configuration to its end. */
import { SQLiteError } from "bun:sqlite";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

import { showFingerprint } from "../identity/fingerprint.ts";
import { errorCode } from "../net/error-code.ts";
import type { TlsIdentity } from "../net/tls.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import type { Bilingual, Language } from "../protocol/language.ts";
import { quotedText } from "../protocol/quoted-text.ts";
import { openAdminSocket } from "./admin/socket.ts";
import type { ServerConfig } from "./config.ts";
import type { HostProcess } from "./host-process.ts";
import { cannotOpen } from "./database/database-errors.ts";
import { openDatabase } from "./database/database.ts";
import { openLog, type Log } from "./log/log.ts";
import { Metrics } from "./metrics/metrics.ts";
import { startMonitor } from "./monitor/monitor.ts";
import { startServer } from "./rendezvous-server.ts";
import { openSecurityLog } from "./log/security-log.ts";
import { refusedNames } from "./database/migration.ts";
import type { Place } from "./place.ts";
import { checkShared } from "./shared/open-shared.ts";
import { SharedClock } from "./shared/shared-clock.ts";
import { StartError } from "./start-error.ts";
import { cannotUsePostgres, openPostgres } from "./store/open-postgres.ts";
import { SqliteStore } from "./store/sqlite-store.ts";
import type { Store } from "./store/store.ts";

const EXIT_FAILED = 1;

/** Names of accounts that could not be migrated which are logged at the start; further ones are counted. */
const MAX_LOGGED_NAMES = 100;

/** @throws StartError */
export async function serve(config: ServerConfig, language: Language, host: HostProcess): Promise<void> {
  const style = config.logStyle ?? (host.stderr.isTTY ? "pretty" : "json");
  const log = openLog(style, Date.now, host.stderr);
  const metrics = new Metrics();
  const say = (sentence: Bilingual) => host.stdout.write(`${sentence[language]}\n`);
  const { port, plainFrom, tlsPort, place } = config;
  /** What is closed again if the start fails. */
  await using opened = new AsyncDisposableStack();

  const monitor =
    config.metrics === undefined ? undefined : await startMonitor({ ...config.metrics, metrics, log });
  opened.defer(() => monitor?.stop());
  const identity = config.tlsFiles === undefined ? undefined : readIdentity(config.tlsFiles);
  const clock = new SharedClock(Date.now);
  const store = await openStore(place, { metrics, log, now: () => clock.now() });
  opened.defer(() => store.close());
  if (place.name === "cluster") await checkShared(place.shared, log);
  const security = openSecurityLog(config, log);
  opened.defer(() => security.close());
  const server = await startServer({
    store,
    host: config.host,
    port,
    plainFrom,
    tlsPort,
    balancers: config.balancers,
    meeting: config.meeting,
    identity,
    log,
    now: () => clock.now(),
    shared: place.name === "cluster" ? { url: place.shared, name: hostname(), clock } : undefined,
    limits: config.limits,
    registration: config.registration,
    security,
    metrics,
  }).catch((error: unknown) => {
    throw explained(place, error);
  });
  opened.move();
  host.on("uncaughtException", (error) => log.error("uncaught_exception", error));
  host.on("unhandledRejection", (error) => log.error("unhandled_rejection", error));
  if (plainFrom === "private" || plainFrom === "any") {
    log.warn("plain_link", { from: plainFrom, warning: PLAIN_WARNING[language] });
  }
  // Of several servers, the operator's commands use what they share.
  const admin = place.name === "file" ? openAdminSocket(place.path, server.services) : undefined;
  monitor?.started(server);
  security.record("server_started", { pid: process.pid });
  const stop = async () => {
    admin?.close();
    await server.stop();
    monitor?.stop();
    security.record("server_stopped", { pid: process.pid });
    security.close();
  };
  stopOnSignals(stop, log, host);

  say({ es: "Base de datos inicializada correctamente", en: "Database ready" });
  if (server.plain === undefined) say({ es: "Puerto sin cifrar cerrado", en: "Unencrypted port closed" });
  else {
    const address = showHostPort(server.plain.host, server.plain.port);
    say({ es: `Servidor iniciado en ${address}`, en: `Server started on ${address}` });
  }
  const address = showHostPort(server.tls.host, server.tls.port);
  const shown = showFingerprint(server.fingerprint);
  say({
    es: `TLS en ${address}, huella de la autoridad ${shown}`,
    en: `TLS on ${address}, authority fingerprint ${shown}`,
  });
  if (monitor !== undefined) {
    log.info("monitor", { url: `http://${showHostPort(monitor.host, monitor.port)}/` });
  }
  say({ es: "Esperando conexiones...", en: "Waiting for connections..." });
}

type StoreNeeds = { readonly metrics: Metrics; readonly log: Log; readonly now: () => number };

/** @throws StartError */
async function openStore(place: Place, { metrics, log, now }: StoreNeeds): Promise<Store> {
  const observe = (took: number) => metrics.database(took);
  if (place.name === "cluster") {
    return openPostgres(place.postgres, {
      now,
      observe,
      replaced: () => log.warn("database_connections_replaced"),
    });
  }
  let reported = 0;
  const database = await openDatabase(place.path, (step) => {
    if (step.name === "hash") {
      if (reported > 0 && step.done - reported < 1_000) return;
      reported = step.done;
    }
    log.info("seed_takeover", {
      step: step.name,
      ...(step.name === "hash" ? { done: step.done, total: step.total } : {}),
    });
  });
  try {
    logRefusedNames(refusedNames(database), log);
    return new SqliteStore(database, {
      now,
      observe,
      failed: (error) => log.error("token_uses_not_written", error),
    });
  } catch (error) {
    database.close();
    throw explained(place, error);
  }
}

/** An error of the database at the start as a sentence. */
function explained(place: Place, error: unknown): unknown {
  if (place.name === "cluster") return cannotUsePostgres(place.postgres, error);
  return error instanceof SQLiteError ? cannotOpen(place.path, error) : error;
}

const PLAIN_WARNING: Bilingual = {
  es: "Los clientes sin cifrar envían sus contraseñas legibles por la red",
  en: "Clients on the unencrypted port send passwords in the clear over the network",
};

function stopOnSignals(stop: () => Promise<void>, log: Log, host: HostProcess): void {
  let stopping = false;
  const onSignal = (signal: string) => {
    // A second signal ends the process at once; everything that was acknowledged is on the disk.
    if (stopping) host.exit(EXIT_FAILED);
    stopping = true;
    log.info("stopping", { signal });
    stop().then(
      () => host.exit(0),
      (error: unknown) => {
        log.error("stop_failed", error);
        host.exit(EXIT_FAILED);
      },
    );
  };
  host.on("SIGINT", () => onSignal("SIGINT"));
  host.on("SIGTERM", () => onSignal("SIGTERM"));
}

function logRefusedNames(names: readonly string[], log: Log): void {
  for (const user of names.slice(0, MAX_LOGGED_NAMES)) log.warn("seed_name_refused", { user });
  const further = names.length - MAX_LOGGED_NAMES;
  if (further > 0) log.warn("seed_names_refused", { further });
}

/** @throws StartError for files that cannot be read, or a key that does not match the certificate */
function readIdentity(files: { certificate: string; key: string }): TlsIdentity {
  const certificate = readFile(files.certificate);
  const key = readFile(files.key);
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return { certificate, key };
  } catch (error) {
    throw new StartError(
      {
        es: `El certificado «${quotedText(files.certificate)}» o la clave «${quotedText(files.key)}» no es un PEM válido`,
        en: `The certificate “${quotedText(files.certificate)}” or the key “${quotedText(files.key)}” is not valid PEM`,
      },
      error,
    );
  }
  throw new StartError({
    es: `La clave «${quotedText(files.key)}» no es la del certificado «${quotedText(files.certificate)}»`,
    en: `The key “${quotedText(files.key)}” does not belong to the certificate “${quotedText(files.certificate)}”`,
  });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errorCode(error);
    throw new StartError(
      {
        es: `No se puede leer «${quotedText(path)}» (${code})`,
        en: `Cannot read “${quotedText(path)}” (${code})`,
      },
      error,
    );
  }
}
