import { expect, test } from "bun:test";

import { RevocationStore } from "../../../src/client/profile/revocations.ts";
import { RevocationReader, type ToldRevocations } from "../../../src/client/rendezvous/revocation-reader.ts";
import { ServerError } from "../../../src/client/rendezvous/server-errors.ts";
import { MessageScene } from "../message-scene.ts";
import { inTemporaryFolder } from "../test-profile.ts";

const NOON = Date.UTC(2027, 0, 15, 12);
const PAGE = 3;

const labelOf = (number: number) => number.toString(16).padStart(40, "0");

/** A server that has made so many revocations, one a second, in pages of three. */
class Server {
  count = 0;
  /** Pages that it still answers; then the link is lost. */
  left = Infinity;
  asked = 0;

  page(after = String(this.count)): ToldRevocations {
    const from = Number(after);
    const numbers = Array.from({ length: Math.min(PAGE, from) }, (_, index) => from - 1 - index);
    const revoked = numbers.map((number) => ({
      label: labelOf(number),
      before: NOON / 1_000 + number,
      except: undefined,
    }));
    return { revoked, next: from > PAGE ? String(from - PAGE) : undefined };
  }

  readonly link = {
    request: async (_action: string, { after }: { after?: string }) => {
      if (this.left-- <= 0) throw new ServerError("server_unreachable");
      this.asked++;
      return this.page(after) as never;
    },
  };
}

const withReader = (
  use: (reader: RevocationReader, server: Server, store: RevocationStore) => Promise<void>,
) =>
  inTemporaryFolder(async (folder) => {
    const { database } = new MessageScene(folder);
    const store = new RevocationStore(database);
    await use(new RevocationReader(store, () => undefined), new Server(), store);
    database.close();
  });

test("a link that is lost between two pages loses none: the next login reads the rest", () =>
  withReader(async (reader, server, store) => {
    const logIn = async () => {
      reader.loggedIn(server.link, server.page(), NOON);
      await reader.readRest();
    };
    server.count = 10;
    await logIn();
    expect(store.size).toBe(10);
    for (const pages of [0, 1, 2]) {
      server.count += 12;
      server.left = pages;
      await logIn();
      expect(store.size).toBeLessThan(server.count);
      server.left = Infinity;
      await logIn();
      expect(store.size).toBe(server.count);
    }
  }));

test("after all were read, a login reads up to the first page without a new one", () =>
  withReader(async (reader, server, store) => {
    server.count = 30;
    reader.loggedIn(server.link, server.page(), NOON);
    await reader.readRest();
    expect(server.asked).toBe(9);
    for (const [more, pages] of [
      [0, 0],
      [4, 2],
      [0, 0],
    ] as const) {
      server.count += more;
      server.asked = 0;
      reader.loggedIn(server.link, server.page(), NOON);
      await reader.readRest();
      expect(server.asked).toBe(pages);
      expect(store.size).toBe(server.count);
    }
  }));
