/** The status page: one document that needs nothing but the server it came from. */
import { createHash } from "node:crypto";

import { MAX_SAMPLES, type Column } from "../metrics/ring-buffer.ts";
import { STATUS_CHART } from "./status-chart.ts";
import { STATUS_SCRIPT } from "./status-script.ts";
import { STATUS_STYLE } from "./status-style.ts";
import { STATUS_TEXTS } from "./status-texts.ts";

type Key = keyof typeof STATUS_TEXTS;

type ChartSpec = {
  readonly id: Key;
  /** What stands small beside the title. */
  readonly small?: Key;
  readonly unit: "count" | "rate" | "ms" | "bytes";
  /** Names of columns, which are also those of their texts; at most five. */
  readonly series: readonly (Column & Key)[];
  /** The axis reaches at least this value. */
  readonly least: number;
};

const CHARTS: readonly ChartSpec[] = [
  { id: "online", unit: "count", series: ["online"], least: 4 },
  {
    id: "logins",
    small: "loginsUnit",
    unit: "count",
    series: ["loginsOk", "loginsResumed", "loginsWrong", "loginsLimited", "loginsRefused"],
    least: 4,
  },
  { id: "requests", small: "requestsUnit", unit: "rate", series: ["requests"], least: 1 },
  { id: "latency", unit: "ms", series: ["p50", "p99"], least: 0.1 },
  { id: "hashes", small: "hashesUnit", unit: "count", series: ["hashesWaiting"], least: 4 },
  { id: "loop", small: "loopUnit", unit: "ms", series: ["loopDelay"], least: 1 },
  { id: "database", unit: "ms", series: ["databaseP50", "databaseP99"], least: 0.1 },
  { id: "memory", unit: "bytes", series: ["resident", "heap"], least: 1024 * 1024 },
];

const TILES: readonly (readonly [id: string, text: Key])[] = [
  ["online", "online"],
  ["connections", "connections"],
  ["requests", "requests"],
  ["p99", "slowest"],
  ["memory", "memory"],
];

const SCRIPT = [
  `"use strict";`,
  `const TEXTS = ${JSON.stringify(STATUS_TEXTS)};`,
  `const SPECS = ${JSON.stringify(CHARTS)};`,
  `const KEPT = ${MAX_SAMPLES};`,
  STATUS_CHART,
  STATUS_SCRIPT,
].join("\n");

function cardOf({ id, small, series }: ChartSpec): string {
  const unit = small === undefined ? "" : `<small data-unit="${small}"></small>`;
  const legend = series.map((key, index) => {
    const name = series.length === 1 ? "" : `<i></i><span data-text="${key}"></span>`;
    return `<li class="${"abcde"[index]}">${name}<b>–</b></li>`;
  });
  return `<section id="chart-${id}"><div class="top"><h2><span data-text="${id}"></span>${unit}</h2>
<ul class="legend">${legend.join("")}</ul></div><svg role="img" aria-label=""></svg></section>`;
}

const tiles = TILES.map(
  ([id, text]) => `<div><dt data-text="${text}"></dt><dd id="tile-${id}">–</dd></div>`,
).join("");

/** The whole document. */
export const STATUS_PAGE = `<!doctype html>
<html lang="es">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Paloma</title>
<link rel="icon" href="data:,">
<style>${STATUS_STYLE}</style>
</head>
<body>
<header><h1 data-text="heading"></h1><span class="pill" id="state" role="status">…</span><span class="about" id="about"></span></header>
<main>
<p class="alarm" id="alarm" role="alert" hidden></p>
<dl class="tiles">${tiles}</dl>
<p id="collecting" hidden></p>
<div class="charts">${CHARTS.map(cardOf).join("\n")}</div>
<details id="figures"><summary data-text="figures"></summary>
<table><thead><tr><th scope="col" data-text="series"></th><th scope="col" data-text="last"></th><th scope="col" data-text="least"></th><th scope="col" data-text="most"></th></tr></thead><tbody id="rows"></tbody></table></details>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;

/** The content security policy that goes with it: its own script and style, its own server, and nothing else. */
export const STATUS_PAGE_POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(SCRIPT)}'`,
  `style-src '${hashOf(STATUS_STYLE)}'`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
