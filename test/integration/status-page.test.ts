/** The status page of a running server in a real browser. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLog } from "../../src/server/log/log.ts";
import { Metrics } from "../../src/server/metrics/metrics.ts";
import { startMonitor, type Monitor } from "../../src/server/monitor/monitor.ts";
import { loginOf } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

const BROWSER = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
  .map((name) => Bun.which(name))
  .find((path) => path !== null);
if (BROWSER === undefined) {
  console.warn(
    "SKIPPED: the status page is tested in chromium, which is not installed (apt-get install chromium)",
  );
}

/** A browser that starts on a busy machine takes its time. */
const TIMEOUT = 60_000;
/** Samples come this often here, in ms. */
const INTERVAL = 200;
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: unknown }).code !== "ESRCH";
  }
}

describe.skipIf(BROWSER === undefined)("the status page", () => {
  let folder: string;
  let view: Bun.WebView;
  let server: TestServer;
  let monitor: Monitor;
  let metrics: Metrics;
  const requested: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "paloma-browser-"));
    // Its temporary files are removed with the folder.
    const browser = join(folder, "browser");
    writeFileSync(
      browser,
      `#!/bin/sh\necho $$ > '${folder}/pid'\nTMPDIR='${folder}' exec '${BROWSER}' "$@"\n`,
      { mode: 0o700 },
    );
    view = new Bun.WebView({
      width: 1280,
      height: 900,
      backend: { type: "chrome", url: false, path: browser, argv: ARGUMENTS },
      dataStore: { directory: join(folder, "profile") },
      console: (type, ...said) => void complaints.push([type, ...said.map(String)].join(" ")),
    });
    await view.navigate("about:blank");
    view.addEventListener<{ request: { url: string } }>("Network.requestWillBeSent", ({ data }) => {
      requested.push(data.request.url);
    });
    view.addEventListener<{ entry: { source: string; text: string } }>("Log.entryAdded", ({ data }) => {
      // A test below stops the server.
      if (data.entry.source !== "network") complaints.push(data.entry.text);
    });
    view.addEventListener<{ exceptionDetails: { text: string } }>("Runtime.exceptionThrown", ({ data }) => {
      complaints.push(data.exceptionDetails.text);
    });
    for (const domain of ["Network", "Log", "Runtime", "Page"]) await view.cdp(`${domain}.enable`);
    metrics = new Metrics();
    server = await TestServer.start({ metrics });
    monitor = await start(0);
  }, TIMEOUT);

  afterEach(() => {
    requested.length = 0;
    complaints.length = 0;
  });

  afterAll(async () => {
    await view.cdp("Browser.close").catch((error: unknown) => complaints.push(String(error)));
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    while (isRunning(pid)) await Bun.sleep(10);
    Bun.WebView.closeAll();
    rmSync(folder, { recursive: true, force: true });
    monitor.stop();
    await server.stop();
  }, TIMEOUT);

  async function start(port: number): Promise<Monitor> {
    const log = createLog("json", Date.now, () => undefined);
    const started = await startMonitor({ host: "127.0.0.1", port, metrics, log, interval: INTERVAL });
    started.started(server.server);
    return started;
  }

  async function open(language: string): Promise<void> {
    const userAgent = await view.evaluate<string>("navigator.userAgent");
    await view.cdp("Emulation.setUserAgentOverride", { userAgent, acceptLanguage: language });
    await view.navigate(`http://127.0.0.1:${monitor.port}/`);
  }

  /** Resolves when an expression of the page's becomes true. */
  async function until(condition: string): Promise<void> {
    await view.evaluate(
      `new Promise((done) => { const look = () => (${condition}) ? done(1) : setTimeout(look, 20); look(); })`,
    );
  }

  const text = (id: string) => `document.getElementById(${JSON.stringify(id)}).textContent`;
  const line = (chart: string, place: string) =>
    `document.querySelector("#chart-${chart} .line.${place}").getAttribute("d")`;
  /** Points of a line, as numbers. */
  async function points(chart: string, place: string): Promise<[number, number][]> {
    const path = await view.evaluate<string>(line(chart, place));
    return [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  }

  test(
    "draws what people did, with its own script and from its own server alone",
    async () => {
      await open("en-US");
      const wrong = await server.plain();
      const names = ["gertrudis", "leopoldo", "wenceslao"];
      await server.addAccounts(...names);
      for (const name of names) await server.online(name);
      await wrong.ask(loginOf("gertrudis", { password: "not the one" }));
      await until(`${text("tile-online")} === "3" && ${text("state")} === "In service"`);
      expect(await view.evaluate(text("tile-connections"))).toBe("4");

      // The line rises from nobody to three people, and time runs to the right.
      const climbed = `(${line("online", "a")} ?? "").split("L").length > 3`;
      await until(climbed);
      await until(`document.querySelector("#chart-online .legend b").textContent === "3"`);
      const online = await points("online", "a");
      expect(online.map(([x]) => x)).toEqual(online.map(([x]) => x).sort((a, b) => a - b));
      expect(online.at(-1)?.[1]).toBeLessThan(online[0]?.[1] as number);
      const highest = async (place: string) => Math.min(...(await points("logins", place)).map(([, y]) => y));
      const floor = 146;
      expect(await highest("a")).toBeLessThan(floor);
      expect(await highest("c")).toBeLessThan(floor);
      expect(await highest("d")).toBe(floor);
      expect((await points("latency", "b")).length).toBeGreaterThan(0);
      expect((await points("memory", "a")).length).toBeGreaterThan(3);
      const clock = await view.evaluate<string[]>(
        `[...document.querySelectorAll("#chart-online text")].map((node) => node.textContent)`,
      );
      expect(clock.filter((label) => /^\d\d:\d\d$/.test(label)).length).toBeGreaterThan(3);
      expect(clock).toContain("4");

      expect(requested.length).toBeGreaterThan(1);
      const ours = `http://127.0.0.1:${monitor.port}/`;
      expect(requested.filter((url) => !url.startsWith(ours) && url !== "data:,")).toEqual([]);
      expect(complaints).toEqual([]);
      const named = `${JSON.stringify(names)}.some((name) => document.documentElement.outerHTML.includes(name))`;
      expect(await view.evaluate(named)).toBe(false);
    },
    TIMEOUT,
  );

  test(
    "keeps the order of time when an answer arrives late",
    async () => {
      await open("en");
      await view.evaluate(`(() => {
        const ask = window.fetch;
        window.late = 0;
        window.fetch = async (...request) => {
          const answer = await ask(...request);
          if (window.late++ === 0) await new Promise((done) => setTimeout(done, 1500));
          return answer;
        };
      })()`);
      await until(`window.late === 3`);
      const times = await view.evaluate<number[]>(`samples.map((sample) => sample.time)`);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    },
    TIMEOUT,
  );

  test(
    "speaks the browser's language, or Spanish, and gives each chart's values as text",
    async () => {
      for (const [asked, lang, state, chart] of [
        ["es-MX", "es", "En servicio", "Personas conectadas"],
        ["en-GB", "en", "In service", "People online"],
        ["fr-FR,en", "en", "In service", "People online"],
        ["de-DE", "es", "En servicio", "Personas conectadas"],
      ] as const) {
        await open(asked);
        await until(`${text("state")} === ${JSON.stringify(state)}`);
        expect(await view.evaluate("document.documentElement.lang")).toBe(lang);
        await until(`document.querySelector("#chart-online .legend b").textContent === "3"`);
        const label = `document.querySelector("#chart-online svg[role=img]").getAttribute("aria-label")`;
        expect(await view.evaluate(label)).toBe(`${chart}. ${chart}: 3`);
      }
      await view.evaluate(`document.getElementById("figures").open = true`);
      await until(`document.querySelectorAll("#rows tr").length > 10`);
    },
    TIMEOUT,
  );

  test(
    "shows the values of the time that is pointed at, in all charts",
    async () => {
      await open("en");
      await until(`(${line("online", "a")} ?? "").split("L").length > 3`);
      const { x, y } = await view.evaluate<{ x: number; y: number }>(
        `(() => { const box = document.querySelector("#chart-online svg").getBoundingClientRect();
                  return { x: box.right - 20, y: box.top + 60 }; })()`,
      );
      await view.cdp("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
      await until(`document.querySelectorAll('.when[visibility="visible"]').length === 9`);
      expect(await view.evaluate<string>(`document.querySelector(".when").textContent`)).toMatch(
        /^\d\d:\d\d:\d\d$/,
      );
      await view.cdp("Input.dispatchMouseEvent", { type: "mouseMoved", x: 5, y: 5 });
      await until(`document.querySelectorAll('.when[visibility="visible"]').length === 0`);
    },
    TIMEOUT,
  );

  test(
    "fits a narrow screen, and its policy blocks other scripts and servers",
    async () => {
      await view.resize(360, 800);
      await open("es");
      await until(`(${line("online", "a")} ?? "") !== ""`);
      expect(await view.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
      await view.resize(1280, 900);
      const elsewhere = `fetch("http://127.0.0.1:${server.plainPort}/").then(() => "sent", () => "refused")`;
      expect(await view.evaluate(elsewhere)).toBe("refused");
      const written = `(() => { const script = document.createElement("script");
        script.textContent = "window.strange = true"; document.body.append(script); return window.strange === true; })()`;
      expect(await view.evaluate(written)).toBe(false);
    },
    TIMEOUT,
  );

  test(
    "says since when the server has not answered, and goes on when it does again",
    async () => {
      await open("en");
      await until(`${text("state")} === "In service" && (${line("online", "a")} ?? "") !== ""`);
      const { port } = monitor;
      monitor.stop();
      await until(`!document.getElementById("alarm").hidden`);
      expect(await view.evaluate(text("state"))).toMatch(/^No response since \d\d:\d\d:\d\d$/);
      expect(await view.evaluate(text("alarm"))).toMatch(/stopped responding at \d\d:\d\d:\d\d/);
      for (const tile of ["online", "connections", "requests", "p99", "memory"]) {
        expect(await view.evaluate(text(`tile-${tile}`))).toBe("–");
      }
      expect(await view.evaluate(`document.querySelector("#chart-online .legend b").textContent`)).toBe("–");
      // What was known is still drawn.
      const before = (await points("online", "a")).length;
      expect(before).toBeGreaterThan(0);
      monitor = await start(port);
      await until(`document.getElementById("alarm").hidden && ${text("state")} === "In service"`);
      await until(`${text("tile-online")} === "3" && ${text("tile-memory")} !== "–"`);
      expect((await points("online", "a")).length).toBeGreaterThanOrEqual(before);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );
});
