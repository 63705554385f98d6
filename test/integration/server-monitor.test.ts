/** What an operator sees over HTTP of a running server. */
import { describe, expect, test } from "bun:test";
import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { createLog } from "../../src/server/log/log.ts";
import { Metrics } from "../../src/server/metrics/metrics.ts";
import { startMonitor, type Monitor, type MonitorOptions } from "../../src/server/monitor/monitor.ts";
import { parseOpenMetrics, sampleOf } from "../open-metrics-parser.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { loginOf, registration } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";
import { ServerHere, temporaryFolder } from "./server-process.ts";

const cleanups = cleanupsForEachTest();

async function monitored(
  more: Partial<MonitorOptions> = {},
): Promise<{ server: TestServer; monitor: Monitor; url: string; log: string[] }> {
  const metrics = new Metrics();
  const log: string[] = [];
  const monitor = await startMonitor({
    host: "127.0.0.1",
    port: 0,
    metrics,
    log: createLog("json", Date.now, (line) => log.push(line)),
    ...more,
  });
  cleanups.push(() => monitor.stop());
  const server = await TestServer.start({ metrics });
  cleanups.push(() => server.stop());
  monitor.started(server.server);
  return { server, monitor, url: `http://127.0.0.1:${monitor.port}`, log };
}

function replaceByCopy(folder: string): void {
  cpSync(folder, `${folder}.copy`, { recursive: true });
  rmSync(folder, { recursive: true });
  renameSync(`${folder}.copy`, folder);
}

/** The response to a request that is written by hand. */
async function raw(port: number, request: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_socket, chunk) => void (answer += chunk.toString("latin1")),
      close: () => resolve(answer),
    },
  });
  socket.write(request);
  return promise;
}

describe("the metrics", () => {
  test("are valid OpenMetrics, and count what has happened", async () => {
    const { server, url } = await monitored();
    const client = await server.plain();
    await client.ask(registration("ana"));
    await client.ask(loginOf("ana", { password: "wrong password" }));
    await client.ask(loginOf("ana"));
    client.write("no json\n");
    await client.next();
    const other = await server.online("berta");
    await other.client.ask({ action: "request_p2p", target_user: "nobody" });
    const resumed = await server.tls();
    await resumed.ask({
      action: "resume",
      session_token: other.login["session_token"],
      p2p_port: 9001,
      public_key: other.key,
    });
    const silent = await server.tls();
    await silent.ask({ action: "get_users" });

    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get("content-type")).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    const families = parseOpenMetrics(await response.text());
    const value = (name: string, labels?: { [name: string]: string }) => sampleOf(families, name, labels);
    expect(value("paloma_users_online")).toBe(2);
    expect(value("paloma_connections", { link: "plain", logged_in: "true" })).toBe(1);
    expect(value("paloma_connections", { link: "plain", logged_in: "false" })).toBe(0);
    expect(value("paloma_connections", { link: "tls", logged_in: "true" })).toBe(1);
    expect(value("paloma_logins_total", { result: "ok" })).toBe(2);
    expect(value("paloma_logins_total", { result: "wrong" })).toBe(1);
    expect(value("paloma_logins_total", { result: "resumed" })).toBe(1);
    expect(value("paloma_logins_total", { result: "limited" })).toBe(0);
    expect(value("paloma_requests_total", { action: "register", code: "ok" })).toBe(1);
    expect(value("paloma_requests_total", { action: "login", code: "invalid_credentials" })).toBe(1);
    expect(value("paloma_requests_total", { action: "request_p2p", code: "user_offline" })).toBe(1);
    expect(value("paloma_requests_total", { action: "get_users", code: "not_logged_in" })).toBe(1);
    expect(value("paloma_requests_total", { action: "none", code: "bad_json" })).toBe(1);
    expect(value("paloma_request_seconds_count", { action: "login" })).toBe(3);
    expect(value("paloma_request_seconds_sum", { action: "login" })).toBeGreaterThan(0.001);
    expect(value("paloma_hash_seconds_count")).toBe(4);
    expect(value("paloma_hashes_waiting")).toBe(0);
    expect(value("paloma_hashes_running")).toBe(0);
    expect(value("paloma_database_seconds_count")).toBeGreaterThan(6);
    expect(value("paloma_dropped_connections_total", { reason: "slow_reader" })).toBe(0);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(value("process_start_time_seconds")).toBeWithin(Date.now() / 1_000 - 3_600, Date.now() / 1_000);
    expect(value("paloma_event_loop_delay_seconds", { quantile: "0.99" })).toBeGreaterThanOrEqual(0);
    expect(families.get("paloma_build")?.type).toBe("info");
  });

  test("show a freeze by a single callback to whoever asks next", async () => {
    const { url } = await monitored();
    const end = performance.now() + 300;
    while (performance.now() < end);
    const families = parseOpenMetrics(await (await fetch(`${url}/metrics`)).text());
    const longest = sampleOf(families, "paloma_event_loop_delay_seconds", { quantile: "1.0" });
    // The timer that measures may have been 20 ms away.
    expect(longest).toBeGreaterThan(0.25);
  });

  test("name nobody", async () => {
    const { server, url } = await monitored();
    await server.online("gertrudis");
    for (const path of ["/metrics", "/status.json", "/", "/readyz"]) {
      expect(await (await fetch(url + path)).text()).not.toInclude("gertrudis");
    }
  });

  test("come as samples of the last hour, from a number on", async () => {
    const { server, url } = await monitored({ interval: 40 });
    await server.online("ana");
    type Status = { next: number; samples: { at: number[]; online: number[]; loginsOk: number[] } };
    const ask = async (after: number) =>
      (await (await fetch(`${url}/status.json?after=${after}`)).json()) as Status;
    let status = await ask(0);
    while (status.next < 3 || status.samples.online.at(-1) !== 1) status = await ask(0);
    expect(status.samples.loginsOk.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(status.samples.at).toEqual([...status.samples.at].sort((a, b) => a - b));
    const more = await ask(status.next);
    expect(more.samples.at.length).toBe(more.next - status.next);
  });
});

describe("readiness", () => {
  test("begins when the server has started, and ends when it closes", async () => {
    const log = createLog("json", Date.now, () => undefined);
    const monitor = await startMonitor({ host: "127.0.0.1", port: 0, metrics: new Metrics(), log });
    cleanups.push(() => monitor.stop());
    const url = `http://127.0.0.1:${monitor.port}`;
    const ask = async (path: string) => {
      const response = await fetch(url + path);
      return [response.status, await response.text()];
    };
    expect(await ask("/readyz")).toEqual([503, "starting\n"]);
    expect(await ask("/healthz")).toEqual([200, "ok\n"]);
    parseOpenMetrics((await ask("/metrics"))[1] as string);
    const server = await TestServer.start();
    cleanups.push(() => server.stop());
    monitor.started(server.server);
    expect(await ask("/readyz")).toEqual([200, "ready\n"]);
    await server.stop();
    expect(await ask("/readyz")).toEqual([503, "closing\n"]);
    expect(await ask("/healthz")).toEqual([200, "ok\n"]);
  });

  test("ends when the database cannot be written, without blocking the server", async () => {
    const { server, url, log } = await monitored();
    // Another process holds the lock; a check that waited for it would wait as long as a write.
    const holder = Bun.spawn(
      [
        process.execPath,
        "-e",
        `const { Database } = require("bun:sqlite");
         globalThis.held = new Database(process.argv[1]); held.run("BEGIN IMMEDIATE");
         process.stdout.write("held"); setInterval(() => undefined, 1000);`,
        join(server.folder, "users.db"),
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
    );
    cleanups.push(async () => {
      holder.kill();
      await holder.exited;
    });
    await holder.stdout.getReader().read();
    const begun = performance.now();
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, "database_unavailable\n"]);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(log.join("")).toMatch(/"database_unavailable","code":"SQLITE_BUSY/);
    holder.kill();
    await holder.exited;
    let status = 503;
    while (status === 503) ({ status } = await fetch(`${url}/readyz`));
    expect(status).toBe(200);
  });

  test.each([
    ["deleted", (folder: string) => rmSync(folder, { recursive: true })],
    ["replaced by a copy", replaceByCopy],
  ])("ends when the database is %s, and nothing is acknowledged", async (_how, move) => {
    const { server, url, log } = await monitored();
    const client = await server.plain();
    await client.ask(registration("ana"));
    expect(await (await fetch(`${url}/readyz`)).text()).toBe("ready\n");
    move(server.folder);
    let status = 200;
    while (status === 200) ({ status } = await fetch(`${url}/readyz`));
    expect(status).toBe(503);
    expect(log.join("")).toContain('"database_unavailable","code":"SQLITE_READONLY_DBMOVED"');
    expect(await client.ask(registration("berta"))).toMatchObject({ success: false, code: "internal_error" });
    expect(await client.ask(loginOf("ana"))).toMatchObject({ success: false, code: "internal_error" });
    expect(server.log.join("")).toContain("users.db was deleted, moved or replaced while it was in use");
  });
});

describe("the HTTP server", () => {
  test("answers GET and HEAD of known paths", async () => {
    const { url } = await monitored();
    const head = await fetch(`${url}/metrics`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const response = await fetch(`${url}/metrics`, { method });
      expect([response.status, await response.text()]).toEqual([405, "method not allowed\n"]);
      expect(response.headers.get("allow")).toBe("GET, HEAD");
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    }
    const missing = await fetch(`${url}/etc/passwd`);
    expect([missing.status, await missing.text()]).toEqual([404, "not found\n"]);
    const odd = await fetch(`${url}/status.json?after=-1`);
    expect([odd.status, await odd.text()]).toEqual([400, "bad request\n"]);
  });

  test("refuses a page of another site that has its own name point here", async () => {
    const { monitor } = await monitored();
    const ask = async (host: string) =>
      (await raw(monitor.port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).slice(
        9,
        12,
      );
    const allowed = [
      "localhost",
      `localhost:${monitor.port}`,
      "LOCALHOST",
      "127.0.0.1:1",
      "[::1]:9",
      "192.0.2.7",
    ];
    for (const host of allowed) expect([host, await ask(host)]).toEqual([host, "200"]);
    const refused = [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "evil.example:80",
      "[::1",
    ];
    for (const host of refused) expect([host, (await ask(host))[0]]).toEqual([host, "4"]);
    const without = await raw(monitor.port, "GET /metrics HTTP/1.0\r\n\r\n");
    expect(without).not.toInclude("paloma");
  });

  test("takes no large body", async () => {
    const { url } = await monitored();
    const response = await fetch(`${url}/metrics`, { method: "POST", body: "x".repeat(100_000) });
    expect(response.status).toBeWithin(400, 500);
  });

  test("gives the page a policy that allows nothing but its own", async () => {
    const { url } = await monitored();
    const response = await fetch(url);
    const page = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(page.match(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/g)).toBeNull();
    expect(page.match(/ (?:style|on\w+)=/g)).toBeNull();
  });
});

describe("the program", () => {
  test("serves its metrics at the given port, and says where", async () => {
    const folder = temporaryFolder();
    cleanups.push(folder.remove);
    const program = new ServerHere([
      ...["--port", "0", "--tls-port", "0", "--metrics-port", "0", "--log", "json"],
      ...["--db", join(folder.path, "users.db")],
    ]);
    cleanups.push(() => program.end());
    await program.started();
    program.kill("SIGTERM");
    expect(await program.exited).toBe(0);
    expect(await program.stderr).toMatch(/"event":"monitor","url":"http:\/\/127\.0\.0\.1:\d+\/"/);
  });

  test("ends with one sentence if the port of its metrics stays in use", async () => {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    cleanups.push(() => taken.stop());
    const folder = temporaryFolder();
    cleanups.push(folder.remove);
    const database = join(folder.path, "users.db");
    const args = ["--port", "0", "--tls-port", "0", "--metrics-port", String(taken.port), "--lang", "en"];
    const program = new ServerHere([...args, "--db", database]);
    expect(await program.exited).toBe(1);
    expect(await program.stderr).toBe(`Port ${taken.port} is already in use\n`);
    expect(program.lines).toEqual([]);
  }, 15_000);
});
