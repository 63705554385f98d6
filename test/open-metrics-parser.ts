/** A strict reader of OpenMetrics 1.0 text for tests, written from the specification: it refuses what a scraper might. */

export type ParsedSample = {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
};
export type ParsedFamily = {
  readonly type: string;
  readonly unit: string | undefined;
  readonly help: string | undefined;
  readonly samples: readonly ParsedSample[];
};

type Draft = { type: string; unit: string | undefined; help: string | undefined; samples: ParsedSample[] };

const SUFFIXES = new Map<string, readonly string[]>([
  ["counter", ["_total", "_created"]],
  ["gauge", [""]],
  ["info", ["_info"]],
  ["histogram", ["_bucket", "_count", "_sum", "_created"]],
  ["summary", ["", "_count", "_sum", "_created"]],
]);
const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;

/** The families by name. @throws Error for whatever the specification forbids. */
export function parseOpenMetrics(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith("\n# EOF\n")) throw new Error("does not end with # EOF");
  const families = new Map<string, Draft>();
  const series = new Set<string>();
  let name = "";
  for (const line of text.slice(0, -"# EOF\n".length - 1).split("\n")) {
    const meta = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.+)$`).exec(line);
    if (meta !== null) {
      const [, kind = "", of = "", said = ""] = meta;
      if (kind === "TYPE") {
        if (families.has(of)) throw new Error(`family twice: ${of}`);
        if (!SUFFIXES.has(said)) throw new Error(`type: ${line}`);
        families.set(of, { type: said, unit: undefined, help: undefined, samples: [] });
        name = of;
      }
      const family = families.get(of);
      if (family === undefined || of !== name) throw new Error(`not of the family begun: ${line}`);
      if (family.samples.length > 0) throw new Error(`after samples: ${line}`);
      if (kind === "UNIT") {
        if (family.unit !== undefined || !of.endsWith(`_${said}`)) throw new Error(`unit: ${line}`);
        family.unit = said;
      }
      if (kind === "HELP") {
        if (family.help !== undefined || /\\(?![\\n"])|(?<!\\)"/.test(said)) throw new Error(`help: ${line}`);
        family.help = said;
      }
      continue;
    }
    const found = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`).exec(line);
    const family = families.get(name);
    if (found === null || family === undefined) throw new Error(`line: ${line}`);
    const [, sampleName = "", written, number = ""] = found;
    const suffix = sampleName.startsWith(name) ? sampleName.slice(name.length) : undefined;
    if (suffix === undefined || SUFFIXES.get(family.type)?.includes(suffix) !== true) {
      throw new Error(`sample of another family: ${line}`);
    }
    if (!NUMBER.test(number)) throw new Error(`number: ${line}`);
    const labels = written === undefined ? {} : parseLabels(written);
    const id = `${sampleName}${JSON.stringify(Object.entries(labels).sort())}`;
    if (series.has(id)) throw new Error(`series twice: ${line}`);
    series.add(id);
    family.samples.push({ name: sampleName, labels, value: Number(number.replace("Inf", "Infinity")) });
  }
  for (const [of, family] of families) checkFamily(of, family);
  return families;
}

function parseLabels(written: string): { [name: string]: string } {
  const labels: { [name: string]: string } = {};
  const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/y;
  while (label.lastIndex < written.length) {
    const at = label.lastIndex;
    const found = label.exec(written);
    if (found === null) throw new Error(`labels at ${at}: ${written}`);
    const [, name = "", text = "", comma] = found;
    if (Object.hasOwn(labels, name)) throw new Error(`label twice: ${written}`);
    if (comma === "," && label.lastIndex === written.length) throw new Error(`comma: ${written}`);
    labels[name] = text.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

function checkFamily(name: string, { type, samples }: Draft): void {
  const wrong = (what: string) => new Error(`${name}: ${what}`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) throw wrong("counter below 0");
  if (type === "info" && samples.some(({ value }) => value !== 1)) throw wrong("info that is not 1");
  if (type === "summary") {
    for (const { labels, name: sample } of samples) {
      const quantile = Number(labels["quantile"]);
      if (sample === name && !(quantile >= 0 && quantile <= 1)) throw wrong("quantile");
    }
  }
  if (type !== "histogram") return;
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    let bound = -Infinity;
    let below = 0;
    for (const { labels, value } of buckets) {
      const written = labels["le"] ?? "";
      if (!/^(?:\d+\.\d+|\d(?:\.\d+)?e[+-]\d\d|\+Inf)$/.test(written)) throw wrong(`le="${written}"`);
      const le = written === "+Inf" ? Infinity : Number(written);
      if (!(le > bound)) throw wrong("bounds do not rise");
      if (!(value >= below)) throw wrong("buckets do not add up");
      bound = le;
      below = value;
    }
    if (bound !== Infinity) throw wrong("no +Inf bucket");
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    if (count !== below) throw wrong("count is not the last bucket");
    if (!group.some((sample) => sample.name === `${name}_sum`)) throw wrong("no sum");
    if (group.length !== buckets.length + 2) throw wrong("too many samples");
  }
}

/** The one sample of this name with exactly these labels, in any order. @throws Error when there is none. */
export function sampleOf(
  families: ReadonlyMap<string, ParsedFamily>,
  name: string,
  labels: { readonly [name: string]: string } = {},
): number {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  for (const { samples } of families.values()) {
    for (const sample of samples) {
      if (sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted)
        return sample.value;
    }
  }
  throw new Error(`no sample ${name} ${wanted}`);
}
