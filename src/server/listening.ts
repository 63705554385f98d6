/** Why an address cannot be listened on, as the sentence with which the server ends. */
import type { ListenError } from "../net/listener.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import { StartError } from "./start-error.ts";

/** @param host as it was asked for; undefined: all addresses. */
export function cannotListen(error: ListenError, host: string | undefined): StartError {
  const { port, code } = error;
  if (code === "EADDRINUSE") {
    return new StartError(
      { es: `El puerto ${port} ya está en uso`, en: `Port ${port} is already in use` },
      error,
    );
  }
  // EINVAL: a link-local address without its interface.
  if (host !== undefined && (code === "EADDRNOTAVAIL" || code === "EINVAL")) {
    return new StartError(
      {
        es: `No se puede escuchar en ${host}: no es una dirección de este equipo (${code})`,
        en: `Cannot listen on ${host}: it is not an address of this machine (${code})`,
      },
      error,
    );
  }
  const place = showHostPort(host ?? "0.0.0.0", port);
  return new StartError(
    { es: `No se puede escuchar en ${place} (${code})`, en: `Cannot listen on ${place} (${code})` },
    error,
  );
}
