/**
 * The code of an error of a socket, a file, SQLite or TLS, as the system or a library gives it (`ECONNRESET`, `ENOSPC`,
 * `SQLITE_FULL`, `CERT_HAS_EXPIRED`, …); without one, the error's message.
 */
export function errorCode(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  // EPROTO says nothing by itself; the library's own code stands at the end of the message.
  const detail = code === "EPROTO" ? /[A-Z][A-Z0-9_]{5,}$/.exec(String(message))?.[0] : undefined;
  return detail ?? String(code ?? message ?? error);
}
