/**
 * With `hold`: takes the lock of a profile folder until its input ends, or says who has it.
 * With `read`: reads who holds it, over and over, as one who was refused does once.
 */
import { Database } from "bun:sqlite";

import { lockFile } from "../../src/client/disk/folders.ts";
import { ProfileLock, ProfileLockedError } from "../../src/client/disk/lock.ts";

const [what = "", folder = "", command = ""] = process.argv.slice(2);
let inputEnded = false;
const inputEnd = Bun.stdin.text().then(() => (inputEnded = true));

if (what === "read") {
  const database = new Database(lockFile(folder), { readonly: true });
  console.log(JSON.stringify({ held: false }));
  while (!inputEnded) {
    for (let round = 0; round < 100; round++) {
      try {
        database.query("SELECT pid, command FROM owner").get();
      } catch (error) {
        if ((error as { code?: string }).code !== "SQLITE_BUSY") throw error;
      }
    }
    await new Promise(setImmediate);
  }
} else {
  try {
    const lock = ProfileLock.acquire(folder, { pid: process.pid, command });
    console.log(JSON.stringify({ held: true }));
    await inputEnd;
    lock.release();
  } catch (error) {
    if (!(error instanceof ProfileLockedError)) throw error;
    console.log(JSON.stringify({ held: false, owner: error.owner }));
    process.exit(0);
  }
}
