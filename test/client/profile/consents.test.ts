import { expect, test } from "bun:test";

import { contactState, type Consent } from "../../../src/client/profile/consents.ts";
import type { Contact } from "../../../src/client/profile/contacts.ts";
import { arriving, NOW, text, withScene, type MessageScene } from "../message-scene.ts";

const UNTIL = NOW + 1_000;

/** A request with these texts is stored. */
function ask({ contacts, consents, messages }: MessageScene, name: string, ...ids: string[]): Contact {
  return consents.inOneCommit(() => {
    const contact = contacts.ensure(name);
    const afterSeq = messages.lastSeq();
    const incoming = ids.map((id) => arriving(id));
    messages.commitRead(contact, { incoming, acknowledged: [], readUpTo: undefined }, NOW);
    const request = { since: NOW, network: "192.0.2.7", afterSeq, texts: ids.length, actions: 0, bytes: 9 };
    consents.save(contact, { name: "request", request });
    return contact;
  });
}

function isOf({ consents }: MessageScene, contact: Contact, now = NOW): Consent["name"] {
  return consents.of(contact, now).name;
}

/** The ids of their texts that were not printed yet. */
function unprinted({ history }: MessageScene, contact: Contact): string[] {
  return history.unprintedOf(contact, 100).map(({ id }) => id);
}

test("whoever is new is a stranger, and a text to them makes them a contact", () =>
  withScene((scene) => {
    const { consents, messages } = scene;
    const ana = scene.contacts.ensure("ana");
    expect([isOf(scene, ana), consents.isContact(ana.label)]).toEqual(["stranger", false]);
    messages.queue([text(ana, "1")]);
    expect([isOf(scene, ana), consents.isContact(ana.label)]).toEqual(["contact", true]);
    // Who never asked has nothing to be told.
    expect(consents.acceptance(ana)).toBe("settled");
    expect(consents.of({ id: 0 }, NOW)).toEqual({ name: "stranger" });
  }));

test("the texts of a request are neither unread nor printed before the person is accepted", () =>
  withScene((scene) => {
    const { consents, history } = scene;
    const ana = ask(scene, "ana", "1", "2");
    expect(consents.of(ana, NOW)).toMatchObject({ name: "request", request: { texts: 2 } });
    expect([unprinted(scene, ana), history.unprinted(9), history.arrived(0, 0, 9, 9)]).toEqual([[], [], []]);
    expect([history.unreadCounts().size, history.since(0, 9)]).toEqual([0, []]);
    expect(consents.requests()).toEqual([{ contact: ana.id, texts: 2 }]);
    consents.accept(ana);
    expect([isOf(scene, ana), unprinted(scene, ana)]).toEqual(["contact", ["1", "2"]]);
    expect([history.unreadCounts().get(ana.id), consents.requests()]).toEqual([2, []]);
  }));

test("what somebody refused has written is not unread; once they may write again, it is", () =>
  withScene((scene) => {
    const { consents, contacts, history, messages } = scene;
    const ana = contacts.ensure("ana");
    const unasked = { name: "unasked", unasked: { bytes: 9, day: 0, dayBytes: 9 } } as const;
    consents.save(ana, unasked);
    messages.commitRead(ana, { incoming: [arriving("1")], acknowledged: [], readUpTo: undefined }, NOW);
    const unread = () => history.unreadCounts().get(ana.id);
    consents.block(ana);
    expect(unread()).toBeUndefined();
    consents.unblock(ana);
    expect(unread()).toBe(1);
    consents.decline(ana, UNTIL);
    expect(unread()).toBeUndefined();
    // Later they are taken unasked again.
    consents.save(ana, unasked);
    expect(unread()).toBe(1);
  }));

test("an acceptance has to be told to somebody who asked, was declined or is added, by a command or an answer", () =>
  withScene((scene) => {
    const { consents, contacts, messages } = scene;
    const [answered, accepted, added] = [
      ask(scene, "ana", "1"),
      ask(scene, "beto", "1"),
      contacts.ensure("carla"),
    ];
    const declined = contacts.ensure("dora");
    consents.decline(declined, UNTIL);
    messages.queue([text(answered, "a"), text(declined, "d")]);
    consents.accept(accepted);
    consents.accept(added);
    const all = [answered, accepted, added, declined];
    expect(all.map((each) => consents.acceptance(each))).toEqual(["untold", "untold", "untold", "untold"]);
    expect(consents.untold().sort()).toEqual(all.map(({ id }) => id).sort());
    consents.saveAcceptance(answered, "told");
    // A contact is not accepted again.
    consents.accept(answered);
    expect(consents.acceptance(answered)).toBe("told");
  }));

test("a declined person is held until a time, and then a stranger again; their request's texts go", () =>
  withScene((scene) => {
    const { consents, removal } = scene;
    const ana = scene.contacts.ensure("ana");
    scene.receive(ana, "old");
    ask(scene, "ana", "1", "2");
    consents.decline(ana, UNTIL);
    expect([isOf(scene, ana, UNTIL - 1), isOf(scene, ana, UNTIL)]).toEqual(["declined", "stranger"]);
    const over = consents.over(NOW);
    if (over === undefined) throw new Error("nothing to delete");
    expect(removal.deleteReceived(over.contact, over.afterSeq)).toEqual({ deleted: 2, isMore: false });
    consents.forgetRequest(over.contact);
    expect([scene.all(ana).map(({ id }) => id), consents.over(NOW)]).toEqual([["old"], undefined]);
    // Their ids stay.
    expect(scene.receive(ana, "1", "2")).toEqual([undefined, undefined]);
  }));

test("who is blocked is again what they were, once they are unblocked", () =>
  withScene((scene) => {
    const { consents, messages } = scene;
    const [friend, asker] = [scene.contacts.ensure("ana"), ask(scene, "beto", "1")];
    messages.queue([text(friend, "1")]);
    for (const each of [friend, asker]) consents.block(each);
    expect([isOf(scene, friend), isOf(scene, asker)]).toEqual(["blocked", "blocked"]);
    expect([consents.isBlocked(friend.label), consents.isContact(friend.label)]).toEqual([true, false]);
    for (const each of [friend, asker]) consents.unblock(each);
    expect([isOf(scene, friend), isOf(scene, asker)]).toEqual(["contact", "stranger"]);
    consents.remove(friend);
    expect(isOf(scene, friend)).toBe("stranger");
  }));

test("a request is over once it is older than all may be", () =>
  withScene((scene) => {
    const ana = ask(scene, "ana", "1");
    expect(scene.consents.over(NOW)).toBeUndefined();
    expect(scene.consents.over(NOW + 1)).toMatchObject({ contact: { id: ana.id } });
  }));

test("requests are counted in all and by network", () =>
  withScene((scene) => {
    ask(scene, "ana", "1");
    ask(scene, "beto", "1");
    expect(scene.consents.requestCounts("192.0.2.7", 0)).toEqual({ all: 2, ofNetwork: 2, recent: 2 });
    expect(scene.consents.requestCounts("192.0.2.8", NOW)).toEqual({ all: 2, ofNetwork: 0, recent: 0 });
  }));

test("when anyone may write, requests become messages of people who were taken unasked", () =>
  withScene((scene) => {
    const { consents, messages } = scene;
    const ana = ask(scene, "ana", "1");
    consents.acceptAll();
    expect(consents.of(ana, NOW)).toMatchObject({ name: "unasked", unasked: { bytes: 9 } });
    expect([unprinted(scene, ana), consents.requests()]).toEqual([["1"], []]);
    expect([consents.unaskedBytes(), consents.isContact(ana.label)]).toEqual([9, false]);
    expect(contactState(consents.of(ana, NOW))).toBe("contact");
    messages.queue([text(ana, "answer")]);
    expect([isOf(scene, ana), consents.unaskedBytes()]).toEqual(["contact", 0]);
  }));

test("what everybody is, is read at once", () =>
  withScene((scene) => {
    const { consents, contacts } = scene;
    const [ana, beto, carla] = [
      ask(scene, "ana", "1", "2"),
      contacts.ensure("beto"),
      contacts.ensure("carla"),
    ];
    consents.block(beto);
    expect(consents.all(NOW)).toEqual(
      new Map([
        [ana.label, { state: "request", request: 2 }],
        [beto.label, { state: "blocked", request: undefined }],
        [carla.label, { state: "stranger", request: undefined }],
      ]),
    );
  }));

test("the addresses of contacts are known, but not those of strangers and blocked people", () =>
  withScene((scene) => {
    const { consents, contacts } = scene;
    const people = ["ana", "beto", "carla"].map((name) => contacts.ensure(name));
    people.forEach((each, index) => contacts.saveTargets(each, [{ ip: `192.0.2.${index}`, port: 9_000 }]));
    const [ana, beto] = people as [Contact, Contact];
    for (const each of [ana, beto]) consents.accept(each);
    consents.block(beto);
    expect(consents.contactAddresses()).toEqual(["192.0.2.0"]);
  }));
