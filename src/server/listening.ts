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
  if (code === "EACCES") {
    return new StartError(
      {
        es: `Este usuario no puede abrir el puerto ${port} (${code}): los menores de 1024 suelen ser solo del administrador (root)`,
        en: `This user may not open port ${port} (${code}): those below 1024 are usually for root alone`,
      },
      error,
    );
  }
  if (host !== undefined && code === "EADDRNOTAVAIL") {
    return new StartError(
      {
        es: `No se puede escuchar en ${host}: no es una dirección de este equipo (${code})`,
        en: `Cannot listen on ${host}: it is not an address of this machine (${code})`,
      },
      error,
    );
  }
  // For an interface that does not exist Bun gives no code.
  if (host !== undefined && /^fe[89ab]|%/i.test(host)) {
    return new StartError(
      {
        es: `Para escuchar en ${host} hace falta una interfaz de red de este equipo, como en fe80::1%eth0`,
        en: `Listening on ${host} takes a network interface of this machine, as in fe80::1%eth0`,
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
