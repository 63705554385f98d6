/** The rendezvous server's program; what it takes and prints is in src/server/main.ts. */
import { runtimeRefusal } from "./src/protocol/runtime.ts";

const refusal = runtimeRefusal();
if (refusal === undefined) {
  const { main } = await import("./src/server/main.ts");
  await main(process.argv.slice(2), process.env);
} else {
  console.error(refusal);
  process.exitCode = 1;
}
