import { describe, expect, test } from "bun:test";

import type { Contact } from "../../../src/client/profile/contacts.ts";
import { MessageStore } from "../../../src/client/profile/message-store.ts";
import type { StoredMessage } from "../../../src/client/profile/stored-message.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";
import { MAX_UNKNOWN } from "../../../src/client/profile/text-changes.ts";
import { IN_PLACE } from "../test-profile.ts";
import { arriving, fill, MessageScene, NOW, plansOf, text, withScene } from "../message-scene.ts";

const idsOf = (messages: readonly { id: string }[]) => messages.map(({ id }) => id);
const edit = (contact: Contact, id: string, target: string, words: string) =>
  ({ kind: "edit", contact, id, target, text: words, sentAt: NOW + 1 }) as const;
const withdrawal = (contact: Contact, id: string, target: string) =>
  ({ kind: "withdraw", contact, id, target, sentAt: NOW + 2 }) as const;

describe("the outbox", () => {
  test("contains the messages to each contact, in the order of writing, in pages", () =>
    withScene((scene) => {
      const { messages, contacts } = scene;
      const ana = contacts.ensure("Ana");
      const carla = contacts.ensure("Carla");
      const sequences = [
        ...scene.write(ana, "a1", "a2"),
        ...scene.write(carla, "c1"),
        ...scene.write(ana, "a3"),
      ];
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
      expect(idsOf(messages.claim(ana, 0, 2))).toEqual(["a1", "a2"]);
      expect(idsOf(messages.claim(ana, sequences[1] as number, 2))).toEqual(["a3"]);
      expect(messages.outboxCounts(ana)).toEqual({ text: 3, edit: 0, withdraw: 0, control: 0 });
      expect(messages.contactsWithOutbox().toSorted()).toEqual([ana.id, carla.id].toSorted());
    }));

  test("stores a commit completely or not at all", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const nobody: Contact = { id: 4_711, label: "", username: "Nobody" };
      expect(() => scene.queue(text(ana, "a"), text(nobody, "a"))).toThrow();
      expect(scene.waiting(ana)).toEqual([]);
    }));

  test("drops a message when its contact acknowledges it, once, and no other message", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.write(ana, "a1", "a2");
      scene.receive(ana, "a2");
      expect(scene.acknowledge(carla, "a1")).toEqual([]);
      expect(scene.acknowledge(ana, "a1", "unknown", "a1")).toEqual(["a1"]);
      expect(scene.acknowledge(ana, "a1")).toEqual([]);
      expect(idsOf(scene.messages.claim(ana, 0, 10))).toEqual(["a2"]);
    }));
});

describe("the times of a message", () => {
  const timesOf = (message: StoredMessage | undefined) => {
    const { state, sentAt, leftAt, receivedAt, readAt } = message as StoredMessage;
    return { state, sentAt, leftAt, receivedAt, readAt };
  };

  test("are the times at which it first reached each state", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a");
      const times = () => timesOf(scene.history.find(ana, "a"));
      const written = { sentAt: NOW, leftAt: undefined, receivedAt: undefined, readAt: undefined };
      expect(times()).toEqual({ state: "queued", ...written });
      scene.messages.saveSent(ana, new Map([["a", NOW + 10]]));
      scene.messages.saveSent(ana, new Map([["a", NOW + 20]]));
      expect(times()).toEqual({ state: "sent", ...written, leftAt: NOW + 10 });
      scene.read(ana, { acknowledged: [{ id: "a", leftAt: NOW + 25 }] }, NOW + 30);
      scene.read(ana, { acknowledged: [{ id: "a", leftAt: NOW + 35 }] }, NOW + 40);
      const received = { ...written, leftAt: NOW + 10, receivedAt: NOW + 30 };
      expect(times()).toEqual({ state: "received", ...received });
      scene.read(ana, { readUpTo: "a" }, NOW + 50);
      scene.read(ana, { readUpTo: "a", acknowledged: [{ id: "a", leftAt: NOW }] }, NOW + 60);
      scene.messages.saveSent(ana, new Map([["a", NOW + 70]]));
      expect(times()).toEqual({ state: "read", ...received, readAt: NOW + 50 });
    }));

  test("include the time of sending, even if the acknowledgement is stored first", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a");
      scene.read(ana, { acknowledged: [{ id: "a", leftAt: NOW + 10 }] }, NOW + 30);
      expect(timesOf(scene.all(ana)[0])).toMatchObject({ state: "received", leftAt: NOW + 10 });
    }));
});

describe("what their side has read", () => {
  test("covers the acknowledged messages up to the named one, and no other contact's", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.write(ana, "a1", "a2", "a3");
      scene.write(carla, "c1");
      scene.receive(ana, "theirs");
      scene.acknowledge(ana, "a1", "a2", "a3");
      scene.acknowledge(carla, "c1");
      expect(scene.read(ana, { readUpTo: "theirs" }).read).toEqual([]);
      expect(scene.read(ana, { readUpTo: "unknown" }).read).toEqual([]);
      expect(scene.read(ana, { readUpTo: "c1" }).read).toEqual([]);
      expect(scene.read(ana, { readUpTo: "a2" }).read).toEqual(["a1", "a2"]);
      expect(scene.read(ana, { readUpTo: "a1" }).read).toEqual([]);
      const states = scene.all(ana).map(({ id, state }) => `${id} ${state}`);
      expect(states).toEqual(["a1 read", "a2 read", "a3 received", "theirs received"]);
    }));

  test("is read even when its acknowledgement arrives after the receipt, in the same read or a later one", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a1", "a2", "a3");
      scene.acknowledge(ana, "a2");
      expect(scene.read(ana, { readUpTo: "a2" }).read).toEqual(["a2"]);
      const late = scene.read(ana, { acknowledged: [{ id: "a1", leftAt: NOW }] }, NOW + 5);
      expect(late).toMatchObject({ acknowledged: ["a1"], read: ["a1"] });
      expect(scene.history.find(ana, "a1")).toMatchObject({
        state: "read",
        receivedAt: NOW + 5,
        readAt: NOW + 5,
      });
      const both = { acknowledged: [{ id: "a3", leftAt: NOW }], readUpTo: "a3" };
      expect(scene.read(ana, both)).toMatchObject({ acknowledged: ["a3"], read: ["a3"] });
    }));
});

/** The states that may follow each state. */
class Model {
  readonly states = new Map<string, number>();
  readUpTo = -1;
  readonly order: string[] = [];

  step(id: string, state: number): void {
    this.states.set(id, Math.max(this.states.get(id) ?? 0, state));
    if (state === 2 && this.order.indexOf(id) <= this.readUpTo) this.states.set(id, 3);
  }

  read(id: string): void {
    this.readUpTo = Math.max(this.readUpTo, this.order.indexOf(id));
    for (const each of this.order.slice(0, this.readUpTo + 1)) {
      if ((this.states.get(each) ?? 0) >= 2) this.states.set(each, 3);
    }
  }
}

test("states only go forward, for any events in any order and number", async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const names = ["queued", "sent", "received", "read"];
  for (let round = 0; round < 20; round++) {
    await withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const model = new Model();
      for (let step = 0; step < 60; step++) {
        const known = model.order.length === 0 ? "unknown" : random.pick(model.order);
        switch (random.integer(5)) {
          case 0: {
            const id = `m${step}`;
            scene.write(ana, id);
            model.order.push(id);
            model.states.set(id, 0);
            break;
          }
          case 1:
            scene.messages.saveSent(ana, new Map([[known, NOW + step]]));
            if (known !== "unknown") model.step(known, 1);
            break;
          case 2:
            scene.acknowledge(ana, known, known);
            if (known !== "unknown") model.step(known, 2);
            break;
          case 3:
            scene.read(ana, { readUpTo: known });
            model.read(known);
            break;
          default:
            scene.receive(ana, known);
        }
        const mine = scene.all(ana).filter(({ outgoing }) => outgoing);
        expect({ seed, states: mine.map(({ state }) => state) }).toEqual({
          seed,
          states: model.order.map((id) => names[model.states.get(id) ?? 0] as StoredMessage["state"]),
        });
        const open = model.order.filter((id) => (model.states.get(id) ?? 0) < 2);
        expect({ seed, waiting: scene.waiting(ana) }).toEqual({ seed, waiting: open });
      }
    });
  }
}, 30_000);

describe("a message that arrives twice", () => {
  test("is always dropped, also if the first one was deleted or withdrawn", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.receive(ana, "kept", "deleted", "withdrawn");
      expect(scene.removal.delete(ana, "deleted", false)).toBe(true);
      scene.read(ana, { incoming: [{ kind: "withdraw", id: "w", target: "withdrawn" }] });
      expect(scene.receive(ana, "kept", "deleted", "withdrawn")).toEqual([undefined, undefined, undefined]);
      const all = scene.all(ana).map(({ id, text: words }) => [id, words]);
      expect(all).toEqual([
        ["kept", "text kept"],
        ["withdrawn", ""],
      ]);
    }));

  test("is another message if another contact sends it, or if it is ours", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.write(ana, "same");
      expect(scene.receive(ana, "same")).toEqual([expect.any(Number)]);
      expect(scene.receive(carla, "same")).toEqual([expect.any(Number)]);
    }));

  test("a text that arrives after its own withdrawal stays withdrawn", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const read = scene.read(ana, { incoming: [{ kind: "withdraw", id: "w", target: "a" }] });
      expect(read.stored).toEqual([undefined]);
      expect(scene.receive(ana, "a")).toEqual([undefined]);
      expect(scene.all(ana)).toEqual([]);
      expect(scene.found("text")).toEqual([]);
    }));

  test("of ours is shown as pending with its text until it is acknowledged", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a", "b");
      scene.acknowledge(ana, "a", "b");
      const edit = { kind: "edit", contact: ana, id: "e", target: "a", text: "new", sentAt: NOW } as const;
      scene.messages.queue([edit], new Set([edit.contact]));
      const waits = () => scene.all(ana).map(({ id, changeWaits }) => [id, changeWaits]);
      expect(waits()).toEqual([
        ["a", true],
        ["b", false],
      ]);
      scene.acknowledge(ana, "e");
      expect(waits()).toEqual([
        ["a", false],
        ["b", false],
      ]);
    }));

  test("a text that was withdrawn before anybody read it is never reported as read", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a", "b");
      scene.acknowledge(ana, "a", "b");
      const withdrawal = { kind: "withdraw", contact: ana, id: "w", target: "a", sentAt: NOW } as const;
      scene.messages.queue([withdrawal], new Set([withdrawal.contact]));
      expect(scene.read(ana, { readUpTo: "b" }).read).toEqual(["b"]);
      expect(scene.history.find(ana, "a")).toMatchObject({ state: "received", readAt: undefined });
    }));

  test("a repeated edit or withdrawal changes nothing and is not reported", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.receive(ana, "a", "b");
      const first = { kind: "edit", id: "e1", target: "a", text: "one" } as const;
      const second = { kind: "edit", id: "e2", target: "a", text: "two" } as const;
      const taken = { kind: "withdraw", id: "w", target: "b" } as const;
      const { stored } = scene.read(ana, { incoming: [first, second, taken] });
      expect(stored).toMatchObject([{ text: "one" }, { text: "two" }, { text: "", withdrawnAt: NOW }]);
      const again = scene.read(ana, { incoming: [first, second, first, taken] }, NOW + 9);
      expect(again.stored).toEqual([undefined, undefined, undefined, undefined]);
      expect(scene.history.find(ana, "a")).toMatchObject({ text: "two", editedAt: NOW });
      expect(scene.history.find(ana, "b")).toMatchObject({ text: "", withdrawnAt: NOW });
    }));
});

describe("an edit or a withdrawal", () => {
  test("of the peer does not change our messages or another contact's", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.write(ana, "mine");
      scene.receive(carla, "hers");
      const incoming = ["mine", "hers"].flatMap(
        (target) =>
          [
            { kind: "edit", id: `edit ${target}`, target, text: "forged" },
            { kind: "withdraw", id: `withdraw ${target}`, target },
          ] as const,
      );
      expect(scene.read(ana, { incoming }).stored).toEqual([undefined, undefined, undefined, undefined]);
      expect(scene.history.find(ana, "mine")).toMatchObject({ text: "text mine", withdrawnAt: undefined });
      expect(scene.history.find(carla, "hers")).toMatchObject({ text: "text hers", withdrawnAt: undefined });
      expect(scene.waiting(ana)).toEqual(["mine"]);
    }));

  test("of a peer on unknown texts is kept only as long as it is one of the newest thousand", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.receive(ana, "known");
      const rows = () => scene.database.query("SELECT count(*) AS n FROM messages").get();
      for (let count = 0; count < 2 * MAX_UNKNOWN; count += 100) {
        const incoming = Array.from({ length: 100 }, (_, index) => {
          const id = `action ${count + index}`;
          const target = `no text ${count + index}`;
          return index % 2 === 0
            ? ({ kind: "withdraw", id, target } as const)
            : ({ kind: "edit", id, target, text: "x".repeat(10_000) } as const);
        });
        scene.read(ana, { incoming });
      }
      expect(rows()).toEqual({ n: 1 + MAX_UNKNOWN });
      // The newest one still keeps away the text that it withdraws.
      expect(scene.receive(ana, `no text ${2 * MAX_UNKNOWN - 2}`)).toEqual([undefined]);
      expect(scene.all(ana)).toMatchObject([{ id: "known" }]);
    }));

  test("of the peer does not restore a text that was withdrawn or deleted here", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.receive(ana, "withdrawn", "deleted");
      scene.removal.delete(ana, "deleted", false);
      const { stored } = scene.read(ana, {
        incoming: [
          { kind: "withdraw", id: "w", target: "withdrawn" },
          { kind: "edit", id: "e1", target: "withdrawn", text: "back" },
          { kind: "edit", id: "e2", target: "deleted", text: "back" },
          { kind: "withdraw", id: "w2", target: "deleted" },
        ],
      });
      expect(stored.slice(1)).toEqual([undefined, undefined, undefined]);
      expect(scene.all(ana)).toMatchObject([{ id: "withdrawn", text: "" }]);
      expect(scene.bytes).not.toContain("back");
    }));

  test("of ours changes the text here at once and is sent after it, in order", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a");
      scene.messages.claim(ana, 0, 10);
      scene.queue(edit(ana, "e1", "a", "one"), edit(ana, "e2", "a", "two"), text(ana, "b"));
      expect(scene.history.find(ana, "a")).toMatchObject({ text: "two", editedAt: NOW + 1, state: "queued" });
      expect(idsOf(scene.all(ana))).toEqual(["a", "b"]);
      const out = scene.messages.claim(ana, 0, 10);
      expect(out).toMatchObject([
        { kind: "text", id: "a", text: "two" },
        { kind: "edit", id: "e1", target: "a", text: "one" },
        { kind: "edit", id: "e2", target: "a", text: "two" },
        { kind: "text", id: "b" },
      ]);
      expect(scene.messages.outboxCounts(ana)).toEqual({ text: 2, edit: 2, withdraw: 0, control: 0 });
    }));

  test("that withdraws a text removes the text and its edits from the outbox, but stays itself", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a", "b");
      scene.messages.claim(ana, 0, 10);
      scene.queue(edit(ana, "e1", "a", "one"), edit(ana, "e2", "b", "kept"), withdrawal(ana, "w", "a"));
      expect(scene.waiting(ana)).toEqual(["b", "e2", "w"]);
      expect(scene.messages.outboxCounts(ana)).toEqual({ text: 1, edit: 1, withdraw: 1, control: 0 });
      expect(scene.acknowledge(ana, "a", "e1", "w")).toEqual(["w"]);
      expect(scene.history.find(ana, "a")).toMatchObject({ text: "", withdrawnAt: NOW + 2 });
    }));

  test("leaves no copy of its text once it is acknowledged, so that deleting the message deletes everything", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a");
      scene.acknowledge(ana, "a");
      scene.queue(edit(ana, "e1", "a", "murmullo"), edit(ana, "e2", "a", "secreto"));
      scene.acknowledge(ana, "e1");
      expect(scene.removal.delete(ana, "a", true)).toBe(true);
      expect(scene.messages.claim(ana, 0, 10)).toMatchObject([{ id: "e2", text: "secreto" }]);
      expect(scene.acknowledge(ana, "e1", "e2")).toEqual(["e2"]);
      scene.wipeAll();
      expect(scene.bytes).not.toMatch(/murmullo|secreto/);
    }));
});

describe("a message that may have been sent", () => {
  test("claimed messages stay marked, even after a crash; others can be cancelled", () =>
    withScene((scene, folder) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a", "b", "c");
      scene.messages.claim(ana, 0, 2);
      const later = new MessageScene(folder);
      expect(["a", "b", "c"].map((id) => later.removal.cancel(ana, id))).toEqual([false, false, true]);
      later.database.close();
      expect(scene.waiting(ana)).toEqual(["a", "b"]);
    }));

  test("a message to somebody with a link is marked as tried when it is stored", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.messages.queue([text(ana, "a"), text(carla, "c")], new Set([ana]));
      expect(scene.removal.cancel(ana, "a")).toBe(false);
      expect(scene.removal.cancel(carla, "c")).toBe(true);
    }));
});

test("every text is read as it was stored", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    const texts = ["", "ñandú 🕊️", "a\u0000b", "'; DROP TABLE messages; --", "x".repeat(32 * 1024)];
    scene.queue(...texts.map((words, index) => ({ ...text(ana, `${index}`, words), replyTo: "before" })));
    scene.read(ana, { incoming: texts.map((words, index) => arriving(`${index}`, words)) });
    expect(scene.all(ana).map((message) => message.text)).toEqual([...texts, ...texts]);
    expect(scene.messages.claim(ana, 0, 1)).toMatchObject([{ replyTo: "before" }]);
    expect(scene.found("b")).toEqual(["2", "2"]);
  }));

test("with many messages stored every query of a link uses an index", () =>
  withScene((scene) => {
    const ana = fill(scene);
    const { database } = scene;
    let messages = scene.messages;
    const made = plansOf(database, () => (messages = new MessageStore(database, IN_PLACE, IN_PLACE)));
    const byId =
      "SEARCH messages USING INDEX sqlite_autoindex_messages_1 (contact=? AND outgoing=? AND id=?)";
    const [, , ...acknowledging] = made;
    expect(acknowledging).toEqual([byId, byId]);
    const byOutbox =
      /^SEARCH messages USING (?:COVERING )?INDEX outbox \(contact=\? AND seq>\?(?: AND seq<\?)?\)$/;
    for (const plan of plansOf(database, () => messages.claim(ana, 0, 10))) expect(plan).toMatch(byOutbox);
    expect(plansOf(database, () => messages.outboxCounts(ana))[0]).toStartWith(
      "SEARCH messages USING INDEX outbox (contact=?)",
    );
    expect(plansOf(database, () => messages.saveSent(ana, new Map()))).toEqual([byId]);
    const acknowledged = [{ id: "id 19999", leftAt: NOW }];
    expect(messages.claim(ana, 0, 1).length).toBe(1);
    const reading = plansOf(database, () =>
      messages.commitRead(ana, { incoming: [], acknowledged, readUpTo: "id 19997" }, NOW),
    );
    expect(reading.filter((plan) => /SCAN (?!CONSTANT)/.test(plan))).toEqual([]);
    expect(reading.at(-1)).toBe(
      "SEARCH messages USING INDEX messages_by_contact (contact=? AND seq>? AND seq<?)",
    );
    const incoming = [
      { kind: "edit", id: "e", target: "id 2", text: "other" },
      { kind: "withdraw", id: "w", target: "id 6" },
    ] as const;
    const changing = plansOf(database, () => scene.read(ana, { incoming }));
    const unknown = [{ kind: "withdraw", id: "u", target: "nothing" }] as const;
    expect(plansOf(database, () => scene.read(ana, { incoming: unknown }))).toContainEqual(
      expect.stringContaining("SEARCH messages USING INDEX actions_by_target (contact=? AND target=?)"),
    );
    expect(changing).toEqual([
      expect.stringContaining(byId.replace("INDEX", "COVERING INDEX")),
      expect.stringContaining(byId),
      expect.stringContaining("USING INDEX actions_by_target (contact=? AND target=?)"),
      expect.stringContaining(byId),
      expect.stringContaining("SEARCH transfers USING INDEX"),
    ]);
  }));

test("a claim ends with the text that fills it, and takes at least one", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    const words = "ñ".repeat(5_000);
    scene.queue(...["1", "2", "3", "4"].map((id) => text(ana, id, words)));
    const claim = (seq: number, bytes: number) =>
      scene.messages.claim(ana, seq, 10, bytes).map(({ id }) => id);
    expect(claim(0, 0)).toEqual(["1"]);
    expect(claim(0, 10_000)).toEqual(["1", "2"]);
    expect(claim(1, 20_000)).toEqual(["2", "3", "4"]);
    expect(scene.waiting(ana)).toEqual(["1", "2", "3", "4"]);
  }));
