/** A member of a group who wants to harm the others, real messengers (GROUPS 11). */
import { expect, test } from "bun:test";

import { signEntry } from "../../../src/identity/group-entry.ts";
import { label } from "../../../src/identity/names.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { groupOf, stateOf, textOf, together } from "../group-people.ts";
import { Company, until, type Person } from "../messenger-pair.ts";
import { HostileFeed, HostileMember } from "./hostile-member.ts";

const cleanups = cleanupsForEachTest();

/** ana founded the group, bob has joined, and so has eva, whom both know. */
async function scene() {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  ana.accept("bob");
  const group = await together(ana, bob);
  const eva = new HostileMember("eva", company.identity("eva"));
  await eva.dial(ana);
  await ana.messenger.groups.actions.add(group, ["eva"], "all");
  const feed = await eva.join(group);
  await until(() => [ana, bob].every((person) => groupOf(person, group)?.people === 3));
  feed.give(feed.text("hola"));
  await until(() => textOf(bob, "eva", group).length === 1);
  return { company, ana, bob, group, feed };
}

async function talk(from: Person, to: Person, group: string): Promise<void> {
  const count = textOf(to, from.name, group).length;
  from.messenger.outbox.send(`#${group}`, `${count}`);
  await until(() => textOf(to, from.name, group).length > count);
  expect(textOf(to, from.name, group).at(-1)).toBe(`${count}`);
}

test("a flood ends at the budget, and two texts in one place end it all, for everybody alike", async () => {
  const { ana, bob, group, feed } = await scene();
  const { member: eva } = feed;
  // One was written before.
  feed.give(...Array.from({ length: 200 }, (_, index) => feed.text(`${index}`)));
  await until(() => [ana, bob].every((person) => textOf(person, "eva", group).length === 60));
  await talk(ana, bob, group);
  await talk(bob, ana, group);
  const last = feed.written.filter(({ lane }) => lane === "t")[59] as HostileFeed["written"][0];
  const place = { feed: feed.id, lane: "t", number: 60, prev: last.prev, kind: "text" } as const;
  const other = signEntry(group, { ...place, at: last.at }, { text: "a bob" }, eva.key);
  await eva.dial(bob);
  await eva.settled();
  feed.give(other);
  const forks = (person: Person) => person.of("groupNotice").filter(({ notice }) => notice.kind === "fork");
  await until(() => [ana, bob].every((person) => forks(person).length === 1));
  expect(forks(ana)[0]?.notice).toMatchObject({ names: ["eva"], number: 60 });
  await talk(ana, bob, group);
  for (const person of [ana, bob]) expect(textOf(person, "eva", group)).toHaveLength(60);
});

test("an admin rules only those below, and hears nothing more once removed", async () => {
  const { ana, bob, group, feed } = await scene();
  const { member: eva } = feed;
  await ana.messenger.groups.actions.makeAdmin(group, "eva");
  const at = { feed: group, c: 1, t: 0, cid: group, tid: group };
  feed.give(
    feed.write("c", "set", { n: 1_000_000, title: "\u202e\x1b[2JBanco" }),
    feed.write("c", "end", at),
    feed.write("c", "grant", { feed: feed.id }),
  );
  await until(() => groupOf(bob, group)?.title.endsWith("Banco") === true);
  expect(groupOf(ana, group)).toMatchObject({ role: "founder", people: 3 });
  await ana.messenger.groups.actions.rename(group, "Familia");
  await until(() => groupOf(bob, group)?.title === "Familia");
  await ana.messenger.groups.actions.remove(group, "eva");
  await until(() => groupOf(bob, group)?.people === 2);
  await eva.settled();
  await talk(ana, bob, group);
  await talk(bob, ana, group);
  for (const person of [ana, bob]) {
    await eva.dial(person);
    feed.greet();
    eva.say({ action: "group_want", group, bodies: [[group, 1]] });
    await eva.settled();
  }
  expect(eva.entries(group).filter(({ lane, feed: by }) => lane === "t" && by !== feed.id)).toEqual([]);
});

test("who writes under the name of somebody, with another key than the known one, is told apart", async () => {
  const { company, ana, bob, group, feed } = await scene();
  await ana.messenger.groups.actions.makeAdmin(group, "eva");
  const falseBob = feed.member.other(company.identity("bob"), "bob");
  const add = feed.add(falseBob.named);
  const written = feed.feedOf(falseBob, add);
  feed.give(add, written.write("c", "join", {}, { at: 0 }), written.text("soy bob"));
  await until(() => textOf(ana, "bob", group).length === 1);
  expect(groupOf(ana, group)).toMatchObject({ people: 3, doubtful: ["bob"] });
  const isTold = (event: (typeof ana.events)[number]) =>
    event.name === "group" && event.group.doubtful.includes("bob");
  const [told, shown] = [ana.events.findIndex(isTold), ana.events.indexOf(ana.of("message").at(-1) as never)];
  expect(told).toBeWithin(0, shown);
  await talk(bob, ana, group);
  await ana.messenger.groups.actions.remove(group, "eva");
  expect(groupOf(ana, group)?.doubtful).toEqual(["bob"]);
});

test("a founder who tells nobody that the others have joined keeps them apart from nobody", async () => {
  const company = await Company.meetFor(cleanups);
  const people = [await company.person("ana"), await company.person("bob")];
  const [ana, bob] = people as [Person, Person];
  const eva = new HostileMember("eva", company.identity("eva"));
  const feed = eva.found("Familia");
  const { group, written } = feed;
  const adds = people.map(({ name, profile }) =>
    feed.add({ label: label(name), name, spki: profile.keys.spki.toString("base64") }),
  );
  const control = [...written];
  for (const [index, person] of people.entries()) {
    await eva.dial(person);
    const add = adds[index] as (typeof adds)[0];
    eva.say(feed.invitation(add, [control[0] as typeof add, add]));
    await until(() => stateOf(person, group) === "invited");
    await person.messenger.groups.actions.accept(group);
    eva.speakFor(feed);
    feed.greet();
    feed.give(...control);
    await eva.settled();
    await eva.settled();
  }
  await until(() => people.every((person) => groupOf(person, group)?.people === 3));
  await talk(ana, bob, group);
  await talk(bob, ana, group);
});
