/** Streams with which somebody wants files of a group that are not for them, or all that a giver has. */
import { expect, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { stateOf, together } from "../group-people.ts";
import { Company, until, untilQuiet, type Person } from "../messenger-pair.ts";
import { RawPeer } from "../raw-peer.ts";
import type { Message } from "../rendezvous-test-client.ts";
import { HostileMember } from "./hostile-member.ts";

const cleanups = cleanupsForEachTest();
/** More than the kernel takes for a reader that has stopped. */
const SIZE = 40 * 1024 * 1024;

/** Asks for a file, and reads what is answered until the line has ended, or `bytes` of it are there. */
async function ask(victim: Person, who: HostileMember, transfer: string, ...ranges: (number | null)[][]) {
  const peer = await RawPeer.dial(victim.port, { identity: who.identity });
  cleanups.push(() => peer.terminate());
  await peer.next();
  peer.send({ action: "stream", transfer, ...(ranges.length > 0 && { ranges }) } as Message);
  return peer;
}

const answer = ({ received }: RawPeer) => Buffer.concat(received).toString("latin1").split("\n")[1];
const isGiven = (peer: RawPeer) => peer.isClosed === false && answer(peer)?.includes('"stream"') === true;

/** A member of this group who speaks the wire by hand. */
async function hostile(company: Company, ana: Person, group: string, name: string, history: "all" | "none") {
  const member = new HostileMember(name, company.identity(name));
  await company.addAccount(name);
  await member.dial(ana);
  const { people } = ana.messenger.groups.shown.one(group);
  const added = ana.messenger.groups.actions.add(group, [name], history);
  await member.join(group);
  await added;
  await untilQuiet(() => ana.messenger.groups.shown.one(group).people === people + 1);
  return member;
}

/** Ana gives a file to all of a group, in which a hostile member is. */
async function scene() {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  const group = await together(ana, bob);
  const mal = await hostile(company, ana, group, "mal", "all");
  const path = join(company.folder, "large");
  writeFileSync(path, Buffer.alloc(SIZE, "paloma "));
  const { id } = await ana.messenger.groupFiles.send(group, path, "large", undefined);
  await until(() => bob.messenger.files.list().length === 1);
  const entry = bob.messenger.files.list()[0]?.id ?? "";
  return { company, ana, bob, mal, group, path, id, entry };
}

test("only members get a file, only what it has, on eight streams each and sixteen in all", async () => {
  const { company, ana, bob, mal, group, id, entry } = await scene();
  const first = await ask(ana, mal, entry, [0, 7]);
  await until(() => Buffer.concat(first.received).toString("latin1").endsWith("\npaloma "));
  first.terminate();

  const eve = new HostileMember("eve", company.identity("eve"));
  const late = await hostile(company, ana, group, "late", "none");
  const feed = entry.split("/")[0] ?? "";
  const refused = [
    await ask(ana, eve, entry, [0, 7]),
    // What was written before they came is not for them.
    await ask(ana, late, entry, [0, 7]),
    await ask(ana, mal, `${feed}/9`, [0, 7]),
    await ask(ana, mal, `${feed}/no number`, [0, 7]),
    await ask(ana, mal, `${entry}/2`, [0, 7]),
    await ask(ana, mal, `${"A".repeat(43)}/1`, [0, 7]),
    await ask(ana, mal, id, [0, 7]),
    await ask(ana, mal, entry, [0, SIZE + 1]),
    await ask(ana, mal, entry, [SIZE, null]),
    await ask(ana, mal, entry, [10, 20], [15, 30]),
    await ask(ana, mal, entry),
    // Bob does not have it.
    await ask(bob, mal, entry, [0, 7]),
  ];
  for (const peer of refused) {
    await peer.closed;
    expect(Buffer.concat(peer.received).toString("latin1")).not.toContain("paloma p");
  }

  const streams: RawPeer[] = [];
  while (streams.length < 8) {
    const peer = await ask(ana, mal, entry, [0, null]);
    streams.push(peer);
    await until(() => isGiven(peer));
    peer.pause();
  }
  for (let asked = 0; asked < 20; asked++) await (await ask(ana, mal, entry, [0, null])).closed;
  streams.pop()?.terminate();
  await untilQuiet(() => ana.messenger.groupFiles.giving.count === 7);
  const again = await ask(ana, mal, entry, [0, null]);
  await until(() => isGiven(again));

  // Who is removed gets no further byte.
  await ana.messenger.groups.actions.remove(group, "mal");
  for (const peer of [again, ...streams]) {
    peer.resume();
    await peer.closed;
  }
  await (
    await ask(ana, mal, entry, [0, 7])
  ).closed;
  expect(stateOf(ana, group)).toBe("joined");
});

test("a stream ends with the stop, and what was changed on the disk is given to nobody", async () => {
  const { ana, bob, mal, group, path, id, entry } = await scene();
  const stopped = await ask(ana, mal, entry, [0, null]);
  await until(() => isGiven(stopped));
  stopped.pause();
  appendFileSync(path, "more");
  const late = await ask(ana, mal, entry, [0, 7]);
  await late.closed;
  expect(answer(late)).toContain('"no_such_file"');
  const file = ana.messenger.files.list().find((each) => each.id === id);
  expect(file).toMatchObject({ state: "failed", reason: "changed" });
  stopped.resume();
  await stopped.closed;

  const again = await ana.messenger.groupFiles.send(group, path, "again", undefined);
  await until(() => bob.messenger.files.list().length === 2);
  const given = await ask(ana, mal, bob.messenger.files.list()[1]?.id ?? "", [0, null]);
  await until(() => isGiven(given));
  given.pause();
  ana.messenger.files.stop(again.id);
  given.resume();
  await given.closed;
});
