/** A small file system in memory, to be filled. */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";

const BLOCK = Buffer.alloc(4_096, 1);

/**
 * Mounts one of so many KiB at an empty folder.
 * @returns how to unmount it; undefined, and a line on the console, if this user may not mount
 */
export function mountSmallDisk(path: string, kibibytes: number): (() => void) | undefined {
  const options = `size=${kibibytes}k,mode=0700`;
  const { exitCode, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]);
  if (exitCode === 0) return () => Bun.spawnSync(["umount", "--lazy", path]);
  console.log(`skipped: no file system can be mounted here (${stderr.toString().trim()})`);
  return undefined;
}

/** Writes to a new file until the disk is full, but for so many bytes. @throws any error but that */
export function fillDisk(path: string, left = 0): void {
  const file = openSync(path, "w");
  try {
    for (;;) writeSync(file, BLOCK);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOSPC") throw error;
  } finally {
    ftruncateSync(file, fstatSync(file).size - left);
    closeSync(file);
  }
}

/** Makes the tree below a folder read-only, also for root. @returns as `mountSmallDisk` */
export function mountReadOnly(path: string): (() => void) | undefined {
  const script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"';
  const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", script, "sh", path]);
  if (exitCode === 0) return () => Bun.spawnSync(["umount", "--lazy", path]);
  console.log(`skipped: nothing can be mounted read-only here (${stderr.toString().trim()})`);
  return undefined;
}
