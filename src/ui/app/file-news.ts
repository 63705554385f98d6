/** What the open screen does not show itself of files: offers, and what has become of transfers. */
import type { SharedFile } from "../../client/conversation/events.ts";
import { fileLine, hasEnded, isOffer } from "../chat/files/file-lines.ts";
import { offersByPerson, withOffer, withTold } from "../chat/files/offers.ts";
import { mutedUntil } from "../chat/other-chats.ts";
import { isLookedAt } from "../chat/transcript.ts";
import { fileSentence, fileWhat } from "../format/file-words.ts";
import { shownName } from "../format/name-book.ts";
import type { AppEffect, AppModel, AppStep, OpenAccount } from "./model.ts";
import { withNumber } from "./people.ts";
import { inAccount, isChatOpen, notice, step, type AppContext } from "./steps.ts";

function isQuiet({ muted }: OpenAccount, { peer }: SharedFile, now: number): boolean {
  return mutedUntil(muted, peer, now) !== undefined;
}

/** A transfer has changed, or makes progress. Its own chat says what becomes of it. */
export function onFile(
  model: AppModel,
  account: OpenAccount,
  file: SharedFile,
  context: AppContext,
): AppStep {
  const { now, texts } = context;
  const isHere = isChatOpen(model, file.peer);
  // The text that offers a file to a group counts, and is announced.
  const isSeen = file.group !== undefined || (isHere && model.attention === "focused");
  const told = isSeen ? "seen" : isHere ? "here" : "new";
  const offers = withOffer(account.offers, file, told);
  const numbered = isOffer(file) ? withNumber(account.numbered, file.peer) : account.numbered;
  const next = inAccount(model, { offers, numbered });
  // Nobody knows of an offer that was taken back at once.
  const isUnknown =
    file.state === "cancelled" &&
    (account.offers.get(file.id)?.told === "new" || (file.group !== undefined && file.done === 0));
  const isMuted = file.direction === "in" && isQuiet(account, file, now);
  const isSilent = isHere || !hasEnded(file) || isUnknown || isMuted;
  if (isSilent) return step(next);
  const line = fileLine(file, (username) => shownName(account.names, username), texts);
  return step(next, { name: "print", lines: [line] });
}

/** The offers of a person in one sentence. @param user as shown */
function offersSentence(files: readonly SharedFile[], user: string, { texts }: AppContext): string {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) return texts.offersArrived(user, files.length);
  return fileSentence(file, user, texts);
}

/** On a tick: announces the new offers that still wait for an answer, and tells of them outside, unless somebody looks. */
export function announceOffers(model: AppModel, account: OpenAccount, context: AppContext): AppStep {
  const { now, texts } = context;
  const { screen, attention } = model;
  const chat = screen.name === "chat" ? screen.chat : undefined;
  const isDue = (told: string) => told === "new" || told === "here";
  const effects: AppEffect[] = [];
  for (const files of offersByPerson(account.offers, ({ told }) => isDue(told))) {
    const [file] = files;
    if (file === undefined || isQuiet(account, file, now)) continue;
    const user = shownName(account.names, file.peer);
    const isHere = isChatOpen(model, file.peer);
    if (isHere && chat !== undefined && isLookedAt(chat, attention, now)) continue;
    const text = files.length > 1 ? texts.offersNote(files.length) : fileWhat(file, texts);
    const gathered = { from: file.peer, text, count: files.length };
    effects.push({ name: "notify", shown: user, excerpt: text, gathered });
    // In a menu it stands above the list.
    if (isHere || chat === undefined) continue;
    const how = files.length > 1 ? texts.chatFilesOffered : texts.chatFileOffer(file.number);
    effects.push(notice(`${offersSentence(files, user, context)} ${how}`));
  }
  const marked = withTold(account.offers, ({ told }) => told === "new", "announced");
  const offers = withTold(marked, ({ told }) => told === "here", "seen");
  const bell: AppEffect[] = effects.length > 0 ? [{ name: "bell" }] : [];
  return step(inAccount(model, { offers }), ...bell, ...effects);
}

/** The offers that were announced in a menu, a line for each person. */
export function offersIn(account: OpenAccount, context: AppContext): readonly string[] {
  const isMeant = ({ told, file }: { told: string; file: SharedFile }) =>
    told === "announced" && !isQuiet(account, file, context.now);
  return offersByPerson(account.offers, isMeant).map((files) => {
    const user = shownName(account.names, files[0]?.peer ?? "");
    return offersSentence(files, user, context);
  });
}
