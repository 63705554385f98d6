/** «Search»: the words, and the messages of all conversations that contain them. */
import { searchQuery } from "../../client/archive.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { Found } from "../chat/history-effects.ts";
import { excerptOf, snippetOf } from "../format/excerpt.ts";
import { localClock, localDay } from "../format/local-time.ts";
import { shownName, type NameBook } from "../format/name-book.ts";
import type { Choice } from "../prompts/prompt.ts";
import type { AppEvent, AppModel, AppStep, Screen } from "./model.ts";
import { asking, list, type View } from "./prompt-views.ts";
import { CHOICE, failure, notice, openingChat, step, to, type AppContext } from "./steps.ts";

/** Length of a found message in the list in code points, and how many of them precede the word. */
const HIT_LENGTH = 60;
const HIT_BEFORE = 20;

export function answerSearchWords(
  model: AppModel,
  screen: Screen & { name: "searchWords" },
  value: string,
  { texts }: AppContext,
): AppStep {
  const { account } = screen;
  if (value === "") return to(model, { name: "home", account });
  const words = value.trim();
  if (searchQuery(words) === undefined) return to(model, { ...screen, words }, failure(texts.chatNoWord));
  const searching = { name: "working", work: "searching", account, words } as const;
  return to(model, searching, { name: "searchAll", words });
}

/** Lists what was found; if that is nothing, says so and asks for other words. */
export function showHits(
  model: AppModel,
  { hits, isMore }: AppEvent & { name: "found" },
  { texts }: AppContext,
): AppStep {
  const { screen } = model;
  if (screen.name !== "working" || screen.work !== "searching") return step(model);
  const { account, words } = screen;
  if (hits.length > 0) return to(model, { name: "hits", account, words, hits, isMore });
  const nothing = notice(texts.chatFoundNothing(excerptOf(words)));
  return to(model, { name: "searchWords", account, words }, nothing);
}

/** The person has chosen a message, by its number in the store. */
export function answerHits(model: AppModel, screen: Screen & { name: "hits" }, value: string): AppStep {
  if (value === CHOICE.back) return backFromHits(model, screen);
  const hit = screen.hits.find(({ message }) => String(message.seq) === value);
  return hit === undefined ? step(model) : openingChat(model, screen.account, hit.chat);
}

/** Escape: other words can be typed. */
export function backFromHits(model: AppModel, { account, words }: Screen & { name: "hits" }): AppStep {
  return to(model, { name: "searchWords", account, words });
}

/** A message as one row: whose, or to whom, what, and when. */
function hitRow(
  { message, chat }: Found["hits"][number],
  words: string,
  names: NameBook,
  context: AppContext,
): Choice {
  const { now } = context;
  const at = message.outgoing ? message.sentAt : message.receivedAt;
  const snippet = snippetOf(message.text.replace(/\s+/g, " ").trim(), words, HIT_LENGTH, HIT_BEFORE);
  const user = shownName(names, chat);
  const author = message.author === undefined ? "" : `${shownName(names, message.author)} → `;
  const choice = {
    value: String(message.seq),
    name: message.outgoing ? `→ ${user}:` : `${author}${user}:`,
    // As in a chat, where what was written is not quoted either.
    note: visibleText(snippet),
  };
  if (at === undefined) return choice;
  const clock = localClock(at);
  return { ...choice, aside: localDay(at) === localDay(now) ? clock : `${localDay(at)} ${clock}` };
}

/** The list of what was found. */
export function hitList(
  { account, words, hits, isMore }: Screen & { name: "hits" },
  context: AppContext,
): View {
  const choices = hits.map((hit) => hitRow(hit, words, account.names, context));
  return asking(list(context.texts.menuFound(hits.length, excerptOf(words), isMore), choices, context));
}
