/** The texts typed before in the chats of one account, which the arrow keys recall. */

export const MAX_HISTORY = 200;
/** Longer texts are not kept, in UTF-16 units. */
const MAX_HISTORY_TEXT = 4_096;

export class LineHistory {
  /** Newest first. */
  #texts: string[] = [];
  /** Index of the text shown; -1: the text being typed. */
  #index = -1;
  #draft = "";

  /** Adds a text unless it repeats the last one or is empty or too long; the arrow keys start at the newest again. */
  add(text: string): void {
    this.#index = -1;
    if (text.trim() === "" || text.length > MAX_HISTORY_TEXT || text === this.#texts[0]) return;
    this.#texts = [text, ...this.#texts].slice(0, MAX_HISTORY);
  }

  /**
   * The line is closed: drops the texts with its placeholders, whose pasted texts are not kept, and what was being
   * typed; the next line starts at the newest text.
   */
  leave(placeholders: readonly string[]): void {
    this.#index = -1;
    this.#draft = "";
    this.#texts = this.#texts.filter((text) => !placeholders.some((each) => text.includes(each)));
  }

  /** Drops every text that contains `part`. */
  forget(part: string): void {
    this.#index = -1;
    this.#texts = this.#texts.filter((text) => !text.includes(part));
  }

  /** Moves to the text before the one shown; undefined if there is none. @param shown the text in the line */
  older(shown: string): string | undefined {
    const older = this.#texts[this.#index + 1];
    if (older === undefined) return undefined;
    if (this.#index < 0) this.#draft = shown;
    this.#index++;
    return older;
  }

  /** Moves to the text after the one shown, at last to the text that was being typed; undefined if that is shown. */
  newer(): string | undefined {
    if (this.#index < 0) return undefined;
    this.#index--;
    return this.#index < 0 ? this.#draft : this.#texts[this.#index];
  }
}
