/** `client.ts` and a peer that shares no line with it (Python's ssl, a key by openssl) talk both ways. */
import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { PASSWORD, World } from "./cli-process.ts";

let world: World | undefined;

afterEach(async () => {
  await world?.close();
  world = undefined;
});

for (const role of ["accept", "dial"] as const) {
  const does = role === "accept" ? "is dialled by client.ts" : "dials client.ts";
  test(`a Python peer that ${does} reads its text and is read by it`, async () => {
    world = new World();
    const server = await world.server();
    const ana = world.person("ana", server.tlsPort);
    await ana.register();
    expect((await ana.run(["send", "Pitón", "¿quién eres?", "--wait", "queued"])).code).toBe(0);
    const listener = await ana.listen(PASSWORD);

    const folder = join(world.folder, "python");
    mkdirSync(folder);
    const known = new Database(join(ana.data, "servers.db"), { readonly: true });
    const { authority } = known.query<{ authority: string }, []>("SELECT authority FROM servers").get() ?? {
      authority: "",
    };
    known.close();
    writeFileSync(join(folder, "ca.pem"), authority);
    const program = join(import.meta.dir, "peer.py");
    const python = Bun.spawn(
      ["python3", program, folder, String(server.tlsPort), "Pitón", PASSWORD, role, "ana"],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    const [output, exit] = await Promise.all([new Response(python.stdout).text(), python.exited]);
    expect(exit).toBe(0);
    expect(JSON.parse(output.split("\n")[1] ?? "")).toEqual({ received: "¿quién eres?", acknowledged: true });
    await listener.event({ event: "message", from: "Pitón", text: "saludos de Python ñ" });
    expect((await listener.stop()).code).toBe(0);
    expect(await ana.states("Pitón")).toEqual([
      ["¿quién eres?", "received"],
      ["saludos de Python ñ", "received"],
    ]);
  }, 30_000);
}
