/** Much of anything, stored here or caused by others, neither stops the client nor makes it work without end. */
import { afterEach, expect, test } from "bun:test";

import { DEFAULT_LIMITS } from "../../src/server/limits/limits.ts";
import { arriving, text } from "../client/message-scene.ts";
import { RawPeer } from "./raw-peer.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";

let company: Company | undefined;
afterEach(async () => {
  await company?.close();
  company = undefined;
});

/** The names that this person's client asks the server for, in order, and how many it ever asked for at once. */
function lookupsOf(person: Person): { names: string[]; atOnce: number } {
  const open = new Set<unknown>();
  const names: string[] = [];
  let atOnce = 0;
  for (const event of person.events) {
    if (event.name !== "wire" || event.link !== "rendezvous") continue;
    const { action, id, target_user } = event.message;
    if (event.direction === "in") open.delete(id);
    else if (action === "request_p2p") {
      names.push(target_user as string);
      open.add(id);
      atOnce = Math.max(atOnce, open.size);
    }
  }
  return { names, atOnce };
}

/** The most that is computed between two looks until `isOver`, in ms of the processor: others may use it too. */
async function longestTurn(isOver: () => boolean): Promise<number> {
  let last = process.cpuUsage();
  let longest = 0;
  await untilQuiet(() => {
    const { user, system } = process.cpuUsage(last);
    longest = Math.max(longest, (user + system) / 1_000);
    last = process.cpuUsage();
    return isOver();
  });
  return longest;
}

test("500 people with waiting texts are looked up 16 at a time, in order, also while the server limits lookups", async () => {
  const limits = { ...DEFAULT_LIMITS, lookupRate: { burst: 150, perSecond: 150 } };
  company = await Company.meet({ limits });
  const before = await company.person("ana");
  const { contacts, messages } = before.profile;
  const people = Array.from({ length: 500 }, (_, index) => contacts.ensure(`user${index}`));
  messages.queue(people.map((contact) => text(contact, `for ${contact.username}`)));
  await before.close();
  const ana = await company.person("ana", { trace: true });
  ana.messenger.openChat("eva");
  const asked = () => lookupsOf(ana);
  await untilQuiet(() => new Set(asked().names).size === 501);
  await until(() => ana.of("unreachable").length === 501);
  expect(asked().atOnce).toBe(16);
  expect(asked().names.indexOf("eva")).toBeLessThanOrEqual(32);
  const first = [...new Set(asked().names)].filter((name) => name !== "eva");
  expect(first).toEqual(people.map(({ username }) => username));
  expect(new Set(ana.of("unreachable").map(({ reason }) => reason))).toEqual(new Set(["offline"]));
}, 60_000);

test("a peer that greets, says bye and acknowledges nothing is dialled as one that is lost", async () => {
  company = await Company.meet();
  const ana = await company.person("ana");
  const bob = company.identity("bob");
  let links = 0;
  const port = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    tls: {
      key: bob.key,
      cert: bob.certificate,
      ca: company.authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    socket: {
      handshake: (socket) => {
        links++;
        socket.write('{"action":"hello","protocol":1,"username":"bob","features":[]}\n{"action":"bye"}\n');
        socket.end();
      },
      data: () => undefined,
      error: () => undefined,
    },
  });
  company.onClose(() => port.stop(true));
  await company.stopServer();
  await until(() => ana.messenger.rendezvous.state.name !== "online");
  const { contacts } = ana.profile;
  contacts.saveTargets(contacts.ensure("bob"), [{ ip: "127.0.0.1", port: port.port }]);
  const start = performance.now();
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.of("disconnected").length === 2);
  // The first wait is 1 s ± 20 %, or 3 s longer for the side that redials second.
  expect(performance.now() - start).toBeGreaterThan(750);
  expect(links).toBe(2);
}, 30_000);

test("400 texts of 32 KiB, all words different, are indexed without stopping the client", async () => {
  company = await Company.meet();
  const ana = await company.person("ana");
  const { contacts, messages, search } = ana.profile;
  const bob = contacts.ensure("bob");
  let word = 1;
  const begins: string[] = [];
  const words = () => {
    let all = "";
    begins.push((word * 2_654_435_761).toString(36));
    while (all.length < 32 * 1024 - 16) all += `${(word++ * 2_654_435_761).toString(36)} `;
    return all;
  };
  for (let batch = 0; batch < 20; batch++) {
    const incoming = Array.from({ length: 20 }, (_, index) =>
      arriving(`${batch} ${index}`, batch + index === 0 ? "first" : words()),
    );
    messages.commitRead(bob, { incoming, acknowledged: [], readUpTo: undefined }, Date.now());
    await new Promise((turn) => setImmediate(turn));
  }
  expect(search.isBehind).toBe(true);
  const longest = await longestTurn(() => search.oldest(`"${begins[20]}"`, 0, 1).length === 1);
  // All at once took 1.5 s.
  expect(longest).toBeLessThan(500);
  expect(search.isBehind).toBe(true);
  expect(search.oldest('"first"', 0, 10)).toHaveLength(1);
}, 60_000);

test("5,000 withdrawals and 100,000 acknowledgements of nothing at once are taken in small parts", async () => {
  company = await Company.meet();
  const ana = await company.person("ana");
  ana.accept("carla");
  const peer = await RawPeer.dial(ana.port, { identity: company.identity("carla") });
  await peer.next();
  const ids = Array.from({ length: 5_000 }, (_, index) => `${index}`);
  peer.send({ action: "hello", protocol: 1, username: "carla", features: [] });
  peer.send(...ids.map((id) => ({ message: `text ${id}`, id })));
  await until(() => ana.texts("carla").length === 5_000);
  while (ana.profile.search.indexSome());
  peer.send(
    ...ids.map((id) => ({ action: "withdraw", id: `w${id}`, target: id })),
    ...Array.from({ length: 100 }, (_, batch) => ({
      action: "delivered",
      ids: ids.slice(0, 1_000).map((id) => `${batch} ${id}`),
    })),
    { message: "after all that", id: "last" },
  );
  const longest = await longestTurn(() => ana.texts("carla").length === 5_001);
  expect(ana.of("changed").map(({ message }) => message.id)).toEqual(ids);
  // The commit of one read alone took half a second.
  expect(longest).toBeLessThan(250);
  peer.terminate();
}, 60_000);
