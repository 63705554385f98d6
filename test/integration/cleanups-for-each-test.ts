/** What a test has begun is undone when it has ended. */
import { afterEach } from "bun:test";

/** @returns where a test puts how to undo what it begins; that runs after the test, the last one first */
export function cleanupsForEachTest(): (() => unknown)[] {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return cleanups;
}
