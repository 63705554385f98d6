/** Connections for the bytes of a transfer, which come about at the server (PROTOCOL 7, «Meeting»). */
import { expect, test } from "bun:test";

import { READS_NOTHING } from "../../src/net/connection.ts";
import type { JsonObject } from "../../src/protocol/framing.ts";
import { StorageGuard } from "../../src/client/disk/storage-guard.ts";
import { ContactRecord } from "../../src/client/peer/contact-record.ts";
import type { Greet } from "../../src/client/peer/dial.ts";
import type { Invitation } from "../../src/client/reach/meetings.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { changed, Company, until, untilQuiet, type Person } from "./messenger-pair.ts";

const cleanups = cleanupsForEachTest();

/** One side of a stream, which says whose it is. */
class End {
  readonly heard: JsonObject[] = [];
  came: { readonly name: string; readonly way: string } | undefined;
  readonly #person: Person;

  constructor(person: Person) {
    this.#person = person;
  }

  readonly take: Greet = (connection, peer, _purpose, way) => {
    this.came = { name: peer.name, way };
    connection.handOverTo({
      ...READS_NOTHING,
      message: (object) => {
        this.heard.push(object);
        changed();
      },
      closed: () => undefined,
    });
    cleanups.push(() => connection.terminate("over"));
    connection.send({ message: `from ${this.#person.name}` });
    connection.flush();
  };

  /** @returns whether a connection came about */
  stream(to: string, asked: string | Invitation): Promise<boolean> {
    const { profile, messenger } = this.#person;
    const record = new ContactRecord({
      contact: profile.contacts.ensure(to),
      contacts: profile.contacts,
      consents: profile.consents,
      verifications: profile.verifications,
      now: Date.now,
      isVerifying: () => false,
      keyPending: () => undefined,
      storage: new StorageGuard(() => undefined),
    });
    return messenger.reach.meetings.stream(record, asked, new AbortController().signal, this.take);
  }
}

/** What the server has asked of this person. */
function invitations({ events }: Person): Invitation[] {
  return events.flatMap((event) =>
    event.name === "wire" && event.message["action"] === "meet_request"
      ? [event.message as unknown as Invitation]
      : [],
  );
}

// On one machine the SYNs of a punch do not cross, so it is the relay here.
test("two transfers get a connection each between two people, on which nobody is greeted", async () => {
  const meeting = { port: 0, isAsked: true, hosts: [], relay: DEFAULT_RELAY_LIMITS };
  const company = await Company.meet({ meeting });
  cleanups.push(() => company.close());
  const ana = await company.person("ana", { relay: "only" });
  const bob = await company.person("bob", { trace: true });
  await untilQuiet(() => [ana, bob].every(({ messenger }) => messenger.reach.view !== undefined));
  for (const transfer of ["one", "two"]) {
    const [asking, asked] = [new End(ana), new End(bob)];
    const done = [asking.stream("bob", transfer)];
    await until(() => invitations(bob).some((each) => each.transfer === transfer));
    const invitation = invitations(bob).find((each) => each.transfer === transfer) as Invitation;
    expect(invitation.purpose).toBe("stream");
    done.push(asked.stream("ana", invitation));
    await until(() => asking.heard.length + asked.heard.length === 2);
    expect(await Promise.all(done)).toEqual([true, true]);
    expect([asking.came, asked.came]).toEqual([
      { name: "bob", way: "relayed" },
      { name: "ana", way: "relayed" },
    ]);
    expect([asking.heard, asked.heard]).toEqual([[{ message: "from bob" }], [{ message: "from ana" }]]);
  }
  for (const person of [ana, bob]) expect(person.of("connected")).toEqual([]);
  expect(company.services.relay.pairs).toBe(2);
});
