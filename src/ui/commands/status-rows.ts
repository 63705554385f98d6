/** Rows at the bottom of a terminal, below everything else that is printed, which are drawn again and again. */
import { mostColumns } from "../format/column-width.ts";

/** Room at the end of each row: `^C`, as a terminal shows it, does not begin another one. */
const MARGIN = 3;

export class StatusRows {
  #rows: readonly string[] = [];

  /** The most columns of a row. @param columns of the terminal */
  static width(columns: number): number {
    return Math.max(1, columns - MARGIN);
  }

  /** Puts these in the place of the others; the cursor stays behind the last one. @param columns of the terminal, now */
  replaced(rows: readonly string[], columns: number): string {
    const erased = this.erased(columns);
    this.#rows = rows;
    return erased + this.drawn;
  }

  get drawn(): string {
    return this.#rows.join("\n");
  }

  /** Makes room for what is printed above. A terminal that has become narrower has broken them into more rows. */
  erased(columns: number): string {
    if (this.#rows.length === 0) return "";
    const broken = this.#rows.map((row) => Math.max(1, Math.ceil(mostColumns(row) / columns)));
    const up = broken.reduce((sum, rows) => sum + rows, -1);
    // Row by row: tmux keeps what is erased as a whole screen.
    return `\r\x1b[K${"\x1b[A\x1b[K".repeat(up)}`;
  }
}
