import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";

import { expectFailure, PASSWORD, World, type Person } from "./cli-process.ts";
import type { ServerHere } from "./server-process.ts";

setDefaultTimeout(60_000);

const world = new World();
let server: ServerHere;
let port = 0;
beforeAll(async () => {
  server = await world.server();
  port = server.tlsPort;
});
afterAll(() => world.close());

async function registered(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  return person;
}

/** A server that takes connections and says nothing. */
async function silentServer(): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<{ destroy(): void }>();
  const listener: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

describe("3: the server", () => {
  test("that is not there is named, and the message waits on this disk", async () => {
    const other = await world.serverApart("gone.db");
    const ana = world.person("ana.gone", other.tlsPort);
    await ana.register();
    other.kill("SIGKILL");
    await other.exited;
    const gone = {
      exit: 3,
      code: "server_unreachable",
      en: "cannot be reached: check that it is running",
      es: "compruebe que esté en marcha",
    };
    await expectFailure(ana, ["users"], gone, { password: PASSWORD });
    await expectFailure(ana, ["send", "beto", "later"], gone, { password: PASSWORD });
    await expectFailure(world.person("new.one", other.tlsPort), ["register"], gone, { password: PASSWORD });
    await expectFailure(world.person("new.two", other.tlsPort), ["send", "beto", "no outbox"], gone);
    expect(await ana.states("beto")).toEqual([
      ["later", "queued"],
      ["later", "queued"],
    ]);
    // Never online here: there is nothing to keep trying with.
    await expectFailure(ana, ["listen"], gone, { password: PASSWORD });
  });

  test("that is gone does not keep the session here: `logout` forgets it all the same", async () => {
    const other = await world.serverApart("logout.db");
    const ana = world.person("ana.logout", other.tlsPort);
    await ana.register();
    expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
    other.kill("SIGKILL");
    await other.exited;
    const { code, events, stderr } = await ana.json(["logout"]);
    expect(events).toMatchObject([{ event: "error", code: "server_unreachable" }]);
    expect(stderr).toContain("The session was deleted from this machine");
    expect(code).toBe(3);
    await world.server("logout.db", other.tlsPort);
    expect((await ana.run(["users"])).code).toBe(2);
    expect(await ana.run(["logout"])).toMatchObject({ code: 0, stderr: "There is no stored session.\n" });
  });

  test("that speaks without encryption is named as the seed's port", async () => {
    const ana = await registered("ana.plain");
    await expectFailure(
      ana.at(`127.0.0.1:${server.plainPort}`),
      ["register"],
      { exit: 3, code: "server_plain", en: "answers unencrypted", es: "responde sin cifrar" },
      { password: PASSWORD },
    );
  });

  test("that turns out to be a user is sent nothing", async () => {
    const beto = await registered("beto.port");
    const listening = await beto.listen(PASSWORD);
    const p2pPort = Number(listening.events[0]?.["p2p_port"]);
    await expectFailure(
      world.person("ana.port", p2pPort),
      ["register"],
      { exit: 3, code: "server_is_user", en: "shows a user's certificate", es: "certificado de un usuario" },
      { password: PASSWORD },
    );
    await listening.stop();
  });

  test("with another authority than the pinned one is refused with both fingerprints, until it is accepted", async () => {
    const first = await world.server("first.db");
    const taken = first.tlsPort;
    const ana = world.person("ana.pin", taken);
    await ana.register();
    const expected = /huella de la autoridad (.*)$/.exec(first.lines[2] ?? "")?.[1] ?? "?";
    first.kill("SIGTERM");
    await first.exited;
    const second = await world.server("second.db", taken);
    const found = /huella de la autoridad (.*)$/.exec(second.lines[2] ?? "")?.[1] ?? "?";
    await expectFailure(
      ana,
      ["users"],
      {
        exit: 3,
        code: "server_changed",
        en: new RegExp(`is not the expected server[^]*${expected}[^]*${found}[^]*--server-fingerprint`),
        es: new RegExp(`no es el servidor esperado[^]*${expected}[^]*${found}`),
      },
      { password: PASSWORD },
    );
    const accept = ["--server-fingerprint", found.toUpperCase()];
    const { code, stderr } = await ana.run(["register", ...accept], { password: PASSWORD });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  });

  const address = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find((each) => each.family === "IPv4" && !each.internal)?.address;
  test.skipIf(address === undefined)(
    "of another machine is trusted only after its fingerprint was given",
    async () => {
      const ana = world.person("ana.first", port, address);
      const fingerprint = /huella de la autoridad (.*)$/.exec(server.lines[2] ?? "")?.[1] ?? "?";
      const digits = fingerprint.replaceAll(" ", "");
      await expectFailure(
        ana,
        ["register"],
        {
          exit: 3,
          code: "server_unconfirmed",
          en: `--server-fingerprint and these digits:\n${digits}\n`,
          es: "Primer contacto con",
        },
        { password: PASSWORD },
      );
      const wrong = await ana.json(["register", "--server-fingerprint", "00".repeat(32)], {
        password: PASSWORD,
      });
      expect(wrong).toMatchObject({ code: 3, events: [{ event: "error", code: "server_changed" }] });
      const typed = ["--server-fingerprint", fingerprint.toUpperCase().replaceAll(" ", ":")];
      expect(await ana.run(["register", ...typed], { password: PASSWORD })).toMatchObject({
        code: 0,
        stderr: "",
      });
      // The trust is stored: nobody is asked again.
      expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
    },
  );

  test("that does not answer ends the command when its time is over", async () => {
    const silent = await silentServer();
    try {
      const known = await registered("ana.silent");
      const ana = known.at(`127.0.0.1:${silent.port}`);
      for (const args of [["register"], ["users"], ["send", "beto", "hello"]]) {
        const began = performance.now();
        await expectFailure(
          ana,
          [...args, "--timeout", "1"],
          {
            exit: 3,
            code: expect.stringMatching(/timeout/) as unknown as string,
            en: /did not finish within 1 s|does not respond/,
            es: /No ha terminado en 1 s|no responde/,
          },
          { password: PASSWORD },
        );
        // Two runs of one second each; a look at a silent server may take ten.
        expect(performance.now() - began).toBeLessThan(8_000);
      }
    } finally {
      silent.close();
    }
  });
});
