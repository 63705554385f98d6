/** Loaded before each file of tests. */
import { existsSync, statfsSync } from "node:fs";

const MEMORY = "/dev/shm";
/** What all files of a run may need at once, in bytes. */
const NEEDED = 2 * 1024 ** 3;

// What runs in this process draws in colours, wherever the tests print.
process.env["FORCE_COLOR"] = "1";

// A disk in memory spares the many databases of the tests their waits for a real one.
if (existsSync(MEMORY)) {
  const { bavail, bsize } = statfsSync(MEMORY);
  if (bavail * bsize >= NEEDED) process.env["TMPDIR"] = MEMORY;
}
