/**
 * The operator's program on the store of several servers, which open no socket for it: it changes PostgreSQL itself, and
 * then tells all servers through Valkey. What it cannot tell they find out within a minute.
 */
import type { Bilingual } from "../../protocol/language.ts";
import { errorCode } from "../../net/error-code.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { PasswordQueue } from "../limits/password-queue.ts";
import type { SecurityLog } from "../log/security-log.ts";
import { shownServer, type Place } from "../place.ts";
import { OperatorSeats } from "../shared/operator-seats.ts";
import { ValkeyBusy } from "../shared/valkey.ts";
import { StartError } from "../start-error.ts";
import { cannotUsePostgres, openPostgres } from "../store/open-postgres.ts";
import { StoreBusy } from "../store/store.ts";
import { noAnswer, type AdminLink } from "./link.ts";
import { isRead } from "./messages.ts";
import { AdminOperations } from "./operations.ts";

/** @param warn is told what was done and could not be told to the servers. @throws StartError */
export async function openCluster(
  { postgres, shared }: Place & { readonly name: "cluster" },
  openSecurity: () => SecurityLog,
  warn: (sentence: Bilingual) => void,
): Promise<AdminLink> {
  const store = await openPostgres(postgres, { now: Date.now });
  const seats = new OperatorSeats(shared);
  let security: SecurityLog | undefined;
  const close = async () => {
    security?.close();
    seats.close();
    await store.close();
  };
  /** News that were not confirmed yet, in their order. */
  let told = Promise.resolve();
  const tell = (news: () => Promise<void>) => {
    told = told.then(news).catch((error: unknown) => warn(untold(shared, error)));
    return told;
  };
  try {
    security = openSecurity();
    const operations = new AdminOperations({
      store,
      revocations: {
        changed({ revocation }) {
          if (revocation !== undefined) void tell(() => seats.revoked(JSON.stringify(revocation)));
        },
      },
      security,
      presence: seats,
      seats: { end: (fold, why) => tell(() => seats.end(fold, why)) },
      passwords: new PasswordQueue({ limit: 1 }),
    });
    return {
      async ask(request) {
        try {
          const reply = await operations.run(request);
          await told;
          return reply;
        } catch (error) {
          if (error instanceof ValkeyBusy) throw cannotUseValkey(shared, error);
          if (!(error instanceof StoreBusy)) throw error;
          throw isRead(request.command)
            ? cannotUsePostgres(postgres, error)
            : noAnswer(error.code, false, error);
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function cannotUseValkey(url: string, { cause }: ValkeyBusy): StartError {
  const [shown, code] = [shownServer(url), errorCode(cause)];
  return new StartError(
    {
      es: `No se puede usar «${quotedText(shown)}» (${code})`,
      en: `Cannot use “${quotedText(shown)}” (${code})`,
    },
    cause,
    "shared_unavailable",
  );
}

function untold(url: string, error: unknown): Bilingual {
  const code = errorCode(error instanceof ValkeyBusy ? error.cause : error);
  const shown = shownServer(url);
  return {
    es: `Hecho, pero no se ha podido avisar a los servidores por «${quotedText(shown)}» (${code}): lo sabrán antes de un minuto`,
    en: `Done, but the servers could not be told through “${quotedText(shown)}” (${code}): they will know within a minute`,
  };
}
