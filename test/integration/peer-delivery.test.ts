/** Messages between two messengers over real sockets: each arrives once, in order, whatever happens to the links. */
import { describe, expect, test } from "bun:test";

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

import { seededRandom, testSeed } from "../seeded-random.ts";
import { REPLACED_LINK_TIME } from "../../src/client/peer/link-choice.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { Company, later, until, untilQuiet, type Person } from "./messenger-pair.ts";

const cleanups = cleanupsForEachTest();

const meet = () => Company.meetFor(cleanups);

async function anaAndBob(): Promise<{ company: Company; ana: Person; bob: Person }> {
  const company = await meet();
  return { company, ana: await company.person("ana"), bob: await company.person("bob") };
}

function numbered(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
}

describe("two people online", () => {
  test("talk both ways, and the one who leaves says so", async () => {
    const { ana, bob } = await anaAndBob();
    const id = ana.messenger.outbox.send("bob", "hola");
    await until(() => ana.received("bob") === 1);
    expect(bob.texts("ana")).toEqual(["hola"]);
    bob.messenger.outbox.send("ana", "bien");
    await until(() => ana.texts("bob").length === 1 && bob.received("ana") === 1);
    expect(ana.of("delivery").filter((event) => event.id === id)).toMatchObject([
      { state: "queued" },
      { state: "sent" },
      { state: "received" },
    ]);
    await ana.close();
    await until(() => bob.of("disconnected").length === 1);
    expect(bob.of("disconnected")).toMatchObject([{ username: "ana", bye: true }]);
  });

  test("5,000 messages each way at once arrive once and in order", async () => {
    const { ana, bob } = await anaAndBob();
    const fromAna = numbered(5_000, "ana");
    const fromBob = numbered(5_000, "bob");
    for (const text of fromAna) ana.messenger.outbox.send("bob", text);
    for (const text of fromBob) bob.messenger.outbox.send("ana", text);
    await until(() => ana.received("bob") === 5_000 && bob.received("ana") === 5_000);
    expect(bob.texts("ana")).toEqual(fromAna);
    expect(ana.texts("bob")).toEqual(fromBob);
  }, 30_000);

  test("who open the chat at the same moment end with one link", async () => {
    const { ana, bob } = await anaAndBob();
    const people = [ana, bob];
    for (let round = 1; round <= 2; round++) {
      const chats = [ana.messenger.openChat("bob"), bob.messenger.openChat("ana")];
      await until(() => people.every((each) => each.of("connected").length === round));
      ana.messenger.outbox.send("bob", `a${round}`);
      bob.messenger.outbox.send("ana", `b${round}`);
      await until(() => ana.received("bob") === round && bob.received("ana") === round);
      // A second one is read for five seconds after it was replaced; then the decider ends it.
      await later(REPLACED_LINK_TIME, () =>
        untilQuiet(() => chats.every((chat) => chat.transport.count === 1)),
      );
      expect(people.map((each) => each.of("disconnected").length)).toEqual([round - 1, round - 1]);
      ana.messenger.closeChat("bob");
      await until(() => people.every((each) => each.of("disconnected").length === round));
      bob.messenger.closeChat("ana");
    }
  }, 30_000);
});

describe("a person who is offline", () => {
  test("gets what was written meanwhile, in order, on coming online", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    await company.addAccount("bob");
    for (const text of numbered(300, "for later")) ana.messenger.outbox.send("bob", text);
    await until(() => ana.of("unreachable").length > 0);
    expect(ana.of("unreachable")[0]).toMatchObject({ reason: "offline", retryIn: undefined });
    const bob = await company.person("bob");
    await until(() => bob.texts("ana").length === 300);
    expect(bob.texts("ana")).toEqual(numbered(300, "for later"));
    await until(() => ana.received("bob") === 300);
  });

  test("gets it also when both have been restarted in between", async () => {
    const { company, ana, bob } = await anaAndBob();
    ana.messenger.outbox.send("bob", "first");
    await until(() => ana.received("bob") === 1);
    await bob.close();
    await until(() => ana.of("disconnected").length === 1);
    for (const text of numbered(20, "second")) ana.messenger.outbox.send("bob", text);
    await until(() => ana.of("unreachable").length > 0);
    await ana.close();
    const bobAgain = await company.person("bob");
    const anaAgain = await company.person("ana");
    await until(() => anaAgain.received("bob") === 20);
    expect(bobAgain.texts("ana")).toEqual(numbered(20, "second"));
    const contact = bobAgain.profile.contacts.find("ana");
    if (contact === undefined) throw new Error("bob has lost ana");
    const history = bobAgain.profile.history.after(contact, 0, 100);
    expect(history.map(({ text }) => text)).toEqual(["first", ...numbered(20, "second")]);
  });
});

test("after bye the other side does not redial until it has something to send", async () => {
  const { ana, bob } = await anaAndBob();
  bob.messenger.openChat("ana");
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.received("bob") === 1);
  ana.messenger.openChat("bob");
  ana.messenger.closeChat("bob");
  await until(() => bob.of("disconnected").length === 1 && ana.of("disconnected").length === 1);
  expect(bob.of("disconnected")[0]).toMatchObject({ bye: true });
  bob.messenger.outbox.send("ana", "one more thing");
  await until(() => bob.received("ana") === 1);
  expect(bob.of("connected")).toHaveLength(2);
  expect(ana.texts("bob")).toEqual(["one more thing"]);
});

/** Forwards to a port, and cuts each connection after as many bytes, in both directions together, as `budget` gives. */
class CuttingProxy {
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number, budget: () => number) {
    this.#server = createServer((near) => {
      let left = budget();
      const far = connect(target, "127.0.0.1");
      const ends = [near, far] as const;
      for (const [from, to] of [ends, [far, near]] as const) {
        this.#sockets.add(from);
        from.on("data", (chunk: Buffer) => {
          const passed = chunk.subarray(0, left);
          left -= passed.length;
          if (passed.length === chunk.length) {
            if (!to.write(chunk)) from.pause();
            return;
          }
          this.cuts++;
          from.pause();
          // What was let through arrives; then the line is dead.
          to.write(passed, () => ends.forEach((end) => end.destroy()));
        });
        from.on("drain", () => to.resume());
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  static async start(target: number, budget: () => number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target, budget);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

const seed = testSeed();

test(`over lines that are cut at random places everything arrives once and in order (PALOMA_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const { company, ana, bob } = await anaAndBob();
  for (const [one, other] of [
    [ana, bob],
    [bob, ana],
  ] as const) {
    one.messenger.outbox.send(other.name, "we have met");
    await until(() => one.received(other.name) === 1);
  }
  ana.messenger.closeChat("bob");
  await until(() => ana.of("disconnected").length === 1 && bob.of("disconnected").length === 1);
  // Without a server both dial the address they know, which is the proxy's.
  await company.stopServer();
  await until(() => [ana, bob].every((each) => each.messenger.rendezvous.state.name !== "online"));
  // Acknowledgements wait behind what was written before them, so a line must live for some of it.
  const budget = () => 3_000 + random.integer(25_000);
  const proxies = await Promise.all([ana, bob].map(({ port }) => CuttingProxy.start(port, budget)));
  company.onClose(() => proxies.forEach((proxy) => proxy.stop()));
  for (const [one, other, proxy] of [
    [ana, "bob", proxies[1]],
    [bob, "ana", proxies[0]],
  ] as const) {
    const contact = one.profile.contacts.ensure(other);
    one.profile.contacts.saveTargets(contact, [{ ip: "127.0.0.1", port: proxy?.port ?? 0 }]);
    one.keepChatting(other);
  }
  const count = 500;
  for (let index = 0; index < count; index++) {
    ana.messenger.outbox.send("bob", `ana ${index}`);
    bob.messenger.outbox.send("ana", `bob ${index}`);
    if (index % 25 === 24) {
      const arrived = index - random.integer(25);
      await until(() => ana.received("bob") > arrived && bob.received("ana") > arrived);
    }
  }
  await until(() => ana.received("bob") === count + 1 && bob.received("ana") === count + 1);
  expect(bob.texts("ana").slice(1)).toEqual(numbered(count, "ana"));
  expect(ana.texts("bob").slice(1)).toEqual(numbered(count, "bob"));
  expect(proxies.reduce((sum, proxy) => sum + proxy.cuts, 0)).toBeGreaterThan(3);
}, 60_000);
