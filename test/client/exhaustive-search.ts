/** Tries all that can happen in a model, by depth-first search in which no state may come again on one path. */

export type Move<W> = { readonly name: string; readonly run: (world: W) => void };

export type Model<W> = {
  /** To be called with every state. @throws Error if it is wrong */
  readonly check: (world: W) => void;
  /** As `check`, with a state in which nothing more can happen. */
  readonly checkEnd: (world: W) => void;
  readonly copyOf: (world: W) => W;
  /** The same for states of which the same follows. */
  readonly keyOf: (world: W) => string;
  readonly movesOf: (world: W) => readonly Move<W>[];
};

/** @returns the number of states, and of those that are ends. @throws Error with the path to the first wrong state */
export function searchAll<W>(model: Model<W>, start: W): { states: number; ends: number } {
  const { check, checkEnd, copyOf, keyOf, movesOf } = model;
  const seen = new Map<string, "under way" | "done">();
  const path: string[] = [];
  let ends = 0;
  const visit = (world: W): void => {
    check(world);
    const key = keyOf(world);
    const mark = seen.get(key);
    if (mark === "under way") throw new Error("it goes round for ever");
    if (mark === "done") return;
    seen.set(key, "under way");
    const moves = movesOf(world);
    if (moves.length === 0) {
      checkEnd(world);
      ends++;
    }
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
  return { states: seen.size, ends };
}

/** @throws the error of `run`, with the path */
export function inPath(path: readonly string[], run: () => void): void {
  try {
    run();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n  after: ${path.join("\n         ")}`, { cause: error });
  }
}
