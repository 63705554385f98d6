/** One command of the operator as a process of its own. */
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { TestClient, loginOf, newPublicKey, type Message } from "./rendezvous-test-client.ts";
import type { ServerProcess } from "./server-process.ts";

const PROGRAM = join(import.meta.dir, "../../server.ts");

export type Answer = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The objects of standard output, with `--json`. */
  readonly objects: Message[];
};

export async function admin(db: string, ...args: string[]): Promise<Answer> {
  const { PATH = "", HOME = tmpdir() } = process.env;
  const child = Bun.spawn([process.execPath, "run", PROGRAM, "admin", "--db", db, ...args], {
    env: { PATH, HOME },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const lines = args.includes("--json") ? stdout.split("\n").slice(0, -1) : [];
  return { code, stdout, stderr, objects: lines.map((line) => JSON.parse(line) as Message) };
}

/** A client over TLS. */
export async function encrypted(server: ServerProcess): Promise<TestClient> {
  const plain = await TestClient.connect(server.plainPort);
  const ca = (await plain.ask({ action: "ping" }))["authority"] as string;
  plain.close();
  return TestClient.connect(server.tlsPort, { tls: { ca, serverName: RENDEZVOUS_DNS_NAME } });
}

export type Online = { readonly client: TestClient; readonly token: string; readonly key: string };

/** Someone who is logged in over TLS. @throws when that is refused */
export async function online(server: ServerProcess, name: string, more: Message = {}): Promise<Online> {
  const client = await encrypted(server);
  const key = newPublicKey();
  const login = await client.ask(loginOf(name, { public_key: key, ...more }));
  if (login["code"] !== "ok") throw new Error(JSON.stringify(login));
  return { client, token: login["session_token"] as string, key };
}

/** Comes back with a token; gives the answer. */
export async function comeBack(server: ServerProcess, { token, key }: Online): Promise<Message> {
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
