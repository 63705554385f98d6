import { expect, test } from "bun:test";

import { MAX_PINS, type Contact } from "../../../src/client/profile/contacts.ts";
import { fingerprint } from "../../../src/identity/fingerprint.ts";
import { label } from "../../../src/identity/names.ts";
import { NOW, withScene } from "../message-scene.ts";
import { withStores } from "../test-profile.ts";

const key = (number: number) => {
  const spki = Buffer.from(`key ${number}`);
  return { spki, fingerprint: fingerprint(spki) };
};

test("a person is one contact in any spelling", () =>
  withStores(({ contacts }) => {
    const ana = contacts.ensure("Ana");
    expect(ana).toMatchObject({ username: "Ana", label: label("ana") });
    expect(contacts.ensure("ANA")).toEqual(ana);
    expect(contacts.find("aNa")).toEqual(ana);
    expect(contacts.byId(ana.id)).toEqual(ana);
    expect(contacts.find("Anna")).toBeUndefined();
    expect(contacts.byId(ana.id + 1)).toBeUndefined();
  }));

test("the registered spelling replaces the typed one, but another name does not", () =>
  withStores(({ contacts }) => {
    const typed = contacts.ensure("ana");
    contacts.rename(typed, "Ana");
    expect(contacts.find("ana")?.username).toBe("Ana");
    contacts.rename(typed, "Carla");
    expect(contacts.find("ana")?.username).toBe("Ana");
    expect(contacts.find("Carla")).toBeUndefined();
  }));

test("the last addresses of a contact are kept as they are, and replaced as a whole", () =>
  withStores(({ contacts }) => {
    const ana = contacts.ensure("Ana");
    expect(contacts.targets(ana)).toEqual([]);
    const targets = [
      { ip: "2001:db8::1", port: 9_000 },
      { ip: "192.0.2.7", port: 9_001 },
    ];
    contacts.saveTargets(ana, targets);
    expect(contacts.targets(ana)).toEqual(targets);
    contacts.saveTargets(ana, targets.slice(1));
    expect(contacts.targets(ana)).toEqual(targets.slice(1));
  }));

test("a contact has one pin for each device, each key once", () =>
  withStores(({ contacts }) => {
    const ana = contacts.ensure("Ana");
    contacts.pin(ana, key(1), 1);
    contacts.pin(ana, key(2), 2);
    contacts.pin(ana, key(1), 3);
    expect(
      contacts
        .pins(ana)
        .map((pin) => pin.fingerprint)
        .toSorted(),
    ).toEqual([key(1).fingerprint, key(2).fingerprint].toSorted());
    expect(contacts.pins(ana).every((pin) => fingerprint(pin.spki) === pin.fingerprint)).toBe(true);
    expect(contacts.pins(contacts.ensure("Carla"))).toEqual([]);
  }));

test("if there are too many pins, the newest stay", () =>
  withStores(({ contacts }) => {
    const ana = contacts.ensure("Ana");
    for (let number = 1; number <= MAX_PINS + 2; number++) contacts.pin(ana, key(number), number);
    const pins = contacts.pins(ana).map((pin) => pin.fingerprint);
    expect(pins.length).toBe(MAX_PINS);
    expect(pins).toContain(key(MAX_PINS + 2).fingerprint);
    expect(pins).not.toContain(key(2).fingerprint);
  }));

test("a pending key is reported once, changes no pin, and is no longer pending once it is pinned", () =>
  withStores(({ contacts }) => {
    const ana = contacts.ensure("Ana");
    contacts.pin(ana, key(1), 1);
    expect(contacts.pendingKey(ana)).toBeUndefined();
    expect(contacts.savePendingKey(ana, key(2), 2)).toBe(true);
    expect(contacts.savePendingKey(ana, key(2), 3)).toBe(false);
    expect(contacts.pins(ana).map((pin) => pin.fingerprint)).toEqual([key(1).fingerprint]);
    expect(contacts.savePendingKey(ana, key(3), 4)).toBe(true);
    expect(contacts.pendingKey(ana)).toEqual({ ...key(3), shown: undefined });
    contacts.pin(ana, key(2), 5);
    expect(contacts.pendingKey(ana)).toEqual({ ...key(3), shown: undefined });
    contacts.markShown(ana, key(3).fingerprint);
    expect(contacts.savePendingKey(ana, key(4), 5)).toBe(true);
    expect(contacts.pendingKey(ana)).toEqual({ ...key(4), shown: key(3).fingerprint });
    contacts.pin(ana, key(4), 6);
    expect(contacts.pendingKey(ana)).toBeUndefined();
    expect(contacts.pins(ana).length).toBe(3);
  }));

test("only contacts with a stored message, theirs or ours, have a conversation", () =>
  withStores(({ contacts, messages }) => {
    expect(contacts.listed()).toEqual([]);
    const [written, heard, known] = ["Ana", "Carla", "Dora"].map((name) => contacts.ensure(name)) as [
      Contact,
      Contact,
      Contact,
    ];
    contacts.pin(known, key(1), 1);
    const message = { kind: "text", text: "text", sentAt: 1, replyTo: undefined } as const;
    messages.queue([{ contact: written, id: "1", ...message }]);
    for (const id of ["1", "2"]) {
      const incoming = [{ ...message, id }];
      messages.commitRead(heard, { incoming, acknowledged: [], readUpTo: undefined }, 2);
    }
    expect(contacts.listed().toSorted((a, b) => a.id - b.id)).toEqual([written, heard]);
  }));

test("a contact whose whole conversation was deleted has no conversation, but keeps the pinned keys", () =>
  withScene((scene) => {
    const { contacts } = scene;
    const ana = contacts.ensure("Ana");
    contacts.pin(ana, key(1), 1);
    scene.receive(ana, "a");
    scene.removal.delete(ana, "a", false);
    expect(contacts.listed()).toEqual([]);
    expect(contacts.pins(ana).length).toBe(1);
  }));

test("somebody is known while anything is known of them", () =>
  withScene((scene) => {
    const { consents, contacts } = scene;
    const now = 1_000;
    const known = () => contacts.known(now).map(({ username }) => username);
    for (const name of ["met", "ana", "blocked", "declined", "mistyped"]) contacts.ensure(name);
    expect(known()).toEqual([]);
    contacts.pin(contacts.ensure("ana"), key(1), 1);
    consents.block(contacts.ensure("blocked"));
    consents.decline(contacts.ensure("declined"), now + 1);
    const mistyped = contacts.ensure("mistyped");
    scene.write(mistyped, "1");
    expect(known()).toEqual(["ana", "blocked", "declined", "mistyped"]);
    expect(scene.removal.cancelAll(mistyped)).toEqual(["1"]);
    expect(known()).toContain("mistyped");
    consents.remove(mistyped);
    expect(known()).toEqual(["ana", "blocked", "declined"]);
    expect(contacts.known(now + 1).map(({ username }) => username)).toEqual(["ana", "blocked"]);
  }));

test("a client's features are unknown before its first link, and then those of its last one", () =>
  withScene(({ contacts }) => {
    const ana = contacts.ensure("Ana");
    const carla = contacts.ensure("Carla");
    expect(contacts.features(ana)).toBeUndefined();
    contacts.saveFeatures(ana, []);
    expect(contacts.features(ana)).toEqual([]);
    contacts.saveFeatures(ana, ["edit", "withdraw"]);
    contacts.saveFeatures(ana, ["edit", "withdraw"]);
    expect(contacts.features(ana)).toEqual(["edit", "withdraw"]);
    expect(contacts.features(carla)).toBeUndefined();
  }));

test("the position up to which a person has read is a message of the contact, and never goes back", () =>
  withScene((scene) => {
    const { contacts } = scene;
    const ana = contacts.ensure("Ana");
    const carla = contacts.ensure("Carla");
    expect(contacts.readHere(ana)).toBeUndefined();
    const [own = 0] = scene.write(ana, "mine");
    contacts.saveReadHere(ana, own);
    expect(contacts.readHere(ana)).toBeUndefined();
    const [first = 0, second = 0] = scene.receive(ana, "a1", "a2");
    const [hers = 0] = scene.receive(carla, "c1");
    contacts.saveReadHere(ana, second);
    contacts.saveReadHere(ana, first);
    expect(contacts.readHere(ana)).toBe("a2");
    const [third = 0] = scene.receive(ana, "a3");
    const [later = 0] = scene.write(ana, "mine too");
    // The newest on the screen is our own, or is between messages of others.
    contacts.saveReadHere(ana, hers);
    expect(contacts.readHere(ana)).toBe("a2");
    contacts.saveReadHere(ana, later);
    expect(contacts.readHere(ana)).toBe("a3");
    expect(third).toBeLessThan(later);
    expect(contacts.readHere(carla)).toBeUndefined();
    // They know the id even when the message was deleted here, before or after it was read.
    const [, fifth = 0] = scene.receive(ana, "a4", "a5");
    scene.removal.delete(ana, "a5", false);
    contacts.saveReadHere(ana, fifth);
    expect(contacts.readHere(ana)).toBe("a5");
  }));

test("a group is a conversation, but in no list of people", () =>
  withScene((scene) => {
    const { contacts, consents, database, history, messages } = scene;
    const name = `#${"Gg".repeat(21)}A`;
    const group = contacts.ensure(name);
    database.run("UPDATE contacts SET consent = 2 WHERE id = ?", [group.id]);
    database.run("INSERT INTO groups (contact, title, state, own_feed) VALUES (?, 'Familia', 'joined', '')", [
      group.id,
    ]);
    contacts.mute(group, NOW + 1);
    scene.receive(group, "theirs");
    scene.write(group, "ours");

    expect(contacts.find(name)).toEqual({ id: group.id, label: name, username: name });
    expect(contacts.ensure(name)).toEqual(group);
    expect(contacts.find(name.toLowerCase())).toBeUndefined();
    expect(contacts.listed()).toEqual([]);
    expect(contacts.known(NOW)).toEqual([]);
    expect(consents.contactLabels()).toEqual([]);
    expect(messages.contactsWithOutbox()).toEqual([]);

    expect(contacts.recent(9)).toEqual([group]);
    expect(contacts.muted(NOW).get(group.id)?.username).toBe(name);
    expect(history.unreadCounts()).toEqual(new Map([[group.id, 1]]));
    expect(messages.unclaimed(group, 9).map(({ id }) => id)).toEqual(["ours"]);
  }));
