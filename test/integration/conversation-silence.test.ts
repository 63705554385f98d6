/** What a conversation makes of silence on its link (PROTOCOL 5, `ping`). */
import { afterEach, describe, expect, test } from "bun:test";

import type { Conversation } from "../../src/client/conversation/conversation.ts";
import { DEAD_AFTER } from "../../src/client/peer/link-watch.ts";
import { Company, until } from "./messenger-pair.ts";

let company: Company | undefined;
afterEach(async () => {
  await company?.close();
  company = undefined;
});

/** Two people with a link that neither of them needs at the moment. */
async function restingPair() {
  company = await Company.meet();
  const ana = await company.person("ana");
  const bob = await company.person("bob");
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.received("bob") === 1);
  return { ana, bob };
}

/** The conversation looks at its link when the monotonic clock shows `now`, in ms. */
function tickAt(now: number, chat: Conversation): void {
  const clock = performance.now;
  performance.now = () => now;
  try {
    chat.tick();
  } finally {
    performance.now = clock;
  }
}

describe("silence", () => {
  test("while no answer was asked for does not count when the chat is opened then", async () => {
    const { bob } = await restingPair();
    const chat = bob.messenger.openChat("ana");
    tickAt(performance.now() + DEAD_AFTER + 1_000, chat);
    expect(chat.isConnected).toBe(true);
    bob.messenger.outbox.send("ana", "still here");
    await until(() => bob.received("ana") === 1);
    expect(bob.of("disconnected")).toEqual([]);
  });

  test("of 32 s with the chat open is the end of the link, and the loss of one that was wanted", async () => {
    const { bob } = await restingPair();
    const chat = bob.messenger.openChat("ana");
    const now = Math.ceil(performance.now());
    tickAt(now, chat);
    tickAt(now + DEAD_AFTER - 1, chat);
    expect(chat.isConnected).toBe(true);
    tickAt(now + DEAD_AFTER, chat);
    expect(bob.of("disconnected")).toMatchObject([{ username: "ana", bye: false }]);
  });
});
