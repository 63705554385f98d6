/** The load of the soak: clients of several kinds, each of which repeats what it does until the soak is over. */
import type { TlsContext } from "../../src/net/tls.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";
import { seededRandom, type SeededRandom } from "../seeded-random.ts";
import { line, provenKey, userName } from "./server-program.ts";
import { SoakClient, type Answer } from "./soak-client.ts";

/** How many clients of each kind run at the same time. */
const CLIENTS: readonly (readonly [kind: Kind, count: number])[] = [
  [regularUser, 300],
  [unauthenticated, 20],
  [newUser, 2],
  [wrongPassword, 2],
  [garbageSender, 3],
  [slowReader, 3],
  [slowWriter, 5],
  [silent, 20],
];
/** Requests of a regular user before it leaves, at most, and the longest pause before each, in ms. */
const MAX_REQUESTS = 200;
const MAX_PAUSE = 400;
/** How long an unauthenticated or silent client stays at most, in ms. */
const SHORT_STAY = 3_000;
/** The longest pause of a client that costs a password's hash, in ms: hashes must not be the bottleneck. */
const MAX_HASH_PAUSE = 2_000;
/** Requests whose answers a slow reader does not read: more than may be queued for one connection. */
const UNREAD_REQUESTS = 2_000;
/** How long a slow client waits to be dropped, in ms: the server does so much earlier. */
const SLOW_STAY = 30_000;
const MAX_WATCHED = 50;
const MAX_GARBAGE = 2_000;

/** What all clients share. */
export type Soak = {
  readonly port: number;
  readonly context: TlsContext;
  /** Of each account; a login replaces it. */
  readonly tokens: string[];
  readonly counts: { answers: number; sessions: number; losses: number };
  /** The first few answers that are wrong. */
  readonly unexpected: string[];
  isOver(): boolean;
};

type Client = { readonly soak: Soak; readonly random: SeededRandom; readonly index: number };
type Kind = (client: Client) => Promise<void>;

const MAX_UNEXPECTED = 20;

/** Runs all clients; resolves when they have left after `soak.isOver()`. */
export async function runClients(soak: Soak, seed: number): Promise<void> {
  let number = 0;
  const running = CLIENTS.flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) =>
      repeat(kind, { soak, random: seededRandom(seed + number++), index }),
    ),
  );
  await Promise.all(running);
}

async function repeat(kind: Kind, client: Client): Promise<void> {
  const { soak, random } = client;
  await Bun.sleep(random.next() * SHORT_STAY);
  while (!soak.isOver()) {
    soak.counts.sessions++;
    try {
      await kind(client);
    } catch {
      // The server or the machine has ended the connection: expected, and counted.
      soak.counts.losses++;
      await Bun.sleep(random.next() * 1_000);
    }
  }
}

async function ask(soak: Soak, connection: SoakClient, request: object, expected = "ok"): Promise<Answer> {
  const answer = await connection.ask(request);
  soak.counts.answers++;
  if (answer["code"] !== expected && soak.unexpected.length < MAX_UNEXPECTED) {
    soak.unexpected.push(`${JSON.stringify(request).slice(0, 100)}: ${JSON.stringify(answer).slice(0, 200)}`);
  }
  return answer;
}

/** Logs in or resumes, with the proof of the key. */
async function askProven(
  soak: Soak,
  connection: SoakClient,
  request: object,
  index: number,
): Promise<Answer> {
  const key = provenKey(await ask(soak, connection, { action: "ping" }), connection.leaf);
  const place = { p2p_port: 9_001, addresses: [`192.168.1.${index % 250}`] };
  return ask(soak, connection, { ...request, ...place, ...key });
}

async function comeOnline({ soak, index }: Client): Promise<SoakClient> {
  const connection = await SoakClient.dial(soak.port, soak.context);
  await askProven(soak, connection, { action: "resume", session_token: soak.tokens[index] }, index);
  return connection;
}

async function regularUser(client: Client): Promise<void> {
  const { soak, random, index } = client;
  const connection = await comeOnline(client);
  const somebody = () => userName(random.integer(soak.tokens.length));
  for (let left = random.integer(MAX_REQUESTS); left > 0 && !soak.isOver(); left--) {
    await Bun.sleep(random.next() * MAX_PAUSE);
    switch (random.integer(8)) {
      case 0:
        await ask(soak, connection, { action: "get_users", limit: 1 + random.integer(500) });
        break;
      case 1:
        await ask(soak, connection, { action: "get_users", prefix: "user", after: somebody() });
        break;
      case 2:
        await ask(soak, connection, { action: "ping" });
        break;
      case 3:
        await ask(soak, connection, {
          action: "watch",
          users: Array.from({ length: random.integer(MAX_WATCHED) }, somebody),
        });
        break;
      default: {
        const answer = await connection.ask({ action: "request_p2p", target_user: somebody() });
        soak.counts.answers++;
        if (answer["code"] === "ok" || answer["code"] === "user_offline") break;
        soak.unexpected.push(JSON.stringify(answer).slice(0, 200));
      }
    }
  }
  if (random.integer(50) > 0) {
    connection.leave(random.pick(["end", "drop"]));
    return;
  }
  await ask(soak, connection, { action: "logout" });
  connection.leave("end");
  const again = await SoakClient.dial(soak.port, soak.context);
  const login = { action: "login", username: userName(index), password: PASSWORD };
  soak.tokens[index] = String((await askProven(soak, again, login, index))["session_token"]);
  again.leave("end");
}

/** Looks whether there is a server, is refused a list, and leaves. */
async function unauthenticated(client: Client): Promise<void> {
  const { soak, random } = client;
  const connection = await SoakClient.dial(soak.port, soak.context);
  await ask(soak, connection, { action: "ping" });
  await ask(soak, connection, { action: "get_users" }, "not_logged_in");
  await Bun.sleep(random.next() * SHORT_STAY);
  connection.leave(random.pick(["end", "drop"]));
}

async function newUser({ soak, random }: Client): Promise<void> {
  const connection = await SoakClient.dial(soak.port, soak.context);
  const username = `new${random.integer(2 ** 32).toString(36)}`;
  await ask(soak, connection, { action: "register", username, password: PASSWORD });
  await askProven(soak, connection, { action: "login", username, password: PASSWORD }, 1);
  await Bun.sleep(random.next() * MAX_HASH_PAUSE);
  if (random.integer(2) === 0) await ask(soak, connection, { action: "delete_account", password: PASSWORD });
  connection.leave(random.pick(["end", "drop"]));
}

async function wrongPassword({ soak, random }: Client): Promise<void> {
  const connection = await SoakClient.dial(soak.port, soak.context);
  const username = random.integer(2) === 0 ? "nobody" : userName(random.integer(soak.tokens.length));
  const login = { action: "login", username, password: `wrong ${random.integer(1_000)}`, p2p_port: 1 };
  await ask(soak, connection, login, "invalid_credentials");
  await Bun.sleep(random.next() * MAX_HASH_PAUSE);
  connection.leave(random.pick(["end", "drop"]));
}

async function garbageSender({ soak, random }: Client): Promise<void> {
  const connection = await SoakClient.dial(soak.port, soak.context);
  for (let left = 1 + random.integer(12); left > 0; left--) {
    connection.write(random.bytes(1 + random.integer(MAX_GARBAGE)));
    connection.write("\n");
    await Bun.sleep(random.next() * 100);
  }
  connection.leave("drop");
}

async function slowReader(client: Client): Promise<void> {
  const { soak, random } = client;
  const connection = await comeOnline({ ...client, index: soak.tokens.length - 1 - client.index });
  connection.pause();
  const request = line({ action: "get_users", limit: 500, id: "x" });
  for (let left = UNREAD_REQUESTS / 100; left > 0; left--) connection.write(request.repeat(100));
  await Promise.race([connection.closed, Bun.sleep(random.next() * SLOW_STAY)]);
  connection.leave("drop");
}

async function slowWriter({ soak }: Client): Promise<void> {
  const connection = await SoakClient.dial(soak.port, soak.context);
  connection.write('{"action": "pi');
  await Promise.race([connection.closed, Bun.sleep(SLOW_STAY)]);
  connection.leave("drop");
}

/** A TCP connection without a handshake. */
async function silent({ soak, random }: Client): Promise<void> {
  const nothing = () => undefined;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: soak.port,
    socket: { data: nothing, error: nothing },
  });
  await Bun.sleep(random.next() * SHORT_STAY);
  socket.terminate();
}
