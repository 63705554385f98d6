/** One HTTP request to a device of the local network, whose answers are not trusted. */
import { errorCode } from "./error-code.ts";

/** Bytes that are read of an answer. */
const MAX_ANSWER = 65_536;

export type HttpAnswer = { readonly status: number; readonly text: string };

/**
 * Asks without following a redirect and without a proxy.
 * @param headers with the `body` of a POST; undefined: a GET
 * @returns the answer, or the code of why there is none
 */
export async function askHttp(
  url: URL,
  signal: AbortSignal,
  post?: { readonly headers: { readonly [name: string]: string }; readonly body: string },
): Promise<HttpAnswer | string> {
  // Bun's types do not know that `false` keeps it from the proxy that the environment names.
  const direct = { proxy: false } as unknown as { readonly proxy?: string };
  try {
    const response = await fetch(url, {
      ...(post === undefined ? {} : { body: post.body, method: "POST" }),
      headers: { ...post?.headers, "Accept-Encoding": "identity" },
      // A few bytes would become gigabytes.
      decompress: false,
      ...direct,
      signal,
      redirect: "manual",
      keepalive: false,
    });
    const text = await limitedText(response);
    return text === undefined ? "too_long" : { status: response.status, text };
  } catch (error) {
    return signal.aborted ? "no_answer" : errorCode(error);
  }
}

/** Undefined: there is more than MAX_ANSWER. */
async function limitedText(response: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > MAX_ANSWER) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
