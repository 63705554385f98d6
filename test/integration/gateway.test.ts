import { expect, test } from "bun:test";
import { join } from "node:path";

import { HAS_NAMESPACES, inNamespaces } from "./namespaces.ts";

const NETWORK = [
  "ip link set lo up",
  "ip link add lan0 type veth peer name lan1",
  ...[1, 2, 3].map((host) => `ip addr add 192.168.77.${host}/24 dev lan0`),
  "ip link set lan0 up",
  "ip link set lan1 up",
  "ip route add default via 192.168.77.2",
].join(" && ");

test.skipIf(!HAS_NAMESPACES)(
  "a router is asked for a port in three protocols, and nobody else is heard",
  async () => {
    const program = [process.execPath, "run", join(import.meta.dir, "gateway-process.ts")];
    const place = Bun.spawn([...inNamespaces(["--net"], NETWORK), ...program], { stdout: "pipe" });
    expect((await place.stdout.text()).trimEnd().split("\n")).toEqual([
      "PCP without a service: ECONNREFUSED",
      "PCP: 80.1.0.11 9001 3600, given back",
      "NAT-PMP: 80.1.0.11 9000 3600, given back",
      "UPnP, two ports taken: 80.1.0.11 9002 3600, given back",
      "UPnP, only for ever: 80.1.0.11 9000 3600, given back",
      "UPnP, forbidden: upnp_606",
      "AddPortMapping 9000 3600, AddPortMapping 9001 3600, AddPortMapping 9002 3600, AddPortMapping 9000 3600, AddPortMapping 9000 0, AddPortMapping 9000 3600",
      "UPnP, a redirect: http_302",
      "UPnP, a huge description: too_long",
      "UPnP, a service elsewhere: no_service",
    ]);
    expect(await place.exited).toBe(0);
  },
);
