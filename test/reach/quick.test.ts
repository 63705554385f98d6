/**
 * Pairs of networks, made of namespaces, routers and firewalls on this machine: by which way people reach each other
 * (PROTOCOL 7).
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";

/** Everything that is made in it ends with the process. */
const IN_LAB = [
  ...(process.getuid?.() === 0 ? ["unshare"] : ["unshare", "--user", "--map-root-user"]),
  ...["--net", "--mount", "--pid", "--fork", "--kill-child", "bash", "-ec"],
  `mount -t tmpfs none /run; mkdir /run/netns; ip link set lo up; exec "$@"`,
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

/** Undefined: laboratories can be made. */
function whyNot(): string | undefined {
  const missing = ["unshare", "ip", "nft"].find((program) => Bun.which(program) === null);
  if (missing !== undefined) return `there is no ${missing}`;
  const tried = Bun.spawnSync([...IN_LAB, "bash", "-ec", NEEDED]);
  return tried.success ? undefined : tried.stderr.toString().trim().split("\n")[0];
}

const reason = whyNot();

describe.skipIf(reason !== undefined)(`networks${reason === undefined ? "" : `, skipped: ${reason}`}`, () => {
  test.each([
    ["open:open", "direct"],
    // Who is behind the NAT dials back.
    ["open:sym", "direct"],
    ["cone:cone", "punched"],
    ["fw:fw", "punched"],
    ["dbl:dbl", "punched"],
    ["sym:sym", "relayed"],
    ["sym6:sym6", "punched"],
    ["same", "direct"],
    ["isolated", "relayed"],
    ["moving", "relayed, then direct"],
  ])("%s: %s", (pair, way) => {
    const { stdout, stderr } = Bun.spawnSync([
      ...IN_LAB,
      process.execPath,
      join(import.meta.dir, "pair.ts"),
      pair,
    ]);
    expect(stderr.toString()).toBe("");
    expect(JSON.parse(stdout.toString())).toMatchObject({ pair, way });
  });
});
