/**
 * Who stays shown as online while the server is away: after its restart everybody returns within seconds,
 * one after the other, and nobody has left.
 *
 * 1. When the link to the server is lost, everybody who was online there is held.
 * 2. What the server says of somebody next ends their hold; only «offline» is a change to show.
 * 3. Whoever is still held some time after our own return has left.
 */
import { label as labelOf } from "../../identity/names.ts";
import { MAX_WATCHED, type UserEntry } from "../../protocol/rendezvous-messages.ts";
import { RETURN_SPREAD } from "./return-schedule.ts";

/** How long after our return somebody may take to return before they are shown as offline, in ms. */
export const HOLD = 10_000;
/** How long a list of who is online is trusted, in ms; one that is on the screen is fetched more often. */
const LIST_COUNTS = 15_000;

export type HeldPerson = Pick<UserEntry, "username" | "secure">;

type HeldPeople = Map<string, HeldPerson>;

type State =
  | { readonly name: "live" }
  | { readonly name: "lost"; readonly held: HeldPeople }
  /** `since`: of our return. `silent`: the outage was not shown. */
  | { readonly name: "back"; readonly held: HeldPeople; readonly since: number; readonly silent: boolean };

export class PresenceHold {
  /** Online by what the server has reported on this link. */
  readonly #online: HeldPeople = new Map();
  #list: { readonly at: number; readonly people: readonly HeldPerson[] } | undefined;
  #state: State = { name: "live" };

  /** The link to the server has gone. @param now ms that never go back, as everywhere here */
  lost(now: number): void {
    if (this.#state.name === "lost") return;
    const held: HeldPeople = this.#state.name === "back" ? this.#state.held : new Map();
    for (const [label, person] of this.#online) held.set(label, person);
    if (this.#list !== undefined && now - this.#list.at <= LIST_COUNTS) {
      for (const person of this.#list.people) held.set(labelOf(person.username), person);
    }
    this.#online.clear();
    this.#list = undefined;
    this.#state = { name: "lost", held };
  }

  /** There is a link again. @param silent whether the outage was not shown */
  back(now: number, silent: boolean): void {
    if (this.#state.name === "lost")
      this.#state = { name: "back", held: this.#state.held, since: now, silent };
  }

  /** The server reports somebody's presence. @returns whether it changes what is shown */
  changed(username: string, online: boolean): boolean {
    const label = labelOf(username);
    if (!online) this.#online.delete(label);
    else if (this.#online.size < MAX_WATCHED) this.#online.set(label, { username });
    if (this.#state.name !== "back" || !this.#state.held.delete(label)) return true;
    return !online || !this.#state.silent;
  }

  /** The server has listed everybody who is online. */
  listed(people: readonly HeldPerson[], now: number): void {
    this.#list = { at: now, people };
    if (this.#state.name === "back")
      for (const { username } of people) this.#state.held.delete(labelOf(username));
  }

  /** Shown as online although the server, which is back, does not list them yet. */
  get held(): readonly HeldPerson[] {
    return this.#state.name === "back" ? [...this.#state.held.values()] : [];
  }

  isHeld(username: string): boolean {
    return this.#state.name === "back" && this.#state.held.has(labelOf(username));
  }

  /**
   * When everybody has had time to return after an outage that was not shown; a list that is asked for earlier
   * lacks people. Undefined: there was no such outage.
   */
  get completeAt(): number | undefined {
    return this.#state.name === "back" && this.#state.silent ? this.#state.since + RETURN_SPREAD : undefined;
  }

  /** Ends the hold when its time is over. @returns those who have left */
  expired(now: number): readonly string[] {
    if (this.#state.name !== "back" || now - this.#state.since < HOLD) return [];
    const left = this.held.map(({ username }) => username);
    this.#state = { name: "live" };
    return left;
  }
}
