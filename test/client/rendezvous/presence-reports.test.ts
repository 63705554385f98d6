import { expect, test } from "bun:test";

import type { RendezvousLink } from "../../../src/client/rendezvous/link.ts";
import { PresenceReports } from "../../../src/client/rendezvous/presence-reports.ts";
import type { ShownServer } from "../../../src/client/rendezvous/shown-server.ts";

test("whoever is there after a new login counts as come back, since nobody would have said that they moved before", async () => {
  const told: boolean[] = [];
  let next = Promise.withResolvers<void>();
  const link = { request: async () => ({ online: ["bob"] }) } as unknown as RendezvousLink;
  const shown = { presence: () => undefined, listed: new Set() } as unknown as ShownServer;
  const bob = {
    username: "bob",
    wants: { presence: true },
    presence: (_online: boolean, isChange: boolean) => {
      told.push(isChange);
      next.resolve();
    },
  };
  const reports = new PresenceReports({
    link: () => link,
    shown: () => shown,
    followed: () => ["bob"],
    find: () => bob,
    show: () => undefined,
  });
  const watch = () => {
    next = Promise.withResolvers();
    reports.changed();
    return next.promise;
  };
  await watch();
  reports.reset();
  await watch();
  expect(told).toEqual([false, true]);
});
