import { expect, test } from "bun:test";

import { Archive } from "../../../src/client/archive.ts";
import type { MessengerEvent } from "../../../src/client/conversation/events.ts";
import { Profile } from "../../../src/client/profile/profile.ts";
import { Reported } from "../../../src/client/sharing/reported.ts";
import { MessageScene } from "../message-scene.ts";
import { ACCOUNT, inTemporaryFolder } from "../test-profile.ts";

type Scene = {
  readonly scene: MessageScene;
  readonly reported: Reported;
  /** Ids and states that were reported, in their order. */
  readonly told: string[];
  /** The event of a stored message, as the process that is online tells it. */
  eventOf(seq: number): MessengerEvent;
};

function withReported(use: (scene: Scene) => void): Promise<void> {
  return inTemporaryFolder((folder) => {
    const profile = Profile.open(folder, ACCOUNT);
    const scene = new MessageScene(folder);
    const archive = new Archive(profile);
    scene.receive(scene.contacts.ensure("Ana"), "stored before");
    const told: string[] = [];
    const reported = new Reported(archive, (event) => {
      if (event.name === "message") told.push(event.message.id);
      else if (event.name === "delivery") told.push(`${event.id}: ${event.state}`);
      else told.push(event.name);
    });
    const eventOf = (seq: number): MessengerEvent => {
      const message = archive.history.bySeq(seq);
      if (message === undefined) throw new Error(`no message ${seq}`);
      if (!message.outgoing) return { name: "message", from: "Ana", message };
      return { name: "delivery", to: "Ana", id: message.id, state: "queued", at: 0 };
    };
    try {
      use({ scene, reported, told, eventOf });
    } finally {
      scene.database.close();
      profile.close();
    }
  });
}

test("after a hand-over everything is reported that was stored since the last report, and nothing before it", () =>
  withReported(({ scene, reported, told, eventOf }) => {
    const ana = scene.contacts.ensure("Ana");
    scene.receive(ana, "told");
    reported.event(eventOf(2));
    scene.receive(ana, "missed");
    scene.write(ana, "written elsewhere");
    reported.hold();
    reported.catchUp();
    expect(told).toEqual(["told", "missed", "written elsewhere: queued"]);
  }));

test("a message that is stored already when its event comes is reported once, whichever comes first", () =>
  withReported(({ scene, reported, told, eventOf }) => {
    const ana = scene.contacts.ensure("Ana");
    scene.receive(ana, "early");
    scene.write(ana, "ours");
    scene.receive(ana, "late");
    reported.hold();
    // From the next process, before the store was read.
    reported.event(eventOf(4));
    reported.catchUp();
    // And what that process had sent before.
    reported.event(eventOf(2));
    reported.event(eventOf(3));
    expect(told).toEqual(["early", "ours: queued", "late"]);
    scene.receive(ana, "afterwards");
    reported.event(eventOf(5));
    expect(told.at(-1)).toBe("afterwards");
  }));

test("what is held keeps its order, and news of the server is not held", () =>
  withReported(({ scene, reported, told, eventOf }) => {
    const ana = scene.contacts.ensure("Ana");
    reported.hold();
    scene.receive(ana, "one");
    reported.event(eventOf(2));
    reported.event({ name: "newKey" });
    reported.event({ name: "cancelled", to: "Ana", id: "gone" });
    reported.catchUp();
    expect(told).toEqual(["newKey", "one", "cancelled"]);
  }));

test("a text of ours whose state has not changed is not reported again", () =>
  withReported(({ scene, reported, told, eventOf }) => {
    scene.write(scene.contacts.ensure("Ana"), "waits");
    reported.event(eventOf(2));
    reported.hold();
    reported.catchUp();
    reported.hold();
    reported.catchUp();
    expect(told).toEqual(["waits: queued"]);
  }));
