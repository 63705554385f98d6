/** What an honest rendezvous server answers to one account, without accounts, database or limits. */
import { issueUserCertificate } from "../../src/identity/certificate.ts";
import { parsePublicKey } from "../../src/identity/keys.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { newAuthority, serverIdentity } from "./loopback.ts";
import type { Message } from "./rendezvous-test-client.ts";

export class HonestServer {
  readonly #authority = newAuthority();
  readonly identity: TlsIdentity = serverIdentity(this.#authority);

  answer({ action, id, public_key }: Message): Message {
    const time = new Date().toISOString();
    const authority = this.#authority.certificatePem;
    const success = true;
    switch (action) {
      case "ping":
        return { action: "pong", time, authority, challenge: Buffer.alloc(32, 1).toString("base64"), id };
      case "login":
      case "resume": {
        const token = { session_token: "t".repeat(43), authority, time };
        return {
          action: "login_response",
          success,
          username: "ana",
          ...this.#certificate(public_key),
          ...token,
          id,
        };
      }
      case "renew":
        return { action: "renew_response", success, ...this.#certificate(public_key), time, id };
      case "watch":
        return { action: "watch_response", success, online: [], id };
      case "get_users":
        return { action: "users_list", users: [], id };
      case "revocations":
        return { action: "revocations_response", success, revoked: [], id };
      default:
        return { action: "error", success: false, code: "user_offline", request: action, id };
    }
  }

  #certificate(publicKey: unknown): Message {
    const spki = parsePublicKey(String(publicKey));
    if (spki === undefined) throw new Error("no public key");
    const { pem, expiresAt } = issueUserCertificate(this.#authority, spki, "ana", Date.now());
    return { certificate: pem, expires_at: new Date(expiresAt).toISOString() };
  }
}
