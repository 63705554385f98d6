/** Who comes and goes, as the server reports it: conversations act on it, and faces that list people show it. */
import { label as labelOf } from "../../identity/names.ts";
import type { RendezvousLink } from "./link.ts";
import type { ShownServer } from "./shown-server.ts";
import { WatchList, type Reported } from "./watch-list.ts";
import { WatchedPeople } from "./watched-people.ts";

/** A conversation with somebody. */
type Follower = {
  readonly username: string;
  readonly wants: { readonly presence: boolean };
  /** @param isChange false: it answers the question who is there, of somebody who was not watched before */
  presence(online: boolean, isChange: boolean): void;
};

type PresenceNeeds = {
  /** The link while logged in. */
  link(): RendezvousLink | undefined;
  shown(): ShownServer;
  /** Those whom conversations follow. */
  followed(): readonly string[];
  find(username: string): Follower | undefined;
  /** Screens show that a person comes or goes: `presence` in their conversation, `watched` in a list. */
  show(name: "presence" | "watched", username: string, online: boolean): void;
};

export class PresenceReports {
  readonly #needs: PresenceNeeds;
  readonly #listed = new WatchedPeople();
  readonly #list: WatchList;

  constructor(needs: PresenceNeeds) {
    this.#needs = needs;
    this.#list = new WatchList({
      link: () => needs.link(),
      wanted: () => [...needs.followed(), ...this.#listed.usernames],
      confirmed: (...confirmed) => this.#confirmed(...confirmed),
    });
  }

  /** The link has changed or is lost. */
  reset(): void {
    this.#list.reset();
  }

  /** Others may be followed now. */
  changed(): void {
    this.#list.changed();
  }

  /** Whether the server has confirmed that it reports this person's presence. */
  covers(username: string): boolean {
    return this.#list.covers(username);
  }

  /** Whether somebody is there, as the server says of those whom it reports; undefined: it does not. */
  of(username: string): boolean | undefined {
    return this.covers(username) ? this.#needs.shown().isOnline(labelOf(username)) : undefined;
  }

  /** A face lists these people from now on. @param usernames empty: it shows no list any more */
  list(face: object, usernames: readonly string[]): void {
    this.#listed.set(face, usernames);
    this.#list.changed();
  }

  /** @param isChange as of `Follower` */
  reported(username: string, online: boolean, isChange: boolean): void {
    const { find, shown } = this.#needs;
    const follower = find(username);
    // The server may report people who are not on the watch list.
    if (follower === undefined && !this.#listed.has(username)) return;
    shown().presence(follower?.username ?? username, online);
    follower?.presence(online, isChange);
  }

  /** Screens are to show it now. */
  show(username: string, online: boolean): void {
    const { find, show } = this.#needs;
    if (find(username)?.wants.presence === true) show("presence", username, online);
    if (this.#listed.has(username)) show("watched", username, online);
  }

  #confirmed(online: readonly string[], before: (username: string) => Reported): void {
    for (const username of online) {
      const known = before(username);
      // Whoever moved while there was no link, or before it was asked for on this one, was announced to nobody.
      if (known !== "all") this.reported(username, true, known === "some");
      else if (this.#listed.has(username)) this.#needs.show("watched", username, true);
    }
    // Some may have left after the server listed them, before it reported changes.
    const [there, listed] = [new Set(online.map(labelOf)), this.#needs.shown().listed];
    const hasLeft = (label: string) => listed.has(label) && !there.has(label);
    const left = this.#listed.usernames.filter((username) => hasLeft(labelOf(username)));
    for (const username of left) this.reported(username, false, true);
  }
}
