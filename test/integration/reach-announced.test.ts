/** What a client tells the server of where it is, and learns (PROTOCOL 7, «Where I am»). */
import { afterEach, expect, test } from "bun:test";

import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { Company, untilQuiet, type Person } from "./messenger-pair.ts";

let company: Company;
afterEach(() => company.close());

const MEETING = { port: 0, isAsked: true, hosts: [], relay: DEFAULT_RELAY_LIMITS };

/** Where the server has reached this person's port. */
function openPorts({ messenger }: Person): number[] | undefined {
  return messenger.reach.view?.checked?.flatMap(({ port, open }) => (open ? [port] : []));
}

test("after the login a client learns where the server sees it, its NAT's kind, and that its port is open", async () => {
  company = await Company.meet({ meeting: MEETING });
  const ana = await company.person("ana");
  await untilQuiet(() => ana.messenger.reach.view?.mapping !== undefined && openPorts(ana) !== undefined);
  expect(ana.messenger.reach.view).toMatchObject({
    observed: { ip: "127.0.0.1", port: ana.messenger.rendezvous.link?.localPort },
    mapping: "same",
    hasMeetingPort: true,
  });
  expect(openPorts(ana)).toEqual([ana.port]);
  // The server's check is no stranger's knock.
  expect(ana.of("refusal")).toEqual([]);
});

test("a client that is hidden tries the meeting port, and asks it nothing", async () => {
  company = await Company.meet({ meeting: MEETING });
  const ana = await company.person("ana");
  ana.messenger.reach.useRelay("only");
  await untilQuiet(() => {
    const { mapping, meeting } = ana.messenger.reach.view ?? {};
    return meeting?.get(4) === true && mapping === undefined;
  });
  expect(ana.messenger.reach.view?.checked).toBeUndefined();
});

test("a server without a meeting port checks, and tells nothing of a NAT", async () => {
  company = await Company.meet();
  const ana = await company.person("ana");
  await untilQuiet(() => openPorts(ana) !== undefined);
  expect(ana.messenger.reach.view).toMatchObject({ mapping: undefined, hasMeetingPort: false });
});

test("after a lost link the new one is told", async () => {
  company = await Company.meet();
  const ana = await company.person("ana");
  ana.messenger.rendezvous.keepOnline();
  await untilQuiet(() => openPorts(ana) !== undefined);
  await company.stopServer();
  await untilQuiet(() => ana.messenger.reach.view === undefined);
  await company.restartServer();
  ana.messenger.rendezvous.lineMayHaveChanged("slept");
  await untilQuiet(() => openPorts(ana) !== undefined);
  expect(openPorts(ana)).toEqual([ana.port]);
});
