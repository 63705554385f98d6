/**
 * A conversation goes on when the network changes (PROTOCOL 7): what each change has cost, in ms, is printed. The project
 * wants a text of both sides to arrive within 5 s; a loaded machine is given twice as much.
 */
import { describe, expect, test } from "bun:test";

import { inLab, skipped, whyNoLab } from "./in-lab.ts";

const PATIENCE = 10_000;
const noLab = whyNoLab();

describe.skipIf(noLab !== undefined)(`changes of network${skipped(noLab)}`, () => {
  test.each([
    ["network", "another network, as from Wi-Fi to a telephone"],
    ["address", "another outer address of the router, of which nothing tells"],
    ["vpn", "a VPN that comes and goes costs nothing"],
    ["sleep", "sleep, and another address at the awakening"],
  ])("%s: %s", async (change) => {
    const { stdout, stderr } = Bun.spawn(inLab("change.ts", change), { stdout: "pipe", stderr: "pipe" });
    const [said, errors] = await Promise.all([stdout.text(), stderr.text()]);
    expect(errors).toBe("");
    console.log(said.trim());
    const { told, moved, fromAna, fromBenito, lost } = JSON.parse(said) as Record<string, number | boolean>;
    for (const ms of [told, moved, fromAna, fromBenito]) expect(ms).toBeLessThan(PATIENCE);
    // While one side sleeps the other one gives its link up.
    if (change !== "sleep") expect(lost).toBe(false);
  });
});
