/** The people of the soak: each does one thing again and again, by chance, until it is over. */
import type { TlsContext } from "../../src/net/tls.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";
import { seededRandom, type SeededRandom } from "../seeded-random.ts";
import { line, PUBLIC_KEY, userName } from "./server-program.ts";
import { Visitor, type Answer } from "./server-visitor.ts";

/** How many of each kind there are, all at the same time. */
const CAST: readonly (readonly [role: Role, count: number])[] = [
  [regular, 300],
  [passerBy, 20],
  [newcomer, 2],
  [forgetful, 2],
  [vandal, 3],
  [slowReader, 3],
  [slowWriter, 5],
  [silent, 20],
];
/** What a regular asks for before he leaves, at most, and how long he thinks before each, in ms. */
const MOST_REQUESTS = 200;
const MOST_THOUGHT = 400;
/** A passer-by and a silent one are gone after this, in ms. */
const SHORT_STAY = 3_000;
/** One that takes a password's hash rests so long at most, in ms: hashes are not what is tried here. */
const MOST_REST = 2_000;
/** What a slow reader asks for and does not read: more than may be queued to one connection. */
const UNREAD_REQUESTS = 2_000;
/** The server drops a slow one long before, in ms. */
const SLOW_PATIENCE = 30_000;
const MOST_WATCHED = 50;
const MOST_GARBAGE = 2_000;

/** What all of them share. */
export type Town = {
  readonly port: number;
  readonly context: TlsContext;
  /** Of each account; a login puts a new one in its place. */
  readonly tokens: string[];
  readonly counts: { answers: number; visits: number; losses: number };
  /** Answers that should not have come, the first few. */
  readonly surprises: string[];
  isOver(): boolean;
};

type Person = { readonly town: Town; readonly random: SeededRandom; readonly index: number };
type Role = (person: Person) => Promise<void>;

const MOST_SURPRISES = 20;

/** Begins; resolves when all have left after `town.isOver()`. */
export async function populate(town: Town, seed: number): Promise<void> {
  let number = 0;
  const lives = CAST.flatMap(([role, count]) =>
    Array.from({ length: count }, (_, index) =>
      live(role, { town, random: seededRandom(seed + number++), index }),
    ),
  );
  await Promise.all(lives);
}

async function live(role: Role, person: Person): Promise<void> {
  const { town, random } = person;
  await Bun.sleep(random.next() * SHORT_STAY);
  while (!town.isOver()) {
    town.counts.visits++;
    try {
      await role(person);
    } catch {
      // A connection that the server or the machine has ended is part of the plan, and counted.
      town.counts.losses++;
      await Bun.sleep(random.next() * 1_000);
    }
  }
}

async function ask(town: Town, visitor: Visitor, request: object, expected = "ok"): Promise<Answer> {
  const answer = await visitor.ask(request);
  town.counts.answers++;
  if (answer["code"] !== expected && town.surprises.length < MOST_SURPRISES) {
    town.surprises.push(`${JSON.stringify(request).slice(0, 100)}: ${JSON.stringify(answer).slice(0, 200)}`);
  }
  return answer;
}

function place(index: number): object {
  return { p2p_port: 9_001, public_key: PUBLIC_KEY, addresses: [`192.168.1.${index % 250}`] };
}

async function comeOnline({ town, index }: Person): Promise<Visitor> {
  const visitor = await Visitor.dial(town.port, town.context);
  await ask(town, visitor, { action: "resume", session_token: town.tokens[index], ...place(index) });
  return visitor;
}

async function regular(person: Person): Promise<void> {
  const { town, random, index } = person;
  const visitor = await comeOnline(person);
  const somebody = () => userName(random.integer(town.tokens.length));
  for (let left = random.integer(MOST_REQUESTS); left > 0 && !town.isOver(); left--) {
    await Bun.sleep(random.next() * MOST_THOUGHT);
    switch (random.integer(8)) {
      case 0:
        await ask(town, visitor, { action: "get_users", limit: 1 + random.integer(500) });
        break;
      case 1:
        await ask(town, visitor, { action: "get_users", prefix: "user", after: somebody() });
        break;
      case 2:
        await ask(town, visitor, { action: "ping" });
        break;
      case 3:
        await ask(town, visitor, {
          action: "watch",
          users: Array.from({ length: random.integer(MOST_WATCHED) }, somebody),
        });
        break;
      default: {
        const answer = await visitor.ask({ action: "request_p2p", target_user: somebody() });
        town.counts.answers++;
        if (answer["code"] === "ok" || answer["code"] === "user_offline") break;
        town.surprises.push(JSON.stringify(answer).slice(0, 200));
      }
    }
  }
  if (random.integer(50) > 0) {
    visitor.leave(random.pick(["end", "drop"]));
    return;
  }
  await ask(town, visitor, { action: "logout" });
  visitor.leave("end");
  const again = await Visitor.dial(town.port, town.context);
  const login = { action: "login", username: userName(index), password: PASSWORD, ...place(index) };
  town.tokens[index] = String((await ask(town, again, login))["session_token"]);
  again.leave("end");
}

/** Looks whether there is a server, is shown nobody, and goes. */
async function passerBy(person: Person): Promise<void> {
  const { town, random } = person;
  const visitor = await Visitor.dial(town.port, town.context);
  await ask(town, visitor, { action: "ping" });
  await ask(town, visitor, { action: "get_users" }, "not_logged_in");
  await Bun.sleep(random.next() * SHORT_STAY);
  visitor.leave(random.pick(["end", "drop"]));
}

async function newcomer({ town, random }: Person): Promise<void> {
  const visitor = await Visitor.dial(town.port, town.context);
  const username = `new${random.integer(2 ** 32).toString(36)}`;
  await ask(town, visitor, { action: "register", username, password: PASSWORD });
  await ask(town, visitor, { action: "login", username, password: PASSWORD, ...place(1) });
  await Bun.sleep(random.next() * MOST_REST);
  if (random.integer(2) === 0) await ask(town, visitor, { action: "delete_account", password: PASSWORD });
  visitor.leave(random.pick(["end", "drop"]));
}

async function forgetful({ town, random }: Person): Promise<void> {
  const visitor = await Visitor.dial(town.port, town.context);
  const username = random.integer(2) === 0 ? "nobody" : userName(random.integer(town.tokens.length));
  const login = { action: "login", username, password: `wrong ${random.integer(1_000)}`, p2p_port: 1 };
  await ask(town, visitor, login, "invalid_credentials");
  await Bun.sleep(random.next() * MOST_REST);
  visitor.leave(random.pick(["end", "drop"]));
}

async function vandal({ town, random }: Person): Promise<void> {
  const visitor = await Visitor.dial(town.port, town.context);
  for (let left = 1 + random.integer(12); left > 0; left--) {
    visitor.write(random.bytes(1 + random.integer(MOST_GARBAGE)));
    visitor.write("\n");
    await Bun.sleep(random.next() * 100);
  }
  visitor.leave("drop");
}

async function slowReader(person: Person): Promise<void> {
  const { town, random } = person;
  const visitor = await comeOnline({ ...person, index: town.tokens.length - 1 - person.index });
  visitor.pause();
  const request = line({ action: "get_users", limit: 500, id: "x" });
  for (let left = UNREAD_REQUESTS / 100; left > 0; left--) visitor.write(request.repeat(100));
  await Promise.race([visitor.closed, Bun.sleep(random.next() * SLOW_PATIENCE)]);
  visitor.leave("drop");
}

async function slowWriter({ town }: Person): Promise<void> {
  const visitor = await Visitor.dial(town.port, town.context);
  visitor.write('{"action": "pi');
  await Promise.race([visitor.closed, Bun.sleep(SLOW_PATIENCE)]);
  visitor.leave("drop");
}

/** A TCP connection that never shakes hands. */
async function silent({ town, random }: Person): Promise<void> {
  const nothing = () => undefined;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: town.port,
    socket: { data: nothing, error: nothing },
  });
  await Bun.sleep(random.next() * SHORT_STAY);
  socket.terminate();
}
