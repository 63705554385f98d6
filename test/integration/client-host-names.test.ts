/** The hosts of servers as people type them, in processes with a name service and a network of their own. */
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { serversFile } from "../../src/client/disk/folders.ts";
import { CommandsProcess } from "./asked-process.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { PASSWORD, type Ended } from "./cli-process.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { leafOf, newAuthority } from "./loopback.ts";
import { Company } from "./messenger-pair.ts";
import { HAS_NAMESPACES, inNamespaces } from "./namespaces.ts";

setDefaultTimeout(60_000);

const cleanups = cleanupsForEachTest();
let folder = "";
folderForEachTest((path) => {
  folder = path;
});

/** Runs `register` at a server, in that place. */
function register(place: CommandsProcess, server: string, ...more: string[]): Promise<Ended> {
  const args = ["--data", join(folder, "data"), "--server", server, ...more, "register"];
  return place.run({ args, environment: { PALOMA_PASSWORD: PASSWORD } });
}

/** The shell's commands that give a process this file of hosts. */
function withHosts(text: string): string {
  const file = join(folder, "hosts");
  writeFileSync(file, text);
  return `mount --bind ${file} /etc/hosts`;
}

describe.skipIf(!HAS_NAMESPACES)("a host", () => {
  test("with an international name is its A-label for the name service and TLS, and shown as it was typed", async () => {
    const root = newAuthority();
    const file = join(folder, "root.pem");
    writeFileSync(file, root.certificatePem);
    const identity = leafOf(root, "xn--mlaga-xqa.test", "xn--mlaga-xqa.test");
    const company = await Company.meet({ identity });
    cleanups.push(() => company.close());
    const hosts = withHosts("127.0.0.1 xn--mlaga-xqa.test other.test\n");
    await using place = new CommandsProcess(inNamespaces(["--mount"], hosts), { NODE_EXTRA_CA_CERTS: file });
    const at = (host: string, name: string) =>
      register(place, `${host}:${company.port}`, "--user", name, "--lang", "en");
    // The certificate is for the A-label; capitals, a final dot and the A-label itself are the same host.
    expect(await at("málaga.test", "ana")).toMatchObject({ code: 0 });
    expect(await at("MÁLAGA.Test.", "bea")).toMatchObject({ code: 0 });
    expect(await at("xn--mlaga-xqa.test", "carla")).toMatchObject({ code: 0 });
    const database = new Database(serversFile(join(folder, "data")), { readonly: true });
    const stored = database.query("SELECT host, kind FROM servers").all();
    database.close();
    expect(stored).toEqual([{ host: "xn--mlaga-xqa.test", kind: "web" }]);
    const wrong = await at("other.test.", "dora");
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain(`other.test.:${company.port} is not a Paloma server`);
  });

  test("with dead addresses is given up for all of them at once", async () => {
    const network =
      "ip link set lo up; ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up; " +
      "ip addr add 10.9.0.1/24 dev d0";
    const dead = Array.from({ length: 12 }, (_, index) => `10.9.0.${index + 5}`);
    const hosts = withHosts([...dead, "10.9.0.1"].map((address) => `${address} many.test\n`).join(""));
    await using place = new CommandsProcess(inNamespaces(["--mount", "--net"], `${network}; ${hosts}`));
    const begun = performance.now();
    const { code, stderr } = await register(place, "many.test:1", "--user", "ana", "--lang", "en");
    expect(code).toBe(3);
    // The one that refuses says most. The system gives up each of the others after three seconds: 36 in all.
    expect(stderr).toContain("many.test:1 cannot be reached: check that it is running and that the port");
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  const refusals: readonly (readonly [string, string, string, string])[] = [
    [
      "that nobody knows",
      "nobody.invalid",
      "cannot be found",
      "No se encuentra el servidor nobody.invalid:8443",
    ],
    ["that refuses", "[::1]:1", "refuses the connection", "rechaza la conexión"],
    ["without a route", "192.0.2.1", "There is no route to the server 192.0.2.1:8443", "No hay ninguna ruta"],
    [
      "without an IPv6 route",
      "[2001:db8::1]",
      "There is no route",
      "ruta hasta el servidor [2001:db8::1]:8443",
    ],
    ["of this network at which no machine is", "10.9.0.7", "There is no route", "No hay ninguna ruta"],
    ["that needs its interface", "[fe80::1]", "as in [fe80::1%eth0]:8443", "hace falta una interfaz de red"],
    [
      "with an interface that is not there",
      "[fe80::1%none]",
      "takes a network interface",
      "[fe80::1%none]:8443",
    ],
    ["with its interface", "[fe80::1%lo]:1", "[fe80::1%lo]:1 cannot be reached", "[fe80::1%lo]:1: compruebe"],
  ];
  describe("that is not reached", () => {
    const network =
      "ip link set lo up; ip -6 addr add fe80::1/64 dev lo; ip link add d0 type veth peer name d1; " +
      "ip link set d0 up; ip link set d1 up; ip addr add 10.9.0.1/24 dev d0";
    const place = new CommandsProcess(inNamespaces(["--net"], network));
    afterAll(() => place[Symbol.asyncDispose]());

    test.each(refusals)("%s is told by its own sentence", async (_, server, en, es) => {
      const said = (lang: string) => register(place, server, "--user", "ana", "--json", "--lang", lang);
      const english = await said("en");
      expect(english).toMatchObject({ code: 3, stderr: expect.stringContaining(en) });
      expect(await said("es")).toMatchObject({ code: 3, stderr: expect.stringContaining(es) });
      expect(english.stdout).toContain('"code":"server_unreachable"');
    });
  });
});
