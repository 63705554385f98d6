import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  closeDataFolder,
  closeToOthers,
  makePrivateFolder,
  OpenToOthersError,
  profileFile,
  profileFolder,
  serversFile,
} from "../../../src/client/disk/folders.ts";
import { label } from "../../../src/identity/names.ts";
import { inTemporaryFolder } from "../test-profile.ts";

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const modeOf = (path: string) => statSync(path).mode & 0o7777;

/** A data folder with one profile and the paths in it by which it is found. */
function withDataFolder(use: (data: string, paths: readonly string[]) => void): Promise<void> {
  return inTemporaryFolder((parent) => {
    const data = join(parent, "data");
    const folder = profileFolder(data, "0123456789abcdef", label("ana"));
    makePrivateFolder(folder);
    for (const file of [serversFile(data), profileFile(folder)]) writeFileSync(file, "", { mode: 0o600 });
    use(data, [data, serversFile(data), join(folder, ".."), folder, profileFile(folder)]);
  });
}

function refused(data: string): string | undefined {
  try {
    closeDataFolder(data);
    return undefined;
  } catch (error) {
    if (error instanceof OpenToOthersError) return error.path;
    throw error;
  }
}

describe("a data folder", () => {
  test("that only its owner can write to stays as it is, also if others can read it", () =>
    withDataFolder((data, paths) => {
      chmodSync(data, 0o755);
      expect(closeDataFolder(data)).toEqual([]);
      expect(paths.map(modeOf)).toEqual([0o755, 0o600, 0o700, 0o700, 0o600]);
    }));

  test("that is not there yet, is a file, or lies below one, is left to who opens it", () =>
    withDataFolder((data) => {
      expect(closeDataFolder(join(data, "missing"))).toEqual([]);
      for (const path of ["", "below"]) expect(closeDataFolder(join(serversFile(data), path))).toEqual([]);
    }));

  test("of ours is closed to others, and all in it by which an account is found", () =>
    withDataFolder((data, paths) => {
      const modes = [0o777, 0o666, 0o775, 0o702, 0o620];
      paths.forEach((path, index) => chmodSync(path, modes[index] ?? 0));
      expect(closeDataFolder(data)).toEqual([...paths]);
      expect(paths.map(modeOf)).toEqual([0o755, 0o644, 0o755, 0o700, 0o600]);
      expect(closeDataFolder(data)).toEqual([]);
    }));

  test("that is shared on purpose, as /tmp is, is refused and keeps its mode", () =>
    withDataFolder((data) => {
      chmodSync(data, 0o1777);
      expect(refused(data)).toBe(data);
      expect(modeOf(data)).toBe(0o1777);
    }));

  test("behind a symbolic link is used, and refused if others can write to it", () =>
    withDataFolder((data) => {
      const link = `${data}-link`;
      symlinkSync(data, link);
      expect(closeDataFolder(link)).toEqual([]);
      chmodSync(data, 0o777);
      expect(refused(link)).toBe(link);
      expect(modeOf(data)).toBe(0o777);
    }));

  test.skipIf(!isRoot)("that others can write to is refused where it belongs to somebody else", () =>
    withDataFolder((data) => {
      chmodSync(data, 0o777);
      chownSync(data, NOBODY, NOBODY);
      expect(refused(data)).toBe(data);
      expect(modeOf(data)).toBe(0o777);
    }),
  );

  test.skipIf(!isRoot)("in which somebody else has laid something is refused", async () => {
    for (const index of [1, 2, 3, 4]) {
      await withDataFolder((data, paths) => {
        chownSync(paths[index] ?? "", NOBODY, NOBODY);
        expect(refused(data)).toBe(paths[index] as string);
      });
    }
  });
});

test("modes are not set through a symbolic link", () =>
  inTemporaryFolder((folder) => {
    const [target, link] = [join(folder, "target"), join(folder, "link")];
    mkdirSync(target, { mode: 0o755 });
    symlinkSync(target, link);
    closeToOthers(link);
    expect(modeOf(target)).toBe(0o755);
    closeToOthers(target);
    expect(modeOf(target)).toBe(0o700);
  }));
