/** What goes on without the server, and how clients come back to it (PROTOCOL 3 to 5). */
import { describe, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";

import { label } from "../../src/identity/names.ts";
import { registerAccount } from "../../src/client/accounts.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { HOUR } from "./loopback.ts";
import { Company, openPerson, until, untilQuiet, type PersonOptions, type Person } from "./messenger-pair.ts";
import { PASSWORD } from "./rendezvous-test-client.ts";
import { ServerProcess, temporaryFolder } from "./server-process.ts";
import { RefusedError, ServerError } from "../../src/client/rendezvous/server-errors.ts";

const cleanups = cleanupsForEachTest();

const meet = () => Company.meetFor(cleanups);

async function anaAndBob(
  options: PersonOptions = {},
): Promise<{ company: Company; ana: Person; bob: Person }> {
  const company = await meet();
  const ana = await company.person("ana", options);
  const bob = await company.person("bob", options);
  return { company, ana, bob };
}

/** Both have written to each other, so each knows where the other is. */
async function acquaint(ana: Person, bob: Person): Promise<void> {
  ana.messenger.outbox.send("bob", "from ana");
  bob.messenger.outbox.send("ana", "from bob");
  await until(() => ana.received("bob") === 1 && bob.received("ana") === 1);
}

async function leave(ana: Person, bob: Person): Promise<void> {
  await ana.close();
  await bob.close();
}

/** An attempt to log in, and why it failed. */
async function unreachable(person: Person): Promise<ServerError> {
  const why = await person.account.connect().catch((error: unknown) => error);
  if (!(why instanceof ServerError)) throw new Error(`no ServerError: ${String(why)}`);
  return why;
}

function stateOf(person: Person): string {
  return person.messenger.rendezvous.state.name;
}

test("a conversation goes on when the server's process is killed", async () => {
  const { path, remove } = temporaryFolder();
  const server = new ServerProcess([
    ...["--port", "0", "--tls-port", "0"],
    ...["--db", join(path, "users.db")],
  ]);
  cleanups.push(remove, () => {
    server.kill("SIGKILL");
    return server.exited;
  });
  await server.started();
  const people: Person[] = [];
  for (const name of ["ana", "bob"]) {
    const options = { dataFolder: join(path, name), port: server.tlsPort };
    await registerAccount(
      {
        ...options,
        host: "127.0.0.1",
        expectedFingerprint: undefined,
        confirm: undefined,
      },
      { username: name, password: PASSWORD, email: undefined },
    );
    const person = await openPerson(name, options);
    cleanups.push(() => person.close());
    await person.account.connect();
    people.push(person);
  }
  const [ana, bob] = people as [Person, Person];
  await acquaint(ana, bob);
  server.kill("SIGKILL");
  await until(() => people.every((person) => stateOf(person) === "offline"));
  ana.messenger.outbox.send("bob", "can you still hear me?");
  bob.messenger.outbox.send("ana", "as before");
  await until(() => ana.received("bob") === 2 && bob.received("ana") === 2);
  expect(bob.texts("ana").at(-1)).toBe("can you still hear me?");
  expect(ana.texts("bob").at(-1)).toBe("as before");
  expect([ana, bob].flatMap((person) => person.of("disconnected"))).toEqual([]);
}, 20_000);

describe("with the server gone", () => {
  test("people who know each other's address start anew", async () => {
    const { company, ana, bob } = await anaAndBob();
    await acquaint(ana, bob);
    await leave(ana, bob);
    await company.stopServer();
    const anaAgain = await company.person("ana", { offline: true, p2pPort: ana.port });
    const bobAgain = await company.person("bob", { offline: true, p2pPort: bob.port });
    for (const person of [anaAgain, bobAgain])
      expect(await unreachable(person)).toMatchObject({ code: "server_unreachable" });
    anaAgain.messenger.outbox.send("bob", "no server, and yet");
    await until(() => anaAgain.received("bob") === 1);
    expect(bobAgain.texts("ana")).toEqual(["no server, and yet"]);
    bobAgain.messenger.outbox.send("ana", "indeed");
    await until(() => bobAgain.received("ana") === 1);
  });

  test("the outbox is sent to the known address once the server is lost", async () => {
    const { company, ana, bob } = await anaAndBob();
    await acquaint(ana, bob);
    await leave(ana, bob);
    const waiting = await company.person("ana", { p2pPort: ana.port });
    waiting.messenger.outbox.send("bob", "from the outbox");
    await until(() => waiting.of("unreachable").length === 1);
    await waiting.close();
    await company.stopServer();
    const bobAgain = await company.person("bob", { offline: true, p2pPort: bob.port });
    const anaAgain = await company.person("ana", { offline: true, p2pPort: ana.port });
    await unreachable(anaAgain);
    anaAgain.messenger.rendezvous.keepOnline();
    await until(() => anaAgain.received("bob") === 1);
    expect(bobAgain.texts("ana")).toEqual(["from the outbox"]);
  });

  test("somebody without a known address is not reachable, and is tried again", async () => {
    const { company, ana } = await anaAndBob();
    await company.stopServer();
    await until(() => stateOf(ana) === "offline");
    ana.messenger.outbox.send("carla", "where are you?");
    await until(() => ana.of("unreachable").length === 1);
    const [event] = ana.of("unreachable");
    expect(event).toMatchObject({ username: "carla", reason: "no_server" });
    expect(event?.retryIn).toBeGreaterThan(700);
  });

  test("an expired certificate closes no live link, and starts no new one", async () => {
    let ahead = 0;
    const now = () => Date.now() + ahead;
    const { company, ana, bob } = await anaAndBob({ now });
    await acquaint(ana, bob);
    await company.stopServer();
    await until(() => stateOf(ana) === "offline" && stateOf(bob) === "offline");
    ahead = 73 * HOUR;
    ana.messenger.outbox.send("bob", "three days later");
    await until(() => ana.received("bob") === 2);
    ana.messenger.openChat("bob");
    ana.messenger.closeChat("bob");
    await until(() => ana.of("disconnected").length === 1);
    ana.messenger.outbox.send("bob", "for when there is a server");
    await until(() => ana.of("unreachable").length === 1);
    expect(ana.of("unreachable")[0]).toMatchObject({ reason: "no_certificate", retryIn: undefined });
    expect(bob.texts("ana")).not.toContain("for when there is a server");
    // TLS looks at the machine's clock, so the new certificate needs ours to be that again.
    ahead = 0;
    await company.restartServer();
    await bob.account.connect();
    await ana.account.connect();
    await until(() => ana.received("bob") === 3);
  });
});

test("when the server returns, clients are online again by their token, and the outbox arrives", async () => {
  let asked = 0;
  const password = async () => {
    asked++;
    return PASSWORD;
  };
  const { company, ana, bob } = await anaAndBob({ password, random: () => 0 });
  expect(asked).toBe(2);
  for (const person of [ana, bob]) person.messenger.rendezvous.keepOnline();
  await company.stopServer();
  await untilQuiet(() => stateOf(ana) !== "online" && stateOf(bob) !== "online");
  ana.messenger.outbox.send("bob", "when it is back");
  await company.restartServer();
  await untilQuiet(() => stateOf(ana) === "online" && stateOf(bob) === "online");
  await until(() => ana.received("bob") === 1);
  expect(bob.texts("ana")).toEqual(["when it is back"]);
  expect(asked).toBe(2);
}, 20_000);

describe("two at once", () => {
  test("the same key elsewhere replaces a messenger, which does not reconnect", async () => {
    const company = await meet();
    const first = await company.person("ana");
    await first.close();
    const folders = ["one", "two"];
    for (const folder of folders)
      cpSync(join(company.folder, label("ana")), join(company.folder, folder), { recursive: true });
    const one = await company.person("ana", { folder: "one", random: () => 0 });
    one.messenger.rendezvous.keepOnline();
    const two = await company.person("ana", { folder: "two" });
    await until(() => stateOf(one) === "stopped");
    expect(one.messenger.rendezvous.state).toMatchObject({ why: { code: "session_replaced" } });
    const told = one.of("server").length;
    // Whatever the first still had under way would have come by the time others have talked.
    const bob = await company.person("bob");
    bob.messenger.outbox.send("ana", "to whoever is online");
    await until(() => bob.received("ana") === 1);
    expect(two.texts("bob")).toEqual(["to whoever is online"]);
    expect(one.of("server")).toHaveLength(told);
    expect(stateOf(two)).toBe("online");
  });

  test("another key is already_connected, and leaves neither profile nor lock behind", async () => {
    const company = await meet();
    const first = await company.person("ana");
    const second = await company.person("ana", { folder: "elsewhere", offline: true });
    const error = await second.account.connect().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ code: "already_connected" });
    expect(stateOf(first)).toBe("online");
    // The name is free again on that machine.
    await first.close();
    const again = await company.person("ana", { folder: "elsewhere" });
    expect(stateOf(again)).toBe("online");
  });

  test("another key ends the session that is online if the person says so, after the right password", async () => {
    const company = await meet();
    const first = await company.person("ana");
    first.account.keepOnline();
    const asked: string[] = [];
    let answer = false;
    const second = (password: string) =>
      company.person("ana", {
        folder: "elsewhere",
        offline: true,
        password: async () => (asked.push("password"), password),
        replaceOther: async () => (asked.push("replace"), answer),
      });
    const wrong = await second("not hers");
    expect(await wrong.account.connect().catch((error: unknown) => error)).toMatchObject({
      code: "invalid_credentials",
    });
    expect(asked.splice(0)).toEqual(["password"]);
    const declined = await second(PASSWORD);
    expect(await declined.account.connect().catch((error: unknown) => error)).toMatchObject({
      code: "already_connected",
    });
    expect(asked.splice(0)).toEqual(["password", "replace"]);
    expect(stateOf(first)).toBe("online");
    answer = true;
    const taken = await second(PASSWORD);
    await taken.account.connect();
    expect(asked.splice(0)).toEqual(["password", "replace"]);
    await until(() => stateOf(first) === "stopped");
    expect(first.messenger.rendezvous.state).toMatchObject({ why: { code: "session_replaced" } });
    expect(stateOf(taken)).toBe("online");
    // With a stored session the person is asked first, and the password only if they want to.
    await taken.close();
    await company.person("ana", { folder: "third" });
    const again = await second(PASSWORD);
    await again.account.connect();
    expect(asked).toEqual(["replace", "password"]);
    expect(stateOf(again)).toBe("online");
  });

  test("a session that was replaced by another key replaces nobody when it comes back without a person", async () => {
    const company = await meet();
    let asked = 0;
    const first = await company.person("ana", {
      isPasswordLasting: true,
      replaceOther: async () => (asked++, true),
    });
    first.account.keepOnline();
    await company.person("ana", { folder: "elsewhere", replaceOther: async () => true });
    await until(() => stateOf(first) === "stopped");
    expect(await first.account.connect().catch((error: unknown) => error)).toMatchObject({
      code: "already_connected",
    });
    expect(asked).toBe(0);
  });
});
