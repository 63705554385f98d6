/** The hosts of servers as people type them, in a process with a name service of its own. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { serversFile } from "../../src/client/disk/folders.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { CLIENT_PROGRAM, PASSWORD, type Ended } from "./cli-process.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { leafOf, newAuthority } from "./loopback.ts";
import { Company } from "./messenger-pair.ts";

setDefaultTimeout(30_000);

const cleanups = cleanupsForEachTest();
let folder = "";
folderForEachTest((path) => {
  folder = path;
});

/** Runs the client where `hosts` is the file of hosts. */
async function client(hosts: string, args: readonly string[], root?: string): Promise<Ended> {
  const file = join(folder, "hosts");
  writeFileSync(file, hosts);
  const { PATH = "", HOME = "" } = process.env;
  const child = Bun.spawn(
    [
      ...["unshare", "--user", "--map-root-user", "--mount"],
      ...["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', file],
      ...[process.execPath, "run", CLIENT_PROGRAM, "--data", join(folder, "data"), ...args],
    ],
    {
      env: {
        PATH,
        HOME,
        PALOMA_PASSWORD: PASSWORD,
        ...(root === undefined ? {} : { NODE_EXTRA_CA_CERTS: root }),
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, stdout, stderr };
}

test("an international name is its A-label for the name service, TLS and the certificate, and shown as typed", async () => {
  const root = newAuthority();
  const file = join(folder, "root.pem");
  writeFileSync(file, root.certificatePem);
  const company = await Company.meet({ identity: leafOf(root, "xn--mlaga-xqa.test", "xn--mlaga-xqa.test") });
  cleanups.push(() => company.close());
  const hosts = "127.0.0.1 xn--mlaga-xqa.test other.test\n";
  const at = (host: string, name: string) =>
    client(hosts, ["--server", `${host}:${company.port}`, "--user", name, "--lang", "en", "register"], file);
  // The certificate's name is compared with the A-label; a final dot, capitals and the A-label itself are the same host.
  expect(await at("málaga.test", "ana")).toMatchObject({ code: 0 });
  expect(await at("MÁLAGA.Test.", "bea")).toMatchObject({ code: 0 });
  expect(await at("xn--mlaga-xqa.test", "carla")).toMatchObject({ code: 0 });
  const database = new Database(serversFile(join(folder, "data")), { readonly: true });
  expect(database.query("SELECT host, kind FROM servers").all()).toEqual([
    { host: "xn--mlaga-xqa.test", kind: "web" },
  ]);
  database.close();
  const wrong = await at("other.test.", "dora");
  expect(wrong).toMatchObject({ code: 3, stderr: expect.stringContaining(`other.test.:${company.port} `) });
});
