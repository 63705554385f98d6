import { expect, test } from "bun:test";

import { Acceptance } from "../../../src/client/conversation/acceptance.ts";
import { StorageGuard } from "../../../src/client/disk/storage-guard.ts";
import type { PeerLink } from "../../../src/client/peer/link.ts";
import { unstored } from "../../../src/client/profile/contacts.ts";
import type { Acceptance as Stored } from "../../../src/client/profile/consents.ts";

/** A link on which pings are counted. */
class Link {
  readonly pings = { count: 0, answers: 0 };

  send(message: Parameters<PeerLink["send"]>[0]): void {
    if ("action" in message && message.action === "ping") this.pings.count++;
  }
}

test("who was told on two links that they are accepted knows it when either of them has answered", () => {
  for (const answering of [0, 1] as const) {
    let stored: Stored = "untold";
    const acceptance = new Acceptance({
      record: { contact: unstored("ana"), username: "ana" },
      consents: {
        of: () => ({ name: "contact" }),
        acceptance: () => stored,
        saveAcceptance: (_contact, owed) => (stored = owed),
        answer: () => "nothing",
        saveAnswer: () => undefined,
      },
      clock: { monotonic: () => 0, now: () => 0 },
      storage: new StorageGuard(() => undefined),
      emit: () => undefined,
    });
    const links = [new Link(), new Link()] as const;
    for (const link of links) acceptance.tell(link);
    links[answering].pings.answers++;
    acceptance.pong(links[answering]);
    expect(acceptance.isUntold).toBe(false);
    expect<Stored>(stored).toBe("told");
  }
});
