import { expect, test } from "bun:test";

import { shownServer } from "../../src/server/place.ts";
import { UsageError } from "../../src/protocol/options.ts";
import { chosenLanguage } from "../../src/protocol/language.ts";
import { readConfig } from "../../src/server/config.ts";
import { DEFAULT_LIMITS, DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";

test("without flags the server listens on 8080 for this machine and on 8443 for all", () => {
  expect(readConfig([], {}, "es")).toEqual({
    name: "run",
    config: {
      host: undefined,
      port: 8080,
      plainFrom: "loopback",
      tlsPort: 8443,
      balancers: undefined,
      meeting: { port: 8444, isAsked: false, hosts: [], relay: DEFAULT_RELAY_LIMITS },
      tlsFiles: undefined,
      place: { name: "file", path: "users.db" },
      registration: "open",
      logStyle: undefined,
      auditPath: undefined,
      metrics: undefined,
      limits: DEFAULT_LIMITS,
    },
  });
});

test("the meeting port is another, or off; its addresses are one a family", () => {
  const config = (...args: string[]) => readConfig(args, {}, "en");
  expect(config("--meeting-port", "off")).toMatchObject({ config: { meeting: undefined } });
  const given = ["--meeting-port", "0", "--meeting-host", "192.0.2.1,2001:db8::1", "--relay-rate", "3"];
  expect(config(...given, "--relay-pairs", "0", "--relay-bytes-per-day", "1000")).toMatchObject({
    config: {
      meeting: {
        port: 0,
        isAsked: true,
        hosts: ["192.0.2.1", "2001:db8::1"],
        relay: { pairs: 0, rate: 3 * 1024 * 1024, bytesPerDay: 1_000 },
      },
    },
  });
  for (const args of [
    ["--meeting-port", "no"],
    ["--meeting-port", "65536"],
    ["--meeting-host", "example.org"],
    ["--meeting-host", "192.0.2.1,192.0.2.2"],
    ["--meeting-port", "8443"],
  ]) {
    expect(() => config(...args)).toThrow(UsageError);
  }
});

test("flags win over variables, and these over the locale", () => {
  const environment = { PALOMA_PORT: "9100", PALOMA_DB: "x.db", PALOMA_LANG: "en", LANG: "es_ES.UTF-8" };
  expect(readConfig(["--port", "9200"], environment, "es")).toMatchObject({
    config: { port: 9200, place: { path: "x.db" } },
  });
  expect(chosenLanguage([], environment)).toBe("en");
  expect(chosenLanguage(["--lang=es"], environment)).toBe("es");
  expect(chosenLanguage(["--lang", "es"], environment)).toBe("es");
  expect(chosenLanguage([], { LANG: "fr_FR.UTF-8" })).toBe("es");
  expect(chosenLanguage([], { LC_ALL: "en_US.UTF-8", LANG: "es_ES.UTF-8" })).toBe("en");
});

test("errors are reported in the requested language", () => {
  for (const args of [
    ["--host", "example.org"],
    ["--tls-key", "k.pem"],
    ["--port"],
    ["--lang", "fr"],
    ["start"],
  ]) {
    expect(() => readConfig(args, {}, "en")).toThrow(UsageError);
  }
  expect(() => readConfig(["start"], {}, "en")).toThrow("Unknown argument: “start”");
  expect(() => readConfig(["start"], {}, "es")).toThrow("Argumento desconocido: «start»");
});

test("help is known in every form, and a mistyped word is answered", () => {
  for (const args of [["help"], ["-h"], ["--help"]])
    expect(readConfig(args, {}, "en")).toEqual({ name: "help" });
  for (const args of [["help"], ["-h"], ["--help"], ["users", "-h"], []])
    expect(readConfig(["admin", ...args], {}, "en")).toEqual({ name: "adminHelp" });
  expect(() => readConfig(["amdin", "users"], {}, "en")).toThrow("“amdin”; did you mean admin?");
  expect(() => readConfig(["amdin"], {}, "es")).toThrow("«amdin»; ¿quiere decir admin?");
});

test("every path may begin with ~", () => {
  const args = ["--db=~/u.db", "--audit-log=~/a", "--tls-cert=~/c", "--tls-key=~/k"];
  expect(readConfig(args, { HOME: "/h" }, "en")).toMatchObject({
    config: { place: { path: "/h/u.db" }, auditPath: "/h/a", tlsFiles: { certificate: "/h/c", key: "/h/k" } },
  });
  expect(readConfig(["admin", "users", "--db=~/u.db"], { HOME: "/h" }, "en")).toMatchObject({
    config: { place: { path: "/h/u.db" } },
  });
});

test("an error names the flag or the variable that was used", () => {
  const rate = { PALOMA_LOGIN_RATE: "many", PALOMA_METRICS_HOST: "here", PALOMA_METRICS_PORT: "9464" };
  expect(() => readConfig(["--login-rate", "many"], rate, "en")).toThrow("PALOMA_METRICS_HOST: expected");
  const flags = ["--metrics-host", "127.0.0.1"];
  expect(() => readConfig(flags, rate, "en")).toThrow("PALOMA_LOGIN_RATE: expected");
  expect(() => readConfig([...flags, "--login-rate=many"], rate, "en")).toThrow("--login-rate: expected");
  expect(() => readConfig(flags, {}, "en")).toThrow("--metrics-host needs --metrics-port");
});

test("“admin help” is the help of the operator's commands", () => {
  expect(readConfig(["admin", "help"], {}, "en")).toEqual({ name: "adminHelp" });
});

test("a host is an IP address, and what looks like one is answered with it", () => {
  const hostOf = (value: string) => {
    const invocation = readConfig(["--host", value], {}, "en");
    return invocation.name === "run" ? invocation.config.host : undefined;
  };
  for (const host of ["0.0.0.0", "::", "::1", "fe80::1%eth0", "192.0.2.1"]) expect(hostOf(host)).toBe(host);
  for (const host of ["localhost", "LocalHost."]) expect(hostOf(host)).toBe("127.0.0.1");
  for (const [typed, meant] of [
    ["https://192.0.2.1", "192.0.2.1"],
    ["192.0.2.1:8443", "192.0.2.1"],
    ["[::1]", "::1"],
    ["paloma://[fe80::1%eth0]:8443/", "fe80::1%eth0"],
  ] as const) {
    expect(() => hostOf(typed)).toThrow(`--host: expected an IP address; did you mean ${meant}?`);
    expect(() => readConfig(["--host", typed], {}, "es")).toThrow(`; ¿quiere decir ${meant}?`);
  }
  for (const typed of ["https://example.org", "málaga.test", "192.0.2", "::g", "a\u001bb"])
    expect(() => hostOf(typed)).toThrow("--host: expected an IP address, such as 192.0.2.1 or ::1");
});

test("the port of the metrics differs from the others, unless its address does", () => {
  const config = (...args: string[]) => readConfig(args, {}, "en");
  const same = (flag: string) => new UsageError(`${flag} and --metrics-port must differ`);
  expect(() => config("--metrics-port", "8080")).toThrow(same("--port"));
  expect(() => config("--metrics-port", "8443", "--host", "::")).toThrow(same("--tls-port"));
  expect(() => config("--metrics-port", "8443", "--host", "0.0.0.0")).toThrow(same("--tls-port"));
  expect(() => config("--metrics-port", "8443", "--host", "::1", "--metrics-host", "::")).toThrow(
    same("--tls-port"),
  );
  expect(() => readConfig(["--metrics-port", "8080"], {}, "es")).toThrow(
    "--port y --metrics-port tienen que ser distintos",
  );
  for (const args of [
    ["--metrics-port", "8080", "--host", "192.0.2.1"],
    ["--metrics-port", "8080", "--plain-from", "none"],
    ["--metrics-port", "8443", "--host", "0.0.0.0", "--metrics-host", "::1"],
    ["--metrics-port", "0", "--tls-port", "0"],
  ])
    expect(config(...args)).toMatchObject({ name: "run" });
});

test("the two ports must differ, unless they are chosen by the system or one is closed", () => {
  const same = ["--port", "7777", "--tls-port", "7777"];
  expect(() => readConfig(same, {}, "en")).toThrow(new UsageError("--port and --tls-port must differ"));
  expect(() => readConfig(["--tls-port", "8080"], {}, "es")).toThrow(UsageError);
  for (const args of [
    ["--port", "0", "--tls-port", "0"],
    [...same, "--plain-from", "none"],
  ]) {
    expect(readConfig(args, {}, "en")).toMatchObject({ name: "run" });
  }
});

test("PostgreSQL and what the servers share go together, and no password is shown", () => {
  const [db, shared] = [
    "postgres://paloma:s3creto@db.example/paloma?sslmode=require",
    "rediss://:s3creto@valkey.example",
  ];
  const read = (...args: string[]) => readConfig(args, {}, "en");
  const place = { name: "cluster", postgres: db, shared };
  const host = ["--meeting-host", "192.0.2.1"];
  expect(read("--db", db, "--shared", shared, ...host)).toMatchObject({ name: "run", config: { place } });
  expect(read("admin", "users", "--db", db, "--shared", shared)).toMatchObject({
    name: "admin",
    config: { place },
  });
  expect(read("admin", "move", "--to", db)).toMatchObject({
    config: { place: { name: "file", path: "users.db" }, to: db },
  });
  // Whoever dials the common name may reach another server.
  expect(() => read("--db", db, "--shared", shared)).toThrow("--shared needs --meeting-host");
  const off = ["--meeting-port", "off"];
  expect(read("--db", db, "--shared", shared, ...off)).toMatchObject({ config: { meeting: undefined } });
  const together = "--db postgres://… and --shared redis://… go together";
  expect(() => read("--db", db)).toThrow(together);
  expect(() => read("--shared", shared)).toThrow(together);
  expect(() => read("admin", "users", "--db", db)).toThrow(together);
  for (const wrong of ["postgres://s3creto", "postgres://s3creto/", "postgres:///s3creto"]) {
    const words = ["--db", wrong, "--shared", shared];
    expect(() => read(...words)).toThrow(/^--db: expected postgres:\/\/USER:PASSWORD@HOST:5432\/DATABASE$/);
  }
  for (const wrong of ["s3creto", "http://s3creto", "redis://"]) {
    expect(() => read("--db", db, "--shared", wrong)).toThrow(/^--shared: expected redis:\/\/HOST:6379$/);
  }
  expect(() => read("admin", "move", "--to", "users.db")).toThrow(/^--to: expected postgres:/);
  expect(shownServer(db)).toBe("postgres://db.example/paloma");
  expect(shownServer(shared)).toBe("rediss://valkey.example");
});

test("balancers are addresses and networks, and go with no open unencrypted port", () => {
  const read = (...args: string[]) => readConfig(["--proxy-protocol", ...args], {}, "en");
  const found = read("10.0.0.0/8,2001:db8::7");
  const list = found.name === "run" ? found.config.balancers : undefined;
  const has = (address: string) => list?.check(address, address.includes(":") ? "ipv6" : "ipv4");
  expect(["10.9.8.7", "11.0.0.1", "2001:db8::7", "2001:db8::8"].map(has)).toEqual([true, false, true, false]);
  for (const wrong of [
    "balancer",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/8,",
    "::/129",
    "1.2.3",
  ]) {
    expect(() => read(wrong)).toThrow(/^--proxy-protocol: expected addresses or networks/);
  }
  expect(() => read("10.0.0.1", "--plain-from", "any")).toThrow("does not go with --plain-from");
});
