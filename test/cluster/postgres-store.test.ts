import { afterAll, beforeAll, describe } from "bun:test";

import { PostgresStore, REVOCATION_MARGIN } from "../../src/server/store/postgres-store.ts";
import { testStore } from "../server/store/store-contract.ts";
import { skipped, startPostgres, whyNoPostgres } from "./engines.ts";

const noPostgres = whyNoPostgres();

describe.skipIf(noPostgres !== undefined)(`a PostgreSQL store${skipped(noPostgres)}`, () => {
  let engine: Awaited<ReturnType<typeof startPostgres>>;
  beforeAll(async () => {
    engine = await startPostgres();
  });
  afterAll(() => engine.remove());

  testStore(async () => {
    const url = engine.url("postgres");
    const sql = new Bun.SQL(url, { max: 1 });
    await sql.unsafe("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    const opened: PostgresStore[] = [];
    return {
      margin: REVOCATION_MARGIN,
      async open(now) {
        const store = await PostgresStore.open(url, { now });
        opened.push(store);
        return store;
      },
      async fill(count, newest, labelOf) {
        const labels = Array.from({ length: count }, (_, index) => labelOf(index));
        await sql`
          INSERT INTO revocations SELECT label, ${newest}::bigint + 1 - place, NULL, false
          FROM unnest(${sql.array(labels, "TEXT")}) WITH ORDINALITY AS made(label, place)`;
      },
      async remove() {
        for (const store of opened) await store.close();
        await sql.close();
      },
    };
  });
});
