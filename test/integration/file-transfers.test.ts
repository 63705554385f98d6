/** Files between two messengers over real sockets: what arrives, and how it goes on after a cut, a crash and a change. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";

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
});
