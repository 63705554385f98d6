/** Programs in a laboratory: namespaces of which everything that is made in them ends with the process. */
import { join } from "node:path";

const IN_LAB = [
  ...(process.getuid?.() === 0 ? ["unshare"] : ["unshare", "--user", "--map-root-user"]),
  ...["--net", "--mount", "--pid", "--fork", "--kill-child", "bash", "-ec"],
  `mount -t proc none /proc; mount -t tmpfs none /run; mkdir /run/netns; ip link set lo up; exec "$@"`,
  "lab",
];
/** What a laboratory is made of. */
const NEEDED = `ip netns add a; ip netns add b; ip -n a link add e type veth peer name f netns b
ip -n a link add br0 type bridge
echo 'table inet t {
chain out {
type nat hook postrouting priority 100
masquerade random,fully-random
}
chain in {
type filter hook input priority 0
ct state new drop
}
}' | nft -f -`;

/** Why there can be no laboratory on this machine; undefined: there can. */
export function whyNoLab(): string | undefined {
  const missing = ["unshare", "ip", "nft"].find((program) => Bun.which(program) === null);
  if (missing !== undefined) return `there is no ${missing}`;
  const tried = Bun.spawnSync([...IN_LAB, "bash", "-ec", NEEDED]);
  return tried.success ? undefined : tried.stderr.toString().trim().split("\n")[0];
}

/** Why there can be no router with UPnP; undefined: there can. */
export function whyNoUpnp(): string | undefined {
  return Bun.which("miniupnpd") === null ? "there is no miniupnpd" : undefined;
}

/** For the title of a test. */
export function skipped(reason: string | undefined): string {
  return reason === undefined ? "" : `, skipped: ${reason}`;
}

/** The command line of a program of this folder in a laboratory of its own. */
export function inLab(program: string, ...values: string[]): string[] {
  return [...IN_LAB, process.execPath, join(import.meta.dir, program), ...values];
}
