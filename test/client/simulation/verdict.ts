/** What must hold for the disks of two people after the last disturbance. */
import { KIND } from "../../../src/client/disk/schema.ts";
import type { Fail, Observed } from "./observer.ts";

/** Every text of `author` is on both disks once, in order, with its last edit. */
export function checkDisks(author: Observed, reader: Observed, fail: Fail): void {
  const own = new Map(author.disk.rows(true).map((row) => [row.id, row]));
  const arrived = reader.disk.rows(false);
  const theirs = new Map(arrived.map((row) => [row.id, row]));
  if (theirs.size !== arrived.length) fail(`${reader.name} has a message twice`);
  for (const { id, text, fate, isDeletedThere } of author.said) {
    const mine = own.get(id);
    const their = theirs.get(id);
    if (fate === "lost") continue;
    if (mine === undefined) fail(`${author.name} has lost ${id}`);
    if (fate === "cancelled") {
      if (their !== undefined) fail(`${id} was cancelled, and has arrived`);
    } else if (fate === "withdrawn") {
      if (mine.text !== "" || (their?.text ?? "") !== "")
        fail(`${id} was withdrawn, and its text is still there`);
    } else {
      if (mine.text !== text) fail(`${author.name} has another text of ${id}`);
      if (mine.state < 2) fail(`${id} is not received, but in state ${mine.state}`);
      if (their === undefined) fail(`${id} has never arrived`);
      const mayBeDeleted = isDeletedThere || reader.hasRefused;
      if (their.kind === KIND.deleted ? !mayBeDeleted : isDeletedThere || their.text !== text)
        fail(`${id} is on the other disk as «${their.text}», not «${text}»`);
      if (their.sent_at !== null && their.sent_at !== mine.sent_at) fail(`${id} has another time there`);
    }
  }
  const places = arrived
    .filter(({ kind }) => kind !== KIND.deleted)
    .map(({ id }) => author.placeOf(id))
    .filter((place) => place !== undefined);
  if (places.some((place, index) => place <= (places[index - 1] ?? -1)))
    fail(`what ${author.name} wrote stands out of order: ${places.join()}`);
  for (const { id, kind } of arrived) {
    if (kind === KIND.text && author.placeOf(id) === undefined) fail(`${id} was never written`);
  }
}

/** The outbox of `author` is empty. */
export function isEverythingOut(author: Observed): boolean {
  return author.disk
    .rows(true)
    .every(({ state, kind, withdrawn_at }) => state >= 2 || kind === KIND.deleted || withdrawn_at !== null);
}

/** Every text of `author` that the peer has not deleted is marked as read. */
export function isEverythingRead(author: Observed, reader: Observed): boolean {
  // The id up to which the peer has read may be that of a text which is lost here.
  if (reader.hasRefused || author.said.some(({ fate }) => fate === "lost")) return true;
  const states = new Map(author.disk.rows(true).map(({ id, state }) => [id, state]));
  return author.said.every(
    ({ id, fate, isDeletedThere }) => fate !== "kept" || isDeletedThere || states.get(id) === 3,
  );
}
