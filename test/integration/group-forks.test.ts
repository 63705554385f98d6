/** A profile that was put back from a copy, and signed numbers again that others have (GROUPS 7), over real sockets. */
import { describe, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";

import { label } from "../../src/identity/names.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { groupOf, stateOf, textOf, together } from "./group-people.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";

const cleanups = cleanupsForEachTest();

const notices = (person: Person, kind: string) =>
  person.of("groupNotice").filter(({ notice }) => notice.kind === kind);

const texts = (person: Person, group: string) =>
  person.messenger.archive
    .conversation(`#${group}`)
    ?.after(0, 100)
    .map(({ text }) => text) ?? [];

describe("who has forked", () => {
  test("is admitted anew by an admin, joins without a question, and what waited goes out once", async () => {
    const company = await Company.meetFor(cleanups);
    const [ana, bob, carla] = [
      await company.person("ana"),
      await company.person("bob"),
      await company.person("carla"),
    ];
    const group = await together(ana, bob, carla);
    const name = `#${group}`;
    const write = async (person: Person, text: string) => {
      person.messenger.outbox.send(name, text);
      await person.messenger.outbox.committed();
    };
    await write(bob, "uno");
    await until(() => [ana, carla].every((each) => textOf(each, "bob", group).includes("uno")));
    await bob.close();
    for (const copy of ["old bob", "another old bob"])
      cpSync(join(company.folder, label("bob")), join(company.folder, copy), { recursive: true });

    // ana alone gets what he writes before his profile is put back, and carla alone what he writes then.
    await carla.close();
    const before = await company.person("bob");
    await write(before, "dos");
    await until(() => textOf(ana, "bob", group).includes("dos"));
    await Promise.all([before.close(), ana.close()]);
    const carlaAgain = await company.person("carla");
    const old = await company.person("bob", { folder: "old bob" });
    await write(old, "otro dos");
    await until(() => textOf(carlaAgain, "bob", group).includes("otro dos"));
    await carlaAgain.close();
    await write(old, "tres");
    expect(groupOf(old, group)?.waiting).toBe(1);

    const [anaAgain, carlaBack] = [await company.person("ana"), await company.person("carla")];
    const all = [anaAgain, old, carlaBack];
    await until(() => all.every((each) => notices(each, "fork").length === 1));
    await untilQuiet(() => groupOf(old, group)?.may_write === false);
    expect(() => old.messenger.outbox.send(name, "¿y ahora?")).toThrow("forked");

    const { added, failed } = await anaAgain.messenger.groups.actions.add(group, ["bob"], "all");
    expect({ added, failed }).toEqual({ added: ["bob"], failed: [] });
    await untilQuiet(() => groupOf(old, group)?.may_write === true);
    await write(old, "cuatro");
    await until(() => [anaAgain, carlaBack].every((each) => textOf(each, "bob", group).includes("cuatro")));
    expect(textOf(anaAgain, "bob", group)).toEqual(["tres", "cuatro"]);
    expect(textOf(carlaBack, "bob", group)).toEqual(["tres", "cuatro"]);
    expect(texts(anaAgain, group)).toEqual(["uno", "dos", "tres", "cuatro"]);
    expect(texts(carlaBack, group)).toEqual(["uno", "otro dos", "tres", "cuatro"]);
    expect(texts(old, group)).toEqual(["uno", "otro dos", "tres", "cuatro"]);
    await untilQuiet(() => all.every((each) => groupOf(each, group)?.waiting === 0));
    expect(all.map((each) => groupOf(each, group)?.people)).toEqual([3, 3, 3]);
    expect(stateOf(old, group)).toBe("joined");
    await until(() => all.every((each) => notices(each, "readmitted").length === 1));
    expect(notices(old, "readmitted")[0]?.notice).toMatchObject({ by: "ana", names: ["bob"] });

    // He is in it already now, and can be made an admin.
    const again = await anaAgain.messenger.groups.actions.add(group, ["bob"], "all");
    expect(again.failed).toEqual([{ username: "bob", code: "already_member" }]);
    await anaAgain.messenger.groups.actions.makeAdmin(group, "bob");
    await untilQuiet(() => groupOf(old, group)?.role === "admin");

    // A copy from before all this learns that it has joined anew, and goes on there.
    await old.close();
    const older = await company.person("bob", { folder: "another old bob" });
    await untilQuiet(() => groupOf(older, group)?.role === "admin");
    const last = older.messenger.outbox.send(name, "cinco");
    await until(() => older.of("delivery").some(({ id, state }) => id === last && state === "received"));
    await untilQuiet(() => groupOf(older, group)?.unshared === 0 && groupOf(older, group)?.waiting === 0);
    await until(() => [anaAgain, carlaBack].every((each) => textOf(each, "bob", group).includes("cinco")));
    expect(texts(older, group).toSorted()).toEqual(["cinco", "cuatro", "tres", "uno"]);
  });
});

test("whose only companion has lost the key for good removes them, and goes on with the new one", async () => {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  const group = await together(ana, bob);
  await Promise.all([ana.close(), bob.close()]);
  const alone = await company.person("ana");
  const { actions } = alone.messenger.groups;
  // What changes the group in another way still needs somebody who confirms what was written before.
  expect(await actions.rename(group, "Casa").catch(({ code }) => code)).toBe("nobody_online");
  const waiting = alone.messenger.outbox.send(`#${group}`, "¿estás?");
  expect(await actions.remove(group, "bob")).toMatchObject({ people: 1 });
  const other = await company.person("bob", { folder: "another machine" });
  expect(await actions.add(group, ["bob"], "all")).toMatchObject({ added: ["bob"], failed: [] });
  await until(() => stateOf(other, group) === "invited");
  await other.messenger.groups.actions.accept(group);
  await until(() => textOf(other, "ana", group).includes("¿estás?"));
  other.messenger.outbox.send(`#${group}`, "aquí");
  await until(() => textOf(alone, "bob", group).includes("aquí"));
  await until(() => alone.of("delivery").some(({ id, state }) => id === waiting && state === "received"));
});

test("a copy from before an invitation was accepted accepts it again, and forks nothing", async () => {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  const { group } = await ana.messenger.groups.actions.create("Familia", "admins", "all");
  await ana.messenger.groups.actions.add(group, ["bob"], "all");
  await until(() => stateOf(bob, group) === "invited");
  await bob.close();
  cpSync(join(company.folder, label("bob")), join(company.folder, "old bob"), { recursive: true });
  const before = await company.person("bob");
  await before.messenger.groups.actions.accept(group);
  before.messenger.outbox.send(`#${group}`, "uno");
  await until(() => textOf(ana, "bob", group).includes("uno"));
  await before.close();
  const old = await company.person("bob", { folder: "old bob" });
  await old.messenger.groups.actions.accept(group);
  old.messenger.outbox.send(`#${group}`, "dos");
  await until(() => textOf(ana, "bob", group).includes("dos"));
  expect(texts(old, group).toSorted()).toEqual(["dos", "uno"]);
  expect(notices(ana, "fork")).toEqual([]);
});
