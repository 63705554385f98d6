/** Writes the text format of OpenMetrics 1.0: one family after another, each with its type, unit and help. */
import type { Histogram } from "../metrics/histogram.ts";

export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

export type Labels = { readonly [name: string]: string };
type FamilyType = "counter" | "gauge" | "histogram" | "info" | "summary";

type Family = {
  /** Without suffixes such as `_total`; ends in the unit, if there is one. */
  readonly name: string;
  readonly type: FamilyType;
  readonly unit?: "seconds" | "bytes";
  readonly help: string;
};

export class OpenMetricsText {
  #text = "";
  #name = "";

  /** Begins a family; all samples until the next one belong to it. */
  family({ name, type, unit, help }: Family): this {
    this.#name = name;
    this.#text += `# TYPE ${name} ${type}\n`;
    if (unit !== undefined) this.#text += `# UNIT ${name} ${unit}\n`;
    this.#text += `# HELP ${name} ${escaped(help)}\n`;
    return this;
  }

  /** @param suffix `_total` of a counter, `_info` of an info, "" of a gauge. */
  sample(suffix: string, labels: Labels, value: number): this {
    const written = Object.entries(labels).map(([name, text]) => `${name}="${escaped(text)}"`);
    const braces = written.length === 0 ? "" : `{${written.join(",")}}`;
    this.#text += `${this.#name}${suffix}${braces} ${number(value)}\n`;
    return this;
  }

  /** The samples of a histogram: how many are at or below each bound, how many there are, and their sum. */
  histogram(labels: Labels, { bounds, counts, sum }: Histogram): this {
    let below = 0;
    counts.forEach((count, index) => {
      below += count;
      this.sample("_bucket", { ...labels, le: canonical(bounds[index] ?? Infinity) }, below);
    });
    return this.sample("_count", labels, below).sample("_sum", labels, sum);
  }

  /** The whole text. */
  end(): string {
    return `${this.#text}# EOF\n`;
  }
}

function number(value: number): string {
  return value === Infinity ? "+Inf" : String(value);
}

/** A bound (0 to a million) in the canonical form of OpenMetrics. */
export function canonical(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value !== 0 && value < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, "e-0$1");
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
