/**
 * `admin add --from FILE`: makes one account after the other, and prints name and password of each as it is made. What
 * was not made is named with its reason, whatever ends it: a refusal, a server that stops, or a full disk.
 */
import type { Language } from "../../protocol/language.ts";
import { visibleJson } from "../../protocol/visible-text.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import type { ListedLine } from "./account-list.ts";
import { listSentence, refusalSentence, unwrittenSentence, type ListOutcome } from "./answers.ts";
import type { LineOutput } from "./line-output.ts";
import type { AdminLink } from "./link.ts";

type Options = {
  readonly link: AdminLink;
  readonly output: LineOutput;
  readonly stderr: NodeJS.WriteStream;
  readonly json: boolean;
  readonly language: Language;
};

/** @returns whether all were made, and their passwords written @throws StartError if the server does not answer */
export async function addList(
  list: readonly ListedLine[],
  { link, output, stderr, json, language }: Options,
): Promise<boolean> {
  const names = list.map(({ request }) => request.name);
  const outcome: ListOutcome = { made: 0, refused: 0, unanswered: [], untried: [...names] };
  const complain = (name: string, sentence: string) => {
    stderr.write(`${quotedText(name)}: ${sentence}\n`);
  };
  try {
    for (const { line, request } of list) {
      const { name } = request;
      outcome.untried.shift();
      outcome.unanswered = [name];
      const reply = await link.ask(request);
      outcome.unanswered = [];
      if (reply.name === "password") {
        outcome.made++;
        const { username, password } = reply;
        await output.write(json ? visibleJson({ username, password }) : `${username},${password}`);
        if (output.fault === undefined) continue;
        complain(username, unwrittenSentence("password", output.fault)[language]);
        return false;
      }
      outcome.refused++;
      const code = reply.name === "refused" ? reply.code : "bad_request";
      const message = refusalSentence(code, language);
      complain(`${line}: ${name}`, message);
      if (json) await output.write(visibleJson({ event: "error", code, message, line, username: name }));
    }
    return outcome.refused === 0;
  } finally {
    stderr.write(`${listSentence(outcome, names.length)[language]}\n`);
    if (json) await output.write(visibleJson(outcome));
  }
}
