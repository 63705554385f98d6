/** What a server's log must not contain, and a log that cannot be written. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { loginOf, newPublicKey, PASSWORD, registration, TestClient } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";
import { temporaryFolder } from "./server-process.ts";

const PROGRAM = join(import.meta.dir, "../../server.ts");
const cleanups = cleanupsForEachTest();

/** Starts the program with standard error redirected by the shell. Resolves when it waits for connections. */
async function start(redirection: string): Promise<{ program: Bun.Subprocess; port: number }> {
  const folder = temporaryFolder();
  cleanups.push(folder.remove);
  const { PATH = "" } = process.env;
  const program = Bun.spawn(
    [
      ...["bash", "-c", `exec "$@" ${redirection}`, "bash"],
      ...[process.execPath, "run", PROGRAM, "--port", "0", "--tls-port", "0", "--meeting-port", "0"],
      ...["--db", join(folder.path, "users.db"), "--lang", "en"],
    ],
    { env: { PATH, HOME: folder.path }, stdin: "ignore", stdout: "pipe", stderr: "ignore" },
  );
  cleanups.push(async () => {
    program.kill("SIGKILL");
    await program.exited;
  });
  const decoder = new TextDecoder();
  let said = "";
  for await (const chunk of program.stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (said.includes("Waiting for connections")) break;
  }
  return { program, port: Number(/started on \S+:(\d+)/.exec(said)?.[1]) };
}

/** Causes events that are logged; the server must answer. */
async function servesAndEnds(program: Bun.Subprocess, port: number): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const client = await TestClient.connect(port);
    const answer = await client.ask(loginOf("nobody"));
    expect(answer["code"]).toBe("invalid_credentials");
    client.close();
  }
  program.kill("SIGTERM");
  expect(await program.exited).toBe(0);
}

test("goes on when the reader of its log has ended", async () => {
  const { program, port } = await start("2> >(exec true)");
  await servesAndEnds(program, port);
});

test.skipIf(!existsSync("/dev/full"))("goes on when the disk under its log is full", async () => {
  const { program, port } = await start("2> /dev/full");
  await servesAndEnds(program, port);
});

test("no password, token or key reaches the log, whatever goes wrong", async () => {
  const server = await TestServer.start();
  cleanups.push(() => server.stop());
  const secret = "muy secreta 71 ñ";
  const key = newPublicKey();
  const client = await server.tls();
  await client.ask(registration("ana", secret));
  await client.ask(loginOf("ana", { password: `${secret}!` }));
  const login = await client.ask(loginOf("ana", { password: secret, public_key: key }));
  const token = String(login["session_token"]);
  await client.ask({ action: "change_password", password: secret, new_password: `${secret}?` });
  await client.ask({ action: "change_password", password: secret, new_password: "short" });
  await client.ask({ action: "delete_account", password: "not the one" });
  const other = await server.tls();
  const resume = { action: "resume", session_token: token, p2p_port: 9001 };
  await other.ask({ ...resume, public_key: newPublicKey() });
  await other.ask({ ...resume, public_key: key });
  // An internal error.
  server.database.run("DROP TABLE tokens");
  await (await server.tls()).ask({ ...resume, public_key: key });
  const log = server.log.join("");
  expect(log).toInclude("internal_error");
  expect(log).toMatch(/"request":"\d+-\d+"/);
  for (const hidden of [secret, "muy secreta", "not the one", "short", token, key, PASSWORD]) {
    expect(log).not.toInclude(hidden);
  }
  for (const line of server.log) expect(() => JSON.parse(line)).not.toThrow();
});
