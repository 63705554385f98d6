/** The people whom screens show in a list: their presence is watched while the list is open. */
import { label as labelOf } from "../../identity/names.ts";

/** Most people of one face; that many names fit into a request. */
export const MAX_LISTED = 500;

export class WatchedPeople {
  /** For each face the names by label. */
  readonly #byFace = new Map<object, ReadonlyMap<string, string>>();

  /** Replaces the people of a face. @param usernames empty: it shows no list any more */
  set(face: object, usernames: readonly string[]): void {
    if (usernames.length === 0) this.#byFace.delete(face);
    else this.#byFace.set(face, new Map(usernames.map((username) => [labelOf(username), username])));
  }

  has(username: string): boolean {
    const label = labelOf(username);
    return this.#byFace.values().some((people) => people.has(label));
  }

  /** Each person once. */
  get usernames(): string[] {
    const all = new Map(this.#byFace.values().flatMap((people) => people));
    return [...all.values()];
  }
}
