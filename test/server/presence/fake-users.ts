/** Users without connections, who note what is done to their sessions. */
import type { OnlineSession, OwnUser } from "../../../src/server/presence/online-user.ts";
import type { Claim, Seats, Taken } from "../../../src/server/presence/seats.ts";

/** Each has come at another time, by which it is known. */
let since = 1_700_000_000_000;

export class FakeUser {
  /** `+name`, `-name` of those watched, `replaced`, `ended WHY`, `pushed ACTION`. */
  readonly noted: string[] = [];
  onReplaced: () => void = () => undefined;
  readonly user: OwnUser;
  readonly seats: Seats;
  readonly claim: Claim;

  /** @param device whose key it has; empty: none */
  constructor(seats: Seats, fold: string, device = "a", ip = "192.0.2.1") {
    const session: OnlineSession = {
      isPlain: false,
      isLocal: false,
      isInside: false,
      network: ip,
      localAddress: "192.0.2.9",
      isLegacy: false,
      push: (message) => this.noted.push(`pushed ${(message as { action: string }).action}`),
      pushPresence: (username, online) => this.noted.push(`${online ? "+" : "-"}${username}`),
      pushLine: () => undefined,
      end: (why) => {
        this.noted.push(`ended ${why}`);
        this.leave();
      },
      replaced: () => {
        this.noted.push("replaced");
        this.onReplaced();
      },
    };
    this.seats = seats;
    this.user = {
      userId: 1,
      username: fold,
      fold,
      since: since++,
      ip,
      p2pPort: 9_000,
      addresses: "",
      reach: undefined,
      isRelayOnly: false,
      key: device === "" ? undefined : { fingerprint: device.repeat(64), tokenHash: "0".repeat(64) },
      session,
    };
    this.claim = seats.claim(fold, session);
  }

  async take(replaces = false): Promise<Taken> {
    const taken = await this.seats.take(this.claim, this.user, replaces);
    if (taken === "ok" && !this.claim.isEnded) this.claim.bound();
    return taken;
  }

  leave(): void {
    this.seats.leave(this.claim);
  }
}
