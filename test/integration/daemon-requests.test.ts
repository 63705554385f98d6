/** What programs ask a daemon for: each request, its checks and its result. */
import { afterAll, beforeAll, expect, test } from "bun:test";

import { PASSWORD, World, type Person } from "./cli-process.ts";
import { DaemonHere } from "./daemon-process.ts";

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

let world: World;
let anaPerson: Person;
let zoePerson: Person;
let [ana, bob]: DaemonHere[] = [];
const [anaName, bobName] = ["ana.asks", "bob.asks"];

beforeAll(async () => {
  world = new World();
  const port = (await world.server()).tlsPort;
  anaPerson = world.person(anaName, port);
  const people = [anaPerson, world.person(bobName, port)];
  zoePerson = world.person("zoe.asks", port);
  for (const person of [...people, zoePerson]) await person.register();
  [ana, bob] = people.map((person) => new DaemonHere(person, PASSWORD));
  await Promise.all([ana?.online(), bob?.online()]);
}, 60_000);

afterAll(async () => {
  await Promise.all([ana?.stop(), bob?.stop()]);
  await world.close();
});

function daemons(): [DaemonHere, DaemonHere] {
  if (ana === undefined || bob === undefined) throw new Error("not started");
  return [ana, bob];
}

/** Sends a text and waits until it is on the other side's disk. @returns its id */
async function delivered(from: DaemonHere, to: string, text: string): Promise<string> {
  const { message_id: id } = await from.result("send", { to, text });
  await from.line({ event: "delivery", id, state: "received" });
  return id as string;
}

test("the state of the account, and who is there", async () => {
  const [ours] = daemons();
  const status = await ours.result("status");
  expect(status).toMatchObject({ username: anaName, server: "online", reachable: true });
  expect(status["links_until"]).toMatch(RFC_3339);
  expect(await ours.result("users")).toMatchObject({ users: [{ username: bobName }] });
  await ours.result("open_chat", { username: bobName });
  const connected = await ours.line({ event: "connected", username: bobName });
  expect(connected).toMatchObject({ way: "direct", seeks_direct: false });
  expect(await ours.result("link", { username: bobName })).toEqual({
    link: {
      way: "direct",
      seeks_direct: false,
      address: connected["address"],
      since: expect.stringMatching(RFC_3339),
      round_trip: expect.any(Number),
    },
    server: "online",
    links_until: expect.stringMatching(RFC_3339),
    told: {
      everyone: expect.any(Array),
      nearby: expect.arrayContaining([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]),
    },
  });
  const told = { way: "direct", seeks_direct: false, connected: true };
  expect(await ours.result("open_chat", { username: bobName })).toMatchObject(told);
  expect(await ours.result("people")).toMatchObject({
    people: [{ username: bobName, online: true, state: "stranger", unread: 0 }],
  });
  expect(await ours.result("close_chat", { username: bobName })).toEqual({});
});

test("people in a list are watched until another list is named, and no other program hears of it as `presence`", async () => {
  const [ours, theirs] = daemons();
  const begin = ours.lines.length;
  await ours.result("watch_people", { usernames: ["zoe.asks", bobName] });
  await ours.line({ event: "watched", username: bobName, online: true });
  expect(await ours.code("watch_people", { usernames: Array(501).fill("zoe.asks") })).toBe("bad_request");
  const zoe = await new DaemonHere(zoePerson, PASSWORD).online();
  await ours.line({ event: "watched", username: "zoe.asks", online: true });
  const from = ours.lines.length;
  await zoe.stop();
  await ours.line({ event: "watched", username: "zoe.asks", online: false }, from);
  expect(ours.lines.slice(begin).filter(({ event }) => event === "presence")).toEqual([]);
  await ours.result("watch_people", { usernames: [] });
  expect(theirs.lines.filter(({ event }) => event === "watched")).toEqual([]);
});

test("what arrived is taken once, and stays until it is marked", async () => {
  const [ours, theirs] = daemons();
  const id = await delivered(ours, bobName, "to be taken");
  const { messages } = await theirs.result("unprinted");
  const [message] = messages as [{ seq: number }];
  expect(message).toMatchObject({ id, from: anaName, to: bobName, text: "to be taken", state: "received" });
  expect(await theirs.result("contacts")).toEqual({
    contacts: [
      {
        username: anaName,
        state: "contact",
        key: "known",
        verified: false,
        last_seen: expect.stringMatching(/Z$/),
        unread: 1,
        muted_until: null,
      },
    ],
  });
  expect(await theirs.result("unprinted", { limit: 1 })).toMatchObject({ messages: [{ id }] });
  expect(await theirs.result("mark_printed", { seqs: [message.seq] })).toEqual({});
  expect(await theirs.result("unprinted")).toEqual({ messages: [] });
  await theirs.result("mark_read", { username: anaName, seq: message.seq });
  await ours.line({ event: "delivery", id, state: "read" });
});

test("who may write is decided by any program, and all hear of it", async () => {
  const [ours, theirs] = daemons();
  const blocked = { username: bobName, state: "blocked" };
  expect(await ours.result("decide", { username: bobName, decision: "block" })).toEqual(blocked);
  await ours.line({ event: "contact", ...blocked });
  expect(await ours.code("send", { to: bobName, text: "no" })).toBe("blocked");
  const contact = { username: bobName, state: "contact" };
  for (const decision of ["unblock", "accept"])
    expect(await ours.result("decide", { username: bobName, decision })).toEqual(contact);
  expect(await ours.code("decide", { username: anaName, decision: "add" })).toBe("to_oneself");
  expect(await theirs.result("allow", { who: "anyone" })).toEqual({});
});

test("who is quiet is said to any program, and all hear of it", async () => {
  const [ours] = daemons();
  const muted = await ours.result("mute", { username: bobName, seconds: 3_600 });
  const { muted_until: until } = muted;
  expect(muted).toEqual({ username: bobName, muted_until: expect.stringMatching(/Z$/) });
  await ours.line({ event: "muted", username: bobName, until });
  expect(await ours.result("contacts")).toMatchObject({
    contacts: [{ username: bobName, muted_until: until }],
  });
  expect(await ours.result("mute", { username: bobName, seconds: 0 })).toEqual({
    username: bobName,
    muted_until: null,
  });
  expect(await ours.code("mute", { username: bobName, seconds: -1 })).toBe("bad_request");
  expect(await ours.code("mute", { username: anaName, seconds: 60 })).toBe("to_oneself");
});

test("a text is sent once for one id, also when it is asked for twice at once or was deleted", async () => {
  const [ours, theirs] = daemons();
  const sent = { to: bobName, text: "only once", message_id: "answer-1" };
  const both = await Promise.all([ours.result("send", sent), ours.result("send", sent)]);
  expect(both).toEqual([{ message_id: "answer-1" }, { message_id: "answer-1" }]);
  await ours.line({ event: "delivery", id: "answer-1", state: "received" });
  expect(await ours.result("delete", { username: bobName, message_id: "answer-1" })).toEqual({
    count: 1,
    kept: 0,
  });
  expect(await ours.result("send", sent)).toEqual({ message_id: "answer-1" });
  await delivered(ours, bobName, "after it");
  const { messages } = await theirs.result("search", { words: "ONCE" });
  expect(messages).toMatchObject([{ id: "answer-1" }]);
});

test("conversations are read page by page, forward and backward, and single messages by id", async () => {
  const [ours] = daemons();
  const ids: string[] = [];
  for (const text of ["page 1", "page 2", "page 3"]) ids.push(await delivered(ours, bobName, text));
  const texts = ({ messages }: { readonly [field: string]: unknown }) =>
    (messages as { text: string }[]).map(({ text }) => text);
  const newest = await ours.result("history", { username: bobName, limit: 2 });
  expect(texts(newest)).toEqual(["page 2", "page 3"]);
  const [{ seq }] = newest["messages"] as [{ seq: number }];
  expect(texts(await ours.result("history", { username: bobName, after: seq }))).toEqual(["page 3"]);
  const before = await ours.result("history", { username: bobName, before: seq, limit: 1 });
  expect(texts(before)).toEqual(["page 1"]);
  expect(texts(await ours.result("history", { username: "nobody.known" }))).toEqual([]);
  const { message } = await ours.result("message", { username: bobName, message_id: ids[0] });
  expect(message).toMatchObject({ text: "page 1", state: "received", from: anaName });
  expect((message as { sent_at: string }).sent_at).toMatch(RFC_3339);
  expect(await ours.result("message", { username: bobName, message_id: "none" })).toEqual({ message: null });
});

test("texts are edited, withdrawn, cancelled and deleted", async () => {
  const [ours, theirs] = daemons();
  const id = await delivered(ours, bobName, "first form");
  const { action } = await ours.result("edit", { to: bobName, message_id: id, text: "second form" });
  await ours.line({ event: "delivery", id: action, state: "received" });
  await theirs.line({ event: "edited", id, text: "second form" });
  await ours.result("withdraw", { to: bobName, message_id: id });
  await theirs.line({ event: "withdrawn", id });
  expect(await ours.code("withdraw", { to: bobName, message_id: id })).toBe("already_withdrawn");
  expect(await ours.code("cancel", { to: bobName, message_id: "none" })).toBe("unknown_message");
  expect(await ours.code("delete", { username: "nobody.known", message_id: id })).toBe("unknown_message");
  const { message_id } = await ours.result("send", { to: "away.person", text: "never sent" });
  expect(await ours.result("delete", { username: "away.person" })).toEqual({ count: 0, kept: 1 });
  expect(await ours.result("cancel", { to: "away.person" })).toEqual({ ids: [message_id] });
});

test("keys are compared", async () => {
  const [ours, theirs] = daemons();
  const { keys } = await ours.result("safety_number", { username: bobName });
  const [key] = keys as [{ safety_number: string; fingerprint: string; pending: boolean }];
  expect(key.pending).toBe(false);
  expect(await theirs.result("fingerprint")).toEqual({ username: bobName, fingerprint: key.fingerprint });
  expect(await theirs.result("safety_number", { username: anaName })).toMatchObject({
    keys: [{ safety_number: key.safety_number }],
  });
  expect(await ours.result("accept_key", { username: bobName })).toEqual({ result: "none" });
});

test("people verify each other by a code, through their programs", async () => {
  const [ours, theirs] = daemons();
  expect(await ours.result("answer_verification", { username: bobName, same: true })).toEqual({
    result: "none",
  });
  expect(await ours.result("open_verification", { username: bobName })).toEqual({ result: "opened" });
  await theirs.line({ event: "verification", username: anaName, state: "asked" });
  await theirs.result("open_verification", { username: anaName });
  const { code } = await ours.line({ event: "verification", username: bobName, state: "code" });
  await theirs.line({ event: "verification", state: "code", code });
  for (const [program, username] of [
    [ours, bobName],
    [theirs, anaName],
  ] as const)
    await program.result("answer_verification", { username, same: true });
  await ours.line({ event: "verification", state: "verified", retry_at: null });
  await theirs.line({ event: "verification", state: "verified" });
  expect(await ours.result("safety_number", { username: bobName })).toMatchObject({
    keys: [{ verified: true }],
  });
  expect(await ours.result("withdraw_verification", { username: bobName })).toEqual({ result: "withdrawn" });
  expect(await ours.result("withdraw_verification", { username: bobName })).toEqual({ result: "none" });
  // Closing it takes that back.
  await theirs.result("open_verification", { username: anaName });
  await ours.line({ event: "verification", username: bobName, state: "asked" });
  expect(await theirs.result("close_verification", { username: anaName })).toEqual({});
  await ours.line({ event: "verification", username: bobName, state: "withdrawn" });
  expect(await ours.code("open_verification", { username: anaName })).toBe("to_oneself");
});

test("who leaves a verification ends it only if nobody else of the account has it open", async () => {
  const [ours, theirs] = daemons();
  const beside = await new DaemonHere(anaPerson, PASSWORD).online();
  const [ourLines, theirLines] = [ours.lines.length, theirs.lines.length];
  for (const program of [ours, beside])
    expect(await program.result("open_verification", { username: bobName })).toEqual({ result: "opened" });
  await beside.result("leave_verification", { username: bobName });
  // What came later is answered later.
  await beside.result("status");
  await theirs.result("open_verification", { username: anaName });
  const { code } = await ours.line({ event: "verification", state: "code" }, ourLines);
  await theirs.line({ event: "verification", state: "code", code }, theirLines);
  await ours.result("leave_verification", { username: bobName });
  await ours.line({ event: "verification", state: "closed" }, ourLines);
  await theirs.line({ event: "verification", state: "ended" }, theirLines);
  await beside.stop();
});

test("a field that is missing or wrong is named", async () => {
  const [ours] = daemons();
  const wrong: [string, object, string][] = [
    ["send", { to: bobName }, "text"],
    ["send", { to: bobName, text: " \u3000 " }, "text"],
    ["send", { to: bobName, text: "x".repeat(33_000) }, "text"],
    ["send", { to: "???", text: "x" }, "to"],
    ["send", { to: 7, text: "x" }, "to"],
    ["history", { username: bobName, limit: 201 }, "limit"],
    ["mark_printed", { seqs: ["1"] }, "seqs"],
    ["search", { words: "…" }, "words"],
    ["typing", { username: bobName, active: "yes" }, "active"],
  ];
  for (const [command, fields, message] of wrong)
    expect((await ours.ask(command, { ...fields }))["error"]).toMatchObject({ code: "bad_request", message });
  expect(await ours.code("send", { to: anaName, text: "me" })).toBe("to_oneself");
});
