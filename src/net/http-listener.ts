/** The only HTTP server of the program: short answers for the operator. */
import { errorCode } from "./error-code.ts";
import { ListenError, type Listener } from "./listener.ts";

/** Silence after which a connection is closed, in s. */
const IDLE_TIMEOUT = 10;
/** Bytes of a request body; no request needs one. */
const MAX_BODY = 1_024;

export type HttpRequest = {
  readonly method: string;
  /** The `Host` header, "" if it is absent. */
  readonly host: string;
  readonly path: string;
  readonly query: URLSearchParams;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  /** Not sent for a `HEAD`. */
  readonly body: string;
};

type HttpOptions = {
  /** An IP literal. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  answer(request: HttpRequest): Promise<HttpAnswer>;
  /** Called with what `answer` threw; the client gets an internal error. */
  failed(error: unknown): void;
};

/** @throws ListenError */
export function listenHttp({ host, port, answer, failed }: HttpOptions): Listener {
  const respond = ({ status, headers, body }: HttpAnswer) => new Response(body, { status, headers });
  try {
    const server = Bun.serve({
      hostname: host,
      port,
      idleTimeout: IDLE_TIMEOUT,
      maxRequestBodySize: MAX_BODY,
      development: false,
      // Otherwise a second server could share the port, and each would get some of the requests.
      reusePort: false,
      async fetch(request) {
        // An invalid `Host` makes the URL invalid.
        const url = URL.parse(request.url, "http://localhost");
        if (url === null) return respond(BAD_REQUEST);
        return respond(
          await answer({
            method: request.method,
            host: request.headers.get("host") ?? "",
            path: url.pathname,
            query: url.searchParams,
          }),
        );
      },
      error(error) {
        failed(error);
        return respond(INTERNAL_ERROR);
      },
    });
    return { host, port: server.port ?? port, stop: () => void server.stop(true) };
  } catch (error) {
    throw new ListenError(errorCode(error), port, error);
  }
}

const BAD_REQUEST = oneLine(400, "bad request");
const INTERNAL_ERROR = oneLine(500, "internal error");

function oneLine(status: number, text: string): HttpAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: `${text}\n` };
}
