/** A folder for each test of a file, and processes that are ended with it. */
import { afterEach, beforeEach } from "bun:test";

import { temporaryFolder } from "./server-process.ts";

export type Running = { kill(signal: NodeJS.Signals): void; readonly exited: Promise<number> };

/**
 * @param begin is given the folder of each test before it begins
 * @returns where a test puts the processes that it starts
 */
export function folderForEachTest(begin: (path: string) => void): Running[] {
  const running: Running[] = [];
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
    begin(folder.path);
  });
  afterEach(async () => {
    for (const each of running) each.kill("SIGKILL");
    await Promise.all(running.splice(0).map((each) => each.exited));
    folder.remove();
  });
  return running;
}
