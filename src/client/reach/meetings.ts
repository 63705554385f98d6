/**
 * Meetings with other people (PROTOCOL 7): those for which we ask, because their addresses do not answer, and those to
 * which they ask us.
 */
import { label as labelOf } from "../../identity/names.ts";
import type { Clock } from "../../net/clock.ts";
import type { Target } from "../../net/dialler.ts";
import type { dialForLines } from "../../net/line-socket.ts";
import type { TlsContext } from "../../net/tls.ts";
import { familyOf } from "../../protocol/ip-address.ts";
import type { ResponseOf } from "../../protocol/rendezvous-messages.ts";
import type { Tried } from "../peer/attempts.ts";
import { dialTargets, Race, type DialNeeds, type Greet, type UnreachableReason } from "../peer/dial.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import { peerTargets, type DialBudget, type OwnPlace } from "../peer/dial-limits.ts";
import type { PeerPort } from "../peer/port.ts";
import type { PeerTls } from "../peer/tls.ts";
import type { RelayUse } from "../disk/schema.ts";
import { candidateTargets } from "../rendezvous/directory.ts";
import type { ReachPush, RendezvousLink } from "../rendezvous/link.ts";
import { RefusedError, ServerFailure } from "../rendezvous/server-errors.ts";
import { Inviters } from "./inviters.ts";
import type { Go, MeetingFailure, Purpose } from "./meeting.ts";
import { notMetBecause, unmetBecause } from "./unmet.ts";
import { isInNetworksOf, meetingTargets } from "./meeting-places.ts";
import { MeetingRun, type MeetingEnd, type MeetingPlan } from "./meeting-run.ts";

/** How long dials to somebody of whom one address is known to be open are waited for before they are met, in ms. */
const DIRECT_PATIENCE = 1_000;
/** When the server is asked again that does not know yet whether somebody can be met: they may have just come online; in ms. */
const JUST_ONLINE = 2_000;
/** How long no meeting is asked for after `rate_limited` or `server_busy` without `retry_after`, in ms. */
const DEFAULT_LIMIT = 1_000;
/** Dials have failed because no address has led anywhere. */
const NO_ADDRESS: ReadonlySet<UnreachableReason> = new Set(["unreachable", "no_answer", "no_relay"]);

/** Somebody asks to be met. */
export type Invitation = ResponseOf<"meet_request">;

type BothWays = [
  record: ContactRecord,
  /** `dials`: whether their addresses may be dialled. `isRelayOnly`: neither side is told the other's address. */
  options: { readonly dials: boolean; readonly isRelayOnly: boolean },
  signal: AbortSignal,
  greet: Greet,
];

export type MeetingsNeeds = Pick<DialNeeds, "budget" | "account" | "own" | "relay" | "dial" | "tried"> & {
  readonly tls: Pick<PeerTls, "dialling" | "accepting" | "prove">;
  readonly ownLabel: string;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly dialForLines: typeof dialForLines;
  /** Of the dials that only the server asks for: to the address of a `go`, and to a meeting port elsewhere than at its own. */
  readonly meetingBudget: Pick<DialBudget, "take">;
  /** The link while logged in. */
  link(): Pick<RendezvousLink, "request" | "remoteAddress" | "targets"> | undefined;
  /** Whether the server has a meeting port, or may have one. */
  hasMeetingPort(): boolean;
  /** What the relay still passes on today at full speed, as the server has said; undefined: it has not. */
  relayBytesLeft(): number | undefined;
  isContact(label: string): boolean;
  readonly accept: PeerPort["accept"];
};

export class Meetings {
  readonly #needs: MeetingsNeeds;
  readonly #byTicket = new Map<string, MeetingRun>();
  readonly #inviters = { contact: new Inviters("contact"), stranger: new Inviters("stranger") };

  /** The server arranges no meeting for us before, by the monotonic clock. */
  #limitedUntil = -Infinity;

  constructor(needs: MeetingsNeeds) {
    this.#needs = needs;
  }

  /** How long the server will arrange no meeting for us, in ms. */
  get limitedFor(): number {
    return Math.max(0, this.#limitedUntil - this.#needs.clock.monotonic());
  }

  /** What the server says of a meeting. */
  take(push: Extract<ReachPush, { action: "go" | "gone" }>): void {
    const run = this.#byTicket.get(push.ticket);
    if (push.action === "gone") run?.gone();
    else run?.go(checkedGo(push, this.#needs.own(), this.#needs.link()?.remoteAddress));
  }

  /** As `DialNeeds.meet` of `peer/dial.ts`. */
  async meet(
    race: Race,
    isOpen: boolean,
    dialled: Promise<UnreachableReason | undefined>,
    signal: AbortSignal,
  ): Promise<UnreachableReason | undefined> {
    const early = isOpen ? await this.#early(dialled) : undefined;
    if (signal.aborted || race.isGreeted) return early?.failure;
    const met = this.#ask(race, signal);
    const failure = await dialled;
    if (failure === undefined) return undefined;
    const unmet = await met;
    // Where a meeting has led to a link, this attempt was abandoned.
    if (signal.aborted || race.isGreeted) return undefined;
    if (race.keyFailure !== undefined) return race.keyFailure;
    const saysMore = NO_ADDRESS.has(failure) && !(failure === "no_relay" && unmet === "no_way");
    return saysMore ? (unmet ?? failure) : failure;
  }

  /** Whether an invitation is worth a look: the server may be hostile, and send thousands. */
  mayInvite({ username, ticket }: Invitation): boolean {
    const inviter = labelOf(username);
    if (inviter === this.#needs.ownLabel || this.#byTicket.has(ticket)) return false;
    return this.#invitersOf(inviter).mayAsk(this.#needs.clock.monotonic());
  }

  /** Somebody has asked to be met. */
  async answer(invitation: Invitation, ...[record, ways, ...more]: BothWays): Promise<void> {
    const purpose = invitation.purpose === "move" ? "move" : "chat";
    if (meetingWays(this.#needs.relay(), purpose, ways.isRelayOnly) === undefined) return;
    // Their certificate has the registered spelling.
    record.rename(invitation.username);
    await this.#invitersOf(record.label).meet(() =>
      this.#bothWays(invitation, purpose, record, ways, ...more),
    );
  }

  #invitersOf(label: string): Inviters {
    return this.#inviters[this.#needs.isContact(label) ? "contact" : "stranger"];
  }

  /** Looks for a direct way to somebody to whom the link is relayed. @throws ServerError, RefusedError, SQLiteError */
  async move(record: ContactRecord, signal: AbortSignal, greet: Greet): Promise<void> {
    const link = this.#needs.link();
    if (link === undefined || !this.#needs.hasMeetingPort() || this.#needs.relay() === "only") return;
    const answer = await link.request("connect", { target_user: record.username, purpose: "move" });
    record.isRelayOnly = answer.relay_only;
    if (signal.aborted || answer.relay_only) return;
    await this.#bothWays(answer, "move", record, { dials: true, isRelayOnly: false }, signal, greet);
  }

  /**
   * Connects us to somebody for the bytes of a transfer. Nobody's addresses are dialled: where that leads to them, they are
   * not met. The decider is the acceptor.
   * @param asked the name of the transfer; or their invitation, if they have asked us
   * @param take gets the connection, on which nothing was said yet, and compares its key with that of the conversation
   * @returns whether there was one. @throws ServerError, RefusedError, SQLiteError
   */
  async stream(
    record: ContactRecord,
    asked: string | Invitation,
    signal: AbortSignal,
    take: Greet,
  ): Promise<boolean> {
    const link = this.#needs.link();
    if (link === undefined || !this.#needs.hasMeetingPort()) return false;
    const fields = { target_user: record.username, purpose: "stream", transfer: asked };
    const meeting = typeof asked === "string" ? await link.request("connect", fields) : asked;
    if (signal.aborted) return false;
    const report = { name: "key", fingerprint: meeting.fingerprint } as const;
    const race = new Race({ tls: this.#needs.tls, record, report, greet: take });
    await this.#run(meeting, race, { purpose: "stream", isRelayOnly: false }, signal);
    return race.isGreeted;
  }

  async #bothWays(
    invitation: Pick<Invitation, "ticket" | "meeting" | "candidates" | "fingerprint" | "relay_only">,
    purpose: Purpose,
    ...[record, { dials, isRelayOnly }, signal, greet]: BothWays
  ): Promise<void> {
    const { tls, budget, account, own, relay, dial, tried } = this.#needs;
    const report = { name: "key", fingerprint: invitation.fingerprint } as const;
    record.isRelayOnly = invitation.relay_only;
    const race = new Race({ tls, record, report, greet });
    const mayDial = dials && relay() !== "only";
    const targets = mayDial ? peerTargets(candidateTargets(invitation.candidates), own()) : [];
    await Promise.all([
      this.#run(invitation, race, { purpose, isRelayOnly }, signal),
      dialTargets(
        race,
        { nearby: [], elsewhere: targets, otherwise: undefined },
        {
          dial,
          take: ({ ip }) => budget.take(`${account} ${record.label}`, ip, own()),
          tried: (step) => tried?.(record.label, step),
          signal,
        },
      ),
    ]);
  }

  /** The end of the dials, if they end soon. */
  async #early(
    dialled: Promise<UnreachableReason | undefined>,
  ): Promise<{ readonly failure: UnreachableReason | undefined } | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const cancel = this.#needs.clock.after(DIRECT_PATIENCE, () => resolve(undefined));
    return Promise.race([dialled.then((failure) => ({ failure })), late]).finally(cancel);
  }

  /** Meets them. @returns why that has led to no link; undefined: it has, or the dials alone decide */
  async #ask(race: Race, signal: AbortSignal): Promise<UnreachableReason | undefined> {
    const link = this.#needs.link();
    if (link === undefined) return undefined;
    if (!this.#needs.hasMeetingPort()) return "no_meeting";
    const { record } = race;
    try {
      const ask = () => link.request("connect", { target_user: record.username });
      const answer = await ask().catch(async (error: unknown) => {
        if (!(error instanceof RefusedError) || error.code !== "cannot_meet") throw error;
        await this.#wait(JUST_ONLINE, signal);
        return signal.aborted || race.isGreeted ? undefined : ask();
      });
      if (answer === undefined) return undefined;
      record.isRelayOnly = answer.relay_only;
      if (signal.aborted || race.isGreeted) return undefined;
      const failure = await this.#run(answer, race, { purpose: "chat", isRelayOnly: false }, signal);
      const { relay, relayBytesLeft } = this.#needs;
      return failure === undefined ? undefined : unmetBecause(failure, relay(), relayBytesLeft());
    } catch (error) {
      if (!(error instanceof ServerFailure)) throw error;
      if (!(error instanceof RefusedError)) return undefined;
      const limitedFor = error.limitedFor(DEFAULT_LIMIT) ?? -Infinity;
      this.#limitedUntil = Math.max(this.#limitedUntil, this.#needs.clock.monotonic() + limitedFor);
      return notMetBecause(error.code);
    }
  }

  /** Resolves after so many ms, or when nothing is wanted any more. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#needs.clock.after(ms, resolve);
    const abandon = () => {
      cancel();
      resolve();
    };
    signal.addEventListener("abort", abandon, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", abandon));
  }

  async #run(
    { ticket, meeting }: Pick<Invitation, "ticket" | "meeting">,
    race: Race,
    { purpose, isRelayOnly }: Pick<MeetingPlan, "purpose" | "isRelayOnly">,
    signal: AbortSignal,
  ): Promise<MeetingFailure | undefined> {
    const link = this.#needs.link();
    const ways = meetingWays(this.#needs.relay(), purpose, isRelayOnly);
    if (link === undefined || ways === undefined) return undefined;
    // They have asked us at the same time: it is one meeting.
    const known = this.#byTicket.get(ticket);
    if (known !== undefined) return known.ended;
    const { account, own, meetingBudget, tried } = this.#needs;
    const needs = { ...this.#needs, tried: (step: Tried) => tried?.(race.record.label, step) };
    const mayDial = ({ ip }: Target) =>
      meetingBudget.take(`${account} ${race.record.label}`, ip, own()) === 0;
    const all = [...meetingTargets(meeting, link)];
    const places = new Map(all.filter(([, place]) => place.ip === link.remoteAddress || mayDial(place)));
    if (places.size === 0) return undefined;
    const plan: MeetingPlan = { ticket, places, purpose, mayDial, ...ways };
    const accepted = new Accepted();
    const run = new MeetingRun(needs, plan, this.#endOf(race, purpose, accepted));
    const abandon = () => {
      run.leave();
      accepted.giveUp();
    };
    signal.addEventListener("abort", abandon, { once: true });
    this.#byTicket.set(ticket, run);
    run.begin();
    try {
      const failure = await run.ended;
      if (failure === undefined) await accepted.allLeft();
      return failure;
    } finally {
      this.#byTicket.delete(ticket);
      signal.removeEventListener("abort", abandon);
    }
  }

  #endOf(race: Race, purpose: Purpose, accepted: Accepted): MeetingEnd {
    const { tls, ownLabel, accept } = this.#needs;
    const isDecider = ownLabel < race.record.label;
    const isOfContact = this.#needs.isContact(race.record.label);
    const acceptor = {
      role: "acceptor",
      context: (): TlsContext | undefined => tls.accepting(),
    } as const;
    if (isDecider && purpose !== "stream") {
      const handlers: MeetingEnd["handlers"] = (way, address) =>
        accepted.add((left) => accept(address, { way, isOfContact, left }));
      return { ...acceptor, handlers };
    }
    return {
      ...(isDecider ? acceptor : { role: "dialler", context: () => race.context }),
      handlers: (way) => ({
        ...race.handlers(() => way),
        secured: (connection, handshake) => {
          const verdict = race.verify(connection, handshake);
          if (verdict !== true) connection.terminate(verdict);
          return verdict === true;
        },
      }),
    };
  }
}

/** Which ways of a meeting are used. @param isRelayOnly no address is to be told. @returns undefined: none, so nobody is met */
export function meetingWays(
  relay: RelayUse,
  purpose: Purpose,
  isRelayOnly: boolean,
): Pick<MeetingPlan, "mayRelay" | "isRelayOnly"> | undefined {
  switch (relay) {
    case "auto":
      return { mayRelay: true, isRelayOnly };
    case "only":
      return purpose === "move" ? undefined : { mayRelay: true, isRelayOnly: true };
    case "never":
      return isRelayOnly ? undefined : { mayRelay: false, isRelayOnly };
    default:
      return relay satisfies never;
  }
}

/**
 * The server may be hostile: without an address where it names one at which no client of somebody else can be, or one of a
 * private network in which the server is not.
 * @param server its address
 */
export function checkedGo(
  { ip, port, in_ms, rtt_ms, ...go }: ResponseOf<"go">,
  own: OwnPlace,
  server = "",
): Go {
  const family = go.family === 6 ? 6 : 4;
  const named = ip === undefined || port === undefined ? [] : peerTargets([{ ip, port }], own);
  const [target] = named.filter((each) => familyOf(each.ip) === family && isInNetworksOf(server, each.ip));
  return { family, ...target, in_ms, rtt_ms };
}

/** Connections that we have accepted in a meeting: links of their own greet them, and complete links end the attempt. */
class Accepted {
  #count = 0;
  readonly #over = Promise.withResolvers<void>();
  #isAwaited = false;

  add<T>(accept: (left: () => void) => T | undefined): T | undefined {
    this.#count++;
    const left = () => {
      this.#count--;
      if (this.#isAwaited && this.#count === 0) this.#over.resolve();
    };
    const handlers = accept(left);
    if (handlers === undefined) left();
    return handlers;
  }

  /** Resolves when none of them is left, or after `giveUp`. */
  async allLeft(): Promise<void> {
    this.#isAwaited = true;
    if (this.#count > 0) await this.#over.promise;
  }

  giveUp(): void {
    this.#over.resolve();
    this.#count = 0;
  }
}
