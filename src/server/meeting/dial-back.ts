/**
 * Dials a client's port as a peer would, to see whether it can be reached (PROTOCOL 7). The server shows no
 * certificate, and ends when the client's is proven, so that nothing is said.
 */
import { fingerprint } from "../../identity/fingerprint.ts";
import { label } from "../../identity/names.ts";
import { READS_NOTHING } from "../../net/connection.ts";
import { dial, DialError } from "../../net/dialler.ts";
import { diallerContext } from "../../net/tls.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import type { Endpoint } from "./meeting.ts";

/** In ms; the result of a check comes after at most 5 s. */
const DIAL_BACK_TIMEOUT = 4_500;

/** Whether the user's client, with the key of its session, answers there. @param authority the certificate, in PEM */
export async function dialBack(target: Endpoint, user: OnlineUser, authority: string): Promise<boolean> {
  try {
    await dial({
      targets: [target],
      tls: diallerContext({ serverName: label(user.username), authority }),
      objectLimit: 1,
      handlers: {
        ...READS_NOTHING,
        opened: (connection) => connection.terminate("checked"),
        closed: () => undefined,
      },
      verify({ certificate }, { authorized, error }) {
        if (certificate === undefined || error !== undefined || !authorized) return "not_authorized";
        const spki = certificate.publicKey.export({ type: "spki", format: "der" });
        return fingerprint(spki) === user.key?.fingerprint || "other_key";
      },
      timeout: DIAL_BACK_TIMEOUT,
    });
    return true;
  } catch (error) {
    if (error instanceof DialError) return false;
    throw error;
  }
}
