/** Standard input as text. */
import { UsageError } from "../../protocol/options.ts";
import type { Config } from "../config.ts";
import { textsIn } from "../texts/texts.ts";
import type { HostProcess } from "./output.ts";

/**
 * Reads standard input to its end, or until enough was read.
 * @param isEnough takes each chunk, and how many bytes were read so far, this chunk included
 * @throws UsageError if it is not UTF-8, and what `isEnough` throws
 */
export async function readInput(
  { config, process: { stdin } }: { readonly config: Config; readonly process: HostProcess },
  isEnough: (chunk: Uint8Array, length: number) => boolean,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = chunk as Uint8Array;
    length += bytes.length;
    chunks.push(bytes);
    if (isEnough(bytes, length)) break;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(textsIn(config.language).textNotUnicode);
  }
}
