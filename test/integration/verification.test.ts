/** Two people compare a code over a real link: from opening it to the stored ✔, and what may come between. */
import { afterEach, expect, test } from "bun:test";

import type { VerificationNews } from "../../src/client/conversation/events.ts";
import { fingerprint } from "../../src/identity/fingerprint.ts";
import { Company, until, type Person } from "./messenger-pair.ts";

const companies: Company[] = [];

afterEach(async () => {
  for (const company of companies.splice(0)) await company.close();
});

async function meet(
  options: { now?: () => number } = {},
): Promise<{ company: Company; ana: Person; bob: Person }> {
  const company = await Company.meet();
  companies.push(company);
  const ana = await company.person("ana", options);
  const bob = await company.person("bob", options);
  // Of a stranger's verification nobody is told.
  ana.accept("bob");
  bob.accept("ana");
  // So that their link stays: on a new one the verification waits for a moment.
  ana.messenger.openChat("bob");
  bob.messenger.openChat("ana");
  await until(() => [ana, bob].every((person) => person.of("connected").length > 0));
  return { company, ana, bob };
}

const FACE = {};
const OTHER_FACE = {};

function open(person: Person, other: string) {
  return person.messenger.openVerification(other, FACE);
}

function news(person: Person): VerificationNews[] {
  return person.of("verification").map(({ name: _name, username: _username, ...each }) => each);
}

function states(person: Person): string[] {
  return news(person).map(({ state }) => state);
}

/** The last code that a person was shown. */
function codeOf(person: Person): string | undefined {
  const code = news(person).findLast(({ state }) => state === "code");
  return code !== undefined && "code" in code ? code.code : undefined;
}

function isVerified(person: Person, other: string): boolean {
  return person.messenger.archive.conversation(other)?.isVerified === true;
}

function pins(person: Person, other: string): string[] {
  const { contacts } = person.profile;
  return contacts.pins(contacts.ensure(other)).map(({ fingerprint }) => fingerprint);
}

/** Both open it and see the same code. */
async function compare(ana: Person, bob: Person): Promise<string> {
  const before = [ana, bob].map((person) => states(person).filter((state) => state === "code").length);
  expect(open(ana, "bob")).toEqual({ result: "opened" });
  expect(open(bob, "ana")).toEqual({ result: "opened" });
  await until(() =>
    [ana, bob].every(
      (person, index) => states(person).filter((state) => state === "code").length > before[index]!,
    ),
  );
  const code = codeOf(ana) ?? "none";
  expect(code).toMatch(/^\d{6}$/);
  expect(codeOf(bob)).toBe(code);
  return code;
}

test("both see one code, both say that it is the same, and both are verified; keys that nobody verified are dropped", async () => {
  const { company, ana, bob } = await meet();
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.received("bob") === 1);
  // A key that the server once vouched for, and that ana took.
  const { contacts } = ana.profile;
  const spki = Buffer.from(company.identity("bob").key);
  contacts.pin(contacts.ensure("bob"), { fingerprint: "f".repeat(64), spki }, 1);
  await compare(ana, bob);
  ana.messenger.answerVerification("bob", true);
  // One answer is not enough.
  expect([isVerified(ana, "bob"), isVerified(bob, "ana")]).toEqual([false, false]);
  bob.messenger.answerVerification("ana", true);
  await until(() => states(ana).includes("verified") && states(bob).includes("verified"));
  expect([isVerified(ana, "bob"), isVerified(bob, "ana")]).toEqual([true, true]);
  expect(states(ana)).toEqual(["waiting", "code", "verified"]);
  expect(pins(ana, "bob")).toEqual([fingerprint(bob.profile.keys.spki)]);
  bob.messenger.outbox.send("ana", "hola");
  await until(() => ana.texts("bob").length === 1);
});

test("who opens it is waited for, the other is told; a code that differs is told on both sides, and the next one waits longer", async () => {
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const { ana, bob } = await meet({ now });
  for (const [first, second] of [
    [ana, bob],
    [bob, ana],
  ] as const) {
    open(first, second.name);
    await until(() => states(second).at(-1) === "asked");
    expect(states(first).at(-1)).toBe("waiting");
    first.messenger.closeVerification(second.name);
    await until(() => states(second).at(-1) === "withdrawn");
    expect(states(first).at(-1)).toBe("closed");
  }
  // Nothing was revealed, so nothing waits.
  await compare(ana, bob);
  // A face at which it was not opened does not close it by leaving, nor one that is not the last.
  ana.messenger.openVerification("bob", OTHER_FACE);
  for (const face of [{}, OTHER_FACE]) ana.messenger.leaveVerification("bob", face);
  ana.messenger.answerVerification("bob", true);
  bob.messenger.answerVerification("ana", false);
  await until(() => states(ana).includes("wrong") && states(bob).includes("wrong"));
  expect([isVerified(ana, "bob"), isVerified(bob, "ana")]).toEqual([false, false]);
  for (const [person, other] of [
    [ana, "bob"],
    [bob, "ana"],
  ] as const) {
    const wrong = news(person).find(({ state }) => state === "wrong") as { retryAt?: number };
    expect((wrong.retryAt ?? 0) - now()).toBeWithin(1, 10_001);
    expect(open(person, other)).toEqual({ result: "too_soon", retry_after: expect.any(Number) });
  }
  ahead += 10_000;
  await compare(ana, bob);
  // Leaving without an answer has used a guess, too.
  ana.messenger.leaveVerification("bob", FACE);
  await until(() => states(bob).at(-1) === "ended");
  ahead += 59_000;
  expect(open(ana, "bob")).toMatchObject({ result: "too_soon" });
});

test("the loss of the link ends it once the code was shown, and only then", async () => {
  const { company, ana, bob } = await meet();
  open(ana, "bob");
  await until(() => states(bob).includes("asked"));
  await bob.close();
  await until(() => ana.of("disconnected").length === 1);
  expect(states(ana)).toEqual(["waiting"]);
  const back = await company.person("bob");
  open(back, "ana");
  await until(() => codeOf(ana) !== undefined && codeOf(ana) === codeOf(back));
  await back.close();
  await until(() => states(ana).at(-1) === "lost");
  expect(ana.messenger.answerVerification("bob", true)).toBe(false);
  expect(isVerified(ana, "bob")).toBe(false);
});

test("nobody is told of a stranger's, who is answered by opening it too; whom both have verified may write", async () => {
  const company = await Company.meet();
  companies.push(company);
  const ana = await company.person("ana", { who: "requests" });
  const bob = await company.person("bob", { who: "requests" });
  open(bob, "ana");
  await until(() => bob.of("connected").length > 0);
  await compare(ana, bob);
  expect(states(ana)).toEqual(["waiting", "code"]);
  for (const [person, other] of [
    [ana, "bob"],
    [bob, "ana"],
  ] as const)
    expect(person.messenger.answerVerification(other, true)).toBe(true);
  await until(() => isVerified(ana, "bob") && isVerified(bob, "ana"));
  expect(ana.messenger.archive.conversation("bob")?.state).toBe("contact");
  expect(bob.messenger.archive.conversation("ana")?.state).toBe("contact");
  expect(ana.of("contact")).toEqual([{ name: "contact", username: "bob", state: "contact" }]);
});

test("that somebody has opened it is told once they are accepted, and to who opens the chat later", async () => {
  const company = await Company.meet();
  companies.push(company);
  const ana = await company.person("ana", { who: "requests" });
  const bob = await company.person("bob", { who: "requests" });
  open(bob, "ana");
  await until(() => bob.of("connected").length > 0);
  expect(states(ana)).toEqual([]);
  ana.messenger.decisions.decide("bob", "accept");
  await until(() => states(ana).includes("asked"));
  expect(ana.messenger.openChat("bob").verification.isAsked).toBe(true);
  bob.messenger.closeVerification("ana");
  await until(() => states(ana).includes("withdrawn"));
  expect(ana.messenger.openChat("bob").verification.isAsked).toBe(false);
});

test("a verified person with a new key gets nothing and is not accepted, but verified anew", async () => {
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const { company, ana, bob } = await meet({ now });
  await compare(ana, bob);
  ana.messenger.answerVerification("bob", true);
  bob.messenger.answerVerification("ana", true);
  await until(() => states(ana).includes("verified"));
  const old = pins(ana, "bob");
  await bob.close();
  await until(() => ana.of("disconnected").length > 0);
  const moved = await company.person("bob", { folder: "new-machine", now });
  ana.messenger.outbox.send("bob", "for the bob that I know");
  moved.messenger.outbox.send("ana", "it is me");
  await until(() => ana.of("unreachable").length > 0 && ana.of("keyPending").length > 0);
  expect(ana.of("unreachable").at(-1)).toMatchObject({ reason: "verification_needed" });
  expect(ana.of("keyPending")).toMatchObject([{ username: "bob", isVerified: true }]);
  ana.messenger.archive.safetyNumbers.with("bob", { markShown: true });
  expect(ana.messenger.acceptKey("bob")).toEqual({ result: "verification_needed" });

  // A code that differs leaves all as it was.
  await compare(ana, moved);
  ana.messenger.answerVerification("bob", false);
  await until(() => states(moved).at(-1) === "wrong" && !moved.messenger.linkPresence("ana")?.isConnected);
  expect(pins(ana, "bob")).toEqual(old);
  expect([...ana.texts(), ...moved.texts()]).toEqual([]);

  ahead += 10_000;
  await compare(ana, moved);
  // On the link of the key that waits nothing else has passed.
  expect([...ana.texts(), ...moved.texts()]).toEqual([]);
  expect(ana.of("connected")).toHaveLength(1);
  ana.messenger.answerVerification("bob", true);
  moved.messenger.answerVerification("ana", true);
  await until(() => ana.received("bob") === 1 && moved.received("ana") === 1);
  expect(ana.texts("bob")).toEqual(["it is me"]);
  expect(moved.texts("ana")).toEqual(["for the bob that I know"]);
  expect(pins(ana, "bob")).toHaveLength(2);
});
