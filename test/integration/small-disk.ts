/** A disk that is soon full: a file system in memory. */

/**
 * Mounts one of so many KiB at an empty folder.
 * @returns how to take it away again, at once out of the tree; undefined, and a word, where nobody may mount
 */
export function mountSmallDisk(path: string, kibibytes: number): (() => void) | undefined {
  const options = `size=${kibibytes}k,mode=0700`;
  const { exitCode, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]);
  if (exitCode === 0) return () => Bun.spawnSync(["umount", "--lazy", path]);
  console.log(`skipped: no file system can be mounted here (${stderr.toString().trim()})`);
  return undefined;
}
