/** `admin add --from FILE` on a running and on a stopped server. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { openDatabase } from "../../src/server/database/database.ts";
import { Collected } from "./collected.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { loginOf, newPublicKey } from "./rendezvous-test-client.ts";
import { admin, encrypted } from "./server-admin-process.ts";
import { SERVER_PROGRAM, ServerHere, ServerProcess } from "./server-process.ts";

setDefaultTimeout(60_000);

const PASSWORD = /^(?:[a-z2-9]{5}-){3}[a-z2-9]{5}$/;

let db: string;
let list: string;
const running = folderForEachTest((path) => {
  db = join(path, "users.db");
  list = join(path, "class.csv");
});

test("makes the accounts of a list on a running server, and names those that it did not make", async () => {
  const server = new ServerHere(["--port", "0", "--tls-port", "0", "--db", db, "--register", "closed"]);
  running.push(server);
  await server.started();
  expect((await admin(db, "add", "benito")).code).toBe(0);
  writeFileSync(
    list,
    "name,email\nana,ana@example.org\nBenito,b@example.org\nx y,\ncarla,not an address\nANA\ndora\n",
  );
  const { code, stdout, stderr } = await admin(db, "--lang", "en", "add", "--from", list);
  expect(code).toBe(1);
  const made = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  expect(made).toEqual([
    ["ana", expect.stringMatching(PASSWORD)],
    ["dora", expect.stringMatching(PASSWORD)],
  ]);
  expect(stderr.split("\n")).toEqual([
    "3: Benito: That name is taken, or belonged to an account deleted less than 73 hours ago",
    expect.stringMatching(/^4: x y: Invalid name: 3 to 32 letters/),
    expect.stringMatching(/^5: carla: .*email/i),
    expect.stringMatching(/^6: ANA: That name is taken/),
    "Accounts made: 2 of 6; refused: 4",
    "",
  ]);
  const client = await encrypted(server);
  const login = await client.ask(
    loginOf("dora", { password: made[1]?.[1] ?? "", public_key: newPublicKey() }),
  );
  expect(login["code"]).toBe("ok");
  client.close();
  const users = (await admin(db, "users", "--json")).objects;
  expect(users.map(({ username, email }) => [username, email])).toEqual([
    ["ana", "ana@example.org"],
    ["benito", ""],
    ["dora", ""],
  ]);
});

test("a second run makes only what is missing, and programs read objects", async () => {
  (await openDatabase(db)).close();
  writeFileSync(list, "ana\n");
  expect(await admin(db, "add", "--from", list, "--lang", "es")).toMatchObject({
    code: 0,
    stderr: "Cuentas creadas: 1 de 1; rechazadas: 0\n",
  });
  writeFileSync(list, "ana\nbenito\n");
  const { code, objects } = await admin(db, "add", "--from", list, "--json", "--lang", "es");
  expect(code).toBe(1);
  expect(objects).toEqual([
    {
      event: "error",
      code: "username_taken",
      message: expect.stringContaining("ya existe"),
      line: 1,
      username: "ana",
    },
    { username: "benito", password: expect.stringMatching(PASSWORD) },
    { made: 1, refused: 1, unanswered: [], untried: [] },
  ]);
  const audit = readFileSync(`${db}.audit.jsonl`, "utf8").split("\n").slice(0, -1);
  expect(audit.map((line) => (JSON.parse(line) as { event: string; user: string }).user)).toEqual([
    "ana",
    "benito",
  ]);
});

test("a wrong line, and a file that is not there, change nothing", async () => {
  (await openDatabase(db)).close();
  writeFileSync(list, "ana\nbenito,b@x.org,oops\n");
  const wrong = { code: 2, stdout: "", stderr: `${list}:2: expected NAME,EMAIL\n` };
  expect(await admin(db, "add", "--from", list, "--lang", "en")).toMatchObject(wrong);
  const missing = { code: 1, stdout: "", stderr: `No se puede leer «${list}.none» (ENOENT)\n` };
  expect(await admin(db, "add", "--from", `${list}.none`, "--lang", "es")).toMatchObject(missing);
  expect((await admin(db, "users", "--json")).objects).toEqual([]);
});

test("a password that cannot be written ends it, and says whose it is and who was not tried", async () => {
  (await openDatabase(db)).close();
  writeFileSync(list, "ana\nbenito\ncarla\n");
  const full = openSync("/dev/full", "w");
  const child = Bun.spawn(
    [process.execPath, "run", SERVER_PROGRAM, "admin", "--lang", "en", "--db", db, "add", "--from", list],
    { stdin: "ignore", stdout: full, stderr: "pipe" },
  );
  const [code, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  closeSync(full);
  expect(code).toBe(1);
  expect(stderr.split("\n")).toEqual([
    "ana: The password could not be written: run “admin reset-password” (ENOSPC)",
    "Accounts made: 1 of 3; refused: 0; not tried: benito, carla",
    "",
  ]);
});

test("a server that ends meanwhile leaves nobody in doubt: made, not answered, not tried", async () => {
  const server = new ServerProcess(["--port", "0", "--tls-port", "0", "--db", db]);
  running.push(server);
  await server.started();
  const names = Array.from({ length: 40 }, (_, index) => `alumno${index}`);
  writeFileSync(list, names.join("\n"));
  const child = Bun.spawn(
    [process.execPath, "run", SERVER_PROGRAM, "admin", "--lang", "es", "--db", db, "add", "--from", list],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const stdout = Collected.of(child.stdout);
  await stdout.line((line) => line.startsWith("alumno1,"));
  server.kill("SIGKILL");
  const [code, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  await stdout.end;
  expect(code).toBe(1);
  const made = stdout.lines.map((line) => line.split(",")[0] ?? "");
  const [summary, reason] = stderr.split("\n");
  const [next = "", ...untried] = names.slice(made.length);
  expect(summary).toBe(
    `Cuentas creadas: ${made.length} de 40; rechazadas: 0; sin respuesta: ${next}; sin intentar: ${untried.join(", ")}`,
  );
  expect(reason).toStartWith("El servidor no ha respondido (");
  const stored = (await admin(db, "users", "--json")).objects.map(({ username }) => username);
  // What was not answered may have been made.
  expect(stored.filter((name) => name !== next).toSorted()).toEqual(made.toSorted());
});
