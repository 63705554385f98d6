/**
 * How others reach this client, and how it reaches them (PROTOCOL 7): its peer port, what it tells the server, the local
 * network and its router about it, the dials, and the meetings where no dial leads to somebody.
 */
import { randomBytes } from "node:crypto";

import { label as labelOf } from "../../identity/names.ts";
import type { Clock } from "../../net/clock.ts";
import { dial, type Target } from "../../net/dialler.ts";
import { dialForLines } from "../../net/line-socket.ts";
import { isPrivate, showHostPort } from "../../protocol/ip-address.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import { DIALS_OF_PROCESS, MEETING_DIALS_OF_PROCESS } from "../peer/dial-limits.ts";
import { Attempts, type Tried } from "../peer/attempts.ts";
import {
  dialPeer,
  dialTargets,
  Race,
  type DialNeeds,
  type Greet,
  type UnreachableReason,
} from "../peer/dial.ts";
import { PeerPort, type PeerPortNeeds } from "../peer/port.ts";
import type { PeerTls } from "../peer/tls.ts";
import type { Profile } from "../profile/profile.ts";
import type { RelayUse } from "../disk/schema.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";
import type { ReachPush } from "../rendezvous/link.ts";
import type { Rendezvous, RendezvousState } from "../rendezvous/session.ts";
import { ownAddresses, recentAddresses } from "../rendezvous/surroundings.ts";
import { Announcer, type OutsideView } from "./announcer.ts";
import { LocalNetwork } from "./lan/local-network.ts";
import { NONCE_LENGTH } from "./mapping/pcp.ts";
import { PortMapper, type GatewayAnswers } from "./mapping/port-mapper.ts";
import { Meetings, type Invitation } from "./meetings.ts";

type ReachNeeds = Pick<PeerPortNeeds, "admit" | "refused" | "random" | "groups"> & {
  readonly profile: Profile;
  readonly tls: PeerTls;
  readonly rendezvous: Rendezvous;
  readonly clock: Clock;
  readonly storage: StorageGuard;
  /** As of `PeerPortNeeds`, for somebody who has dialled us. */
  lookUpCaller(username: string): Promise<Whereabouts>;
  /** For somebody who is to be dialled, when it is their turn; as of `DialNeeds`. */
  lookUp(username: string, asked: () => void): Promise<Whereabouts>;
  /** A contact was heard on the local network. */
  heard(label: string): void;
  /** Somebody asks to be met. @throws SQLiteError */
  invited(invitation: Invitation): void;
  /** The server has reached the peer port, as it had not before. */
  opened(): void;
  /** The server sees another address of ours than before. */
  moved(): void;
  /** Only what `relay` allows is used from now on. */
  waysChanged(relay: RelayUse): void;
};

/** Addresses of this client, with their ports. `nearby`: told to who is in the same network only. */
export type ToldAddresses = { readonly everyone: readonly string[]; readonly nearby: readonly string[] };

/** Where somebody is to be reached for the bytes of a transfer: where they have answered; at their addresses; at the server. */
export type StreamPlace = Target | "known" | "meeting";

export class Reach {
  readonly meetings: Meetings;
  readonly #needs: ReachNeeds;
  /** The chosen port; undefined: the first free one. */
  readonly #p2pPort: number | undefined;
  readonly #port: PeerPort;
  readonly #lan: LocalNetwork;
  readonly #mapper: PortMapper;
  /** Keeps the server told where we are. */
  readonly #announcer: Announcer;
  readonly #dialNeeds: DialNeeds;
  readonly #attempts: Attempts;
  /** Resolved when the first attempt to be online has ended, successful or not. */
  readonly #firstAttempt = Promise.withResolvers<void>();

  /** Takes the peer port, unless only the relay is used. @param p2pPort undefined: the first free one of 9000–9099. @throws PortError */
  constructor(needs: ReachNeeds, p2pPort: number | undefined) {
    this.#needs = needs;
    this.#p2pPort = p2pPort;
    const { profile, tls, rendezvous, clock, storage } = needs;
    const monotonic = () => clock.monotonic();
    this.#attempts = new Attempts(monotonic);
    this.#port = new PeerPort({
      ...needs,
      admit: (connection, peer, report, way, place) => {
        if (way === "direct")
          this.#attempts.note(peer.label, { way: "reversed", ip: connection.remoteAddress });
        return needs.admit(connection, peer, report, way, place);
      },
      contacts: profile.contacts,
      consents: profile.consents,
      lookUp: (username) => needs.lookUpCaller(username),
      isCheck: (address) => this.#announcer.isCheck(address),
    });
    if (!this.#isHidden) this.#port.open(p2pPort);
    this.#lan = new LocalNetwork({
      label: labelOf(profile.username),
      port: () => (tls.isGood ? this.#port.port : undefined),
      labels: () => storage.attempt(() => profile.consents.contactLabels()) ?? [],
      monotonic,
      random: randomBytes,
      heard: needs.heard,
    });
    this.#mapper = new PortMapper({
      port: () => this.#port.port,
      nonce: () => this.#mappingNonce(),
      monotonic,
      changed: () => this.#announcer.tell(),
    });
    this.#announcer = new Announcer({
      link: () => rendezvous.link,
      clock,
      isHidden: () => this.#isHidden,
      mapped: () => this.#mapper.targets,
      changed: () => {
        const { observed, observedOther } = this.view ?? {};
        const seen = [observed, observedOther].filter((target) => target !== undefined);
        this.#mapper.seenAs(seen.map(({ ip }) => ip));
      },
      opened: needs.opened,
      moved: () => {
        this.#mapper.lineMayHaveChanged();
        needs.moved();
      },
    });
    this.#dialNeeds = {
      tls,
      dial,
      budget: DIALS_OF_PROCESS,
      account: profile.folder,
      own: () => ({
        isServerLocal: rendezvous.isServerLocal,
        port: this.#port.port,
        addresses: recentAddresses(),
      }),
      relay: () => profile.relay,
      lookUp: async (username, asked) => {
        // Messages that were queued earlier do not cause a dial to an old address before the first login.
        await this.#firstAttempt.promise;
        return needs.lookUp(username, asked);
      },
      nearby: (label) => this.#lan.targets(label),
      clock,
      tried: (label, tried) => this.#attempts.note(label, tried),
      meet: (...met) => this.meetings.meet(...met),
    };
    this.meetings = new Meetings({
      ...this.#dialNeeds,
      meetingBudget: MEETING_DIALS_OF_PROCESS,
      tls,
      clock,
      dialForLines,
      ownLabel: labelOf(profile.username),
      link: () => rendezvous.link,
      hasMeetingPort: () => this.view?.hasMeetingPort !== false,
      relayBytesLeft: () => this.view?.relayBytesLeft,
      isContact: (label) =>
        needs.groups.hasLabel(label) || storage.attempt(() => profile.consents.isContact(label)) === true,
      accept: (...accepted) => this.#port.accept(...accepted),
    });
  }

  /** On which this client listens; undefined: on none, since only the relay is used. */
  get port(): number | undefined {
    return this.#port.port;
  }

  /** Whether nobody but the server may learn an address of ours. */
  get #isHidden(): boolean {
    return this.#needs.profile.relay === "only";
  }

  /** Whether the local network is told of this client, and gateways are asked for a port. */
  get usesLan(): boolean {
    return this.#needs.profile.usesLan && !this.#isHidden;
  }

  /** How others see this client, as the server has said it; undefined: it has not, or there is none. */
  get view(): OutsideView | undefined {
    return this.#announcer.view;
  }

  /** What the gateways have answered last; none: none was asked. */
  get gatewayAnswers(): readonly GatewayAnswers[] {
    return this.#mapper.answers;
  }

  get localNetwork(): LocalNetwork["view"] {
    return this.#lan.view;
  }

  /** Asks the gateways for a port now, if that is wanted. Resolves when they have answered. */
  async askGateways(): Promise<void> {
    if (this.usesLan) await this.#mapper.askNow();
  }

  /** Tells the server anew where we are, if there is one. */
  tell(): void {
    this.#announcer.tell();
  }

  /** Resolves when nothing more is to be learnt of what the server and the local network were told. */
  async settled(): Promise<void> {
    await Promise.all([this.#announcer.settled(), this.#lan.opened()]);
  }

  /** What was tried to reach the person of this label, the last time. */
  tried(label: string): readonly Tried[] {
    return this.#attempts.of(label);
  }

  /** What the server tells others of where this client is; undefined: there is none, or it has not said how it sees us. */
  get told(): ToldAddresses | undefined {
    const { view, port } = this;
    if (view === undefined) return undefined;
    if (port === undefined) return { everyone: [], nearby: [] };
    const seen = [view.observed.ip, ...(view.observedOther === undefined ? [] : [view.observedOther.ip])];
    const direct = [...seen, ...ownAddresses()].map((ip) => ({ ip, port }));
    const all = [...direct, ...this.#mapper.targets];
    const shown = (targets: readonly Target[]) => [
      ...new Set(targets.map(({ ip, port }) => showHostPort(ip, port))),
    ];
    return {
      everyone: shown(all.filter(({ ip }) => !isPrivate(ip))),
      nearby: shown(all.filter(({ ip }) => isPrivate(ip))),
    };
  }

  /** As `dialPeer`. */
  dial(record: ContactRecord, signal: AbortSignal, greet: Greet): Promise<UnreachableReason | undefined> {
    this.#attempts.begin(record.label);
    return dialPeer(this.#dialNeeds, record, signal, greet);
  }

  /**
   * Connects us to somebody for the bytes of a transfer.
   * @param key the fingerprint of the key of the conversation
   * @param asked, @param take, @throws as of `Meetings.stream`
   */
  async stream(
    record: ContactRecord,
    place: StreamPlace,
    key: string,
    ...[asked, signal, take]: [asked: string | Invitation, signal: AbortSignal, take: Greet]
  ): Promise<void> {
    if (place === "meeting") await this.meetings.stream(record, asked, signal, take);
    else if (place === "known") {
      const meet: DialNeeds["meet"] = (_race, _isOpen, dialled) => dialled;
      await dialPeer({ ...this.#dialNeeds, tried: () => undefined, meet }, record, signal, take);
    } else {
      const report = { name: "key", fingerprint: key } as const;
      const race = new Race({ tls: this.#needs.tls, record, report, greet: take });
      const places = { nearby: [], elsewhere: [place], otherwise: undefined };
      // They have answered there, so nobody else is dialled.
      await dialTargets(race, places, { dial, take: () => 0, tried: () => undefined, signal });
    }
  }

  /**
   * Whether contacts on the local network are told that this client is there, and its router is asked for a port, from now
   * on. @throws SQLiteError
   */
  useLan(uses: boolean): void {
    this.#needs.profile.useLan(uses);
    this.#lanChanged();
  }

  /** Which ways are used from now on; links of the others end. @throws SQLiteError, PortError if it has to be opened */
  useRelay(relay: RelayUse): void {
    const { profile, rendezvous } = this.#needs;
    if (relay === profile.relay) return;
    const wasHidden = this.#isHidden;
    if (relay === "only") this.#port.close();
    else this.#port.open(this.#p2pPort);
    profile.useRelay(relay);
    this.#lanChanged();
    if (this.#isHidden !== wasHidden) rendezvous.logInAgain();
    this.#needs.waysChanged(relay);
  }

  #lanChanged(): void {
    const { name } = this.#needs.rendezvous.state;
    if (!this.usesLan) void this.#leaveLan();
    else if (name !== "offline" && name !== "stopped") this.#lan.start();
  }

  /** To be called when the state of the server has become another one. */
  serverIs({ name }: RendezvousState): void {
    // Before the first attempt nothing is sent, and after `stopped` the account may be elsewhere.
    if (name === "stopped") void this.#leaveLan();
    else if (name === "connecting" && this.usesLan) this.#lan.start();
    if (name !== "connecting") this.#firstAttempt.resolve();
    if (name === "online") this.#announcer.tell();
  }

  /** What the server says unasked. */
  take(push: ReachPush): void {
    switch (push.action) {
      case "reachable":
        this.#announcer.checked(push);
        return;
      case "meet_request":
        if (this.meetings.mayInvite(push)) this.#needs.storage.attempt(() => this.#needs.invited(push));
        return;
      case "go":
      case "gone":
        this.meetings.take(push);
        return;
      default:
        push satisfies never;
    }
  }

  /** The machine has slept, or its addresses have changed. */
  lineMayHaveChanged(): void {
    this.#lan.lineMayHaveChanged();
    this.#mapper.lineMayHaveChanged();
  }

  /** To be called about once a second. */
  tick(): void {
    this.#lan.tick();
    // For a command that ends soon no router is troubled.
    const { isKeptOnline, link } = this.#needs.rendezvous;
    if (isKeptOnline && link !== undefined && this.usesLan) this.#mapper.start();
    this.#mapper.tick();
  }

  /** Admits nobody any more. Links are not ended here: they belong to their conversations. */
  close(): void {
    this.#port.stop();
    this.#announcer.close();
  }

  /** Leaves the local network, and gives the router its port back. To be called after the server was left. */
  end(): Promise<void> {
    return this.#leaveLan();
  }

  async #leaveLan(): Promise<void> {
    this.#lan.stop();
    await this.#mapper.stop();
  }

  #mappingNonce(): Buffer {
    const make = () => randomBytes(NONCE_LENGTH);
    const { profile, storage } = this.#needs;
    return Buffer.from(storage.attempt(() => profile.mappingNonce(make)) ?? make());
  }
}
