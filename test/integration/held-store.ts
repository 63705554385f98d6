/** A store whose answers can be held back, so that a test decides what happens between reading and using them. */
import type { Store } from "../../src/server/store/store.ts";

type Method = {
  [M in keyof Store]: Store[M] extends (...args: never[]) => Promise<unknown> ? M : never;
}[keyof Store];

/** The next answer of a method, which the store has and its caller does not yet. */
export type HeldAnswer = { readonly reached: Promise<void>; release(): void };

export class HeldStore {
  readonly #held = new Map<PropertyKey, { reached(): void; released: Promise<void> }[]>();

  wrap(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          const held = this.#held.get(name)?.shift();
          const answer: unknown = await Reflect.apply(value, target, args);
          held?.reached();
          await held?.released;
          return answer;
        };
      },
    });
  }

  /** Holds back the next answer of this method that nothing else holds. */
  hold(method: Method): HeldAnswer {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const waiting = this.#held.get(method) ?? [];
    this.#held.set(method, waiting);
    waiting.push({ reached: reached.resolve, released: released.promise });
    return { reached: reached.promise, release: released.resolve };
  }
}
