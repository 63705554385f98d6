/** The server's flags and variables (CLI.md). */
import { isIP } from "node:net";

import type { Language } from "../protocol/language.ts";
import { readOptions, UsageError } from "../protocol/options.ts";
import type { LogStyle } from "./log.ts";
import type { PlainFrom } from "./services.ts";

const OPTIONS = {
  host: { type: "text" },
  port: { type: "integer", min: 0, max: 65_535 },
  "plain-from": { type: "choice", of: ["loopback", "private", "any", "none"] },
  "tls-port": { type: "integer", min: 0, max: 65_535 },
  "tls-cert": { type: "text" },
  "tls-key": { type: "text" },
  db: { type: "text" },
  log: { type: "choice", of: ["pretty", "json"] },
  lang: { type: "choice", of: ["es", "en"] },
  help: { type: "switch" },
  version: { type: "switch" },
} as const;

export type ServerConfig = {
  /** An IP literal, or undefined for all addresses. */
  readonly host: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  readonly plainFrom: PlainFrom;
  readonly tlsPort: number;
  /** Paths of the operator's PEM files. */
  readonly tlsFiles: { readonly certificate: string; readonly key: string } | undefined;
  readonly databasePath: string;
  /** Undefined: by what standard error is. */
  readonly logStyle: LogStyle | undefined;
};

export type Invocation =
  | { readonly name: "help" }
  | { readonly name: "version" }
  | { readonly name: "run"; readonly config: ServerConfig };

type Environment = { readonly [name: string]: string | undefined };

/** @throws UsageError in `language`. */
export function readConfig(
  args: readonly string[],
  environment: Environment,
  language: Language,
): Invocation {
  const { values, positionals } = readOptions(OPTIONS, args, environment, language);
  if (values.help === true) return { name: "help" };
  if (values.version === true) return { name: "version" };
  const say = (es: string, en: string) => new UsageError(language === "es" ? es : en);
  const [extra] = positionals;
  if (extra !== undefined) throw say(`Argumento desconocido: ${extra}`, `Unknown argument: ${extra}`);
  const certificate = values["tls-cert"];
  const key = values["tls-key"];
  if ((certificate === undefined) !== (key === undefined)) {
    throw say("--tls-cert y --tls-key van juntos", "--tls-cert and --tls-key go together");
  }
  if (values.host !== undefined && values.host !== "localhost" && isIP(values.host) === 0) {
    throw say("--host: se esperaba una dirección IP", "--host: expected an IP address");
  }
  const port = values.port ?? 8080;
  const tlsPort = values["tls-port"] ?? 8443;
  const plainFrom = values["plain-from"] ?? "loopback";
  if (port === tlsPort && port !== 0 && plainFrom !== "none") {
    throw say("--port y --tls-port tienen que ser distintos", "--port and --tls-port must differ");
  }
  return {
    name: "run",
    config: {
      host: values.host === "localhost" ? "127.0.0.1" : values.host,
      port,
      plainFrom,
      tlsPort,
      tlsFiles: certificate === undefined || key === undefined ? undefined : { certificate, key },
      databasePath: values.db ?? "users.db",
      logStyle: values.log,
    },
  };
}
