import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LASTING } from "../../src/client/rendezvous/return-schedule.ts";
import { checkShared } from "../../src/server/shared/open-shared.ts";
import { openPerson, type Person, until as untilEvent } from "../integration/messenger-pair.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";
import { skipped, startPostgres, startRedis, whyNoPostgres, whyNoRedis } from "./engines.ts";
import { PostgresServer } from "./postgres-server.ts";
import { until } from "./seats-node.ts";
import { Tunnel } from "./tunnel.ts";

const reason = whyNoPostgres() ?? whyNoRedis();
const SERVERS = 3;
const PAIRS = 6;
/** Texts of each person before, during and after each restart. */
const TEXTS = 3;

describe.skipIf(reason !== undefined)(`three servers behind a balancer${skipped(reason)}`, () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis("--requirepass", "s3creto")]);
  });
  afterAll(() => Promise.all([postgres.remove(), redis.remove()]));

  test("are restarted one by one while people chat: no text is lost, nobody is asked for a password again", async () => {
    const shared = `redis://:s3creto@127.0.0.1:${redis.port}`;
    const start = () => PostgresServer.start(postgres.url("postgres"), shared);
    const servers: PostgresServer[] = [];
    for (let index = 0; index < SERVERS; index++) servers.push(await start());
    let turn = 0;
    const balancer = await Tunnel.open(() => servers[turn++ % servers.length]?.server.tls.port ?? 0);
    const folder = mkdtempSync(join(tmpdir(), "paloma-rolling-"));
    let asked = 0;
    const people: Person[] = [];
    const open = async (name: string): Promise<Person> => {
      await servers[0]?.add(name);
      const person = await openPerson(name, {
        dataFolder: join(folder, name),
        port: balancer.port,
        async password() {
          asked++;
          return PASSWORD;
        },
      });
      people.push(person);
      await person.account.connect();
      person.messenger.rendezvous.keepOnline();
      return person;
    };
    const sent = new Map<Person, string[]>(people.map((each) => [each, []]));
    const chat = () => {
      for (const [index, person] of people.entries()) {
        const other = people[index ^ 1] as Person;
        const texts = sent.get(person) ?? [];
        sent.set(person, texts);
        for (let count = 0; count < TEXTS; count++) {
          const text = `${person.name} ${texts.length}`;
          texts.push(text);
          person.messenger.outbox.send(other.name, text);
        }
      }
    };
    const allArrived = () =>
      people.every((person, index) => {
        const other = people[index ^ 1] as Person;
        return other.texts(person.name).length === (sent.get(person)?.length ?? 0);
      });
    const allOnline = () => servers.every(({ server }) => server.services.presence.size === people.length);
    try {
      for (let pair = 0; pair < PAIRS; pair++) {
        const [one, other] = [await open(`uno${pair}`), await open(`dos${pair}`)];
        one.accept(other.name);
        other.accept(one.name);
      }
      chat();
      await untilEvent(allArrived);
      for (let index = 0; index < SERVERS; index++) {
        // To a client a server that goes sooner after it came is one that hangs up: it returns more slowly.
        const since = performance.now();
        if (index > 0) await until(() => performance.now() - since >= LASTING);
        const [stopped] = servers.splice(0, 1);
        chat();
        await stopped?.stop();
        chat();
        await until(allOnline);
        servers.push(await start());
        chat();
        await untilEvent(allArrived);
        await until(allOnline);
      }
      for (const [index, person] of people.entries()) {
        expect((people[index ^ 1] as Person).texts(person.name)).toEqual(sent.get(person) ?? []);
      }
      expect(asked).toBe(people.length);
    } finally {
      await Promise.all(people.map((person) => person.close()));
      await Promise.all(servers.map((server) => server.stop()));
      balancer.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("a Valkey that cannot be used is refused in a sentence, without its password", async () => {
    const warned: string[] = [];
    const log = { warn: (event: string) => void warned.push(event) };
    await checkShared(`redis://:s3creto@127.0.0.1:${redis.port}`, log);
    expect(warned).toEqual([]);
    for (const url of [`redis://:otra@127.0.0.1:${redis.port}`, "redis://:s3creto@127.0.0.1:1"]) {
      const { message } = await checkShared(url, log).then(
        () => new Error("it was accepted"),
        (error: Error) => error,
      );
      expect(message).toContain("Cannot use “redis://127.0.0.1:");
      expect(message).not.toMatch(/s3creto|otra/);
    }
  });
});
