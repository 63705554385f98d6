/** What was typed before, as the arrow keys bring it back. */

export const MAX_HISTORY = 200;
/** UTF-16 units of one text that is kept. */
const MAX_HISTORY_TEXT = 4_096;

export class LineHistory {
  /** Newest first. */
  #texts: string[];
  /** The text that is shown; -1: what is being typed. */
  #index = -1;
  #draft = "";

  /** @param texts Newest first. */
  constructor(texts: readonly string[]) {
    this.#texts = texts.slice(0, MAX_HISTORY);
  }

  /** Keeps a text, unless it is the last one again, empty or very long; the arrow keys begin at the newest again. */
  add(text: string): void {
    this.#index = -1;
    if (text.trim() === "" || text.length > MAX_HISTORY_TEXT || text === this.#texts[0]) return;
    this.#texts = [text, ...this.#texts].slice(0, MAX_HISTORY);
  }

  /** The texts that hold none of these placeholders: what was pasted is kept no longer than its line. */
  without(placeholders: readonly string[]): readonly string[] {
    return this.#texts.filter((text) => !placeholders.some((each) => text.includes(each)));
  }

  /** Drops every text that holds the part. */
  forget(part: string): void {
    this.#index = -1;
    this.#texts = this.#texts.filter((text) => !text.includes(part));
  }

  /** The text before the one that is shown; undefined: there is none. */
  older(shown: string): string | undefined {
    const older = this.#texts[this.#index + 1];
    if (older === undefined) return undefined;
    if (this.#index < 0) this.#draft = shown;
    this.#index++;
    return older;
  }

  /** The text after the one that is shown, in the end what was being typed; undefined: that is shown. */
  newer(): string | undefined {
    if (this.#index < 0) return undefined;
    this.#index--;
    return this.#index < 0 ? this.#draft : this.#texts[this.#index];
  }
}
