/** Calls of the disk at once for one folder: more would delay the disk for everything else of this process. */
const AT_ONCE = 16;

/**
 * Does `work` for each element, several at once, in order of their begin. After a failure nothing new begins.
 * @throws the first failure, when nothing is running any more
 */
export async function inParallel<T>(
  list: Iterable<T>,
  work: (element: T) => Promise<unknown>,
): Promise<void> {
  const rest = list[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (let next = rest.next(); failures.length === 0 && next.done !== true; next = rest.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failures.length > 0) throw failures[0];
}
