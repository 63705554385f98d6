/** Files between two messengers over real sockets: what arrives, and how it goes on after a cut, a crash and a change. */
import { expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import type { TlsIdentity } from "../../src/net/tls.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

const cleanups = cleanupsForEachTest();
const MIB = 1024 * 1024;

type Scene = { company: Company; ana: Person; bob: Person; downloads: string };

/** Ana and Bob are online and contacts of each other; Bob accepts what Ana offers. */
async function scene(): Promise<Scene> {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  ana.accept("bob");
  bob.accept("ana");
  const downloads = join(company.folder, "downloads");
  mkdirSync(downloads);
  bob.messenger.files.alwaysAccept("ana", { most: undefined, folder: downloads });
  return { company, ana, bob, downloads };
}

/** A file of so many bytes that are not all alike. */
function made(company: Company, name: string, size: number): string {
  const path = join(company.folder, name);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 4_096) new DataView(bytes.buffer).setUint8(at, (at / 4_096) % 251);
  writeFileSync(path, bytes);
  return path;
}

const offer = { name: undefined, wantsSha256: false, id: undefined };

function stateOf({ messenger }: Person, index = 0): string | undefined {
  const file = messenger.files.list()[index];
  return file && `${file.state}${file.reason === null ? "" : ` ${file.reason}`}`;
}

function sameContent(one: string, other: string): boolean {
  return readFileSync(one).equals(readFileSync(other));
}

test("files of 0 bytes, 1 byte, one leaf and one byte less and more arrive, with their times and hashes", async () => {
  const { company, ana, bob, downloads } = await scene();
  const sizes = [0, 1, MIB - 1, MIB, MIB + 1];
  const paths = sizes.map((size) => made(company, `of-${size}`, size));
  for (const path of paths) await ana.messenger.files.send("bob", { ...offer, path, wantsSha256: true });
  await until(() =>
    sizes.every((_, index) => stateOf(ana, index) === "done" && stateOf(bob, index) === "done"),
  );
  for (const [index, path] of paths.entries()) {
    const [sent, received] = [ana.messenger.files.list()[index], bob.messenger.files.list()[index]];
    const target = join(downloads, `of-${sizes[index]}`);
    expect(received?.path).toBe(target);
    expect(sameContent(path, target)).toBe(true);
    expect(Math.abs(statSync(target).mtimeMs - statSync(path).mtimeMs)).toBeLessThan(2);
    expect(sent?.sha256).toBe(new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex"));
    expect([sent?.done, received?.done]).toEqual([sizes[index], sizes[index]]);
  }
  expect(readdirSync(downloads)).toHaveLength(sizes.length);
  const rests = () => [ana, bob].flatMap(({ profile }) => readdirSync(join(profile.folder, "transfers")));
  await untilQuiet(() => rests().length === 0);
  // After that nobody wants the link: it ends with the chat.
  ana.messenger.openChat("bob");
  ana.messenger.closeChat("bob");
  await until(() => ana.of("disconnected").length === 1);
});

test("a transfer goes on after its stream is cut, and after either side was started again", async () => {
  const { company, ana, bob, downloads } = await scene();
  const path = made(company, "large", 48 * MIB);
  await ana.messenger.files.send("bob", { ...offer, path });
  await until(() => bob.of("file").some(({ file }) => file.state === "running"));
  ana.messenger.files.active.endStreams(() => true, "cut");
  await until(() => bob.of("file").filter(({ file }) => file.state === "running").length > 1);
  await bob.close();
  const bobAgain = await company.person("bob");
  await until(() =>
    bobAgain.of("file").some(({ file }) => file.state === "running" || file.state === "done"),
  );
  await ana.close();
  const anaAgain = await company.person("ana");
  await until(() => stateOf(bobAgain) === "done" && stateOf(anaAgain) === "done");
  expect(readdirSync(downloads)).toEqual(["large"]);
  expect(sameContent(path, join(downloads, "large"))).toBe(true);
});

test("a file that was changed since it was offered is not sent, and one that is gone neither", async () => {
  const { company, ana, bob } = await scene();
  bob.messenger.files.alwaysAccept("ana", undefined);
  const [changed, gone] = [made(company, "changed", 3 * MIB), made(company, "gone", 10)];
  const offers = [];
  for (const path of [changed, gone])
    offers.push((await ana.messenger.files.send("bob", { ...offer, path })).file);
  await until(() => stateOf(bob, 1) === "offered");
  appendFileSync(changed, "more");
  rmSync(gone);
  for (const { id } of offers) await bob.messenger.files.accept(id, company.folder, false);
  const expected = ["failed changed", "failed gone"];
  for (const person of [ana, bob])
    await until(() => expected.every((state, index) => stateOf(person, index) === state));
  await untilQuiet(() => readdirSync(company.folder).every((name) => !name.endsWith(".part")));
});

test("a folder of 2,000 files arrives whole, after a cut too, but for what is no file", async () => {
  const { company, ana, bob, downloads } = await scene();
  const root = join(company.folder, "many");
  for (let index = 0; index < 2_000; index++) {
    const folder = join(root, `part ${index % 20}`);
    if (index < 20) mkdirSync(join(folder, "empty"), { recursive: true });
    writeFileSync(join(folder, `${index}.txt`), `${index}`.repeat(1 + (index % 700)));
  }
  symlinkSync("/etc/passwd", join(root, "a link"));
  const { file, leftOut } = await ana.messenger.files.send("bob", { ...offer, path: root });
  expect(file.entries).toBeGreaterThan(2_000);
  expect(leftOut).toEqual({ count: 1, paths: ["a link"] });
  await until(() => bob.of("file").some(({ file: { state } }) => state === "running"));
  bob.messenger.files.active.endStreams(() => true, "cut");
  await until(() => stateOf(ana) === "done" && stateOf(bob) === "done");
  const tree = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();
  expect(tree(join(downloads, "many"))).toEqual(tree(root).filter((path) => path !== "a link"));
  for (const path of ["part 1/1.txt", "part 19/1999.txt", "part 7/647.txt"])
    expect(sameContent(join(root, path), join(downloads, "many", path))).toBe(true);
  expect(readdirSync(downloads)).toEqual(["many"]);
});

test("what a program writes to a pipe arrives, with the size that it has at the end", async () => {
  const { ana, bob, downloads } = await scene();
  // Of two programs in a shell: what Bun gives as standard input is no pipe.
  const reader = "echo $$; exec sleep 600";
  const shell = Bun.spawn(["sh", "-c", `head -c 3000000 /dev/zero | sh -c '${reader}'`], { stdout: "pipe" });
  const { value: pid } = await shell.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
  cleanups.push(() => process.kill(Number(pid), "SIGKILL"));
  const path = `/proc/${Number(pid)}/fd/0`;
  const { file } = await ana.messenger.files.send("bob", { ...offer, path, name: "zeros" });
  expect([file.size, file.name]).toEqual([null, "zeros"]);
  await until(() => stateOf(ana) === "done" && stateOf(bob) === "done");
  expect(readFileSync(join(downloads, "zeros")).equals(Buffer.alloc(3_000_000))).toBe(true);
  expect(ana.messenger.files.list()[0]).toMatchObject({ size: 3_000_000, done: 3_000_000 });
});

/** Somebody made of sockets and lines, who has a link with Ana and the same key for streams. */
class Carl {
  readonly identity: TlsIdentity;
  readonly ana: Person;
  link: RawPeer;

  private constructor(ana: Person, identity: TlsIdentity, link: RawPeer) {
    this.ana = ana;
    this.identity = identity;
    this.link = link;
  }

  static async meet(ana: Person, identity: TlsIdentity): Promise<Carl> {
    ana.accept("carl");
    const link = await RawPeer.dial(ana.port, { identity });
    await link.next();
    link.send({ action: "hello", protocol: 1, username: "carl", features: ["files1"] });
    return new Carl(ana, identity, link);
  }

  /** What Ana has said of this transfer on the link. */
  said(action: string, transfer: string): unknown[] {
    return this.link.messages.filter((each) => each["action"] === action && each["transfer"] === transfer);
  }

  /** Dials for a transfer. @param ranges undefined: as its sender */
  async stream(transfer: string, ranges?: unknown, identity = this.identity): Promise<RawPeer> {
    const peer = await RawPeer.dial(this.ana.port, { identity });
    await peer.next();
    peer.send({ action: "stream", transfer, ...(ranges === undefined ? {} : { ranges }) });
    return peer;
  }

  /** Offers something, which Ana accepts by herself. */
  async offer(id: string, size: number | null): Promise<void> {
    this.link.send({ action: "file_offer", id, name: `${id}.bin`, size });
    await until(() => this.said("file_accept", id).length === 1);
  }
}

async function anaAndCarl(): Promise<Scene & { carl: Carl }> {
  const { company, ana, bob, downloads } = await scene();
  ana.accept("carl");
  ana.messenger.files.alwaysAccept("carl", { most: undefined, folder: downloads });
  return { company, ana, bob, downloads, carl: await Carl.meet(ana, company.identity("carl")) };
}

/** The digest of these leaves. */
function digestOf(bytes: Buffer): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (let at = 0; at < bytes.length; at += MIB) {
    const leaf = Buffer.alloc(8);
    leaf.writeBigUInt64BE(Bun.hash.xxHash3(bytes.subarray(at, at + MIB)));
    hash.update(leaf);
  }
  return hash.digest("hex");
}

test("after a cut the receiver asks for what is missing, and after a restart for what no longer matches", async () => {
  const { company, ana, downloads, carl } = await anaAndCarl();
  const content = Buffer.from(Array.from({ length: 4 * MIB + 5 }, (_, index) => (index >> 8) % 253));
  await carl.offer("f", content.length);
  const first = await carl.stream("f");
  expect((await first.next())["ranges"]).toEqual([[0, content.length]]);
  first.write(content.subarray(0, 2 * MIB + 100));
  first.end();
  await first.closed;
  // Half of a leaf counts for nothing.
  const second = await carl.stream("f");
  expect((await second.next())["ranges"]).toEqual([[2 * MIB, content.length]]);
  await ana.close();
  const part = readdirSync(downloads).find((name) => name.endsWith(".part")) ?? "";
  const file = openSync(join(downloads, part), "r+");
  writeSync(file, Buffer.from([255]), 0, 1, MIB + 7);
  closeSync(file);
  const again = await company.person("ana");
  const back = await Carl.meet(again, carl.identity);
  const third = await back.stream("f");
  expect((await third.next())["ranges"]).toEqual([[MIB, content.length]]);
  third.write(content.subarray(MIB));
  await third.closed;
  back.link.send({
    action: "file_end",
    id: "e",
    transfer: "f",
    size: content.length,
    digest: digestOf(content),
  });
  await until(() => back.said("file_done", "f").length === 1);
  expect(readFileSync(join(downloads, "f.bin")).equals(content)).toBe(true);
  expect(readdirSync(downloads)).toEqual(["f.bin"]);
});

test("a sender that lies about the size or the digest, or sends more than was asked for, gets nothing done", async () => {
  const { ana, downloads, carl } = await anaAndCarl();
  const content = Buffer.alloc(1_000, 7);
  const lies = {
    size: { size: 999, digest: digestOf(content) },
    digest: { size: 1_000, digest: "0".repeat(64) },
  };
  for (const [id, lie] of Object.entries(lies)) {
    await carl.offer(id, 1_000);
    const stream = await carl.stream(id);
    await stream.next();
    stream.write(Buffer.concat([content, Buffer.alloc(500)]));
    await stream.closed;
    carl.link.send({ action: "file_end", id: `${id}-end`, transfer: id, ...lie });
    await until(() => carl.said("file_cancel", id).length === 1);
    expect(carl.said("file_cancel", id)).toMatchObject([{ reason: "damaged" }]);
  }
  await untilQuiet(() => readdirSync(downloads).length === 0);
  expect([stateOf(ana, 0), stateOf(ana, 1)]).toEqual(["failed damaged", "failed damaged"]);
});

test("whoever stops a transfer in the middle leaves nothing of it, and the other side is told", async () => {
  const { ana, downloads, carl } = await anaAndCarl();
  for (const who of ["ana", "carl"]) {
    await carl.offer(who, 3 * MIB);
    const stream = await carl.stream(who);
    await stream.next();
    stream.write(Buffer.alloc(2 * MIB));
    await untilQuiet(() => ana.messenger.files.list().at(-1)?.done === 2 * MIB);
    if (who === "ana") ana.messenger.files.stop(who);
    else carl.link.send({ action: "file_cancel", id: "c", transfer: who, reason: "stopped" });
    await stream.closed;
    await until(() => ana.of("file").at(-1)?.file.state === "cancelled");
  }
  expect(carl.said("file_cancel", "ana")).toMatchObject([{ reason: "stopped" }]);
  await untilQuiet(() => readdirSync(downloads).length === 0);
});

test("stopping what an earlier process has received in part leaves nothing of it", async () => {
  const { company, ana, downloads, carl } = await anaAndCarl();
  await carl.offer("big", 3 * MIB);
  const stream = await carl.stream("big");
  await stream.next();
  stream.write(Buffer.alloc(2 * MIB));
  await untilQuiet(() => ana.messenger.files.list()[0]?.done === 2 * MIB);
  await ana.close();
  const again = await company.person("ana");
  expect(readdirSync(downloads)).toHaveLength(1);
  again.messenger.files.stop("big");
  await untilQuiet(() => readdirSync(downloads).length === 0);
});

test.each(["receiver", "sender"])(
  "the %s stops what a silent program has yet to write, and nothing of it stays",
  async (who) => {
    const { company, ana, bob, downloads } = await scene();
    const named = join(company.folder, `silent-${who}`);
    Bun.spawnSync(["mkfifo", named]);
    const reading = openSync(named, constants.O_RDONLY | constants.O_NONBLOCK);
    const writing = openSync(named, constants.O_WRONLY);
    cleanups.push(() => [reading, writing].forEach((each) => closeSync(each)));
    const path = `/proc/self/fd/${reading}`;
    const { file } = await ana.messenger.files.send("bob", { ...offer, path, name: "silent" });
    await until(() => stateOf(ana) === "running" && stateOf(bob) === "running");
    expect(readdirSync(downloads)).toHaveLength(1);
    (who === "sender" ? ana : bob).messenger.files.stop(file.id);
    await untilQuiet(() => readdirSync(downloads).length === 0);
    await untilQuiet(() => [ana, bob].every((person) => stateOf(person)?.startsWith("cancelled") === true));
  },
);

test("many files are sent a few at a time", async () => {
  const { company, ana, bob, downloads } = await scene();
  for (let index = 0; index < 24; index++) {
    const path = made(company, `file ${index}`, index);
    await ana.messenger.files.send("bob", { ...offer, path });
  }
  const areDone = ({ messenger }: Person) => messenger.files.list().every(({ state }) => state === "done");
  let most = 0;
  await until(() => {
    most = Math.max(most, readdirSync(downloads).filter((name) => name.endsWith(".part")).length);
    return bob.of("file").at(-1)?.file.state === "done" && areDone(ana) && areDone(bob);
  });
  expect(most).toBeLessThan(8);
  expect(readdirSync(downloads)).toHaveLength(24);
});

test("what is read once arrives in one stream, and a cut ends it", async () => {
  const { ana, downloads, carl } = await anaAndCarl();
  const content = Buffer.alloc((3 * MIB) / 2, 9);
  await carl.offer("pipe", null);
  const whole = await carl.stream("pipe");
  expect((await whole.next())["ranges"]).toEqual([[0, null]]);
  whole.write(content);
  whole.end();
  carl.link.send({
    action: "file_end",
    id: "e",
    transfer: "pipe",
    size: content.length,
    digest: digestOf(content),
  });
  await until(() => carl.said("file_done", "pipe").length === 1);
  expect(readFileSync(join(downloads, "pipe.bin")).equals(content)).toBe(true);
  await carl.offer("cut", null);
  const cut = await carl.stream("cut");
  await cut.next();
  cut.write(content);
  cut.terminate();
  await until(() => carl.said("file_cancel", "cut").length === 1);
  expect(stateOf(ana, 1)).toBe("failed lost");
});

test("nobody gets a stream for what was not accepted, with another key, for ranges that are none, or while blocked", async () => {
  const { company, ana, bob, carl } = await anaAndCarl();
  bob.messenger.files.alwaysAccept("ana", undefined);
  const path = made(company, "mine", 1_000);
  const { file: toBob } = await ana.messenger.files.send("bob", { ...offer, path });
  const { id } = (await ana.messenger.files.send("carl", { ...offer, path })).file;
  await until(
    () => carl.said("file_offer", id).length === 0 && carl.link.messages.some((each) => each["id"] === id),
  );
  const refused = async (stream: RawPeer) => {
    await stream.closed;
    expect(stream.lines.length).toBe(1);
  };
  // It is not accepted, is another one's, or does not exist.
  for (const transfer of [id, toBob.id, "nothing"]) await refused(await carl.stream(transfer, [[0, 1_000]]));
  carl.link.send({ action: "file_accept", id: "a", transfer: id });
  await until(() => ana.of("file").some(({ file }) => file.id === id && file.state === "accepted"));
  // Another key of the same name is none of a contact's.
  const other = await RawPeer.dial(ana.port, { identity: company.identity("carl") });
  await other.next();
  await other.closed;
  for (const ranges of [
    [[0, 1_001]],
    [
      [5, 9],
      [0, 4],
    ],
    [
      [0, 5],
      [4, 9],
    ],
    [[2_000, null]],
    undefined,
  ]) {
    const stream = await carl.stream(id, ranges);
    await stream.closed;
    expect(Buffer.concat(stream.received).length).toBeLessThan(600);
  }
  const good = await carl.stream(id, [[10, 1_000]]);
  await until(() => Buffer.concat(good.received).includes('"stream"'));
  // How far it is stays known if this process is killed.
  await untilQuiet(() => ana.profile.transfers.find(id)?.done === 1_000);
  // Its own direction is that of a sender, whatever it says.
  ana.messenger.decisions.decide("carl", "block");
  await good.closed;
  expect(ana.of("file").at(-1)?.file.state).not.toBe("done");
});

test("a folder whose listing leads out of it, or is none, leaves nothing", async () => {
  const { company, ana, downloads, carl } = await anaAndCarl();
  const time = "2026-11-30T12:00:00.000Z";
  const listings = {
    up: `${JSON.stringify(["../up", 1, time])}\n\nx`,
    root: `${JSON.stringify(["/root", 1, time])}\n\nx`,
    twice: `${JSON.stringify(["a", 1, time])}\n${JSON.stringify(["a", 1, time])}\n\nxy`,
    none: "no listing at all\n\n",
  };
  for (const [id, listing] of Object.entries(listings)) {
    const content = Buffer.from(listing);
    carl.link.send({
      action: "file_offer",
      id,
      name: id,
      size: content.length,
      entries: listing.match(/\[/g)?.length ?? 1,
    });
    await until(() => carl.said("file_accept", id).length === 1);
    const stream = await carl.stream(id);
    await stream.next();
    stream.write(content);
    await stream.closed;
    carl.link.send({
      action: "file_end",
      id: `${id}-end`,
      transfer: id,
      size: content.length,
      digest: digestOf(content),
    });
    await until(() => carl.said("file_cancel", id).length + carl.said("file_done", id).length === 1);
    expect([id, carl.said("file_cancel", id)]).toMatchObject([id, [{ reason: "bad_listing" }]]);
  }
  await untilQuiet(() => readdirSync(downloads).length === 0);
  expect(existsSync(join(company.folder, "up"))).toBe(false);
  expect(stateOf(ana)).toBe("failed bad_listing");
});
