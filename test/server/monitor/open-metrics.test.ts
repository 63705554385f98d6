import { expect, test } from "bun:test";

import { Histogram } from "../../../src/server/metrics/histogram.ts";
import { canonical, OpenMetricsText } from "../../../src/server/monitor/open-metrics.ts";
import { parseOpenMetrics, sampleOf } from "../../open-metrics-parser.ts";

test("a text follows the format exactly", () => {
  const histogram = new Histogram([0.00001, 0.5, 1]);
  for (const value of [0.25, 0.75, 9]) histogram.observe(value);
  const text = new OpenMetricsText()
    .family({ name: "a", type: "counter", help: 'Says "so"\\\nand so' })
    .sample("_total", {}, 3)
    .family({ name: "b_seconds", type: "histogram", unit: "seconds", help: "Times" })
    .histogram({ action: "login" }, histogram)
    .end();
  expect(text).toBe(
    [
      "# TYPE a counter",
      '# HELP a Says \\"so\\"\\\\\\nand so',
      "a_total 3",
      "# TYPE b_seconds histogram",
      "# UNIT b_seconds seconds",
      "# HELP b_seconds Times",
      'b_seconds_bucket{action="login",le="1e-05"} 0',
      'b_seconds_bucket{action="login",le="0.5"} 1',
      'b_seconds_bucket{action="login",le="1.0"} 2',
      'b_seconds_bucket{action="login",le="+Inf"} 3',
      'b_seconds_count{action="login"} 3',
      'b_seconds_sum{action="login"} 10',
      "# EOF\n",
    ].join("\n"),
  );
  parseOpenMetrics(text);
});

test("a label with any text in it is read back unchanged", () => {
  const hostile = 'x",y="\\n\n# EOF\n}';
  const text = new OpenMetricsText()
    .family({ name: "a", type: "gauge", help: "h" })
    .sample("", { name: hostile }, NaN)
    .end();
  expect(sampleOf(parseOpenMetrics(text), "a", { name: hostile })).toBeNaN();
});

test("bounds are written in the canonical form", () => {
  const written = [0, 2.5e-5, 1e-5, 0.0001, 0.001, 0.25, 1, 2.5, 10, 1000, Infinity].map(canonical);
  expect(written).toEqual([
    "0.0",
    "2.5e-05",
    "1e-05",
    "0.0001",
    "0.001",
    "0.25",
    "1.0",
    "2.5",
    "10.0",
    "1000.0",
    "+Inf",
  ]);
});

test("the parser of these tests refuses what a scraper refuses", () => {
  const bad = [
    "a 1\n# EOF\n",
    "# TYPE a gauge\na 1\n",
    "# TYPE a gauge\na 1\n\n# EOF\n",
    "# TYPE a counter\na 1\n# EOF\n",
    "# TYPE a counter\na_total -1\n# EOF\n",
    "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
    "# TYPE a gauge\na 1\na 2\n# EOF\n",
    "# TYPE a gauge\n# TYPE b gauge\nb 1\n# TYPE a gauge\na 1\n# EOF\n",
    '# TYPE a gauge\na{b="\\x"} 1\n# EOF\n',
    '# TYPE a histogram\na_bucket{le="1.0"} 1\na_count 1\na_sum 1\n# EOF\n',
    '# TYPE a histogram\na_bucket{le="1"} 1\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n',
    '# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n',
  ];
  for (const text of bad) expect(() => parseOpenMetrics(text), text).toThrow();
});
