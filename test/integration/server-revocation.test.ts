/** Revocations on the rendezvous link (PROTOCOL 3): what makes one, and who is told of it when. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";

import { readCertificate } from "../../src/identity/certificate-reader.ts";
import { fingerprint } from "../../src/identity/fingerprint.ts";
import { label } from "../../src/identity/names.ts";
import { revokes, type Revocation } from "../../src/identity/revocation.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { reachDatabase } from "../../src/server/admin/link.ts";
import type { AdminRequest } from "../../src/server/admin/messages.ts";
import { AdminOperations } from "../../src/server/admin/operations.ts";
import { createLog } from "../../src/server/log/log.ts";
import { withoutAudit } from "../../src/server/log/security-log.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { loginOf, newPublicKey, PASSWORD, type Message, type TestClient } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";
import { admin, online } from "./server-admin-process.ts";
import { ServerHere } from "./server-process.ts";

const HOUR = 3_600_000;
const NEW_PASSWORD = "otra secreta";

let server: TestServer;
/** Undefined: the server's clock is the machine's. */
let stopped: number | undefined;
let names = 0;
beforeAll(async () => {
  server = await TestServer.start({ now: () => stopped ?? Date.now() });
});
afterEach(() => {
  stopped = undefined;
});
afterAll(() => server.stop());

const newName = (): string => `persona${++names}`;

const operator = (request: AdminRequest) => new AdminOperations(server.server.services).run(request);

/** The revocations of one person in a message. */
function of(name: string, message: Message): Revocation[] {
  return (message["revoked"] as Revocation[]).filter((each) => each.label === label(name));
}

/** The revocations of these people in the first push that has any; earlier tests may have caused others. */
async function pushed(client: TestClient, ...names: string[]): Promise<Revocation[]> {
  for (;;) {
    const message = await client.next();
    expect(message).toMatchObject({ action: "revoked" });
    const found = names.flatMap((name) => of(name, message));
    if (found.length > 0) return found;
  }
}

function isTakenBack(revocation: Revocation, login: Message): boolean {
  const { dnsNames, notBefore, ...certificate } = readCertificate(
    new X509Certificate(login["certificate"] as string),
  );
  return revokes(revocation, { label: dnsNames[0] ?? "", notBefore, fingerprint: certificate.fingerprint });
}

const keyFingerprint = (key: string) => fingerprint(Buffer.from(key, "base64"));

type Somebody = Awaited<ReturnType<TestServer["online"]>> & { readonly name: string };

/** What revokes the certificates of somebody who is online. */
const CAUSES: readonly [string, (who: Somebody) => Promise<unknown>][] = [
  ["disable", ({ name }) => operator({ command: "disable", name })],
  ["delete", ({ name }) => operator({ command: "delete", name })],
  ["reset-password", ({ name }) => operator({ command: "reset-password", name })],
  ["revoke", ({ name }) => operator({ command: "revoke", name, id: undefined })],
  ["delete_account", ({ client }) => client.ask({ action: "delete_account", password: PASSWORD })],
  [
    "change_password",
    ({ client }) => client.ask({ action: "change_password", password: PASSWORD, new_password: NEW_PASSWORD }),
  ],
];

describe.each(CAUSES)("%s", (cause, revoke) => {
  test("is pushed to whoever is online, told at the next login, and takes back what was certified before", async () => {
    const observer = await server.online(newName());
    const name = newName();
    const somebody = { name, ...(await server.online(name)) };
    const begun = Math.floor(Date.now() / 1_000);
    await revoke(somebody);
    const [revocation] = await pushed(observer.client, name);
    if (revocation === undefined) throw new Error("nothing was pushed");
    expect(revocation).toEqual({
      label: label(name),
      before: revocation.before,
      ...(cause === "change_password" && { except: keyFingerprint(somebody.key) }),
    });
    expect(revocation.before).toBeWithin(begun + 1, Math.floor(Date.now() / 1_000) + 2);
    expect(isTakenBack(revocation, somebody.login)).toBe(cause !== "change_password");
    const { login } = await server.online(newName());
    expect(of(name, login)).toEqual([revocation]);
    observer.client.close();
  });
});

test("a certificate of the same second as the revocation counts, by login, resume and renew", async () => {
  stopped = Math.floor(Date.now() / 1_000) * 1_000 + 300;
  const name = newName();
  const first = await server.online(name);
  const changed = await first.client.ask({
    action: "change_password",
    password: PASSWORD,
    new_password: NEW_PASSWORD,
  });
  expect(changed).toMatchObject({ success: true });
  const renewed = await first.client.ask({ action: "renew", public_key: first.key });
  await operator({ command: "revoke", name, id: undefined });
  await first.client.closed;
  const client = await server.tls();
  const key = newPublicKey();
  const again = await client.ask(loginOf(name, { public_key: key, password: NEW_PASSWORD }));
  const [revocation] = of(name, again);
  if (revocation === undefined) throw new Error("the login tells nothing");
  expect([first.login, renewed, again].map((each) => isTakenBack(revocation, each))).toEqual([
    true,
    true,
    false,
  ]);
  client.close();
});

test("a changed password spares its own key, and revokes once an hour", async () => {
  const name = newName();
  const observer = (await server.online(newName())).client;
  const { client, key } = await server.online(name);
  const change = (password: string, new_password: string) =>
    client.ask({ action: "change_password", password, new_password });
  await change(PASSWORD, NEW_PASSWORD);
  const [first] = await pushed(observer, name);
  expect(first).toMatchObject({ label: label(name), except: keyFingerprint(key) });
  expect(await change(NEW_PASSWORD, PASSWORD)).toMatchObject({ success: true });
  stopped = Date.now() + HOUR + 1_000;
  await change(PASSWORD, NEW_PASSWORD);
  const [second] = await pushed(observer, name);
  expect(second?.before).toBeGreaterThan((first?.before ?? 0) + 3_000);
  client.close();
  observer.close();
});

test("revocations of one moment are pushed together, and never to a legacy client", async () => {
  const observer = await server.online(newName());
  const legacy = await server.plain();
  const [legacyName, ...others] = [newName(), newName(), newName(), newName()];
  await server.addAccounts(legacyName, ...others);
  const login = await legacy.ask(loginOf(legacyName));
  expect(Object.keys(login).toSorted()).toEqual(["action", "code", "message", "success", "username"]);
  for (const name of others) await operator({ command: "disable", name });
  expect((await pushed(observer.client, ...others)).map((each) => each.label)).toEqual(others.map(label));
  expect(await legacy.ask({ action: "get_users" })).toMatchObject({ action: "users_list" });
  expect(legacy.lines.length).toBe(2);
  legacy.close();
  observer.client.close();
});

describe("more than 300", () => {
  test("are told page by page, the newest first, each page within 64 KiB", async () => {
    const own = await TestServer.start();
    try {
      const second = Math.floor(Date.now() / 1_000);
      const { revocations } = own.server.services;
      for (let count = 0; count < 650; count++) {
        const except = "f".repeat(64);
        revocations.add({ label: label(`u${count}`), before: second - count, except, byOperator: false });
      }
      const { client, login } = await own.online("ana");
      const told = [login["revoked"] as Revocation[]];
      let after = login["revoked_next"];
      while (after !== undefined) {
        const page = await client.ask({ action: "revocations", after });
        expect(page).toMatchObject({ action: "revocations_response", success: true, code: "ok" });
        told.push(page["revoked"] as Revocation[]);
        after = page["next"];
      }
      expect(told.map((page) => page.length)).toEqual([300, 300, 50]);
      const expected = Array.from({ length: 650 }, (_, count) => label(`u${count}`));
      expect(told.flat().map((each) => each.label)).toEqual(expected);
      for (const line of client.lines) expect(Buffer.byteLength(line)).toBeLessThan(RENDEZVOUS_OBJECT_LIMIT);
      expect(await client.ask({ action: "revocations" })).toMatchObject({ revoked: told[0] });
      client.close();
    } finally {
      await own.stop();
    }
  });

  test.each(["", "1", "x.y", `1.${"A".repeat(40)}`, `-1.${"a".repeat(40)}`, 7, null, ["1"]])(
    "are not asked for after %j",
    async (after) => {
      const { client } = await server.online(newName());
      const answer = await client.ask({ action: "revocations", after });
      expect(answer).toMatchObject({ action: "revocations_response", success: false, code: "bad_request" });
      expect(answer["message"]).toContain("after");
      client.close();
    },
  );

  test("are told to nobody who is not logged in", async () => {
    const client = await server.tls();
    expect(await client.ask({ action: "revocations" })).toMatchObject({ code: "not_logged_in" });
    client.close();
  });
});

test("a revocation is told for 73 hours", async () => {
  const [name, other, late] = [newName(), newName(), newName()];
  await server.addAccounts(name, other, late);
  await operator({ command: "disable", name });
  const now = Date.now();
  stopped = now + 73 * HOUR - 2_000;
  expect(of(name, (await server.online(other)).login)).toHaveLength(1);
  stopped = now + 73 * HOUR + 2_000;
  expect(of(name, (await server.online(late)).login)).toEqual([]);
});

describe("the operator's command", () => {
  let folder: string;
  const running = folderForEachTest((path) => (folder = path));

  async function start(): Promise<ServerHere> {
    const started = new ServerHere(["--port", "0", "--tls-port", "0", "--db", join(folder, "users.db")]);
    running.push(started);
    await started.started();
    return started;
  }

  test("is told by a running server within a second, and after a restart, and so is one on a stopped server", async () => {
    const db = join(folder, "users.db");
    let process = await start();
    for (const name of ["ana", "berta", "carla"]) expect((await admin(db, "add", name)).code).toBe(0);
    const password = async (name: string) => {
      const { objects } = await admin(db, "reset-password", name, "--json");
      return objects[0]?.["password"] as string;
    };
    const observer = await online(process, "ana", { password: await password("ana") });
    await admin(db, "disable", "berta");
    expect(await pushed(observer.client, "berta")).toHaveLength(1);
    process.kill("SIGTERM");
    expect(await process.exited).toBe(0);
    const link = await reachDatabase(db, () => withoutAudit(createLog("json", Date.now, () => undefined)));
    await link.ask({ command: "revoke", name: "carla", id: undefined });
    await link.close();
    process = await start();
    const again = await online(process, "ana", { password: await password("ana") });
    const list = await again.client.ask({ action: "revocations" });
    expect(of("berta", list)).toHaveLength(1);
    expect(of("carla", list)).toHaveLength(1);
    again.client.close();
  }, 60_000);
});
