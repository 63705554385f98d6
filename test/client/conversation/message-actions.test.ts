import { describe, expect, test } from "bun:test";

import type { Contact } from "../../../src/client/profile/contacts.ts";
import {
  ActionError,
  cancelMessage,
  deleteMessage,
  prepareEdit,
  prepareWithdrawal,
  type ActionFault,
} from "../../../src/client/conversation/message-actions.ts";
import { NOW, text, withScene, type MessageScene } from "../message-scene.ts";

type Act = (scene: MessageScene, contact: Contact, id: string) => unknown;

const edit: Act = (scene, contact, id) => prepareEdit(scene, contact, { id, text: "other" }, NOW + 1);
const withdraw: Act = (scene, contact, id) => prepareWithdrawal(scene, contact, id, NOW + 1);

function faultOf(act: () => unknown): ActionFault | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ActionError) return error.code;
    throw error;
  }
}

/** Ana's messages: `new` waits, `left` may be on a wire, `there` has arrived, `gone` is withdrawn, `hers` is Ana's. */
function withMessages(use: (scene: MessageScene, ana: Contact) => void): Promise<void> {
  return withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    scene.messages.queue([text(ana, "left"), text(ana, "there"), text(ana, "gone")], new Set([ana]));
    scene.acknowledge(ana, "there");
    scene.queue({ kind: "withdraw", contact: ana, id: "w", target: "gone", sentAt: NOW });
    scene.write(ana, "new");
    scene.receive(ana, "hers");
    use(scene, ana);
  });
}

describe("an edit or a withdrawal", () => {
  test.each([
    ["edit", edit],
    ["withdrawal", withdraw],
  ] as const)("(%s) is refused for a message that is unknown, not one's own, or withdrawn", (_, act) =>
    withMessages((scene, ana) => {
      const carla = scene.contacts.ensure("Carla");
      expect(faultOf(() => act(scene, ana, "unknown"))).toBe("unknown_message");
      expect(faultOf(() => act(scene, ana, "w"))).toBe("unknown_message");
      expect(faultOf(() => act(scene, carla, "left"))).toBe("unknown_message");
      expect(faultOf(() => act(scene, ana, "hers"))).toBe("not_own");
      expect(faultOf(() => act(scene, ana, "gone"))).toBe("already_withdrawn");
      deleteMessage(scene, ana, scene.history.find(ana, "there"));
      expect(faultOf(() => act(scene, ana, "there"))).toBe("unknown_message");
      expect(scene.history.find(ana, "hers")?.text).toBe("text hers");
    }),
  );

  test("of a message that was not sent is made here alone, whatever the other side supports", () =>
    withMessages((scene, ana) => {
      scene.contacts.saveFeatures(ana, []);
      expect(edit(scene, ana, "new")).toBeUndefined();
      expect(scene.history.find(ana, "new")).toMatchObject({ text: "other", editedAt: NOW + 1 });
      expect(withdraw(scene, ana, "new")).toBeUndefined();
      expect(scene.history.find(ana, "new")).toBeUndefined();
      expect(scene.waiting(ana)).not.toContain("new");
    }));

  test("of a message that may have been sent is sent as an action", () =>
    withMessages((scene, ana) => {
      for (const target of ["left", "there"]) {
        expect(edit(scene, ana, target)).toMatchObject({
          kind: "edit",
          target,
          text: "other",
          sentAt: NOW + 1,
        });
        expect(withdraw(scene, ana, target)).toMatchObject({ kind: "withdraw", target, sentAt: NOW + 1 });
      }
    }));

  test("waits while the peer's features are unknown, and is refused if the peer does not support it", () =>
    withMessages((scene, ana) => {
      expect(edit(scene, ana, "left")).toBeDefined();
      scene.contacts.saveFeatures(ana, ["edit"]);
      expect(edit(scene, ana, "left")).toBeDefined();
      expect(faultOf(() => withdraw(scene, ana, "left"))).toBe("not_supported");
      scene.contacts.saveFeatures(ana, ["withdraw", "unheard-of"]);
      expect(faultOf(() => edit(scene, ana, "left"))).toBe("not_supported");
      expect(withdraw(scene, ana, "left")).toBeDefined();
      expect(scene.history.find(ana, "left")).toMatchObject({ text: "text left", editedAt: undefined });
    }));

  test("each has an id of its own", () =>
    withMessages((scene, ana) => {
      const ids = [1, 2, 3].map(() => (edit(scene, ana, "left") as { id: string }).id);
      expect(new Set([...ids, "left"]).size).toBe(4);
    }));
});

test("only a message that was not sent is cancelled", () =>
  withMessages((scene, ana) => {
    const fault = (id: string) => faultOf(() => cancelMessage(scene, ana, id));
    expect(["left", "there", "gone", "hers", "unknown"].map(fault)).toEqual([
      "already_left",
      "already_left",
      "already_withdrawn",
      "not_own",
      "unknown_message",
    ]);
    expect(fault("new")).toBeUndefined();
    expect(fault("new")).toBe("unknown_message");
  }));

test("only a message that is not in the outbox is deleted, and nothing of it stays in the files", () =>
  withMessages((scene, ana) => {
    const fault = (id: string) => faultOf(() => deleteMessage(scene, ana, scene.history.find(ana, id)));
    expect(["new", "left", "unknown", "w"].map(fault)).toEqual([
      "still_waiting",
      "still_waiting",
      "unknown_message",
      "unknown_message",
    ]);
    expect(["there", "gone", "hers"].map(fault)).toEqual([undefined, undefined, undefined]);
    scene.wipeAll();
    expect(scene.bytes).not.toMatch(/text (?:there|gone|hers)/);
    expect(scene.bytes).toContain("text left");
  }));
