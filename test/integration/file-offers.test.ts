/** What is offered, accepted, declined and stopped between two messengers over real sockets, and by peers who lie. */
import { expect, spyOn, test } from "bun:test";
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { MAX_UNFINISHED } from "../../src/client/profile/transfers.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

const cleanups = cleanupsForEachTest();

type Scene = { company: Company; ana: Person; bob: Person; file: string; downloads: string };

/** Ana and Bob are online and contacts of each other; there is a file to send, and a folder to receive it in. */
async function scene(): Promise<Scene> {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  ana.accept("bob");
  bob.accept("ana");
  const file = join(company.folder, "notes.txt");
  writeFileSync(file, "a few words");
  const downloads = join(company.folder, "downloads");
  mkdirSync(downloads);
  return { company, ana, bob, file, downloads };
}

const offer = { name: undefined, wantsSha256: false, id: undefined };

/** Where a symbolic link leads; empty: it is gone. */
function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** The states in which a person's screen has seen each file. */
function states({ messenger }: Person): string[] {
  return messenger.files.list().map(({ state, reason }) => (reason === null ? state : `${state} ${reason}`));
}

test("an offer is declined, another one stopped by its sender, a third is cancelled by its receiver", async () => {
  const { ana, bob, file, downloads } = await scene();
  const { file: first } = await ana.messenger.files.send("bob", { ...offer, path: file });
  expect(first).toMatchObject({
    number: 1,
    peer: "bob",
    direction: "out",
    name: "notes.txt",
    size: 11,
    done: 0,
  });
  await until(() => bob.of("file").length === 1);
  expect(bob.of("file")[0]?.file).toMatchObject({
    id: first.id,
    peer: "ana",
    direction: "in",
    state: "offered",
  });
  bob.messenger.files.decline(first.id);
  await until(() => states(ana)[0] === "declined declined");
  const { file: second } = await ana.messenger.files.send("bob", { ...offer, path: file });
  await until(() => states(bob)[1] === "offered");
  ana.messenger.files.stop(second.id);
  await until(() => states(bob)[1] === "cancelled stopped");
  expect(states(ana)[1]).toBe("cancelled");
  const { file: third } = await ana.messenger.files.send("bob", { ...offer, path: file });
  await until(() => states(bob)[2] === "offered");
  await bob.messenger.files.accept(third.id, downloads, false);
  bob.messenger.files.stop(third.id);
  await until(() => states(ana)[2] === "cancelled stopped");
  expect(() => bob.messenger.files.decline(third.id)).toThrow("not_possible");
  expect(() => bob.messenger.files.stop("nothing")).toThrow("no_such_transfer");
});

test("what was offered and answered while the other side was away arrives once it is back", async () => {
  const { company, ana, bob, file } = await scene();
  await bob.close();
  const { file: sent } = await ana.messenger.files.send("bob", { ...offer, path: file, id: "mine" });
  const { file: again } = await ana.messenger.files.send("bob", { ...offer, path: file, id: "mine" });
  expect([sent.number, again.number]).toEqual([1, 1]);
  const back = await company.person("bob");
  await until(() => states(back)[0] === "offered");
  await ana.close();
  back.messenger.files.decline("mine");
  const anaAgain = await company.person("ana");
  await until(() => states(anaAgain)[0] === "declined declined");
});

test("offers of a stranger are held as their texts are, and nothing of them is shown", async () => {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob", { who: "requests" })];
  const file = join(company.folder, "notes.txt");
  writeFileSync(file, "a few words");
  await ana.messenger.files.send("bob", { ...offer, path: file });
  await until(() => ana.of("held").length === 1 && bob.of("request").length === 1);
  expect(bob.messenger.files.list()).toEqual([]);
  bob.messenger.decisions.decide("ana", "accept");
  await until(() => bob.of("file").length === 1);
  expect(states(bob)).toEqual(["offered"]);
});

test("with somebody who is blocked everything ends, and they are offered nothing", async () => {
  const { ana, bob, file, downloads } = await scene();
  const sent = [];
  for (let index = 0; index < 2; index++)
    sent.push((await bob.messenger.files.send("ana", { ...offer, path: file })).file.id);
  await ana.messenger.files.send("bob", { ...offer, path: file });
  await until(() => states(ana).length === 3 && states(bob).length === 3);
  ana.messenger.decisions.decide("bob", "block");
  expect(states(ana)).toEqual(["cancelled", "cancelled", "cancelled"]);
  await until(() => ana.of("file").filter((each) => each.file.state === "cancelled").length === 3);
  await expect(ana.messenger.files.accept(sent[0] ?? "", downloads, false)).rejects.toThrow("not_possible");
  expect(states(bob)).toEqual(["offered", "offered", "offered"]);
  await expect(ana.messenger.files.send("bob", { ...offer, path: file })).rejects.toThrow("blocked");
});

test("a peer may offer much and say what does not belong to it: so many offers wait, and nothing else counts", async () => {
  const { company, ana, file } = await scene();
  ana.accept("carl");
  const { file: mine } = await ana.messenger.files.send("carl", { ...offer, path: file });
  const peer = await RawPeer.dial(ana.port, { identity: company.identity("carl") });
  await peer.next();
  peer.send({ action: "hello", protocol: 1, username: "carl", features: ["files1"] });
  const control = (action: string, id: string, more: object) => ({ action, id, ...more });
  const digest = "0".repeat(64);
  // Before it is accepted there is no end, and it is not theirs to end.
  peer.send(
    control("file_end", "c1", { transfer: mine.id, size: 11, digest }),
    control("file_done", "c2", { transfer: mine.id }),
    control("file_accept", "c3", { transfer: "nothing" }),
    // The id of another transfer.
    control("file_offer", mine.id, { name: "x", size: 1 }),
  );
  for (let index = 0; index < MAX_UNFINISHED + 50; index++)
    peer.send(control("file_offer", `o${index}`, { name: `x${index}`, size: null }));
  const declined = () => peer.messages.filter(({ action }) => action === "file_decline");
  await until(() => declined().length === 50);
  expect(declined()[0]).toMatchObject({ transfer: `o${MAX_UNFINISHED}`, reason: "too_many_offers" });
  expect(states(ana)).toEqual(Array.from({ length: MAX_UNFINISHED + 1 }, () => "offered"));
  expect(ana.messenger.files.list()[0]).toMatchObject({ direction: "out", state: "offered" });
  // A name that is too long is no message at all.
  peer.send(control("file_offer", "long", { name: "x".repeat(65_536), size: 1 }));
  await peer.closed;
  expect(peer.errors).toEqual(["bad_request"]);
});

test("offers up to a size are accepted by themselves, for one person or at one face; a larger one is declined", async () => {
  const { ana, bob, file, downloads } = await scene();
  bob.messenger.files.alwaysAccept("ana", { most: 11, folder: downloads });
  await ana.messenger.files.send("bob", { ...offer, path: file });
  await until(() => states(ana)[0] === "accepted");
  bob.messenger.files.alwaysAccept("ana", undefined);
  await ana.messenger.files.send("bob", { ...offer, path: file });
  await until(() => states(bob)[1] === "offered");
  const face = {};
  bob.messenger.files.acceptAll(face, { most: 10, folder: downloads });
  await until(() => states(ana)[1] === "declined too_large");
  bob.messenger.files.leave(face);
  await ana.messenger.files.send("bob", { ...offer, path: file });
  await until(() => states(bob)[2] === "offered");
});

test("what is accepted by itself counts too: of one who never ends anything so much is taken, and no more", async () => {
  const { company, ana, downloads } = await scene();
  ana.accept("carl");
  ana.messenger.files.acceptAll({}, { most: undefined, folder: downloads });
  const peer = await RawPeer.dial(ana.port, { identity: company.identity("carl") });
  await peer.next();
  peer.send({ action: "hello", protocol: 1, username: "carl", features: ["files1"] });
  const said = (wanted: string) => peer.messages.filter(({ action }) => action === wanted).length;
  const offered = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      return { action: "file_offer", id: `${count}-${index}`, name: `x${index}`, size: 0 };
    });
  // Descriptors of what is received, and of the hashes of its leaves.
  const opened = () =>
    readdirSync("/proc/self/fd").filter((number) => {
      const target = linkTarget(`/proc/self/fd/${number}`);
      return target.startsWith(downloads) || target.startsWith(join(ana.profile.folder, "transfers"));
    }).length;
  const looks = spyOn(ana.profile.contacts, "byId");
  peer.send(...offered(MAX_UNFINISHED - 1));
  await until(() => said("file_accept") === MAX_UNFINISHED - 1);
  await untilQuiet(() => readdirSync(downloads).length === MAX_UNFINISHED - 1);
  // A change of one is no look at all others.
  expect(looks.mock.calls.length).toBeLessThan(40 * MAX_UNFINISHED);
  peer.send(...offered(30));
  await until(() => said("file_accept") === MAX_UNFINISHED && said("file_decline") === 29);
  expect(new Set(states(ana))).toEqual(new Set(["accepted"]));
  await untilQuiet(() => opened() < 20);
  // One that was left is opened again for its end.
  const digest = new Bun.CryptoHasher("sha256").digest("hex");
  const [left, ...others] = ana.messenger.files.list().map(({ id }) => id);
  peer.send({ action: "file_end", id: "end", transfer: left, size: 0, digest });
  await until(() => said("file_done") === 1);
  peer.send(
    ...others.map((id) => ({ action: "file_cancel", id: `no ${id}`, transfer: id, reason: "stopped" })),
  );
  await untilQuiet(() => readdirSync(downloads).length === 1 && opened() === 0);
  expect(readdirSync(downloads)).toEqual(["x0"]);
});
