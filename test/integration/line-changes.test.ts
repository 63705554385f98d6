/** What becomes of lines when the machine sleeps or gets other addresses (PROTOCOL 3, 5; sleep and wake). */
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { privateKeyToPem } from "../../src/identity/keys.ts";
import { DOUBT_TIME } from "../../src/client/peer/link-choice.ts";
import { PROBE_TIMEOUT } from "../../src/client/peer/link-watch.ts";
import { SLEPT } from "../../src/client/rendezvous/surroundings.ts";
import { Company, later, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

let company: Company;
afterEach(() => company.close());

/** Ana with an adjustable clock and an open chat, and Bob as a socket that answers nothing by itself. */
async function chatting(): Promise<{ ana: Person; bob: RawPeer; sleep: (ms: number) => void }> {
  company = await Company.meet();
  let slept = 0;
  const ana = await company.person("ana", { now: () => Date.now() + slept });
  ana.accept("bob");
  const bob = await RawPeer.dial(ana.port, { identity: company.identity("bob") });
  await bob.next();
  bob.send({ action: "hello", protocol: 1, username: "bob", features: [] });
  // A stranger's link is shown where the chat is open.
  ana.messenger.openChat("bob");
  await until(() => ana.of("connected").length === 1);
  return { ana, bob, sleep: (ms) => (slept += ms) };
}

const pings = (peer: RawPeer) => peer.messages.filter(({ action }) => action === "ping").length;

describe("after the machine has slept", () => {
  test("a link that is asked and does not answer is given up after 8 s, not after 32", async () => {
    const { ana, bob, sleep } = await chatting();
    sleep(SLEPT + 1_000);
    await until(() => pings(bob) === 1);
    expect(ana.of("disconnected")).toEqual([]);
    await later(PROBE_TIMEOUT, () => until(() => ana.of("disconnected").length === 1));
    expect(ana.of("disconnected")).toMatchObject([{ username: "bob", bye: false }]);
  });

  test("a link that answers stays, however long the sleep was", async () => {
    const { ana, bob, sleep } = await chatting();
    sleep(30 * 24 * 60 * 60 * 1_000);
    await until(() => pings(bob) === 1);
    bob.send({ action: "pong" });
    ana.messenger.outbox.send("bob", "good morning");
    await until(() => bob.messages.some(({ message }) => message === "good morning"));
    await later(PROBE_TIMEOUT, async () => {
      bob.send({ action: "typing", active: true });
      await until(() => ana.of("typing").length === 1);
    });
    expect(ana.of("disconnected")).toEqual([]);
  });

  test("beside a link that does not answer within 2 s another one is dialled, and nobody seems to have left", async () => {
    company = await Company.meet();
    let slept = 0;
    const ana = await company.person("ana", { now: () => Date.now() + slept });
    const bob = await company.person("bob");
    for (const [person, other] of [
      [ana, "bob"],
      [bob, "ana"],
    ] as const) {
      person.accept(other);
    }
    const { keys, certificate } = bob.profile;
    const identity = { key: privateKeyToPem(keys.privateKey), certificate: certificate?.pem ?? "" };
    const dead = await RawPeer.dial(ana.port, { identity });
    await dead.next();
    dead.send({ action: "hello", protocol: 1, username: "bob", features: [] });
    await until(() => ana.of("connected").length === 1);
    ana.messenger.openChat("bob");
    slept += SLEPT + 1_000;
    await until(() => pings(dead) === 1);
    await later(DOUBT_TIME, () => until(() => bob.of("connected").length === 1));
    ana.messenger.outbox.send("bob", "still there?");
    await until(() => bob.texts("ana").length === 1);
    expect(ana.of("disconnected")).toEqual([]);
    expect(ana.of("unreachable")).toEqual([]);
  });

  test("the server is reached again at once, not after the wait that was under way", async () => {
    company = await Company.meet();
    const ana = await company.person("ana");
    ana.messenger.rendezvous.keepOnline();
    const state = () => ana.messenger.rendezvous.state.name;
    await company.stopServer();
    await untilQuiet(() => state() === "waiting");
    await company.restartServer();
    ana.messenger.rendezvous.lineMayHaveChanged("slept");
    expect(state()).toBe("connecting");
    await untilQuiet(() => state() === "online");
  });
});

describe("with other addresses", () => {
  test("the server learns them by a new session, in which nobody is lost and nothing waits", async () => {
    company = await Company.meet();
    const ana = await company.person("ana");
    const bob = await company.person("bob", { trace: true });
    bob.messenger.watchPeople(bob, ["ana"]);
    ana.messenger.rendezvous.keepOnline();
    const before = ana.of("server").length;
    const state = () => ana.messenger.rendezvous.state.name;
    ana.messenger.rendezvous.lineMayHaveChanged("moved");
    expect(state()).toBe("connecting");
    await untilQuiet(() => state() === "online");
    // It is over in a moment, and no news.
    expect(ana.of("server")).toHaveLength(before);
    bob.messenger.outbox.send("ana", "where are you now?");
    await until(() => ana.texts("bob").length === 1);
    expect(bob.of("wire").some(({ message }) => message["online"] === false)).toBe(false);
  });

  test("a real change is noticed by itself", async () => {
    company = await Company.meet();
    const program = join(import.meta.dir, "line-changes-process.ts");
    // A network of its own, in which addresses come and go as the test likes.
    const child = Bun.spawn(
      ["unshare", "--user", "--map-root-user", "--net", process.execPath, "run", program],
      {
        stdout: "pipe",
        stderr: "pipe",
        env: { ...process.env },
      },
    );
    const [code, stdout, stderr] = await Promise.all([
      child.exited,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    if (code === 77 || /unshare/.test(stderr)) {
      console.log(
        `skipped: this machine makes no network namespaces (${stderr.trim().split("\n")[0] ?? ""})`,
      );
      return;
    }
    expect([code, stdout.trim().split("\n").at(-1), stderr]).toEqual([0, "noticed", ""]);
  });
});
