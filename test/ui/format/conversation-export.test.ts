import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Archive, type StoredConversation } from "../../../src/client/archive.ts";
import { NewFileError } from "../../../src/client/new-file.ts";
import { Profile } from "../../../src/client/profile/profile.ts";
import { exportConversation } from "../../../src/ui/format/conversation-export.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

/** More than are read at a time. */
const COUNT = 2_500;

const folder = mkdtempSync(join(tmpdir(), "paloma-export-"));
const texts = textsIn("es");
let profile: Profile;
let archive: Archive;
let conversation: StoredConversation;
beforeAll(() => {
  profile = Profile.open(join(folder, "profile"), { username: "ana", authority: "", registeredHere: true });
  const contact = profile.contacts.ensure("beto");
  archive = new Archive(profile);
  conversation = archive.conversationWith(contact);
  const messages = Array.from({ length: COUNT }, (_, index) => ({
    kind: "text" as const,
    contact,
    id: `id-${index}`,
    text: `${index}`,
    sentAt: index,
    replyTo: undefined,
  }));
  profile.messages.queue(messages);
});
afterAll(() => {
  profile.close();
  rmSync(folder, { recursive: true });
});

function files(): string[] {
  return readdirSync(folder).filter((name) => name !== "profile");
}

test("a conversation of many pages is exported whole and in order", async () => {
  const file = join(folder, "all.json");
  expect(await exportConversation({ archive, conversation, file, texts })).toEqual({ count: COUNT, file });
  const events = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { text: string });
  expect(events.map(({ text }) => Number(text))).toEqual(Array.from({ length: COUNT }, (_, index) => index));
  rmSync(file);
});

test("a conversation of long messages is written in pieces, and the rest of the program runs meanwhile", async () => {
  const contact = profile.contacts.ensure("carla");
  const count = 100;
  const queued = Array.from({ length: count }, (_, index) => ({
    kind: "text" as const,
    contact,
    id: `long-${index}`,
    text: "x".repeat(32 * 1024),
    sentAt: index,
    replyTo: undefined,
  }));
  profile.messages.queue(queued);
  // It is called once for each message.
  const formatted = spyOn(archive, "repliedTo");
  let most = 0;
  let isDone = false;
  const turn = () => {
    most = Math.max(most, formatted.mock.calls.length);
    formatted.mockClear();
    if (!isDone) setImmediate(turn);
  };
  turn();
  const file = join(folder, "long.txt");
  const long = archive.conversationWith(contact);
  expect(await exportConversation({ archive, conversation: long, file, texts })).toMatchObject({ count });
  isDone = true;
  formatted.mockRestore();
  expect(readFileSync(file, "utf8").split("\n").length).toBe(count + 1);
  expect(most).toBeWithin(1, 10);
  rmSync(file);
});

test("a folder in place of a file, and a folder that admits none, get errors of their own", async () => {
  const failure = (file: string) =>
    exportConversation({ archive, conversation, file, texts }).catch((error: unknown) => error);
  const before = files();
  expect(await failure(`${folder}/`)).toMatchObject({ code: "no_name", file: `${folder}/` });
  expect(await failure(join(folder, "new/"))).toMatchObject({ code: "no_name" });
  expect(await failure(join(folder, "missing", "a.txt"))).toMatchObject({ code: "no_folder" });
  const long = join(folder, "a".repeat(300));
  const unwritten = (await failure(long)) as NewFileError;
  expect(unwritten).toMatchObject({ code: "not_written", file: long });
  // The reason names no file: the one that was tried has a name that nobody knows.
  expect(unwritten.why).toMatch(/^ENAMETOOLONG: [^,/]+$/);
  expect(files()).toEqual(before);
});

test.skipIf(!existsSync("/proc/self"))(
  "a folder that is there and takes no file is not called missing",
  async () => {
    const file = "/proc/a.txt";
    const error = (await exportConversation({ archive, conversation, file, texts }).catch(
      (thrown: unknown) => thrown,
    )) as NewFileError;
    expect(error).toMatchObject({ code: "not_written", file });
    expect(error.why).toMatch(/^E[A-Z]+: [^,/]+$/);
  },
);

test("one that is interrupted, or meets a file of its name at the end, leaves nothing and touches nothing", async () => {
  const abort = new AbortController();
  const reason = new Error("interrupted");
  const file = join(folder, "some.txt");
  const interrupted = exportConversation({ archive, conversation, file, texts, signal: abort.signal });
  abort.abort(reason);
  expect(await interrupted.catch((error: unknown) => error)).toBe(reason);
  expect(files()).toEqual([]);

  // The name is free when the work begins, and is taken while it goes on.
  let pages = 0;
  const slow: Pick<StoredConversation, "username" | "after"> = {
    username: conversation.username,
    after: (seq, limit) => {
      if (++pages === 2) writeFileSync(file, "mine");
      return conversation.after(seq, limit);
    },
  };
  const late = await exportConversation({ archive, conversation: slow, file, texts }).catch(
    (error: unknown) => error,
  );
  expect(late).toBeInstanceOf(NewFileError);
  expect(late).toMatchObject({ code: "file_exists", file });
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect(files()).toEqual(["some.txt"]);
});
