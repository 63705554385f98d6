/** One command of the operator, and clients of the server that it is for. */
import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { TestClient, loginOf, newPublicKey, type Message } from "./rendezvous-test-client.ts";
import { ServerHere, ServerProcess, type Server } from "./server-process.ts";

export type Answer = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The objects of standard output, with `--json`. */
  readonly objects: Message[];
};

/** Runs a command in this process. */
export function admin(db: string, ...args: string[]): Promise<Answer> {
  return answer(new ServerHere(["admin", "--db", db, ...args]), args);
}

/** As `admin`, as a process of its own: this one goes on meanwhile. */
export function adminApart(db: string, ...args: string[]): Promise<Answer> {
  return answer(new ServerProcess(["admin", "--db", db, ...args]), args);
}

async function answer(command: Server, args: readonly string[]): Promise<Answer> {
  const [code, stderr] = await Promise.all([command.exited, command.stderr]);
  const { text: stdout, lines } = command.stdout;
  const objects = args.includes("--json") ? lines.map((line) => JSON.parse(line) as Message) : [];
  return { code, stdout, stderr, objects };
}

/** A client over TLS. */
export async function encrypted(server: Server): Promise<TestClient> {
  const plain = await TestClient.connect(server.plainPort);
  const ca = (await plain.ask({ action: "ping" }))["authority"] as string;
  plain.close();
  return TestClient.connect(server.tlsPort, { tls: { ca, serverName: RENDEZVOUS_DNS_NAME } });
}

export type Online = { readonly client: TestClient; readonly token: string; readonly key: string };

/** Someone who is logged in over TLS. @throws when that is refused */
export async function online(server: Server, name: string, more: Message = {}): Promise<Online> {
  const client = await encrypted(server);
  const key = newPublicKey();
  const login = await client.ask(loginOf(name, { public_key: key, ...more }));
  if (login["code"] !== "ok") throw new Error(JSON.stringify(login));
  return { client, token: login["session_token"] as string, key };
}

/** Comes back with a token; gives the answer. */
export async function comeBack(server: Server, { token, key }: Online): Promise<Message> {
  const client = await encrypted(server);
  const answer = await client.ask({
    action: "resume",
    session_token: token,
    public_key: key,
    p2p_port: 9001,
  });
  client.close();
  return answer;
}
