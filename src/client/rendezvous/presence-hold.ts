/**
 * Keeps people shown as online while the server restarts: their clients return one by one within seconds.
 *
 * 1. When the link to the server is lost, everyone who was online there is held.
 * 2. The server's next report of a person ends their hold; only «offline» changes what is shown.
 * 3. People who are still held some time after our own return are shown as offline.
 */
import { label as labelOf } from "../../identity/names.ts";
import { MAX_WATCHED, type UserEntry } from "../../protocol/rendezvous-messages.ts";
import { RETURN_SPREAD } from "./return-schedule.ts";

/** How long after our return people are held, in ms. */
export const HOLD = 10_000;
/** Age up to which a list of who is online is used, in ms; those in a list on the screen are watched. */
const LIST_LIFETIME = 15_000;

export type HeldPerson = Pick<UserEntry, "username" | "secure">;

type HeldPeople = Map<string, HeldPerson>;

type State =
  | { readonly name: "live" }
  | { readonly name: "lost"; readonly held: HeldPeople }
  /** `since`: when we returned. `silent`: the outage was not shown. */
  | { readonly name: "back"; readonly held: HeldPeople; readonly since: number; readonly silent: boolean };

export class PresenceHold {
  /** Those whom the server has reported online on this link. */
  readonly #online: HeldPeople = new Map();
  #list: { readonly at: number; readonly people: readonly HeldPerson[] } | undefined;
  #state: State = { name: "live" };

  /** The link to the server is lost. @param now ms, never set back, as in the other methods */
  lost(now: number): void {
    if (this.#state.name === "lost") return;
    const held: HeldPeople = this.#state.name === "back" ? this.#state.held : new Map();
    for (const [label, person] of this.#online) held.set(label, person);
    if (this.#list !== undefined && now - this.#list.at <= LIST_LIFETIME) {
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

  /** The server reports a person's presence. @returns whether it changes what is shown */
  changed(username: string, online: boolean): boolean {
    const label = labelOf(username);
    if (!online) this.#online.delete(label);
    else if (this.#online.size < MAX_WATCHED) this.#online.set(label, { username });
    if (this.#state.name !== "back" || !this.#state.held.delete(label)) return true;
    return !online || !this.#state.silent;
  }

  /** Whether the server has reported somebody online on this link. */
  isOnline(label: string): boolean {
    return this.#online.has(label);
  }

  /** The labels of those whom the server has listed last on this link. */
  get listed(): ReadonlySet<string> {
    return new Set(this.#list?.people.map(({ username }) => labelOf(username)));
  }

  /** The server has listed everyone who is online. */
  list(people: readonly HeldPerson[], now: number): void {
    this.#list = { at: now, people };
    if (this.#state.name === "back")
      for (const { username } of people) this.#state.held.delete(labelOf(username));
  }

  /** Shown as online although the server, which is back, does not list them yet. */
  get held(): readonly HeldPerson[] {
    return this.#state.name === "back" ? [...this.#state.held.values()] : [];
  }

  isHeld(label: string): boolean {
    return this.#state.name === "back" && this.#state.held.has(label);
  }

  /**
   * When all clients have had time to return after an outage that was not shown; an earlier list is incomplete.
   * Undefined: there was no such outage.
   */
  get completeAt(): number | undefined {
    return this.#state.name === "back" && this.#state.silent ? this.#state.since + RETURN_SPREAD : undefined;
  }

  /** Ends the hold when its time is over. @returns those who have not returned */
  expired(now: number): readonly string[] {
    if (this.#state.name !== "back" || now - this.#state.since < HOLD) return [];
    const left = this.held.map(({ username }) => username);
    this.#state = { name: "live" };
    return left;
  }
}
