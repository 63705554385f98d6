/** What a chat prints of files. */
import type { SharedFile } from "../../../client/conversation/events.ts";
import { sizeText } from "../../format/file-words.ts";
import type { Line } from "../../format/printed-line.ts";
import type { Texts } from "../../texts/texts.ts";
import { sentenceOf } from "./file-sentence.ts";
import type { FileEvent } from "./model.ts";

type FileLine = Extract<Line, { readonly name: "notice" | "failure" }>;

/** Of those that have ended `/files` lists the last ones. */
const MAX_ENDED = 10;

export function isUnderWay({ state }: SharedFile): boolean {
  return state === "accepted" || state === "running" || state === "paused";
}

/** Whether nothing more becomes of it. */
export function hasEnded(file: SharedFile): boolean {
  return file.state !== "offered" && !isUnderWay(file);
}

/** Whether it waits for our answer. */
export function isOffer({ state, direction }: Pick<SharedFile, "state" | "direction">): boolean {
  return state === "offered" && direction === "in";
}

/** What is said of a file: of one that waits for our answer also what to type. @param shown gives a name as people see it */
export function fileLine(file: SharedFile, shown: (username: string) => string, texts: Texts): FileLine {
  const sentence = sentenceOf(file, shown, texts);
  if (isOffer(file)) return { name: "notice", text: `${sentence} ${texts.chatFileOffer(file.number)}` };
  return { name: file.state === "failed" ? "failure" : "notice", text: sentence };
}

/** The answer to `/files`, or to a command that needs a number. @param shown gives a name as people see it */
export function filesLine(
  { files, asked }: FileEvent & { readonly name: "files" },
  shown: (username: string) => string,
  texts: Texts,
): Line {
  const ended = files.filter(hasEnded).slice(-MAX_ENDED);
  const listed = files.filter((file) => !hasEnded(file) || ended.includes(file));
  if (listed.length === 0) return { name: "notice", text: texts.chatNoFiles };
  const rows = listed.map((file) => `#${file.number} ${sentenceOf(file, shown, texts)}`);
  const head = asked === undefined ? texts.chatFiles : texts.chatWhichFile(asked);
  return { name: "notice", text: [head, ...rows].join("\n") };
}

/** Whether offers of the peer are accepted without a question from now on. @param user as shown */
export function getsAlwaysLine(
  { limit, folder }: FileEvent & { readonly name: "getsAlways" },
  user: string,
  texts: Texts,
): Line {
  if (limit === 0) return { name: "notice", text: texts.chatGetsAsked(user) };
  const size = limit === null ? undefined : sizeText(limit, texts);
  return { name: "notice", text: texts.chatGetsAlways(user, size, folder) };
}
