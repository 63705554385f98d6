/** Opens the PostgreSQL store, or says in one sentence why that cannot be. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { errorCode } from "../../net/error-code.ts";
import { shownServer } from "../place.ts";
import { StartError } from "../start-error.ts";
import { WrongSchema } from "./postgres-schema.ts";
import { PostgresStore, type PostgresOptions } from "./postgres-store.ts";

/** @throws StartError */
export async function openPostgres(url: string, options: PostgresOptions): Promise<PostgresStore> {
  try {
    return await PostgresStore.open(url, options);
  } catch (error) {
    throw cannotUsePostgres(url, error);
  }
}

/** The sentence for an error of PostgreSQL. Its own text may quote what is secret, and is not shown. */
export function cannotUsePostgres(url: string, error: unknown): StartError {
  const shown = shownServer(url);
  if (error instanceof StartError) return error;
  if (error instanceof WrongSchema) {
    const { what } = error;
    return what === "not_ours"
      ? new StartError(
          {
            es: `En «${quotedText(shown)}» hay tablas de otro programa: dé una base de datos vacía`,
            en: `“${quotedText(shown)}” has tables of another program: give an empty database`,
          },
          error,
          what,
        )
      : new StartError(
          {
            es: `«${quotedText(shown)}» es de una versión más nueva de este programa`,
            en: `“${quotedText(shown)}” belongs to a newer version of this program`,
          },
          error,
          what,
        );
  }
  const code = errorCode(error);
  return new StartError(
    {
      es: `No se puede usar «${quotedText(shown)}» (${code})`,
      en: `Cannot use “${quotedText(shown)}” (${code})`,
    },
    error,
    "database_unavailable",
  );
}
