/** PROTOCOL 1 implemented a second time, slowly, and without code of the program. */

export type ModelObject = { readonly [name: string]: unknown };
export type ModelItem =
  | { readonly name: "object"; readonly object: ModelObject }
  | { readonly name: "garbage" }
  | { readonly name: "tooLarge" };

const LINE_FEED = 0x0a;

export class FrameModel {
  readonly #limit: number;
  #rest: Buffer = Buffer.alloc(0);
  #isDropping = false;
  #isFinished = false;

  /** @param limit bytes from `{` to `}` */
  constructor(limit: number) {
    this.#limit = limit;
  }

  copy(): FrameModel {
    const copy = new FrameModel(this.#limit);
    copy.#rest = this.#rest;
    copy.#isDropping = this.#isDropping;
    copy.#isFinished = this.#isFinished;
    return copy;
  }

  /** Whether an object is incomplete. */
  get isOpen(): boolean {
    return this.#rest.length > 0;
  }

  /** Takes bytes. @returns the items that they complete. */
  take(bytes: Uint8Array): ModelItem[] {
    const items: ModelItem[] = [];
    let all = Buffer.concat([this.#rest, bytes]);
    while (!this.#isFinished && all.length > 0) {
      if (this.#isDropping) {
        const end = all.indexOf(LINE_FEED);
        this.#isDropping = end < 0;
        all = end < 0 ? Buffer.alloc(0) : all.subarray(end + 1);
      } else if (" \t\r\n".includes(String.fromCharCode(all[0] as number))) all = all.subarray(1);
      else {
        const found = this.#object(all);
        if (found === "incomplete") break;
        if (found === "tooLarge") {
          this.#isFinished = true;
          items.push({ name: "tooLarge" });
        } else if ("object" in found) {
          items.push({ name: "object", object: found.object });
          all = all.subarray(found.end);
        } else {
          items.push({ name: "garbage" });
          all = all.subarray(found.offending);
          this.#isDropping = true;
        }
      }
    }
    this.#rest = this.#isFinished ? Buffer.alloc(0) : Buffer.from(all);
    return items;
  }

  #object(
    bytes: Buffer,
  ): "incomplete" | "tooLarge" | { object: ModelObject; end: number } | { offending: number } {
    if (bytes[0] !== 0x7b) return { offending: 0 };
    let depth = 0;
    let place: "outside" | "string" | "escape" = "outside";
    for (let at = 0; at < bytes.length; at++) {
      if (at === this.#limit) return "tooLarge";
      const character = String.fromCharCode(bytes[at] as number);
      if (place !== "outside" && character < " ") return { offending: at };
      if (place === "escape") place = "string";
      else if (place === "string") {
        if (character === "\\") place = "escape";
        else if (character === '"') place = "outside";
      } else if (character === '"') place = "string";
      else if (character === "{") depth++;
      else if (character === "}") depth--;
      if (depth === 0) return parsed(bytes.subarray(0, at + 1)) ?? { offending: at };
    }
    return "incomplete";
  }
}

function parsed(bytes: Buffer): { object: ModelObject; end: number } | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { object: JSON.parse(text) as ModelObject, end: bytes.length };
  } catch {
    return undefined;
  }
}
