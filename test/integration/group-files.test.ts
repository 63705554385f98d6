/** Files that are given to all of a group, between real messengers over real sockets. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { together } from "./group-people.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";

const cleanups = cleanupsForEachTest();

const fileOf = ({ messenger }: Person) => messenger.files.list()[0];

/** Three people of one group, and a file of so many bytes for all that the first of them gives. */
async function offered(bytes: Buffer, prepare: (ana: Person, bob: Person) => void = () => undefined) {
  const company = await Company.meetFor(cleanups);
  const people = [await company.person("ana"), await company.person("bob"), await company.person("eva")];
  const [ana, bob, eva] = people as [Person, Person, Person];
  prepare(ana, bob);
  const group = await together(ana, bob, eva);
  const path = join(company.folder, "foto.jpg");
  writeFileSync(path, bytes);
  await ana.messenger.groupFiles.send(group, path, "foto.jpg", undefined);
  for (const each of [bob, eva]) await until(() => fileOf(each)?.state === "offered");
  const accept = (who: Person) => {
    const folder = join(company.folder, `got-${who.name}`);
    mkdirSync(folder, { recursive: true });
    return who.messenger.files.accept(fileOf(who)?.id ?? "", folder, false);
  };
  return { company, ana, bob, eva, group, path, accept };
}

const MIB = 1024 * 1024;
const givers = (person: Person) => person.of("file").map(({ file }) => file.giver);
const sha256 = (bytes: Buffer) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
const noise = (size: number) => Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31) % 251));

test("whoever got a file gives it to others when its author is gone", async () => {
  const bytes = noise(3 * MIB + 7);
  const { ana, bob, eva, group, accept } = await offered(bytes);
  await accept(bob);
  await until(() => fileOf(bob)?.state === "done");
  const told = bob.of("file").map(({ file }) => file);
  const one = { group, title: "Familia", from: "ana", peer: `#${group}`, direction: "in" } as const;
  expect(told.at(0)).toMatchObject({ ...one, state: "offered", giver: null });
  expect(told.find(({ state }) => state === "running")).toMatchObject({ ...one, giver: "ana" });
  await ana.close();
  await accept(eva);
  await until(() => fileOf(eva)?.state === "done");
  expect(readFileSync(fileOf(eva)?.path ?? "").equals(bytes)).toBe(true);
});

test("a file whose giver goes in the middle goes on with another one from where it was", async () => {
  const bytes = noise(24 * MIB);
  const { ana, bob, eva, accept } = await offered(bytes);
  await accept(bob);
  await until(() => fileOf(bob)?.state === "done");
  await accept(eva);
  await untilQuiet(() => (fileOf(eva)?.done ?? 0) > 0);
  ana.messenger.groupFiles.giving.close();
  const closed = ana.close();
  const before = fileOf(eva)?.done ?? 0;
  expect(before).toBeLessThan(bytes.length);
  await closed;
  await until(() => fileOf(eva)?.state === "done");
  expect(readFileSync(fileOf(eva)?.path ?? "").equals(bytes)).toBe(true);
  const later = eva.of("file").filter(({ file }) => file.giver === "bob" && file.state === "running");
  expect(Math.min(...later.map(({ file }) => file.done))).toBeGreaterThanOrEqual(before);
});

test("who gives other bytes is not asked again, and the file that arrives is the right one", async () => {
  const bytes = noise(MIB + 7);
  const { company, ana, bob, eva, accept } = await offered(bytes);
  await accept(bob);
  await until(() => fileOf(bob)?.state === "done");
  // Bob takes another file of the same size for the one that was offered.
  const other = Buffer.from(bytes.map((byte) => 255 - byte));
  writeFileSync(fileOf(bob)?.path ?? "", other);
  bob.profile.database.run("UPDATE transfers SET sha256 = ?", [sha256(other)]);
  await ana.close();
  await accept(eva);
  await until(() => givers(eva).includes("bob") && givers(eva).at(-1) === null && fileOf(eva)?.done === 0);
  expect(fileOf(eva)?.state).toBe("accepted");
  const told = givers(eva).length;
  await company.person("ana");
  await until(() => fileOf(eva)?.state === "done");
  expect(readFileSync(fileOf(eva)?.path ?? "").equals(bytes)).toBe(true);
  expect(givers(eva).slice(told)).not.toContain("bob");
});

test("who has no one to give it waits, and gets it when somebody comes", async () => {
  const { company, ana, eva, accept } = await offered(noise(1000));
  await ana.close();
  await accept(eva);
  // Bob is there, and does not have it.
  await until(() => eva.of("file").some(({ file }) => file.giver === "bob"));
  expect(fileOf(eva)?.state).toBe("accepted");
  await company.person("ana");
  await until(() => fileOf(eva)?.state === "done");
});

test("files that nobody has keep none waiting that somebody has", async () => {
  const { company, ana, bob, eva, group, path } = await offered(noise(10));
  for (const name of ["b", "c", "d", "e"]) await ana.messenger.groupFiles.send(group, path, name, undefined);
  await until(() => eva.messenger.files.list().length === 5);
  await ana.close();
  for (const { id } of eva.messenger.files.list())
    await eva.messenger.files.accept(id, company.folder, false);
  await bob.messenger.groupFiles.send(group, path, "of bob", undefined);
  await until(() => eva.messenger.files.list().length === 6);
  await eva.messenger.files.accept(eva.messenger.files.list()[5]?.id ?? "", company.folder, false);
  const states = () => eva.messenger.files.list().map(({ state }) => state);
  await until(() => states()[5] === "done");
  expect(states().slice(0, 5)).toEqual(Array(5).fill("accepted"));
  await company.person("ana");
  await until(() => states().every((state) => state === "done"));
});

test("a text that is withdrawn takes its file along, and so does leaving the group", async () => {
  const { ana, bob, eva, group, path } = await offered(noise(1000));
  const again = await ana.messenger.groupFiles.send(group, path, "otra.jpg", undefined);
  for (const each of [bob, eva]) await until(() => each.messenger.files.list().length === 2);
  ana.messenger.outbox.withdraw(`#${group}`, again.id);
  await until(() => bob.messenger.files.list()[1]?.state === "cancelled");
  expect(bob.messenger.files.list()[1]?.reason).toBe("withdrawn");
  await until(() => ana.messenger.files.list()[1]?.state === "cancelled");
  const [feed = "", number] = bob.messenger.files.list()[1]?.id.split("/") ?? [];
  expect(bob.profile.transfers.ofEntry(feed, Number(number))).toBeUndefined();
  await ana.messenger.groups.actions.remove(group, "eva");
  await until(() => fileOf(eva)?.state === "cancelled");
  expect(fileOf(eva)?.reason).toBe("not_a_member");
  await bob.messenger.groups.actions.leave(group);
  expect(fileOf(bob)).toMatchObject({ state: "cancelled", reason: "not_a_member" });
});

test("only a file that is there is given to a group", async () => {
  const { ana, group, path } = await offered(noise(10));
  const { groupFiles } = ana.messenger;
  const send = (what: string) => groupFiles.send(group, what, "x", undefined);
  expect(send(join(path, ".."))).rejects.toMatchObject({ code: "folder_in_group" });
  expect(send("/dev/zero")).rejects.toMatchObject({ code: "not_a_file" });
  expect(send(`${path}.no`)).rejects.toMatchObject({ code: "no_such_file" });
  const { id } = await groupFiles.send(group, path, "foto.jpg", "once");
  expect((await groupFiles.send(group, path, "foto.jpg", "once")).id).toBe(id);
  expect(ana.messenger.files.list()).toHaveLength(2);
});

test("who declines a file of a group tells nobody, and writes on", async () => {
  const { ana, bob, group } = await offered(noise(10));
  expect(bob.messenger.files.decline(fileOf(bob)?.id ?? "").state).toBe("declined");
  bob.messenger.outbox.send(`#${group}`, "no, gracias");
  await until(() => ana.texts("bob").length === 1);
  expect(fileOf(ana)?.state).toBe("offered");
});

test("a face that takes all files takes those of a group from contacts alone, and nobody's who is blocked", async () => {
  const { company, ana, bob, eva, group, path } = await offered(noise(10), (author, reader) => {
    reader.accept(author.name);
    reader.messenger.openChat(author.name);
  });
  const folder = join(company.folder, "all");
  mkdirSync(folder);
  for (const each of [bob, eva]) each.messenger.files.acceptAll(each, { folder, most: undefined });
  await until(() => fileOf(bob)?.state === "done");
  expect(fileOf(eva)?.state).toBe("offered");
  eva.messenger.decisions.decide("ana", "block");
  expect(fileOf(eva)).toMatchObject({ state: "cancelled", reason: null });
  await ana.messenger.groupFiles.send(group, path, "otra.jpg", undefined);
  await until(() => bob.messenger.files.list()[1]?.state === "done");
  bob.messenger.outbox.send(`#${group}`, "gracias");
  await until(() => eva.texts("bob").length === 1);
  expect(eva.messenger.files.list()).toHaveLength(1);
});
