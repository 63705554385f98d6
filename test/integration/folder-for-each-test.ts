/** A folder for each test of a file, and what runs there and is ended with it. */
import { afterEach, beforeEach } from "bun:test";

import { temporaryFolder } from "./server-process.ts";

export type Running = { end(): Promise<unknown> };

/**
 * @param begin is given the folder of each test before it begins
 * @returns where a test puts what it starts
 */
export function folderForEachTest(begin: (path: string) => void): Running[] {
  const running: Running[] = [];
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
    begin(folder.path);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.end()));
    folder.remove();
  });
  return running;
}
