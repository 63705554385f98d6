/** Groups of real messengers over real sockets: who is invited, what arrives where, and what becomes of who leaves. */
import { describe, expect, test } from "bun:test";

import { MAX_ASKED } from "../../src/client/group/neighbours.ts";
import { signCreate, signEntry } from "../../src/identity/group-entry.ts";
import { generateKeyPair } from "../../src/identity/keys.ts";
import { label } from "../../src/identity/names.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { groupOf, stateOf, textOf, together } from "./group-people.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

const cleanups = cleanupsForEachTest();

const meet = () => Company.meetFor(cleanups);

describe("two people", () => {
  test("found a group, invite, join, and write both ways", async () => {
    const company = await meet();
    const [ana, bob] = [await company.person("ana"), await company.person("bob")];
    const { group } = await ana.messenger.groups.actions.create("Familia", "admins", "all");
    const added = await ana.messenger.groups.actions.add(group, ["bob"], "all");
    expect(added).toMatchObject({ added: ["bob"], waiting: [], failed: [] });
    await until(() => stateOf(bob, group) === "invited");
    expect(groupOf(bob, group)).toMatchObject({
      title: "Familia",
      name: "#Familia",
      people: 1,
      invited_by: "ana",
      history: "all",
      may_write: false,
    });
    await bob.messenger.groups.actions.accept(group);
    const first = ana.messenger.outbox.send(`#${group}`, "hola");
    await until(() => bob.texts("ana").length === 1);
    bob.messenger.outbox.send(`#${group}`, "bien");
    await until(() => ana.texts("bob").length === 1);
    expect(bob.of("message")).toMatchObject([{ from: "ana", group, message: { text: "hola" } }]);
    await until(() => ana.of("delivery").some(({ id, state }) => id === first && state === "received"));
    expect(ana.of("delivery").filter(({ id }) => id === first)).toMatchObject([
      { state: "queued" },
      { state: "sent" },
      { state: "received", to: `#${group}`, counts: { received: 1, read: 0, of: 1 } },
    ]);
    expect(ana.of("groupNotice").map(({ notice }) => notice)).toMatchObject([
      { kind: "added", names: ["bob"], by: "ana" },
      { kind: "joined", names: ["bob"] },
    ]);
    // Who opens the chat later is told once.
    const notices = ana.messenger.groups.notices(group);
    expect(notices).toMatchObject([{ kind: "joined", names: ["bob"] }]);
    ana.messenger.groups.noticesShown(group, notices[0]?.seq ?? 0);
    expect(ana.messenger.groups.notices(group)).toEqual([]);
    expect(bob.messenger.groups.notices(group)).toEqual([]);
    expect(await groupOf(bob, group)).toMatchObject({ role: "member", people: 2, may_write: true });
  });
});

test("what is too much for a minute waits, and the group says until when", async () => {
  const company = await meet();
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  const group = await together(ana, bob);
  for (let number = 1; number <= 61; number++) ana.messenger.outbox.send(`#${group}`, `${number}`);
  await until(() => bob.texts("ana").length === 60);
  const heldUntil = groupOf(ana, group)?.held_until ?? "";
  expect(Date.parse(heldUntil) - Date.now()).toBeWithin(1, 61_000);
  expect(groupOf(bob, group)?.held_until).toBeNull();
  // Who reads along is told, too.
  expect(ana.of("group").some((each) => each.group.held_until !== null)).toBe(true);
});

test("whoever is removed after links have settled is told so on the link that there is", async () => {
  const company = await meet();
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  const group = await together(ana, bob);
  // A second acknowledgement comes a second after the first: links were looked at meanwhile.
  for (const text of ["hola", "adiós"]) {
    bob.messenger.outbox.send(`#${group}`, text);
    await until(() => groupOf(bob, group)?.waiting === 0);
  }
  bob.messenger.outbox.send(`#${group}`, "nobody confirms this in time");
  await until(() => textOf(ana, "bob", group).length === 3);
  await ana.messenger.groups.actions.remove(group, "bob");
  await until(() => stateOf(bob, group) === "removed");
  expect(bob.of("disconnected")).toEqual([]);
  expect(groupOf(bob, group)?.waiting).toBe(0);
});

describe("several people", () => {
  test("who was away gets what was written from somebody who was there", async () => {
    const company = await meet();
    const [ana, bob, eva] = [
      await company.person("ana"),
      await company.person("bob"),
      await company.person("eva"),
    ];
    const group = await together(ana, bob, eva);
    await eva.close();
    const name = `#${group}`;
    for (const text of ["uno", "dos", "tres"]) ana.messenger.outbox.send(name, text);
    await until(() => textOf(bob, "ana", group).length === 3);
    await ana.close();
    const back = await company.person("eva");
    await until(() => textOf(back, "ana", group).length === 3);
    expect(textOf(back, "ana", group)).toEqual(["uno", "dos", "tres"]);
    back.messenger.outbox.send(name, "ya estoy");
    await until(() => textOf(bob, "eva", group).length === 1);
  });

  test("who is removed gets nothing more, and is told; who leaves is gone for all", async () => {
    const company = await meet();
    const [ana, bob, eva] = [
      await company.person("ana"),
      await company.person("bob"),
      await company.person("eva"),
    ];
    const group = await together(ana, bob, eva);
    const early = eva.messenger.outbox.send(`#${group}`, "antes");
    await until(() => textOf(ana, "eva", group).length === 1);
    await ana.messenger.groups.actions.remove(group, "eva");
    await until(() => stateOf(eva, group) === "removed");
    const notices = (person: Person) => person.of("groupNotice").map(({ notice }) => notice);
    await until(() => notices(eva).some(({ kind, by }) => kind === "removed_self" && by === "ana"));
    ana.messenger.outbox.send(`#${group}`, "ya no está");
    await until(() => textOf(bob, "ana", group).length === 1);
    await until(() => notices(bob).some(({ kind }) => kind === "removed"));
    expect(() => eva.messenger.outbox.send(`#${group}`, "¿hola?")).toThrow("removed");
    expect(() => eva.messenger.outbox.edit(`#${group}`, early, "después")).toThrow("removed");
    expect(() => eva.messenger.outbox.withdraw(`#${group}`, early)).toThrow("removed");
    expect(textOf(eva, "ana", group)).toEqual([]);
    await bob.messenger.groups.actions.leave(group);
    await until(() => notices(ana).some(({ kind, names }) => kind === "left" && names.includes("bob")));
    expect(ana.messenger.groups.shown.members(group)).toMatchObject([
      { username: "ana", role: "founder", is_self: true },
    ]);
    await until(() => groupOf(bob, group)?.unshared === 0);
    expect(stateOf(bob, group)).toBe("left");
    // Whoever has left may come back, and gets what was written meanwhile.
    ana.messenger.outbox.send(`#${group}`, "entretanto");
    await ana.messenger.groups.actions.add(group, ["bob"], "all");
    await until(() => stateOf(bob, group) === "invited");
    await bob.messenger.groups.actions.accept(group);
    await until(() => textOf(bob, "ana", group).includes("entretanto"));
  });

  test("that somebody has left while nobody was there is told later", async () => {
    const company = await meet();
    const [ana, bob] = [await company.person("ana"), await company.person("bob")];
    const group = await together(ana, bob);
    await Promise.all([ana.close(), bob.close()]);
    const alone = await company.person("bob");
    const leaving = alone.messenger.groups.actions.leave(group);
    expect(stateOf(alone, group)).toBe("left");
    await Promise.all([alone.close(), leaving.catch(() => undefined)]);
    const [back, gone] = [await company.person("ana"), await company.person("bob")];
    await until(() => back.of("groupNotice").some(({ notice }) => notice.kind === "left"));
    await until(() => !gone.messenger.groups.shown.members(group).some(({ username }) => username === "bob"));
    expect(stateOf(gone, group)).toBe("left");
  });

  test("what was written and is not signed when one leaves stays as a draft, and is never sent", async () => {
    const company = await meet();
    const [ana, bob] = [await company.person("ana"), await company.person("bob")];
    const group = await together(ana, bob);
    await Promise.all([ana.close(), bob.close()]);
    const alone = await company.person("bob");
    const name = `#${group}`;
    const ids = ["uno", "dos"].map((text) => alone.messenger.outbox.send(name, text));
    alone.messenger.outbox.commit();
    const leaving = alone.messenger.groups.actions.leave(group);
    const { drafts, contacts } = alone.messenger.profile;
    const contact = contacts.find(name);
    expect(contact && drafts.of(contact)).toEqual(["uno\ndos"]);
    await until(() => alone.of("cancelled").length === ids.length);
    expect(alone.of("cancelled")).toMatchObject(ids.map((id) => ({ to: name, id, kept: true })));
    expect(groupOf(alone, group)?.waiting).toBe(0);
    const back = await company.person("ana");
    await leaving;
    await until(() => back.messenger.groups.shown.members(group).length === 1);
    expect(textOf(back, "bob", group)).toEqual([]);
  });

  test("who wrote before learning of a removal has it as a draft, and writes again once invited anew", async () => {
    const company = await meet();
    const [ana, bob] = [await company.person("ana"), await company.person("bob")];
    const carla = await company.person("carla");
    const group = await together(ana, bob, carla);
    await carla.close();
    await ana.messenger.groups.actions.remove(group, "carla");
    const alone = await company.person("carla");
    const name = `#${group}`;
    alone.messenger.outbox.send(name, "uno");
    alone.messenger.outbox.commit();
    await until(() => stateOf(alone, group) === "removed");
    await until(() => alone.of("cancelled").length === 1);
    const { drafts, contacts } = alone.messenger.profile;
    const contact = contacts.find(name);
    expect(contact && drafts.of(contact)).toEqual(["uno"]);
    await ana.messenger.groups.actions.add(group, ["carla"], "all");
    await until(() => stateOf(alone, group) === "invited");
    await alone.messenger.groups.actions.accept(group);
    alone.messenger.outbox.send(name, "dos");
    await until(() => textOf(ana, "carla", group).length === 1);
    expect(textOf(ana, "carla", group)).toEqual(["dos"]);
    await until(() => groupOf(alone, group)?.waiting === 0);
  });

  test("an invitation that is declined is taken back, and may be made again", async () => {
    const company = await meet();
    const [ana, bob] = [await company.person("ana"), await company.person("bob")];
    const { group } = await ana.messenger.groups.actions.create("Clase", "admins", "admins");
    await ana.messenger.groups.actions.add(group, ["bob"], "none");
    await until(() => stateOf(bob, group) === "invited");
    await bob.messenger.groups.actions.decline(group);
    await until(() => ana.messenger.groups.shown.members(group).length === 1);
    await ana.messenger.groups.actions.add(group, ["bob"], "none");
    await until(() => stateOf(bob, group) === "invited");
    await bob.messenger.groups.actions.accept(group);
    await untilQuiet(() => groupOf(bob, group)?.role === "member");
    expect(groupOf(bob, group)).toMatchObject({ writes: "admins", may_write: false });
    expect(() => bob.messenger.outbox.send(`#${group}`, "hola")).toThrow("only_admins_write");
    await ana.messenger.groups.actions.makeAdmin(group, "bob");
    await untilQuiet(() => groupOf(bob, group)?.may_write === true);
    bob.messenger.outbox.send(`#${group}`, "hola");
    await until(() => textOf(ana, "bob", group).length === 1);
    await bob.messenger.groups.actions.rename(group, "Clase de física");
    await until(() => groupOf(ana, group)?.title === "Clase de física");
  });

  test("whoever is to be invited and is away is invited when they come", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    const { group } = await ana.messenger.groups.actions.create("Familia", "admins", "all");
    await company.addAccount("bob");
    const added = await ana.messenger.groups.actions.add(group, ["bob"], "all");
    expect(added).toMatchObject({ added: [], waiting: ["bob"] });
    expect(ana.messenger.groups.shown.members(group)).toMatchObject([
      { username: "ana" },
      { username: "bob", state: "to_invite" },
    ]);
    const bob = await company.person("bob");
    await until(() => stateOf(bob, group) === "invited");
  });

  test("a class is invited whole, also beyond the number of links, and though nobody answers", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    const { group } = await ana.messenger.groups.actions.create("Clase", "admins", "all");
    const names = Array.from({ length: MAX_ASKED + 2 }, (_, index) => `alumno${index}`);
    const people: Person[] = [];
    for (const name of names) people.push(await company.person(name));
    await ana.messenger.groups.actions.add(group, names, "all");
    await untilQuiet(() => people.every((person) => stateOf(person, group) === "invited"));
    expect(groupOf(ana, group)?.to_invite).toEqual([]);
  });

  test("a text that was written while nobody was there, and edits and withdrawals, arrive later", async () => {
    const company = await meet();
    const [ana, bob] = [await company.person("ana"), await company.person("bob")];
    const group = await together(ana, bob);
    const name = `#${group}`;
    await bob.close();
    const id = ana.messenger.outbox.send(name, "sin nadie");
    await ana.messenger.outbox.committed();
    const gone = ana.messenger.outbox.send(name, "se va");
    await ana.messenger.outbox.committed();
    await ana.close();
    const again = await company.person("ana");
    expect(groupOf(again, group)).toMatchObject({ waiting: 2 });
    const back = await company.person("bob");
    await until(() => textOf(back, "ana", group).length === 2);
    again.messenger.outbox.edit(name, id, "con alguien");
    again.messenger.outbox.withdraw(name, gone);
    await until(() => back.of("changed").length === 2);
    expect(back.of("changed")).toMatchObject([
      { username: name, message: { text: "con alguien" } },
      { username: name, message: { text: "" } },
    ]);
    await until(() => groupOf(again, group)?.waiting === 0);
  });
});

test("what somebody writes who is blocked is kept and passed on, and not shown", async () => {
  const company = await meet();
  const [ana, bob, eva] = [
    await company.person("ana"),
    await company.person("bob"),
    await company.person("eva"),
  ];
  const group = await together(ana, bob, eva);
  bob.messenger.decisions.decide("eva", "block");
  eva.messenger.outbox.send(`#${group}`, "¿me lees?");
  await until(() => textOf(ana, "eva", group).length === 1);
  ana.messenger.outbox.send(`#${group}`, "sí");
  await until(() => textOf(bob, "ana", group).length === 1);
  const stored = () => bob.messenger.archive.conversation(`#${group}`)?.after(0, 10) ?? [];
  await untilQuiet(() => stored().length === 2);
  expect(stored().map(({ text }) => text)).toContain("¿me lees?");
  expect(textOf(bob, "eva", group)).toEqual([]);
  expect(groupOf(bob, group)?.unread).toBe(1);
});

describe("five people", () => {
  test("what each writes while links are cut reaches all, once and in order", async () => {
    const company = await meet();
    const names = ["ana", "bob", "eva", "luis", "pepa"];
    const all: Person[] = [];
    for (const name of names) all.push(await company.person(name));
    const [ana, bob, ...rest] = all;
    if (ana === undefined || bob === undefined) throw new Error("nobody is there");
    const group = await together(ana, bob, ...rest);
    const texts = Array.from({ length: 10 }, (_, index) => `${index}`);
    for (const text of texts) {
      for (const person of all) person.messenger.outbox.send(`#${group}`, text);
      await ana.messenger.outbox.committed();
      // Whichever link is cut, the others have what was written, or will get it.
      bob.messenger.decisions.decide("ana", "block");
      bob.messenger.decisions.decide("ana", "unblock");
    }
    const others = (person: Person) => all.filter((other) => other !== person);
    await until(() =>
      all.every((person) =>
        others(person).every(({ name }) => textOf(person, name, group).length >= texts.length),
      ),
    );
    for (const person of all) {
      for (const { name } of others(person)) expect(textOf(person, name, group)).toEqual(texts);
    }
  });
});

describe("others", () => {
  test("a new key of somebody is admitted by hand, and writes in the same name", async () => {
    const company = await meet();
    const [ana, bob] = [await company.person("ana"), await company.person("bob")];
    ana.accept("bob");
    const group = await together(ana, bob);
    ana.messenger.outbox.send(`#${group}`, "hola");
    await until(() => ana.received(`#${group}`) === 1);
    await bob.close();
    const other = await company.person("bob", { folder: "another machine" });
    ana.messenger.openChat("bob");
    await until(() => ana.of("keyPending").length === 1);
    const { failed } = await ana.messenger.groups.actions.add(group, ["bob"], "all");
    expect(failed).toEqual([{ username: "bob", code: "key_changed" }]);
    const { fingerprint } = ana.of("keyPending")[0] ?? {};
    ana.messenger.archive.safetyNumbers.with("bob", { markShown: true });
    expect(ana.messenger.acceptKey("bob", fingerprint)).toMatchObject({ result: "accepted" });
    expect(await ana.messenger.groups.actions.add(group, ["bob"], "all")).toMatchObject({ added: ["bob"] });
    await until(() => stateOf(other, group) === "invited");
    await other.messenger.groups.actions.accept(group);
    await untilQuiet(() => groupOf(other, group)?.role === "member");
    expect(groupOf(other, group)?.people).toBe(2);
    other.messenger.outbox.send(`#${group}`, "nuevo teléfono");
    await until(() => textOf(ana, "bob", group).length === 1);
  });

  test("a stranger's invitations fill no disk, forged ones end the link, and who knows no groups hears of none", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    const identity = company.identity("eva");
    const peer = await RawPeer.dial(ana.port, { identity });
    await peer.next();
    peer.send({ action: "hello", protocol: 1, username: "eva", features: ["group1"] });
    const eva = generateKeyPair();
    const spki = ana.profile.keys.spki.toString("base64");
    const own = { label: label("eva"), name: "eva", spki: eva.spki.toString("base64") };
    const invite = (title: string, member = spki) => {
      const body = { version: 1, ...own, title, adds: "admins", writes: "all" };
      const create = signCreate(1, body, eva.privateKey);
      const position = {
        feed: create.id,
        lane: "c",
        number: 2,
        prev: create.id,
        kind: "add",
        at: 1,
      } as const;
      const added = { label: label("ana"), name: "ana", spki: member, role: "member", history: "all" };
      const add = signEntry(create.id, position, added, eva.privateKey);
      const entries = [create, add].map(({ header, signature, body: text }) => [header, signature, text]);
      const said = { group: create.id, feed: add.id, title, by: "eva", people: 1, entries };
      return { action: "group_invite", ...said };
    };
    for (let count = 0; count < 10; count++) peer.send(invite(`grupo ${count}`));
    peer.send({ action: "ping" });
    for (let answer = await peer.next(); answer["action"] !== "pong";) answer = await peer.next();
    expect(ana.messenger.groups.shown.all().map(({ title }) => title)).toEqual([
      "grupo 0",
      "grupo 1",
      "grupo 2",
      "grupo 3",
    ]);
    // The name that the chain gives a key is not that of a pin, nor of this link.
    expect(ana.messenger.groups.shown.all()[0]).toMatchObject({ invited_by: "eva (?)", state: "invited" });
    for (const { group } of ana.messenger.groups.shown.all())
      await ana.messenger.groups.actions.decline(group);
    peer.send(invite("de otra", own.spki));
    await peer.closed;
    const old = await RawPeer.dial(ana.port, { identity });
    await old.next();
    old.send({ action: "hello", protocol: 1, username: "eva", features: [] });
    old.send({ action: "ping" });
    for (let answer = await old.next(); answer["action"] !== "pong";) answer = await old.next();
    const { group } = await ana.messenger.groups.actions.create("Familia", "admins", "all");
    const { failed } = await ana.messenger.groups.actions.add(group, ["eva"], "all");
    expect(failed).toEqual([{ username: "eva", code: "not_supported" }]);
  });
});
