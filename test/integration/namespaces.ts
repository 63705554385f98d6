/** Processes with a network, a name service or a user of their own, on machines that allow it. */

/** Whether this machine makes namespaces for an ordinary user. */
export const HAS_NAMESPACES = makesNamespaces();

function makesNamespaces(): boolean {
  if (Bun.which("unshare") === null || Bun.which("ip") === null) return false;
  const made = Bun.spawnSync(["unshare", "--user", "--map-root-user", "--mount", "--net", "true"]);
  if (!made.success) console.log(`skipped: no namespaces on this machine (${made.stderr.toString().trim()})`);
  return made.success;
}

/** What begins a command line that runs in namespaces of its own, as their root, after the shell's `commands`. */
export function inNamespaces(kinds: readonly ("--mount" | "--net")[], commands = "true"): string[] {
  return ["unshare", "--user", "--map-root-user", ...kinds, "sh", "-ec", `${commands}; exec "$@"`, "sh"];
}
