/** The errors of the rendezvous server: it cannot be reached, is not the trusted one, or refuses a request. */

export abstract class ServerFailure extends Error {
  /** Whether a later attempt may succeed. */
  abstract readonly isTransient: boolean;
}

export type ServerErrorCode =
  | "server_unreachable"
  | "server_timeout"
  | "server_plain"
  | "server_no_tls"
  | "server_not_paloma"
  | "server_is_user"
  | "server_changed"
  /** The right server, but for an account of another authority than the open one. */
  | "server_other_account"
  /** It was trusted by the web's roots, and now shows a certificate of its own. */
  | "server_not_web"
  | "server_unconfirmed"
  | "server_declined"
  | "server_expired"
  | "server_protocol";

/** Codes that do not question the server's identity. */
const TRANSIENT_ERRORS: ReadonlySet<ServerErrorCode> = new Set([
  "server_unreachable",
  "server_timeout",
  "server_protocol",
]);

/** Why a server is `server_unreachable`, if it is known. */
export type UnreachableCause =
  /** The name service does not know its host, or does not answer. */
  | "unknown_host"
  /** Its machine accepts no connections at this port. */
  | "refused"
  /** This machine has no route to it, or no machine has its address. */
  | "no_route"
  /** A link-local address without an interface of this machine. */
  | "no_interface";

/** The server cannot be reached or is not the one that is trusted: exit 3. */
export class ServerError extends ServerFailure {
  readonly code: ServerErrorCode;
  /** Fingerprints, if two differ or one is not confirmed. */
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly why: UnreachableCause | undefined;

  constructor(
    code: ServerErrorCode,
    details: {
      expected?: string | undefined;
      found?: string | undefined;
      why?: UnreachableCause | undefined;
    } = {},
    cause?: unknown,
  ) {
    super(code, { cause });
    this.code = code;
    this.expected = details.expected;
    this.found = details.found;
    this.why = details.why;
  }

  get isTransient(): boolean {
    return TRANSIENT_ERRORS.has(this.code);
  }
}

const TRANSIENT_REFUSALS: ReadonlySet<string> = new Set([
  "server_busy",
  "server_closing",
  "rate_limited",
  "internal_error",
]);
/** Longest limit that is respected, in ms. */
const LONGEST_LIMIT = 60 * 60 * 1_000;

/** The server refused a request; `code` is one of PROTOCOL 4's, or one that this client does not know. */
export class RefusedError extends ServerFailure {
  readonly code: string;
  /** Seconds, with `rate_limited`. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }

  get isTransient(): boolean {
    return TRANSIENT_REFUSALS.has(this.code);
  }

  /**
   * How long the request should not be repeated, in ms; undefined: the code is neither `rate_limited` nor `server_busy`.
   * @param defaultLimit used if the server does not say how long, in ms
   */
  limitedFor(defaultLimit: number): number | undefined {
    if (this.code !== "rate_limited" && this.code !== "server_busy") return undefined;
    return this.retryAfter === undefined ? defaultLimit : Math.min(LONGEST_LIMIT, this.retryAfter * 1_000);
  }
}

/** Whether it is a failure of the server after which a later attempt may succeed. */
export function isTransient(error: unknown): error is ServerFailure {
  return error instanceof ServerFailure && error.isTransient;
}

/** No token is stored, or it was refused, and no password is available. */
export class PasswordNeededError extends Error {
  readonly tokenRefused: boolean;

  constructor(tokenRefused: boolean) {
    super("password needed");
    this.tokenRefused = tokenRefused;
  }
}
