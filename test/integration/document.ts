/** A document of the repository: its blocks, tables, headings and links. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const ROOT = join(import.meta.dir, "../..");

export type Block = {
  readonly language: string;
  readonly lines: readonly string[];
  /** Of the document, from 1. */
  readonly line: number;
};

/** A line that is typed: whose terminal it is (empty: nobody's), and what is printed behind it. */
export type Typed = {
  readonly person: string;
  readonly command: string;
  readonly printed: readonly string[];
};

export class Document {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Everything outside the blocks. */
  readonly #prose: readonly string[];

  constructor(path: string) {
    this.path = path;
    this.text = readFileSync(join(ROOT, path), "utf8");
    const blocks: Block[] = [];
    const prose: string[] = [];
    let open: { language: string; lines: string[]; line: number } | undefined;
    this.text.split("\n").forEach((text, index) => {
      if (text.startsWith("```")) {
        if (open === undefined) open = { language: text.slice(3).trim(), lines: [], line: index + 1 };
        else {
          blocks.push(open);
          open = undefined;
        }
      } else (open?.lines ?? prose).push(text);
    });
    this.blocks = blocks;
    this.#prose = prose;
  }

  get tableRows(): readonly string[] {
    return this.#prose.filter((line) => line.startsWith("|"));
  }

  /** The anchors of its headings. */
  get anchors(): ReadonlySet<string> {
    const headings = this.#prose.filter((line) => /^#+ /.test(line));
    return new Set(
      headings.map((heading) =>
        heading
          .replace(/^#+ /, "")
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}\s-]/gu, "")
          .replaceAll(" ", "-"),
      ),
    );
  }

  /** Its links into the repository: a path from the root, and an anchor or an empty text. */
  get links(): readonly { readonly path: string; readonly anchor: string }[] {
    const targets = [...this.#prose.join("\n").matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    return targets
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => {
        const [path = "", anchor = ""] = target.split("#");
        const whole = path === "" ? this.path : relative(ROOT, join(ROOT, dirname(this.path), path));
        return { path: whole, anchor };
      });
  }

  /** The lines of a block that begin with `$` or a name and `$`, each with what stands behind it. */
  static typedIn({ lines }: Block): readonly Typed[] {
    const typed: { person: string; command: string; printed: string[] }[] = [];
    for (const line of lines) {
      const [, person = "", command] = /^(\w*)\$ (.+)$/.exec(line) ?? [];
      if (command !== undefined) typed.push({ person, command, printed: [] });
      else if (typed.length === 0) throw new Error(`before the first command: ${line}`);
      else typed.at(-1)?.printed.push(line);
    }
    return typed;
  }
}

export const DOCUMENTS: readonly Document[] = ["README.md", ...new Bun.Glob("src/**/*.md").scanSync(ROOT)]
  .sort()
  .map((path) => new Document(path));
