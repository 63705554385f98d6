/** Files that are given to all of a group, between real messengers over real sockets. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { together } from "./group-people.ts";
import { Company, until, type Person } from "./messenger-pair.ts";

const cleanups = cleanupsForEachTest();
const SIZE = 3 * 1024 * 1024 + 7;

const fileOf = ({ messenger }: Person) => messenger.files.list()[0];

test("whoever got a file gives it to others when its author is gone", async () => {
  const company = await Company.meetFor(cleanups);
  const [ana, bob, eva] = [
    await company.person("ana"),
    await company.person("bob"),
    await company.person("eva"),
  ];
  const group = await together(ana, bob, eva);
  const bytes = Buffer.from(Uint8Array.from({ length: SIZE }, (_, at) => (at * 31) % 251));
  const path = join(company.folder, "foto.jpg");
  writeFileSync(path, bytes);
  await ana.messenger.groupFiles.send(group, path, "foto.jpg", undefined);
  const folderOf = (name: string) => {
    const folder = join(company.folder, `got-${name}`);
    mkdirSync(folder);
    return folder;
  };
  for (const each of [bob, eva]) await until(() => fileOf(each)?.state === "offered");
  await bob.messenger.files.accept(fileOf(bob)?.id ?? "", folderOf("bob"), false);
  await until(() => fileOf(bob)?.state === "done");
  const told = bob.of("file").map(({ file }) => file);
  const one = { group, title: "Familia", from: "ana", peer: `#${group}`, direction: "in" } as const;
  expect(told.at(0)).toMatchObject({ ...one, state: "offered", giver: null });
  expect(told.find(({ state }) => state === "running")).toMatchObject({ ...one, giver: "ana" });
  await ana.close();
  await eva.messenger.files.accept(fileOf(eva)?.id ?? "", folderOf("eva"), false);
  await until(() => fileOf(eva)?.state === "done");
  expect(readFileSync(fileOf(eva)?.path ?? "").equals(bytes)).toBe(true);
});

test("who declines a file of a group tells nobody, and writes on", async () => {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  const group = await together(ana, bob);
  const path = join(company.folder, "foto.jpg");
  writeFileSync(path, "foto");
  await ana.messenger.groupFiles.send(group, path, "foto.jpg", undefined);
  await until(() => fileOf(bob)?.state === "offered");
  expect(bob.messenger.files.decline(fileOf(bob)?.id ?? "").state).toBe("declined");
  bob.messenger.outbox.send(`#${group}`, "no, gracias");
  await until(() => ana.texts("bob").length === 1);
  expect(fileOf(ana)?.state).toBe("offered");
});
