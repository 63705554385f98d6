/** Links that come about at the server: meetings to which the person asks us, and ways off the relay. */
import type { ContactRecord } from "../peer/contact-record.ts";
import type { Greet } from "../peer/dial.ts";
import type { LinkId } from "../peer/link-choice.ts";
import type { RelayUse } from "../disk/schema.ts";
import type { PeerLinks } from "../peer/links.ts";
import type { Clock } from "../../net/clock.ts";
import { ServerFailure } from "../rendezvous/server-errors.ts";
import type { Invitation, Meetings } from "./meetings.ts";
import { MoveSchedule } from "./move-schedule.ts";

type ReachingOptions = {
  readonly meet: Meetings["answer"];
  readonly move: Meetings["move"];
  readonly clock: Pick<Clock, "monotonic">;
  readonly record: ContactRecord;
  readonly links: PeerLinks;
  readonly greet: (id: LinkId, ...dialled: Parameters<Greet>) => void;
  /** Which ways this account uses. */
  readonly relay: () => RelayUse;
  /** Whether the person may meet us: at the relay only, so that no address of ours is told. */
  readonly admits: () => "anywhere" | "atRelay" | "nowhere";
  /** Whether our label is the smaller one. */
  readonly decider: boolean;
  /** The current link may be dead. */
  readonly doubt: () => void;
  readonly failed: (error: unknown) => void;
};

export class Reaching {
  readonly #options: ReachingOptions;
  readonly #schedule: MoveSchedule;
  /** How many meetings are under way. */
  #meetings = 0;

  constructor(options: ReachingOptions) {
    this.#options = options;
    this.#schedule = new MoveSchedule(options.decider);
  }

  get isUnderWay(): boolean {
    return this.#meetings > 0;
  }

  /** They ask to be met, because our addresses do not answer them. Strangers are told no address of ours. */
  invited(invitation: Invitation): void {
    const { meet, record, links, admits, doubt } = this.#options;
    const place = admits();
    const isMove = invitation.purpose === "move";
    if (place === "nowhere" || (isMove && !this.#isRelayed)) return;
    // They may have lost the link that is complete here.
    if (!isMove && links.isConnected) doubt();
    const isRelayOnly = place === "atRelay";
    const ways = { dials: !isRelayOnly && (isMove || !links.isConnected), isRelayOnly };
    this.#follow(meet(invitation, record, ways, links.untilComplete, this.#greet));
  }

  /** Our addresses have changed, or one was found open: a direct way may be possible now. */
  soon(): void {
    this.#schedule.soon(this.#options.clock.monotonic());
  }

  /** To be called about once a second. */
  tick(): void {
    const { move, clock, record, links } = this.#options;
    if (!this.#schedule.tick(this.seeksDirect, clock.monotonic()) || this.isUnderWay) return;
    this.#follow(move(record, links.untilComplete, this.#greet));
  }

  /** Whether the link is relayed, and a direct way is looked for: neither side is to be told no address of the other. */
  get seeksDirect(): boolean {
    const { record, relay, admits } = this.#options;
    return this.#isRelayed && relay() !== "only" && !record.isRelayOnly && admits() === "anywhere";
  }

  get #isRelayed(): boolean {
    return this.#options.links.current?.way === "relayed";
  }

  readonly #greet: Greet = (...dialled) => {
    const { greet, links } = this.#options;
    greet(links.newId(), ...dialled);
  };

  #follow(meeting: Promise<void>): void {
    this.#meetings++;
    meeting
      .catch((error: unknown) => {
        // The relayed link stays, and whoever has asked asks again.
        if (!(error instanceof ServerFailure)) this.#options.failed(error);
      })
      .finally(() => this.#meetings--);
  }
}
