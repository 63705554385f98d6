import { expect, test } from "bun:test";

import { PrivacyStore } from "../../../src/client/profile/privacy.ts";
import { withStores } from "../test-profile.ts";

test("everybody is told until something else is chosen, and one person's own choice comes first", () =>
  withStores(({ database, contacts }) => {
    const privacy = new PrivacyStore(database);
    const [ana, benito] = [contacts.ensure("ana"), contacts.ensure("benito")];
    const told = () =>
      [ana, benito].map((each) => [privacy.tells("read", each), privacy.tells("typing", each)]);
    expect(told()).toEqual([
      [true, true],
      [true, true],
    ]);
    privacy.choose("read", "off");
    privacy.choose("read", "on", ana);
    privacy.choose("typing", "off", benito);
    expect(told()).toEqual([
      [true, true],
      [false, false],
    ]);
    privacy.choose("read", "on");
    privacy.choose("read", "off", ana);
    privacy.choose("typing", "default", benito);
    expect(told()).toEqual([
      [false, true],
      [true, true],
    ]);
    expect([privacy.chosen("read"), privacy.chosen("read", ana), privacy.chosen("read", benito)]).toEqual([
      "on",
      "off",
      "default",
    ]);
    privacy.choose("read", "default");
    expect(privacy.chosen("read")).toBe("default");
  }));
