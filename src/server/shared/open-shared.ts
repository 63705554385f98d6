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
  // What it says itself begins with a word such as LOADING. Bun gives no reason why a handshake failed.
  const code = cause instanceof Error ? /^[A-Z]{4,}\b/.exec(cause.message)?.[0] : undefined;
  return new StartError(
    {
      es: `No se puede usar «${quotedText(shown)}» (${code ?? "no responde, o la contraseña o el TLS no son los suyos"})`,
      en: `Cannot use “${quotedText(shown)}” (${code ?? "it does not answer, or the password or TLS is not its own"})`,
    },
    error,
    "shared_unavailable",
  );
}
