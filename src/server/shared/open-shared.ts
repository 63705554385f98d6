/** Looks at the Valkey (or Redis) that several servers share, or says in one sentence why it cannot be used. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { Log } from "../log/log.ts";
import { shownServer } from "../place.ts";
import { StartError } from "../start-error.ts";
import { Valkey, ValkeyBusy } from "./valkey.ts";

const PATIENCE = 3_000;
/** The only policy under which nothing that was written disappears. */
const POLICY = "noeviction";

/** @throws StartError */
export async function checkShared(url: string, log: Pick<Log, "warn">): Promise<void> {
  const valkey = new Valkey(url, PATIENCE);
  try {
    await valkey.send("PING", []);
    const policy = await valkey.send("CONFIG", ["GET", "maxmemory-policy"]).catch(() => undefined);
    if (policyIn(policy) !== POLICY)
      log.warn("shared_may_forget", { policy: policyIn(policy), wanted: POLICY });
  } catch (error) {
    throw cannotUse(url, error);
  } finally {
    valkey.close();
  }
}

/** Undefined: it may not be asked for. */
function policyIn(answer: unknown): string | undefined {
  const policy = (answer as { readonly "maxmemory-policy"?: unknown } | undefined)?.["maxmemory-policy"];
  return typeof policy === "string" ? policy : undefined;
}

function cannotUse(url: string, error: unknown): StartError {
  const shown = shownServer(url);
  const cause = error instanceof ValkeyBusy ? error.cause : error;
  // Its own text is only the first word of what the server says, such as NOAUTH or WRONGPASS.
  const code = cause instanceof Error ? (/^[A-Z]{4,}\b/.exec(cause.message)?.[0] ?? "") : "";
  const why = code === "" ? "" : ` (${code})`;
  return new StartError(
    { es: `No se puede usar «${quotedText(shown)}»${why}`, en: `Cannot use “${quotedText(shown)}”${why}` },
    error,
    "shared_unavailable",
  );
}
