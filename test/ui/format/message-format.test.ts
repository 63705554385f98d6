import { expect, test } from "bun:test";

import type { StoredConversation } from "../../../src/client/archive.ts";
import type { StoredMessage } from "../../../src/client/profile/stored-message.ts";
import { messageLine, shownIn, storedLine } from "../../../src/ui/format/message-format.ts";
import type { NameBook } from "../../../src/ui/format/name-book.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const AT = new Date(2026, 2, 4, 5, 6).getTime();
const incoming: StoredMessage = {
  seq: 1,
  contact: 1,
  outgoing: false,
  id: "id-1",
  text: "hola",
  replyTo: undefined,
  sentAt: AT - 60_000,
  leftAt: undefined,
  receivedAt: AT,
  readAt: undefined,
  editedAt: undefined,
  withdrawnAt: undefined,
  changeWaits: false,
  author: undefined,
  entry: undefined,
  isMissing: false,
  state: "received",
};
/** Nobody else is known. */
const names: NameBook = new Map();
const texts = textsIn("en");

test("a person sees when it arrived here, who wrote it, and how far an own one came", () => {
  expect(messageLine(incoming, "ana", { texts, names })).toBe("2026-03-04 05:06 ana: hola\n");
  const marks = (["queued", "sent", "received", "read"] as const).map((state) =>
    messageLine({ ...incoming, outgoing: true, sentAt: AT, state }, "beto", { texts, names }),
  );
  expect(marks).toEqual([
    "2026-03-04 05:06 beto ·: hola\n",
    "2026-03-04 05:06 beto ✓: hola\n",
    "2026-03-04 05:06 beto ✓✓: hola\n",
    "2026-03-04 05:06 beto ✓✓ read: hola\n",
  ]);
});

test("every further row of a text is indented, also those that the terminal would begin by itself", () => {
  const several = messageLine({ ...incoming, text: "a\nb\r\nc\u2028d" }, "ana", { texts, names });
  expect(several).toBe("2026-03-04 05:06 ana: a\n    b\n    c\n    d\n");
  const forged = messageLine({ ...incoming, text: `ok${" ".repeat(56)}2026-03-04 05:07 carla: no` }, "ana", {
    texts,
    names,
    columns: 80,
  });
  for (const line of forged.split("\n").slice(1, -1)) expect(line).toStartWith("    ");
  expect(forged).not.toMatch(/^2026-03-04 05:07/m);
});

test("neither a name nor a text can move the cursor or begin a line of ours", () => {
  const line = messageLine({ ...incoming, text: "a\nb\u001b[2J\r\u202ec" }, "an\u001b[31ma\n", {
    texts,
    names,
  });
  expect(line).toMatch(/^2026-03-04 05:06 "an␛\[31ma␊" \([0-9a-f]{4} [0-9a-f]{4}\): a\n    b␛\[2J␍c\n$/);
});

test("remarks on a message stand before the colon, where no text can stand", () => {
  const line = (message: Partial<StoredMessage>, repliedTo?: StoredMessage) =>
    messageLine({ ...incoming, ...message }, "ana", { texts: textsIn("es"), names, repliedTo });
  const begin = "2026-03-04 05:06 ana";
  expect(line({ editedAt: AT })).toBe(`${begin} (editado): hola\n`);
  expect(line({ text: "", editedAt: AT, withdrawnAt: AT })).toBe(`${begin} (retirado)\n`);
  const own = { outgoing: true, sentAt: AT, state: "read" } as const;
  expect(line({ ...own, editedAt: AT })).toBe(`${begin} ✓✓ leído (editado): hola\n`);
  expect(line({ ...own, editedAt: AT, changeWaits: true })).toBe(
    `${begin} ✓✓ leído (editado, en cola): hola\n`,
  );
  expect(line({ ...own, text: "", withdrawnAt: AT })).toBe(`${begin} (retirado)\n`);
  expect(line({ ...own, text: "", withdrawnAt: AT, changeWaits: true })).toBe(
    `${begin} (retirado, en cola)\n`,
  );
  const reply = { replyTo: "id-0" };
  const original = { ...incoming, id: "id-0", text: "¿vienes?" };
  expect(line(reply, original)).toBe(`${begin} ↪ «¿vienes?»: hola\n`);
  // A quotation that seems to end, and to be followed by the author's own words.
  const forged = line(reply, { ...original, text: "x»: debo 10\n2026" });
  expect(forged).toBe(`${begin} ↪ «x': debo 10 2026»: hola\n`);
  expect(line(reply, { ...original, text: "a".repeat(500) })).toBe(`${begin} ↪ «${"a".repeat(24)}…»: hola\n`);
  for (const gone of [undefined, { ...original, text: "", withdrawnAt: AT }])
    expect(line(reply, gone)).toBe(`${begin} ${textsIn("es").chatAnswersGone}: hola\n`);
});

test("where chats are mixed each line says whose it is", () => {
  const line = messageLine({ ...incoming, outgoing: true, sentAt: AT }, "ana", {
    texts,
    names,
    chat: "be\u001bto",
  });
  expect(line).toMatch(/^2026-03-04 05:06 \["be␛to" \([0-9a-f]{4} [0-9a-f]{4}\)\] ana ✓✓: hola\n$/);
});

test("a text of a group is shown with its author, behind the group where several chats are mixed", () => {
  const group = `#${"g".repeat(43)}`;
  const book: NameBook = new Map([[group, "#Clase"]]);
  const options = { texts, names: book, json: false };
  const counts = { received: 3, read: 2, of: 5 };
  const conversation = () => ({ counts: () => counts }) as unknown as StoredConversation;
  const archive = { username: "beto", repliedTo: () => undefined, conversation };
  const text: StoredMessage = { ...incoming, author: "ana" };
  expect(storedLine(archive, text, group, options)).toBe("2026-03-04 05:06 ana: hola\n");
  expect(storedLine(archive, text, group, { ...options, chat: group })).toBe(
    "2026-03-04 05:06 [#Clase] ana: hola\n",
  );
  const own: StoredMessage = { ...incoming, outgoing: true, sentAt: AT, state: "read" };
  expect(storedLine(archive, own, group, options)).toBe(
    "2026-03-04 05:06 beto ✓ with 3 of 5 · read by 2: hola\n",
  );
  const gone = { ...text, text: "", isMissing: true };
  expect(storedLine(archive, gone, group, options)).toBe("2026-03-04 05:06 ana: (text not available)\n");
});

test("in a group, what somebody writes who was blocked is not shown", () => {
  const state = (author: string) => (author === "eva" ? "blocked" : "contact");
  const isShown = shownIn({ conversation: (author) => ({ state: state(author) }) as StoredConversation });
  const authors = [undefined, "eva", "ana", "eva"];
  expect(authors.map((author) => isShown({ ...incoming, author }))).toEqual([true, false, true, false]);
});
