import { expect, test } from "bun:test";
import { join } from "node:path";

import { HAS_NAMESPACES, inNamespaces } from "./namespaces.ts";

/** A local network, and no way out of it. */
const NETWORK = [
  "ip link set lo up",
  "ip link add lan0 type veth peer name lan1",
  "ip addr add 192.168.77.1/24 dev lan0",
  "ip link set lan0 up",
  "ip link set lan1 up",
].join(" && ");

test.skipIf(!HAS_NAMESPACES)(
  "contacts on one local network find each other at a new port without a server or a default route, and `send` waits for that",
  async () => {
    const program = [process.execPath, "run", join(import.meta.dir, "lan-process.ts")];
    const place = Bun.spawn([...inNamespaces(["--net"], NETWORK), ...program], { stdout: "pipe" });
    expect(await place.stdout.text()).toBe("are you near?\n0 and now?\n");
    expect(await place.exited).toBe(0);
  },
);
