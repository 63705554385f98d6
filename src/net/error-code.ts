/**
 * The code of an error of a socket, a file, SQLite, PostgreSQL or TLS, as the system or a library gives it (`ECONNRESET`, `ENOSPC`,
 * `SQLITE_FULL`, `CERT_HAS_EXPIRED`, …); without one, the error's message.
 */
export function errorCode(error: unknown): string {
  const { code, message, errno } = (error ?? {}) as { code?: unknown; message?: unknown; errno?: unknown };
  // PostgreSQL's own code, the SQLSTATE.
  if (code === "ERR_POSTGRES_SERVER_ERROR") return String(errno);
  // EPROTO says nothing by itself; the library's own code stands at the end of the message.
  const detail = code === "EPROTO" ? /[A-Z][A-Z0-9_]{5,}$/.exec(String(message))?.[0] : undefined;
  return detail ?? String(code ?? message ?? error);
}
