import { describe, expect, test } from "bun:test";

import { invitationChain, MAX_CHAIN, readInvitation } from "../../../src/client/group/invitation.ts";
import { rawEntry, signEntry, type GroupEntry, type RawEntry } from "../../../src/identity/group-entry.ts";
import { addBody, NO_ID, testKey } from "../../identity/group-keys.ts";
import { ANA, EVA, GroupScene, LUIS, PEPA, type Feed } from "./group-scene.ts";

/** ana adds eva, who adds luis. */
function scene(): { founder: Feed; eva: Feed; luis: Feed; chain: RawEntry[] } {
  const { founder } = new GroupScene(ANA, { adds: "all" });
  const eva = founder.bring(EVA);
  founder.bring(PEPA);
  const luis = eva.add(LUIS);
  return { founder, eva, luis, chain: chainOf(luis)?.map(rawEntry) ?? [] };
}

function chainOf({ scene, id }: Feed): GroupEntry[] | undefined {
  return invitationChain(scene.view(), scene.entries, id);
}

describe("the chain that admits somebody", () => {
  test("is the create, and who added whom", () => {
    const { founder, eva, luis, chain } = scene();
    expect(chainOf(luis)?.map(({ id }) => id)).toEqual([founder.id, eva.id, luis.id]);
    const invitation = readInvitation(founder.id, luis.id, chain, LUIS.named.spki);
    expect(invitation).toMatchObject({ title: "Familia", history: "all", by: { name: "eva" } });
    expect(invitation?.by.spki.equals(EVA.spki)).toBe(true);
    expect([invitation?.create.id, invitation?.add.id]).toEqual([founder.id, luis.id]);
  });

  test("is there for nobody whose add does not count", () => {
    const { founder, eva, luis } = scene();
    founder.end(eva, 1, 0);
    expect(chainOf(luis)).toBeUndefined();
  });

  test("is never longer than its message allows", () => {
    const { founder } = new GroupScene(ANA, { adds: "all" });
    let last = founder;
    let added = 0;
    for (let next: Feed = founder; next.term !== undefined; added++) {
      last = next;
      next = last.bring(testKey(`person-${added}`), added < 7 ? "admin" : "member");
    }
    const chain = chainOf(last) ?? [];
    expect([chain.length, added]).toEqual([59, 59]);
    const key = last.key.named.spki;
    expect(readInvitation(founder.id, last.id, chain.map(rawEntry), key)).toBeDefined();
  });

  test("admits one key, as one term of one group", () => {
    const { founder, eva, luis, chain } = scene();
    const read = (group: string, feed: string, key: string, entries = chain) =>
      readInvitation(group, feed, entries, key);
    expect(read(founder.id, luis.id, EVA.named.spki)).toBeUndefined();
    expect(read(founder.id, eva.id, LUIS.named.spki)).toBeUndefined();
    expect(read(NO_ID, luis.id, LUIS.named.spki)).toBeUndefined();
    expect(read(founder.id, eva.id, EVA.named.spki, chain.slice(0, 2))).toBeDefined();
    expect(read(founder.id, founder.id, ANA.named.spki, chain.slice(0, 1))).toBeUndefined();
  });

  test("is refused with a link that is missing, doubled, stripped, in another place, or signed by another key", () => {
    const { founder, eva, luis, chain } = scene();
    const [create, add, last] = chain as [RawEntry, RawEntry, RawEntry];
    const add2 = chainOf(founder.bring(EVA))?.map(rawEntry)[1] as RawEntry;
    const fields = { ...eva.next(), kind: "add", at: 2_000 };
    const forged = signEntry(founder.id, fields, addBody(LUIS), LUIS.key);
    const other = new GroupScene(ANA).entries.map(rawEntry)[0] as RawEntry;
    const wrong: readonly (readonly RawEntry[])[] = [
      [],
      [create, last],
      [add, last],
      [create, add, add, last],
      [create, last, add],
      [create, create, add, last],
      [create, add2, last],
      [other, add, last],
      [create, [add[0], add[1], null], last],
      [create, [add[0], create[1], add[2]], last],
      [[create[0], add[1], create[2]], add, last],
      Array.from({ length: MAX_CHAIN + 1 }, () => create),
    ];
    for (const entries of wrong)
      expect(readInvitation(founder.id, luis.id, entries, LUIS.named.spki)).toBeUndefined();
    const forgery = [create, add, rawEntry(forged)];
    expect(readInvitation(founder.id, forged.id, forgery, LUIS.named.spki)).toBeUndefined();
  });
});
