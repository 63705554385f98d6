/** Small accidents and small lies that must cost nobody a message, a secret or a process. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { registerAccount } from "../../src/client/accounts.ts";
import { localFolder } from "../../src/client/local-accounts.ts";
import { reachServer } from "../../src/client/rendezvous/reach-server.ts";
import { ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { label } from "../../src/identity/names.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { FakeServer, pongOf } from "./fake-server.ts";
import { newAuthority, serverIdentity } from "./loopback.ts";
import { Company, expectServed, until, untilQuiet } from "./messenger-pair.ts";
import { PASSWORD } from "./rendezvous-test-client.ts";

const HOST = "127.0.0.1";
const QUIET = {
  presence: () => undefined,
  reach: () => undefined,
  revoked: () => undefined,
  notified: () => undefined,
  closed: () => undefined,
};
const cleanups = cleanupsForEachTest();

const meet = () => Company.meetFor(cleanups);

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "paloma-mishaps-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function fake(options: ConstructorParameters<typeof FakeServer>[0]): FakeServer {
  const server = new FakeServer(options);
  cleanups.push(() => server.stop());
  return server;
}

test("connections that are reset before they are accepted do no harm", async () => {
  const company = await meet();
  const ana = await company.person("ana");
  // Another process resets them while this one cannot look: then the kernel no longer knows from where they came.
  const program = [
    "import socket, struct, sys",
    "for _ in range(5):",
    "    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))",
    "    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))",
    "    s.close()",
  ].join("\n");
  expect(Bun.spawnSync(["python3", "-c", program, String(ana.port)]).exitCode).toBe(0);
  await expectServed(ana, company.identity("bob"));
});

test("a server's authority is one certificate, whatever else it sends with it", async () => {
  const authority = newAuthority();
  const smuggled = newAuthority();
  const server = fake({
    identity: serverIdentity(authority),
    answer: (message) =>
      pongOf(authority, message, { authority: authority.certificatePem + smuggled.certificatePem }),
  });
  const servers = new ServerStore(newFolder());
  cleanups.push(() => servers.close());
  const { link, authority: told } = await reachServer({
    host: HOST,
    port: server.port,
    servers,
    expectedFingerprint: undefined,
    confirm: undefined,
    now: Date.now,
    events: QUIET,
  });
  link.close("done");
  expect(told.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  expect(servers.get(HOST, server.port)?.authority).toBe(told);
});

test("another kind of server behind TLS is reported as such, and a full one as full", async () => {
  const authority = newAuthority();
  const register = (port: number) =>
    registerAccount(
      { dataFolder: newFolder(), host: HOST, port, expectedFingerprint: undefined, confirm: undefined },
      { username: "ana", password: PASSWORD, email: undefined },
    );
  const identity = serverIdentity(authority);
  const web = fake({ identity, greeting: "HTTP/1.1 400 Bad Request\r\n\r\n" });
  await expect(register(web.port)).rejects.toMatchObject({ code: "server_protocol" });
  const busy = '{"action":"error","success":false,"code":"server_busy","message":"full"}\n';
  const full = fake({ identity, greeting: busy, answer: () => undefined });
  const refused = register(full.port);
  await until(() => full.messages.length > 0);
  full.end();
  await expect(refused).rejects.toMatchObject({ code: "server_busy" });
});

test("without a server, our own new port at somebody's old address is not taken for an impostor", async () => {
  const company = await meet();
  const bob = await company.person("bob");
  const ana = await company.person("ana");
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.received("bob") === 1);
  const { port } = bob;
  await bob.close();
  await ana.close();
  await company.stopServer();
  const again = await company.person("ana", { p2pPort: port, offline: true });
  again.messenger.outbox.send("bob", "¿sigues ahí?");
  await expect(again.account.connect()).rejects.toMatchObject({ code: "server_unreachable" });
  await until(() => again.of("unreachable").length > 0);
  expect(again.of("unreachable")[0]?.reason).toBe("no_server");
});

test("what is acknowledged after our bye is not sent again", async () => {
  const company = await meet();
  const bob = await company.person("bob");
  const ana = await company.person("ana");
  ana.messenger.openChat("bob");
  await until(() => ana.of("connected").length === 1);
  ana.messenger.outbox.send("bob", "y me voy");
  ana.messenger.outbox.commit();
  // Leaves in the same turn, before an acknowledgement can have come.
  await ana.close();
  expect(ana.received("bob")).toBe(1);
  expect(bob.texts("ana")).toEqual(["y me voy"]);
  await until(() => bob.of("disconnected").length > 0);
  expect(bob.of("disconnected")[0]).toMatchObject({ bye: true });
});

test("an existing data folder keeps its mode, and looking for accounts creates none", async () => {
  const folder = newFolder();
  const mine = join(folder, "mine");
  mkdirSync(mine);
  chmodSync(mine, 0o755);
  const servers = new ServerStore(mine);
  servers.close();
  expect(statSync(mine).mode & 0o777).toBe(0o755);
  const place = { dataFolder: join(folder, "mistyped"), host: HOST, port: 1, user: undefined };
  expect(() => localFolder(place)).toThrow("no_account");
  expect(readdirSync(folder)).toEqual(["mine"]);
});

test("a damaged profile affects only its own account", async () => {
  const company = await meet();
  const ana = await company.person("ana", { folder: "shared" });
  await ana.close();
  const dataFolder = join(company.folder, "shared");
  const [authority = ""] = readdirSync(dataFolder).filter((name) => !name.includes("."));
  const broken = join(dataFolder, authority, label("bob"));
  mkdirSync(broken);
  writeFileSync(join(broken, "profile.db"), "no database at all");
  const again = await company.person("ana", { folder: "shared" });
  expect(again.messenger.username).toBe("ana");
  await untilQuiet(() => again.messenger.rendezvous.state.name === "online");
});
