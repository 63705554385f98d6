#!/usr/bin/env -S bun --no-env-file --config=/dev/null
/**
 * The client: one-shot commands, or the menus and the chat at a terminal.
 * As a command of its own it reads no .env and no bunfig.toml: the folder in which it is started may be anybody's.
 */
import { runtimeRefusal } from "./src/protocol/start/runtime.ts";

const refusal = runtimeRefusal();
if (refusal !== undefined) {
  console.error(refusal);
  process.exit(1);
}

// Imported late: an old runtime must get its sentence before it meets what it cannot run.
const { runClient } = await import("./src/ui/main.ts");
process.exitCode = await runClient(process.argv.slice(2));
// Whatever may still be open (a dial that cannot be cancelled) is nothing to wait for.
process.exit();
