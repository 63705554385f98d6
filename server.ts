#!/usr/bin/env -S bun --no-env-file --config=/dev/null
/**
 * The rendezvous server's program; what it takes and prints is in src/server/main.ts.
 * As a command of its own it reads no .env and no bunfig.toml: the folder in which it is started may be anybody's.
 */
import { runtimeRefusal } from "./src/protocol/start/runtime.ts";

const refusal = runtimeRefusal();
if (refusal === undefined) {
  const { main } = await import("./src/server/main.ts");
  await main(process.argv.slice(2));
} else {
  console.error(refusal);
  process.exitCode = 1;
}
