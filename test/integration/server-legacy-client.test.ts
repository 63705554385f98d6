import { expect, test } from "bun:test";
import { join } from "node:path";

import { newPublicKey } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

test("a client written from the original document alone registers, logs in, lists 200 people and asks for one", async () => {
  const server = await TestServer.start();
  const names = Array.from({ length: 200 }, (_, index) => `persona_${String(index).padStart(3, "0")}`);
  await server.addAccounts(...names);
  const public_key = newPublicKey();
  for (const [index, name] of names.entries()) {
    const token = await server.token(name, public_key);
    const client = await server.tls();
    const resume = { action: "resume", session_token: token, p2p_port: 9000 + (index % 100), public_key };
    expect(await client.ask(resume)).toMatchObject({ code: "ok" });
  }
  const python = Bun.spawn(
    [
      "python3",
      join(import.meta.dir, "legacy_client.py"),
      String(server.plainPort),
      "usuario123",
      "persona_150",
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const result = JSON.parse(await new Response(python.stdout).text()) as {
    [name: string]: { [name: string]: unknown };
  };
  expect(result).toMatchObject({
    register: { action: "register_response", success: true, message: "Usuario registrado exitosamente" },
    twice: { action: "register_response", success: false },
    wrong: { action: "login_response", success: false },
    login: { action: "login_response", success: true, message: "Login exitoso", username: "usuario123" },
    users: { action: "users_list" },
    peer: { action: "p2p_info", target_user: "persona_150", target_ip: "127.0.0.1", target_port: 9050 },
    nobody: { action: "error", success: false },
    second: { action: "login_response", success: false, code: "already_connected" },
  });
  const users = result["users"]?.["users"] as { username: string; ip: string; p2p_port: number }[];
  expect(users.length).toBeGreaterThan(50);
  expect(users.map((user) => user.username)).toEqual(names.slice(0, users.length));
  expect(users[7]).toEqual({ username: "persona_007", ip: "127.0.0.1", p2p_port: 9007 });
  await server.stop();
}, 30_000);
