import { describe, expect, test } from "bun:test";

import { listPeople } from "../../src/client/people.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { label } from "../../src/identity/names.ts";
import type { UserEntry } from "../../src/protocol/rendezvous-messages.ts";
import { arriving } from "./message-scene.ts";
import { ACCOUNT, inTemporaryFolder } from "./test-profile.ts";
import { RefusedError, ServerError } from "../../src/client/rendezvous/server-errors.ts";

type Source = Parameters<typeof listPeople>[0] & { readonly profile: Profile };

const entry = (username: string, secure?: boolean): UserEntry => ({
  username,
  ip: "192.0.2.1",
  p2p_port: 9_000,
  ...(secure === undefined ? {} : { secure }),
});

const NOW = Date.UTC(2027, 0, 15);
const STRANGER = { state: "stranger", request: undefined, verified: false } as const;
const UNLINKED = {
  ...STRANGER,
  last_seen: undefined,
  muted_until: undefined,
  draft: undefined,
  connected: false,
  silent_since: undefined,
};
const HEARD_NOW = { ...UNLINKED, last_seen: new Date(NOW).toISOString() };

/** Runs `use` with Berta's new profile and a server that answers with `users`. */
function withSource(
  users: () => Promise<UserEntry[]>,
  use: (source: Source) => Promise<void>,
): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const profile = Profile.open(folder, ACCOUNT);
    try {
      await use({
        username: profile.username,
        profile,
        users,
        shown: { held: [] },
        linkPresence: () => undefined,
      });
    } finally {
      profile.close();
    }
  });
}

function receive({ profile }: Source, name: string, ...ids: string[]): void {
  const incoming = ids.map((id) => arriving(id));
  profile.messages.commitRead(
    profile.contacts.ensure(name),
    { incoming, acknowledged: [], readUpTo: undefined },
    NOW,
  );
}

describe("the people of an account", () => {
  test("are everybody online and everybody with a conversation, each once, sorted by the name's fold", () =>
    withSource(
      async () => [entry("Zoe"), entry("ana", false), entry("ÑANDÚ", true), entry("Carla")],
      async (source) => {
        receive(source, "ñandú", "1", "2");
        receive(source, "beto", "3");
        source.profile.contacts.ensure("never written to");
        expect(await listPeople(source)).toEqual({
          failure: undefined,
          people: [
            { username: "ana", label: label("ana"), online: true, secure: false, unread: 0, ...UNLINKED },
            { username: "beto", label: label("beto"), online: false, secure: true, unread: 1, ...HEARD_NOW },
            { username: "Carla", label: label("carla"), online: true, secure: true, unread: 0, ...UNLINKED },
            { username: "Zoe", label: label("zoe"), online: true, secure: true, unread: 0, ...UNLINKED },
            { username: "ÑANDÚ", label: label("ñandú"), online: true, secure: true, unread: 2, ...HEARD_NOW },
          ],
        });
      },
    ));

  test("are what was decided about them, also without a message", () =>
    withSource(
      async () => [entry("ana"), entry("beto"), entry("carla")],
      async (source) => {
        const { consents, contacts } = source.profile;
        consents.block(contacts.ensure("ana"));
        consents.accept(contacts.ensure("beto"));
        const { people } = await listPeople(source);
        expect(people.map(({ state }) => state)).toEqual(["blocked", "contact", "stranger"]);
      },
    ));

  test("are contacts without a message too, online or not", () =>
    withSource(
      async () => [],
      async (source) => {
        const { consents, contacts } = source.profile;
        for (const name of ["ana", "beto", "carla"]) consents.accept(contacts.ensure(name));
        consents.block(contacts.ensure("beto"));
        consents.remove(contacts.ensure("carla"));
        const { people } = await listPeople(source);
        expect(people).toMatchObject([{ username: "ana", online: false, state: "contact" }]);
        expect(people).toHaveLength(1);
      },
    ));

  test("are connected by a link of a contact, and not of a stranger", () =>
    withSource(
      async () => [],
      async (source) => {
        const { consents, contacts } = source.profile;
        receive(source, "ana", "1");
        receive(source, "beto", "2");
        consents.accept(contacts.ensure("beto"));
        const linkPresence = () => ({
          isConnected: true,
          way: undefined,
          silentSince: undefined,
          heardAt: NOW,
        });
        const { people } = await listPeople({ ...source, username: source.username, linkPresence });
        expect(people.map(({ connected }) => connected)).toEqual([false, true]);
      },
    ));

  test("were last heard of when a text came, or when something came on a link after that", () =>
    withSource(
      async () => [],
      async (source) => {
        receive(source, "ana", "1");
        receive(source, "beto", "2");
        const link = { isConnected: false, way: undefined, silentSince: undefined, heardAt: NOW + 60_000 };
        const linkPresence = (username: string) => (username === "beto" ? link : undefined);
        const { people } = await listPeople({ ...source, username: source.username, linkPresence });
        expect(people.map(({ last_seen }) => Date.parse(last_seen ?? ""))).toEqual([NOW, NOW + 60_000]);
      },
    ));

  test("include those with a draft, and say who is quiet", () =>
    withSource(
      async () => [entry("Carla")],
      async (source) => {
        const { contacts, drafts } = source.profile;
        const until = Date.now() + 60_000;
        drafts.save(contacts.ensure("dora"), ["hola ", "y\nadiós"]);
        contacts.mute(contacts.ensure("Carla"), until);
        const { people } = await listPeople(source);
        // Nobody who was only met has a row; Carla has one, since she is online.
        expect(people).toMatchObject([
          { username: "Carla", muted_until: undefined, draft: undefined },
          {
            username: "dora",
            online: false,
            state: "stranger",
            muted_until: undefined,
            draft: "hola y\nadiós",
          },
        ]);
        receive(source, "Carla", "1");
        const [carla] = (await listPeople(source)).people;
        expect(carla).toMatchObject({ muted_until: new Date(until).toISOString(), draft: undefined });
      },
    ));

  test("do not include oneself, nor a person twice, whatever the server lists", () =>
    withSource(
      async () => [entry("BERTA"), entry("Ana"), entry("ANA")],
      async (source) => {
        const { people } = await listPeople(source);
        expect(people.map((person) => person.label)).toEqual([label("ana")]);
      },
    ));

  const failures = [
    ["not at all", new ServerError("server_unreachable")],
    ["with a refusal", new RefusedError("rate_limited", "Too fast.", 3)],
  ] as const;
  test.each(failures)("are the contacts alone, with the failure, when the server answers %s", (_, failure) =>
    withSource(
      () => Promise.reject(failure),
      async (source) => {
        receive(source, "beto", "1");
        expect(await listPeople(source)).toEqual({
          failure,
          people: [
            {
              username: "beto",
              label: label("beto"),
              online: undefined,
              secure: true,
              unread: 1,
              ...HEARD_NOW,
            },
          ],
        });
      },
    ),
  );

  test("are not listed when the error is a bug", () =>
    withSource(
      () => Promise.reject(new TypeError("a fault of ours")),
      async (source) => {
        await expect(listPeople(source)).rejects.toThrow("a fault of ours");
      },
    ));
});
