/** What the screen, the commands and an export draw of two texts, without a terminal. */
import { RefusedError } from "../../src/client/errors.ts";
import type { StoredMessage } from "../../src/client/profile/stored-message.ts";
import type { Language } from "../../src/protocol/language.ts";
import { readInvocation } from "../../src/ui/config.ts";
import { describeFailure } from "../../src/ui/failures.ts";
import { excerptOf, snippetOf } from "../../src/ui/format/excerpt.ts";
import { storedLine } from "../../src/ui/format/message-format.ts";
import { renderLine, type Line } from "../../src/ui/format/printed-line.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";
import { ChatScript, incoming, linesOf, MINUTE, NOON, outgoing, PEER } from "../ui/chat/chat-script.ts";

export type View = {
  /** Undefined: not a terminal, so nothing is broken into rows. */
  readonly columns: number | undefined;
  readonly language: Language;
  readonly colours: boolean;
};

/** @returns what is printed, each line with all its rows and a line feed at its end */
export type Scene = (first: string, second: string, view: View) => string[];

function rendered(lines: readonly Line[], view: View): string[] {
  return lines.map((line) => renderLine(line, { ...view, links: false, texts: textsIn(view.language) }));
}

function chat(play: (script: ChatScript, first: string, second: string) => void): Scene {
  return (first, second, view) => {
    const script = new ChatScript(view.language);
    script.connect();
    play(script, first, second);
    return rendered(linesOf(script.effects), view);
  };
}

function changed(script: ChatScript, message: StoredMessage, old?: string): void {
  const action = message.outgoing && message.state === "received" ? "action-1" : undefined;
  script.take({
    name: "messenger",
    event: { name: "changed", username: PEER, message, action },
    known: { excerpt: old === undefined ? undefined : excerptOf(old) },
  });
  if (action === undefined) return;
  // It waits for so long that it is reported, and arrives.
  script.wait(MINUTE);
  script.deliver(action, "received");
  script.wait(MINUTE);
}

function wrote(script: ChatScript, text: string, answered: string): void {
  script.write("out-1", text, excerptOf(answered));
  script.wait(MINUTE);
  script.deliver("out-1", "sent");
  script.wait(MINUTE);
}

function stored(message: StoredMessage, repliedTo: StoredMessage | undefined, view: View): string {
  const archive = { username: "ana", repliedTo: () => repliedTo, conversation: () => undefined };
  const { columns, language } = view;
  return storedLine(archive, message, PEER, {
    json: false,
    names: new Map(),
    texts: textsIn(language),
    columns,
    chat: PEER,
  });
}

function failed(error: unknown, view: View): string[] {
  const invocation = readInvocation(["users", "--lang", view.language], { HOME: "/h" });
  if (invocation.name !== "command") throw new Error(invocation.name);
  return rendered([{ name: "failure", text: describeFailure(error, invocation.config).sentence }], view);
}

export const SCENES: ReadonlyMap<string, Scene> = new Map([
  [
    "a reply",
    chat((script, first, second) => {
      const message = incoming(1, first, { replyTo: "out-1", sentAt: NOON - 3 * MINUTE });
      const event = { name: "message", from: PEER, message } as const;
      script.take({ name: "messenger", event, known: { excerpt: excerptOf(second) } });
    }),
  ],
  ["an edit of theirs", chat((script, first) => changed(script, incoming(1, first, { editedAt: NOON })))],
  [
    "an edit of ours",
    chat((script, first, second) =>
      changed(script, { ...outgoing(1, first, "received"), editedAt: NOON }, second),
    ),
  ],
  [
    "an edit of ours that was not sent",
    chat((script, first, second) =>
      changed(script, { ...outgoing(1, first, "queued"), editedAt: NOON }, second),
    ),
  ],
  [
    "a withdrawal of ours",
    chat((script, first) => changed(script, { ...outgoing(1, "", "received"), withdrawnAt: NOON }, first)),
  ],
  [
    "a text of ours that arrives late",
    chat((script, first, second) => {
      wrote(script, first, second);
      script.deliver("out-1", "received");
      script.wait(MINUTE);
    }),
  ],
  [
    "a text of ours that is cancelled",
    chat((script, first, second) => {
      wrote(script, first, second);
      script.messenger({ name: "cancelled", to: PEER, id: "out-1" });
    }),
  ],
  [
    "deletions",
    chat((script, first, second) => {
      script.take({ name: "deleted", message: incoming(1, first) });
      script.take({ name: "deleted", message: outgoing(2, second, "received") });
    }),
  ],
  [
    "/info",
    chat((script, first, second) => {
      script.take({ name: "info", message: incoming(1, first), chat: PEER });
      script.take({ name: "info", message: outgoing(2, second, "queued"), chat: PEER });
    }),
  ],
  [
    "/search",
    chat((script, first, second) => {
      const message = incoming(1, snippetOf(second, first));
      script.take({ name: "found", words: first, hits: [{ message, chat: PEER }], isMore: false });
      script.take({ name: "found", words: first, hits: [{ message, chat: PEER }], isMore: true });
      script.take({ name: "found", words: second, hits: [], isMore: false });
    }),
  ],
  [
    "/list",
    chat((script, first, second) => {
      const messages = [incoming(1, first, { replyTo: "x" }), outgoing(2, second, "read")];
      const answered = new Map([["x", excerptOf(second)]]);
      script.take({ name: "listed", messages, isMore: false, answered });
    }),
  ],
  [
    "an error that a peer reports",
    chat((script, first) =>
      script.messenger({ name: "peerError", username: PEER, code: [...first].slice(0, 64).join("") }),
    ),
  ],
  [
    "a text that could not be saved",
    chat((script, first, second) => {
      const error = new Error(second);
      script.take({ name: "failed", sentence: first, typed: second });
      script.messenger({ name: "storageFailed", error });
    }),
  ],
  ["a command with a wrong number", chat((script, first) => script.type(`/withdraw #x${first}`))],
  // Long enough that no command is close to it, which would be suggested.
  ["a command that does not exist", chat((script, first) => script.type(`/no-such-command-${first}`))],
  [
    "history and export",
    (first, second, view) => [
      stored(incoming(1, first, { replyTo: "x" }), incoming(2, second), view),
      stored(outgoing(1, second, "read"), undefined, view),
    ],
  ],
  [
    "a refusal with a sentence of the server",
    (first, second, view) =>
      failed(new RefusedError([...first].slice(0, 64).join(""), [...second].slice(0, 1_024).join("")), view),
  ],
  [
    "an option that does not exist",
    (first, _, view) => {
      try {
        readInvocation(["users", "--lang", view.language, "more", `x${first}`], { HOME: "/h" });
        return [];
      } catch (error) {
        return failed(error, view);
      }
    },
  ],
]);
