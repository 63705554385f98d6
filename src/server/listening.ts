/** Listens on a port, or explains in one sentence why it cannot. */
import { ListenError, type Listener } from "../net/listener.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import { StartError } from "./start-error.ts";

/** How often a port in use is tried again, in ms. */
const RETRY_INTERVAL = 100;

/**
 * Listens, or waits for a port in use: a server that is being replaced may still hold it.
 * @param host as configured; undefined: all addresses.
 * @param patience ms to wait. @param begin throws ListenError when it cannot listen.
 * @throws StartError
 */
export async function listenWhenFree(
  host: string | undefined,
  patience: number,
  begin: () => Listener,
): Promise<Listener> {
  const end = performance.now() + patience;
  for (;;) {
    try {
      return begin();
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      if (error.code !== "EADDRINUSE" || performance.now() >= end) throw cannotListen(error, host);
    }
    await Bun.sleep(RETRY_INTERVAL);
  }
}

function cannotListen(error: ListenError, host: string | undefined): StartError {
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
