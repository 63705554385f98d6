/**
 * Who is shown as online while the server's word is missing: after a restart everybody comes back within
 * seconds, one after the other, and nobody has left.
 *
 * 1. When the link to the server is lost, everybody who was online by its word is held.
 * 2. The server's new word ends a hold: online was shown all along, offline is news.
 * 3. Whoever is held still some time after our return has gone.
 */
import { label as labelOf } from "../../identity/names.ts";
import { MAX_WATCHED, type UserEntry } from "../../protocol/rendezvous-messages.ts";
import { RETURN_SPREAD } from "./return-schedule.ts";

/** How long after our return somebody may take to come back without being told gone, in ms. */
export const HOLD = 10_000;
/** How long a list of who is online counts as the server's word, in ms: an open one is fetched more often. */
const LIST_COUNTS = 15_000;

export type HeldPerson = Pick<UserEntry, "username" | "secure">;

type HeldPeople = Map<string, HeldPerson>;

type State =
  | { readonly name: "live" }
  | { readonly name: "lost"; readonly held: HeldPeople }
  /** `since`: of our return. `silent`: nobody was told that the server was gone. */
  | { readonly name: "back"; readonly held: HeldPeople; readonly since: number; readonly silent: boolean };

export class PresenceHold {
  /** Online by the news on this link. */
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

  /** There is a link again. @param silent whether nobody was told that there was none */
  back(now: number, silent: boolean): void {
    if (this.#state.name === "lost")
      this.#state = { name: "back", held: this.#state.held, since: now, silent };
  }

  /** The server's word of somebody. @returns whether it is told: false for what was shown all along */
  news(username: string, online: boolean): boolean {
    const label = labelOf(username);
    if (!online) this.#online.delete(label);
    else if (this.#online.size < MAX_WATCHED) this.#online.set(label, { username });
    if (this.#state.name !== "back" || !this.#state.held.delete(label)) return true;
    return !online || !this.#state.silent;
  }

  /** The server's list of everybody online. */
  listed(people: readonly HeldPerson[], now: number): void {
    this.#list = { at: now, people };
    if (this.#state.name === "back")
      for (const { username } of people) this.#state.held.delete(labelOf(username));
  }

  /** Whom the server, which is there again, does not name yet, and who is shown as online. */
  get held(): readonly HeldPerson[] {
    return this.#state.name === "back" ? [...this.#state.held.values()] : [];
  }

  isHeld(username: string): boolean {
    return this.#state.name === "back" && this.#state.held.has(labelOf(username));
  }

  /**
   * When everybody who waits no longer than we did is back, after an outage that nobody was told of; until then
   * a list of who is online lacks those whom it does not know yet. Undefined: there was none.
   */
  get completeAt(): number | undefined {
    return this.#state.name === "back" && this.#state.silent ? this.#state.since + RETURN_SPREAD : undefined;
  }

  /** Ends the hold when its time is over. @returns those who have gone */
  expired(now: number): readonly string[] {
    if (this.#state.name !== "back" || now - this.#state.since < HOLD) return [];
    const gone = this.held.map(({ username }) => username);
    this.#state = { name: "live" };
    return gone;
  }
}
