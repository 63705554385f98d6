/** The status page: its document, style, script and texts, joined into one answer. */
import { createHash } from "node:crypto";

import { MAX_SAMPLES, type Column } from "../metrics/ring-buffer.ts";
import chartScript from "./status-chart.js" with { type: "text" };
import style from "./status-page.css" with { type: "text" };
import document from "./status-page.html" with { type: "text" };
import pageScript from "./status-script.js" with { type: "text" };
import { STATUS_TEXTS } from "./status-texts.ts";

type Key = keyof typeof STATUS_TEXTS;

type ChartSpec = {
  readonly id: Key;
  /** The key of the text beside the title. */
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
  { id: "relayed", unit: "count", series: ["relayedPairs"], least: 4 },
];

const SCRIPT = [
  `"use strict";`,
  `const TEXTS = ${JSON.stringify(STATUS_TEXTS)};`,
  `const SPECS = ${JSON.stringify(CHARTS)};`,
  `const KEPT = ${MAX_SAMPLES};`,
  chartScript,
  pageScript,
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

/** The whole document. */
export const STATUS_PAGE = document
  .replace("<style></style>", () => `<style>${style}</style>`)
  .replace('<div class="charts"></div>', () => `<div class="charts">${CHARTS.map(cardOf).join("\n")}</div>`)
  .replace("<script></script>", () => `<script>${SCRIPT}</script>`);

/** The content security policy of the page: only its own script, style and server. */
export const STATUS_PAGE_POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(SCRIPT)}'`,
  `style-src '${hashOf(style)}'`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
