/** Figures of the rendezvous server, a process of its own, over TLS on this machine's loopback. */
import { fold } from "../../src/identity/names.ts";
import { diallerContext, type TlsContext } from "../../src/net/tls.ts";
import { openDatabase } from "../../src/server/database.ts";
import { hashPassword, HASHES_AT_ONCE } from "../../src/server/passwords.ts";
import { Tokens } from "../../src/server/tokens.ts";
import { newAuthority, serverIdentity } from "../integration/loopback.ts";
import { loginOf, newPublicKey, PASSWORD } from "../integration/rendezvous-test-client.ts";
import { ServerProcess, temporaryFolder } from "../integration/server-process.ts";
import { BareConnection, BareListener, residentKib } from "./bare-echo.ts";
import { interleaved, perSecond, type Report } from "./figures.ts";

const USERS = 2_000;
const SERVER_NAME = "rendezvous.paloma";
/** Connections that dial and ask at the same time. */
const LANES = 16;
const ROUND_MS = 500;
const LOGIN_ROUND_MS = 1_000;
/** Lookups written at once, and those of one line of which each waits for its answer. */
const PIPELINED = 5_000;
const SINGLE = 1_000;
/** Idle connections before the ones that are counted: what the first ones cost is no connection's. */
const FIRST_IDLE = 200;

const PUBLIC_KEY = newPublicKey();

/** A database with `USERS` accounts; gives the token of each. */
async function makeUsers(path: string): Promise<string[]> {
  const database = await openDatabase(path);
  const store = new Tokens(database);
  const hash = await hashPassword(PASSWORD);
  const insert = database.query<{ id: number }, string[]>(
    "INSERT INTO users (username, password, fold) VALUES (?, ?, ?) RETURNING id",
  );
  const key = Buffer.from(PUBLIC_KEY, "base64");
  const tokens = database.transaction(() =>
    Array.from({ length: USERS }, (_, index) => {
      const name = `user${index}`;
      const { id } = insert.get(name, hash, fold(name)) as { id: number };
      return store.issue(id, key, Date.now()).token;
    }),
  )();
  database.close();
  return tokens;
}

function line(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

/** Asks, and throws unless the answer is a success. */
async function succeed(connection: BareConnection, request: string): Promise<void> {
  const answer = await connection.ask(request);
  if (!answer.includes('"success":true')) throw new Error(answer);
}

/** Dials a server and asks one thing. */
async function visit(port: number, context: TlsContext, request: string): Promise<void> {
  const connection = await BareConnection.dial(port, context);
  await succeed(connection, request);
  connection.close();
}

/** KiB that the process takes for each of `USERS` connections that `dial` leaves open. */
async function idleKib(
  pid: number,
  dial: (index: number) => Promise<BareConnection>,
): Promise<{ kib: number; open: BareConnection[] }> {
  const open: BareConnection[] = [];
  const fill = async (count: number) => {
    while (open.length < count) {
      const batch = Array.from({ length: Math.min(LANES, count - open.length) }, (_, lane) =>
        dial(open.length + lane),
      );
      open.push(...(await Promise.all(batch)));
    }
  };
  await fill(FIRST_IDLE);
  const before = residentKib(pid);
  await fill(USERS);
  return { kib: (residentKib(pid) - before) / (USERS - FIRST_IDLE), open };
}

async function benchLookups(ours: BareConnection, bare: BareConnection, report: Report): Promise<void> {
  const request = (index: number) =>
    line({ action: "request_p2p", target_user: `user${(index * 7) % USERS}`, id: index });
  const pipelined = Buffer.from(Array.from({ length: PIPELINED }, (_, index) => request(index)).join(""));
  const atOnce = async (connection: BareConnection) => {
    const begin = performance.now();
    await connection.exchange([pipelined], PIPELINED);
    return PIPELINED / ((performance.now() - begin) / 1_000);
  };
  const many = await interleaved(
    () => atOnce(ours),
    () => atOnce(bare),
  );
  report({ name: "lookups, pipelined on one connection", unit: "/s", ...many });

  const oneByOne = async (connection: BareConnection) => {
    const begin = performance.now();
    for (let index = 0; index < SINGLE; index++) await connection.exchange([Buffer.from(request(index))], 1);
    return SINGLE / ((performance.now() - begin) / 1_000);
  };
  const single = await interleaved(
    () => oneByOne(ours),
    () => oneByOne(bare),
  );
  report({ name: "lookups, one at a time", unit: "/s", ...single });
}

/** Logins, resumes and lookups a second, and the memory of a connection that only waits. */
export async function benchServer(report: Report): Promise<void> {
  const folder = temporaryFolder();
  const path = `${folder.path}/users.db`;
  const tokens = await makeUsers(path);
  const server = new ServerProcess(["--port", "0", "--tls-port", "0", "--db", path]);
  const authority = newAuthority();
  const bare = await BareListener.start({
    identity: serverIdentity(authority),
    answer: line({ action: "p2p_info", success: true, target_user: "user1", target_ip: "127.0.0.1" }),
  });
  const open: BareConnection[] = [];
  try {
    await server.started();
    const ours = server.tlsPort;
    const ca = await authorityOf(server);
    const ownContext = diallerContext({ authority: ca, serverName: SERVER_NAME });
    const bareContext = diallerContext({ authority: authority.certificatePem, serverName: SERVER_NAME });
    const resume = (index: number) =>
      line({
        action: "resume",
        session_token: tokens[index % USERS],
        p2p_port: 9001,
        public_key: PUBLIC_KEY,
      });

    let user = 0;
    const hash = await hashPassword(PASSWORD);
    const logins = await interleaved(
      () =>
        perSecond(LOGIN_ROUND_MS, HASHES_AT_ONCE + 1, () =>
          visit(ours, ownContext, line(loginOf(`user${user++ % USERS}`, { public_key: PUBLIC_KEY }))),
        ),
      () => perSecond(LOGIN_ROUND_MS, HASHES_AT_ONCE, () => Bun.password.verify(PASSWORD, hash)),
      3,
    );
    report({ name: "logins, dial included (bare: argon2id alone)", unit: "/s", ...logins });

    const resumes = await interleaved(
      () => perSecond(ROUND_MS, LANES, () => visit(ours, ownContext, resume(user++))),
      () => perSecond(ROUND_MS, LANES, () => visit(bare.port, bareContext, "{}\n")),
    );
    report({ name: "resumes, dial included (bare: dial and one line)", unit: "/s", ...resumes });

    const own = await idleKib(server.process.pid, async (index) => {
      const connection = await BareConnection.dial(ours, ownContext);
      await succeed(connection, resume(index));
      return connection;
    });
    open.push(...own.open);
    const other = await idleKib(bare.pid, async () => {
      const connection = await BareConnection.dial(bare.port, bareContext);
      await connection.ask("{}\n");
      return connection;
    });
    open.push(...other.open);
    report({
      name: `an idle logged-in connection, of ${USERS}`,
      unit: "KiB",
      ours: own.kib,
      bare: other.kib,
    });

    await benchLookups(own.open[0] as BareConnection, other.open[0] as BareConnection, report);
  } finally {
    for (const connection of open) connection.close();
    server.kill("SIGTERM");
    await Promise.all([server.exited, bare.stop()]);
    folder.remove();
  }
}

/** The authority's certificate, as the server itself gives it on its plain port. */
async function authorityOf(server: ServerProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.plainPort,
    socket: {
      data(_socket, chunk) {
        text += chunk.toString();
        if (text.endsWith("\n")) resolve((JSON.parse(text) as { authority: string }).authority);
      },
      close: () => reject(new Error("the server has closed")),
    },
  });
  socket.write(line({ action: "ping", id: 1 }));
  const authority = await promise;
  socket.end();
  return authority;
}
