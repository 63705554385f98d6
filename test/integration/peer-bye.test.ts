/** What ends on purpose over a line that takes its time loses neither a text nor an acknowledgement. */
import { afterEach, expect, test } from "bun:test";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

import { Company, until, type Person } from "./messenger-pair.ts";

/** What a byte takes each way, in ms: longer than anything else that happens here. */
const LATENCY = 30;

let company: Company | undefined;
afterEach(async () => {
  await company?.close();
  company = undefined;
});

/** Passes everything on, each way, a little later. */
async function slowLineTo(target: number): Promise<number> {
  const pass = (from: Socket, to: Socket) => {
    from.setNoDelay();
    from.on("data", (chunk: Buffer) => setTimeout(() => to.write(chunk), LATENCY));
    from.on("end", () => setTimeout(() => to.end(), LATENCY));
    from.on("error", () => to.destroy());
  };
  const line = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  company?.onClose(() => line.close());
  return (line.address() as AddressInfo).port;
}

/** Two people who have met; with the server gone, ana knows bob behind a slow line only. */
async function farApart(): Promise<{ ana: Person; bob: Person }> {
  company = await Company.meet();
  const ana = await company.person("ana");
  const bob = await company.person("bob");
  ana.messenger.openChat("bob");
  ana.messenger.outbox.send("bob", "we have met");
  await until(() => ana.received("bob") === 1);
  ana.messenger.closeChat("bob");
  await until(() => ana.of("disconnected").length === 1 && bob.of("disconnected").length === 1);
  await company.stopServer();
  await until(() => ana.messenger.rendezvous.state.name !== "online");
  const port = await slowLineTo(bob.port);
  ana.profile.contacts.saveTargets(ana.profile.contacts.ensure("bob"), [{ ip: "127.0.0.1", port }]);
  return { ana, bob };
}

test("a text that crosses a bye is acknowledged by the one who said it", async () => {
  const { ana, bob } = await farApart();
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.received("bob") === 2);
  bob.messenger.outbox.send("ana", "adiós");
  bob.messenger.outbox.commit();
  await ana.close();
  await until(() => bob.of("disconnected").length === 2);
  expect(ana.texts("bob")).toEqual(["adiós"]);
  expect(bob.received("ana")).toBe(1);
});

test("a text written after one's own bye is reported as sent only when it is, and then arrives", async () => {
  const { ana, bob } = await farApart();
  ana.messenger.openChat("bob");
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.received("bob") === 2);
  ana.messenger.closeChat("bob");
  const id = ana.messenger.outbox.send("bob", "una cosa más");
  await ana.messenger.outbox.committed();
  const states = () => ana.of("delivery").flatMap((event) => (event.id === id ? [event.state] : []));
  expect(states()).toEqual(["queued"]);
  await until(() => ana.received("bob") === 3);
  expect(states()).toEqual(["queued", "sent", "received"]);
  expect(bob.texts("ana")).toEqual(["we have met", "hola", "una cosa más"]);
});
