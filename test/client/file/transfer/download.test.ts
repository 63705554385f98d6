/** What a later process does with a transfer whose process ended between the name of its file and the word of that. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Download } from "../../../../src/client/file/transfer/download.ts";
import { openSink } from "../../../../src/client/file/transfer/open-sink.ts";
import type { Transfer } from "../../../../src/client/profile/transfers.ts";
import { withScene } from "../scene.ts";

const LISTING = '["a",3,"2027-01-15T10:00:00Z"]\n\n';

test.each([
  ["file", "123", undefined],
  ["folder", `${LISTING}123`, 1],
])("a %s that has its name is done, and what a person has changed in it stays", (_, stream, entries) =>
  withScene(async ({ folder, parent }) => {
    const own = join(parent, "own");
    mkdirSync(own);
    const end = { size: stream.length, digest: "of what was sent" };
    const transfer = {
      ...{ name: "received", size: stream.length, entries, modified: "2027-01-15T10:00:00Z" },
      ...{ stamp: "k1", folder, end, wantsSha256: false },
    } as unknown as Transfer;
    const sink = await openSink(transfer, join(own, "sink"));
    await sink.write(0, Buffer.from(stream));
    const path = await sink.finish();
    sink.close();
    const file = entries === undefined ? path : join(path, "a");
    writeFileSync(file, "changed by a person");

    const download = new Download(own);
    expect(await download.look(transfer)).toEqual({ name: "done", path, sha256: undefined });
    await download.discard(transfer);
    expect(readFileSync(file, "utf8")).toBe("changed by a person");
    expect(readdirSync(folder)).toEqual(["received"]);
  }),
);
