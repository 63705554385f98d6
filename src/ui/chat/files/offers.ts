/** The offers of all people that wait for an answer, and which of them somebody was told of. */
import type { SharedFile } from "../../../client/conversation/events.ts";
import { isSamePerson } from "../../../identity/names.ts";
import { isOffer } from "./file-lines.ts";

/**
 * `new`: it is announced on the next tick, unless it was accepted without a question; `here`: so, but its chat is open, which
 * says it; `announced`; `stored`: it was there before the account was opened; `seen`: its chat was opened since.
 */
type Told = "new" | "here" | "announced" | "stored" | "seen";

type Offer = { readonly file: SharedFile; readonly told: Told };

/** By id. */
export type Offers = ReadonlyMap<string, Offer>;

/** Those among the transfers of an account that is opened. */
export function storedOffers(files: readonly SharedFile[]): Offers {
  return new Map(
    files
      .filter(isOffer)
      .map((file) => [file.id, { file, told: file.group === undefined ? "stored" : "seen" }]),
  );
}

/** A transfer has changed. @param told of a new offer */
export function withOffer(offers: Offers, file: SharedFile, told: "new" | "here" | "seen"): Offers {
  if (isOffer(file)) return new Map(offers).set(file.id, { file, told: offers.get(file.id)?.told ?? told });
  if (!offers.has(file.id)) return offers;
  const others = new Map(offers);
  others.delete(file.id);
  return others;
}

/** The offers with those of whom this is true told so. */
export function withTold(offers: Offers, isMeant: (offer: Offer) => boolean, told: Told): Offers {
  if (!offers.values().some(isMeant)) return offers;
  return new Map([...offers].map(([id, each]) => [id, isMeant(each) ? { ...each, told } : each]));
}

/** The chat with this person was opened, or somebody looks at it. */
export function withSeenOffers(offers: Offers, username: string): Offers {
  return withTold(offers, ({ file, told }) => told !== "seen" && isSamePerson(file.peer, username), "seen");
}

/** Whether it counts as a message that is unread. */
export function isUnread({ told }: Offer): boolean {
  return told !== "seen" && told !== "here";
}

/** The offers of each person of which this is true, oldest first. */
export function offersByPerson(
  offers: Offers,
  isMeant: (offer: Offer) => boolean,
): readonly (readonly SharedFile[])[] {
  const meant = [...offers.values()].filter(isMeant).map(({ file }) => file);
  return [...Map.groupBy(meant, ({ peer }) => peer).values()];
}

/** How many offers of a person wait for an answer. */
export function countOffers(offers: Offers, username: string): number {
  return [...offers.values()].filter(({ file }) => isSamePerson(file.peer, username)).length;
}
