/** From a proven peer to a link that greets them: of those who have dialled us, and of those whom we have dialled. */
import type { Clock } from "../../net/clock.ts";
import type { ContactRecord } from "./contact-record.ts";
import type { LinkId } from "./link-choice.ts";
import type { LinkReading } from "./link-reading.ts";
import { PeerLink, type LinkPlace, type LinkPurpose, type PeerLinkEvents } from "./link.ts";
import type { LinkConnection, LinkWay } from "./proven-connection.ts";
import type { PeerLinks } from "./links.ts";
import type { Admission, KeyReport, ProvenPeer } from "./proof.ts";

type GreeterNeeds = {
  readonly ownName: () => string;
  readonly clock: Clock;
  readonly reading: LinkReading;
  readonly record: ContactRecord;
  readonly links: PeerLinks;
  readonly events: PeerLinkEvents;
  /** A link for the conversation is greeted, and not complete yet. */
  readonly greeted: () => void;
  /** Whether what comes on a link with this peer is read as it comes. */
  readonly isTrusted: (peer: ProvenPeer) => boolean;
};

export class Greeter {
  readonly #options: GreeterNeeds;

  constructor(options: GreeterNeeds) {
    this.#options = options;
  }

  /**
   * Step 5 of the checklist for a peer that has dialled us. If it passes, a new link takes the connection over and
   * greets the peer.
   * @param place its place at the port
   * @returns other than `admitted` and `verifies`: why there is no link
   * @throws SQLiteError
   */
  admit(
    connection: LinkConnection,
    peer: ProvenPeer,
    report: KeyReport,
    way: LinkWay,
    place: LinkPlace | undefined,
  ): Admission {
    const { record, links } = this.#options;
    const verdict = record.judge(peer, report);
    if (verdict !== "pinned" && verdict !== "pin" && verdict !== "verifies") return verdict;
    if (verdict === "pin") record.pin(peer);
    const purpose = verdict === "verifies" ? "verification" : "conversation";
    this.greet(links.newId(), "acceptor", connection, peer, purpose, way, place);
    return verdict === "verifies" ? verdict : "admitted";
  }

  greet(
    id: LinkId,
    role: "acceptor" | "dialler",
    connection: LinkConnection,
    peer: ProvenPeer,
    purpose: LinkPurpose,
    way: LinkWay,
    place?: LinkPlace,
  ): void {
    const { ownName, clock, reading, links, events, greeted, isTrusted } = this.#options;
    const link = new PeerLink(
      {
        id,
        role,
        ownName: ownName(),
        clock,
        reading,
        connection,
        peer,
        purpose,
        way,
        place,
        isTrusted: () => isTrusted(peer),
      },
      events,
    );
    links.add(link);
    link.greet();
    if (purpose === "conversation") greeted();
  }
}
