/** The program `server.ts` (CLI.md). */
import { existsSync, readFileSync } from "node:fs";

import { variable } from "../protocol/environment.ts";
import { chosenLanguage, type Language } from "../protocol/language.ts";
import { UsageError } from "../protocol/options.ts";
import { notUtf8 } from "../protocol/start/start-bytes.ts";
import { versionText } from "../protocol/start/version.ts";
import { visibleText } from "../protocol/visible-text.ts";
import { printFailure, runAdmin } from "./admin/program.ts";
import { readConfig } from "./config.ts";
import { StartError } from "./start-error.ts";
import { ADMIN_HELP, HELP } from "./help.ts";
import type { HostProcess } from "./host-process.ts";
import { serve } from "./serve.ts";

/** Exit codes (CLI.md). */
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Runs the server until it is stopped, or one of its operator's commands, and sets the exit code of its process. */
export async function main(args: readonly string[], host: HostProcess = process): Promise<void> {
  const environment = host.env;
  const language = chosenLanguage(args, environment);
  try {
    const fault = notUtf8(args, environment, startBytes, language);
    if (fault !== undefined) throw new UsageError(fault);
    const invocation = readConfig(args, environment, language);
    if (invocation.name !== "admin") reportLostOutput(language, host);
    switch (invocation.name) {
      case "help":
        host.stdout.write(HELP[language]);
        return;
      case "adminHelp":
        host.stdout.write(ADMIN_HELP[language]);
        return;
      case "version":
        host.stdout.write(`paloma-server ${versionText(Bun.spawnSync)}\n`);
        return;
      case "run":
        await serve(invocation.config, language, host);
        return;
      case "admin":
        host.exitCode = await runAdmin(invocation.config, language, host);
        return;
      default:
        return invocation satisfies never;
    }
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof StartError)) throw error;
    const isUsage = error instanceof UsageError;
    const sentence = visibleText(isUsage ? error.message : error.sentence[language]);
    host.stderr.write(`${sentence}\n`);
    host.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED;
    if (isReadByProgram(args, environment))
      await printFailure(isUsage ? "usage" : error.code, sentence, host);
  }
}

function startBytes(name: "cmdline" | "environ"): Uint8Array | undefined {
  const file = `/proc/self/${name}`;
  return existsSync(file) ? readFileSync(file) : undefined;
}

/** Reports output that cannot be written, to a full disk for example. The server goes on. */
function reportLostOutput(language: Language, host: HostProcess): void {
  host.stdout.once("error", (error: NodeJS.ErrnoException) => {
    host.stdout.on("error", () => undefined);
    // The reader has ended.
    if (error.code === "EPIPE") return;
    const sentence = language === "es" ? "No se puede escribir la salida" : "The output could not be written";
    host.stderr.write(`${sentence} (${error.code ?? error.message})\n`);
    host.exitCode = EXIT_FAILED;
  });
}

/** Whether `admin` was given `--json`, although the options could not be read. */
function isReadByProgram([first, ...others]: readonly string[], environment: NodeJS.ProcessEnv): boolean {
  if (first !== "admin") return false;
  return (
    others.includes("--json") || /^(?:1|true|yes|s[ií])$/i.test(variable(environment, "PALOMA_JSON") ?? "")
  );
}
