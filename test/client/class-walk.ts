/** Orders of events of `class-model.ts`: every one of them by depth-first search, in which no state may come again, or one at random. */
import { seededRandom } from "../seeded-random.ts";
import { check, checkEnd, copyOf, keyOf, movesOf, newClassWorld, type ClassWorld } from "./class-model.ts";

/** @throws Error with the path to the first wrong state. @returns the number of states */
export function exploreClasses(start: ClassWorld): number {
  const seen = new Map<string, "under way" | "done">();
  const path: string[] = [];
  const visit = (world: ClassWorld): void => {
    check(world);
    const key = keyOf(world);
    const mark = seen.get(key);
    if (mark === "under way") throw new Error("it goes round for ever");
    if (mark === "done") return;
    seen.set(key, "under way");
    const moves = movesOf(world);
    if (moves.length === 0) checkEnd(world);
    for (const { name, run } of moves) {
      path.push(name);
      const next = copyOf(world);
      run(next);
      visit(next);
      path.pop();
    }
    seen.set(key, "done");
  };
  inPath(path, () => visit(start));
  return seen.size;
}

/** The events of this seed in an order of it, until nothing is left to happen. @throws Error with the seed and the path */
export function walkClasses(seed: number): void {
  const random = seededRandom(seed);
  const budget = { changes: random.integer(3), deaths: random.integer(3), moves: random.integer(3) };
  const path = [`seed ${seed}`];
  inPath(path, () => {
    const world = newClassWorld(random.next() < 0.6, budget);
    for (let moves = movesOf(world); moves.length > 0; moves = movesOf(world)) {
      const move = random.pick(moves);
      path.push(move.name);
      move.run(world);
      check(world);
    }
    checkEnd(world);
  });
}

function inPath(path: readonly string[], run: () => void): void {
  try {
    run();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n  after: ${path.join("\n         ")}`, { cause: error });
  }
}
