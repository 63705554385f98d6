/**
 * Asks the server for new samples and shows them, or says that it does not answer. status-page.ts puts TEXTS, SPECS,
 * KEPT and status-chart.js before it.
 */
/** Ms from an answer to the next request, and the longest wait for an answer. */
const POLL = 2000;
const PATIENCE = 5000;

const language =
  (navigator.languages ?? [navigator.language])
    .map((tag) => tag.toLowerCase().split("-")[0])
    .find((tag) => tag === "es" || tag === "en") ?? "es";
const say = (key, fill = {}) =>
  TEXTS[key][language].replace("{n}", fill.n ?? "").replace("{t}", fill.t ?? "");
document.documentElement.lang = language;
document.title = say("title");
for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);

const numbers = [0, 1, 2].map(
  (digits) => new Intl.NumberFormat(language, { maximumFractionDigits: digits, useGrouping: "always" }),
);
const number = (value) => numbers[value === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2].format(value);
const minutes = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const seconds = new Intl.DateTimeFormat(language, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const clock = (time, exact) => (exact ? seconds : minutes).format(time);

function show(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "bytes") return number(value / 1048576) + " MiB";
  if (unit === "rate") return say("perSecond", { n: number(value) });
  if (unit === "count") return numbers[0].format(value);
  if (value === 0) return "0";
  if (value < 1) return number(value * 1000) + " µs";
  return value < 1000 ? number(value) + " ms" : number(value / 1000) + " s";
}

function duration(ms) {
  const whole = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return first < 0
    ? "0 s"
    : parts
        .slice(first, first + 2)
        .map(([value, unit]) => value + " " + unit)
        .join(" ");
}

const get = (id) => document.getElementById(id);
/** Writes only changed texts, so that a screen reader reads out only those. */
function put(id, text) {
  if (get(id).textContent !== text) get(id).textContent = text;
}

const charts = SPECS.map((spec) => new Chart(get("chart-" + spec.id), spec, show, clock));
/** Oldest first; each with its time by this machine's clock. */
let samples = [];
/** The server is `connecting`, `answering`, `gone` or was `neverHeard`; `status` is its last answer, of the time `at`. */
let server = { name: "connecting" };
/** The time under the pointer. */
let pointed = null;

function addSamples({ run, samples: columns, uptime }, now) {
  columns.at.forEach((_, index) => {
    const sample = { run };
    for (const key of Object.keys(columns)) sample[key] = columns[key][index];
    samples.push(sample);
  });
  // All by the last answer: if each were dated by its own, one that arrived late would stand after younger ones.
  for (const sample of samples) if (sample.run === run) sample.time = now - uptime + sample.at;
}

async function ask() {
  try {
    const before = server.status;
    let status = await fetchStatus(before?.next ?? 0);
    // The server has restarted: its samples begin again.
    if (before !== undefined && status.run !== before.run) status = await fetchStatus(0);
    server = { name: "answering", status, at: Date.now() };
    addSamples(status, server.at);
  } catch (error) {
    server = server.status === undefined ? { name: "neverHeard" } : { ...server, name: "gone" };
  }
  draw();
}

async function fetchStatus(after) {
  const response = await fetch("status.json?after=" + after, {
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}

function draw() {
  const now = Date.now();
  samples = samples.filter((sample) => sample.time > now - HOUR).slice(-2 * KEPT);
  const latest = samples[samples.length - 1];
  const isSilent = server.name === "gone" || server.name === "neverHeard";
  const interval = server.status?.interval ?? 10000;
  const every = { n: Math.round(interval / 1000) };
  document.body.classList.toggle("stale", isSilent);
  drawState();
  drawTiles(isSilent ? undefined : latest);
  get("collecting").hidden = samples.length > 0 || server.status === undefined;
  put("collecting", say("collecting", every));
  for (const chart of charts) {
    chart.draw(samples, now, 2.5 * interval);
    const parts = chart.spec.series.map(
      (key) => say(key) + ": " + (latest ? show(latest[key], chart.spec.unit) : say("noData")),
    );
    chart.svg.setAttribute(
      "aria-label",
      say(chart.spec.id) + ". " + (isSilent ? say("noData") : parts.join("; ")),
    );
  }
  for (const unit of document.querySelectorAll("[data-unit]")) {
    unit.textContent = say(unit.dataset.unit, every);
  }
  point();
  drawTable(latest);
}

function drawState() {
  const { name, status } = server;
  const colours = { connecting: "warn", answering: status?.state === "ready" ? "good" : "warn" };
  get("state").className = "pill " + (colours[name] ?? "bad");
  get("alarm").hidden = name !== "gone";
  switch (name) {
    case "connecting":
    case "neverHeard":
      put("state", say(name));
      return;
    case "answering":
      put("state", say(status.state));
      put(
        "about",
        say("version", { n: status.version }) + " · " + say("uptime", { t: duration(status.uptime) }),
      );
      return;
    case "gone": {
      const t = clock(server.at, true);
      put("state", say("gone", { t }));
      put("alarm", say("goneDetail", { t }));
      put("about", say("version", { n: status.version }));
    }
  }
}

function drawTiles(latest) {
  const counts = server.name === "answering" ? server.status.counts : undefined;
  put("tile-online", show(counts?.online, "count"));
  put("tile-connections", show(counts && counts.plain + counts.tls, "count"));
  put("tile-requests", show(latest?.requests, "rate"));
  put("tile-p99", show(latest?.p99, "ms"));
  put("tile-memory", show(latest?.resident, "bytes"));
}

function drawTable(latest) {
  if (!get("figures").open) return;
  const rows = charts.flatMap(({ spec }) =>
    spec.series.map((key) => {
      const values = samples.map((sample) => sample[key]).filter((value) => value !== null);
      const row = document.createElement("tr");
      const cells = [
        latest ? latest[key] : null,
        values.length ? Math.min(...values) : null,
        values.length ? Math.max(...values) : null,
      ];
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = say(spec.id) + (spec.series.length > 1 ? ", " + say(key) : "");
      row.append(
        head,
        ...cells.map((value) => {
          const cell = document.createElement("td");
          cell.textContent = show(value, spec.unit);
          return cell;
        }),
      );
      return row;
    }),
  );
  get("rows").replaceChildren(...rows);
}

/** All charts show the values at the time under the pointer, or else the last ones. */
function point() {
  // While the server does not answer, the last values are not current.
  const isSilent = server.name === "gone" || server.name === "neverHeard";
  let sample = isSilent && pointed === null ? undefined : samples[samples.length - 1];
  if (pointed !== null) {
    for (const candidate of samples) {
      if (Math.abs(candidate.time - pointed) < Math.abs(sample.time - pointed)) sample = candidate;
    }
  }
  for (const chart of charts) chart.showValues(sample, pointed !== null);
}

for (const chart of charts) {
  const move = (event) => {
    pointed = chart.timeAt(event.clientX - chart.svg.getBoundingClientRect().left, Date.now());
    point();
  };
  chart.svg.addEventListener("pointermove", move);
  chart.svg.addEventListener("pointerdown", move);
  chart.svg.addEventListener("pointerleave", () => {
    pointed = null;
    point();
  });
}
get("figures").addEventListener("toggle", () => draw());
new ResizeObserver(() => draw()).observe(document.body);

let timer;
let isAsking = false;
async function round() {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    await ask();
  } finally {
    isAsking = false;
    timer = setTimeout(round, POLL);
  }
}
// Browsers slow down hidden pages: the values are old when the page is shown again.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") round();
});
round();
