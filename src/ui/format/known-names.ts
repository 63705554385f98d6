/** Everyone whose name this screen has seen, so that two that look alike are told apart from then on. */
import { nameBook, type NameBook } from "./name-book.ts";

/** Names beyond these are shown without being compared: the oldest are forgotten first. */
const MAX_NAMES = 10_000;

export class KnownNames {
  /** From name to label. */
  readonly #labels = new Map<string, string>();
  #book: NameBook = new Map();

  get book(): NameBook {
    return this.#book;
  }

  /** @returns whether there is anybody new, and so another book. */
  add(people: readonly { readonly username: string; readonly label: string }[]): boolean {
    const before = this.#labels.size;
    for (const { username, label } of people) this.#labels.set(username, label);
    if (this.#labels.size === before) return false;
    for (const name of this.#labels.keys()) {
      if (this.#labels.size <= MAX_NAMES) break;
      this.#labels.delete(name);
    }
    this.#book = nameBook([...this.#labels].map(([username, label]) => ({ username, label })));
    return true;
  }
}
