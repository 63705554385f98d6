import { beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { SharedFile } from "../../../../src/client/conversation/events.ts";
import { TransferError } from "../../../../src/client/errors.ts";
import type { SharedAccount } from "../../../../src/client/shared-account.ts";
import { fileEffects } from "../../../../src/ui/chat/files/file-effects.ts";
import { textsIn } from "../../../../src/ui/texts/texts.ts";
import { cleanupsForEachTest } from "../../../integration/cleanups-for-each-test.ts";
import { sharedFile } from "./shared-file.ts";

const cleanups = cleanupsForEachTest();
const texts = textsIn("es");

/** A folder with a link in it. */
const LINKED = "/media/with a link";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paloma-effects-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
});

/** The effects of a chat with benito, where these transfers are known; what they ask for, and what they answer. */
function scene(files: readonly SharedFile[] = [], refuse: (fields: object) => void = () => undefined) {
  const asked: unknown[] = [];
  const answers: unknown[] = [];
  const request = async (name: string, fields: object) => {
    if (name === "files") return { files };
    asked.push([name, fields]);
    refuse(fields);
    const path = "path" in fields ? fields.path : undefined;
    return { file: sharedFile(), left_out: path === LINKED ? { count: 1, paths: ["a/link"] } : null };
  };
  const effects = fileEffects({
    account: { request: request as SharedAccount["request"] },
    username: "benito",
    shown: () => "Benito",
    downloads: join(folder, "downloads"),
    texts,
    dispatch: (event) => answers.push(event),
  });
  return { effects, asked, answers };
}

const get = { name: "getFile", number: undefined, folder: undefined } as const;
const offers = [
  sharedFile({ id: "a", number: 1 }),
  sharedFile({ id: "b", number: 2, peer: "carla" }),
  sharedFile({ id: "c", number: 3, state: "running" }),
];

test("/get takes the only offer of the person into the folder for downloads, which it makes", async () => {
  const { effects, asked, answers } = scene(offers);
  await effects.getFile(get);
  const downloads = join(folder, "downloads");
  expect([asked, answers]).toEqual([[["accept_file", { transfer: "a", folder: downloads }]], []]);
  expect(existsSync(downloads)).toBe(true);
});

test("/get with a number takes an offer of anybody, into a folder that is named and not made", async () => {
  const { effects, asked } = scene(offers);
  const named = join(folder, "named");
  await effects.getFile({ ...get, number: 2, folder: named });
  expect(asked).toEqual([["accept_file", { transfer: "b", folder: named }]]);
  expect(existsSync(named)).toBe(false);
});

test("which one is asked for if there are several, and none is said", async () => {
  const several = [...offers, sharedFile({ id: "d", number: 4 })];
  const asking = scene(several);
  await asking.effects.getFile(get);
  expect(asking.answers).toEqual([{ name: "files", files: [several[0], several[3]], asked: "/get" }]);
  const none = scene();
  await none.effects.getFile(get);
  await none.effects.getFile({ ...get, number: 7 });
  await none.effects.stopFile({ name: "stopFile", number: undefined });
  expect(none.answers).toEqual(
    [texts.chatNoOffer("Benito"), texts.chatNoFileNumber("#7"), texts.chatNothingToStop("Benito")].map(
      (sentence) => ({ name: "failed", sentence }),
    ),
  );
  expect([asking.asked, none.asked]).toEqual([[], []]);
  const past = scene(offers);
  await past.effects.getFile({ ...get, number: 3 });
  expect(past.answers).toEqual([{ name: "failed", sentence: texts.fileNotPossible }]);
});

test("/stop declines an offer, and stops what goes on", async () => {
  const { effects, asked } = scene(offers);
  await effects.stopFile({ name: "stopFile", number: 1 });
  await effects.stopFile({ name: "stopFile", number: 3 });
  expect(asked).toEqual([
    ["decline_file", { transfer: "a" }],
    ["stop_file", { transfer: "c" }],
  ]);
});

test("of several files each one is offered; a single one that is refused is given back", async () => {
  const [one, two] = [join(folder, "one two.txt"), join(folder, "two")];
  writeFileSync(one, "");
  const { effects, asked, answers } = scene([], (fields) => {
    if ("path" in fields && fields.path !== one) throw new TransferError("no_such_file");
  });
  await effects.sendFiles({ name: "sendFiles", paths: `'${one}' ${two}`, typed: "" });
  await effects.sendFiles({ name: "sendFiles", paths: two, typed: `/send ${two}` });
  expect(asked).toMatchObject([one, two, two].map((path) => ["send_file", { to: "benito", path }]));
  const sentence = `No se ha enviado «${two}». No existe.`;
  expect(answers).toEqual([
    { name: "failed", sentence },
    { name: "failed", sentence, typed: `/send ${two}` },
  ]);
});

test("what of a folder is not sent is said", async () => {
  const { effects, answers } = scene();
  await effects.sendFiles({ name: "sendFiles", paths: LINKED, typed: "" });
  expect(answers).toEqual([{ name: "leftOut", folder: "informe.pdf", count: 1, paths: ["a/link"] }]);
});

test("a folder in which nothing can be saved is named", async () => {
  const { effects, answers } = scene(offers, () => {
    throw new TransferError("unwritable");
  });
  await effects.getFile({ ...get, folder: "/nowhere at all" });
  expect(answers).toEqual([{ name: "failed", sentence: texts.chatBadFolder("/nowhere at all") }]);
});

test("/get always uses the folder for downloads, too", async () => {
  const { effects, asked, answers } = scene();
  await effects.getAlways({ name: "getAlways", limit: 500, folder: undefined });
  const fields = { limit: 500, folder: join(folder, "downloads") };
  expect(asked).toEqual([["always_accept", { username: "benito", ...fields }]]);
  expect(answers).toEqual([{ name: "getsAlways", ...fields }]);
});
