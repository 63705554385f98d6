/**
 * Why a connection could not be made. Bun 1.4.5 reports nearly every failure as ECONNREFUSED. Whether there is a route,
 * the system's table says without a packet being sent; whether somebody refused, the time shows.
 */

import { wildcardOf } from "../protocol/ip-address.ts";
import { errorCode } from "./error-code.ts";

/**
 * The latest time of a refusal, in ms: it takes one round trip, and a second more if the first packet was lost. After
 * three seconds the system gives up an address of its own network at which no machine is.
 */
const LATEST_REFUSAL = 2_000;

/**
 * The error of an attempt to connect, with the code that the system has given.
 * @param error as Bun gives it. @param took ms from the beginning of the attempt to `error`
 */
export async function connectFailure(
  error: Error,
  { ip, port }: { readonly ip: string; readonly port: number },
  took: number,
): Promise<Error> {
  if (errorCode(error) !== "ECONNREFUSED") return error;
  const code = took > LATEST_REFUSAL ? "EHOSTUNREACH" : await routeFailure(ip, port);
  return code === undefined ? error : Object.assign(new Error(code, { cause: error }), { code });
}

/** ENETUNREACH or EHOSTUNREACH if there is no route to `ip`; undefined: there may be one. */
async function routeFailure(ip: string, port: number): Promise<string | undefined> {
  try {
    // Connecting a UDP socket only looks up the route.
    const socket = await Bun.udpSocket({
      hostname: wildcardOf(ip),
      connect: { hostname: ip, port },
    });
    socket.close();
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    return code === "ENETUNREACH" || code === "EHOSTUNREACH" ? code : undefined;
  }
}
