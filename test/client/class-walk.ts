/** Orders of events of `class-model.ts`: every one of them by depth-first search, in which no state may come again, or one at random. */
import { seededRandom } from "../seeded-random.ts";
import { check, checkEnd, copyOf, keyOf, movesOf, newClassWorld, type ClassWorld } from "./class-model.ts";
import { inPath, searchAll } from "./exhaustive-search.ts";

/** @throws as `searchAll`. @returns the number of states */
export function exploreClasses(start: ClassWorld): number {
  return searchAll({ check, checkEnd, copyOf, keyOf, movesOf }, start).states;
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
