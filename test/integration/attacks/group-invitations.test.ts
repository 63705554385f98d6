/** Invitations to groups with which somebody wants to reach, deceive or drown people. */
import { expect, test } from "bun:test";

import { GroupStore } from "../../../src/client/group/store/group-store.ts";
import { label } from "../../../src/identity/names.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { groupOf, stateOf } from "../group-people.ts";
import { Company, until, type Person } from "../messenger-pair.ts";
import { HostileMember } from "./hostile-member.ts";

const cleanups = cleanupsForEachTest();

const keyOf = ({ name, profile }: Person): HostileMember["named"] => ({
  label: label(name),
  name,
  spki: profile.keys.spki.toString("base64"),
});

async function visitor(company: Company, name: string, victim: Person): Promise<HostileMember> {
  const visitor = new HostileMember(name, company.identity(name));
  await visitor.dial(victim);
  return visitor;
}

/** Invites the victim to so many groups. */
async function inviteTo(visitor: HostileMember, victim: Person, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const feed = visitor.found(`${visitor.name} ${number}`);
    visitor.say(feed.invitation(feed.add(keyOf(victim)), feed.written));
  }
  await visitor.settled();
}

const waiting = (person: Person) =>
  person.messenger.groups.shown.all().filter(({ state }) => state === "invited").length;

test("who takes nothing of strangers, or has declined somebody, is not invited by them", async () => {
  const company = await Company.meetFor(cleanups);
  const closed = await company.person("ana", { who: "contacts" });
  closed.accept("luis");
  await inviteTo(await visitor(company, "eva", closed), closed, 1);
  expect(waiting(closed)).toBe(0);
  await inviteTo(await visitor(company, "luis", closed), closed, 1);
  expect(waiting(closed)).toBe(1);

  const open = await company.person("bob", { who: "requests" });
  const eva = await visitor(company, "eva", open);
  eva.say({ message: "hola", id: "1" });
  await until(() => open.of("request").length === 1);
  open.messenger.decisions.decide("eva", "decline");
  await inviteTo(eva, open, 1);
  expect(waiting(open)).toBe(0);
});

test("strangers leave places for friends, and a friend who says it thousandfold is read slowly", async () => {
  const company = await Company.meetFor(cleanups);
  const ana = await company.person("ana", { who: "requests" });
  for (const name of ["s1", "s2", "s3"]) await inviteTo(await visitor(company, name, ana), ana, 5);
  expect(waiting(ana)).toBe(8);
  ana.accept("luis");
  const luis = await visitor(company, "luis", ana);
  const feed = luis.found("Familia");
  const ids: string[] = [];
  for (let count = 0; count < 200; count++) {
    const add = feed.add(keyOf(ana));
    ids.push(add.id);
    luis.say(feed.invitation(add, [feed.written[0] as (typeof feed.written)[0], add]));
  }
  await luis.settled();
  expect(waiting(ana)).toBe(9);
  // Some more where the machine was busy for seconds.
  const { ownFeed = "" } = new GroupStore(ana.profile).find(feed.group) ?? {};
  expect(ids.indexOf(ownFeed)).toBeLessThan(100);
});

test("an invitation that admits nobody takes the place of no good one, and who accepts it joins all the same", async () => {
  const company = await Company.meetFor(cleanups);
  const [ana, bob, luis] = [
    await company.person("ana"),
    await company.person("bob"),
    await company.person("luis"),
  ];
  const { actions } = ana.messenger.groups;
  const { group } = await actions.create("Familia", "admins", "all");
  const eva = await visitor(company, "eva", ana);
  await actions.add(group, ["eva"], "all");
  const feed = await eva.join(group);
  await until(() => groupOf(ana, group)?.people === 2);
  const chain = eva.entries(group).filter(({ kind }) => kind === "create" || kind === "add");
  /** She may add nobody. */
  const lure = async (victim: Person) => {
    const fake = feed.add(keyOf(victim));
    await eva.dial(victim);
    eva.say(feed.invitation(fake, [...chain, fake], { title: "Banco" }));
    await eva.settled();
  };
  await lure(luis);
  expect(groupOf(luis, group)).toMatchObject({ state: "invited", title: "Banco" });
  await luis.messenger.groups.actions.accept(group);
  await eva.dial(ana);
  await eva.settled();
  await actions.add(group, ["bob", "luis"], "all");
  await until(() => stateOf(bob, group) === "invited");
  await lure(bob);
  expect(groupOf(bob, group)).toMatchObject({ invited_by: "ana", title: "Familia" });
  await until(() => groupOf(luis, group)?.role === "member");
  expect(groupOf(luis, group)?.title).toBe("Familia");
});
